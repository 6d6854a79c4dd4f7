package account

import (
	"crypto/rand"
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/signet-idp/signet/storage"
)

// The lengths of passwords.
const (
	DefaultMinPassword = 8    // code points
	MaxPassword        = 1024 // bytes, as sent
)

//go:embed common.txt
var commonList string

// passwordRules are what a new password must keep. Passwords that were set under other rules stay good.
type passwordRules struct {
	minLength int // code points
	minScore  int // below 1: any
	common    map[string]bool
	meter     meter
}

func newPasswordRules(minLength, minScore int) passwordRules {
	rules := passwordRules{minLength: minLength, minScore: minScore, common: make(map[string]bool, 3000), meter: newMeter()}
	for line := range strings.Lines(commonList) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			rules.common[line] = true
		}
	}
	return rules
}

// preparePassword brings a password into the form that is hashed: PRECIS OpaqueString (RFC 8265 §4.2), that is other spaces
// become U+0020 and the whole is in NFC, so that every keyboard's spelling logs in; but no code point is refused, since
// passwords may hold control characters and letters newer than our tables. ok is false for what can be no password: empty,
// over MaxPassword bytes, or not UTF-8. Nothing is ever cut off.
func preparePassword(password storage.Secret) (prepared []byte, ok bool) {
	raw := password.Reveal()
	if len(raw) == 0 || len(raw) > MaxPassword || !utf8.Valid(raw) {
		return nil, false
	}
	spaced := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, string(raw))
	return norm.NFC.Bytes([]byte(spaced)), true
}

// checkChosen is check for what people choose for themselves, of which strength is asked besides. It is asked last, when all that
// costs less is kept, and before anything is hashed.
func (r passwordRules) checkChosen(password storage.Secret, u storage.User) ([]byte, error) {
	prepared, err := r.check(password, u)
	if err != nil {
		return nil, err
	}
	weak, err := r.isWeak(prepared, u)
	if err != nil {
		return nil, err
	}
	if weak {
		return nil, broken(RuleWeak, "it is too easy to guess; add a few more words that do not belong together")
	}
	return prepared, nil
}

// isWeak reports whether the score is below the least.
func (r passwordRules) isWeak(prepared []byte, u storage.User) (bool, error) {
	if r.minScore < 1 {
		return false, nil
	}
	var words []string
	for _, own := range ownWords(u) {
		words = append(words, own.word)
	}
	score, err := r.meter.score(string(prepared), words)
	return score < r.minScore, err
}

// check returns the password as it is hashed, or why it may not be set, as *Invalid with the field password. There are no
// rules about kinds of characters and no expiry (NIST SP 800-63B §3.1.1.2).
func (r passwordRules) check(password storage.Secret, u storage.User) ([]byte, error) {
	prepared, ok := preparePassword(password)
	if !ok {
		return nil, broken(RuleForm, "it must be valid UTF-8 of 1 to %d bytes", MaxPassword)
	}
	if utf8.RuneCount(prepared) < r.minLength {
		return nil, broken(RuleLength, "it is too short: at least %d characters are needed", r.minLength)
	}
	text := cases.Fold().String(string(prepared))
	if word := ownWord(text, u); word != "" {
		return nil, broken(RuleOwn, "it contains %s, which is the first thing to be guessed; choose another", word)
	}
	if r.isCommon(text) {
		return nil, broken(RuleCommon, "it is one of the most common passwords, or one with a few characters added; choose another")
	}
	if isPattern(text) {
		return nil, broken(RulePattern, "it repeats one piece or follows the keyboard or the alphabet; choose another")
	}
	return prepared, nil
}

// isCommon reports whether text is a common password, bare or with digits and signs around it that are no longer than itself.
func (r passwordRules) isCommon(text string) bool {
	bare := strings.TrimFunc(text, func(c rune) bool { return !unicode.IsLetter(c) })
	return r.common[text] || r.common[bare] && len(text) <= 2*len(bare)
}

// clue is a word that others know of the person, and what it is.
type clue struct{ name, word string }

// ownWords are the words of the user and the service, none of them empty.
func ownWords(u storage.User) (words []clue) {
	local, _, _ := strings.Cut(u.Email, "@")
	all := []clue{
		{"the service's name", "signet"},
		{"the username", u.Username},
		{"the e-mail address", u.Email},
		{"the e-mail address", local},
		{"the phone number", strings.TrimPrefix(u.Phone, "+")},
	}
	for name := range strings.FieldsSeq(u.Profile.Name + " " + u.Profile.GivenName + " " + u.Profile.FamilyName + " " + u.Profile.Nickname) {
		all = append(all, clue{"the user's name", name})
	}
	for _, w := range all {
		if w.word = cases.Fold().String(norm.NFC.String(w.word)); w.word != "" {
			words = append(words, w)
		}
	}
	return words
}

// ownWord names what of the user or the service text contains, or returns "". Words of one to three characters are no
// clue inside a longer password, and only refused alone.
func ownWord(text string, u storage.User) string {
	for _, w := range ownWords(u) {
		if text == w.word || utf8.RuneCountInString(w.word) >= 4 && strings.Contains(text, w.word) {
			return w.name
		}
	}
	return ""
}

// isPattern reports whether text is one piece of up to four characters over and over, or a run along the alphabet, the digits
// or the rows of a keyboard, forwards or backwards.
func isPattern(text string) bool {
	letters := []rune(text)
	for size := 1; size <= len(letters)/2 && size <= 4; size++ {
		if repeats(letters, size) {
			return true
		}
	}
	for _, row := range []string{
		"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertyuiopasdfghjklzxcvbnm",
		"qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
	} {
		if strings.Contains(row, text) || strings.Contains(reversed(row), text) {
			return true
		}
	}
	return false
}

func repeats(letters []rune, size int) bool {
	for i := size; i < len(letters); i++ {
		if letters[i] != letters[i-size] {
			return false
		}
	}
	return true
}

func reversed(s string) string {
	out := []byte(s) // the rows are ASCII
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// GeneratePassword returns a password of 130 random bits, 26 characters of base32.
func GeneratePassword() storage.Secret { return storage.NewSecret([]byte(rand.Text())) }
