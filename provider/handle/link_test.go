package handle

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestLinksOpenUneditedAlone(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1, 2)
	ticket, expires := storage.ID{1, 2, 3, 15: 9}, time.Unix(1_700_000_000, 999)
	good := m.Link(ticket, expires)
	if len(good) != 62 || !strings.HasPrefix(good, "sml_") || good != m.Link(ticket, expires) {
		t.Fatalf("the link is %q, then %q", good, m.Link(ticket, expires))
	}
	if got, until, err := m.ParseLink(good); err != nil || got != ticket || !until.Equal(time.Unix(1_700_000_000, 0)) {
		t.Fatalf("%v until %v, %v", got, until, err)
	}
	if m.Link(ticket, expires.Add(time.Second)) == good || m.Link(storage.ID{1}, expires) == good {
		t.Error("two links are one text")
	}
	refuse := func(text, why string) {
		t.Helper()
		if got, until, err := m.ParseLink(text); !errors.Is(err, ErrForged) || !got.IsZero() || !until.IsZero() {
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
	refuse(New(keyring{fixedKey(t, 2, "https://other.example")}).Link(ticket, expires), "another issuer")
	refuse(fixedMint(t, 3).Link(ticket, expires), "a key that is gone")
}

func TestALinkIsNothingElse(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1)
	link := m.Link(storage.ID{1}, time.Unix(1, 0))
	jti := m.JTI(storage.ID{1}, true, 1)
	for _, text := range []string{jti, UseLink + jti, UseLink + jti[:58]} {
		if _, _, err := m.ParseLink(text); !errors.Is(err, ErrForged) {
			t.Errorf("%q is taken for a link", text)
		}
	}
	if _, _, _, err := m.ParseJTI(link[4:]); !errors.Is(err, ErrForged) {
		t.Error("a link is taken for a jti")
	}
	for _, use := range []Use{UseTransaction, UseForm, UseDevice, UseLink} {
		if _, err := m.Open(use, string(use)+link[4:]); !errors.Is(err, ErrForged) {
			t.Errorf("a link is taken for %s", use)
		}
	}
	for _, kind := range []Kind{Refresh, Code, Device, MFA, UseLink} {
		if _, err := m.Parse(kind, string(kind)+link[4:]); !errors.Is(err, ErrForged) {
			t.Errorf("a link is taken for %s", kind)
		}
	}
}
