package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strconv"
	"time"

	"github.com/signet-idp/signet/storage"
)

// How long a person is told.
const (
	firstRetry = 10 * time.Second // doubled each time
	lastRetry  = 15 * time.Minute
	giveUp     = 72 * time.Hour // after the letter was written
	finish     = 5 * time.Second
)

// Store is the part of the store that this room uses.
type Store interface {
	FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error)
	FindClient(ctx context.Context, id string) (storage.Client, time.Time, error)
	RecordEvents(ctx context.Context, events []storage.Event) error
	FinishLetter(ctx context.Context, id storage.ID, attempt int) error
	RetryLetter(ctx context.Context, id storage.ID, attempt int, wait time.Duration) error
}

// Transport takes mails to where people read them.
type Transport interface {
	// Send returns when the mail was taken, or why it was not: a *Failure. It may be called by several goroutines at once.
	Send(ctx context.Context, m Message) error
}

// Observer hears what becomes of mails, for metrics. The words it is given are the Reasons.
type Observer interface {
	MailSent()
	MailFailed(reason string)
}

// Config is what mails are made and sent by.
type Config struct {
	Issuer    string
	Transport Transport        // nil: letters go to the log
	From      string           // see ParseFrom; not used without Transport
	Clock     func() time.Time // by which the server rests; nil: time.Now
	Logger    *slog.Logger     // nil: slog.Default()
	Observer  Observer         // nil: nobody
}

// Mail delivers letters to people.
type Mail struct {
	store  Store
	config Config
	from   *mail.Address
	gate   *gate
	writer *writer
}

// New makes the service. It fails where the sender is none, or where a text or template is damaged: every mail is made once here, so
// that a missing field stops the start and not a letter.
func New(store Store, c Config) (*Mail, error) {
	m := &Mail{store: store, config: c}
	if c.Clock == nil {
		m.config.Clock = time.Now
	}
	m.config.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Transport == nil {
		return m, nil
	}
	var err error
	if m.from, err = ParseFrom(c.From); err != nil {
		return nil, fmt.Errorf("mail: the sender %w", err)
	}
	if m.writer, err = newWriter(c.Issuer); err != nil {
		return nil, err
	}
	m.gate = newGate(m.config.Clock)
	return m, nil
}

// errUnknown: a letter of another version of this program.
var errUnknown = errors.New("mail: there is no mail of this kind in this version")

// Deliver does with a claimed letter what is to be done. It is sent to the address that the user has now; without one it is finished,
// and nobody is told. A mail that is not taken is tried again, after ten seconds at first and every quarter of an hour in the end, and
// dropped with an event of kind mail.undelivered after three days, or at once where the server says that the address is no good. A call
// takes 45 seconds at most: run each in a goroutine of its own, under a lease of a minute. The error says why the letter was not
// delivered, for the log; what follows from it is done already.
//
// A letter goes out at least once: where the server took it and the end of that was not heard, it goes out again, with the same
// Message-ID.
func (m *Mail) Deliver(ctx context.Context, letter storage.Letter) error {
	if m.config.Transport == nil {
		m.config.Logger.InfoContext(ctx, "letter", slog.String("kind", letter.Kind), slog.String("user_id", letter.UserID.String()), slog.Any("data", letter.Data))
		return m.store.FinishLetter(ctx, letter.ID, letter.Attempt)
	}
	to, err := m.store.FindUser(ctx, letter.UserID)
	if err == nil && to.User.Email != "" {
		err = m.send(ctx, letter, to.User)
	} else if err == nil || errors.Is(err, storage.ErrNotFound) {
		m.config.Logger.DebugContext(ctx, "a letter to somebody without an e-mail address", slog.String("kind", letter.Kind), slog.String("user_id", letter.UserID.String()))
		err = nil
	}
	switch {
	case err == nil: // a server that stops finishes what was sent: else it would be sent again
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
		defer cancel()
		return m.store.FinishLetter(ctx, letter.ID, letter.Attempt)
	case ctx.Err() != nil: // and leaves what was not to its lease
		return err
	case permanent(err) || to.Now.Sub(letter.CreatedAt) > giveUp:
		return errors.Join(err, m.drop(ctx, letter, err))
	}
	return errors.Join(err, m.store.RetryLetter(ctx, letter.ID, letter.Attempt, retryAfter(letter.Attempt)))
}

// send makes the mail and hands it over.
func (m *Mail) send(ctx context.Context, letter storage.Letter, to storage.User) error {
	message, err := m.compose(ctx, letter, to)
	if err != nil {
		return err
	}
	if err := m.gate.enter(ctx); err != nil {
		return err
	}
	err = m.hand(ctx, message)
	var f *Failure
	isFailure := errors.As(err, &f)
	m.gate.leave(isFailure && f.host && ctx.Err() == nil)
	switch {
	case m.config.Observer == nil:
	case err == nil:
		m.config.Observer.MailSent()
	case isFailure:
		m.config.Observer.MailFailed(f.Reason)
	}
	return err
}

func (m *Mail) hand(ctx context.Context, message Message) error {
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	return m.config.Transport.Send(ctx, message)
}

// permanent reports whether another attempt would end the same way.
func permanent(err error) bool {
	var f *Failure
	return errors.Is(err, errAddress) || errors.As(err, &f) && f.Reason == ReasonRecipient
}

// retryAfter is how long to wait after an attempt, the first being 1.
func retryAfter(attempt int) time.Duration {
	return min(firstRetry<<min(max(attempt-1, 0), 10), lastRetry)
}

// drop gives a letter up, for an operator to see. The event comes first: a letter that comes back is dropped again, one that is gone
// is not.
func (m *Mail) drop(ctx context.Context, letter storage.Letter, why error) error {
	err := m.store.RecordEvents(ctx, []storage.Event{{
		Kind: "mail.undelivered", Actor: "server", UserID: letter.UserID,
		Detail: map[string]string{"letter": letter.Kind, "attempts": strconv.Itoa(letter.Attempt), "why": inWords(why)},
	}})
	if err != nil {
		return errors.Join(err, m.store.RetryLetter(ctx, letter.ID, letter.Attempt, lastRetry))
	}
	return m.store.FinishLetter(ctx, letter.ID, letter.Attempt)
}
