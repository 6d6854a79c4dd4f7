package storage

import (
	"slices"
	"time"
)

// Session is one person signed in at one browser. The browser holds its secret, 256 random bits; the row holds the digest. The
// ID is the sid of ID and logout tokens, and no secret.
//
// A sign-in is made of proofs, each with its own time: PasswordAt may be newer than AuthTime, while a second factor is awaited.
// Until the first sign-in is whole AuthTime is zero: then the session is good for nothing but its second factor.
type Session struct {
	ID       ID
	Digest   Digest // of the secret; replaced at every sign-in and step-up, so that one that was known before is dead
	UserID   ID
	Revision int64

	PasswordAt time.Time // when the password was last proven
	FactorAt   time.Time // when a second factor was last proven; zero: never in this session
	AuthTime   time.Time // when the person last signed in with all that was asked (auth_time); zero: never yet
	ACR        string    // what that sign-in proved
	AMR        []string  // RFC 8176
	ChosenAt   time.Time // when the person last chose this account among several

	CreatedAt time.Time // stamped by the store where it is zero
	UsedAt    time.Time // when it was last seen, to within some minutes; idleness is counted from it
	ExpiresAt time.Time // its absolute end
	Seen      Seen      // of its last use
}

// SignedIn reports whether the sign-in was ever whole.
func (s Session) SignedIn() bool { return !s.AuthTime.IsZero() }

// Live reports whether the session may be used at now: neither its end nor its idle lifetime has passed.
func (s Session) Live(now time.Time, idle time.Duration) bool {
	return now.Before(s.ExpiresAt) && age(now, s.UsedAt) <= idle
}

// SessionStanding is a session with the person it is of, read at one instant.
type SessionStanding struct {
	Session Session
	User    User
	// HasFactor: the person has a confirmed TOTP device or a passkey.
	HasFactor bool
}

// SessionsOf selects sessions: the one with ID (where UserID is set too, only if it is that user's), or all of UserID but Except.
type SessionsOf struct {
	ID     ID
	UserID ID
	Except ID
}

// EndedSession is a session that was ended, and the clients that something was granted to in it, in the order of their IDs.
type EndedSession struct {
	Session   Session
	ClientIDs []string
}

// RememberedDevice is a browser at which a person need not give a second factor again. The browser holds its secret, 256 random
// bits; the row holds the digest. It is forgotten when the person's password or factors change.
type RememberedDevice struct {
	ID        ID
	Digest    Digest
	UserID    ID
	CreatedAt time.Time // stamped by the store
	ExpiresAt time.Time
	Seen      Seen
}

// Consent is what a person allowed a client, remembered so that it is asked once.
type Consent struct {
	UserID    ID
	ClientID  string
	Scope     []string
	Claims    []string  // names of single claims (OpenID Connect Core §5.5)
	Resources []string  // RFC 8707
	GivenAt   time.Time // stamped by the store: when it was last given
	CreatedAt time.Time // stamped by the store: when it was first given
}

// Covers reports whether all that is asked was allowed.
func (c Consent) Covers(scope, claims, resources []string) bool {
	within := func(some, all []string) bool {
		return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
	}
	return within(scope, c.Scope) && within(claims, c.Claims) && within(resources, c.Resources)
}

// PushedRequest is an authorization request that a client left here (RFC 9126). Its request_uri holds a secret; the row holds the
// digest.
type PushedRequest struct {
	Digest    Digest
	ClientID  string
	Params    string // in the form encoding, without client credentials
	ExpiresAt time.Time
}
