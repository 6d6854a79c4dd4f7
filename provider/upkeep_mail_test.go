package provider

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/mail"
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
