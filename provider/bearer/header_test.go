package bearer

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// FuzzHeader: whatever the header holds, a token that comes out of it was in it as it is, and is one by RFC 6750's syntax.
func FuzzHeader(f *testing.F) {
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x", "bearer  a.b.c==", "Basic YTpi", "Bearer a b", "Bearer a=b", "Bearer ==", "Bearer\tx"} {
		f.Add(header, "")
	}
	f.Add("Bearer x", "Bearer y")
	f.Fuzz(func(t *testing.T, first, second string) {
		values := []string{first}
		if second != "" {
			values = append(values, second)
		}
		token, err := fromHeader(values)
		if err != nil {
			if e := asError(err); token != "" || e.Code == TemporarilyUnavailable || !quotable(e.Description) {
				t.Fatalf("%q: %v", values, err)
			}
			return
		}
		if len(values) > 1 || !strings.HasSuffix(first, " "+token) || !strings.EqualFold(first[:7], "Bearer ") || !token68(token) || len(token) > maxToken {
			t.Fatalf("%q gives the token %q", values, token)
		}
	})
}

// FuzzToken: claims and answers of any form are read or refused, and never make a panic.
func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"iss":"x","aud":["a","b"],"exp":1e9,"scope":"a b","amr":["pwd"],"cnf":null}`), int64(0))
	f.Add([]byte(`{"exp":-1,"nbf":1e308}`), int64(1)<<62)
	f.Add([]byte(`null`), int64(1))
	f.Fuzz(func(t *testing.T, text []byte, now int64) {
		token, err := parseToken(text)
		if err != nil {
			return
		}
		if at := time.Unix(now, 0); token.current(at, time.Minute) == nil && !at.Before(token.Expires.Add(time.Minute)) {
			t.Fatalf("%s is current at %v", text, at)
		}
	})
}

func TestDocumentsAreKeptAsLongAsTheySayWithinBounds(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"": 5 * time.Minute,
		"public, max-age=300, stale-if-error=86400": 5 * time.Minute,
		"max-age=600":                  10 * time.Minute,
		`MAX-AGE="600"`:                10 * time.Minute,
		"max-age=86400":                time.Hour,
		"max-age=99999999999999999999": minFresh,
		"max-age=1":                    minFresh,
		"max-age=-1":                   minFresh,
		"no-store":                     minFresh,
		"max-age=600, no-cache":        minFresh,
	} {
		if got := freshness(http.Header{"Cache-Control": {header}}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
	if got := freshness(http.Header{"Cache-Control": {"max-age=600"}, "Age": {"400"}}); got != 200*time.Second {
		t.Errorf("with an Age: %v", got)
	}
}

func TestTheWellKnownPathStandsBetweenHostAndPath(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://id.example.com":     "https://id.example.com/.well-known/oauth-authorization-server",
		"https://id.example.com/":    "https://id.example.com/.well-known/oauth-authorization-server",
		"https://id.example.com/a/b": "https://id.example.com/.well-known/oauth-authorization-server/a/b",
		"http://[::1]:8080/tenant":   "http://[::1]:8080/.well-known/oauth-authorization-server/tenant",
	} {
		if got := metadataURL(issuer); got != want {
			t.Errorf("%s: %s, want %s", issuer, got, want)
		}
	}
}
