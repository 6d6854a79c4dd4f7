package storage

import "time"

// KeyUse says what a key is for.
type KeyUse string

// The uses.
const (
	KeySigning  KeyUse = "sig"      // signs tokens; published
	KeyHandle   KeyUse = "handle"   // makes handles; never published
	KeyPairwise KeyUse = "pairwise" // makes pairwise subjects; never published, and there is one for ever
)

// KeyState is where a key stands in its life.
type KeyState string

// The states of a key. It moves pending → active → retiring → removed; every state but the last may become revoked. For each use
// and algorithm at most one key is pending and at most one is active.
const (
	KeyPending  KeyState = "pending"  // published, and makes nothing yet
	KeyActive   KeyState = "active"   // makes what is new
	KeyRetiring KeyState = "retiring" // published, and makes nothing any more
	KeyRemoved  KeyState = "removed"  // gone: its secret part is erased, and its row stays, so that its name never comes back
	KeyRevoked  KeyState = "revoked"  // as removed, at once and for cause
)

// Key is a key as the table keeps it: sealed under the secret key, with the row's identity as additional data.
type Key struct {
	ID        string // kid: the RFC 7638 thumbprint for signing keys; "handle-N" for handle keys; "pairwise"
	Use       KeyUse
	Algorithm string // JWS algorithm (RFC 7518 §3.1, RFC 8037) for signing keys
	Number    uint16 // handle keys: the key id inside the handle, from 1
	State     KeyState
	Public    []byte    // signing keys: the public JWK, JSON
	Sealed    []byte    // empty once the key is removed or revoked
	CreatedAt time.Time // stamped by the store
	ChangedAt time.Time // when State began; stamped by the store
}

// KeyMove takes one key from one state to another. From and To may be equal: then the key must be in that state, and nothing
// about it changes.
type KeyMove struct {
	ID       string
	From, To KeyState
	Age      time.Duration // the key must have been in From for this long, by the store's clock
	// NoGrantBelow is a condition for handle keys: no grant whose ID is below it is live, which is neither revoked nor past its
	// end. IDs rise with time, so that it asks for the grants made before an instant. Zero: not asked.
	NoGrantBelow ID
}

// KeyChange is one step in the life of keys: all of it happens or nothing.
type KeyChange struct {
	Moves []KeyMove // in this order, before Add
	Add   []Key
	Also  Also
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
