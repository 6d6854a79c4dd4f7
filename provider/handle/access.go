package handle

import (
	"encoding/binary"

	"github.com/signet-idp/signet/storage"
)

// accessPrefix begins opaque access tokens: the claims, sealed. They are no handles, for they lead to no secret.
const accessPrefix = "sat_"

// SealAccess makes an opaque access token of claims (JSON): see Seal. Error: ErrTooLong.
func (m *Mint) SealAccess(claims []byte) (string, error) { return m.seal(accessPrefix, claims) }

// OpenAccess returns the claims in an opaque access token. It does not judge them. The error is ErrForged for everything that
// SealAccess did not make.
func (m *Mint) OpenAccess(text string) ([]byte, error) { return m.open(accessPrefix, text) }

// jtiDomain stands before what a jti's tag covers. It is as long as a prefix, and no text begins with it.
const jtiDomain = "jti_"

// jtiSize is the length of what a jti holds: kind 1 ‖ id 16 ‖ serial 8.
const jtiSize = 1 + 16 + 8

// What a jti names.
const (
	jtiAlone   = 0 // a token without a grant row, by the ID drawn for it
	jtiOfGrant = 1
)

// JTI is the jti claim (RFC 7519 §4.1.7) of an access token: the grant's ID (ofGrant), or the ID drawn for a token that has no
// grant row, and the serial that tells the grant's tokens apart, all hidden. Two resource servers cannot tell by it whether two
// tokens are of one grant. Base64url, 59 characters, always the same for the same arguments and key.
func (m *Mint) JTI(id storage.ID, ofGrant bool, serial int64) string {
	var body [jtiSize]byte
	if ofGrant {
		body[0] = jtiOfGrant
	}
	copy(body[1:], id[:])
	binary.BigEndian.PutUint64(body[17:], uint64(serial))
	return wrap(m.keys.Current(), jtiDomain, body[:])
}

// ParseJTI reads what JTI made. The error is ErrForged for everything else.
func (m *Mint) ParseJTI(text string) (id storage.ID, ofGrant bool, serial int64, err error) {
	var body [jtiSize]byte
	if _, err := m.unwrap(jtiDomain, text, body[:]); err != nil {
		return storage.ID{}, false, 0, err
	}
	if body[0] != jtiAlone && body[0] != jtiOfGrant {
		return storage.ID{}, false, 0, ErrForged
	}
	return storage.ID(body[1:17]), body[0] == jtiOfGrant, int64(binary.BigEndian.Uint64(body[17:])), nil
}
