package client

import (
	"encoding/base64"
	"net/url"
	"testing"
)

func basicToken(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
}

func TestBasicCredentialsAreFormDecoded(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"app", "s3cret"}, {"a:b", "c:d"}, {"ä b+c%", "%zz +"}, {"app", ""}} {
		id, secret, ok := parseBasic(basicToken(pair[0], pair[1]))
		if !ok || id != pair[0] || secret != pair[1] {
			t.Errorf("%q came back as %q, %q, %v", pair, id, secret, ok)
		}
	}
	if id, secret, ok := parseBasic(base64.StdEncoding.EncodeToString([]byte("a+b:c%3Ad:e"))); !ok || id != "a b" || secret != "c:d:e" {
		t.Errorf("got %q, %q, %v", id, secret, ok)
	}
}

func TestMalformedBasicCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, token := range map[string]string{
		"empty": "", "no colon": encode("app"), "empty id": encode(":secret"), "bad percent": encode("app:%zz"), "cut percent": encode("app%2:x"),
		"not base64": "!!!!", "no padding": "YTpi" + "Yw", "url alphabet": base64.URLEncoding.EncodeToString([]byte("\xff\xfe:\xff")),
		"spare bits": "YTpiYx==", "line break": "YTpi\nYzpk", "not UTF-8": encode("app:\xff"), "not UTF-8 encoded": encode("app%ff:x"),
		"two tokens": encode("a:b") + " " + encode("a:b"), "too long": encode(string(make([]byte, maxBasic)) + ":x"),
	} {
		if _, _, ok := parseBasic(token); ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzBasic: one credential has one spelling, up to the form encoding inside.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{basicToken("app", "secret"), basicToken("a:b", "ä +"), "", "YTpi", "!!"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, secret, ok := parseBasic(token)
		if !ok {
			if id != "" || secret != "" {
				t.Fatalf("%q: refused and returned", token)
			}
			return
		}
		again, secretAgain, ok := parseBasic(basicToken(id, secret))
		if id == "" || len(token) <= maxBasic/4 && (!ok || again != id || secretAgain != secret) {
			t.Fatalf("%q gave %q, %q and then %q, %q, %v", token, id, secret, again, secretAgain, ok)
		}
	})
}
