package client

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/oauth"
)

func TestOnlyOneSpellingOfAPublicAddressIsAClientID(t *testing.T) {
	t.Parallel()
	on := DocumentPolicy{On: true, Deny: []string{"bad.example", "*.worse.example"}}
	for _, id := range []string{
		"https://app.example/client.json", "https://app.example/a/b", "https://app.example/a/", "https://app.example:8443/c", "https://app.example/c?v=1",
		"https://a-b.c.app.example/%C3%A9", "https://xn--bcher-kva.example/c", "https://worse.example/c", "https://notbad.example/c",
		"https://localhost:8443/c", "https://127.0.0.1:9000/c", "https://[::1]:9000/c", // which the outbound client refuses unless it is told otherwise
		"https://app.example/..a/b..", "https://app.example/" + strings.Repeat("a", 236),
	} {
		if fault := on.documentFault(id); fault != "" || !presentable(id) {
			t.Errorf("%s %s", id, fault)
		}
		if err := CheckID(id); err == nil {
			t.Errorf("an operator may choose %s", id)
		}
	}
	for id, want := range map[string]string{
		"http://app.example/c": faultDocumentScheme, "http://localhost/c": faultDocumentScheme, "HTTPS://app.example/c": faultSchemeCase, "ftp://app.example/c": faultDocumentScheme,
		"https://app.example": faultDocumentPath, "https://app.example/": faultDocumentPath, "https://app.example?c": faultDocumentPath,
		"https://app.example/?c": faultDocumentPath, "https://app.example/c#": faultFragment, "https://app.example/c#f": faultFragment,
		"https://user@app.example/c": faultUser, "https://user:pw@app.example/c": faultUser, "https://@app.example/c": faultUser,
		"https://app.example/a/../c": faultPath, "https://app.example/a/./c": faultPath, "https://app.example/a/%2e%2e/c": faultPath,
		"https://app.example/a/%2E./c": faultPath, "https://app.example/a%2Fc": faultPath, "https://app.example/a/..": faultPath,
		"https://app.example/..;x/c": faultPath, "https://app.example/a%00": faultPath, "https://app.example/%252e": faultPath,
		"https://192.0.2.1/c": faultDocumentHost, "https://10.0.0.1/c": faultDocumentHost, "https://[2001:db8::1]/c": faultDocumentHost,
		"https://169.254.169.254/latest": faultDocumentHost, "https://[::ffff:10.0.0.1]/c": faultDocumentHost, "https://0.0.0.0/c": faultDocumentHost,
		"https://2130706433/c": faultHost, "https://0x7f.1/c": faultHost, "https://127.1/c": faultHost, "https://app.example./c": faultHost,
		"https://app..example/c": faultHost, "https://app.example:0/c": faultHost, "https://app.example:443443/c": faultForm, "https:///c": faultHost,
		"https://app.example\\c": faultCharacters, "https://app.example/ c": faultCharacters, "https://bücher.example/c": faultCharacters,
		"https://app.example/c\n": faultCharacters, "https://[fe80::1%25eth0]/c": faultHost,
		"https://bad.example/c": faultDocumentDenied, "https://BAD.example/c": faultDocumentDenied, "https://a.worse.example/c": faultDocumentDenied,
		"https://a.b.worse.example:8443/c": faultDocumentDenied,
	} {
		if fault := on.documentFault(id); fault != want && !(want == faultForm && fault == faultHost) {
			t.Errorf("%q: %q, want %q", id, fault, want)
		}
		if !addressed(id) {
			t.Errorf("%q is looked up as any other", id)
		}
		if err := (&oauth.Error{Code: oauth.InvalidClient, Description: want}); strings.ContainsAny(err.Description, "\"\\") {
			t.Errorf("%q is no description", want)
		}
	}
	if fault := (DocumentPolicy{Allow: []string{"app.example"}}).documentFault("https://app.example/c"); fault != faultDocumentOff {
		t.Errorf("off: %q", fault)
	}
	if presentable("https://app.example/" + strings.Repeat("a", 237)) {
		t.Error("a client_id of 257 bytes was taken")
	}
	for id := range 3 {
		if addressed([]string{"shop", "com.example:app", "urn:x:y"}[id]) {
			t.Error("what is no address was taken for one")
		}
	}
}

func TestHostsOfAPolicyAreNamesAndDomains(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"app.example.com", "*.example.com", "localhost", "127.0.0.1", "APP.example"} {
		if err := CheckDocumentHost(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "*", "*.", "https://app.example", "app.example/c", "app.example:443", "a*.example", "*example.com", "*.*.example", "a b"} {
		if err := CheckDocumentHost(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	narrow := DocumentPolicy{On: true, Allow: []string{"app.example", "*.trusted.example"}, Deny: []string{"x.trusted.example"}}
	for id, allowed := range map[string]bool{
		"https://app.example/c": true, "https://APP.example/c": true, "https://a.trusted.example/c": true, "https://trusted.example/c": false,
		"https://x.trusted.example/c": false, "https://b.app.example/c": false, "https://untrusted.example/c": false, "https://else.example/c": false,
	} {
		if fault := narrow.documentFault(id); (fault == "") != allowed {
			t.Errorf("%s: %q", id, fault)
		}
	}
}

func TestADocumentSpeaksForItsOwnOriginAlone(t *testing.T) {
	t.Parallel()
	const id = "https://app.example/client.json"
	plain := map[string]any{"client_id": id, "client_name": "Agent", "redirect_uris": []string{"https://app.example/cb"}}
	with := func(more map[string]any) []byte {
		d := maps.Clone(plain)
		maps.Copy(d, more)
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	uris := func(uris ...string) map[string]any { return map[string]any{"redirect_uris": uris} }
	for name, good := range map[string]map[string]any{
		"as it is": nil, "several": uris("https://app.example/cb", "https://app.example:443/x", "https://APP.example/y"),
		"a device": uris("http://127.0.0.1/cb", "http://127.0.0.1:7777/cb", "http://[::1]/cb", "http://localhost/cb", "http://localhost:1234/"),
		"null":     {"client_secret": nil}, "keys": {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/keys"},
		"sign-out": {"post_logout_redirect_uris": []string{"https://app.example/out"}, "backchannel_logout_uri": "https://app.example/bc"},
	} {
		if _, _, err := readDocument(id, with(good)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []struct {
		more map[string]any
		want string
	}{
		{map[string]any{"client_id": "https://app.example/client.json?"}, "client_id must be"},
		{map[string]any{"client_id": "https://APP.example/client.json"}, "client_id must be"},
		{map[string]any{"client_id": 1}, "client_id must be"},
		{map[string]any{"client_id": nil}, "client_id must be"},
		{map[string]any{"client_secret": "s3cret"}, "client_secret must not"},
		{map[string]any{"client_secret_expires_at": 0}, "client_secret_expires_at must not"},
		{map[string]any{"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method must be"},
		{map[string]any{"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method must be"},
		{map[string]any{"grant_types": []string{"password", "client_credentials"}}, "grant_types must have"},
		{map[string]any{"response_types": []string{"id_token"}}, "response_types must have"},
		{map[string]any{"redirect_uris": "https://app.example/cb"}, "redirect_uris must be an array"},
		{uris("https://app.example/cb", "https://evil.example/cb"), "redirect_uris[1] must have"},
		{uris("https://sub.app.example/cb"), "redirect_uris[0] must have"},
		{uris("https://app.example:8443/cb"), "redirect_uris[0] must have"},
		{uris("http://app.example/cb"), "redirect_uris[0] must have"},
		{uris("https://127.0.0.1/cb"), "redirect_uris[0] must have"},
		{uris("http://127.0.0.1.evil.example/cb"), "redirect_uris[0] must have"},
		{uris("http://127.0.0.1@evil.example/cb"), "redirect_uris[0] must have"},
		{uris("http://localhost.evil.example:80/cb"), "redirect_uris[0] must have"},
		{uris("http://localhost:80@evil.example/cb"), "redirect_uris[0] must have"},
		{uris("com.example.app:/cb"), "redirect_uris[0] must have"},
		{uris("javascript:alert(1)"), "redirect_uris[0] must have"},
		{map[string]any{"post_logout_redirect_uris": []string{"https://evil.example/"}}, "post_logout_redirect_uris[0] must have"},
		{map[string]any{"jwks_uri": "https://evil.example/keys"}, "jwks_uri must have"},
		{map[string]any{"backchannel_logout_uri": "https://evil.example/"}, "backchannel_logout_uri must have"},
		{map[string]any{"frontchannel_logout_uri": "https://evil.example/"}, "frontchannel_logout_uri must have"},
		{map[string]any{"initiate_login_uri": "https://evil.example/"}, "initiate_login_uri must have"},
		{map[string]any{"sector_identifier_uri": "https://evil.example/"}, "sector_identifier_uri must have"},
	} {
		_, own, err := readDocument(id, with(bad.more))
		if e := oauth.As(err); e == nil || !strings.HasPrefix(e.Description, bad.want) {
			t.Errorf("%v: %v, want %q", bad.more, err, bad.want)
		}
		if _, other := bad.more["client_id"]; own == other && bad.want != "redirect_uris must be an array" {
			t.Errorf("%v: told %v", bad.more, own)
		}
	}
	// Pages and pictures elsewhere lend another's name.
	m, _, err := readDocument(id, with(map[string]any{
		"client_uri": "https://bank.example/", "logo_uri": "https://bank.example/logo.png", "policy_uri": "https://bank.example/p", "tos_uri": "https://app.example/t",
	}))
	if err != nil || m.ClientURI != "" || m.LogoURI != "" || m.PolicyURI != "" || m.TOSURI == "" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, _, err := readDocument(id, with(nil)); err != nil || m.TokenEndpointAuthMethod != "none" || !slices.Equal(m.RedirectURIs, []string{"https://app.example/cb"}) {
		t.Errorf("%+v, %v", m, err)
	}
	if _, own, err := readDocument(id, []byte("<html>")); err == nil || own {
		t.Error("a page was taken for a document")
	}
}
