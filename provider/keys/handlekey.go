package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// TagSize is the length in bytes of a handle's tag.
const TagSize = 16

// handleRootSize is the length in bytes of what is stored of a handle key.
const handleRootSize = 64

// saltSize is the length in bytes of what makes an opaque access token's key its own.
const saltSize = 12

// HandleKey makes the tags of handles and hides what is in them. It is safe for concurrent use; printing one shows no key.
type HandleKey struct {
	Number uint16 // the key id inside a handle; from 1
	*handleSecrets
}

type handleSecrets struct {
	macs   sync.Pool    // HMAC-SHA-256 under K_mac
	block  cipher.Block // AES-256 under K_enc
	access sync.Pool    // HMAC-SHA-256 under the key from which opaque access tokens get theirs
}

// NewHandleKey derives a handle key from its 64 random bytes, with the issuer bound in (HKDF, RFC 5869). Most callers take
// one from a Ring.
func NewHandleKey(number uint16, root []byte, issuer string) (HandleKey, error) {
	if number == 0 || len(root) != handleRootSize {
		return HandleKey{}, errors.New("keys: a handle key has a number from 1 and 64 bytes")
	}
	var derived [3][]byte
	for i, use := range []string{"mac", "enc", "access"} {
		key, err := hkdf.Key(sha256.New, root, nil, "signet/v1/handle/"+use+"\x00"+issuer, 32)
		if err != nil {
			return HandleKey{}, fmt.Errorf("derive handle key: %w", err)
		}
		derived[i] = key
	}
	block, err := aes.NewCipher(derived[1])
	if err != nil {
		return HandleKey{}, fmt.Errorf("make handle cipher: %w", err)
	}
	return HandleKey{Number: number, handleSecrets: &handleSecrets{
		macs:   sync.Pool{New: func() any { return hmac.New(sha256.New, derived[0]) }},
		block:  block,
		access: sync.Pool{New: func() any { return hmac.New(sha256.New, derived[2]) }},
	}}, nil
}

// Format implements fmt.Formatter and shows the number alone.
func (k HandleKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[handle key %d]", k.Number) }

// Tag is the first 16 bytes of HMAC-SHA-256 over prefix ‖ message. Prefixes have one length among them, so that no two pairs
// run together into one.
func (s *handleSecrets) Tag(prefix string, message []byte) (tag [TagSize]byte) {
	sum := mac(&s.macs, prefix, message)
	return [TagSize]byte(sum[:])
}

// Mask hides body, or shows it again, in place: AES-256-CTR from tag on. The tag depends on all of body, so that two bodies
// are never hidden alike, and a body always is.
func (s *handleSecrets) Mask(tag [TagSize]byte, body []byte) {
	cipher.NewCTR(s.block, tag[:]).XORKeyStream(body, body)
}

// Seal appends to dst salt 12 ‖ nonce 12 ‖ ciphertext ‖ tag 16, of AES-256-GCM under a key of this salt's own: random nonces
// under one key are safe for 2³² values only, and a busy server makes more in a year.
func (s *handleSecrets) Seal(dst, plain, additional []byte) ([]byte, error) {
	var salt [saltSize]byte
	rand.Read(salt[:])
	aead, err := s.accessCipher(salt[:])
	if err != nil {
		return nil, err
	}
	return aead.Seal(append(dst, salt[:]...), nil, plain, additional), nil
}

// Open returns what Seal sealed. Error: ErrTampered.
func (s *handleSecrets) Open(sealed, additional []byte) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, ErrTampered
	}
	aead, err := s.accessCipher(sealed[:saltSize])
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed[saltSize:], additional)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// SealOverhead is by how many bytes Seal's value is longer than what it holds.
const SealOverhead = saltSize + 12 + 16

func (s *handleSecrets) accessCipher(salt []byte) (cipher.AEAD, error) {
	key := mac(&s.access, "", salt)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("make access token cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make access token cipher: %w", err)
	}
	return aead, nil
}

// mac keeps its HMACs, because making one costs more than using it.
func mac(pool *sync.Pool, prefix string, message []byte) (sum [sha256.Size]byte) {
	h := pool.Get().(hash.Hash)
	h.Reset()
	h.Write([]byte(prefix))
	h.Write(message)
	h.Sum(sum[:0])
	pool.Put(h)
	return sum
}
