package web_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// TestATokenThatWouldBeTooLongIsTheClientsMistake: a client that asks for more than a token can hold hears so, in both formats, and
// can ask for less.
func TestATokenThatWouldBeTooLongIsTheClientsMistake(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.user("ada")
		var resources, pairs []string
		for i := range 6 {
			resource := "https://api.example/" + strconv.Itoa(i) + strings.Repeat("x", 1900)
			resources, pairs = append(resources, resource), append(pairs, "resource", resource)
		}
		many := func(m *storage.ClientMetadata) { m.Resources = resources }
		for _, c := range []app{w.confidential(many), w.confidential(many, opaque)} {
			asked := append([]string{"grant_type", "password", "username", "ada", "password", password}, pairs...)
			w.want(w.token(c, asked...), http.StatusBadRequest, "invalid_request")
			a := w.login(c, "ada", pairs[:2]...)
			w.want(w.refreshWith(c, a.refresh(), pairs[:2]...), http.StatusOK, "")
		}
	})
}
