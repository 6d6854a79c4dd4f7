package storage

import (
	"context"
	"time"
)

// The parts of Store by which people look after their own accounts. What every method promises stands in store.go.

// Tickets are rights that were given and have not been used.
type Tickets interface {
	// IssueTicket stores t, which ripens after wait and expires when it has been ripe for life, and returns it as stored. ErrTaken: the
	// ID exists, or the kind is Single and the user has one that has not expired (an expired one is replaced). ErrNotFound: UserID is set
	// and the user is gone.
	IssueTicket(ctx context.Context, t Ticket, wait, life time.Duration, also Also) (Ticket, error)
	// FindTicket reads one, unripe and expired ones too, with the store's clock. ErrNotFound: it served, was withdrawn, or never was.
	FindTicket(ctx context.Context, id ID) (t Ticket, now time.Time, err error)
	// FindInvitation reads the newest invitation of the canonical address that has not expired. ErrNotFound, as of no address ("").
	FindInvitation(ctx context.Context, login string) (t Ticket, now time.Time, err error)
	// ListTickets returns the user's tickets that have not expired, newest first, and the store's clock.
	ListTickets(ctx context.Context, userID ID) (tickets []Ticket, now time.Time, err error)
	// WithdrawTickets removes the user's tickets of the kind and returns how many there were. Where there was none, nothing in also is
	// written.
	WithdrawTickets(ctx context.Context, userID ID, kind TicketKind, also Also) (n int, err error)
	// RipeTickets returns at most limit tickets of the kind that serve now, the oldest first.
	RipeTickets(ctx context.Context, kind TicketKind, limit int) ([]Ticket, error)
}

// Redemptions are what tickets buy. Each spends its ticket in the same commit: it must be there, be of the verb's kind, serve by the
// store's clock, and (but for Join's) be somebody's, of the user that the call names, if it names one; else ErrSpent, whatever else may
// be wrong. Of concurrent callers with one ticket exactly one succeeds.
type Redemptions interface {
	// Join is CreateUser by a ticket to set up, to sign up, or of an invitation. All tickets of those three kinds with the ticket's Login,
	// where it has one, go with it; with one to set up, all to set up. A ticket to set up serves only while no user is an administrator: else ErrSpent.
	// ErrTaken as CreateUser's.
	Join(ctx context.Context, ticket ID, u User, passwordHash string, also Also) error
	// ResetPassword is SetPassword of the ticket's user, and spends spend (its UserID and factor) with it. ErrMoved: the user is not at
	// spend.UserRevision, or is disabled, or gone. ErrSpent: the ticket, or the proof in spend.
	ResetPassword(ctx context.Context, ticket ID, hash string, spend Spend, also Also) error
	// ChangeEmail is UpdateUser of the ticket's user, u. The user's tickets to reset and for addresses go with it. Errors as UpdateUser's.
	ChangeEmail(ctx context.Context, ticket ID, u User, also Also) error
	// RecoverFactors is RemoveFactors of the ticket's user where the user is at revision: else ErrMoved; ErrNotFound.
	RecoverFactors(ctx context.Context, ticket ID, revision int64, also Also) error
	// EraseUser is DeleteUser of the ticket's user. ErrNotFound.
	EraseUser(ctx context.Context, ticket ID, also Also) error
}

// Passkeys are public key credentials. Adding and removing one is a change of factors: it is conditional on the user's revision that
// was read with the person's session (else ErrMoved), raises it, and forgets the remembered devices.
type Passkeys interface {
	// AddPasskey stores p and, where codes is not empty, replaces all the user's recovery codes by these digests. ErrTaken: the ID or
	// the credential ID exists. ErrNotFound: no such user.
	AddPasskey(ctx context.Context, p Passkey, revision int64, codes []Digest, also Also) error
	// FindPasskey reads the user to whom the credential belongs. ErrNotFound.
	FindPasskey(ctx context.Context, credentialID []byte) (SignIn, error)
	// RenamePasskey names it anew; it changes no revision. ErrNotFound: the user has no such passkey.
	RenamePasskey(ctx context.Context, userID, id ID, name string) error
	// RemovePasskey removes one, and with the user's last factor of any kind the recovery codes. ErrNotFound: the user has no such
	// passkey, or is gone.
	RemovePasskey(ctx context.Context, userID, id ID, revision int64, also Also) error
}
