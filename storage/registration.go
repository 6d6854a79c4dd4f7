package storage

import "time"

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
