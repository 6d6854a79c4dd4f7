package handle

import (
	"encoding/binary"
	"time"

	"github.com/signet-idp/signet/storage"
)

// UseLink begins the texts that mailed links bring along.
const UseLink = "sml_"

// linkSize is the length of what a link holds: ticket 16 ‖ the second at which it expires 8.
const linkSize = 16 + 8

// Link is the text of a link that uses a ticket until expires, which is cut to its second. It is what makes the ticket's ID a secret
// that was told, so no table holds it. 62 characters, always the same for the same arguments and key: a mail that is sent again brings
// the same link.
func (m *Mint) Link(ticket storage.ID, expires time.Time) string {
	var body [linkSize]byte
	copy(body[:16], ticket[:])
	binary.BigEndian.PutUint64(body[16:], uint64(expires.Unix()))
	return UseLink + wrap(m.keys.Current(), UseLink, body[:])
}

// ParseLink reads what Link made, expired or not. The error is ErrForged for everything else.
func (m *Mint) ParseLink(text string) (ticket storage.ID, expires time.Time, err error) {
	if len(text) <= prefixSize || text[:prefixSize] != UseLink {
		return storage.ID{}, time.Time{}, ErrForged
	}
	var body [linkSize]byte
	if _, err := m.unwrap(UseLink, text[prefixSize:], body[:]); err != nil {
		return storage.ID{}, time.Time{}, err
	}
	return storage.ID(body[:16]), time.Unix(int64(binary.BigEndian.Uint64(body[16:])), 0).UTC(), nil
}
