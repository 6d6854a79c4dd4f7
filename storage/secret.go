package storage

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// redacted is what a Secret shows to anyone who prints, logs or encodes it.
const redacted = "[secret]"

// Secret is a value that must never be printed, logged, encoded or handed to a query: a client secret, a password, the
// secret inside a handle. It has no string of its own; [Secret.Reveal] is the one door, and it is easy to search for.
type Secret struct{ value []byte }

// NewSecret keeps its own copy of value.
func NewSecret(value []byte) Secret { return Secret{append([]byte(nil), value...)} }

// Reveal returns the secret's bytes. The caller hands them to one computation and keeps no copy.
func (s Secret) Reveal() []byte { return s.value }

// IsZero reports whether there is no secret at all.
func (s Secret) IsZero() bool { return len(s.value) == 0 }

// String implements fmt.Stringer and reveals nothing.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer and reveals nothing.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, so that no verb (%x, %d, %+v) gets past String.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer and reveals nothing.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, and so JSON and XML, and reveals nothing.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Digest is what tables keep of a secret: SHA-256 over a domain name and the secret. It is used for secrets of 128 random
// bits and more alone; passwords go through argon2id.
type Digest [sha256.Size]byte

// Digest returns the secret's digest in domain. Two domains never share a digest, so that a value taken from one table
// means nothing in another.
func (s Secret) Digest(domain string) Digest {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write([]byte{0})
	h.Write(s.value)
	return Digest(h.Sum(nil))
}

// Equal compares in constant time.
func (d Digest) Equal(other Digest) bool { return subtle.ConstantTimeCompare(d[:], other[:]) == 1 }

// IsZero reports whether no digest was kept.
func (d Digest) IsZero() bool { return d == Digest{} }
