package account

import (
	"encoding/base32"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

func rfcSeed() []byte { return []byte("12345678901234567890") }

func TestCodesAreThoseOfRFC6238AppendixB(t *testing.T) {
	t.Parallel()
	for unix, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037",
		20000000000: "65353130",
	} {
		at := time.Unix(unix, 0)
		if got := hotpCode(rfcSeed(), floorStep(at), otp.DigitsEight); got != want {
			t.Errorf("at %d: %s, want %s", unix, got, want)
		}
		if step, ok := MatchStep(rfcSeed(), want[2:], at, 0); !ok || step != unix/30 {
			t.Errorf("at %d: step %d, %v", unix, step, ok)
		}
	}
}

func TestACodeIsGoodForItsStepAndOneOnEitherSide(t *testing.T) {
	t.Parallel()
	const step = 41152263
	code := hotpCode(rfcSeed(), step, otp.DigitsSix)
	for second := int64(-61); second <= 91; second++ {
		at := time.Unix(step*30+second, 0)
		got, ok := MatchStep(rfcSeed(), code, at, 0)
		if want := second >= -30 && second < 60; ok != want || ok && got != step {
			t.Errorf("%d s after its step began: step %d, %v, want %v", second, got, ok, want)
		}
	}
}

func TestAStepServesOnceAndNoneBeforeItAfterwards(t *testing.T) {
	t.Parallel()
	at := time.Unix(1234567890, 0)
	now := floorStep(at)
	for last, wantOK := range map[int64]map[int64]bool{
		0:       {now - 1: true, now: true, now + 1: true},
		now - 2: {now - 1: true, now: true, now + 1: true},
		now - 1: {now - 1: false, now: true, now + 1: true},
		now:     {now - 1: false, now: false, now + 1: true},
		now + 1: {now - 1: false, now: false, now + 1: false},
		now + 9: {now - 1: false, now: false, now + 1: false},
	} {
		for step, want := range wantOK {
			if _, ok := MatchStep(rfcSeed(), hotpCode(rfcSeed(), step, otp.DigitsSix), at, last); ok != want {
				t.Errorf("last step now%+d, code of now%+d: %v, want %v", last-now, step-now, ok, want)
			}
		}
	}
	// The clock was set back a minute: what served is still spent.
	if _, ok := MatchStep(rfcSeed(), hotpCode(rfcSeed(), now, otp.DigitsSix), at.Add(-time.Minute), now); ok {
		t.Error("a clock set back gives a replay")
	}
}

func TestSpellingsOfACodeShareItsStep(t *testing.T) {
	t.Parallel()
	at := time.Unix(1234567890, 0) // the code is 005924
	for spelling, want := range map[string]bool{
		"005924": true, " 005924": true, "005924 ": true, "005 924": true, "005-924": true, "0 0 5 9 2 4": true,
		"０0５924": false, "００５９２４": false, "٠٠٥٩٢٤": false, "5924": false, "05924": false, "0005924": false, "005924\n": false,
		"\t005924": false, "+05924": false, "5924.0": false, "0x1724": false, "": false, " ": false, "005924\x00": false, "00592a": false,
		"005924" + strings.Repeat(" ", 40): false, "89005924": false,
	} {
		step, ok := MatchStep(rfcSeed(), spelling, at, 0)
		if ok != want || ok && step != floorStep(at) {
			t.Errorf("%q: step %d, %v, want %v", spelling, step, ok, want)
		}
		if _, again := MatchStep(rfcSeed(), spelling, at, floorStep(at)); again {
			t.Errorf("%q serves after its step was spent", spelling)
		}
	}
}

func TestAnAppReadsBackWhatWasEnrolled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ issuer, account, shown string }{
		{"https://id.example.org", "ada", "id.example.org"},
		{"http://localhost:8080/tenant", "ada lovelace", "localhost"},
		{"Acme: Sign-in", "a:b/c?d=e&f#g%h", "Acme  Sign-in"},
		{"", "用户", "Signet"},
		{"Smith & Sons+Co=?#%2F", "ada", "Smith & Sons+Co=?#%2F"},
	} {
		seed := newSeed()
		secret, uri := describeSeed(seed, c.issuer, c.account)
		key, err := otp.NewKeyFromURL(uri)
		if err != nil {
			t.Fatal(err)
		}
		if key.Type() != "totp" || key.Issuer() != c.shown || key.AccountName() != c.account || key.Secret() != secret ||
			key.Period() != 30 || key.Digits() != otp.DigitsSix || key.Algorithm() != otp.AlgorithmSHA1 {
			t.Errorf("%s reads back as %s of %s", uri, key.AccountName(), key.Issuer())
		}
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
		if err != nil || string(raw) != string(seed) || len(seed) != 20 {
			t.Errorf("the secret %s is not the seed in base32: %v", secret, err)
		}
		at := time.Unix(1700000000, 0)
		code, err := totp.GenerateCode(secret, at)
		if err != nil {
			t.Fatal(err)
		}
		if step, ok := MatchStep(seed, code, at, 0); !ok || step != floorStep(at) {
			t.Errorf("the app's code does not match: step %d, %v", step, ok)
		}
	}
}

func FuzzOTPAuthURI(f *testing.F) {
	f.Add("https://id.example.org", "ada")
	f.Add("a:b", ":::")
	f.Add("%", "%2F?#")
	f.Fuzz(func(t *testing.T, issuer, username string) {
		if _, err := CanonicalUsername(username); err != nil {
			return // only stored users enroll
		}
		secret, uri := describeSeed(newSeed(), issuer, username)
		parsed, err := url.Parse(uri)
		if err != nil || parsed.Scheme != "otpauth" || parsed.Host != "totp" || parsed.Fragment != "" || parsed.Query().Get("secret") != secret {
			t.Fatalf("issuer %q, username %q make %q: %v", issuer, username, uri, err)
		}
		key, err := otp.NewKeyFromURL(uri)
		if err != nil || key.AccountName() != username || key.Issuer() != appName(issuer) || len(parsed.Query()) != 5 {
			t.Fatalf("username %q reads back as %q from %q", username, key.AccountName(), uri)
		}
	})
}

func FuzzCodeForm(f *testing.F) {
	for _, seed := range []string{"123456", " 123 456 ", "１２３４５６", "12345", "-1-2-3-4-5-6-", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, code string) {
		digits, ok := codeDigits(code)
		if !ok {
			return
		}
		if len(digits) != 6 || strings.Trim(digits, "0123456789") != "" || strings.Trim(code, "0123456789 -") != "" {
			t.Fatalf("%q is taken as the code %q", code, digits)
		}
	})
}
