package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/signet-idp/signet/web/pages"
)

func TestTheMetadataNameTheLanguagesOfThePages(t *testing.T) {
	t.Parallel()
	r := serveHere(t, nil)
	answer, err := http.Get(r.settings.IssuerURL + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var metadata struct {
		UILocales []string `json:"ui_locales_supported"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&metadata); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(metadata.UILocales, "en") || !slices.Equal(metadata.UILocales, pages.Languages()) {
		t.Errorf("ui_locales_supported is %q, the pages speak %q", metadata.UILocales, pages.Languages())
	}
}
