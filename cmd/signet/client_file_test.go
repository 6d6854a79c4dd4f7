package main

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// readBack reads text as a file, which must be right.
func readBack(t *testing.T, text []byte) []client.Declaration {
	t.Helper()
	r := newClientReader()
	r.read("test.yaml", text)
	if len(r.problems) > 0 {
		t.Fatalf("%v in\n%s", r.problems, text)
	}
	var out []client.Declaration
	for _, d := range r.clients {
		out = append(out, d.Declaration)
	}
	return out
}

// throughFiles writes clients in both forms of a file, and demands that each reads as what was written.
func throughFiles(t *testing.T, clients []client.Declaration) {
	t.Helper()
	asYAML, err := clientsYAML(clients)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.MarshalIndent(map[string]any{"clients": clients}, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{asYAML, asJSON} {
		if diff := cmp.Diff(clients, readBack(t, text), cmp.Comparer(sameJSON)); diff != "" {
			t.Errorf("%s in\n%s", diff, text)
		}
	}
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return len(a) == 0 && len(b) == 0 || json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && cmp.Equal(x, y)
}

// hardTexts are texts that YAML, or a writer of it, is known to take for something else.
func hardTexts() []string {
	return []string{
		"plain", "two words", "https://a.example/cb?a=b&c=d#e", "com.example.app:/cb", "urn:ietf:params:oauth:grant-type:device_code",
		"true", "No", "null", "~", "5", "0x10", "1e3", "1_000", "12:30", "2026-01-01", ".inf", "<<", "=", "-", "- a", "a: b", "a #b", "a:", " a ",
		"#a", "'a'", `"a"`, `a\b`, "[a]", "{a}", "&a", "*a", "!a", "@a", "%a", "|", ">-", "?", "a,b", "Exämple 应用 😀", "a\nb\n", "a\tb", "é\u2028", "<a>&amp;", "---", "",
	}
}

// TestEveryMemberSurvivesAFile goes over all members by reflection, so that a new one cannot be forgotten.
func TestEveryMemberSurvivesAFile(t *testing.T) {
	t.Parallel()
	var all []client.Declaration
	for _, text := range hardTexts() {
		d := client.Declaration{ClientID: "shop", Disabled: new(false)}
		value := reflect.ValueOf(&d.ClientMetadata).Elem()
		for i := range value.NumField() {
			field := value.Field(i)
			switch into := field.Addr().Interface().(type) {
			case *[]string:
				*into = []string{text, "second"}
			case *json.RawMessage:
				encoded, err := json.Marshal(map[string]any{"keys": []any{map[string]any{"kid": text, "n": 7, "b": true}}, "none": []any{}, "nothing": map[string]any{}})
				if err != nil {
					t.Fatal(err)
				}
				*into = encoded
			case **bool:
				*into = new(false)
			case **int64:
				*into = new(int64(0))
			default:
				switch field.Kind() {
				case reflect.String:
					field.SetString(text)
				case reflect.Bool:
					field.SetBool(true)
				case reflect.Int64:
					field.SetInt(1<<53 + 1)
				default:
					t.Fatalf("%s has a type that files do not hold", value.Type().Field(i).Name)
				}
			}
		}
		if text == "" { // what a member that is empty means, it means by being left out
			d.ClientMetadata = storage.ClientMetadata{GrantTypes: []string{""}, TokenEndpointAuthMethod: "none"}
		}
		all = append(all, d)
	}
	throughFiles(t, all)
}

// valid has, for each member, a registration in which it is set. sector is where its redirect URI is vouched for.
func valid(sector string) map[string]func(*storage.ClientMetadata) {
	type m = storage.ClientMetadata
	return map[string]func(*m){
		"client_name":                      func(m *m) { m.Name = "Exämple: 应用" },
		"redirect_uris":                    func(m *m) { m.RedirectURIs = append(m.RedirectURIs, "https://a.example/cb?a=b&c=d") },
		"grant_types":                      func(m *m) { m.GrantTypes = []string{"authorization_code", "refresh_token"} },
		"response_types":                   func(m *m) { m.ResponseTypes = []string{"code"} },
		"scope":                            func(m *m) { m.Scope = "openid api:read" },
		"token_endpoint_auth_method":       func(m *m) { m.TokenEndpointAuthMethod = "none" },
		"token_endpoint_auth_signing_alg":  func(m *m) { m.TokenEndpointAuthAlg = "EdDSA" },
		"application_type":                 func(m *m) { m.ApplicationType = "native" },
		"contacts":                         func(m *m) { m.Contacts = []string{"Ops, 24/7 <ops@a.example>"} },
		"client_uri":                       func(m *m) { m.ClientURI = "https://a.example" },
		"logo_uri":                         func(m *m) { m.LogoURI = "https://a.example/logo" },
		"policy_uri":                       func(m *m) { m.PolicyURI = "https://a.example/policy" },
		"tos_uri":                          func(m *m) { m.TOSURI = "https://a.example/terms#top" },
		"id_token_signed_response_alg":     func(m *m) { m.IDTokenSignedAlg = "RS256" },
		"access_token_format":              func(m *m) { m.AccessTokenFormat = "opaque" },
		"access_token_signed_response_alg": func(m *m) { m.AccessTokenSignedAlg = "ES256" },
		"access_token_lifetime":            func(m *m) { m.AccessTokenLifetime = 300 },
		"refresh_token_lifetime":           func(m *m) { m.RefreshTokenLifetime = 3600 },
		"refresh_token_idle_lifetime":      func(m *m) { m.RefreshTokenIdleLifetime = 60 },
		"refresh_rotation":                 func(m *m) { m.RefreshRotation = storage.Static },
		"refresh_grace":                    func(m *m) { m.RefreshGrace = 5 },
		"id_token_on_refresh":              func(m *m) { m.IDTokenOnRefresh = true },
		"first_party":                      func(m *m) { m.FirstParty = true },
		"resources":                        func(m *m) { m.Resources = []string{"https://api.example"} },
		"jwks": func(m *m) {
			m.JWKS = json.RawMessage(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"no","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
		},
		"jwks_uri":                              func(m *m) { m.JWKSURI = "https://a.example/jwks.json" },
		"client_assertion_audience":             func(m *m) { m.AssertionAudience = "issuer" },
		"require_pkce":                          func(m *m) { m.RequirePKCE = new(false) },
		"require_pushed_authorization_requests": func(m *m) { m.RequirePAR = true },
		"require_second_factor":                 func(m *m) { m.RequireSecondFactor = true },
		"require_auth_time":                     func(m *m) { m.RequireAuthTime = true },
		"default_max_age":                       func(m *m) { m.DefaultMaxAge = new(int64(0)) },
		"default_acr_values":                    func(m *m) { m.DefaultACRValues = []string{"urn:signet:acr:mfa", "0"} },
		"userinfo_signed_response_alg":          func(m *m) { m.UserinfoSignedAlg = "RS256" },
		"post_logout_redirect_uris":             func(m *m) { m.PostLogoutRedirectURIs = []string{"https://a.example/bye"} },
		"backchannel_logout_uri":                func(m *m) { m.BackchannelLogoutURI = "https://a.example/back" },
		"backchannel_logout_session_required":   func(m *m) { m.BackchannelLogoutSessionRequired = true },
		"frontchannel_logout_uri":               func(m *m) { m.FrontchannelLogoutURI = "https://a.example/front" },
		"frontchannel_logout_session_required":  func(m *m) { m.FrontchannelLogoutSessionRequired = true },
		"subject_type":                          func(m *m) { m.SubjectType = "pairwise" },
		"sector_identifier_uri":                 func(m *m) { m.SectorIdentifierURI = sector },
		"initiate_login_uri":                    func(m *m) { m.InitiateLoginURI = "https://a.example/login" },
		"request_object_signing_alg":            func(m *m) { m.RequestObjectSigningAlg = "none" },
		"software_id":                           func(m *m) { m.SoftwareID = "4NRB1-0XZABZI9E6-5SM3R" },
		"software_version":                      func(m *m) { m.SoftwareVersion = "2.10" },
		"software_statement":                    func(m *m) { m.SoftwareStatement = "e30.e30.c2ln" },
	}
}

func TestWhatIsExportedChangesNothingWhereItIsAppliedAndEverythingWhereItIsNot(t *testing.T) {
	t.Parallel()
	sector := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `["https://a.example/cb"]`)
	}))
	t.Cleanup(sector.Close)
	here, there := registryOf(t, sector), registryOf(t, sector)
	cases := valid(sector.URL)
	for field := range reflect.TypeFor[storage.ClientMetadata]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		set, known := cases[name]
		if !known {
			t.Errorf("%s: say in valid how a registration has it", name)
			continue
		}
		m := storage.ClientMetadata{RedirectURIs: []string{"https://a.example/cb"}}
		set(&m)
		if _, _, err := here.Create(t.Context(), m, name, "test"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	exports, err := exported(t.Context(), here, nil)
	if err != nil || len(exports) != len(cases) {
		t.Fatalf("%d clients of %d were exported: %v", len(exports), len(cases), err)
	}
	throughFiles(t, exports)
	for _, d := range exports {
		if step, err := here.Plan(t.Context(), d); err != nil || len(step.Changes) > 0 {
			t.Errorf("%s: where it is: %+v, %v", d.ClientID, step.Changes, err)
		}
		step, err := there.Apply(t.Context(), d, "test")
		if err != nil || !step.Creates() || !cmp.Equal(client.Declare(step.After), d) {
			t.Errorf("%s: elsewhere: %+v, %v", d.ClientID, step, err)
		}
		// Left out of the file, a member has its default again.
		bare := client.Declaration{ClientID: d.ClientID, ClientMetadata: storage.ClientMetadata{RedirectURIs: []string{"https://a.example/cb"}}}
		step, err = there.Apply(t.Context(), bare, "test")
		if err != nil || (len(step.Changes) != 1 || step.Changes[0].Member != d.ClientID) && d.ClientID != "response_types" {
			t.Errorf("%s: left out: %+v, %v", d.ClientID, step.Changes, err)
		}
	}
}

// registryOf makes a registry over an empty database, which reaches the server.
func registryOf(t *testing.T, server *httptest.Server) *client.Registry {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	here, err := outbound.ParseNetwork("127.0.0.1/32")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return client.New(store, client.Config{
		Issuer: "https://id.example", Algorithms: []string{"RS256", "ES256"},
		Outbound: outbound.New(outbound.Config{Allow: []outbound.Network{here}, Roots: roots}),
	})
}
