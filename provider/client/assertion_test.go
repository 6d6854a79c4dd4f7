package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const (
	issuer        = "https://id.example"
	tokenEndpoint = issuer + "/oauth2/token"
	jwtBearer     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// openKeyed makes a registry that takes assertions for its token endpoint too, with a client of every algorithm.
func openKeyed(t *testing.T, edit ...func(*storage.ClientMetadata)) (*client.Registry, storage.Store, *handClock) {
	t.Helper()
	_, store, clock := open(t)
	r := client.New(store, client.Config{Issuer: issuer, TokenEndpoint: tokenEndpoint, Clock: clock.Now})
	s := signers()
	m := storage.ClientMetadata{
		GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT,
		JWKS: jwks(s["RS256"], s["ES256"], s["ES384"], s["EdDSA"]),
	}
	for _, e := range edit {
		e(&m)
	}
	c, secret, err := r.Create(t.Context(), m, "keyed", "cli")
	if err != nil || secret != "" || len(c.Secrets) != 0 || client.Public(c) {
		t.Fatalf("a client of private_key_jwt: %+v, secret %q, %v", c, secret, err)
	}
	return r, store, clock
}

// good are claims that are taken at now.
func good(now time.Time, jti string) map[string]any {
	return map[string]any{"iss": "keyed", "sub": "keyed", "aud": issuer, "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "jti": jti}
}

func present(t *testing.T, r *client.Registry, assertion string, pairs ...string) (client.Caller, error) {
	t.Helper()
	return r.Authenticate(t.Context(), nil, form(t, append([]string{"client_assertion", assertion, "client_assertion_type", jwtBearer}, pairs...)...))
}

func TestAnAssertionOfARegisteredKeyProvesTheClient(t *testing.T) {
	t.Parallel()
	r, _, clock := openKeyed(t)
	now := clock.Now()
	with := func(jti string, change map[string]any) map[string]any {
		claims := good(now, jti)
		maps.Copy(claims, change)
		return claims
	}
	es := signers()["ES256"]
	tests := map[string]string{
		"no kid, one key fits":         es.signText(`{"alg":"ES256"}`, text(with("nokid", nil))),
		"typ of the newer draft":       es.signText(`{"alg":"ES256","typ":"client-authentication+jwt"}`, text(with("typ", nil))),
		"a key in the header, ignored": es.signText(`{"alg":"ES256","jku":"https://evil.example","x5u":"https://evil.example"}`, text(with("jku", nil))),
		"aud is the token endpoint":    es.sign(with("endpoint", map[string]any{"aud": tokenEndpoint})),
		"exp five minutes ahead":       es.sign(with("ahead", map[string]any{"exp": now.Add(5 * time.Minute).Unix()})),
		"exp past, within the skew":    es.sign(with("late", map[string]any{"exp": now.Add(-9 * time.Second).Unix()})),
		"exp with a fraction":          es.sign(with("fraction", map[string]any{"exp": float64(now.Unix()) + 30.5})),
		"iat and nbf within the skew":  es.sign(with("skew", map[string]any{"iat": now.Add(9 * time.Second).Unix(), "nbf": now.Add(9 * time.Second).Unix()})),
		"no iat":                       es.signText(`{"alg":"ES256"}`, fmt.Sprintf(`{"iss":"keyed","sub":"keyed","aud":%q,"exp":%d,"jti":"noiat"}`, issuer, now.Unix()+60)),
		"further claims":               es.sign(with("more", map[string]any{"x": []any{1, map[string]any{"y": nil}}})),
	}
	for alg, s := range signers() {
		tests[alg] = s.sign(good(now, alg))
	}
	for name, assertion := range tests {
		caller, err := present(t, r, assertion, "client_id", "keyed")
		if err != nil || caller.Client.ID != "keyed" || !caller.Authenticated || !caller.Now.Equal(now) {
			t.Errorf("%s: %+v, %v", name, caller, err)
		}
		if _, err := present(t, r, assertion); !errors.Is(err, storage.ErrSpent) {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}

func text(claims map[string]any) string {
	out, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// wrongForms are assertions whose form, header, signature or JSON is wrong; fresh is a good one.
func wrongForms(now time.Time, fresh string) map[string]string {
	es := signers()["ES256"]
	parts := strings.Split(fresh, ".")
	header := `{"alg":"ES256","kid":"p256"}`
	return map[string]string{
		"empty parts": "..", "nothing signed": "x", "no signature": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1],
		"other signature":   parts[0] + "." + parts[1] + "." + b64(make([]byte, 64)),
		"mangled signature": fresh[:len(fresh)-4] + "AAAA", "line break": fresh + "\n", "padding": fresh + "=",
		"alg none":             b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"alg none, signature":  b64([]byte(`{"alg":"none","kid":"p256"}`)) + "." + parts[1] + "." + parts[2],
		"alg HS256":            es.forgeHMAC(fresh),
		"alg of another key":   es.signText(`{"alg":"ES384","kid":"p256"}`, text(good(now, "one"))),
		"alg missing":          es.signText(`{"kid":"p256"}`, text(good(now, "one"))),
		"kid of another key":   es.signText(`{"alg":"ES256","kid":"p384"}`, text(good(now, "one"))),
		"kid of nobody":        es.signText(`{"alg":"ES256","kid":"x"}`, text(good(now, "one"))),
		"kid is a number":      es.signText(`{"alg":"ES256","kid":1}`, text(good(now, "one"))),
		"crit":                 es.signText(`{"alg":"ES256","kid":"p256","crit":["exp"],"exp":1}`, text(good(now, "one"))),
		"b64":                  es.signText(`{"alg":"ES256","kid":"p256","crit":["b64"],"b64":true}`, text(good(now, "one"))),
		"an access token":      es.signText(`{"alg":"ES256","kid":"p256","typ":"at+jwt"}`, text(good(now, "one"))),
		"header member twice":  es.signText(`{"alg":"ES256","alg":"ES256","kid":"p256"}`, text(good(now, "one"))),
		"claim twice":          es.signText(header, strings.Replace(text(good(now, "one")), "{", `{"jti":"one",`, 1)),
		"claim twice, deep":    es.signText(header, strings.Replace(text(good(now, "one")), "{", `{"x":[{"a":1,"a":2}],`, 1)),
		"claims behind claims": es.signText(header, text(good(now, "one"))+"{}"),
		"claims are an array":  es.signText(header, `[]`),
		"claims are null":      es.signText(header, `null`),
		"nested without end":   es.signText(header, strings.Repeat(`{"a":`, 400)+"1"+strings.Repeat("}", 400)),
		"names in other case":  es.signText(header, strings.Replace(text(good(now, "one")), `"exp"`, `"EXP"`, 1)),
		"over 8 KiB":           es.sign(mapWith(good(now, "one"), "x", strings.Repeat("x", 8<<10))),
		"another client's key": signer{"ES384", "p256", signers()["ES384"].key}.sign(good(now, "one")),
		"key in the header": signer{"ES384", "p384", signers()["ES384"].key}.signText(
			`{"alg":"ES384","kid":"p256","jwk":`+text(signers()["ES384"].jwk())+`}`, text(good(now, "one"))),
	}
}

// wrongClaims are assertions of the right key with one claim wrong or missing.
func wrongClaims(now time.Time) map[string]string {
	es, wrong := signers()["ES256"], map[string]string{}
	for claim, values := range map[string][]any{
		"iss": {nil, "", "other", []string{"keyed"}, 1, map[string]any{}, true},
		"sub": {nil, "", "other", []string{"keyed"}, 1, "nobody", "basic", "public", "disabled", "Keyed"},
		"aud": {
			nil, "",
			[]string{issuer},
			[]string{issuer, tokenEndpoint},
			1,
			map[string]any{"a": issuer},
			issuer + "/", tokenEndpoint + "/",
			"https://evil.example", "HTTPS://id.example", issuer + "/oauth2/introspect",
		},
		"exp": {
			nil, "", fmt.Sprint(now.Unix() + 60), 0, -1, now.Add(-11 * time.Second).Unix(), now.Add(5*time.Minute + 12*time.Second).Unix(),
			now.Add(24 * time.Hour).Unix(), json.Number("1e300"), json.Number("1e400"),
			[]int64{now.Unix() + 60},
			true,
		},
		"iat": {"x", nil, now.Add(61 * time.Second).Unix(), -1, true},
		"nbf": {"x", now.Add(61 * time.Second).Unix(), fmt.Sprint(now.Unix())},
		"jti": {nil, "", 1, []string{"one"}, true},
	} {
		for _, v := range values {
			wrong[fmt.Sprintf("%s is %v", claim, v)] = es.sign(mapWith(good(now, "one"), claim, v))
		}
		if claim != "iat" && claim != "nbf" {
			without := good(now, "one")
			delete(without, claim)
			wrong[claim+" is missing"] = es.sign(without)
		}
	}
	return wrong
}

func TestAWrongAssertionGetsOneAnswerAndSpendsNothing(t *testing.T) {
	t.Parallel()
	r, _, clock := openKeyed(t)
	if _, _, err := r.Create(t.Context(), storage.ClientMetadata{
		GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKS: jwks(signer{"ES384", "p256", signers()["ES384"].key}),
	}, "other", "cli"); err != nil {
		t.Fatal(err)
	}
	secrets := register(t, r)
	now := clock.Now()
	fresh := signers()["ES256"].sign(good(now, "one")) // its jti is in every wrong one: none of them may use it up
	wrong := wrongClaims(now)
	maps.Copy(wrong, wrongForms(now, fresh))
	answer := ""
	for name, assertion := range wrong {
		_, err := present(t, r, assertion)
		e := oauth.As(err)
		if e == nil || e.Code != oauth.InvalidClient || e.HTTPStatus() != 401 || e.Challenge == "" || e.Unwrap() == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if answer == "" {
			answer = e.Description
		}
		if e.Description != answer {
			t.Errorf("%s is answered %q, others %q", name, e.Description, answer)
		}
	}
	for name, p := range map[string]oauth.Params{
		"client_id of another": form(t, "client_assertion", fresh, "client_assertion_type", jwtBearer, "client_id", "other"),
		"its name alone":       form(t, "client_id", "keyed"),
		"a secret":             form(t, "client_id", "keyed", "client_secret", secrets.post),
	} {
		if _, err := r.Authenticate(t.Context(), nil, p); oauth.As(err) == nil || oauth.As(err).Description != answer {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := present(t, r, fresh); err != nil {
		t.Errorf("after all of them the right one is refused: %v", err)
	}
}

func mapWith(claims map[string]any, name string, value any) map[string]any {
	claims[name] = value
	return claims
}

func TestTheFormOfAnAssertionIsToldWhatToMend(t *testing.T) {
	t.Parallel()
	r, _, clock := openKeyed(t)
	fresh := signers()["ES256"].sign(good(clock.Now(), "one"))
	for says, p := range map[string]oauth.Params{
		"client_assertion_type must be": form(t, "client_assertion", fresh),
		"must be " + jwtBearer:          form(t, "client_assertion", fresh, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
		"client_assertion is missing":   form(t, "client_assertion_type", jwtBearer),
	} {
		_, err := r.Authenticate(t.Context(), nil, p)
		if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClient || !strings.Contains(e.Description, says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if _, err := present(t, r, fresh); err != nil {
		t.Error(err)
	}
}

func TestAClientMayTieItsAssertionsToOneAlgorithmAndToTheIssuer(t *testing.T) {
	t.Parallel()
	r, _, clock := openKeyed(t, func(m *storage.ClientMetadata) {
		m.TokenEndpointAuthAlg, m.AssertionAudience = "PS256", "issuer"
	})
	now := clock.Now()
	for name, assertion := range map[string]string{
		"another algorithm of the same key": signers()["RS256"].sign(good(now, "a")),
		"another key's algorithm":           signers()["ES256"].sign(good(now, "a")),
		"the token endpoint as aud":         signers()["PS256"].sign(mapWith(good(now, "a"), "aud", tokenEndpoint)),
	} {
		if _, err := present(t, r, assertion); oauth.As(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := present(t, r, signers()["PS256"].sign(good(now, "a"))); err != nil {
		t.Error(err)
	}
}

func TestADisabledClientsAssertionIsRefusedAndNotSpent(t *testing.T) {
	t.Parallel()
	r, _, clock := openKeyed(t)
	fresh := signers()["EdDSA"].sign(good(clock.Now(), "one"))
	if _, err := r.Disable(t.Context(), "keyed", "cli"); err != nil {
		t.Fatal(err)
	}
	if _, err := present(t, r, fresh); oauth.As(err) == nil {
		t.Error("a disabled client was let in")
	}
	if _, err := r.Enable(t.Context(), "keyed", "cli"); err != nil {
		t.Fatal(err)
	}
	if _, err := present(t, r, fresh); err != nil {
		t.Error(err)
	}
}

func TestAnAssertionServesOnceOnAllNodes(t *testing.T) {
	t.Parallel()
	path, clock := filepath.Join(t.TempDir(), "signet.db"), &handClock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	var nodes [2]*client.Registry
	for i := range nodes {
		store, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Clock: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		nodes[i] = client.New(store, client.Config{Issuer: issuer})
	}
	_, _, err := nodes[0].Create(t.Context(), storage.ClientMetadata{
		GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKS: jwks(signers()["ES256"]),
	}, "keyed", "cli")
	if err != nil {
		t.Fatal(err)
	}
	p := form(t, "client_assertion", signers()["ES256"].sign(good(clock.Now(), "one")), "client_assertion_type", jwtBearer)
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			_, err := nodes[i%2].Authenticate(t.Context(), nil, p)
			if err == nil {
				won.Add(1)
			} else if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClient {
				t.Errorf("lost with %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("one assertion served %d times", won.Load())
	}
}

func TestAStoreThatFailsAtTheAssertionIsNotTheClientsFault(t *testing.T) {
	t.Parallel()
	r, store, clock := openKeyed(t)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := present(t, r, signers()["ES256"].sign(good(clock.Now(), "one")))
	if e := oauth.As(err); e == nil || e.Code != oauth.TemporarilyUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestAClientOfKeysHasNoSecretAndGetsNone(t *testing.T) {
	t.Parallel()
	r, _, _ := openKeyed(t)
	if _, _, err := r.RotateSecret(t.Context(), "keyed", 0, "cli"); oauth.As(err) == nil || !strings.Contains(oauth.As(err).Description, "private_key_jwt") {
		t.Errorf("rotate: %v", err)
	}
	register(t, r)
	c, err := r.Find(t.Context(), "basic")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Metadata
	m.TokenEndpointAuthMethod, m.JWKS = oauth.AuthPrivateKeyJWT, jwks(signers()["EdDSA"])
	if c, err = r.Update(t.Context(), c, m, "cli"); err != nil || len(c.Secrets) != 0 {
		t.Errorf("a client that went over to keys keeps %d secrets, %v", len(c.Secrets), err)
	}
}
