package web_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/storage"
)

// verified is a JWT as a relying party reads it: by the published keys, with the one algorithm that it expects.
func (w *world) verified(token, alg, typ string) map[string]any {
	w.Helper()
	var set jose.JSONWebKeySet
	w.must(json.Unmarshal([]byte(w.send(http.MethodGet, "/.well-known/jwks.json", nil, "").raw), &set))
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	w.must(err)
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != typ {
		w.Errorf("typ %v, want %s", header.ExtraHeaders[jose.HeaderType], typ)
	}
	found := set.Key(header.KeyID)
	if len(found) != 1 || found[0].Algorithm != alg {
		w.Fatalf("%d published keys have the kid %q", len(found), header.KeyID)
	}
	payload, err := signed.Verify(found[0])
	w.must(err)
	claims := map[string]any{}
	w.must(json.Unmarshal(payload, &claims))
	return claims
}

// halfHash is at_hash as OpenID Connect Core §3.1.3.6 has it, computed apart from the product.
func halfHash(alg, token string) string {
	var sum []byte
	switch alg {
	case "RS256", "PS256", "ES256":
		whole := sha256.Sum256([]byte(token))
		sum = whole[:]
	case "ES384":
		whole := sha512.Sum384([]byte(token))
		sum = whole[:]
	case "EdDSA":
		whole := sha512.Sum512([]byte(token))
		sum = whole[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

func TestClaimsAreExactAndVerifyInEveryAlgorithm(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		for _, alg := range []string{"", "RS256", "PS256", "ES256", "ES384", "EdDSA"} {
			c := w.confidential(func(m *storage.ClientMetadata) {
				m.IDTokenSignedAlg, m.AccessTokenSignedAlg, m.IDTokenOnRefresh = alg, alg, true
			})
			idAlg, accessAlg := alg, alg
			if alg == "" {
				idAlg, accessAlg = "RS256", "ES256"
			}
			signedIn := w.clock.Now()
			a := w.login(c, "ada", "scope", "openid email api:read", "nonce", "n-is-not-read-here")
			for round := range 2 {
				now := w.clock.Now()
				want := map[string]any{
					"iss": issuerURL, "sub": u.ID.String(), "aud": c.id, "iat": unix(now), "exp": unix(now.Add(15 * time.Minute)),
					"auth_time": unix(signedIn), "acr": "urn:signet:acr:password", "amr": []any{"pwd"}, "at_hash": halfHash(idAlg, a.access()),
				}
				if diff := cmp.Diff(want, w.verified(a.text("id_token"), idAlg, "JWT")); diff != "" {
					t.Errorf("%s, ID token %d:\n%s", alg, round+1, diff)
				}
				access := w.verified(a.access(), accessAlg, "at+jwt")
				if jti, _ := access["jti"].(string); len(jti) < 32 {
					t.Errorf("jti %v", access["jti"])
				}
				delete(access, "jti")
				delete(want, "at_hash")
				maps.Copy(want, map[string]any{"aud": issuerURL, "client_id": c.id, "scope": "openid email api:read"})
				if diff := cmp.Diff(want, access); diff != "" {
					t.Errorf("%s, access token %d:\n%s", alg, round+1, diff)
				}
				w.clock.Advance(time.Minute)
				if round == 0 {
					a = w.refreshWith(c, a.refresh())
					w.want(a, http.StatusOK, "")
				}
			}
			own := w.verified(w.token(c, "grant_type", "client_credentials").access(), accessAlg, "at+jwt")
			if own["sub"] != c.id || own["client_id"] != c.id || own["auth_time"] != nil || own["amr"] != nil {
				t.Errorf("%s, client's own token: %v", alg, own)
			}
		}
	})
}

// unix is a NumericDate as JSON reads it.
func unix(t time.Time) float64 { return float64(t.Unix()) }

func TestASecondFactorIsSaidInEveryToken(t *testing.T) {
	each(t, func(w *world) {
		seed, recovery := w.enrol(w.user("grace"))
		c := w.confidential()
		for method, a := range map[string]answer{
			"otp":      w.redeem(c, w.half(c, "grace"), w.code(seed)),
			"recovery": w.token(c, "grant_type", mfaGrant, "mfa_token", w.half(c, "grace"), "recovery_code", recovery[0]),
		} {
			w.want(a, http.StatusOK, "")
			amr := []any{"pwd", "otp", "mfa"}
			if method == "recovery" {
				amr = []any{"pwd", "mfa"}
			}
			for kind, claims := range map[string]map[string]any{
				"ID token": w.verified(a.text("id_token"), "RS256", "JWT"), "access token": w.verified(a.access(), "ES256", "at+jwt"),
				"introspection": w.post("/oauth2/introspect", c, form("token", a.access())).body,
			} {
				if claims["acr"] != "urn:signet:acr:mfa" || !cmp.Equal(claims["amr"], any(amr)) {
					t.Errorf("%s by %s: acr %v, amr %v", kind, method, claims["acr"], claims["amr"])
				}
			}
		}
	})
}

func TestNoTokenOutlivesItsGrant(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		short := func(m *storage.ClientMetadata) { m.RefreshTokenLifetime, m.IDTokenOnRefresh = 20*60, true }
		c, sealed := w.confidential(short), w.confidential(short, opaque)
		end := unix(w.clock.Now().Add(20 * time.Minute))
		signed, opened := w.login(c, "ada"), w.login(sealed, "ada")
		w.clock.Advance(10 * time.Minute)
		signed, opened = w.refreshWith(c, signed.refresh()), w.refreshWith(sealed, opened.refresh())
		seen := w.post("/oauth2/introspect", sealed, form("token", opened.access())).body["exp"]
		for kind, exp := range map[string]any{
			"JWT": w.verified(signed.access(), "ES256", "at+jwt")["exp"], "opaque token": seen,
			"ID token": w.verified(signed.text("id_token"), "RS256", "JWT")["exp"],
		} {
			if exp != end {
				t.Errorf("exp of the %s is %v, its grant ends at %v", kind, exp, end)
			}
		}
		if signed.body["expires_in"] != 600.0 || opened.body["expires_in"] != 600.0 {
			t.Errorf("expires_in %v and %v, want 600", signed.body["expires_in"], opened.body["expires_in"])
		}
	})
}

func TestARefreshAnswersWithAnIDTokenWhereTheClientWantsIt(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		for _, wants := range []bool{false, true} {
			c := w.confidential(func(m *storage.ClientMetadata) { m.IDTokenOnRefresh = wants })
			a := w.refreshWith(c, w.login(c, "ada").refresh())
			if got := a.text("id_token") != ""; got != wants {
				t.Errorf("id_token_on_refresh %v: ID token %v", wants, got)
			}
			if a = w.refreshWith(c, a.refresh(), "scope", "api:read"); a.text("id_token") != "" {
				t.Error("an ID token without openid")
			}
			if got := slices.Sorted(maps.Keys(a.body)); !slices.Equal(got, []string{"access_token", "expires_in", "refresh_token", "scope", "token_type"}) {
				t.Errorf("members of the answer: %v", got)
			}
		}
	})
}
