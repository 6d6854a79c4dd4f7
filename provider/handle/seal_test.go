package handle

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestASealedTextOpensUneditedAndForItsUseAlone(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1, 2)
	const body = "what it says"
	uses := []Use{UseTransaction, UseForm, UseDevice}
	for _, use := range uses {
		good, err := m.Seal(use, []byte(body))
		if err != nil || !strings.HasPrefix(good, string(use)) {
			t.Fatalf("%q, %v", good, err)
		}
		if got, err := m.Open(use, good); err != nil || string(got) != body {
			t.Fatalf("%q, %v", got, err)
		}
		if again, _ := m.Seal(use, []byte(body)); again == good {
			t.Error("the same body twice gives the same text")
		}
		for _, other := range uses {
			for _, text := range []string{good, string(other) + good[4:]} {
				if got, err := m.Open(other, text); other != use && (!errors.Is(err, ErrForged) || got != nil) {
					t.Errorf("%q opens for %s: %v, want ErrForged", text, other, err)
				}
			}
		}
		if _, err := m.OpenAccess("sat_" + good[4:]); !errors.Is(err, ErrForged) {
			t.Errorf("%s opens as an access token: %v", use, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(good[4:])
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(raw) * 8 {
			raw[i/8] ^= 1 << (i % 8)
			if got, err := m.Open(use, string(use)+base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, ErrForged) || got != nil {
				t.Fatalf("it opens with bit %d changed: %v, want ErrForged", i, err)
			}
			raw[i/8] ^= 1 << (i % 8)
		}
	}
	access, err := m.SealAccess([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, none := range []Use{"", "sat_", "srt_", "stx"} {
		if _, err := m.Open(none, string(none)+access[4:]); !errors.Is(err, ErrForged) {
			t.Errorf("the use %q opens an access token: %v", none, err)
		}
		if text, err := m.Seal(none, []byte(body)); err == nil {
			t.Errorf("the use %q makes %q", none, text)
		}
	}
}

func TestACodeIsToldFromAGuessByItsSecretAndItsChallenge(t *testing.T) {
	t.Parallel()
	a, b := storage.NewSecret([]byte("0123456789abcdef")), storage.NewSecret([]byte("0123456789abcdeg"))
	want := CodeDigest(a, "challenge")
	if !want.Equal(CodeDigest(a, "challenge")) {
		t.Error("the same code has two digests")
	}
	for _, other := range []storage.Digest{CodeDigest(b, "challenge"), CodeDigest(a, "Challenge"), CodeDigest(a, ""), SecretDigest(a)} {
		if other == want {
			t.Error("another secret, or another challenge, gives the same digest")
		}
	}
}
