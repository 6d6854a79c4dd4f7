package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // for ES384 and EdDSA's half hash
	"encoding/base64"
	"fmt"
	"slices"
)

// The algorithms that Signet signs with (RFC 7518 §3.1, RFC 8037 §3.1).
const (
	RS256 = "RS256"
	PS256 = "PS256"
	ES256 = "ES256"
	ES384 = "ES384"
	EdDSA = "EdDSA" // with Ed25519
)

// The algorithms with which clients sign by their secret (RFC 7518 §3.2). Nothing of ours is signed with them.
const (
	HS256 = "HS256"
	HS384 = "HS384"
	HS512 = "HS512"
)

// SecretBytes is how long a secret is that suits each of SecretAlgorithms: as long as the longest of their hashes (RFC 7518 §3.2).
const SecretBytes = 64

// SecretAlgorithms are the algorithms with which clients may sign by their secret, in the order of metadata.
func SecretAlgorithms() []string { return []string{HS256, HS384, HS512} }

// DefaultIDTokenAlg signs ID tokens of clients that registered no other (OpenID Connect Registration §2).
const DefaultIDTokenAlg = RS256

// rsaBits is the modulus of new RSA keys: what every client can verify, and twice as fast to sign with as 3072.
const rsaBits = 2048

// offered is every algorithm, in the order of metadata and key set: what clients can do without asking comes first.
func offered() []string { return []string{RS256, PS256, ES256, ES384, EdDSA} }

// Signs reports whether alg is an algorithm that Signet has keys for.
func Signs(alg string) bool { return slices.Contains(offered(), alg) }

func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case RS256, PS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("keys: unknown algorithm %q", alg)
}

// suits reports whether key is of the kind that alg signs with.
func suits(alg string, key crypto.Signer) bool {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return (alg == RS256 || alg == PS256) && key.N.BitLen() >= 2048
	case *ecdsa.PrivateKey:
		return alg == ES256 && key.Curve == elliptic.P256() || alg == ES384 && key.Curve == elliptic.P384()
	case ed25519.PrivateKey:
		return alg == EdDSA
	}
	return false
}

// HashHalf is the at_hash or c_hash of value in an ID token signed with alg: the left half of its hash, in base64url without
// padding (OpenID Connect Core §3.1.3.6). The hash is the one that alg signs with; Ed25519's is SHA-512 (RFC 8032 §5.1), as its
// users agreed. The error says that alg is unknown.
func HashHalf(alg, value string) (string, error) {
	var hash crypto.Hash
	switch alg {
	case RS256, PS256, ES256:
		hash = crypto.SHA256
	case ES384:
		hash = crypto.SHA384
	case EdDSA:
		hash = crypto.SHA512
	default:
		return "", fmt.Errorf("keys: unknown algorithm %q", alg)
	}
	h := hash.New()
	h.Write([]byte(value))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]), nil
}
