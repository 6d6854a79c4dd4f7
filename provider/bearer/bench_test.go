package bearer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/provider/bearer"
)

// BenchmarkVerify is what a request to an API costs by algorithm, once the keys are there.
func BenchmarkVerify(b *testing.B) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		alg jose.SignatureAlgorithm
		key any
	}{
		{jose.RS256, rsaKey},
		{jose.ES256, newSigner(b, "").private},
		{jose.EdDSA, edwards},
	} {
		b.Run(string(c.alg), func(b *testing.B) {
			v, token := standIn(b, c.alg, c.key)
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what a forged token costs.
func BenchmarkRefuse(b *testing.B) {
	v, token := standIn(b, jose.ES256, newSigner(b, "").private)
	if _, err := v.Verify(b.Context(), token); err != nil {
		b.Fatal(err)
	}
	forged := sign(b, jose.ES256, newSigner(b, "").private, "unknown", map[string]string{})
	for b.Loop() {
		if _, err := v.Verify(b.Context(), forged); err == nil {
			b.Fatal("it is accepted")
		}
	}
}

// standIn is an issuer of one key that does nothing but publish it.
func standIn(b *testing.B, alg jose.SignatureAlgorithm, key any) (v *bearer.Verifier, token string) {
	b.Helper()
	jwk := jose.JSONWebKey{Key: key, KeyID: "kid", Algorithm: string(alg), Use: "sig"}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	mux.HandleFunc(metadataPath, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": server.URL, "jwks_uri": server.URL + jwksPath})
	})
	mux.HandleFunc(jwksPath, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk.Public()}})
	})
	v, err := bearer.New(bearer.Config{Issuer: server.URL, Audience: server.URL})
	if err != nil {
		b.Fatal(err)
	}
	return v, sign(b, alg, key, "kid", map[string]any{
		"iss": server.URL, "sub": "ada", "aud": server.URL, "scope": "stock.read stock.write", "exp": time.Now().Add(time.Hour).Unix(),
	})
}
