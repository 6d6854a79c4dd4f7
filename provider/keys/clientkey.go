package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// The bounds of a client's key set.
const (
	maxClientKeys = 16
	maxKeySet     = 64 << 10
	minRSA        = 2048
	maxRSA        = 8192 // what a signature may cost to check
)

// AssertionAlgorithms are the algorithms that clients may sign with, in the order of metadata.
func AssertionAlgorithms() []string { return offered() }

// ErrKeySet begins what is wrong with a client's key set: a text for its owner.
var ErrKeySet = errors.New("jwks")

func keySetError(format string, args ...any) error {
	return fmt.Errorf("%w %w", ErrKeySet, fmt.Errorf(format, args...))
}

// ClientKeySet reads the key set (RFC 7517 §5) that a client registers and returns it in our own writing, with nothing but
// kty, the public parameters, kid, alg and use. Taken are RSA keys of 2048 to 8192 bits, EC keys on P-256 and P-384, and Ed25519.
// Errors wrap ErrKeySet and say what to mend; a private or symmetric key is refused, since whoever holds it is the client.
func ClientKeySet(text []byte) ([]byte, error) {
	listed, err := listedKeys(text)
	if err != nil {
		return nil, err
	}
	if len(listed) > maxClientKeys {
		return nil, keySetError("must have 1 to %d keys", maxClientKeys)
	}
	out := jose.JSONWebKeySet{}
	for i, raw := range listed {
		key, err := clientKey(raw)
		if err != nil {
			return nil, keySetError("keys[%d] %w", i, err)
		}
		if key.KeyID == "" && len(listed) > 1 {
			return nil, keySetError("keys[%d] must have a kid: there are several keys", i)
		}
		if len(out.Key(key.KeyID)) > 0 {
			return nil, keySetError("keys[%d] has the kid of another key", i)
		}
		out.Keys = append(out.Keys, key)
	}
	return json.Marshal(out)
}

// PublishedKeySet reads the key set that a client publishes for everybody and returns what ClientKeySet would take of it, in the same
// writing: such a set also holds keys for other purposes, which are passed over (RFC 7517 §5). Errors wrap ErrKeySet; one of them is
// that nothing is left, or more than 16 keys are.
func PublishedKeySet(text []byte) ([]byte, error) {
	listed, err := listedKeys(text)
	if err != nil {
		return nil, err
	}
	out := jose.JSONWebKeySet{}
	var passed error
	for i, raw := range listed {
		key, err := clientKey(raw)
		if err != nil {
			passed = fmt.Errorf("keys[%d] %w", i, err)
			continue
		}
		if out.Keys = append(out.Keys, key); len(out.Keys) > maxClientKeys {
			return nil, keySetError("must not have more than %d keys for signatures", maxClientKeys)
		}
	}
	if len(out.Keys) == 0 {
		return nil, keySetError("has no key that can be used: %w", passed)
	}
	return json.Marshal(out)
}

func listedKeys(text []byte) (listed []json.RawMessage, err error) {
	if len(text) > maxKeySet {
		return nil, keySetError("must not exceed %d bytes", maxKeySet)
	}
	var set map[string]json.RawMessage
	if err := object(text, &set); err != nil {
		return nil, keySetError("must be a JSON object with the member keys, and no member twice (RFC 7517 section 5)")
	}
	if err := json.Unmarshal(set["keys"], &listed); err != nil || len(listed) == 0 {
		return nil, keySetError("must have 1 to %d keys", maxClientKeys)
	}
	return listed, nil
}

func clientKey(raw []byte) (key jose.JSONWebKey, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return key, errors.New("must be a JSON object")
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, there := members[private]; there {
			return key, errors.New("has a private or symmetric member: register the public key alone, and replace this one, for it was shown")
		}
	}
	// Certificates are not looked at: the key is registered, and needs nobody to vouch for it.
	public := map[string]json.RawMessage{}
	for _, member := range []string{"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"} {
		if value, there := members[member]; there {
			public[member] = value
		}
	}
	text, err := json.Marshal(public)
	if err != nil {
		return key, err
	}
	if err := json.Unmarshal(text, &key); err != nil || !key.Valid() || !key.IsPublic() {
		return key, errors.New("is not a public key that this server can read: RSA, EC with P-256 or P-384, or OKP with Ed25519")
	}
	fits := algorithmsOf(key.Key)
	switch {
	case len(fits) == 0:
		return key, fmt.Errorf("must be an RSA key of %d to %d bits, an EC key on P-256 or P-384, or an Ed25519 key", minRSA, maxRSA)
	case key.Use != "" && key.Use != "sig":
		return key, errors.New("must be for signatures: use sig")
	case key.Algorithm != "" && !slices.Contains(fits, key.Algorithm):
		return key, fmt.Errorf("has an alg that does not fit: this key can sign with %s", strings.Join(fits, ", "))
	case len(key.KeyID) > 256:
		return key, errors.New("must have a kid of at most 256 bytes")
	}
	return key, nil
}

// algorithmsOf are the algorithms of ours that a public key can verify; none: it is of a kind or strength that is not taken.
func algorithmsOf(public crypto.PublicKey) []string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= minRSA && bits <= maxRSA {
			return []string{RS256, PS256}
		}
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return []string{ES256}
		case elliptic.P384():
			return []string{ES384}
		}
	case ed25519.PublicKey:
		return []string{EdDSA}
	}
	return nil
}

// SetAllows reports whether a key of the set, which ClientKeySet wrote, can verify alg.
func SetAllows(set []byte, alg string) bool {
	var keys jose.JSONWebKeySet
	return json.Unmarshal(set, &keys) == nil && slices.ContainsFunc(keys.Keys, func(k jose.JSONWebKey) bool { return allows(k, alg) })
}

func allows(key jose.JSONWebKey, alg string) bool {
	return slices.Contains(algorithmsOf(key.Key), alg) && (key.Algorithm == "" || key.Algorithm == alg)
}
