package client_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"hash"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// signWith signs claims with a secret, without any library of ours.
func signWith(secret, alg, claims string) string {
	hashes := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}
	input := b64([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "." + b64([]byte(claims))
	mac := hmac.New(hashes[alg], []byte(secret))
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

func sealerOf(t *testing.T, secretKeys ...string) *keys.Sealer {
	t.Helper()
	sealer, err := keys.ParseSecretKeys(strings.Join(secretKeys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

// openSealing makes a registry that seals under a secret key, with the client called keyed, which signs with its secret.
func openSealing(t *testing.T, secretKey string) (r *client.Registry, store storage.Store, clock *handClock, secret string) {
	t.Helper()
	_, store, clock = open(t)
	r = client.New(store, client.Config{Issuer: issuer, TokenEndpoint: tokenEndpoint, Clock: clock.Now, Sealer: sealerOf(t, secretKey)})
	_, secret, err := r.Create(t.Context(), secretJWT, "keyed", "cli")
	if err != nil {
		t.Fatal(err)
	}
	return r, store, clock, secret
}

var secretJWT = storage.ClientMetadata{GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthSecretJWT}

func TestAnAssertionSignedWithTheSecretProvesTheClient(t *testing.T) {
	t.Parallel()
	r, store, clock, secret := openSealing(t, keys.GenerateSecretKey())
	if !strings.HasPrefix(secret, "scs_") || len(secret) < 64 {
		t.Errorf("a secret that HS512 may not use (RFC 7518 section 3.2): %q", secret)
	}
	row, _, err := store.FindClient(t.Context(), "keyed")
	if text, _ := json.Marshal(row); err != nil || bytes.Contains(text, []byte(secret[4:])) || len(row.Secrets) != 1 || !row.Secrets[0].Digest.IsZero() {
		t.Errorf("the row is %s, %v", text, err)
	}
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		assertion := signWith(secret, alg, text(good(clock.Now(), alg)))
		caller, err := present(t, r, assertion, "client_id", "keyed")
		if err != nil || caller.Client.ID != "keyed" || !caller.Authenticated {
			t.Errorf("%s: %+v, %v", alg, caller, err)
		}
		if _, err := present(t, r, assertion); !errors.Is(err, storage.ErrSpent) {
			t.Errorf("%s, again: %v", alg, err)
		}
	}
	var taken atomic.Int64
	var group sync.WaitGroup
	once := signWith(secret, "HS256", text(good(clock.Now(), "once")))
	for range 16 {
		group.Go(func() {
			if _, err := present(t, r, once); err == nil {
				taken.Add(1)
			}
		})
	}
	group.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("one assertion was taken %d times at once", n)
	}
}

func TestWhatIsNotSignedWithTheSecretProvesNobody(t *testing.T) {
	t.Parallel()
	r, _, clock, secret := openSealing(t, keys.GenerateSecretKey())
	now := clock.Now()
	claims := text(good(now, "one"))
	with := func(name string, value any) string {
		changed := good(now, "one")
		changed[name] = value
		return signWith(secret, "HS256", text(changed))
	}
	keyed := storage.ClientMetadata{
		GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKS: jwks(signers()["ES256"]),
	}
	_, others, err := r.Create(t.Context(), secretJWT, "other", "cli")
	if err == nil {
		_, _, err = r.Create(t.Context(), keyed, "bykey", "cli")
	}
	basicSecret := ""
	if err == nil {
		_, basicSecret, err = r.Create(t.Context(), confidential, "basic", "cli")
	}
	if err != nil {
		t.Fatal(err)
	}
	forged := good(now, "one")
	forged["iss"], forged["sub"] = "bykey", "bykey"
	ofBasic := good(now, "one")
	ofBasic["iss"], ofBasic["sub"] = "basic", "basic"
	fresh := signWith(secret, "HS256", claims)
	parts := strings.Split(fresh, ".")
	for name, assertion := range map[string]string{
		"another's secret":      signWith(others, "HS256", claims),
		"no secret":             signWith("", "HS256", claims),
		"without its prefix":    signWith(strings.TrimPrefix(secret, "scs_"), "HS256", claims),
		"a signature of none":   parts[0] + "." + parts[1] + ".",
		"alg none":              b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"a mangled signature":   fresh[:len(fresh)-4] + "AAAA",
		"another alg's header":  b64([]byte(`{"alg":"HS512","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2],
		"a key":                 signers()["ES256"].sign(good(now, "one")),
		"a secret, for keys":    signWith(secret, "HS256", text(forged)),
		"a public key's text":   signWith(text(signers()["ES256"].jwk()), "HS256", text(forged)),
		"a secret of basic":     signWith(basicSecret, "HS256", text(ofBasic)),
		"aud of another server": with("aud", "https://rs.example"),
		"exp past":              with("exp", now.Add(-11*time.Second).Unix()),
		"exp far ahead":         with("exp", now.Add(10*time.Minute).Unix()),
		"iss of another":        with("iss", "other"),
		"no jti":                with("jti", ""),
	} {
		_, err := present(t, r, assertion)
		if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClient || strings.Contains(e.Description, "secret_jwt") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, p := range map[string]oauth.Params{
		"in the body": form(t, "client_id", "keyed", "client_secret", secret), "not at all": form(t, "client_id", "keyed"),
	} {
		if _, err := r.Authenticate(t.Context(), nil, p); oauth.As(err) == nil {
			t.Errorf("the secret %s: %v", name, err)
		}
	}
	if _, err := r.Authenticate(t.Context(), []string{basic("keyed", secret)}, oauth.Params{}); oauth.As(err) == nil {
		t.Errorf("the secret with Basic: %v", err)
	}
	if _, err := present(t, r, fresh); err != nil {
		t.Errorf("after all those: %v", err)
	}
}

func TestTheAlgorithmOfASecretIsTheOneThatIsRegistered(t *testing.T) {
	t.Parallel()
	r, _, clock, secret := openSealing(t, keys.GenerateSecretKey())
	c, err := r.Find(t.Context(), "keyed")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Metadata
	m.TokenEndpointAuthAlg = "HS384"
	if _, err := r.Update(t.Context(), c, m, "cli"); err != nil {
		t.Fatal(err)
	}
	for alg, want := range map[string]bool{"HS256": false, "HS384": true, "HS512": false} {
		if _, err := present(t, r, signWith(secret, alg, text(good(clock.Now(), alg)))); (err == nil) != want {
			t.Errorf("%s: %v", alg, err)
		}
	}
	m.TokenEndpointAuthAlg = "ES256"
	_, _, err = r.Create(t.Context(), m, "", "cli")
	if e := oauth.As(err); e == nil || e.Description != "token_endpoint_auth_signing_alg must be one of HS256, HS384, HS512 where token_endpoint_auth_method is client_secret_jwt" {
		t.Errorf("ES256: %v", err)
	}
	if _, err := client.Validate(secretJWT, client.Config{}); oauth.As(err) == nil || !strings.Contains(err.Error(), "no secret key") {
		t.Errorf("where nothing can be sealed: %v", err)
	}
}

func TestASealedSecretRotatesWithOverlap(t *testing.T) {
	t.Parallel()
	r, _, clock, first := openSealing(t, keys.GenerateSecretKey())
	second, _, err := r.RotateSecret(t.Context(), "keyed", time.Hour, "cli")
	if err != nil {
		t.Fatal(err)
	}
	try := func(step string, want map[string]bool) {
		t.Helper()
		for secret, taken := range want {
			if _, err := present(t, r, signWith(secret, "HS256", text(good(clock.Now(), step+secret)))); (err == nil) != taken {
				t.Errorf("%s: %v, want it taken: %v", step, err, taken)
			}
		}
	}
	try("at once", map[string]bool{first: true, second: true})
	clock.advance(time.Hour - time.Microsecond)
	try("to the end", map[string]bool{first: true, second: true})
	clock.advance(time.Microsecond)
	try("after it", map[string]bool{first: false, second: true})
}

// TestASecretServesOneWayOfKeepingIt: what was kept as a digest cannot be what a client signs with, and the reverse is not done either.
func TestASecretServesOneWayOfKeepingIt(t *testing.T) {
	t.Parallel()
	r, _, clock, secret := openSealing(t, keys.GenerateSecretKey())
	change := func(method string) storage.Client {
		t.Helper()
		c, err := r.Find(t.Context(), "keyed")
		if err != nil {
			t.Fatal(err)
		}
		m := c.Metadata
		m.TokenEndpointAuthMethod = method
		if step, err := r.Plan(t.Context(), client.Declaration{ClientID: "keyed", ClientMetadata: m}); err != nil || len(step.After.Secrets) != 0 {
			t.Errorf("the plan to go over to %s keeps %d secrets, %v", method, len(step.After.Secrets), err)
		}
		if c, err = r.Update(t.Context(), c, m, "cli"); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := change(oauth.AuthBasic); len(c.Secrets) != 0 {
		t.Errorf("%d sealed secrets stay", len(c.Secrets))
	}
	if _, err := r.Authenticate(t.Context(), []string{basic("keyed", secret)}, oauth.Params{}); err == nil {
		t.Error("the secret that was sealed works with Basic")
	}
	made, c, err := r.RotateSecret(t.Context(), "keyed", time.Hour, "cli")
	if err != nil || len(c.Secrets) != 1 || len(c.Secrets[0].Sealed) != 0 {
		t.Fatalf("%+v, %v", c.Secrets, err)
	}
	if c := change(oauth.AuthSecretJWT); len(c.Secrets) != 0 {
		t.Errorf("%d digests stay", len(c.Secrets))
	}
	_, err = present(t, r, signWith(made, "HS256", text(good(clock.Now(), "none"))))
	if oauth.As(err) == nil || !strings.Contains(err.Error(), "rotate-secret makes one") {
		t.Errorf("a client without a secret: %v", err)
	}
	made, _, err = r.RotateSecret(t.Context(), "keyed", 0, "cli")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := present(t, r, signWith(made, "HS256", text(good(clock.Now(), "new")))); err != nil {
		t.Error(err)
	}
}
