package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

// How long what people are given may be used.
const (
	LinkLifetime       = 30 * time.Minute    // a link in a mail, from when it was asked for
	SetupLifetime      = 15 * time.Minute    // the link that makes the first administrator
	InvitationLifetime = 7 * 24 * time.Hour  // an invitation
	DeletionDelay      = 14 * 24 * time.Hour // from the wish to be deleted until it is done
	recoveryWindow     = 7 * 24 * time.Hour  // in which a recovery or deletion that is ripe can be carried out
)

// linkPath is where the link of a ticket leads; "" where the kind has none.
func linkPath(kind storage.TicketKind) string {
	switch kind {
	case storage.TicketSetup:
		return "/setup"
	case storage.TicketSignUp, storage.TicketInvitation:
		return "/signup"
	case storage.TicketReset:
		return "/recover"
	case storage.TicketEmail:
		return "/account/email"
	}
	return ""
}

// Link is the address that uses the ticket, for LinkLifetime from its making and no longer than the ticket serves. It is a secret.
// ErrLink: there is none for tickets of its kind.
func (p *People) Link(t storage.Ticket) (string, error) { return p.LinkUntil(t, linkEnds(t)) }

func linkEnds(t storage.Ticket) time.Time {
	if ends := t.CreatedAt.Add(LinkLifetime); ends.Before(t.ExpiresAt) {
		return ends
	}
	return t.ExpiresAt
}

// LinkUntil is Link until expires, for one that a command shows and no mail holds.
func (p *People) LinkUntil(t storage.Ticket, expires time.Time) (string, error) {
	path := linkPath(t.Kind)
	if path == "" {
		return "", fmt.Errorf("%w: tickets of kind %s have none", ErrLink, t.Kind)
	}
	return p.issuer + path + "?link=" + p.mint.Link(t.ID, expires), nil
}

// MailLink is the Link of a ticket for the mail that is about to bring it: always the same. ErrLink: it would not work any more.
func (p *People) MailLink(ctx context.Context, ticketID storage.ID) (string, error) {
	t, now, err := p.serving(ctx, ticketID)
	if err != nil {
		return "", err
	}
	if !now.Before(linkEnds(t)) {
		return "", fmt.Errorf("%w: it has expired", ErrLink)
	}
	return p.Link(t)
}

// OpenLink returns the ticket of a link's text, which may have been used or withdrawn since. ErrLink: it was not made here, was
// edited, or has expired.
func (p *People) OpenLink(text string) (ticketID storage.ID, err error) {
	ticketID, expires, err := p.mint.ParseLink(text)
	switch {
	case errors.Is(err, handle.ErrForged):
		return storage.ID{}, fmt.Errorf("%w (%w)", ErrLink, err)
	case err != nil:
		return storage.ID{}, err
	case !p.clock().Before(expires):
		return storage.ID{}, fmt.Errorf("%w: it has expired", ErrLink)
	}
	return ticketID, nil
}

// serving reads a ticket that serves now, of one of the kinds where there are any. ErrLink.
func (p *People) serving(ctx context.Context, id storage.ID, kinds ...storage.TicketKind) (storage.Ticket, time.Time, error) {
	t, now, err := p.store.FindTicket(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		err = fmt.Errorf("%w (%w)", ErrLink, err)
	case err == nil && !t.Serves(now):
		err = fmt.Errorf("%w: its ticket does not serve now", ErrLink)
	case err == nil && len(kinds) > 0 && !slices.Contains(kinds, t.Kind):
		err = fmt.Errorf("%w: its ticket is of another kind", ErrLink)
	}
	if err != nil {
		return storage.Ticket{}, now, err
	}
	return t, now, nil
}

// redeemed translates the errors of storage.Redemptions.
func redeemed(err error) error {
	if errors.Is(err, storage.ErrSpent) {
		return fmt.Errorf("%w (%w)", ErrLink, err)
	}
	return translate(err)
}

// ticketLetter is a letter that brings the link of t to the address t.Email. u is whose account it is about, if anybody's.
func ticketLetter(kind string, t storage.Ticket, u storage.User, by By) storage.Letter {
	return letterTo(kind, t.Email, u, by, map[string]string{storage.LetterTicket: t.ID.String()})
}

// letterTo is a letter to an address, which need not be u's, or anybody's. It is in u's language, or else in that of who asked.
func letterTo(kind, address string, u storage.User, by By, data map[string]string) storage.Letter {
	all := map[string]string{storage.LetterTo: address}
	for name, value := range data {
		all[name] = value
	}
	if locale := cmp.Or(u.Profile.Locale, by.Locale); locale != "" {
		all[letterLocale] = locale
	}
	return storage.Letter{Kind: kind, UserID: u.ID, Data: all}
}

// letterLocale is the key of Letter.Data for the language of a letter to somebody who has no account to say it, as BCP 47 has it.
const letterLocale = "locale"

// nothingHere is the letter to nobody: it is written where there is nothing to tell, so that as much is written for whom we do not
// know as for whom we know.
func nothingHere(ticketID storage.ID) storage.Letter {
	return storage.Letter{Kind: "nothing_here", Data: map[string]string{storage.LetterTicket: ticketID.String()}}
}
