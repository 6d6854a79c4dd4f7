package provider

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// postbox is where a test's mails go.
type postbox struct {
	mu    sync.Mutex
	mails []mail.Message
}

func (p *postbox) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, m)
	return nil
}

// TestPeopleAreMailedWhatHappensToTheirAccounts: what an act leaves in the outbox arrives, with no part of a secret in it.
func TestPeopleAreMailedWhatHappensToTheirAccounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: h.clock})
	h.must(err)
	defer store.Close()
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	h.must(err)
	box := &postbox{}
	p, err := New(t.Context(), Config{Issuer: "https://id.example.com", Clock: h.clock, MailTransport: box, MailFrom: "no-reply@example.com"}, store, sealer)
	h.must(err)
	by := account.By{Actor: "test"}
	ada, err := p.People().Create(t.Context(), storage.User{Username: "ada", Email: "ada@example.org"}, storage.Secret{}, by)
	h.must(err)

	h.must(p.People().SetPassword(t.Context(), ada.ID, account.GeneratePassword(), by))
	secret, _, err := p.People().EnrollTOTP(t.Context(), ada.ID, "phone", by)
	h.must(err)
	code, err := account.OneTimeCode(secret, h.clock())
	h.must(err)
	_, err = p.People().ConfirmTOTP(t.Context(), ada.ID, code, by)
	h.must(err)
	_, err = p.People().RemoveFactors(t.Context(), ada.ID, by)
	h.must(err)
	h.must(p.deliver(t.Context()))

	subjects := map[string]bool{}
	for _, m := range box.mails {
		subjects[m.Subject] = m.To == "ada@example.org" && m.From.Address == "no-reply@example.com"
	}
	for _, subject := range []string{"Your password was changed", "A second factor was added to your account", "Your second factor was removed"} {
		if !subjects[subject] {
			t.Errorf("nobody was told: %s", subject)
		}
	}
	if len(box.mails) != 3 {
		t.Errorf("%d mails", len(box.mails))
	}
}

// TestAMailBringsTheLinkOfItsTicket for as long as it says, made when the mail leaves: the same when it leaves again, and none once it
// would open nothing. Whoever asks in vain leaves as much behind, and nobody is mailed.
func TestAMailBringsTheLinkOfItsTicket(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: h.clock})
	h.must(err)
	defer store.Close()
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	h.must(err)
	box := &postbox{}
	p, err := New(t.Context(), Config{Issuer: "https://id.example.com", Clock: h.clock, MailTransport: box, MailFrom: "no-reply@example.com"}, store, sealer)
	h.must(err)
	by := account.By{Actor: "test"}
	ada, err := p.People().Create(t.Context(), storage.User{Username: "ada", Email: "ada@example.org"}, storage.Secret{}, by)
	h.must(err)
	ask := func(login string) storage.Letter {
		h.must(p.People().AskToReset(t.Context(), throttle.New(store), throttle.Caller{Address: "192.0.2.1"}, login, "", by))
		letters, err := store.ClaimLetters(t.Context(), 10, time.Minute)
		h.must(err)
		if len(letters) != 1 || strings.Contains(fmt.Sprint(letters), "sml_") {
			t.Fatalf("the outbox has %+v", letters)
		}
		return letters[0]
	}

	letter, asked := ask("ada"), h.clock()
	h.must(p.send(t.Context(), letter))
	h.must(p.send(t.Context(), letter)) // as a node does that did not hear of the first
	if len(box.mails) != 2 || box.mails[0].Text != box.mails[1].Text || box.mails[0].ID != box.mails[1].ID {
		t.Fatalf("%+v", box.mails)
	}
	text := box.mails[0].Text
	link := regexp.MustCompile(`(?m)^https://id\.example\.com/recover\?link=(sml_\S+)$`).FindStringSubmatch(text)
	if link == nil || box.mails[0].To != "ada@example.org" {
		t.Fatalf("no link in it, or to somebody else:\n%s", text)
	}
	ticket, err := p.People().OpenLink(link[1])
	h.must(err)
	if _, signIn, err := p.People().Resetting(t.Context(), ticket); err != nil || signIn.User.ID != ada.ID {
		t.Errorf("it resets the password of %s: %v", signIn.User.ID, err)
	}
	if until := asked.Add(account.LinkLifetime).Format("2006-01-02 15:04 UTC"); !strings.Contains(text, fmt.Sprintf("%.0f minutes only: until %s", account.LinkLifetime.Minutes(), until)) {
		t.Errorf("links serve for %s, and the mail says:\n%s", account.LinkLifetime, text)
	}

	h.must(p.send(t.Context(), ask("nobody@example.org")))
	late := ask("ada")
	h.advance(account.LinkLifetime)
	h.must(p.send(t.Context(), late))
	if letters, err := store.ClaimLetters(t.Context(), 10, time.Minute); err != nil || len(letters) != 0 || len(box.mails) != 2 {
		t.Errorf("%d letters wait, %d mails: %v", len(letters), len(box.mails), err)
	}
}

func TestMailNeedsASender(t *testing.T) {
	t.Parallel()
	c := Config{Issuer: "https://id.example.com", MailTransport: &postbox{}}
	if c.Validate() == nil {
		t.Error("without one it is valid")
	}
	if c.MailFrom = "Example <no-reply@example.com>"; c.Validate() != nil {
		t.Error(c.Validate())
	}
}
