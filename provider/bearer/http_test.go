package bearer_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/bearer"
)

func TestRequestsAreAnsweredAsRFC6750Says(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	shop := w.client("jwt")
	access, _, _ := w.grant(shop, "ada", "scope", "openid stock.read")
	v := w.verifier(func(c *bearer.Config) { c.Realm = "stock" })
	mux := http.NewServeMux()
	mux.Handle("/me", v.Handler(func(rw http.ResponseWriter, _ *http.Request, t bearer.Token) { _, _ = io.WriteString(rw, t.ClientID) }))
	served := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "served") })
	mux.Handle("/read", v.RequireScope("stock.read")(served))
	mux.Handle("/write", v.RequireScope("stock.read", "stock.write")(served))
	mux.Handle("/any", v.RequireScope()(served))

	const bare = `Bearer realm="stock"`
	challenge := func(code, description string) string {
		return bare + `, error="` + code + `", error_description="` + description + `"`
	}
	for _, c := range []struct {
		name, path string
		header     []string
		status     int
		challenge  string
	}{
		{"a good token", "/me", []string{"Bearer " + access}, 200, ""},
		{"another case", "/any", []string{"bEARER " + access}, 200, ""},
		{"several spaces", "/any", []string{"Bearer   " + access}, 200, ""},
		{"its scope", "/read", []string{"Bearer " + access}, 200, ""},
		{
			"a scope that it has not", "/write",
			[]string{"Bearer " + access},
			403,
			challenge("insufficient_scope", "the access token does not have the scope that this needs") + `, scope="stock.read stock.write"`,
		},
		{"no token", "/me", nil, 401, bare},
		{"no token where a scope is needed", "/read", nil, 401, bare + `, scope="stock.read"`},
		{"another scheme", "/me", []string{"Basic YTpi"}, 401, bare},
		{"a DPoP token", "/me", []string{"DPoP " + access}, 401, bare},
		{
			"no token after the scheme", "/me",
			[]string{"Bearer "},
			400,
			challenge("invalid_request", "the Authorization header must be Bearer, a space and an access token"),
		},
		{
			"a scheme alone", "/me",
			[]string{"Bearer"},
			400,
			challenge("invalid_request", "the Authorization header must be Bearer, a space and an access token"),
		},
		{
			"two tokens in one header", "/me",
			[]string{"Bearer " + access + ", Bearer " + access},
			400,
			challenge("invalid_request", "the Authorization header must be Bearer, a space and an access token"),
		},
		{
			"two headers", "/me",
			[]string{"Bearer " + access, "Bearer " + access},
			400,
			challenge("invalid_request", "there must be one Authorization header"),
		},
		{
			"something that is no token", "/me",
			[]string{"Bearer \"><script>"},
			400,
			challenge("invalid_request", "the Authorization header must be Bearer, a space and an access token"),
		},
		{
			"a token that is not ours", "/me",
			[]string{"Bearer x.y.z"},
			401,
			challenge("invalid_token", "the access token is not one of this issuer's"),
		},
		{
			"a token that is not ours where a scope is needed", "/write",
			[]string{"Bearer x.y.z"},
			401,
			challenge("invalid_token", "the access token is not one of this issuer's") + `, scope="stock.read stock.write"`,
		},
		{
			"a token of 9 KiB", "/me",
			[]string{"Bearer " + strings.Repeat("x", 9<<10)},
			401,
			challenge("invalid_token", "the access token must not exceed 8 KiB"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := serve(t, mux, c.path, c.header)
			if answer.Code != c.status || answer.Header().Get("WWW-Authenticate") != c.challenge {
				t.Errorf("got %d and %q,\nwant %d and %q", answer.Code, answer.Header().Get("WWW-Authenticate"), c.status, c.challenge)
			}
			if answer.Code != http.StatusOK {
				wantRefusal(t, answer)
			}
		})
	}
	if got := serve(t, mux, "/me", []string{"Bearer " + access}).Body.String(); got != shop.id {
		t.Errorf("the handler was told of the client %q", got)
	}
	if answer := serve(t, mux, "/me?access_token="+access, nil); answer.Code != http.StatusUnauthorized {
		t.Errorf("a token in the address is answered with %d", answer.Code)
	}
}

func TestAnOutageIs503AndSaysToTryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	access, _, _ := w.grant(w.client("jwt"), "ada")
	w.answerWith("", http.StatusServiceUnavailable, "")
	v := w.verifier()
	answer := serve(t, v.RequireScope()(http.NotFoundHandler()), "/", []string{"Bearer " + access})
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" || answer.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("got %d %v", answer.Code, answer.Header())
	}
	wantRefusal(t, answer)
	recorder := httptest.NewRecorder()
	v.Refuse(recorder, io.ErrUnexpectedEOF)
	if recorder.Code != http.StatusServiceUnavailable || strings.Contains(recorder.Body.String(), "EOF") {
		t.Errorf("an error of another kind is answered with %d %s", recorder.Code, recorder.Body)
	}
}

func wantRefusal(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || body.Description == "" {
		t.Errorf("the answer is %s", answer.Body)
	}
	if answer.Header().Get("Content-Type") != "application/json" || answer.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", answer.Header())
	}
}

func serve(t *testing.T, h http.Handler, path string, authorization []string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header["Authorization"] = authorization
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	return recorder
}

func TestAnUnusableConfigurationIsToldAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := bearer.New(bearer.Config{
		Algorithms: []string{"HS256", "none"}, Skew: time.Hour, Realm: `"`, Introspection: &bearer.Introspection{Cache: time.Hour},
	})
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, part := range []string{"Issuer", "Audience", `"HS256"`, `"none"`, "Skew", "Realm", "ClientSecret", "Introspection.Cache"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not named: %v", part, err)
		}
	}
	for issuer, good := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com/tenant": true, "http://localhost:8080": true, "http://[::1]:8080": true,
		"http://id.example.com": false, "id.example.com": false, "https://id.example.com?x": false, "https://id.example.com#": false,
		"https://me@id.example.com": false, "ftp://id.example.com": false, "https:id.example.com": false,
	} {
		if _, err := bearer.New(bearer.Config{Issuer: issuer, Audience: "x"}); (err == nil) != good {
			t.Errorf("issuer %s: %v", issuer, err)
		}
	}
}
