package bearer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/bearer"
)

const anIssuer = "https://id.example.com/tenant"

// TestAnAPIDescribesItselfWhereClientsLook: the document has the identifier and the issuer byte for byte, and stands at the address of
// RFC 9728 §3.1, which is served and challenged with.
func TestAnAPIDescribesItselfWhereClientsLook(t *testing.T) {
	t.Parallel()
	const wellKnown = "/.well-known/oauth-protected-resource"
	for _, c := range []struct{ resource, address, path string }{
		{"https://api.example.com", "https://api.example.com" + wellKnown, wellKnown},
		{"https://api.example.com/", "https://api.example.com" + wellKnown, wellKnown},
		{"https://api.example.com:8443/mcp", "https://api.example.com:8443" + wellKnown + "/mcp", wellKnown + "/mcp"},
		{"https://api.example.com/a/b/", "https://api.example.com" + wellKnown + "/a/b/", wellKnown + "/a/b/"},
		{"https://api.example.com/a%20b", "https://api.example.com" + wellKnown + "/a%20b", wellKnown + "/a%20b"},
		{"https://API.example.com/a?x=1&y=/2", "https://API.example.com" + wellKnown + "/a?x=1&y=/2", wellKnown + "/a"},
		{"https://api.example.com?x=/1", "https://api.example.com" + wellKnown + "?x=/1", wellKnown},
		{"https://api.example.com/?x=1", "https://api.example.com" + wellKnown + "?x=1", wellKnown},
		{"http://localhost:8081", "http://localhost:8081" + wellKnown, wellKnown},
		{"http://[::1]:8081/mcp", "http://[::1]:8081" + wellKnown + "/mcp", wellKnown + "/mcp"},
	} {
		t.Run(c.resource, func(t *testing.T) {
			t.Parallel()
			v, err := bearer.New(bearer.Config{Issuer: anIssuer, Audience: c.resource, Metadata: &bearer.Metadata{}})
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			path, handler := v.Metadata()
			mux.Handle(path, handler)
			mux.Handle("/", v.RequireScope("stock.read")(http.NotFoundHandler()))
			if path != c.path {
				t.Errorf("it is served at %s, want %s", path, c.path)
			}
			answer := serve(t, mux, "/stock", nil)
			if got, want := answer.Header().Get("WWW-Authenticate"), `Bearer scope="stock.read", resource_metadata="`+c.address+`"`; answer.Code != http.StatusUnauthorized || got != want {
				t.Errorf("a request without a token is answered with %d and %s, want %s", answer.Code, got, want)
			}
			answer = serve(t, mux, strings.TrimPrefix(c.address, c.address[:strings.Index(c.address, "/.")]), nil)
			wantDocument(t, answer, map[string]any{
				"resource": c.resource, "authorization_servers": []any{anIssuer}, "bearer_methods_supported": []any{"header"},
			})
		})
	}
}

func TestADocumentHasAllThatItsAPISays(t *testing.T) {
	t.Parallel()
	v, err := bearer.New(bearer.Config{Issuer: anIssuer, Audience: "https://api.example.com", Metadata: &bearer.Metadata{
		Scopes: []string{"stock.read", "stock.write"}, Name: `The "Stock" <API> – ä`, Documentation: "https://example.com/docs?a=1&b=2", JWKS: "https://api.example.com/keys",
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, handler := v.Metadata()
	wantDocument(t, serve(t, handler, "/", nil), map[string]any{
		"resource": "https://api.example.com", "authorization_servers": []any{anIssuer}, "bearer_methods_supported": []any{"header"},
		"scopes_supported": []any{"stock.read", "stock.write"}, "resource_name": `The "Stock" <API> – ä`,
		"resource_documentation": "https://example.com/docs?a=1&b=2", "jwks_uri": "https://api.example.com/keys",
	})
	for method, status := range map[string]int{http.MethodHead: 200, http.MethodOptions: 204, http.MethodPost: 405, http.MethodDelete: 405} {
		r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		h := recorder.Header()
		if recorder.Code != status || h.Get("Access-Control-Allow-Origin") != "*" || (h.Get("Allow") != "") != (status == 405) ||
			(h.Get("Access-Control-Allow-Methods") != "") != (status == 204) {
			t.Errorf("%s is answered with %d %v", method, recorder.Code, h)
		}
	}
}

// TestEveryChallengeNamesTheDocument: 400, 401 and 403, with the scope where it is known; an API that says nothing of itself sends
// nobody to a document, and has none.
func TestEveryChallengeNamesTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	const api = "https://other.example"
	access, _, _ := w.grant(w.client("jwt"), "ada", "scope", "stock.read", "resource", api)
	v := w.verifier(func(c *bearer.Config) { c.Audience, c.Metadata = api, &bearer.Metadata{} })
	h := v.RequireScope("stock.write")(http.NotFoundHandler())
	for header, want := range map[string]struct {
		status int
		begin  string
		scope  string
	}{
		"Bearer " + access: {http.StatusForbidden, `Bearer error="insufficient_scope", `, `, scope="stock.write"`},
		"Bearer x.y.z":     {http.StatusUnauthorized, `Bearer error="invalid_token", `, `, scope="stock.write"`},
		"Basic YTpi":       {http.StatusUnauthorized, `Bearer scope="stock.write"`, ""},
		"Bearer a b":       {http.StatusBadRequest, `Bearer error="invalid_request", `, ""},
	} {
		answer := serve(t, h, "/", []string{header})
		got, end := answer.Header().Get("WWW-Authenticate"), want.scope+`, resource_metadata="https://other.example/.well-known/oauth-protected-resource"`
		if answer.Code != want.status || !strings.HasPrefix(got, want.begin) || !strings.HasSuffix(got, end) {
			t.Errorf("%.12s: %d %s", header, answer.Code, got)
		}
	}
	silent := w.verifier()
	if path, handler := silent.Metadata(); path != "" || serve(t, handler, "/", nil).Code != http.StatusNotFound {
		t.Errorf("an API that says nothing has a document at %q", path)
	}
	if got := serve(t, silent.RequireScope()(http.NotFoundHandler()), "/", nil).Header().Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("it is challenged with %s", got)
	}
}

// TestWhatClientsCouldNotUseIsNotDescribed: nothing is published that RFC 9728 has clients refuse, that anybody between could change, or
// that could end the header it stands in.
func TestWhatClientsCouldNotUseIsNotDescribed(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{
		"", "api", "/api", "urn:example:api", "http://api.example.com", "http://127.0.0.1.example.com", "ftp://api.example.com", "https://",
		"https://api.example.com#x", "https://api.example.com/#", "https://me@api.example.com", `https://api.example.com/a"b`,
		`https://api.example.com/a\b`, `https://api.example.com/?a="`, "https://api.example.com/a b", "https://api.example.com/ä", "https://api.example.com/a\r\nX: y",
	} {
		if _, _, err := bearer.Describe(anIssuer, resource, bearer.Metadata{}); err == nil || !strings.Contains(err.Error(), "Audience") {
			t.Errorf("%q is described: %v", resource, err)
		}
		if _, err := bearer.New(bearer.Config{Issuer: anIssuer, Audience: resource, Metadata: &bearer.Metadata{}}); err == nil {
			t.Errorf("New takes %q", resource)
		}
	}
	_, _, err := bearer.Describe("http://id.example.com", "https://api.example.com", bearer.Metadata{
		Scopes: []string{"a b", "", `"`}, Documentation: "http://example.com", JWKS: "keys",
	})
	if err == nil {
		t.Fatal("it is described")
	}
	for _, part := range []string{"Issuer", `has "a b"`, `has ""`, `has "\""`, "Documentation", "JWKS"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not named: %v", part, err)
		}
	}
	if _, err := bearer.New(bearer.Config{Issuer: anIssuer, Audience: "urn:example:api"}); err != nil {
		t.Errorf("an API that says nothing of itself may have any name: %v", err)
	}
}

func wantDocument(t *testing.T, answer *httptest.ResponseRecorder, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
	}
	h := answer.Header()
	if h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cache-Control") == "" {
		t.Errorf("its headers are %v", h)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it says %v,\nwant %v", got, want)
	}
}
