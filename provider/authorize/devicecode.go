package authorize

import (
	"crypto/rand"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// userLetters are the letters of user codes (RFC 8628 §6.1): none that make words, and none that look like another.
const (
	userLetters    = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength = 8 // 20^8: 34 bits, for ten minutes, behind a throttle
)

// newUserCode draws a user code, each as likely as any other.
func newUserCode() string {
	var code strings.Builder
	var b [1]byte
	for code.Len() < userCodeLength {
		rand.Read(b[:])
		if b[0] < 240 { // the largest multiple of 20 in a byte
			code.WriteByte(userLetters[b[0]%20])
		}
	}
	return code.String()
}

// readUserCode reads what a person typed: in any case, with hyphens and spaces wherever they like. ok is false for what can be no
// user code.
func readUserCode(text string) (code string, ok bool) {
	if len(text) > 4*userCodeLength {
		return "", false
	}
	code = strings.Map(func(c rune) rune {
		if c == '-' || c == ' ' {
			return -1
		}
		return c
	}, strings.ToUpper(text))
	return code, len(code) == userCodeLength && strings.Trim(code, userLetters) == ""
}

// showUserCode is a user code as it is shown: XXXX-XXXX.
func showUserCode(code string) string { return code[:userCodeLength/2] + "-" + code[userCodeLength/2:] }

// userCodeDigest is what a grant's row keeps of its user code.
func userCodeDigest(code string) storage.Digest {
	return storage.NewSecret([]byte(code)).Digest("signet/v1/user-code")
}
