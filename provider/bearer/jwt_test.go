package bearer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/provider/bearer"
)

func TestTokensOfSignetAreAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, shop := w.user("ada"), w.client("jwt")
	access, _, _ := w.grant(shop, "ada", "scope", "openid stock.read")
	got, err := w.verifier().Verify(t.Context(), access)
	w.must(err)
	if got.Subject != u.ID.String() || got.ClientID != shop.id || got.Issuer != w.issuer || !slices.Equal(got.Audience, []string{w.issuer}) {
		t.Errorf("got %+v", got)
	}
	if !got.HasScope("openid", "stock.read") || got.HasScope("stock.read", "stock.write") || got.ID == "" || got.ACR == "" {
		t.Errorf("got %+v", got)
	}
	if d := got.Expires.Sub(got.IssuedAt); d != 15*time.Minute || !got.AuthTime.Equal(w.Now()) {
		t.Errorf("it lives %v and speaks of a sign-in at %v", d, got.AuthTime)
	}
	var jti string
	if there, err := got.Claim("jti", &jti); !there || err != nil || jti != got.ID {
		t.Errorf("Claim: %v %v %q", there, err, jti)
	}
	if there, err := got.Claim("jti", new(int)); !there || err == nil {
		t.Errorf("a claim of another type: %v %v", there, err)
	}
	if there, err := got.Claim("no such claim", &jti); there || err != nil {
		t.Errorf("a claim that is not there: %v %v", there, err)
	}
}

func TestTokensThatAreNotForThisAPIAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	shop := w.client("jwt")
	access, refresh, id := w.grant(shop, "ada")
	foreign, _, _ := w.grant(shop, "ada", "scope", "stock.read", "resource", "https://other.example")
	v := w.verifier(func(c *bearer.Config) { c.Skew = time.Second })
	for name, token := range map[string]string{"ID token": id, "another audience": foreign, "refresh token": refresh, "nothing": ""} {
		_, err := v.Verify(t.Context(), token)
		t.Run(name, func(t *testing.T) { wantCode(t, err, bearer.InvalidToken, token) })
	}
	// The ID token is refused for what it is, even where its audience would do.
	_, err := w.verifier(func(c *bearer.Config) { c.Audience = shop.id }).Verify(t.Context(), id)
	wantCode(t, err, bearer.InvalidToken, id)
	if !strings.Contains(err.Error(), "at+jwt") {
		t.Errorf("an ID token is refused because %v", err)
	}

	w.advance(15 * time.Minute)
	if _, err := v.Verify(t.Context(), access); err != nil {
		t.Errorf("within the skew: %v", err)
	}
	w.advance(time.Second)
	_, err = v.Verify(t.Context(), access)
	wantCode(t, err, bearer.InvalidToken, access)
	if !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired token is refused because %v", err)
	}
}

func TestClaimsAreCheckedOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := newSigner(t, "published")
	w.publish(key)
	v := w.verifier()
	now := w.Now().Unix()
	for _, c := range []struct {
		name string
		edit func(map[string]any)
		good bool
	}{
		{"as it should be", func(map[string]any) {}, true},
		{"several audiences", set("aud", []string{"https://other.example", w.issuer}), true},
		{"no audience", set("aud", nil), false},
		{"another audience", set("aud", "https://other.example"), false},
		{"an audience that begins alike", set("aud", w.issuer+"/"), false},
		{"an audience of another type", set("aud", 7), false},
		{"another issuer", set("iss", "https://other.example"), false},
		{"an issuer with a slash", set("iss", w.issuer+"/"), false},
		{"no issuer", set("iss", nil), false},
		{"no subject", set("sub", nil), false},
		{"no exp", set("exp", nil), false},
		{"exp null", func(c map[string]any) { c["exp"] = json.RawMessage("null") }, false},
		{"exp as text", set("exp", "4000000000"), false},
		{"exp under another name", func(c map[string]any) { delete(c, "exp"); c["EXP"] = now + 300 }, false},
		{"exp beyond the calendar", set("exp", 1e300), false},
		{"exp at the end of the skew", set("exp", now-10), false},
		{"exp within the skew", set("exp", now-9), true},
		{"exp with a fraction", set("exp", float64(now)+0.5), true},
		{"nbf within the skew", set("nbf", now+10), true},
		{"nbf beyond the skew", set("nbf", now+11), false},
		{"nbf as text", set("nbf", "1"), false},
		{"bound to a sender", set("cnf", map[string]string{"jkt": "x"}), false},
		{"no scope", set("scope", nil), true},
		{"scope of another type", set("scope", []string{"stock.read"}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := key.sign(t, w.claims(c.edit))
			_, err := v.Verify(t.Context(), token)
			if c.good && err != nil {
				t.Error(err)
			}
			if !c.good {
				wantCode(t, err, bearer.InvalidToken, token)
			}
		})
	}
}

func TestHeadersAndSignaturesAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, stranger := newSigner(t, "published"), newSigner(t, "published")
	w.publish(key)
	der, err := x509.MarshalPKIXPublicKey(&key.private.PublicKey)
	w.must(err)
	asSecret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	good := key.sign(t, w.claims())
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	v := w.verifier()
	for name, token := range map[string]string{
		"alg none":                    encode([]byte(`{"alg":"none","typ":"at+jwt","kid":"published"}`)) + "." + parts[1] + ".",
		"alg None":                    encode([]byte(`{"alg":"None","typ":"at+jwt","kid":"published"}`)) + "." + parts[1] + ".",
		"the public key as a secret":  sign(t, jose.HS256, asSecret, key.kid, w.claims()),
		"an algorithm of no list":     sign(t, jose.RS512, rsaKey, key.kid, w.claims()),
		"an algorithm of another key": sign(t, jose.RS256, rsaKey, key.kid, w.claims()),
		"a stranger's key":            stranger.sign(t, w.claims()),
		"a key in the header":         stranger.sign(t, w.claims(), "jwk", stranger.public()),
		"no kid":                      sign(t, jose.ES256, key.private, "", w.claims()),
		"typ JWT":                     key.sign(t, w.claims(), "typ", "JWT"),
		"typ empty":                   key.sign(t, w.claims(), "typ", ""),
		"typ dpop+jwt":                key.sign(t, w.claims(), "typ", "dpop+jwt"),
		"crit":                        key.sign(t, w.claims(), "crit", []string{"exp"}, "exp", 1),
		"crit b64":                    encode([]byte(`{"alg":"ES256","typ":"at+jwt","kid":"published","crit":["b64"],"b64":false}`)) + "." + parts[1] + "." + parts[2],
		"another payload":             parts[0] + "." + encode([]byte(`{}`)) + "." + parts[2],
		"a half":                      parts[0] + "." + parts[1],
		"five parts":                  good + ".x.y",
		"claims that are no object":   key.sign(t, []int{1}),
		"claims that are null":        key.sign(t, nil),
		"over 8 KiB":                  key.sign(t, w.claims(set("padding", strings.Repeat("x", 8<<10)))),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), token)
			wantCode(t, err, bearer.InvalidToken, token)
		})
	}
	for _, typ := range []string{"at+jwt", "AT+JWT", "application/at+jwt"} {
		if _, err := v.Verify(t.Context(), key.sign(t, w.claims(), "typ", typ)); err != nil {
			t.Errorf("typ %s: %v", typ, err)
		}
	}
	if _, err := w.verifier(func(c *bearer.Config) { c.Algorithms = []string{"RS256"} }).Verify(t.Context(), good); err == nil {
		t.Error("a token of an algorithm that is not configured is accepted")
	}
}

// A key serves the algorithm alone that it is published for, and a weak one none.
func TestKeysServeTheirOwnAlgorithmAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	w.change(func(f *front) {
		f.keys = []jose.JSONWebKey{
			{Key: &strong.PublicKey, KeyID: "ps", Algorithm: "PS256", Use: "sig"},
			{Key: &strong.PublicKey, KeyID: "any"},
			{Key: &strong.PublicKey, KeyID: "enc", Use: "enc"},
			{Key: edwards.Public(), KeyID: "ed"},
		}
	})
	v := w.verifier()
	for _, c := range []struct {
		alg  jose.SignatureAlgorithm
		key  any
		kid  string
		good bool
	}{
		{jose.PS256, strong, "ps", true},
		{jose.RS256, strong, "ps", false},
		{jose.RS256, strong, "any", true},
		{jose.PS256, strong, "any", true},
		{jose.RS256, strong, "enc", false},
		{jose.EdDSA, edwards, "ed", true},
		{jose.RS256, strong, "ed", false},
	} {
		if _, err := v.Verify(t.Context(), sign(t, c.alg, c.key, c.kid, w.claims())); (err == nil) != c.good {
			t.Errorf("%s with %s: %v, want good %v", c.alg, c.kid, err, c.good)
		}
	}
}
