package logout

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// letterBackchannel is the kind of the letter to one client about one session. Its data are client_id and session_id.
const letterBackchannel = "backchannel_logout"

// How long a client is told.
const (
	patience   = 40 * time.Second // of one delivery, waiting for its turn included
	firstRetry = 10 * time.Second // doubled each time
	lastRetry  = time.Hour        // and from here on the same
	giveUp     = 24 * time.Hour   // of waiting, in sum
)

// Delivers reports whether Deliver knows letters of this kind.
func Delivers(kind string) bool {
	return kind == storage.LetterSessionEnded || kind == letterBackchannel
}

// Deliver does with a claimed letter what is to be done: one about a session that ended becomes one for each client that wants to hear
// of it, and one of those is sent as a logout token (Back-Channel Logout §2.5). A client that does not take it is tried again, after ten
// seconds at first and every hour in the end; after a day of it the letter is dropped with an event of kind client.logout_undelivered. A
// call takes 40 seconds at most, and mostly none: run each in a goroutine of its own, under a lease of a minute, so that clients do
// not wait for each other. The error says why the letter was not delivered, for the log; what follows from it is done already.
func (l *Logout) Deliver(ctx context.Context, letter storage.Letter) error {
	err := l.deliver(ctx, letter)
	if err == nil || ctx.Err() != nil { // a server that stops leaves the letter to its lease
		return err
	}
	wait, more := retryAfter(letter.Attempt)
	if more {
		return errors.Join(err, l.store.RetryLetter(ctx, letter.ID, letter.Attempt, wait))
	}
	// The event first: a letter that comes back is dropped again, one that is gone is not.
	return errors.Join(err, l.drop(ctx, letter, err))
}

func (l *Logout) deliver(ctx context.Context, letter storage.Letter) error {
	switch letter.Kind {
	case storage.LetterSessionEnded:
		return l.split(ctx, letter)
	case letterBackchannel:
		if err := l.tell(ctx, letter); err != nil {
			return err
		}
		return l.store.FinishLetter(ctx, letter.ID, letter.Attempt)
	}
	return fmt.Errorf("logout: it delivers no letters of kind %s", letter.Kind)
}

// split makes a letter to each client of the session that registered an address for it.
func (l *Logout) split(ctx context.Context, letter storage.Letter) error {
	var into []storage.Letter
	for id := range strings.FieldsSeq(letter.Data["client_ids"]) {
		c, err := l.clients.Find(ctx, id)
		switch {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return err
		case c.Metadata.BackchannelLogoutURI != "":
			into = append(into, storage.Letter{
				Kind: letterBackchannel, UserID: letter.UserID, Data: map[string]string{"client_id": id, "session_id": letter.Data["session_id"]},
			})
		}
	}
	return l.store.SplitLetter(ctx, letter.ID, letter.Attempt, into)
}

// tell sends the logout token. A client that is gone, disabled, or wants none by now has been told.
func (l *Logout) tell(ctx context.Context, letter storage.Letter) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, now, err := l.clients.Lookup(ctx, letter.Data["client_id"])
	uri := c.Metadata.BackchannelLogoutURI
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return err
	case uri == "" || !c.DisabledAt.IsZero():
		return nil
	}
	session, err := storage.ParseID(letter.Data["session_id"])
	if err != nil {
		return err
	}
	token, err := l.issuer.LogoutToken(c, letter.UserID, session, now)
	if err != nil {
		return err
	}
	status, err := l.outbound.PostForm(ctx, uri, url.Values{"logout_token": {token}})
	if err != nil {
		return fmt.Errorf("client %s was not told of a logout: %w", c.ID, err)
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("client %s was not told of a logout: %w", c.ID, refusedBy(status))
	}
	return nil
}

// refusedBy is the status with which a client refused a logout token.
type refusedBy int

func (s refusedBy) Error() string { return "it answered with status " + strconv.Itoa(int(s)) }

// retryAfter is how long to wait after an attempt, the first being 1, and whether to try again at all.
func retryAfter(attempt int) (wait time.Duration, more bool) {
	var waited time.Duration
	wait = firstRetry
	for n := 1; n <= attempt && waited <= giveUp; n++ {
		if n > 1 {
			wait = min(2*wait, lastRetry)
		}
		waited += wait
	}
	return wait, waited <= giveUp
}

// drop gives a letter up, for an operator to see.
func (l *Logout) drop(ctx context.Context, letter storage.Letter, why error) error {
	detail := map[string]string{"session_id": letter.Data["session_id"], "attempts": strconv.Itoa(letter.Attempt), "why": inWords(why)}
	err := l.store.RecordEvents(ctx, []storage.Event{{
		Kind: "client.logout_undelivered", Actor: "server", UserID: letter.UserID, ClientID: letter.Data["client_id"], Detail: detail,
	}})
	if err != nil {
		return errors.Join(err, l.store.RetryLetter(ctx, letter.ID, letter.Attempt, lastRetry))
	}
	return l.store.FinishLetter(ctx, letter.ID, letter.Attempt)
}

// inWords is a cause for the audit log, where no text of a library or a peer belongs.
func inWords(why error) string {
	var status refusedBy
	switch {
	case errors.As(why, &status):
		return status.Error()
	case errors.Is(why, outbound.ErrRefused):
		return "its address may not be reached; SIGNET_OUTBOUND_ALLOW names what may be besides the public Internet"
	case errors.Is(why, outbound.ErrUnreachable), errors.Is(why, outbound.ErrResting), errors.Is(why, context.DeadlineExceeded):
		return "it did not answer"
	}
	return "the server could not do it"
}
