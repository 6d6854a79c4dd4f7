package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-idp/signet/storage"
)

// ripeAt is the key of Letter.Data that says when something will be, in the form of RFC 3339.
const ripeAt = "ripe_at"

// RecordDownload puts into the log that the user, who has just proven who they are, was handed all that is kept of them. Errors are
// the store's.
func (p *People) RecordDownload(ctx context.Context, userID storage.ID, by By) error {
	return p.store.RecordEvents(ctx, []storage.Event{event("user.data_downloaded", userID, by)})
}

// AskToDelete has u, who has just proven who they are, deleted after DeletionDelay, unless they think better of it (KeepAccount).
// Errors: ErrPending, they are to be deleted already; ErrNotFound; the store's.
func (p *People) AskToDelete(ctx context.Context, u storage.User, by By) (storage.Ticket, error) {
	return p.ripen(ctx, u, storage.TicketDeletion, DeletionDelay, "user.deletion_asked", "deletion_asked", by)
}

// ripen issues a ticket that serves after wait, and says to u when.
func (p *People) ripen(
	ctx context.Context, u storage.User, kind storage.TicketKind, wait time.Duration, eventKind, letterKind string, by By,
) (storage.Ticket, error) {
	found, err := p.store.FindUser(ctx, u.ID)
	if err != nil {
		return storage.Ticket{}, translate(err)
	}
	also := storage.Also{Events: []storage.Event{event(eventKind, u.ID, by)}, Letters: letters(letterKind, found.User)}
	for i := range also.Letters {
		also.Letters[i].Data = map[string]string{ripeAt: found.Now.Add(wait).Format(time.RFC3339)}
	}
	t := storage.Ticket{ID: newID(), Kind: kind, UserID: u.ID, Seen: by.Seen}
	t, err = p.store.IssueTicket(ctx, t, wait, recoveryWindow, also)
	if errors.Is(err, storage.ErrTaken) {
		return storage.Ticket{}, fmt.Errorf("%w (%w)", ErrPending, err)
	}
	return t, translate(err)
}

// KeepAccount takes back the wish of u to be deleted, if there is one. Errors are the store's.
func (p *People) KeepAccount(ctx context.Context, u storage.User, by By) error {
	_, err := p.store.WithdrawTickets(ctx, u.ID, storage.TicketDeletion, storage.Also{
		Events:  []storage.Event{event("user.deletion_withdrawn", u.ID, by)},
		Letters: letters("deletion_withdrawn", u),
	})
	return err
}

// eraseBatch is how many users EraseRipe deletes at most in one call.
const eraseBatch = 100

// EraseRipe deletes users whose time to think better of it has passed, and returns how many: eraseBatch at most. Of two who do so at
// once each user is one's alone. Errors are the store's.
func (p *People) EraseRipe(ctx context.Context) (n int, err error) {
	ripe, err := p.store.RipeTickets(ctx, storage.TicketDeletion, eraseBatch)
	if err != nil {
		return 0, err
	}
	for _, t := range ripe {
		erased, err := p.erase(ctx, t)
		if err != nil {
			return n, err
		}
		if erased {
			n++
		}
	}
	return n, nil
}

// erase deletes the user of t, and reports whether this call did.
func (p *People) erase(ctx context.Context, t storage.Ticket) (bool, error) {
	found, err := p.store.FindUser(ctx, t.UserID)
	if err == nil {
		u, by := found.User, By{Actor: "server"}
		also := storage.Also{Events: []storage.Event{event("user.deleted", u.ID, by)}}
		if u.Email != "" {
			letter := letterTo("account_deleted", u.Email, u, by, nil)
			letter.UserID = storage.ID{} // there is nobody of that ID any more
			also.Letters = []storage.Letter{letter}
		}
		err = p.store.EraseUser(ctx, t.ID, also)
	}
	if errors.Is(err, storage.ErrSpent) || errors.Is(err, storage.ErrNotFound) {
		return false, nil // they stay after all, or another node was faster
	}
	return err == nil, err
}
