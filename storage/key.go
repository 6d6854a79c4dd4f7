package storage

import "time"

// KeyUse says what a key is for.
type KeyUse string

// The uses.
const (
	KeySigning KeyUse = "sig"    // signs tokens; published
	KeyHandle  KeyUse = "handle" // makes handles; never published
)

// KeyState is where a key stands in its life.
type KeyState string

// KeyActive keys are in use.
const KeyActive KeyState = "active"

// Key is a key as the table keeps it: sealed under the secret key, with the row's identity as additional data.
type Key struct {
	ID        string // kid: the RFC 7638 thumbprint for signing keys; "handle-N" for handle keys
	Use       KeyUse
	Algorithm string // JWS algorithm (RFC 7518 §3.1, RFC 8037) for signing keys
	Number    uint16 // handle keys: the key id inside the handle, from 1
	State     KeyState
	Public    []byte // signing keys: the public JWK, JSON
	Sealed    []byte
	CreatedAt time.Time // stamped by the store
}

// Denial revokes one access token by the names sealed in its jti, until it would have expired anyway.
type Denial struct {
	GrantID   ID // for tokens without a grant row: the ID drawn for the token alone
	Serial    int64
	ExpiresAt time.Time
	Also      Also
}

// Take is one token to be taken from a bucket of the generic cell rate algorithm: at most Burst at once, and then one per
// Every. Taking from several buckets happens at all of them or none.
type Take struct {
	Key   Digest // of the bucket's name: names of people are not kept
	Burst int
	Every time.Duration
}
