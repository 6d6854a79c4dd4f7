package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reviewedRoutes is every address that answers: which methods, and whether scripts of any origin may read it. A new one
// belongs here once somebody has thought about it.
var reviewedRoutes = map[string]struct {
	methods   string
	cors      bool
	published string // metadata member
}{
	"/.well-known/openid-configuration":       {"GET, HEAD", true, ""},
	"/.well-known/oauth-authorization-server": {"GET, HEAD", true, ""},
	"/.well-known/oauth-protected-resource":   {"GET, HEAD", true, ""},
	"/.well-known/jwks.json":                  {"GET, HEAD", true, "jwks_uri"},
	"/oauth2/token":                           {"POST", true, "token_endpoint"},
	"/oauth2/introspect":                      {"POST", false, "introspection_endpoint"},
	"/oauth2/revoke":                          {"POST", true, "revocation_endpoint"},
	"/userinfo":                               {"GET, HEAD, POST", true, "userinfo_endpoint"},
	"/oauth2/par":                             {"POST", true, "pushed_authorization_request_endpoint"},
	"/oauth2/device_authorization":            {"POST", true, "device_authorization_endpoint"},

	// Pages. They read cookies: no script of another origin may.
	"/oauth2/authorize": {"GET, HEAD, POST", false, "authorization_endpoint"},
	"/oauth2/logout":    {"GET, HEAD, POST", false, "end_session_endpoint"},
	"/login":            {"GET, HEAD, POST", false, ""},
	"/login/choose":     {"GET, HEAD, POST", false, ""},
	"/mfa":              {"GET, HEAD, POST", false, ""},
	"/mfa/enrol":        {"GET, HEAD, POST", false, ""},
	"/mfa/lost":         {"GET, HEAD, POST", false, ""},
	"/consent":          {"GET, HEAD, POST", false, ""},
	"/device":           {"GET, HEAD, POST", false, ""},

	"/signup":  {"GET, HEAD, POST", false, ""},
	"/recover": {"GET, HEAD, POST", false, ""},
	"/setup":   {"GET, HEAD, POST", false, ""},

	"/account":             {"GET, HEAD, POST", false, ""},
	"/account/email":       {"GET, HEAD, POST", false, ""},
	"/account/passkeys":    {"GET, HEAD, POST", false, ""},
	"/account/data":        {"GET, HEAD, POST", false, ""},
	"/account/delete":      {"GET, HEAD, POST", false, ""},
	"/account/profile":     {"GET, HEAD, POST", false, ""},
	"/account/password":    {"GET, HEAD, POST", false, ""},
	"/account/factors":     {"GET, HEAD, POST", false, ""},
	"/account/factors/new": {"GET, HEAD, POST", false, ""},
	"/account/sessions":    {"GET, HEAD, POST", false, ""},
	"/account/apps":        {"GET, HEAD, POST", false, ""},
	"/account/events":      {"GET, HEAD", false, ""},

	"/developer":               {"GET, HEAD", false, ""},
	"/developer/new":           {"GET, HEAD, POST", false, ""},
	"/developer/waiting":       {"GET, HEAD, POST", false, ""},
	"/developer/app":           {"GET, HEAD, POST", false, ""},
	"/developer/app/settings":  {"GET, HEAD, POST", false, ""},
	"/developer/app/redirects": {"GET, HEAD, POST", false, ""},
	"/developer/app/secrets":   {"GET, HEAD, POST", false, ""},
	"/developer/app/errors":    {"GET, HEAD", false, ""},
	"/developer/app/snippets":  {"GET, HEAD", false, ""},
	"/developer/app/delete":    {"GET, HEAD, POST", false, ""},

	"/developer/playground":          {"GET, HEAD, POST", false, ""},
	"/developer/playground/callback": {"GET, HEAD", false, ""},
}

const reviewedMetadata = `{
	"issuer": "ISSUER",
	"jwks_uri": "ISSUER/.well-known/jwks.json",
	"token_endpoint": "ISSUER/oauth2/token",
	"token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
	"token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"],
	"introspection_endpoint": "ISSUER/oauth2/introspect",
	"introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"],
	"introspection_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"],
	"revocation_endpoint": "ISSUER/oauth2/revoke",
	"revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
	"revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"],
	"userinfo_endpoint": "ISSUER/userinfo",
	"authorization_endpoint": "ISSUER/oauth2/authorize",
	"pushed_authorization_request_endpoint": "ISSUER/oauth2/par",
	"require_pushed_authorization_requests": false,
	"device_authorization_endpoint": "ISSUER/oauth2/device_authorization",
	"end_session_endpoint": "ISSUER/oauth2/logout",
	"response_types_supported": ["code"],
	"response_modes_supported": ["query", "fragment", "form_post"],
	"code_challenge_methods_supported": ["S256"],
	"authorization_response_iss_parameter_supported": true,
	"prompt_values_supported": ["none", "login", "consent", "select_account"],
	"display_values_supported": ["page"],
	"backchannel_logout_supported": true,
	"backchannel_logout_session_supported": true,
	"frontchannel_logout_supported": true,
	"frontchannel_logout_session_supported": true,
	"grant_types_supported": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "client_credentials", "password",
		"urn:signet:oauth:grant-type:mfa-otp"],
	"scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
	"claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid",
		"name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website", "gender",
		"birthdate", "zoneinfo", "locale", "preferred_username", "updated_at", "email", "email_verified", "phone_number", "phone_number_verified", "address"],
	"claim_types_supported": ["normal"],
	"subject_types_supported": ["public", "pairwise"],
	"userinfo_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
	"id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
	"acr_values_supported": ["urn:signet:acr:password", "urn:signet:acr:mfa"],
	"request_parameter_supported": false,
	"request_uri_parameter_supported": false,
	"claims_parameter_supported": true
}`

func TestMetadataIsWhatWasReviewed(t *testing.T) {
	for _, issuer := range []string{"http://localhost:8080", "https://id.example.com", "https://example.com/a/tenant"} {
		u, err := url.Parse(issuer)
		if err != nil {
			t.Fatal(err)
		}
		b := newBare(t, issuer, true)
		var want map[string]any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(reviewedMetadata, "ISSUER", issuer)), &want); err != nil {
			t.Fatal(err)
		}
		addresses := []string{u.Path + "/.well-known/openid-configuration", u.Path + "/.well-known/oauth-authorization-server"}
		if u.Path != "" { // RFC 8414 §3.1 puts the well-known part first
			addresses = append(addresses, "/.well-known/openid-configuration"+u.Path, "/.well-known/oauth-authorization-server"+u.Path)
		}
		for _, address := range addresses {
			// Whatever the request says of hosts, the issuer is the configured one.
			a := b.ask(http.MethodGet, address, http.Header{"X-Forwarded-Host": {"evil.example"}, "Forwarded": {"host=evil.example"}}, nil)
			var got map[string]any
			if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil {
				t.Fatalf("%s: %d %s", address, a.Code, a.Body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s:\n%s", address, issuer, diff)
			}
		}
		for member, value := range want { // and every address in it answers
			address, isURL := strings.CutPrefix(asText(value), issuer)
			if !isURL || member == "issuer" {
				continue
			}
			if a := b.ask(http.MethodPost, u.Path+address, nil, nil); a.Code == http.StatusNotFound || a.Code >= 500 {
				t.Errorf("%s is published and answers %d", member, a.Code)
			}
			if a := b.ask(http.MethodPost, address, nil, nil); u.Path != "" && a.Code != http.StatusNotFound {
				t.Errorf("%s answers outside the issuer's path, too: %d", address, a.Code)
			}
		}
	}
}

func asText(v any) string { s, _ := v.(string); return s }

func TestEveryRouteIsReviewedAndPublished(t *testing.T) {
	b := newBare(t, issuerURL, false)
	var paths []string
	for _, r := range b.provider.Routes() {
		paths = append(paths, r.Path)
		want := reviewedRoutes[r.Path]
		if r.Metadata != want.published || r.CORS != want.cors || strings.Join(r.Methods, ", ") != want.methods {
			t.Errorf("%s: methods %v, CORS %v, published as %q; reviewed were %+v", r.Path, r.Methods, r.CORS, r.Metadata, want)
		}
	}
	if len(paths) != len(reviewedRoutes) {
		t.Errorf("routes %v, reviewed were %d", paths, len(reviewedRoutes))
	}
}

// always are the headers of every answer.
var always = map[string]string{
	"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
	"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
	"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}

func TestEachRouteTakesItsMethodsFromItsOriginsWithSafeHeaders(t *testing.T) {
	b := newBare(t, "https://id.example.com", true)
	methods := []string{"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "QUERY"}
	pages := map[string]bool{}
	for _, r := range b.provider.Routes() {
		pages[r.Path] = r.Page != ""
	}
	for path, route := range reviewedRoutes {
		allowed := strings.Split(route.methods, ", ")
		if route.cors {
			allowed = append(allowed, "OPTIONS")
		}
		for _, method := range methods {
			for _, origin := range []string{"", "https://app.example.com", "null", "https://id.example.com"} {
				header := http.Header{}
				if origin != "" {
					header.Set("Origin", origin)
					header.Set("Access-Control-Request-Method", "POST")
				}
				a := b.ask(method, path, header, []byte("x=1"))
				at := method + " " + path + " from " + origin
				for name, value := range always {
					// A page's own are in the golden file of web/pages.
					own := pages[path] && (name == "Content-Security-Policy" || name == "Referrer-Policy")
					if got := a.Header().Get(name); !own && got != value || own && got == "" {
						t.Errorf("%s: %s %q", at, name, got)
					}
				}
				anywhere := a.Header().Get("Access-Control-Allow-Origin")
				taken := slices.Contains(allowed, method)
				switch {
				case a.Header().Get("X-Request-Id") == "" || a.Header().Get("Access-Control-Allow-Credentials") != "" || a.Code >= 500:
					t.Errorf("%s: %d %v", at, a.Code, a.Header())
				case !route.cors && anywhere != "", route.cors && taken && anywhere != "*":
					t.Errorf("%s: Access-Control-Allow-Origin %q", at, anywhere)
				case taken == (a.Code == http.StatusMethodNotAllowed):
					t.Errorf("%s: %d", at, a.Code)
				case !taken && a.Header().Get("Allow") != strings.Join(allowed, ", "):
					t.Errorf("%s: Allow %q, want %v", at, a.Header().Get("Allow"), allowed)
				case taken && method == "OPTIONS" && (a.Code != http.StatusNoContent || a.Header().Get("Access-Control-Max-Age") != "600" ||
					a.Header().Get("Access-Control-Allow-Methods") != route.methods ||
					a.Header().Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, MCP-Protocol-Version"):
					t.Errorf("%s: %d %v", at, a.Code, a.Header())
				}
			}
		}
	}
}

func TestThereIsNothingAtAnyOtherAddress(t *testing.T) {
	b := newBare(t, "https://id.example.com", true)
	for _, path := range []string{
		"/", "/oauth2/token/", "/oauth2//token", "//oauth2/token", "/OAUTH2/TOKEN", "/oauth2/token;x=1", "/userinfo/..", "/x/../userinfo",
		"/%2e%2e/userinfo", "/oauth2%2ftoken", `/oauth2\token`, "/.well-known/openid-configuration/", "/.well-known/jwks.json/x", "/oauth2/authorize/",
		"/oauth2/register", "/developer/tokens", "/login/", "/login/other", "/static/", "/account/", "/account/other", "/account/factors/old", "/admin", "/metrics", "/debug/pprof/", "/api/v1/users", "/favicon.ico", "/.git/config", "/healthz/", "/readyz/x",
	} {
		for _, method := range []string{"GET", "POST"} {
			r := &http.Request{Method: method, URL: &url.URL{Path: path}, Header: http.Header{}, RemoteAddr: "192.0.2.1:1", Body: http.NoBody}
			if unescaped, err := url.PathUnescape(path); err == nil {
				r.URL.Path, r.URL.RawPath = unescaped, path
			}
			a := b.serve(r)
			var body map[string]any
			if err := json.Unmarshal(a.Body.Bytes(), &body); err != nil || a.Code != http.StatusNotFound || body["error"] != "not_found" {
				t.Errorf("%s %s: %d %s %v", method, path, a.Code, a.Body, a.Header())
			}
			for name, value := range always {
				if got := a.Header().Get(name); got != value {
					t.Errorf("%s: %s %q", path, name, got)
				}
			}
		}
	}
	if a := b.ask(http.MethodPost, "/healthz", nil, nil); a.Code != http.StatusMethodNotAllowed || a.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /healthz: %d, Allow %q", a.Code, a.Header().Get("Allow"))
	}
}
