package handle

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestAccessTokensOpenUneditedAlone(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1, 2)
	const claims = `{"sub":"ada"}`
	good, err := m.SealAccess([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.OpenAccess(good); err != nil || string(got) != claims {
		t.Fatalf("%q, %v", got, err)
	}
	if again, _ := m.SealAccess([]byte(claims)); again == good || strings.Contains(again, base64.RawURLEncoding.EncodeToString([]byte(claims))) {
		t.Error("the same claims twice give the same text, or show")
	}
	refuse := func(text, why string) {
		t.Helper()
		if got, err := m.OpenAccess(text); !errors.Is(err, ErrForged) || got != nil {
			t.Fatalf("%s: %q opens (%v), want ErrForged", why, text, err)
		}
	}
	for i := range good {
		refuse(good[:i], "cut")
		refuse(good[:i]+good[i+1:], "one character fewer")
		for _, c := range []byte(alphabet + "=.+/ \r\n") {
			if c != good[i] {
				refuse(good[:i]+string(c)+good[i+1:], "one character changed")
			}
			refuse(good[:i]+string(c)+good[i:], "one character more")
		}
	}
	for _, more := range []string{"A", "=", "\n", good} {
		refuse(good+more, "more after it")
	}
	other, err := New(keyring{fixedKey(t, 2, "https://other.example")}).SealAccess([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	refuse(other, "another issuer")
	refuse("sat_"+strings.Repeat("A", 1<<16), "too long")
}

func TestAccessTokensEndWhereTheyCouldNotBeReadBack(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1)
	last := 0
	for size := 6000; size < 6300; size++ {
		text, err := m.SealAccess(make([]byte, size))
		if err != nil {
			if !errors.Is(err, ErrTooLong) {
				t.Fatal(err)
			}
			break
		}
		if got, err := m.OpenAccess(text); err != nil || len(got) != size {
			t.Fatalf("claims of %d bytes are sealed and do not open: %v", size, err)
		}
		last = len(text)
	}
	if last < 8<<10-2 || last > 8<<10 {
		t.Errorf("the longest token has %d bytes, want 8 KiB", last)
	}
}

func TestAJTINamesOneTokenAndHidesIt(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1)
	id := example().Grant
	seen := map[string]bool{}
	for _, ofGrant := range []bool{true, false} {
		for _, serial := range []int64{0, 1, 77, -1, math.MaxInt64, math.MinInt64} {
			text := m.JTI(id, ofGrant, serial)
			if len(text) != 59 || text != m.JTI(id, ofGrant, serial) {
				t.Errorf("%q is not 59 characters, or not always the same", text)
			}
			if seen[text[4:40]] {
				t.Errorf("%q begins as another one of the same grant", text)
			}
			seen[text[4:40]] = true
			gotID, gotOf, gotSerial, err := m.ParseJTI(text)
			if err != nil || gotID != id || gotOf != ofGrant || gotSerial != serial {
				t.Errorf("%v %v %d, %v, want %v %v %d", gotID, gotOf, gotSerial, err, id, ofGrant, serial)
			}
		}
	}
	if _, _, _, err := m.ParseJTI(wrap(m.keys.Current(), jtiDomain, append([]byte{2}, make([]byte, jtiSize-1)...))); !errors.Is(err, ErrForged) {
		t.Errorf("a kind of token that there is not: %v, want ErrForged", err)
	}
	good := m.JTI(id, true, 77)
	for i := range good {
		for _, c := range []byte(alphabet + "=.+/\n") {
			if c == good[i] {
				continue
			}
			for _, text := range []string{good[:i] + string(c) + good[i+1:], good[:i] + string(c) + good[i:], good[:i]} {
				if gotID, _, _, err := m.ParseJTI(text); !errors.Is(err, ErrForged) || gotID != (storage.ID{}) {
					t.Fatalf("%q parses (%v), want ErrForged", text, err)
				}
			}
		}
	}
}

func FuzzParseJTI(f *testing.F) {
	m := fixedMint(f, 1)
	good := m.JTI(example().Grant, true, 77)
	f.Add(good)
	f.Add(m.JTI(example().Grant, false, -1))
	f.Add(good[:58])
	f.Add("jti_" + good)
	f.Fuzz(func(t *testing.T, text string) {
		id, ofGrant, serial, err := m.ParseJTI(text)
		if err != nil {
			if !errors.Is(err, ErrForged) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again := m.JTI(id, ofGrant, serial); again != text {
			t.Errorf("%q parses, and makes %q", text, again)
		}
	})
}

func FuzzOpenAccess(f *testing.F) {
	m := fixedMint(f, 1)
	const claims = `{"sub":"ada"}`
	good, err := m.SealAccess([]byte(claims))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("sat_")
	f.Add("srt_" + good[4:])
	f.Fuzz(func(t *testing.T, text string) {
		got, err := m.OpenAccess(text)
		if err == nil && string(got) != claims {
			t.Errorf("%q opens as %q, which was never sealed", text, got)
		}
		if err != nil && !errors.Is(err, ErrForged) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func BenchmarkSealAccess(b *testing.B) {
	m, claims := fixedMint(b, 1), make([]byte, 400)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.SealAccess(claims); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenAccess(b *testing.B) {
	m := fixedMint(b, 1)
	text, err := m.SealAccess(make([]byte, 400))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.OpenAccess(text); err != nil {
			b.Fatal(err)
		}
	}
}
