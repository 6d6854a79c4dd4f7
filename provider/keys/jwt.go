package keys

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// maxToken bounds a JWT in bytes, those that are read as those that are made.
const maxToken = 8 << 10

// ErrUnverified says that a text is no token that a key of this ring signed, in the form in which it signed it.
var ErrUnverified = errors.New("keys: not a token signed here")

// ErrTooLong says that claims make a token that nobody would read back.
var ErrTooLong = errors.New("keys: the token would exceed 8 KiB")

// signingKey is a key pair with its one algorithm.
type signingKey struct {
	kid     string
	alg     string
	private crypto.Signer
	public  crypto.PublicKey
	signers sync.Map // typ → jose.Signer; as many as the program has types
}

func newSigningKey(alg string, private crypto.Signer) (*signingKey, error) {
	if !suits(alg, private) {
		return nil, fmt.Errorf("it is not a key for %q", alg)
	}
	public := private.Public()
	thumbprint, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("make its thumbprint: %w", err)
	}
	return &signingKey{kid: base64.RawURLEncoding.EncodeToString(thumbprint), alg: alg, private: private, public: public}, nil
}

// parseSigningKey reads PKCS #8 (RFC 5958). The name must be the key's thumbprint.
func parseSigningKey(alg, kid string, pkcs8 []byte) (*signingKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errors.New("it is not a private key")
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("it is not a signing key")
	}
	key, err := newSigningKey(alg, private)
	if err != nil {
		return nil, err
	}
	if key.kid != kid {
		return nil, ErrTampered
	}
	return key, nil
}

func (k *signingKey) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.public, KeyID: k.kid, Algorithm: k.alg, Use: "sig"}
}

// signer returns the signer for typ, made once.
func (k *signingKey) signer(typ string) (jose.Signer, error) {
	if signer, ok := k.signers.Load(typ); ok {
		return signer.(jose.Signer), nil
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.alg), Key: jose.JSONWebKey{Key: k.private, KeyID: k.kid}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, err
	}
	k.signers.Store(typ, signer)
	return signer, nil
}

// Sign makes a JWT of claims, which encode to a JSON object, in the compact serialization (RFC 7515 §7.1). Its header is alg,
// kid and typ; typ is a constant of the caller's. Errors: there is no key for alg; claims do not encode; ErrTooLong.
func (r *Ring) Sign(alg, typ string, claims any) (string, error) {
	key, ok := r.set.Load().signing[alg]
	if !ok {
		return "", fmt.Errorf("keys: there is no signing key for %q", alg)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signer, err := key.signer(typ)
	if err != nil {
		return "", fmt.Errorf("make %s signer: %w", alg, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", alg, err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("serialize token: %w", err)
	}
	if len(token) > maxToken {
		return "", fmt.Errorf("%w: it has %d bytes", ErrTooLong, len(token))
	}
	return token, nil
}

// Verify returns the claims of a JWT that Sign made, as JSON: a key of the ring signed it, with that key's algorithm, and its
// typ is one of types. It looks at no claim: times, issuer and audience are the caller's. The error is ErrUnverified for
// everything else.
func (r *Ring) Verify(token string, types ...string) ([]byte, error) {
	if !compact(token) {
		return nil, ErrUnverified
	}
	set := r.set.Load()
	signed, err := jose.ParseSignedCompact(token, set.accepted)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, ErrUnverified
	}
	header := signed.Signatures[0].Protected
	key, ok := set.byKID[header.KeyID]
	if !ok || header.Algorithm != key.alg || !plain(header, token[:strings.IndexByte(token, '.')], types) {
		return nil, ErrUnverified
	}
	claims, err := signed.Verify(key.public)
	if err != nil {
		return nil, ErrUnverified
	}
	return claims, nil
}

// plain reports whether the header has a typ that is one of types and, with alg and kid, just three members: no crit, no b64, no
// key. The library passes over members that are null, so they are counted here.
func plain(header jose.Header, encoded string, types []string) bool {
	typ, ok := header.ExtraHeaders[jose.HeaderType].(string)
	if !ok || !slices.Contains(types, typ) {
		return false
	}
	raw, err := strictBase64.DecodeString(encoded)
	if err != nil {
		return false
	}
	var members map[string]json.RawMessage
	return json.Unmarshal(raw, &members) == nil && len(members) == 3
}

// strictBase64 refuses spare bits; that it skips line breaks is for the caller to notice.
var strictBase64 = base64.RawURLEncoding.Strict()

// compact reports whether token is three parts of canonical base64url and no longer than it may be: of several spellings of
// one token, only one is good.
func compact(token string) bool {
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return false
	}
	var room [maxToken]byte
	for part := range strings.SplitSeq(token, ".") {
		n, err := strictBase64.Decode(room[:], []byte(part))
		if err != nil || n == 0 || n != strictBase64.DecodedLen(len(part)) {
			return false
		}
	}
	return true
}

// publish makes what is derived from the keys: the key set, and the algorithms.
func (set *keySet) publish() error {
	order := offered()
	keys := make([]*signingKey, 0, len(set.byKID))
	for _, key := range set.byKID {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b *signingKey) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.alg), slices.Index(order, b.alg)), cmp.Compare(a.kid, b.kid))
	})
	document := jose.JSONWebKeySet{}
	for _, key := range keys {
		document.Keys = append(document.Keys, key.jwk())
		if !slices.Contains(set.algorithms, key.alg) {
			set.algorithms = append(set.algorithms, key.alg)
			set.accepted = append(set.accepted, jose.SignatureAlgorithm(key.alg))
		}
	}
	var err error
	if set.jwks, err = json.Marshal(document); err != nil {
		return fmt.Errorf("encode key set: %w", err)
	}
	return nil
}
