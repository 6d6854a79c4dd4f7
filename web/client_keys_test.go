package web_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/storage"
)

// signWithSecret signs claims with a client's secret, without any library of ours.
func signWithSecret(c app, claims string) string {
	input := b64([]byte(`{"alg":"HS512"}`)) + "." + b64([]byte(claims))
	mac := hmac.New(sha512.New, []byte(c.secret))
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

func bySecret(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_jwt" }

func TestAssertionsSignedWithTheSecretOpenEveryDoorOfTheClient(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, other := w.confidential(bySecret), w.confidential(bySecret)
		fresh := func(jti string) string { return signWithSecret(c, w.claims(c, jti, nil)) }
		a := w.assert("/oauth2/token", fresh("1"), "grant_type", "password", "username", "ada", "password", password, "scope", "openid api:read")
		w.want(a, http.StatusOK, "")
		a = w.assert("/oauth2/token", fresh("2"), "grant_type", "refresh_token", "refresh_token", a.refresh())
		w.want(a, http.StatusOK, "")
		w.want(w.assert("/oauth2/token", fresh("3"), "grant_type", "client_credentials"), http.StatusOK, "")
		if seen := w.assert("/oauth2/introspect", fresh("4"), "token", a.access()); seen.body["active"] != true || seen.text("client_id") != c.id {
			t.Errorf("introspection says %s", seen.raw)
		}
		w.want(w.assert("/oauth2/revoke", fresh("5"), "token", a.refresh()), http.StatusOK, "")
		if seen := w.assert("/oauth2/introspect", fresh("6"), "token", a.access()); seen.body["active"] != false {
			t.Errorf("after revocation %s", seen.raw)
		}
		w.want(w.assert("/oauth2/token", fresh("6"), "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		w.want(w.assert("/oauth2/token", signWithSecret(other, w.claims(c, "7", nil)), "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		w.want(w.post("/oauth2/token", c, form("grant_type", "client_credentials")), http.StatusUnauthorized, "invalid_client")
		if log := w.log.String(); strings.Contains(log, c.secret) || strings.Contains(log, c.secret[4:]) {
			t.Error("the log has the secret")
		}
	})
}

// TestARefreshIsSignedWithAKeyThatTheClientChangedMeanwhile: who changes the key behind its jwks_uri waits for a minute at most.
func TestARefreshIsSignedWithAKeyThatTheClientChangedMeanwhile(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			published := ""
			publish := func(keys ...keyPair) {
				var set []any
				for _, k := range keys {
					set = append(set, k.jwk())
				}
				mu.Lock()
				defer mu.Unlock()
				published = jsonOf(map[string]any{"keys": set})
			}
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				w.Header().Set("Content-Type", "application/jwk-set+json")
				w.Header().Set("Cache-Control", "max-age=86400")
				_, _ = io.WriteString(w, published)
			}))
			t.Cleanup(server.Close)
			roots := x509.NewCertPool()
			roots.AddCert(server.Certificate())
			clock, its := newClock(), &listener{url: server.URL}
			w := newWorld(t, engine, engines[engine](t, clock.Now), clock, its.reaches(t), func(c *provider.Config) { c.OutboundRoots = roots })

			w.user("ada")
			old, fresh := keyPairs()["ES256"], keyPairs()["EdDSA"]
			publish(old)
			c := w.confidential(func(m *storage.ClientMetadata) {
				m.TokenEndpointAuthMethod, m.JWKSURI = "private_key_jwt", server.URL+"/jwks"
			})
			signed := func(k keyPair, jti string) string { return k.sign(k.header(), w.claims(c, jti, nil)) }
			a := w.assert("/oauth2/token", signed(old, "1"), "grant_type", "password", "username", "ada", "password", password, "scope", "openid offline_access")
			w.want(a, http.StatusOK, "")
			publish(fresh)
			clock.Advance(time.Minute)
			a = w.assert("/oauth2/token", signed(fresh, "2"), "grant_type", "refresh_token", "refresh_token", a.refresh())
			w.want(a, http.StatusOK, "")
			w.want(w.assert("/oauth2/token", signed(old, "3"), "grant_type", "refresh_token", "refresh_token", a.refresh()), http.StatusUnauthorized, "invalid_client")
			w.want(w.assert("/oauth2/token", signed(fresh, "4"), "grant_type", "refresh_token", "refresh_token", a.refresh()), http.StatusOK, "")
		})
	}
}
