package storage

import "time"

// Passkey is a public key credential of a person (WebAuthn Level 3 §4).
type Passkey struct {
	ID             ID
	UserID         ID
	Name           string
	CredentialID   []byte // unique among all
	PublicKey      []byte // COSE_Key (RFC 9052 §7)
	AAGUID         ID     // the authenticator's model; zero: it does not say
	Transports     []string
	SignCount      uint32    // the newest that was seen; 0: the authenticator does not count
	BackupEligible bool      // it may be kept on several devices
	BackedUp       bool      // and is
	CreatedAt      time.Time // stamped by the store
	UsedAt         time.Time // stamped by the store when it is spent; zero: never yet
}
