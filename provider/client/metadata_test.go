package client

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

var everything = Config{
	GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantPassword, oauth.GrantRefreshToken, oauth.GrantClientCredentials},
	Algorithms: []string{"RS256", "ES256"},
}

func TestDefaultsOfTheStandardsAreFilledIn(t *testing.T) {
	t.Parallel()
	got, err := Validate(storage.ClientMetadata{RedirectURIs: []string{"https://a.example/cb"}, Scope: " openid  email openid"}, everything)
	if err != nil {
		t.Fatal(err)
	}
	want := storage.ClientMetadata{
		RedirectURIs: []string{"https://a.example/cb"}, GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"},
		Scope: "openid email", TokenEndpointAuthMethod: "client_secret_basic", ApplicationType: "web",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := Validate(got, everything)
	if err != nil || !cmp.Equal(got, again) {
		t.Errorf("a valid registration did not stay as it was: %v, %+v", err, again)
	}
}

func TestPrivateUseSchemesMakeANativeClientUnlessItSaysWeb(t *testing.T) {
	t.Parallel()
	m := storage.ClientMetadata{RedirectURIs: []string{"com.example.app:/cb"}, TokenEndpointAuthMethod: "none"}
	got, err := Validate(m, everything)
	if err != nil || got.ApplicationType != "native" {
		t.Errorf("got %q, %v", got.ApplicationType, err)
	}
	m.ApplicationType = "web"
	if _, err := Validate(m, everything); err == nil || oauth.As(err).Code != oauth.InvalidRedirectURI || !strings.Contains(err.Error(), "native") {
		t.Errorf("a web client got a private-use scheme, or no advice: %v", err)
	}
}

func TestGrantTypesThatAreNotBuiltAreRefused(t *testing.T) {
	t.Parallel()
	code := storage.ClientMetadata{GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"https://a.example/"}}
	for _, c := range []struct {
		config Config
		m      storage.ClientMetadata
		lists  string
	}{
		{Config{}, storage.ClientMetadata{GrantTypes: []string{"implicit"}}, "authorization_code, refresh_token, urn:ietf:params:oauth:grant-type:device_code"},
		{Config{GrantTypes: []string{"password"}}, code, "it supports password"},
		{Config{GrantTypes: []string{"password"}}, storage.ClientMetadata{}, "this server supports password"},
	} {
		_, err := Validate(c.m, c.config)
		if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClientMetadata || !strings.Contains(e.Description, c.lists) {
			t.Errorf("%v: %v", c.m.GrantTypes, err)
		}
	}
	if _, err := Validate(code, Config{}); err != nil {
		t.Errorf("authorization_code: %v", err)
	}
}

// TestEachFaultIsNamedByItsMember: one member is wrong at a time, and the error names it in words that RFC 6749 §5.2 allows.
func TestEachFaultIsNamedByItsMember(t *testing.T) {
	t.Parallel()
	many := func(n int, s string) (out []string) {
		for i := range n {
			out = append(out, s+strings.Repeat("x", i))
		}
		return out
	}
	for _, test := range []struct {
		member string
		spoil  func(*storage.ClientMetadata)
	}{
		{"token_endpoint_auth_method", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_jwt" }},
		{"jwks", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "private_key_jwt" }},
		{"grant_types", func(m *storage.ClientMetadata) { m.GrantTypes = []string{"password", "password"} }},
		{"grant_types", func(m *storage.ClientMetadata) { m.GrantTypes = []string{"refresh_token"} }},
		{"grant_types", func(m *storage.ClientMetadata) { m.GrantTypes = []string{"refresh_token", "client_credentials"} }},
		{"grant_types", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "none" }}, // with client_credentials
		{"response_types", func(m *storage.ClientMetadata) {
			m.GrantTypes, m.ResponseTypes = []string{"password"}, []string{"code"}
		}},
		{"response_types", func(m *storage.ClientMetadata) { m.ResponseTypes = []string{"token"} }},
		{"response_types", func(m *storage.ClientMetadata) { m.ResponseTypes = []string{"code", "code id_token"} }},
		{"redirect_uris", func(m *storage.ClientMetadata) { m.RedirectURIs = nil }},
		{"redirect_uris", func(m *storage.ClientMetadata) { m.RedirectURIs = many(33, "https://a.example/") }},
		{"redirect_uris[1]", func(m *storage.ClientMetadata) { m.RedirectURIs = append(m.RedirectURIs, "https://a.example/#") }},
		{"redirect_uris[1]", func(m *storage.ClientMetadata) { m.RedirectURIs = append(m.RedirectURIs, m.RedirectURIs[0]) }},
		{"application_type", func(m *storage.ClientMetadata) { m.ApplicationType = "desktop" }},
		{"scope", func(m *storage.ClientMetadata) { m.Scope = `a"b` }},
		{"scope", func(m *storage.ClientMetadata) { m.Scope = strings.Join(many(65, "s"), " ") }},
		{"client_name", func(m *storage.ClientMetadata) { m.Name = strings.Repeat("é", 201) }},
		{"client_name", func(m *storage.ClientMetadata) { m.Name = "a\x1bb" }},
		{"client_name", func(m *storage.ClientMetadata) { m.Name = "a\u202eb" }},
		{"client_name", func(m *storage.ClientMetadata) { m.Name = "a\xff" }},
		{"client_name", func(m *storage.ClientMetadata) { m.Name = " a" }},
		{"contacts", func(m *storage.ClientMetadata) { m.Contacts = many(17, "a@a.example") }},
		{"contacts[0]", func(m *storage.ClientMetadata) { m.Contacts = []string{"a\nb"} }},
		{"contacts[0]", func(m *storage.ClientMetadata) { m.Contacts = []string{""} }},
		{"client_uri", func(m *storage.ClientMetadata) { m.ClientURI = "http://a.example/" }},
		{"logo_uri", func(m *storage.ClientMetadata) { m.LogoURI = "JavaScript:alert(1)" }},
		{"policy_uri", func(m *storage.ClientMetadata) { m.PolicyURI = "data:text/html,x" }},
		{"tos_uri", func(m *storage.ClientMetadata) { m.TOSURI = "/terms" }},
		{"resources", func(m *storage.ClientMetadata) { m.Resources = many(65, "urn:a") }},
		{"resources[0]", func(m *storage.ClientMetadata) { m.Resources = []string{"api"} }},
		{"resources[1]", func(m *storage.ClientMetadata) { m.Resources = []string{"urn:a", "urn:a"} }},
		{"access_token_format", func(m *storage.ClientMetadata) { m.AccessTokenFormat = "JWT" }},
		{"id_token_signed_response_alg", func(m *storage.ClientMetadata) { m.IDTokenSignedAlg = "none" }},
		{"access_token_signed_response_alg", func(m *storage.ClientMetadata) { m.AccessTokenSignedAlg = "HS256" }},
		{"refresh_rotation", func(m *storage.ClientMetadata) { m.RefreshRotation = "off" }},
		{"refresh_rotation", func(m *storage.ClientMetadata) {
			m.TokenEndpointAuthMethod, m.GrantTypes, m.RefreshRotation = "none", []string{"password"}, storage.Static
			m.ResponseTypes = nil
		}},
		{"access_token_lifetime", func(m *storage.ClientMetadata) { m.AccessTokenLifetime = 9 }},
		{"access_token_lifetime", func(m *storage.ClientMetadata) { m.AccessTokenLifetime = 86401 }},
		{"access_token_lifetime", func(m *storage.ClientMetadata) { m.AccessTokenLifetime = -1 }},
		{"refresh_token_lifetime", func(m *storage.ClientMetadata) { m.RefreshTokenLifetime = maxRefreshTokenLifetime + 1 }},
		{"refresh_token_lifetime", func(m *storage.ClientMetadata) { m.RefreshTokenLifetime = -1 << 63 }},
		{"refresh_token_idle_lifetime", func(m *storage.ClientMetadata) { m.RefreshTokenIdleLifetime = 1 << 62 }},
		{"refresh_token_idle_lifetime", func(m *storage.ClientMetadata) { m.RefreshTokenIdleLifetime, m.RefreshTokenLifetime = 61, 60 }},
		{"refresh_token_idle_lifetime", func(m *storage.ClientMetadata) { m.RefreshTokenIdleLifetime, m.RefreshTokenLifetime = 366*86400, 0 }},
		{"refresh_grace", func(m *storage.ClientMetadata) { m.RefreshGrace = 301 }},
		{"refresh_grace", func(m *storage.ClientMetadata) { m.RefreshGrace = -30 }},
		{"userinfo_signed_response_alg", func(m *storage.ClientMetadata) { m.UserinfoSignedAlg = "none" }},
		{"default_max_age", func(m *storage.ClientMetadata) { m.DefaultMaxAge = new(int64(-1)) }},
		{"default_max_age", func(m *storage.ClientMetadata) { m.DefaultMaxAge = new(int64(maxDefaultMaxAge + 1)) }},
		{"default_acr_values", func(m *storage.ClientMetadata) { m.DefaultACRValues = many(17, "a") }},
		{"default_acr_values[0]", func(m *storage.ClientMetadata) { m.DefaultACRValues = []string{""} }},
		{"default_acr_values[0]", func(m *storage.ClientMetadata) { m.DefaultACRValues = []string{"a b"} }},
		{"default_acr_values[0]", func(m *storage.ClientMetadata) { m.DefaultACRValues = []string{strings.Repeat("a", 256)} }},
		{"default_acr_values[1]", func(m *storage.ClientMetadata) { m.DefaultACRValues = []string{"a", "a"} }},
		{"post_logout_redirect_uris", func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = many(33, "https://a.example/") }},
		{"post_logout_redirect_uris[0]", func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{"http://a.example/"} }},
		{"post_logout_redirect_uris[0]", func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{"javascript:alert(1)"} }},
		{"post_logout_redirect_uris[0]", func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{"https://a.example/#x"} }},
		{"post_logout_redirect_uris[0]", func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{"com.example.app:/out"} }},
		{"post_logout_redirect_uris[1]", func(m *storage.ClientMetadata) {
			m.PostLogoutRedirectURIs = []string{"https://a.example/", "https://a.example/"}
		}},
		{"backchannel_logout_uri", func(m *storage.ClientMetadata) { m.BackchannelLogoutURI = "http://a.example/out" }},
		{"backchannel_logout_uri", func(m *storage.ClientMetadata) { m.BackchannelLogoutURI = "https://a.example/out#x" }},
		{"backchannel_logout_uri", func(m *storage.ClientMetadata) { m.BackchannelLogoutURI = "com.example.app:/out" }},
		{"backchannel_logout_uri", func(m *storage.ClientMetadata) { m.BackchannelLogoutURI = "https://u:p@a.example/out" }},
		{"frontchannel_logout_uri", func(m *storage.ClientMetadata) { m.FrontchannelLogoutURI = "javascript:alert(1)" }},
		{"frontchannel_logout_uri", func(m *storage.ClientMetadata) { m.FrontchannelLogoutURI = "https://a.example/out#" }},
		{"frontchannel_logout_uri", func(m *storage.ClientMetadata) { m.FrontchannelLogoutURI = "https://b.example/out" }},
		{"frontchannel_logout_uri", func(m *storage.ClientMetadata) { m.FrontchannelLogoutURI = "https://a.example:8443/out" }},
		{"frontchannel_logout_uri", func(m *storage.ClientMetadata) { m.FrontchannelLogoutURI = "http://localhost/out" }},
		{"subject_type", func(m *storage.ClientMetadata) { m.SubjectType = "private" }},
		{"subject_type", func(m *storage.ClientMetadata) {
			m.RedirectURIs, m.GrantTypes, m.ResponseTypes, m.FrontchannelLogoutURI = nil, []string{"password"}, nil, ""
		}},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) {
			m.SectorIdentifierURI, m.RedirectURIs = "", append(m.RedirectURIs, "https://b.example/cb")
		}},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) {
			m.SectorIdentifierURI, m.RedirectURIs, m.FrontchannelLogoutURI = "", []string{"http://[::1]/cb"}, ""
		}},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) {
			m.SectorIdentifierURI, m.RedirectURIs, m.FrontchannelLogoutURI = "", []string{"http://localhost/cb"}, ""
		}},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) {
			m.SectorIdentifierURI, m.RedirectURIs, m.FrontchannelLogoutURI, m.ApplicationType = "", []string{"com.example.app:/cb"}, "", "native"
		}},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) { m.SectorIdentifierURI = "http://a.example/sector" }},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) { m.SectorIdentifierURI = "http://127.0.0.1/sector" }},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) { m.SectorIdentifierURI = "https://a.example/sector#" }},
		{"sector_identifier_uri", func(m *storage.ClientMetadata) { m.SectorIdentifierURI = "https://u@a.example/sector" }},
		{"initiate_login_uri", func(m *storage.ClientMetadata) { m.InitiateLoginURI = "http://a.example/login" }},
		{"initiate_login_uri", func(m *storage.ClientMetadata) { m.InitiateLoginURI = "http://localhost/login" }},
		{"initiate_login_uri", func(m *storage.ClientMetadata) { m.InitiateLoginURI = "JavaScript:alert(1)" }},
		{"initiate_login_uri", func(m *storage.ClientMetadata) { m.InitiateLoginURI = "com.example.app:/login" }},
		{"request_object_signing_alg", func(m *storage.ClientMetadata) { m.RequestObjectSigningAlg = "RS1" }},
		{"software_id", func(m *storage.ClientMetadata) { m.SoftwareID = strings.Repeat("a", 256) }},
		{"software_id", func(m *storage.ClientMetadata) { m.SoftwareID = "a\u202eb" }},
		{"software_version", func(m *storage.ClientMetadata) { m.SoftwareVersion = "1\n2" }},
		{"software_version", func(m *storage.ClientMetadata) { m.SoftwareVersion = strings.Repeat("1", 256) }},
		{"software_statement", func(m *storage.ClientMetadata) { m.SoftwareStatement = "a.b" }},
		{"software_statement", func(m *storage.ClientMetadata) { m.SoftwareStatement = "a.b.c d" }},
		{"software_statement", func(m *storage.ClientMetadata) { m.SoftwareStatement = strings.Repeat("a", maxStatement) + ".b.c" }},
	} {
		m := full()
		test.spoil(&m)
		_, err := Validate(m, everything)
		e := oauth.As(err)
		if e == nil {
			t.Errorf("%s: accepted %+v", test.member, m)
			continue
		}
		want := oauth.InvalidClientMetadata
		if strings.HasPrefix(test.member, "redirect_uris") {
			want = oauth.InvalidRedirectURI
		}
		if e.Code != want || !strings.HasPrefix(e.Description, test.member) {
			t.Errorf("%s: %v", test.member, e)
		}
		if strings.ContainsFunc(e.Description, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
			t.Errorf("%s: the description has characters that are not allowed: %s", test.member, e.Description)
		}
	}
	if _, err := Validate(full(), everything); err != nil {
		t.Errorf("the registration that every case spoils is not good itself: %v", err)
	}
}

// full has every member.
func full() storage.ClientMetadata {
	return storage.ClientMetadata{
		Name: "Exämple 应用", RedirectURIs: []string{"https://a.example/cb"}, ResponseTypes: []string{"code"},
		GrantTypes: []string{"authorization_code", "password", "refresh_token", "client_credentials"},
		Scope:      "openid profile api:read", TokenEndpointAuthMethod: "client_secret_post", ApplicationType: "web",
		Contacts: []string{"ops@a.example"}, ClientURI: "https://a.example", LogoURI: "https://a.example/logo.png", PolicyURI: "https://a.example/policy",
		TOSURI: "http://localhost:3000/terms#top", IDTokenSignedAlg: "RS256", AccessTokenFormat: "opaque", AccessTokenSignedAlg: "ES256",
		AccessTokenLifetime: 10, RefreshTokenLifetime: maxRefreshTokenLifetime, RefreshTokenIdleLifetime: maxRefreshTokenLifetime, RefreshRotation: storage.Static,
		RefreshGrace: 300, IDTokenOnRefresh: true, FirstParty: true, Resources: []string{"https://api.example"},
		RequirePAR: true, RequireSecondFactor: true, DefaultMaxAge: new(int64(0)), DefaultACRValues: []string{oauth.ACRMFA, "0"}, UserinfoSignedAlg: "RS256",
		PostLogoutRedirectURIs: []string{"https://a.example/bye?x=1", "http://127.0.0.1:3000/"},
		BackchannelLogoutURI:   "http://localhost:3000/backchannel?tenant=1", BackchannelLogoutSessionRequired: true,
		FrontchannelLogoutURI: "https://A.example:443/frontchannel?tenant=1", FrontchannelLogoutSessionRequired: true,
		SubjectType: "pairwise", SectorIdentifierURI: "https://a.example/sector.json", InitiateLoginURI: "https://a.example/login?tenant=1",
		RequestObjectSigningAlg: "none", SoftwareID: "4NRB1-0XZABZI9E6-5SM3R", SoftwareVersion: "2.0 beta", SoftwareStatement: "e30.e30.c2ln",
	}
}

func TestANativeClientMayReturnToItsOwnSchemeAfterLogout(t *testing.T) {
	t.Parallel()
	m := storage.ClientMetadata{RedirectURIs: []string{"com.example.app:/cb"}, PostLogoutRedirectURIs: []string{"com.example.app:/bye"}}
	if _, err := Validate(m, everything); err != nil {
		t.Error(err)
	}
	m.FrontchannelLogoutURI = "https://app.example/out" // no redirect URI has an origin
	if e := oauth.As(second(Validate(m, everything))); e == nil || !strings.HasPrefix(e.Description, "frontchannel_logout_uri") {
		t.Errorf("%v", e)
	}
}

func second(_ storage.ClientMetadata, err error) error { return err }

func TestChosenIDsAreNeverSubjects(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "my-app", "my.app@v2/x", strings.Repeat("a", 128), "0190a5b7c3d87e0f9a1b2c3d4e5f607"} {
		if err := CheckID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{
		"", strings.Repeat("a", 129), "a b", `a"b`, `a\b`, strings.Repeat("aB3-_", 8) + "abc", "a:b", "a%b", "a+b", "ä", "a\x00", "a\n", "cli", "server",
		"0190a5b7-c3d8-7e0f-9a1b-2c3d4e5f6071", "0190A5B7-C3D8-7E0F-9A1B-2C3D4E5F6071", "0190a5b7c3d87e0f9a1b2c3d4e5f6071", "{0190a5b7-c3d8-7e0f-9a1b-2c3d4e5f6071}",
	} {
		if e := oauth.As(CheckID(id)); e == nil || e.Code != oauth.InvalidClientMetadata {
			t.Errorf("%q: %v", id, e)
		}
	}
	seen := map[string]bool{}
	for range 100 {
		id := makeID()
		if CheckID(id) != nil || seen[id] {
			t.Errorf("made %q", id)
		}
		seen[id] = true
	}
}

func TestAClientOfPeopleThatNamesNoScopeGetsTheStandardOnes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		grants      []string
		scope, want string
	}{
		{[]string{"password"}, "", "openid profile email address phone offline_access"},
		{[]string{"password"}, "api", "api"},
		{[]string{"client_credentials"}, "", ""},
	} {
		m, err := Validate(storage.ClientMetadata{GrantTypes: c.grants, Scope: c.scope}, Config{})
		if err != nil || m.Scope != c.want {
			t.Errorf("%v with scope %q: %q, %v", c.grants, c.scope, m.Scope, err)
		}
	}
}
