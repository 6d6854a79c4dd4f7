package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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

	// Link makes the address that a ticket opens: below the issuer, and of one ticket always one that serves it. An error that is
	// ErrNoLink ends the letter. No other part of a mail is a secret, and no table and no log holds it. nil: letters that bring a link wait.
	Link func(ctx context.Context, ticketID storage.ID) (string, error)
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
	if c.Link == nil {
		m.config.Link = func(context.Context, storage.ID) (string, error) { return "", errUnknown }
	}
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

// Deliver does with a claimed letter what is to be done. It is sent to the address that it names, or to that which the user has now;
// without one, or with a link that has ended meanwhile, it is finished, and nobody is told. A mail that is not taken is tried again,
// after ten seconds at first and every quarter of an hour in the end, and dropped with an event of kind mail.undelivered after three
// days, or at once where the server says that the address is no good. A call takes 45 seconds at most: run each in a goroutine of its
// own, under a lease of a minute. The error says why the letter was not delivered, for the log; what follows from it is done already.
//
// A letter goes out at least once: where the server took it and the end of that was not heard, it goes out again, with the same
// Message-ID.
func (m *Mail) Deliver(ctx context.Context, letter storage.Letter) error {
	now := m.config.Clock()
	var err error
	switch {
	case letter.Kind == nothingHere:
	case m.config.Transport == nil:
		m.tell(ctx, letter)
	default:
		var person storage.SignIn
		if person, err = m.personOf(ctx, letter); err == nil {
			err = m.send(ctx, letter, person.User)
		}
		if !person.Now.IsZero() {
			now = person.Now // the clock that the letter was stamped by
		}
	}
	if errors.Is(err, errNobody) || errors.Is(err, ErrNoLink) {
		m.config.Logger.DebugContext(ctx, "a letter that is no mail", slog.String("kind", letter.Kind), slog.String("user_id", letter.UserID.String()), slog.Any("why", err))
		err = nil
	}
	switch {
	case err == nil: // a server that stops finishes what was sent: else it would be sent again
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
		defer cancel()
		return m.store.FinishLetter(ctx, letter.ID, letter.Attempt)
	case ctx.Err() != nil: // and leaves what was not to its lease
		return err
	case permanent(err) || now.Sub(letter.CreatedAt) > giveUp:
		return errors.Join(err, m.drop(ctx, letter, err))
	}
	return errors.Join(err, m.store.RetryLetter(ctx, letter.ID, letter.Attempt, retryAfter(letter.Attempt)))
}

// errNobody: there is no address to send it to.
var errNobody = errors.New("mail: nobody with an e-mail address")

// personOf is the user whom a letter is about; zero where there is none, or none any more.
func (m *Mail) personOf(ctx context.Context, letter storage.Letter) (storage.SignIn, error) {
	if letter.UserID.IsZero() {
		return storage.SignIn{}, nil
	}
	person, err := m.store.FindUser(ctx, letter.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return person, err
}

// tell writes a letter to the log. A link is a secret, and has no place there.
func (m *Mail) tell(ctx context.Context, letter storage.Letter) {
	about := []any{slog.String("kind", letter.Kind), slog.String("user_id", letter.UserID.String())}
	if kinds()[letter.Kind].ticket {
		m.config.Logger.WarnContext(ctx, "a mail with a link was not sent: there is no mail server, and a log is no place for it; set SIGNET_SMTP_URL", about...)
		return
	}
	data := maps.Clone(letter.Data)
	delete(data, storage.LetterTo)
	m.config.Logger.InfoContext(ctx, "letter", append(about, slog.Any("data", data))...)
}

// send makes the mail and hands it over.
func (m *Mail) send(ctx context.Context, letter storage.Letter, person storage.User) error {
	to := cmp.Or(letter.Data[storage.LetterTo], person.Email)
	if to == "" {
		return errNobody
	}
	message, err := m.compose(ctx, letter, to, person)
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
	return errors.Is(err, errAddress) || errors.Is(err, errNoTicket) || errors.As(err, &f) && f.Reason == ReasonRecipient
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
