package storage

import (
	"encoding/hex"
	"errors"
)

// ID names a row: a UUID, version 7 where Signet makes it (RFC 9562 §5.7). Its text form is the canonical lower-case one.
type ID [16]byte

// IsZero reports whether the ID names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the canonical text form, 36 characters, or "" for the zero ID.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	var out [36]byte
	hex.Encode(out[0:8], id[0:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:36], id[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// MarshalText implements encoding.TextMarshaler with the text form.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; "" is the zero ID.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID{}
		return nil
	}
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// ErrMalformedID is returned by ParseID for anything but the canonical text form.
var ErrMalformedID = errors.New("storage: malformed ID")

// ParseID reads the canonical text form and nothing else: one row has one name.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ID{}, ErrMalformedID
	}
	digits := text[0:8] + text[9:13] + text[14:18] + text[19:23] + text[24:36]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil || id.String() != text {
		return ID{}, ErrMalformedID
	}
	return id, nil
}
