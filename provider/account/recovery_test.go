package account

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestRecoveryCodesAreReadHoweverTheyAreTyped(t *testing.T) {
	t.Parallel()
	user := newID()
	codes, digests := newRecoveryCodes(user)
	if len(codes) != 10 || len(digests) != 10 {
		t.Fatalf("%d codes, %d digests", len(codes), len(digests))
	}
	form := regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){6}$`)
	seen := map[string]bool{}
	for i, code := range codes {
		if !form.MatchString(code) || seen[code] {
			t.Errorf("code %q", code)
		}
		seen[code] = true
		for _, typed := range []string{
			code, strings.ToUpper(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " "), "  " + code + "\n",
			strings.ReplaceAll(code, "0", "o"), strings.ReplaceAll(code, "0", "O"), strings.ReplaceAll(code, "1", "l"),
			strings.ReplaceAll(code, "1", "I"),
		} {
			if got, err := RecoverySpend(user, typed); err != nil || got != digests[i] {
				t.Errorf("%q typed as %q: %v", code, typed, err)
			}
		}
	}
}

func TestWhatIsNoRecoveryCodeIsWrong(t *testing.T) {
	t.Parallel()
	user := newID()
	codes, _ := newRecoveryCodes(user)
	for _, typed := range []string{"", "-", codes[0][1:], codes[0] + "0", "u" + codes[0][1:], "é" + codes[0][1:], "０" + codes[0][1:], strings.Repeat("0", 1000)} {
		if digest, err := RecoverySpend(user, typed); !errors.Is(err, ErrWrong) || !digest.IsZero() {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func TestARecoveryCodeIsItsUsersAlone(t *testing.T) {
	t.Parallel()
	codes, _ := newRecoveryCodes(storage.ID{1})
	mine, _ := RecoverySpend(storage.ID{1}, codes[0])
	theirs, _ := RecoverySpend(storage.ID{2}, codes[0])
	if mine == theirs {
		t.Error("one code has one digest for two users")
	}
}
