package handle

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// Kind is what a handle serves for: the prefix that its text begins with.
type Kind string

// The kinds of handles.
const (
	Refresh Kind = "srt_" // refresh token
	Code    Kind = "sac_" // authorization code
	Device  Kind = "sdc_" // device code (RFC 8628)
	MFA     Kind = "smf_" // MFA token: a password was right, and the second factor is awaited
)

// The layout: prefix, and in base64url version 1 ‖ key id 2 ‖ tag 16 ‖ body 38. The bytes divide by three, so that no spare bits
// are left.
const (
	prefixSize = 4
	version    = 1
	headSize   = 1 + 2
	secretSize = 16
	bodySize   = 16 + 4 + 2 + secretSize
)

// ErrForged says that a text was not made here, or not for this use. It does not say in what it differs.
var ErrForged = errors.New("handle: not made here")

// ErrUnknownKey says that there is no handle key of that number (any more).
var ErrUnknownKey = errors.New("handle: no handle key of that number")

// Handle is what a handle's text holds.
type Handle struct {
	Grant      storage.ID
	Generation uint32
	Fork       uint16
	Secret     storage.Secret // 16 bytes
	Key        uint16         // the handle key that it is made under
}

// Keys are the handle keys; *keys.Ring has them.
type Keys interface {
	Current() keys.HandleKey
	HandleKey(number uint16) (keys.HandleKey, bool)
}

// Mint makes and reads handles. It is safe for concurrent use.
type Mint struct{ keys Keys }

// New makes a Mint.
func New(k Keys) *Mint { return &Mint{keys: k} }

// CurrentKey is the number of the handle key that new handles are made under.
func (m *Mint) CurrentKey() uint16 { return m.keys.Current().Number }

// NewSecret draws a secret of 128 bits for a handle or a grant.
func NewSecret() storage.Secret {
	var secret [secretSize]byte
	rand.Read(secret[:])
	return storage.NewSecret(secret[:])
}

// SecretDigest is what a grant's row keeps of its secret.
func SecretDigest(s storage.Secret) storage.Digest { return s.Digest("signet/v1/grant-secret") }

// CodeDigest is what a grant's row keeps of the authorization code that it began with: over the code's secret and the
// code_challenge that it was bound to ("" for none), so that only who knows the verifier too can show that the code leaked.
func CodeDigest(s storage.Secret, challenge string) storage.Digest {
	return storage.NewSecret(slices.Concat(s.Reveal(), []byte(challenge))).Digest("signet/v1/code")
}

// Handle is the text of h, always the same for the same h. Errors: ErrUnknownKey; h.Secret has not 16 bytes; kind is none.
func (m *Mint) Handle(kind Kind, h Handle) (string, error) {
	if !kind.known() {
		return "", fmt.Errorf("handle: unknown kind %q", string(kind))
	}
	secret := h.Secret.Reveal()
	if len(secret) != secretSize {
		return "", fmt.Errorf("handle: the secret has %d bytes and not %d", len(secret), secretSize)
	}
	key, ok := m.keys.HandleKey(h.Key)
	if !ok {
		return "", fmt.Errorf("%w: %d", ErrUnknownKey, h.Key)
	}
	var body [bodySize]byte
	copy(body[:16], h.Grant[:])
	binary.BigEndian.PutUint32(body[16:], h.Generation)
	binary.BigEndian.PutUint16(body[20:], h.Fork)
	copy(body[22:], secret)
	return string(kind) + wrap(key, string(kind), body[:]), nil
}

// Parse reads a handle of the given kind. The error is ErrForged for everything that Handle did not return for that kind, byte
// for byte.
func (m *Mint) Parse(kind Kind, text string) (Handle, error) {
	if len(text) <= prefixSize || text[:prefixSize] != string(kind) || !kind.known() {
		return Handle{}, ErrForged
	}
	var body [bodySize]byte
	key, err := m.unwrap(string(kind), text[prefixSize:], body[:])
	if err != nil {
		return Handle{}, err
	}
	return Handle{
		Grant:      storage.ID(body[:16]),
		Generation: binary.BigEndian.Uint32(body[16:]),
		Fork:       binary.BigEndian.Uint16(body[20:]),
		Secret:     storage.NewSecret(body[22:]),
		Key:        key,
	}, nil
}

func (k Kind) known() bool { return k == Refresh || k == Code || k == Device || k == MFA }

// PrefixOf is the prefix of ours that text begins with, "" where it is none. It says nothing about who made the text.
func PrefixOf(text string) string {
	if len(text) < prefixSize {
		return ""
	}
	if prefix := text[:prefixSize]; Kind(prefix).known() || prefix == accessPrefix {
		return prefix
	}
	return ""
}

// strictBase64 refuses spare bits; that it skips line breaks is noticed by the number of bytes.
var strictBase64 = base64.RawURLEncoding.Strict()

// wrap is base64url of version ‖ key id ‖ tag ‖ body, with the body hidden by its own tag.
func wrap(key keys.HandleKey, prefix string, body []byte) string {
	var room [headSize + keys.TagSize + bodySize]byte
	raw := room[:headSize+keys.TagSize+len(body)]
	putHead(raw, key.Number)
	tag := tagOf(key, prefix, body)
	copy(raw[headSize:], tag[:])
	hidden := raw[headSize+keys.TagSize:]
	copy(hidden, body)
	key.Mask(tag, hidden)
	return strictBase64.EncodeToString(raw)
}

// unwrap fills body from what wrap made under prefix. Nothing in body may be looked at before it returned no error.
func (m *Mint) unwrap(prefix, text string, body []byte) (number uint16, err error) {
	var room [headSize + keys.TagSize + bodySize]byte
	raw := room[:headSize+keys.TagSize+len(body)]
	if len(text) != strictBase64.EncodedLen(len(raw)) {
		return 0, ErrForged
	}
	n, err := strictBase64.Decode(raw, []byte(text))
	if err != nil || n != len(raw) || raw[0] != version {
		return 0, ErrForged
	}
	key, ok := m.keys.HandleKey(binary.BigEndian.Uint16(raw[1:]))
	if !ok {
		return 0, ErrForged
	}
	tag := [keys.TagSize]byte(raw[headSize:])
	copy(body, raw[headSize+keys.TagSize:])
	key.Mask(tag, body)
	if want := tagOf(key, prefix, body); subtle.ConstantTimeCompare(tag[:], want[:]) != 1 {
		clear(body)
		return 0, ErrForged
	}
	return key.Number, nil
}

// tagOf is the tag over prefix ‖ version ‖ key id ‖ body.
func tagOf(key keys.HandleKey, prefix string, body []byte) [keys.TagSize]byte {
	var room [headSize + bodySize]byte
	message := room[:headSize+len(body)]
	putHead(message, key.Number)
	copy(message[headSize:], body)
	return key.Tag(prefix, message)
}

func putHead(raw []byte, number uint16) {
	raw[0] = version
	binary.BigEndian.PutUint16(raw[1:], number)
}
