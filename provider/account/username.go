package account

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// freeUsername makes a username of an e-mail address for somebody who named none: the part before the @, with digits after it where
// that is taken. *Invalid: all that were tried are.
func (p *People) freeUsername(ctx context.Context, email string) (string, error) {
	base := usernameOf(email)
	for _, digits := range []int{0, 2, 3, 4, 6, 8} {
		username := base + randomDigits(digits)
		login, err := CanonicalUsername(username)
		if err != nil {
			return "", err
		}
		_, err = p.store.FindLogin(ctx, login)
		if errors.Is(err, storage.ErrNotFound) {
			return username, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", taken("username", storage.ErrTaken)
}

// usernameOf is the local part of an address as a username that digits may follow, without what marks a mailbox's parts (+news); "user"
// where it is none.
func usernameOf(email string) string {
	const room = 8 // for the digits
	local, _, _ := strings.Cut(email, "@")
	local, _, _ = strings.Cut(local, "+")
	username := fold(local)
	_, alone := CanonicalUsername(username)
	if _, longer := CanonicalUsername(username + strings.Repeat("0", room)); alone != nil || longer != nil {
		return "user"
	}
	return username
}

// randomDigits draws so many: who joined when is not to be counted by them.
func randomDigits(n int) string {
	digits := make([]byte, n)
	_, _ = rand.Read(digits) // never fails since Go 1.24
	for i := range digits {
		digits[i] = '0' + digits[i]%10
	}
	return string(digits)
}
