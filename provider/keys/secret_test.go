package keys

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// secretText is a secret key of 32 distinct bytes from first on.
func secretText(first byte) string {
	key := make([]byte, 32)
	for i := range key {
		key[i] = first + byte(i)
	}
	return base64.StdEncoding.EncodeToString(key)
}

func sealer(t testing.TB, text string) *Sealer {
	t.Helper()
	s, err := ParseSecretKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecretKeysAreReadInEveryBase64(t *testing.T) {
	t.Parallel()
	std := secretText(0xe0) // has + and /
	if !strings.ContainsAny(std, "+/") {
		t.Fatal("the example shows no difference between the alphabets")
	}
	url := strings.NewReplacer("+", "-", "/", "_").Replace(std)
	want := sealer(t, std).ids()
	for _, text := range []string{std, strings.TrimRight(std, "="), url, strings.TrimRight(url, "="), " " + std + "\n"} {
		if got := sealer(t, text).ids(); got != want {
			t.Errorf("%q: read as key %s, want %s", text, got, want)
		}
	}
	if first, second := GenerateSecretKey(), GenerateSecretKey(); first == second {
		t.Error("two generated secret keys are equal")
	}
	sealer(t, GenerateSecretKey())
}

func TestABadSecretKeyIsExplainedAndNotShown(t *testing.T) {
	t.Parallel()
	good := secretText(7)
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "is empty"},
		{"short", base64.StdEncoding.EncodeToString([]byte("0123456789abcde")), "it holds 15 bytes"},
		{"long", base64.StdEncoding.EncodeToString(make([]byte, 33)), "it holds 33 bytes"},
		{"hexadecimal", hex.EncodeToString([]byte("0123456789abcdef0123456789abcdef")), "64 hexadecimal digits"},
		{"not base64", "correct horse battery staple!", "not base64"},
		{"line break", good[:20] + "\n" + good[20:], "line break"},
		{"spare bits", good[:42] + "/" + "=", "not base64"},
		{"trailing comma", good + ",", "secret key 2: there is nothing"},
		{"twice", good + "," + good, "secret key 2 is the same as secret key 1"},
		{"constant", base64.StdEncoding.EncodeToString(make([]byte, 32)), "no secret"},
		{"second is bad", good + ",YWJj", "secret key 2: it holds 3 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseSecretKeys(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			for _, part := range strings.Split(strings.TrimSpace(c.text), ",") {
				if len(part) > 8 && strings.Contains(err.Error(), part) {
					t.Fatalf("the error shows the key: %v", err)
				}
			}
		})
	}
}

func TestSealedValuesOpenUnderTheirRowAlone(t *testing.T) {
	t.Parallel()
	s := sealer(t, secretText(1))
	sealed, err := s.Seal([]byte("seed"), "totp/seed/1")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := s.Open(sealed, "totp/seed/1"); err != nil || string(plain) != "seed" {
		t.Fatalf("open: %q, %v", plain, err)
	}
	if _, err := s.Open(sealed, "totp/seed/2"); !errors.Is(err, ErrTampered) {
		t.Errorf("in another row: %v, want ErrTampered", err)
	}
	again, _ := s.Seal([]byte("seed"), "totp/seed/1")
	if string(again) == string(sealed) {
		t.Error("sealing twice gave the same value")
	}
	for i := range sealed {
		if _, err := s.Open(sealed[:i], "totp/seed/1"); err == nil {
			t.Fatalf("the first %d bytes open", i)
		}
		for bit := range 8 {
			edited := append([]byte(nil), sealed...)
			edited[i] ^= 1 << bit
			_, err := s.Open(edited, "totp/seed/1")
			if !errors.Is(err, ErrTampered) && !errors.Is(err, ErrWrongKey) {
				t.Fatalf("with bit %d of byte %d changed: %v", bit, i, err)
			}
		}
	}
}

func TestWhileRotatingTheNewestSecretKeySealsAndAllOpen(t *testing.T) {
	t.Parallel()
	before, both, after := sealer(t, secretText(1)), sealer(t, secretText(2)+","+secretText(1)), sealer(t, secretText(2))
	old, _ := before.Seal([]byte("a"), "row")
	if _, err := both.Open(old, "row"); err != nil {
		t.Errorf("both keys do not open what the older sealed: %v", err)
	}
	fresh, _ := both.Seal([]byte("a"), "row")
	if _, err := after.Open(fresh, "row"); err != nil {
		t.Errorf("the newer key does not open what both sealed: %v", err)
	}
	if _, err := after.Open(old, "row"); !errors.Is(err, ErrWrongKey) {
		t.Errorf("the newer key on the older's value: %v, want ErrWrongKey", err)
	}
}

// The format of sealed values is pinned, so that no change makes databases unreadable unnoticed.
func TestASealedValueOfTheFirstVersionStillOpens(t *testing.T) {
	t.Parallel()
	sealed, err := hex.DecodeString("0145a67d5d2255da95447aa1cd30a3c1fa987801ab82557a941c6175becdfb2fe59ccacc62")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := sealer(t, secretText(1)).Open(sealed, "totp/seed/1")
	if err != nil || string(plain) != "seed" {
		t.Fatalf("open: %q, %v", plain, err)
	}
}
