package account

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/text/unicode/norm"

	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// SignUp says who may make an account for themselves.
type SignUp string

// The values of SIGNET_SIGN_UP.
const (
	SignUpOff    SignUp = "off"    // nobody
	SignUpOn     SignUp = "on"     // whoever proves an e-mail address
	SignUpInvite SignUp = "invite" // whoever was invited
)

// SignUp is who may make an account for themselves here.
func (p *People) SignUp() SignUp { return p.signUp }

// The keys of Ticket.Data.
const (
	TicketTx         = "tx"         // the sealed request of an application that it began in, to go on with
	ticketAdmin      = "admin"      // "true": it makes an administrator
	ticketInvitation = "invitation" // the ID of the invitation that a ticket to sign up stands in for
)

// AskToJoin sends a link to make an account to an e-mail address. Where the address is somebody's already, its owner is told instead;
// where an invitation is needed and there is none, nobody is. None of that can be seen from outside, and each is the same work. Errors:
// ErrSignUpOff; *Invalid, it is no address; *oauth.Error slow_down and temporarily_unavailable; the store's.
func (p *People) AskToJoin(
	ctx context.Context, limiter *throttle.Limiter, from throttle.Caller, email, tx string, by By,
) error {
	if p.signUp == SignUpOff {
		return ErrSignUpOff
	}
	login, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	if err := limiter.Mail(ctx, login, from); err != nil {
		return err
	}
	owner, err := p.store.FindLogin(ctx, login)
	known := err == nil
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	invitation, _, err := p.store.FindInvitation(ctx, login)
	invited := err == nil
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	t := storage.Ticket{
		ID: newID(), Kind: storage.TicketSignUp, Email: norm.NFC.String(email), Login: login, Data: ticketData(tx), Seen: by.Seen,
	}
	if invited {
		t.Data[ticketInvitation], t.Data[ticketAdmin] = invitation.ID.String(), invitation.Data[ticketAdmin]
	}
	letter := nothingHere(t.ID)
	switch {
	case known:
		letter = letterTo("sign_up_known", owner.User.Email, owner.User, by, nil)
	case invited || p.signUp == SignUpOn:
		letter = ticketLetter("sign_up", t, storage.User{}, by)
	}
	_, err = p.store.IssueTicket(ctx, t, 0, LinkLifetime, storage.Also{
		Events:  []storage.Event{event("user.sign_up_asked", owner.User.ID, by)},
		Letters: []storage.Letter{letter},
	})
	return err
}

func ticketData(tx string) map[string]string {
	data := map[string]string{}
	if tx != "" {
		data[TicketTx] = tx
	}
	return data
}

// Invite gives an e-mail address the right to make an account, or an administrator's (admin), for InvitationLifetime, and sends a
// link. The link that it returns is for whoever invites, to hand on: it lasts as long as the invitation; the mailed one does not, and
// another is had by asking for it on the sign-up page. Errors: ErrSignUpOff; *Invalid, it is no address or somebody's already; the
// store's.
func (p *People) Invite(ctx context.Context, email string, admin bool, by By) (storage.Ticket, string, error) {
	if p.signUp == SignUpOff {
		return storage.Ticket{}, "", ErrSignUpOff
	}
	login, err := CanonicalEmail(email)
	if err != nil {
		return storage.Ticket{}, "", err
	}
	if err := p.mustBeFree(ctx, "email", login); err != nil {
		return storage.Ticket{}, "", err
	}
	t := storage.Ticket{ID: newID(), Kind: storage.TicketInvitation, Email: norm.NFC.String(email), Login: login, Seen: by.Seen}
	invited := event("user.invited", storage.ID{}, by)
	invited.Detail = map[string]string{"email": t.Email}
	if admin {
		t.Data = map[string]string{ticketAdmin: "true"}
		invited.Detail["admin"] = "true"
	}
	t, err = p.store.IssueTicket(ctx, t, 0, InvitationLifetime, storage.Also{
		Events:  []storage.Event{invited},
		Letters: []storage.Letter{ticketLetter("invitation", t, storage.User{}, by)},
	})
	if err != nil {
		return storage.Ticket{}, "", err
	}
	link, err := p.LinkUntil(t, t.ExpiresAt)
	return t, link, err
}

// mustBeFree returns *Invalid for the field where the canonical identifier belongs to somebody.
func (p *People) mustBeFree(ctx context.Context, field, login string) error {
	_, err := p.store.FindLogin(ctx, login)
	switch {
	case err == nil:
		return taken(field, storage.ErrTaken)
	case errors.Is(err, storage.ErrNotFound):
		return nil
	}
	return err
}

// taken is *Invalid that Is storage.ErrTaken.
func taken(field string, cause error) *Invalid {
	return &Invalid{Field: field, Problem: "it already belongs to a user; choose another", cause: cause}
}

// Joining reads a ticket by which somebody may make an account now: to set up, to sign up, or an invitation. ErrLink.
func (p *People) Joining(ctx context.Context, ticketID storage.ID) (storage.Ticket, error) {
	t, _, err := p.serving(ctx, ticketID, storage.TicketSetup, storage.TicketSignUp, storage.TicketInvitation)
	if err == nil && !p.admits(t) {
		return storage.Ticket{}, fmt.Errorf("%w: sign-up is %s now", ErrLink, p.signUp)
	}
	return t, err
}

// admits reports whether the policy of today allows what the ticket was given for.
func (p *People) admits(t storage.Ticket) bool {
	switch t.Kind {
	case storage.TicketSetup:
		return true
	case storage.TicketInvitation:
		return p.signUp != SignUpOff
	}
	return p.signUp == SignUpOn || p.signUp == SignUpInvite && t.Data[ticketInvitation] != ""
}

// Newcomer is what people say of themselves when they make their account.
type Newcomer struct {
	Username string // "": made of the e-mail address
	Name     string
	Email    string // only by a ticket to set up; the others have their own, which is proven
	Password storage.Secret
	Locale   string
}

// Join makes the account that the ticket is the right to, and uses it up. Errors: *Invalid, with the field username, name, email or
// password, and Is storage.ErrTaken where somebody else has the username or address; ErrLink; *oauth.Error temporarily_unavailable
// from the Hasher; the store's.
func (p *People) Join(ctx context.Context, ticketID storage.ID, n Newcomer, by By) (storage.User, error) {
	t, err := p.Joining(ctx, ticketID)
	if err != nil {
		return storage.User{}, err
	}
	u := storage.User{
		ID: newID(), Username: n.Username, Email: t.Email, EmailVerified: true, Admin: t.Data[ticketAdmin] == "true",
		Profile: storage.Profile{Name: n.Name, Locale: n.Locale},
	}
	joined := "user.joined"
	if t.Kind == storage.TicketSetup {
		joined = "user.set_up"
		u.Email, u.EmailVerified, u.Admin = n.Email, false, true
	}
	if u.Username == "" && u.Email != "" {
		if u.Username, err = p.freeUsername(ctx, u.Email); err != nil {
			return storage.User{}, err
		}
	}
	if err := complete(&u); err != nil {
		return storage.User{}, err
	}
	if err := p.mustBeFree(ctx, "username", u.Logins[0]); err != nil {
		return storage.User{}, err
	}
	phc, err := p.hashChosen(ctx, n.Password, u, by)
	if err != nil {
		return storage.User{}, err
	}
	if by.Actor == "" {
		by.Actor = u.ID.String()
	}
	err = p.store.Join(ctx, t.ID, u, phc, storage.Also{
		Events: []storage.Event{event("user.created", u.ID, by), event(joined, u.ID, by)},
	})
	if errors.Is(err, storage.ErrTaken) {
		if of := p.mustBeFree(ctx, "username", u.Logins[0]); of != nil {
			return storage.User{}, of
		}
		return storage.User{}, taken("email", err)
	}
	if err != nil {
		return storage.User{}, redeemed(err)
	}
	return p.stored(ctx, u, 1), nil
}

// hashChosen is hashNew for a password that a person must choose.
func (p *People) hashChosen(ctx context.Context, password storage.Secret, u storage.User, by By) (string, error) {
	if password.IsZero() {
		return "", broken(RuleForm, "it must not be empty")
	}
	return p.hashNew(ctx, p.rules.checkChosen, password, u, by)
}
