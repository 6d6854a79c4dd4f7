package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// secretKeySize is the length of a secret key in bytes.
const secretKeySize = 32

// A sealed value is format version 1 ‖ key id 4 ‖ nonce 12 ‖ ciphertext ‖ tag 16.
const (
	sealVersion  = 1
	sealIDSize   = 4
	sealHeader   = 1 + sealIDSize
	sealRowSpace = "signet/v1/" // before the row's name in the additional data
)

// The errors of Open.
var (
	// ErrWrongKey says that a value was sealed under a secret key that this Sealer does not have.
	ErrWrongKey = errors.New("sealed under another secret key")
	// ErrTampered says that a sealed value was changed, cut, or moved here from another row.
	ErrTampered = errors.New("sealed value was changed or belongs to another row")
)

// Sealer seals what must rest in the database and be readable again. It is safe for concurrent use.
type Sealer struct{ keys []sealingKey } // newest first; never empty

type sealingKey struct {
	id   [sealIDSize]byte
	aead cipher.AEAD
}

// GenerateSecretKey returns a new secret key in the form that ParseSecretKeys reads: 32 random bytes in base64.
func GenerateSecretKey() string {
	key := make([]byte, secretKeySize)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

// ParseSecretKeys reads secret keys, newest first and separated by commas: each 32 bytes in base64 (RFC 4648 §4 or §5, padded
// or not). The first seals, all open. The error says which key is wrong and how, and never shows it.
func ParseSecretKeys(text string) (*Sealer, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the secret key is empty: set it to the base64 of 32 random bytes, such as openssl rand -base64 32 prints")
	}
	s := &Sealer{}
	for i, entry := range strings.Split(text, ",") {
		raw, err := parseSecretKey(strings.TrimSpace(entry))
		if err != nil {
			return nil, fmt.Errorf("secret key %d: %w", i+1, err)
		}
		key, err := newSealingKey(raw)
		if err != nil {
			return nil, fmt.Errorf("secret key %d: %w", i+1, err)
		}
		if j := slices.IndexFunc(s.keys, func(k sealingKey) bool { return k.id == key.id }); j >= 0 {
			return nil, fmt.Errorf("secret key %d is the same as secret key %d: give each key once", i+1, j+1)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

func parseSecretKey(entry string) ([]byte, error) {
	if entry == "" {
		return nil, errors.New("there is nothing between two commas: remove the extra comma")
	}
	if _, err := hex.DecodeString(entry); err == nil && len(entry) == 2*secretKeySize {
		return nil, errors.New("this looks like 64 hexadecimal digits: write the same 32 bytes in base64")
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(entry, "="))
	if strings.ContainsAny(plain, "\r\n") {
		return nil, errors.New("there is a line break in it: write it on one line, and separate several keys by commas")
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(plain)
	switch {
	case err != nil:
		return nil, errors.New("this is not base64: use what openssl rand -base64 32 prints")
	case len(raw) != secretKeySize:
		return nil, fmt.Errorf("it holds %d bytes, and exactly %d are needed: use what openssl rand -base64 32 prints", len(raw), secretKeySize)
	case bytes.Count(raw, raw[:1]) == len(raw):
		return nil, errors.New("all its bytes are the same, so it is no secret: use what openssl rand -base64 32 prints")
	}
	return raw, nil
}

func newSealingKey(raw []byte) (sealingKey, error) {
	name := sha256.Sum256(append([]byte("signet/v1/secret-key-id\x00"), raw...))
	derived, err := hkdf.Key(sha256.New, raw, nil, "signet/v1/seal", secretKeySize)
	if err != nil {
		return sealingKey{}, fmt.Errorf("derive sealing key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return sealingKey{}, fmt.Errorf("make sealing cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealingKey{}, fmt.Errorf("make sealing cipher: %w", err)
	}
	return sealingKey{id: [sealIDSize]byte(name[:]), aead: aead}, nil
}

// Seal encrypts plain with AES-256-GCM under the newest secret key and binds it to row, which names the table, the column and
// the row, such as "totp/seed/<id>". Sealing twice gives two values. The error is always nil today.
func (s *Sealer) Seal(plain []byte, row string) ([]byte, error) {
	key := s.keys[0]
	sealed := make([]byte, 0, sealHeader+len(plain)+key.aead.Overhead())
	sealed = append(append(sealed, sealVersion), key.id[:]...)
	return key.aead.Seal(sealed, nil, plain, []byte(sealRowSpace+row)), nil
}

// Open returns what was sealed for row, under whichever of the secret keys. Errors: ErrWrongKey, ErrTampered.
func (s *Sealer) Open(sealed []byte, row string) ([]byte, error) {
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return nil, ErrTampered
	}
	id := [sealIDSize]byte(sealed[1:sealHeader])
	for _, key := range s.keys {
		if key.id != id {
			continue
		}
		plain, err := key.aead.Open(nil, nil, sealed[sealHeader:], []byte(sealRowSpace+row))
		if err != nil {
			return nil, ErrTampered
		}
		return plain, nil
	}
	return nil, fmt.Errorf("%w (that key has the id %x, given: %s)", ErrWrongKey, id, s.ids())
}

// Several reports whether there are older secret keys besides the newest.
func (s *Sealer) Several() bool { return len(s.keys) > 1 }

// Newest is what every value sealed under the newest secret key begins with.
func (s *Sealer) Newest() []byte { return append([]byte{sealVersion}, s.keys[0].id[:]...) }

// Stale reports whether something is sealed, and not under the newest secret key.
func (s *Sealer) Stale(sealed []byte) bool {
	return len(sealed) > 0 && !bytes.HasPrefix(sealed, s.Newest())
}

// Reseal seals anew, under the newest secret key, what was sealed for row under any. Errors: as Open's.
func (s *Sealer) Reseal(sealed []byte, row string) ([]byte, error) {
	plain, err := s.Open(sealed, row)
	if err != nil {
		return nil, err
	}
	return s.Seal(plain, row)
}

// ids names the keys; the names tell nothing about them.
func (s *Sealer) ids() string {
	ids := make([]string, len(s.keys))
	for i, key := range s.keys {
		ids[i] = hex.EncodeToString(key.id[:])
	}
	return strings.Join(ids, ", ")
}

// Format implements fmt.Formatter and shows the keys' ids alone: some verbs would print the ciphers inside.
func (s Sealer) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[secret keys %s]", s.ids()) }
