package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"testing"
)

type benchClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
}

var benchToken = benchClaims{
	issuer, "0197f3a2-1111-7abc-8def-0123456789ab", issuer, "demo-web", "openid profile email", 1_800_000_000, 1_800_000_900,
	"AQABJmFubmEtYW5uYS1hbm5hLWFubmEtYW5uYS1hbm5hLWFubmEtYW5uYQ",
}

// BenchmarkSign/ES256 is beside BenchmarkSign/ES256-bare, the signature alone: the difference is encoding.
func BenchmarkSign(b *testing.B) {
	r := fixedRing(b)
	for _, alg := range r.Algorithms() {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Sign(alg, "at+jwt", benchToken); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(alg+"-bare", func(b *testing.B) {
			b.ReportAllocs()
			private, input := r.set.Load().signing[alg].private, make([]byte, 500)
			for b.Loop() {
				digest, opts := bareDigest(alg, input)
				if _, err := private.Sign(rand.Reader, digest, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func bareDigest(alg string, input []byte) ([]byte, crypto.SignerOpts) {
	switch alg {
	case ES384:
		sum := sha512.Sum384(input)
		return sum[:], crypto.SHA384
	case EdDSA:
		return input, crypto.Hash(0)
	case PS256:
		sum := sha256.Sum256(input)
		return sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	sum := sha256.Sum256(input)
	return sum[:], crypto.SHA256
}

func BenchmarkVerify(b *testing.B) {
	r := fixedRing(b)
	for _, alg := range r.Algorithms() {
		token, err := r.Sign(alg, "at+jwt", benchToken)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Verify(token, "at+jwt"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
