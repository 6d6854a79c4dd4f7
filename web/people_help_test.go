package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/logout"
	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/storage"
)

// eachSet is each, with settings.
func eachSet(t *testing.T, test func(w *world), edit ...func(*provider.Config)) {
	t.Helper()
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			test(newWorld(t, engine, open(t, c.Now), c, edit...))
		})
	}
}

func openToAll(c *provider.Config)   { c.SignUp = account.SignUpOn }
func invitedOnly(c *provider.Config) { c.SignUp = account.SignUpInvite }

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

// mails delivers what is in the outbox to people, and returns it as they get it. What goes to apps is let go.
func (w *world) mails() []mail.Message {
	w.Helper()
	box := &postbox{}
	office, err := mail.New(w.store, mail.Config{
		Issuer: issuerURL, Transport: box, From: "no-reply@example.com", Clock: w.clock.Now,
		Link: func(ctx context.Context, id storage.ID) (string, error) {
			link, err := w.provider.People().MailLink(ctx, id)
			if errors.Is(err, account.ErrLink) {
				err = fmt.Errorf("%w (%w)", mail.ErrNoLink, err)
			}
			return link, err
		},
	})
	w.must(err)
	for {
		letters, err := w.store.ClaimLetters(w.Context(), 50, 1e9)
		w.must(err)
		if len(letters) == 0 {
			return box.mails
		}
		for _, l := range letters {
			if logout.Delivers(l.Kind) {
				w.must(w.store.FinishLetter(w.Context(), l.ID, l.Attempt))
				continue
			}
			w.must(office.Deliver(w.Context(), l))
		}
	}
}

// mailTo is the only mail that waits, which goes to the address.
func (w *world) mailTo(address string) mail.Message {
	w.Helper()
	all := w.mails()
	if len(all) != 1 || all[0].To != address {
		for _, m := range all {
			w.Logf("to %s: %s", m.To, m.Subject)
		}
		w.Fatalf("%d mails wait, want one to %s", len(all), address)
	}
	return all[0]
}

// linkIn is the link that the mail brings: one on a line of its own, of the issuer.
func (w *world) linkIn(m mail.Message) string {
	w.Helper()
	for line := range strings.Lines(m.Text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, issuerURL+"/") && strings.Contains(line, "?link=sml_") {
			return line
		}
	}
	w.Fatalf("the mail %q brings no link:\n%s", m.Subject, m.Text)
	return ""
}

// open opens a mailed link, whose secret, if it still is one, must not stand in the address afterwards.
func (b *browser) open(link string) page {
	b.Helper()
	if b.visit(link); b.page.status != 410 && strings.Contains(b.page.url.String(), "link=") || strings.Contains(b.page.raw, "sml_") {
		b.Errorf("the link stands in the address, or on the page: %s", b.page.url)
	}
	return b.page
}

// lapsed asserts that the page says that the link does not work, and leads to where there is another.
func (b *browser) lapsed(what, again string) {
	b.Helper()
	if p := b.page; p.status != 410 || p.h1 != "This link does not work any more" || !p.says(`href="`+again+`"`) {
		b.Errorf("%s: %d %q at %s", what, p.status, p.h1, p.url)
	}
}

// written is all that people can leave behind: to see that something left nothing.
func (w *world) written() string {
	w.Helper()
	users, err := w.store.ListUsers(w.Context(), storage.ID{}, 100)
	w.must(err)
	events, err := w.store.ListEvents(w.Context(), storage.EventFilter{Limit: 200})
	w.must(err)
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintln(&b, u.ID, u.Revision, u.Username, u.Email, u.EmailVerified)
	}
	for _, e := range events {
		fmt.Fprintln(&b, e.ID, e.Kind)
	}
	return b.String()
}

// chosen fills in a new password, twice.
func chosen(password string, pairs ...string) []string {
	return append([]string{"password", password, "again", password}, pairs...)
}

const newPassword = "quince ladder umbrella 5 violins"

// signInWith answers the sign-in page with that password.
func (b *browser) signInWith(username, password string) page {
	b.Helper()
	return b.submit("username", username, "password", password)
}

// withoutTokens is a page without what is drawn anew each time.
func (p page) withoutTokens() string {
	text := p.raw
	for _, f := range p.forms {
		for _, name := range []string{"form_token", "tx", "pass"} {
			if v := f.fields.Get(name); v != "" {
				text = strings.ReplaceAll(text, v, "…")
				text = strings.ReplaceAll(text, url.QueryEscape(v), "…")
			}
		}
	}
	return text
}
