package browser

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

const (
	maxTransaction      = 6 << 10 // bytes of the sealed text: proxies and browsers take addresses of 8 KiB
	transactionLifetime = 30 * time.Minute
)

// A sealed body is preceded by the digest of the pre-session that it is bound to, the second it was sealed at, and a digest of its
// type's name.
const (
	boundSize = 32
	timeSize  = 8
	typeSize  = 8
	headSize  = boundSize + timeSize + typeSize
)

// Seal seals body, as JSON, for this browser alone and for 30 minutes. A browser without a pre-session cookie is given one. What was
// sealed of one type opens as no other. Errors: ErrTooLarge; body does not encode.
func (b *Browsers) Seal(v *Visit, body any) (string, error) {
	bound := v.preSession(b)
	head := make([]byte, 0, headSize)
	head = append(head, bound[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(b.clock().Unix()))
	head = append(head, typeName(body)...)
	plain := bytes.NewBuffer(head)
	encoder := json.NewEncoder(plain)
	encoder.SetEscapeHTML(false) // it is no HTML, and every & would take six bytes
	if err := encoder.Encode(body); err != nil {
		return "", fmt.Errorf("browser: encode what is to be sealed: %w", err)
	}
	text, err := b.mint.Seal(handle.UseTransaction, bytes.TrimSuffix(plain.Bytes(), []byte("\n")))
	if errors.Is(err, handle.ErrTooLong) || len(text) > maxTransaction {
		return "", ErrTooLarge
	}
	return text, err
}

// Unseal reads what Seal sealed into into, a pointer to the type that was sealed. Errors: ErrForged; ErrForeign; ErrExpired, with which
// into tells what it was, to be gone on with no more.
func (b *Browsers) Unseal(v *Visit, text string, into any) error {
	plain, err := b.mint.Open(handle.UseTransaction, text)
	if err != nil || len(plain) < headSize || !bytes.Equal(plain[boundSize+timeSize:headSize], typeName(into)) {
		return ErrForged
	}
	if b.age(plain[boundSize:]) > transactionLifetime {
		_ = json.Unmarshal(plain[headSize:], into) // for who is told of it
		return ErrExpired
	}
	if v.pre.IsZero() || !preDigest(v.pre).Equal(storage.Digest(plain[:boundSize])) {
		return ErrForeign
	}
	if err := json.Unmarshal(plain[headSize:], into); err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err) // another version of this program did, during an upgrade
	}
	return nil
}

// age is how long ago the second at the head of raw was. Another node's clock may be ahead: that is no age.
func (b *Browsers) age(raw []byte) time.Duration {
	return b.clock().Sub(time.Unix(int64(binary.BigEndian.Uint64(raw)), 0))
}

// typeName is a digest of the name of v's type, or of what v points to.
func typeName(v any) []byte {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	sum := sha256.Sum256(fmt.Append(nil, t))
	return sum[:typeSize]
}

// preSession is what this browser is known by before anybody has signed in. Its cookie is given for another hour.
func (v *Visit) preSession(b *Browsers) storage.Digest {
	if v.pre.IsZero() {
		v.pre = newSecret()
	}
	v.set(b, cookiePre, joinSecrets([]storage.Secret{v.pre}), preLifetime)
	return preDigest(v.pre)
}

const formLifetime = time.Hour

// FormToken makes the token of a form: bound to this browser, to whoever is signed in at it, to action (the path, and what the form
// is about), and good for an hour.
func (b *Browsers) FormToken(v *Visit, action string) (string, error) {
	v.preSession(b)
	bound := v.formDigest(action)
	return b.mint.Seal(handle.UseForm, binary.BigEndian.AppendUint64(bound[:], uint64(b.clock().Unix())))
}

// CheckForm reports whether FormToken made the token for this browser, its sessions and action. Error: ErrForm.
func (b *Browsers) CheckForm(v *Visit, action, token string) error {
	raw, err := b.mint.Open(handle.UseForm, token)
	if err != nil || len(raw) != boundSize+timeSize || v.pre.IsZero() ||
		b.age(raw[boundSize:]) > formLifetime || !v.formDigest(action).Equal(storage.Digest(raw[:boundSize])) {
		return ErrForm
	}
	return nil
}

func (v *Visit) formDigest(action string) storage.Digest {
	pre, sessions := preDigest(v.pre), storage.NewSecret([]byte(v.sessions)).Digest("signet/v1/form-session")
	return storage.NewSecret(slices.Concat(pre[:], sessions[:], []byte(action))).Digest("signet/v1/form")
}
