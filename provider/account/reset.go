package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// AskToReset sends a link to choose a new password to the e-mail address of whom login names. Where that is nobody, or somebody who is
// disabled or has no address, nobody is written to: it is the same work, and cannot be seen from outside. Errors: *oauth.Error
// slow_down and temporarily_unavailable; the store's.
func (p *People) AskToReset(
	ctx context.Context, limiter *throttle.Limiter, from throttle.Caller, login, tx string, by By,
) error {
	// By what was typed, and not by the mailbox behind it: that two names share one would tell that they are one person's.
	if err := limiter.Mail(ctx, CanonicalLogin(login), from); err != nil {
		return err
	}
	candidate, err := p.Lookup(ctx, login)
	if err != nil {
		return err
	}
	err = p.issueReset(ctx, candidate.signIn.User, tx, by)
	if errors.Is(err, storage.ErrNotFound) { // the user was deleted just now, and is nobody
		err = p.issueReset(ctx, storage.User{}, tx, by)
	}
	return err
}

// issueReset writes a ticket, a letter and an event, whoever u is.
func (p *People) issueReset(ctx context.Context, u storage.User, tx string, by By) error {
	t := storage.Ticket{ID: newID(), Kind: storage.TicketReset, UserID: u.ID, Data: ticketData(tx), Seen: by.Seen}
	letter := nothingHere(t.ID)
	if login, err := CanonicalEmail(u.Email); err == nil && u.DisabledAt.IsZero() {
		t.Email, t.Login = u.Email, login
		letter = ticketLetter("reset", t, u, by)
	}
	_, err := p.store.IssueTicket(ctx, t, 0, LinkLifetime, storage.Also{
		Events:  []storage.Event{event("user.reset_asked", u.ID, by)},
		Letters: []storage.Letter{letter},
	})
	return err
}

// Resetting reads a ticket to choose a new password, and whose it is. ErrLink, also where the user is disabled or has another address
// than the link was sent to.
func (p *People) Resetting(ctx context.Context, ticketID storage.ID) (storage.Ticket, storage.SignIn, error) {
	t, _, err := p.serving(ctx, ticketID, storage.TicketReset)
	if err != nil {
		return storage.Ticket{}, storage.SignIn{}, err
	}
	found, err := p.store.FindUser(ctx, t.UserID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return storage.Ticket{}, storage.SignIn{}, err
	}
	login, malformed := CanonicalEmail(found.User.Email)
	if err != nil || malformed != nil || login != t.Login || !found.User.DisabledAt.IsZero() {
		return storage.Ticket{}, storage.SignIn{}, fmt.Errorf("%w: its user is gone, disabled or has another address", ErrLink)
	}
	return t, found, nil
}

// ResetPassword chooses a new password by a ticket and, where the person has a second factor, a proof of that. It ends all the user's
// sessions and grants, and uses up the ticket and all others to reset, with the proof, in one commit. The user that it returns is as
// stored. Errors: ErrWrong, the factor: the ticket is as good as before; *Invalid, the password; ErrLink; ErrChanged, the user was
// changed meanwhile; *oauth.Error slow_down and temporarily_unavailable; the store's.
func (p *People) ResetPassword(
	ctx context.Context, limiter *throttle.Limiter, from throttle.Caller, ticketID storage.ID, proof Proof, password storage.Secret, by By,
) (storage.User, error) {
	t, person, err := p.Resetting(ctx, ticketID)
	if err != nil {
		return storage.User{}, err
	}
	u := person.User
	if by.Actor == "" {
		by.Actor = u.ID.String()
	}
	spend := storage.Spend{UserID: u.ID, UserRevision: u.Revision}
	if !person.HasFactor() {
		return u, p.resetBy(ctx, t, &u, spend, password, by)
	}
	attempt, err := limiter.SecondFactor(ctx, u.ID, from)
	if err != nil {
		return storage.User{}, err
	}
	if spend, _, err = p.ProveFactor(person, proof); err == nil {
		err = p.resetBy(ctx, t, &u, spend, password, by)
	}
	if errors.Is(err, ErrWrong) {
		return storage.User{}, errors.Join(err, p.store.RecordEvents(ctx, []storage.Event{wrongFactor(err, u.ID, by)}))
	}
	_ = attempt.GiveBack(ctx) // it was no wrong code: an attempt that is not given back comes back with time
	return u, err
}

// wrongFactor is the event of a proof that was wrong. Nobody is known to have given it.
func wrongFactor(why error, userID storage.ID, by By) storage.Event {
	failed := event("signin.second_factor_failed", userID, By{Seen: by.Seen})
	if copied := (*Cloned)(nil); errors.As(why, &copied) {
		failed.Kind, failed.Detail = "signin.passkey_cloned", map[string]string{"passkey_id": copied.PasskeyID.String()}
	}
	return failed
}

// resetBy writes the new password of u, and then reads u anew.
func (p *People) resetBy(
	ctx context.Context, t storage.Ticket, u *storage.User, spend storage.Spend, password storage.Secret, by By,
) error {
	phc, err := p.hashChosen(ctx, password, *u, by)
	if err != nil {
		return err
	}
	err = p.store.ResetPassword(ctx, t.ID, phc, spend, storage.Also{
		Events:  []storage.Event{event("user.password_reset", u.ID, by)},
		Letters: letters("password_changed", *u),
	})
	if errors.Is(err, storage.ErrSpent) || errors.Is(err, storage.ErrMoved) {
		// Whoever lost to another use of the link hears of the link; else it was the proof, or the user, that another act was ahead with.
		if _, _, gone := p.serving(ctx, t.ID); gone != nil {
			return gone
		}
	}
	switch {
	case errors.Is(err, storage.ErrSpent):
		return fmt.Errorf("%w (%w)", ErrWrong, err)
	case err != nil:
		return translate(err)
	}
	*u = p.stored(ctx, *u, u.Revision+1)
	return nil
}
