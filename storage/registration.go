package storage

import (
	"context"
	"time"
)

// RegistrationToken is an initial access token (RFC 7591 §3), with what may be registered with it. The token itself is kept as its
// digest alone.
type RegistrationToken struct {
	ID        ID
	Digest    Digest
	Name      string // for people: whom it was given to
	CreatedBy string // the actor who made it: an administrator's ID, or "cli"

	MaxUses    int      // how many clients it registers; 0: any number
	Uses       int      // how many it has registered; stamped by the store
	GrantTypes []string // that its clients may have; empty: those that software may have without a token, and client_credentials
	Scope      string   // that its clients may have besides what any software may; space separated

	CreatedAt time.Time // stamped by the store
	ExpiresAt time.Time // zero: never
	RevokedAt time.Time // zero: not revoked; stamped by the store
}

// Spent reports whether the token registers nothing any more.
func (t RegistrationToken) Spent(now time.Time) bool {
	return !t.RevokedAt.IsZero() || (!t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)) || (t.MaxUses > 0 && t.Uses >= t.MaxUses)
}

// Registration is what the making of a client relies on, in one commit with it. Zero fields are not asked.
type Registration struct {
	TokenID ID  // one use of this token is spent
	Unused  int // how many clients made by machines that never obtained a token may be there after it: the oldest go first
	Owned   int // how many clients the owner of the new one may have, that one among them
}

// ClientUsage is what a client did on one day (UTC). As an argument of CountUsage it is what is added.
type ClientUsage struct {
	ClientID string
	Day      time.Time   // its first instant; stamped by the store
	SignIns  int64       // people who came to it: grants that became active
	Tokens   int64       // answers of the token endpoint
	Failures int64       // refused requests
	By       ID          // an argument's alone: who obtained the first of these tokens; zero: the client itself
	Secrets  []time.Time // an argument's alone: when the secrets that proved it were made (ClientSecret.CreatedAt)
}

// SecretUse is when a secret of a client last proved it, to within the time that counts are gathered.
type SecretUse struct {
	CreatedAt time.Time // of the secret
	UsedAt    time.Time // stamped by the store
}

// Registrations is how clients come by themselves and by their developers, and how those go that nobody needs.
type Registrations interface {
	// RegisterClient stores c with Revision 1 and spends what r says, in one commit. ErrTaken: the client_id exists. ErrSpent: the token
	// is used up, expired, revoked or gone, or the owner has as many clients as they may. ErrNotFound: the owner is gone. Where r.Unused is set, no more than that
	// many clients that ByMachine made and that never obtained a token are there when it returns, however many register at once: the
	// oldest of the others are gone, with their grants, pushed requests and consents. One with an active grant is none of them, whether its use was counted or not; nor is one
	// that is disabled, for it could come back enabled.
	RegisterClient(ctx context.Context, c Client, r Registration, also Also) error
	// ListOwnClients returns all clients of the owner, newest first.
	ListOwnClients(ctx context.Context, owner ID) ([]Client, error)
	// ListAwaiting returns at most limit clients that wait for an administrator (DisabledUnapproved), oldest first.
	ListAwaiting(ctx context.Context, limit int) ([]Client, error)
	// SweepUnused removes at most limit clients that ByMachine made longer than keep ago and that never obtained a token, have no
	// active grant and are not disabled, oldest first, with their grants, pushed requests and consents, and returns how many went.
	SweepUnused(ctx context.Context, limit int, keep time.Duration) (n int, err error)
}

// RegistrationTokens are initial access tokens (RFC 7591 §3).
type RegistrationTokens interface {
	// CreateRegistrationToken stores t. ErrTaken: the ID or the digest is there.
	CreateRegistrationToken(ctx context.Context, t RegistrationToken, also Also) error
	// FindRegistrationToken reads the token with the digest, spent or not. ErrNotFound.
	FindRegistrationToken(ctx context.Context, digest Digest) (t RegistrationToken, now time.Time, err error)
	// ListRegistrationTokens returns at most limit tokens whose ID is greater than after, in that order, and the store's clock.
	ListRegistrationTokens(ctx context.Context, after ID, limit int) (tokens []RegistrationToken, now time.Time, err error)
	// RevokeRegistrationToken ends the token; the clients that it registered stay. Revoking it again changes nothing and writes nothing
	// of also. ErrNotFound.
	RevokeRegistrationToken(ctx context.Context, id ID, also Also) error
}

// Usage is what clients do, by day.
type Usage interface {
	// CountUsage adds to today's figures of the clients, stamps UsedAt and UsedBy of those that obtained their first token, and notes
	// when their secrets were used. Clients that are gone are passed over.
	CountUsage(ctx context.Context, counted []ClientUsage) error
	// ListUsage returns the days of the client that are not older than days before today, newest first; days without use are left out.
	ListUsage(ctx context.Context, clientID string, days int) ([]ClientUsage, error)
	// ListSecretUses returns when the client's secrets were last used, newest secret first.
	ListSecretUses(ctx context.Context, clientID string) ([]SecretUse, error)
	// SweepUsage removes at most limit days and uses of secrets that are older than keep, and returns how many went. The days of a client go with it.
	SweepUsage(ctx context.Context, limit int, keep time.Duration) (n int, err error)
}
