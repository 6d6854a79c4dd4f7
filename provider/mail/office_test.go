package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// office is a post office over a real store, with a clock that the test moves and a mail server.
type office struct {
	*testing.T
	*Mail
	store *sqlite.Store
	log   lockedBuffer

	mu     sync.Mutex
	now    time.Time
	ended  map[storage.ID]bool // tickets whose links open nothing any more
	sent   int
	failed []string
}

// lockedBuffer is a log that goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func (o *office) MailSent() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent++
}

func (o *office) MailFailed(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = append(o.failed, reason)
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// link is what a ticket opens, until it has ended.
func (o *office) link(_ context.Context, ticketID storage.ID) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended[ticketID] {
		return "", fmt.Errorf("the ticket: %w", ErrNoLink)
	}
	return issuer + "/recover?link=sml_" + ticketID.String(), nil
}

func (o *office) end(ticketID storage.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended[ticketID] = true
}

// newOffice sends by transport; nil: to the log.
func newOffice(t *testing.T, transport Transport) *office {
	t.Helper()
	o := &office{T: t, now: time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC), ended: map[storage.ID]bool{}}
	var err error
	o.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: o.clock})
	o.must(err)
	t.Cleanup(func() { _ = o.store.Close() })
	o.Mail, err = New(o.store, Config{
		Issuer: issuer, Transport: transport, From: "Example <no-reply@example.com>", Clock: o.clock, Observer: o, Link: o.link,
		Logger: slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	o.must(err)
	o.must(o.store.CreateClient(t.Context(), storage.Client{ID: "shop", Metadata: storage.ClientMetadata{Name: "The <Shop>"}}, storage.Also{}))
	return o
}

// user makes one with an e-mail address, which is checked by nobody here.
func (o *office) user(username, email string) storage.ID {
	o.Helper()
	id := storage.ID(uuid.Must(uuid.NewV7()))
	o.must(o.store.CreateUser(o.Context(), storage.User{ID: id, Username: username, Email: email, Logins: []string{id.String()}}, "", storage.Also{}))
	return id
}

// write puts a letter into the outbox.
func (o *office) write(kind string, user storage.ID, data map[string]string) {
	o.Helper()
	_, err := o.store.RevokeGrants(o.Context(), storage.GrantsOf{ClientID: "shop"}, storage.Revocation{
		Reason: storage.ReasonUser, Also: storage.Also{Letters: []storage.Letter{{Kind: kind, UserID: user, Data: data}}},
	})
	o.must(err)
}

// claim takes all letters that are due.
func (o *office) claim() []storage.Letter {
	o.Helper()
	letters, err := o.store.ClaimLetters(o.Context(), 100, time.Minute)
	o.must(err)
	return letters
}

// deliverDue delivers what is due, a letter after the other, and returns how many there were and what went wrong.
func (o *office) deliverDue() (int, error) {
	o.Helper()
	var all error
	letters := o.claim()
	for _, l := range letters {
		all = errors.Join(all, o.Deliver(o.Context(), l))
	}
	return len(letters), all
}

func (o *office) events(kind string) []storage.Event {
	o.Helper()
	events, err := o.store.ListEvents(o.Context(), storage.EventFilter{Kind: kind, Limit: 100})
	o.must(err)
	return events
}
