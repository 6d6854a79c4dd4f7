package account

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/text/unicode/norm"

	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// AskToChangeEmail sends a link to an address that u, who has just proven who they are, wants to have, or has and wants to prove. Where
// the address is somebody else's, its owner is told instead; that cannot be seen from outside. Errors: *Invalid, it is no address or
// u's already and proven; *oauth.Error slow_down and temporarily_unavailable; ErrNotFound; the store's.
func (p *People) AskToChangeEmail(
	ctx context.Context, limiter *throttle.Limiter, from throttle.Caller, u storage.User, email string, by By,
) error {
	login, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	email = norm.NFC.String(email)
	if email == u.Email && u.EmailVerified {
		return invalid("email", "it is your address already")
	}
	if err := limiter.Mail(ctx, login, from); err != nil {
		return err
	}
	owner, err := p.store.FindLogin(ctx, login)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	t := storage.Ticket{ID: newID(), Kind: storage.TicketEmail, UserID: u.ID, Email: email, Login: login, Seen: by.Seen}
	letter := ticketLetter("email_verify", t, u, by)
	if err == nil && owner.User.ID != u.ID {
		letter = letterTo("address_in_use", owner.User.Email, owner.User, By{}, nil)
	}
	_, err = p.store.IssueTicket(ctx, t, 0, LinkLifetime, storage.Also{
		Events:  []storage.Event{event("user.email_change_asked", u.ID, by)},
		Letters: []storage.Letter{letter},
	})
	return translate(err)
}

// ChangingEmail reads u's ticket for an address. ErrLink, also where it is somebody else's.
func (p *People) ChangingEmail(ctx context.Context, ticketID storage.ID, u storage.User) (storage.Ticket, error) {
	t, _, err := p.serving(ctx, ticketID, storage.TicketEmail)
	if err == nil && t.UserID != u.ID {
		return storage.Ticket{}, fmt.Errorf("%w: it is another user's", ErrLink)
	}
	return t, err
}

// ChangeEmail makes the ticket's address, which is proven by that, u's, and returns u as stored. u was just read with the person's
// session. The old address and the new one are told. Errors: ErrLink; *Invalid, it is somebody's by now; ErrChanged; ErrNotFound; the
// store's.
func (p *People) ChangeEmail(ctx context.Context, ticketID storage.ID, u storage.User, by By) (storage.User, error) {
	t, err := p.ChangingEmail(ctx, ticketID, u)
	if err != nil {
		return storage.User{}, err
	}
	changed := u
	changed.Email, changed.EmailVerified = t.Email, true
	if err := complete(&changed); err != nil {
		return storage.User{}, err
	}
	also := storage.Also{
		Events:  []storage.Event{event("user.email_changed", u.ID, by)},
		Letters: []storage.Letter{letterTo("email_changed", changed.Email, changed, by, nil)},
	}
	if old, err := CanonicalEmail(u.Email); err == nil && old != t.Login {
		also.Letters = append(also.Letters, letterTo("email_changed", u.Email, changed, by, nil))
	}
	err = p.store.ChangeEmail(ctx, t.ID, changed, also)
	if errors.Is(err, storage.ErrTaken) {
		return storage.User{}, taken("email", err)
	}
	if err != nil {
		return storage.User{}, redeemed(err)
	}
	return p.stored(ctx, changed, u.Revision+1), nil
}
