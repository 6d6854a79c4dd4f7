package web_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// keyPair is a client's key, and signs without any library of ours.
type keyPair struct {
	alg, kid string
	key      crypto.Signer
}

// keyPairs are one of each algorithm; RSA keys are slow to make.
var keyPairs = sync.OnceValue(func() map[string]keyPair {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	p256, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, err3 := ed25519.GenerateKey(rand.Reader)
	if err != nil || err2 != nil || err3 != nil {
		panic("no keys")
	}
	return map[string]keyPair{"RS256": {"RS256", "rsa", rsaKey}, "PS256": {"PS256", "rsa", rsaKey}, "ES256": {"ES256", "ec", p256}, "EdDSA": {"EdDSA", "ed", ed}}
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k keyPair) jwk() map[string]string {
	switch key := k.key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "kid": k.kid, "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, then x, then y
		if err != nil {
			panic(err)
		}
		return map[string]string{"kty": "EC", "kid": k.kid, "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "kid": k.kid, "crv": "Ed25519", "x": b64(key)}
	}
	panic("unknown key")
}

// sign signs a JWT of header and claims as they stand.
func (k keyPair) sign(header, claims string) string {
	input := b64([]byte(header)) + "." + b64([]byte(claims))
	h := crypto.SHA256.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	var signature []byte
	var err error
	switch key := k.key.(type) {
	case *ecdsa.PrivateKey:
		r, s, failed := ecdsa.Sign(rand.Reader, key, digest)
		signature, err = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), failed
	case *rsa.PrivateKey:
		var options crypto.SignerOpts = crypto.SHA256
		if k.alg == "PS256" {
			options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		}
		signature, err = key.Sign(rand.Reader, digest, options)
	default:
		signature, err = key.Sign(rand.Reader, []byte(input), crypto.Hash(0))
	}
	if err != nil {
		panic(err)
	}
	return input + "." + b64(signature)
}

func (k keyPair) header() string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, k.alg, k.kid) }

func jsonOf(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// byKeys makes a client of private_key_jwt with all the keys.
func byKeys(m *storage.ClientMetadata) {
	var set []any
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		set = append(set, keyPairs()[alg].jwk())
	}
	m.TokenEndpointAuthMethod, m.JWKS = "private_key_jwt", json.RawMessage(jsonOf(map[string]any{"keys": set}))
}

// claims are those of a good assertion, with changes; a nil one takes the claim away.
func (w *world) claims(c app, jti string, changes map[string]any) string {
	now := w.clock.Now()
	claims := map[string]any{"iss": c.id, "sub": c.id, "aud": issuerURL, "exp": now.Unix() + 60, "iat": now.Unix(), "jti": jti}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return jsonOf(claims)
}

// assert posts a form with a client assertion.
func (w *world) assert(path, assertion string, pairs ...string) answer {
	w.Helper()
	v := form(append([]string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion}, pairs...)...)
	return w.post(path, app{}, v)
}

func TestAssertionsOfEveryAlgorithmOpenTokenIntrospectionAndRevocation(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.confidential(byKeys)
		for alg, k := range keyPairs() {
			fresh := func(jti string) string { return k.sign(k.header(), w.claims(c, alg+jti, nil)) }
			a := w.assert("/oauth2/token", fresh("1"), "grant_type", "password", "username", "ada", "password", password, "scope", "openid api:read")
			w.want(a, http.StatusOK, "")
			a = w.assert("/oauth2/token", fresh("2"), "grant_type", "refresh_token", "refresh_token", a.refresh(), "client_id", c.id)
			w.want(a, http.StatusOK, "")
			seen := w.assert("/oauth2/introspect", fresh("3"), "token", a.access())
			w.want(seen, http.StatusOK, "")
			if seen.body["active"] != true || seen.text("client_id") != c.id {
				t.Errorf("%s: introspection says %s", alg, seen.raw)
			}
			w.want(w.assert("/oauth2/revoke", fresh("4"), "token", a.refresh()), http.StatusOK, "")
			if seen = w.assert("/oauth2/introspect", fresh("5"), "token", a.access()); seen.body["active"] != false {
				t.Errorf("%s: after revocation %s", alg, seen.raw)
			}
			own := w.assert("/oauth2/token", fresh("6"), "grant_type", "client_credentials")
			w.want(own, http.StatusOK, "")
		}
	})
}

// wrongAssertions are all that resemble good, which c signed with an ES256 key.
func (w *world) wrongAssertions(c, thief, other app, good string) map[string]string {
	k, now := keyPairs()["ES256"], w.clock.Now().Unix()
	signed := func(changes map[string]any) string { return k.sign(k.header(), w.claims(c, "one", changes)) }
	parts := strings.Split(good, ".")
	wrong := map[string]string{
		"garbage": "x", "alg none": b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"alg HS256":           b64([]byte(`{"alg":"HS256","kid":"ec"}`)) + "." + parts[1] + "." + parts[2],
		"no signature":        parts[0] + "." + parts[1] + ".",
		"mangled":             good[:len(good)-4] + "AAAA",
		"another client's":    k.sign(k.header(), w.claims(thief, "one", nil)),
		"for a secret client": k.sign(k.header(), w.claims(other, "one", nil)),
		"of nobody":           k.sign(k.header(), w.claims(app{id: "nobody"}, "one", nil)),
		"kid of another key":  k.sign(`{"alg":"ES256","kid":"ed"}`, w.claims(c, "one", nil)),
		"crit":                k.sign(`{"alg":"ES256","kid":"ec","crit":["x"],"x":1}`, w.claims(c, "one", nil)),
		"claim twice":         k.sign(k.header(), strings.Replace(w.claims(c, "one", nil), "{", `{"jti":"x",`, 1)),
		"over 8 KiB":          signed(map[string]any{"x": strings.Repeat("x", 8<<10)}),
		"aud array":           signed(map[string]any{"aud": []string{issuerURL}}), "aud of another": signed(map[string]any{"aud": "https://rs.example"}),
		"aud with a slash": signed(map[string]any{"aud": issuerURL + "/"}), "iss other": signed(map[string]any{"iss": other.id}),
		"exp past": signed(map[string]any{"exp": now - 11}), "exp far": signed(map[string]any{"exp": now + 600}),
		"exp text": signed(map[string]any{"exp": fmt.Sprint(now + 60)}), "iat ahead": signed(map[string]any{"iat": now + 61}),
		"nbf ahead": signed(map[string]any{"nbf": now + 61}), "jti empty": signed(map[string]any{"jti": ""}), "sub array": signed(map[string]any{"sub": []string{c.id}}),
	}
	for _, claim := range []string{"iss", "sub", "aud", "exp", "jti"} {
		wrong["no "+claim] = signed(map[string]any{claim: nil})
	}
	return wrong
}

func TestWrongAssertionsGetOneAnswerAtEveryDoor(t *testing.T) {
	each(t, func(w *world) {
		c, other := w.confidential(byKeys), w.confidential()
		thief := w.confidential(func(m *storage.ClientMetadata) {
			byKeys(m)
			m.JWKS = json.RawMessage(jsonOf(map[string]any{"keys": []any{keyPairs()["EdDSA"].jwk()}}))
		})
		k := keyPairs()["ES256"]
		good := k.sign(k.header(), w.claims(c, "one", nil))
		wrong := w.wrongAssertions(c, thief, other, good)
		first := ""
		for name, assertion := range wrong {
			for _, path := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"} {
				a := w.assert(path, assertion, "grant_type", "client_credentials", "token", "x")
				w.want(a, http.StatusUnauthorized, "invalid_client")
				if first == "" {
					first = a.raw
				}
				if a.raw != first || a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s at %s: %s, others %s", name, path, a.raw, first)
				}
			}
		}
		twice := form("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", good, "grant_type", "client_credentials")
		twice.Add("client_assertion", good)
		w.want(w.post("/oauth2/token", app{}, twice), http.StatusBadRequest, "invalid_request")
		basic := form("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", good, "grant_type", "client_credentials")
		w.want(w.post("/oauth2/token", other, basic), http.StatusBadRequest, "invalid_request")
		w.want(w.assert("/oauth2/token", good, "grant_type", "client_credentials"), http.StatusOK, "") // none of them spent it
		if a := w.assert("/oauth2/token", good, "grant_type", "client_credentials"); a.raw != first {
			t.Errorf("a replay is answered %s", a.raw)
		}
		if strings.Contains(w.log.String(), url.QueryEscape(good)) || strings.Contains(w.log.String(), good) {
			t.Error("an assertion is in the log")
		}
	})
}

func TestOneAssertionServesOnceOnTwoNodes(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		c, k := nodes[0].confidential(byKeys), keyPairs()["EdDSA"]
		for round := range 3 {
			assertion := k.sign(k.header(), nodes[0].claims(c, fmt.Sprint("one", round), nil))
			won := 0
			var busy atomic.Bool // on a machine that is busy, the database may not be asked in time, and whom it served may not hear of it
			for _, a := range atOnce(64, func(i int) (a answer) {
				for range 5 {
					if a = nodes[i%2].assert("/oauth2/token", assertion, "grant_type", "client_credentials"); a.status != http.StatusServiceUnavailable {
						break
					}
					busy.Store(true)
				}
				return a
			}) {
				switch {
				case a.status == http.StatusOK:
					won++
				case a.status != http.StatusServiceUnavailable && (a.status != http.StatusUnauthorized || a.text("error") != "invalid_client"):
					t.Errorf("a loser is answered %d %s", a.status, a.raw)
				}
			}
			if won > 1 || won == 0 && !busy.Load() {
				t.Errorf("one assertion served %d times", won)
			}
		}
	})
}

func TestASpentAssertionIsForgottenOnlyWhenItIsDead(t *testing.T) {
	each(t, func(w *world) {
		c, k := w.confidential(byKeys), keyPairs()["ES256"]
		assertion := k.sign(k.header(), w.claims(c, "one", map[string]any{"exp": w.clock.Now().Unix() + 300}))
		w.want(w.assert("/oauth2/token", assertion, "grant_type", "client_credentials"), http.StatusOK, "")
		for range 32 {
			w.clock.Advance(10 * time.Second)
			if _, err := w.store.SweepExpired(w.Context(), 100, 0, 0); err != nil {
				t.Fatal(err)
			}
			w.want(w.assert("/oauth2/token", assertion, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		}
	})
}
