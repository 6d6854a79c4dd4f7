package storage

import (
	"slices"
	"time"
)

// State is where a grant stands. It only ever moves pending → active → revoked (a pending grant may be revoked too).
type State string

// The states of a grant.
const (
	Pending State = "pending"
	Active  State = "active"
	Revoked State = "revoked"
)

// Reason says why a grant was revoked. Superseded tokens are not revoked, and support can see which it was.
type Reason string

// The reasons for which grants are revoked.
const (
	ReasonLogout          Reason = "logout"
	ReasonUser            Reason = "user"
	ReasonClient          Reason = "client"
	ReasonAdmin           Reason = "admin"
	ReasonReuse           Reason = "reuse"
	ReasonCodeReplay      Reason = "code_replay"
	ReasonPasswordChanged Reason = "password_changed"
)

// Grant is what a user gave a client once: one login at one device. It is the only row that its codes, refresh tokens and
// access tokens ever have. Times are UTC with microseconds; a zero time means "never".
type Grant struct {
	ID        ID
	ClientID  string
	UserID    ID
	SessionID ID   // the browser session it was given in; zero where there was none
	Offline   bool // it outlives that session (offline_access)
	Scope     []string
	Audience  []string // the resources it reaches (RFC 8707)
	ACR       string
	AMR       []string // RFC 8176
	AuthTime  time.Time
	Nonce     string
	Claims    *RequestedClaims // single claims that were asked for and allowed; nil: none

	State    State
	Revision int64    // rises with every change; every write is conditional on the revision that was read
	Pending  *Waiting // what redeeming checks; nil unless State is Pending

	// The newest refresh token is (Generation, Fork), minted under handle key KeyID at IssuedAt. Generation 0: none was issued.
	Generation uint32
	Fork       uint16
	ParentFork uint16 // the fork of the generation before, which was exchanged for this one
	KeyID      uint16
	IssuedAt   time.Time
	Retired    []time.Time // when the generations before this one were exchanged, newest first; at most MaxRetired
	SharedAt   time.Time   // when the newest token was last handed to a second caller
	Seen       Seen

	// CodeHash is the digest of the authorization code's own secret and its code_challenge. It outlives the code, so that a second
	// use by who holds both is told from a guess. Zero: the grant did not begin with a code.
	CodeHash Digest
	// UserCode is the digest of the code that a person types (RFC 8628), while the grant is pending; no two pending grants share one.
	UserCode Digest

	SecretHash Digest    // of the 128-bit secret that only holders of this grant's refresh tokens know
	ExpiresAt  time.Time // the last instant of any token of this grant; set at activation and never again
	CreatedAt  time.Time
	Sender     string // thumbprint of the key the tokens are bound to; "" where they are not

	RevokedAt     time.Time
	RevokedReason Reason
}

// Waiting is what a pending grant waits for. It is emptied when the grant is redeemed.
type Waiting struct {
	Kind  WaitingKind `json:"kind"`
	Tries int         `json:"tries,omitempty"` // proofs tried so far

	// Of a code: what its redemption must bring along.
	RedirectURI string `json:"redirect_uri,omitempty"` // as the authorization request named it; "": it named none
	Challenge   string `json:"challenge,omitempty"`    // S256 code_challenge (RFC 7636); "": none was sent

	// Of a code and an approved device: when the session ends in which it was given, and with it what is not offline.
	SessionEnds time.Time `json:"session_ends,omitzero"`

	// Of a device (RFC 8628).
	Answer   DeviceAnswer  `json:"answer,omitempty"`
	PolledAt time.Time     `json:"polled_at,omitzero"`
	Interval time.Duration `json:"interval,omitempty"` // how long it must wait between polls; slow_down raises it
}

// DeviceAnswer is what the person said to a device's request.
type DeviceAnswer string

// The answers; "" while there is none.
const (
	DeviceApproved DeviceAnswer = "approved"
	DeviceDenied   DeviceAnswer = "denied"
)

// WaitingKind says which handle redeems a pending grant.
type WaitingKind string

// What a pending grant waits for.
const (
	WaitingMFA    WaitingKind = "mfa"    // a second factor
	WaitingCode   WaitingKind = "code"   // its authorization code
	WaitingDevice WaitingKind = "device" // a person's answer and the device's poll
)

// RequestedClaims are single claims, by name, that the claims parameter asked for (OpenID Connect Core §5.5).
type RequestedClaims struct {
	IDToken  []string `json:"id_token,omitempty"`
	UserInfo []string `json:"userinfo,omitempty"`
}

// Seen is who made an exchange, as far as the server can tell: one half of a later alarm.
type Seen struct {
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`
}

// Standing is a grant with all that decides about it now, read at one instant.
type Standing struct {
	Grant  Grant
	User   UserStanding
	Client ClientStanding
	Denied []int64   // serials of this grant's access tokens that were revoked one by one
	Now    time.Time // the store's clock at the read
}

// UserStanding is what decides about a grant in its user. Exists is false where the user was deleted.
type UserStanding struct {
	Exists   bool
	Disabled bool
	Username string
}

// ClientStanding is what decides about a grant in its client. Exists is false where the client was deleted.
type ClientStanding struct {
	Exists   bool
	Disabled bool
	Revision int64
}

// Refusal says why a grant may not be used. It goes to the log and to the grant's owner, never to the client.
type Refusal string

// The refusals of Standing.Refused, and the empty one: the grant may be used.
const (
	Admissible     Refusal = ""
	GrantPending   Refusal = "grant is not active"
	GrantRevoked   Refusal = "grant is revoked"
	GrantExpired   Refusal = "grant has expired"
	GrantIdle      Refusal = "grant was idle too long"
	UserGone       Refusal = "user is gone"
	UserDisabled   Refusal = "user is disabled"
	ClientGone     Refusal = "client is gone"
	ClientDisabled Refusal = "client is disabled"
)

// Refused says whether anything but the token itself speaks against using this grant now: its state, its end, its user, its
// client. It is asked on every path, so that what was withdrawn is dead at once everywhere. Idleness concerns refresh tokens
// alone: see Idle.
func (s Standing) Refused() Refusal {
	switch {
	case s.Grant.State == Revoked:
		return GrantRevoked
	case s.Grant.State != Active:
		return GrantPending
	case !s.Now.Before(s.Grant.ExpiresAt):
		return GrantExpired
	}
	return s.Withdrawn()
}

// Withdrawn is the part of Refused that concerns the people and not the grant: it holds for pending grants too.
func (s Standing) Withdrawn() Refusal {
	switch {
	case !s.User.Exists:
		return UserGone
	case s.User.Disabled:
		return UserDisabled
	case !s.Client.Exists:
		return ClientGone
	case s.Client.Disabled:
		return ClientDisabled
	}
	return Admissible
}

// Idle reports whether the newest refresh token is older than lifetime. Zero lifetime: grants are never idle.
func (s Standing) Idle(lifetime time.Duration) bool {
	return lifetime > 0 && age(s.Now, s.Grant.IssuedAt) > lifetime
}

// Step is one move of a grant's refresh token, decided by Present. RotateGrant writes it where the row is still at Revision.
type Step struct {
	ID         ID
	Revision   int64 // the revision that was read
	Generation uint32
	Fork       uint16
	ParentFork uint16
	KeyID      uint16
	IssuedAt   time.Time
	Retired    []time.Time
	SharedAt   time.Time
	Seen       Seen
	Also       Also
}

// CarriedBy reports whether grant is what this step made of it. It settles a write whose answer was lost.
func (s Step) CarriedBy(g Grant) bool {
	return g.ID == s.ID && g.Revision == s.Revision+1 && g.State == Active &&
		g.Generation == s.Generation && g.Fork == s.Fork && g.ParentFork == s.ParentFork && g.KeyID == s.KeyID &&
		g.IssuedAt.Equal(s.IssuedAt) && g.SharedAt.Equal(s.SharedAt) && g.Seen == s.Seen &&
		slices.EqualFunc(g.Retired, s.Retired, time.Time.Equal)
}

// Spend is what a sign-in relies on and uses up. It is checked and spent in the commit of that which it buys.
type Spend struct {
	UserID ID
	// UserRevision is the user's revision at which the password was proven; whatever changed since (password, factors,
	// disabled) makes the write fail with ErrMoved.
	UserRevision int64
	// FactorID and Step name the TOTP device and the time step whose code was given. A step serves once, and none before
	// it serves afterwards (RFC 6238 §5.2): else ErrSpent. Zero FactorID: no code was given.
	FactorID ID
	Step     int64
	// RecoveryCode is the digest of the recovery code that was given; it serves once: else ErrSpent. Zero: none was given.
	RecoveryCode Digest
	// PasskeyID names the user's passkey that signed, SignCount and BackedUp what its authenticator said. Where the row or SignCount is not
	// zero, SignCount must be greater: else ErrSpent, since there are two of it (WebAuthn §6.1.1). Zero: none was used.
	PasskeyID ID
	SignCount uint32
	BackedUp  bool
	// Challenge is the digest of the challenge that was signed; it serves once: else ErrSpent. From ChallengeEnds on nobody would take it
	// anyway. Zero: none.
	Challenge     Digest
	ChallengeEnds time.Time
	// SessionID and SessionRevision name the browser session that this is done in; it must be there at that revision, else ErrMoved.
	// Zero: in none.
	SessionID       ID
	SessionRevision int64
	// Pushed is the digest of the pushed request that this completes; it serves once: else ErrSpent. Zero: none.
	Pushed Digest
}

// Redemption moves a pending grant: Grant is the row as it shall be, active or still pending, Revision the one that was read.
type Redemption struct {
	Grant    Grant
	Revision int64
	Spend    Spend
	Also     Also
}

// Revocation ends one grant, or with RevokeGrants several.
type Revocation struct {
	ID ID
	// Revision is the one that was read, where the verdict depends on the row (reuse); 0: whichever it has now.
	Revision int64
	Reason   Reason
	Also     Also
}

// GrantsOf selects grants. The fields that are set must all match; at least one must be set.
type GrantsOf struct {
	UserID    ID
	ClientID  string
	SessionID ID // of those alone that were given in this session
	Except    ID // one grant to spare
}

// GrantAge is what the walk over all grants needs to know of one.
type GrantAge struct {
	ID        ID
	Revision  int64
	ClientID  string
	State     State
	IssuedAt  time.Time
	RevokedAt time.Time
	ExpiresAt time.Time
}

// Outlived reports whether a grant's row may go before its end: it was idle for longer than idle, so that no refresh token of it
// is taken and no access token of it lives, or was revoked longer ago than revoked.
func Outlived(g GrantAge, now time.Time, idle, revoked time.Duration) bool {
	switch g.State {
	case Active:
		return !g.IssuedAt.IsZero() && age(now, g.IssuedAt) > idle
	case Revoked:
		return age(now, g.RevokedAt) > revoked
	}
	return false
}
