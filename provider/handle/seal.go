package handle

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/signet-idp/signet/provider/keys"
)

// Use is what a sealed text of the front door serves for: the prefix that it begins with. It leads to no row: what it says is in
// it.
type Use string

// The uses of sealed texts.
const (
	UseTransaction Use = "stx_" // an authorization request on its way through the pages
	UseForm        Use = "sft_" // the token of a form
	UseDevice      Use = "skd_" // a browser at which people have signed in before
)

func (u Use) known() bool { return u == UseTransaction || u == UseForm || u == UseDevice }

// maxSealed bounds a sealed text in bytes, those that are read as those that are made.
const maxSealed = 8 << 10

// ErrTooLong says that what is to be sealed makes a text that nobody would read back.
var ErrTooLong = errors.New("handle: the sealed text would exceed 8 KiB")

// Seal makes the text of use that holds body: the prefix, and base64url of version 1 ‖ key id 2 ‖ the sealed body, with prefix,
// version and key id under the seal. Two calls give two texts. Errors: ErrTooLong; use is none.
func (m *Mint) Seal(use Use, body []byte) (string, error) {
	if !use.known() {
		return "", fmt.Errorf("handle: unknown use %q", string(use))
	}
	return m.seal(string(use), body)
}

// Open returns what Seal sealed for use. It does not judge it. The error is ErrForged for everything that Seal did not make for
// that use.
func (m *Mint) Open(use Use, text string) ([]byte, error) {
	if !use.known() {
		return nil, ErrForged
	}
	return m.open(string(use), text)
}

func (m *Mint) seal(prefix string, body []byte) (string, error) {
	if strictBase64.EncodedLen(headSize+len(body)+keys.SealOverhead) > maxSealed-prefixSize {
		return "", ErrTooLong
	}
	key := m.keys.Current()
	raw := make([]byte, headSize, headSize+len(body)+keys.SealOverhead)
	putHead(raw, key.Number)
	raw, err := key.Seal(raw, body, sealedHead(prefix, raw))
	if err != nil {
		return "", fmt.Errorf("seal %s text: %w", prefix, err)
	}
	return prefix + strictBase64.EncodeToString(raw), nil
}

func (m *Mint) open(prefix, text string) ([]byte, error) {
	if len(text) > maxSealed || len(text) <= prefixSize || text[:prefixSize] != prefix {
		return nil, ErrForged
	}
	text = text[prefixSize:]
	raw, err := strictBase64.DecodeString(text)
	if err != nil || len(raw) != strictBase64.DecodedLen(len(text)) || len(raw) < headSize || raw[0] != version {
		return nil, ErrForged
	}
	key, ok := m.keys.HandleKey(binary.BigEndian.Uint16(raw[1:]))
	if !ok {
		return nil, ErrForged
	}
	body, err := key.Open(raw[headSize:], sealedHead(prefix, raw))
	if err != nil {
		return nil, ErrForged
	}
	return body, nil
}

// sealedHead is the additional data of the seal.
func sealedHead(prefix string, raw []byte) []byte { return append([]byte(prefix), raw[:headSize]...) }
