package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func keyed(set string) storage.ClientMetadata {
	return storage.ClientMetadata{
		GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKS: json.RawMessage(set),
	}
}

func keyWith(s signer, name string, value any) string {
	key := s.jwk()
	key[name] = value
	return `{"keys":[` + text(key) + `]}`
}

func TestAKeySetHoldsPublicKeysThatCanBeToldApart(t *testing.T) {
	t.Parallel()
	s := signers()
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short := s["RS256"].jwk()
	short["n"] = b64(make([]byte, 128)[:128])
	weak := s["RS256"].jwk()
	weak["n"] = weak["n"].(string)[:171]
	seventeen := make([]string, 17)
	for i := range seventeen {
		key := s["EdDSA"].jwk()
		key["kid"] = string(rune('a' + i))
		seventeen[i] = text(key)
	}
	nameless := s["ES256"].jwk()
	delete(nameless, "kid")
	for name, test := range map[string]struct{ set, says string }{
		"none":             {"", "jwks must hold"},
		"not JSON":         {"{", "jwks must be a JSON object"},
		"an array":         {"[]", "jwks must be a JSON object"},
		"null":             {"null", "jwks must be a JSON object"},
		"no keys":          {`{"keys":[]}`, "jwks must have 1 to 16 keys"},
		"no member keys":   {`{}`, "jwks must have 1 to 16 keys"},
		"keys no array":    {`{"keys":{}}`, "jwks must have 1 to 16 keys"},
		"seventeen":        {`{"keys":[` + strings.Join(seventeen, ",") + `]}`, "jwks must have 1 to 16 keys"},
		"member twice":     {`{"keys":[{"kty":"OKP","kty":"OKP"}]}`, "no member twice"},
		"key no object":    {`{"keys":["x"]}`, "jwks keys[0] must be a JSON object"},
		"private":          {keyWith(s["ES256"], "d", "AAAA"), "private or symmetric"},
		"private RSA":      {keyWith(s["RS256"], "qi", "AAAA"), "private or symmetric"},
		"private, null":    {keyWith(s["ES256"], "d", nil), "private or symmetric"},
		"symmetric":        {`{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}`, "private or symmetric"},
		"symmetric, bare":  {`{"keys":[{"kty":"oct","kid":"a"}]}`, "keys[0] is not a public key"},
		"kid twice":        {`{"keys":[` + text(s["ES256"].jwk()) + "," + text(s["ES256"].jwk()) + `]}`, "keys[1] has the kid"},
		"one without kid":  {`{"keys":[` + text(s["EdDSA"].jwk()) + "," + text(nameless) + `]}`, "keys[1] must have a kid"},
		"P-521":            {string(jwks(signer{"ES512", "a", p521})), "P-256 or P-384"},
		"short RSA":        {`{"keys":[` + text(weak) + `]}`, "keys[0] "},
		"RSA of nought":    {`{"keys":[` + text(short) + `]}`, "keys[0] "},
		"off the curve":    {keyWith(s["ES256"], "x", s["ES256"].jwk()["y"]), "keys[0] is not a public key"},
		"X25519":           {keyWith(s["EdDSA"], "crv", "X25519"), "keys[0] is not a public key"},
		"short Ed25519":    {keyWith(s["EdDSA"], "x", "AAAA"), "keys[0] is not a public key"},
		"for encryption":   {keyWith(s["ES256"], "use", "enc"), "use sig"},
		"alg that misfits": {keyWith(s["ES256"], "alg", "ES384"), "can sign with ES256"},
		"alg HS256":        {keyWith(s["RS256"], "alg", "HS256"), "can sign with RS256, PS256"},
		"long kid":         {keyWith(s["ES256"], "kid", strings.Repeat("x", 257)), "at most 256 bytes"},
		"over 64 KiB":      {keyWith(s["ES256"], "x5c", strings.Repeat("x", 64<<10)), "must not exceed"},
	} {
		_, err := client.Validate(keyed(test.set), client.Config{})
		e := oauth.As(err)
		if e == nil || e.Code != oauth.InvalidClientMetadata || !strings.HasPrefix(e.Description, "jwks") || !strings.Contains(e.Description, test.says) {
			t.Errorf("%s: %v", name, err)
		} else if strings.ContainsFunc(e.Description, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
			t.Errorf("%s: %s", name, e.Description)
		}
	}
}

func TestAKeySetIsKeptInOurOwnWriting(t *testing.T) {
	t.Parallel()
	key := signers()["RS256"].jwk()
	key["x5t"], key["ext"], key["use"], key["alg"], key["key_ops"] = "AAAA", true, "sig", "PS256", []string{"verify"}
	m, err := client.Validate(keyed(`{ "keys": [ `+text(key)+` ], "more": 1 }`), client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"x5t", "ext", "more", " "} {
		if strings.Contains(string(m.JWKS), gone) {
			t.Errorf("%q is kept: %s", gone, m.JWKS)
		}
	}
	again, err := client.Validate(m, client.Config{})
	if err != nil || string(again.JWKS) != string(m.JWKS) {
		t.Errorf("a valid key set did not stay as it was: %s, %v", again.JWKS, err)
	}
}

func TestWhatAClientProvesItselfWithFitsTogether(t *testing.T) {
	t.Parallel()
	no, yes := false, true
	es := string(jwks(signers()["ES256"]))
	for says, edit := range map[string]func(*storage.ClientMetadata){
		"jwks_uri must not be there beside jwks":                  func(m *storage.ClientMetadata) { m.JWKSURI = "https://a.example/jwks" },
		"token_endpoint_auth_signing_alg must be one of RS256":    func(m *storage.ClientMetadata) { m.TokenEndpointAuthAlg = "none" },
		"token_endpoint_auth_signing_alg is RS256, and no key in": func(m *storage.ClientMetadata) { m.TokenEndpointAuthAlg = "RS256" },
		"client_assertion_audience must be issuer":                func(m *storage.ClientMetadata) { m.AssertionAudience = "any" },
		"require_pkce must not be false in a public client": func(m *storage.ClientMetadata) {
			m.TokenEndpointAuthMethod, m.GrantTypes, m.RequirePKCE = oauth.AuthNone, []string{"password"}, &no
		},
	} {
		m := keyed(es)
		edit(&m)
		if _, err := client.Validate(m, client.Config{}); oauth.As(err) == nil || !strings.HasPrefix(oauth.As(err).Description, says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	m := keyed(es)
	m.TokenEndpointAuthAlg, m.AssertionAudience, m.RequirePKCE = "ES256", "issuer", &no
	if got, err := client.Validate(m, client.Config{}); err != nil || *got.RequirePKCE {
		t.Errorf("%+v, %v", got, err)
	}
	m.RequirePKCE = &yes
	if _, err := client.Validate(m, client.Config{}); err != nil {
		t.Error(err)
	}
}
