package client_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
)

// signer is a client's key, and signs without any library of ours: what it makes is what the RFCs say.
type signer struct {
	alg, kid string
	key      crypto.Signer
}

// signers are one key for each algorithm; RSA keys are slow to make.
var signers = sync.OnceValue(func() map[string]signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	p256, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err3 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, err4 := ed25519.GenerateKey(rand.Reader)
	if err != nil || err2 != nil || err3 != nil || err4 != nil {
		panic("no keys")
	}
	return map[string]signer{
		"RS256": {"RS256", "rsa", rsaKey}, "PS256": {"PS256", "rsa", rsaKey}, "ES256": {"ES256", "p256", p256},
		"ES384": {"ES384", "p384", p384}, "EdDSA": {"EdDSA", "ed", ed},
	}
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk is the public key.
func (s signer) jwk() map[string]any {
	switch key := s.key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "kid": s.kid, "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, then x, then y
		if err != nil {
			panic(err)
		}
		half := len(point) / 2
		return map[string]any{
			"kty": "EC", "kid": s.kid, "crv": key.Curve.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:]),
		}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "kid": s.kid, "crv": "Ed25519", "x": b64(key)}
	}
	panic("unknown key")
}

// jwks is a key set of the signers' public keys.
func jwks(of ...signer) json.RawMessage {
	set := map[string][]any{"keys": {}}
	for _, s := range of {
		set["keys"] = append(set["keys"], s.jwk())
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return text
}

// signText signs a JWT of header and claims as they stand.
func (s signer) signText(header, claims string) string {
	input := b64([]byte(header)) + "." + b64([]byte(claims))
	hash := map[string]crypto.Hash{"RS256": crypto.SHA256, "PS256": crypto.SHA256, "ES256": crypto.SHA256, "ES384": crypto.SHA384}[s.alg]
	digest := []byte(input)
	if hash != 0 {
		h := hash.New()
		h.Write(digest)
		digest = h.Sum(nil)
	}
	var signature []byte
	var err error
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		r, v, failed := ecdsa.Sign(rand.Reader, key, digest)
		size := (key.Curve.Params().BitSize + 7) / 8
		signature, err = append(r.FillBytes(make([]byte, size)), v.FillBytes(make([]byte, size))...), failed
	case *rsa.PrivateKey:
		var options crypto.SignerOpts = hash
		if s.alg == "PS256" {
			options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		signature, err = key.Sign(rand.Reader, digest, options)
	default:
		signature, err = key.Sign(rand.Reader, digest, crypto.Hash(0))
	}
	if err != nil {
		panic(err)
	}
	return input + "." + b64(signature)
}

// sign signs claims under the usual header.
func (s signer) sign(claims map[string]any) string {
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return s.signText(fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, s.alg, s.kid), string(text))
}

// forgeHMAC signs with the client's public key as if it were a shared secret.
func (s signer) forgeHMAC(token string) string {
	parts := strings.Split(token, ".")
	input := b64([]byte(`{"alg":"HS256","kid":"`+s.kid+`"}`)) + "." + parts[1]
	public, _ := json.Marshal(s.jwk())
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}
