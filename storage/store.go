// Package storage is Signet's ground floor: the records it keeps, what a store of them promises, and the rules that decide
// about them. It holds no engine. Two live beside it, storage/sqlite and storage/postgres, and storage/storetest is the one
// suite that both must pass; a third could be written from the comments below.
//
// # What every method promises
//
// Methods name events of the domain, not fields. No caller begins a transaction and none needs a rollback: each method is
// atomic by itself, and where it takes an Also, the audit events and letters in it are committed with the act or not at all.
//
// Conditional: a record with a Revision is written only where the row still has the revision that was read; else nothing is
// written and ErrMoved tells the caller to read and decide again. Of any number of concurrent writers with one revision
// exactly one succeeds.
//
// Durable: when a method returns nil, what it wrote survives the loss of power at server and database.
//
// Honest: ErrNotFound, ErrMoved, ErrSpent and ErrTaken mean that nothing was written. ErrUnavailable means so too.
// ErrUnknown means that nobody knows: the connection broke during the commit, or ctx ended while the write was under way. ctx
// bounds the caller's wait, never the write. No other error is returned, but for a caller's own fault.
//
// Exact: identifiers are compared byte by byte. Times are kept in UTC with microseconds. now is always the store's clock, read
// in the same breath as the row; rows are judged by it and not by the node's clock.
//
// Values go in and values come out: no function arguments, no transactions, no handles on rows. So an engine may gather the
// calls of many callers into one statement and one commit without anyone noticing.
package storage

import (
	"context"
	"time"
)

// Store is everything that Signet keeps. Rooms take the part that they use.
type Store interface {
	Grants
	Sessions
	RememberedDevices
	Consents
	FrontDoor
	GrantList
	Attempts
	Denials
	Clients
	Registrations
	RegistrationTokens
	Usage
	Assertions
	Resources
	Users
	Passwords
	Factors
	OwnFactors
	Tickets
	Redemptions
	Passkeys
	Keys
	Outbox
	Audit
	AuditChain
	Refusals
	RefusalList
	Upkeep
	Lifeline
}

// Grants are the heart: one row for each login of a user at a client.
type Grants interface {
	// CreateGrant stores g, whose Revision becomes 1 and whose CreatedAt is stamped by the store where it is zero, and spends what it relies on in the same commit. ErrMoved: the user is no
	// longer at spend.UserRevision, or is disabled, or gone, or the session is not at spend.SessionRevision or gone; a password change
	// that commits first wins, and one that commits later revokes g. ErrSpent: the TOTP step, recovery code or pushed request served
	// before. ErrTaken: the ID, or the user code of another pending grant. A zero spend is not checked, nor is the user of a spend
	// without UserID.
	CreateGrant(ctx context.Context, g Grant, spend Spend, also Also) error

	// FindGrant reads the grant with the standing of its user and client, its denied serials and the store's clock, all at one
	// instant and never from a replica or a cache. ErrNotFound: no such grant. Concurrent calls may gather.
	FindGrant(ctx context.Context, id ID) (Standing, error)

	// RedeemGrant moves a pending grant to what r.Grant says (active, or pending on: a device's poll and its person's answer) and spends
	// what that relies on, in one commit. Only a pending row at r.Revision moves: else ErrMoved. Otherwise as CreateGrant.
	RedeemGrant(ctx context.Context, r Redemption) error

	// RotateGrant writes step where the grant is active and still at step.Revision: else ErrMoved. Concurrent calls for different
	// grants may gather into one commit; one that fails or waits for a lock neither fails nor delays the others.
	RotateGrant(ctx context.Context, step Step) error

	// RevokeGrant ends the grant and reports whether this call was the first to do so. Already revoked: false, and neither the
	// reason nor anything in r.Also is written. ErrMoved: r.Revision is set and the row has another. ErrNotFound: no such grant.
	RevokeGrant(ctx context.Context, r Revocation) (first bool, err error)

	// RevokeGrants ends every pending and active grant that of selects, in one commit, and returns how many. r.ID and r.Revision are
	// not used. r.Also is written even when there was none: it reports the act.
	RevokeGrants(ctx context.Context, of GrantsOf, r Revocation) (n int, err error)
}

// GrantList shows grants to people.
type GrantList interface {
	// ListGrants returns at most limit of the grants that of selects, newest first, that are older than before (zero: from the newest
	// on), and the store's clock. Older is the order of the IDs. Revoked and expired grants are among them until they are swept.
	ListGrants(ctx context.Context, of GrantsOf, before ID, limit int) (grants []Grant, now time.Time, err error)
}

// Attempts count who tries what, before anything expensive is done.
type Attempts interface {
	// TakeAttempts takes one token from each bucket, or none from any: then wait is how long until all of them would give one, at
	// least a microsecond. wait 0: taken. Of concurrent callers no more succeed than the buckets hold. A bucket that is empty for
	// longer than twice its Burst × Every was filled by a clock that was set back since: it counts as full.
	TakeAttempts(ctx context.Context, takes []Take) (wait time.Duration, err error)

	// ReturnAttempts gives one token back to each bucket, since the proof was right; a bucket never holds more than its burst.
	ReturnAttempts(ctx context.Context, takes []Take) error

	// TryGrant counts one try at a pending grant (Waiting.Tries + 1, Revision + 1) before the proof is looked at. ErrMoved: it is
	// not pending at revision any more.
	TryGrant(ctx context.Context, id ID, revision int64) error
}

// Denials are the access tokens that were revoked one by one.
type Denials interface {
	// DenyToken revokes one access token. Denying it again changes nothing and is no error.
	DenyToken(ctx context.Context, d Denial) error
	// TokenDenied reports whether the token was denied, for tokens that have no grant row; for the others see Standing.Denied.
	TokenDenied(ctx context.Context, grantID ID, serial int64) (denied bool, now time.Time, err error)
}

// Clients are the registered applications.
type Clients interface {
	// CreateClient stores c with Revision 1. ErrTaken: the client_id exists. ErrNotFound: its owner is gone.
	CreateClient(ctx context.Context, c Client, also Also) error
	// FindClient reads one client, disabled ones too. ErrNotFound. Concurrent calls may gather.
	FindClient(ctx context.Context, id string) (c Client, now time.Time, err error)
	// ListClients returns at most limit clients whose client_id is greater than after, in that order.
	ListClients(ctx context.Context, after string, limit int) ([]Client, error)
	// UpdateClient replaces metadata, secrets, DisabledAt, DisabledFor, OwnerID and Registration where the row is still at c.Revision:
	// else ErrMoved; ErrNotFound.
	UpdateClient(ctx context.Context, c Client, also Also) error
	// DeleteClient removes the client with its grants, its pushed requests and all consents to it, in one commit. ErrNotFound.
	DeleteClient(ctx context.Context, id string, also Also) error
}

// Assertions are the client assertions that were used (RFC 7523 §3).
type Assertions interface {
	// SpendAssertion notes that the assertion was used; from expires on nobody would take it anyway. ErrSpent: it was used before.
	// Of concurrent callers, on any node, one succeeds.
	SpendAssertion(ctx context.Context, assertion Digest, expires time.Time) error
}

// Resources are the registered protected resources.
type Resources interface {
	// CreateResource stores r with Revision 1. ErrTaken: the identifier exists.
	CreateResource(ctx context.Context, r Resource, also Also) error
	// FindResources reads those of the identifiers that are registered, in the order of their identifiers. The others are no error.
	FindResources(ctx context.Context, identifiers []string) ([]Resource, error)
	// ListResources returns at most limit resources whose identifier is greater than after, in that order.
	ListResources(ctx context.Context, after string, limit int) ([]Resource, error)
	// UpdateResource replaces the metadata where the row is still at r.Revision: else ErrMoved; ErrNotFound.
	UpdateResource(ctx context.Context, r Resource, also Also) error
	// DeleteResource removes the resource. Grants and tokens that name it stay. ErrNotFound.
	DeleteResource(ctx context.Context, identifier string, also Also) error
}

// Users are the people.
type Users interface {
	// CreateUser stores u with Revision 1, and its password's hash ("" for none). ErrTaken: one of u.Logins belongs to somebody.
	CreateUser(ctx context.Context, u User, passwordHash string, also Also) error
	// FindUser reads one user by subject. ErrNotFound.
	FindUser(ctx context.Context, id ID) (SignIn, error)
	// FindLogin reads the user to whom the canonical identifier belongs. ErrNotFound.
	FindLogin(ctx context.Context, login string) (SignIn, error)
	// ListUsers returns at most limit users whose ID is greater than after, in that order: the order of their creation.
	ListUsers(ctx context.Context, after ID, limit int) ([]User, error)
	// UpdateUser replaces everything but ID and CreatedAt where the row is still at u.Revision: else ErrMoved; ErrNotFound;
	// ErrTaken. Where revoke has a reason, all the user's sessions and grants end in the same commit (disabling does so).
	UpdateUser(ctx context.Context, u User, revoke Reason, also Also) error
	// DeleteUser removes the user with password, factors, codes, tickets, sessions, consents and grants in one commit. Their clients stay, and are nobody's, at a new revision. The subject is never used again. ErrNotFound.
	DeleteUser(ctx context.Context, id ID, also Also) error
}

// Passwords change here, and with them what the old one had opened.
type Passwords interface {
	// SetPassword replaces the hash, raises the user's revision, ends all the user's sessions, forgets the remembered devices, removes
	// the user's tickets but that of a deletion, and revokes all the user's grants (ReasonPasswordChanged), offline ones too, in one commit. A sign-in that proved the old password and has not committed yet fails with ErrMoved. ErrNotFound.
	// ErrMoved: revision is set and the user has another; 0: whichever it has now.
	SetPassword(ctx context.Context, userID ID, revision int64, hash string, also Also) error
	// RaiseHash replaces a hash by a costlier one of the same password. It changes no revision and revokes nothing. ErrMoved: the
	// hash is not old any more.
	RaiseHash(ctx context.Context, userID ID, old, hash string) error
}

// Factors are second factors.
type Factors interface {
	// EnrollTOTP stores an unconfirmed device; an unconfirmed one that the user had before is replaced. ErrNotFound: no such user.
	EnrollTOTP(ctx context.Context, t TOTP, also Also) error
	// FindEnrollment reads the user's unconfirmed device. ErrNotFound: there is none.
	FindEnrollment(ctx context.Context, userID ID) (t TOTP, now time.Time, err error)
	// ConfirmTOTP makes the device good, burns the step whose code confirmed it, and, where codes is not empty, replaces all the
	// user's recovery codes by these digests; remembered devices are forgotten and the user's revision rises. ErrMoved: the device is not waiting to be confirmed; or revision is set and
	// the user has another.
	ConfirmTOTP(ctx context.Context, userID, factorID ID, revision, step int64, codes []Digest, also Also) error
	// RemoveFactors removes the user's TOTP devices, passkeys and recovery codes and forgets the remembered devices; the user's revision
	// rises. It returns how many devices and passkeys there were. ErrNotFound: no such user.
	RemoveFactors(ctx context.Context, userID ID, also Also) (n int, err error)
	// StaleSeeds returns at most limit devices with an ID greater than after, in that order, whose seal does not begin with current,
	// and how many such devices there are in all.
	StaleSeeds(ctx context.Context, current []byte, after ID, limit int) (page []TOTP, left int, err error)
	// ResealSeed replaces a device's seal where it is still old: else ErrMoved. It changes no revision.
	ResealSeed(ctx context.Context, factorID ID, old, sealed []byte) error
}

// OwnFactors is what people do themselves with second factors that are good already, on the word of their session: so both are
// conditional on the user's revision that was read with it (else ErrMoved), raise it, and forget the remembered devices.
type OwnFactors interface {
	// RemoveFactor removes one confirmed device of the user, and with the last factor of any kind the recovery codes. ErrNotFound: the user has no
	// such device, or is gone.
	RemoveFactor(ctx context.Context, userID, factorID ID, revision int64, also Also) error
	// ReplaceRecoveryCodes makes codes, and no others, the user's recovery codes. ErrNotFound: the user is gone, or has no factor that
	// they could stand in for.
	ReplaceRecoveryCodes(ctx context.Context, userID ID, revision int64, codes []Digest, also Also) error
}

// Keys are signing keys and handle keys, sealed.
type Keys interface {
	// EstablishKeys stores made where there is no key at all and returns what there is then. Of concurrent callers one stores its
	// keys and all return the same set: several nodes that start at once make one.
	EstablishKeys(ctx context.Context, made []Key) ([]Key, error)
	// ListKeys returns all keys, removed and revoked ones too, oldest first, and the store's clock.
	ListKeys(ctx context.Context) (keys []Key, now time.Time, err error)
	// ChangeKeys moves and adds keys in one commit. What becomes removed or revoked loses Sealed. ErrMoved: a move's condition does
	// not hold. ErrTaken: a key of that ID or number was there before, or the use and algorithm has a pending, or an active, key.
	ChangeKeys(ctx context.Context, c KeyChange) error
	// ResealKey replaces what is sealed where it is still old: else ErrMoved.
	ResealKey(ctx context.Context, id string, old, sealed []byte) error
}

// Outbox holds letters until they are delivered. Delivery is at least once.
type Outbox interface {
	// ClaimLetters returns at most limit letters that are due and hides them from others for lease. Each has its Attempt raised.
	ClaimLetters(ctx context.Context, limit int, lease time.Duration) ([]Letter, error)
	// FinishLetter removes a delivered letter. Nothing happens where attempt is not the newest claim's.
	FinishLetter(ctx context.Context, id ID, attempt int) error
	// RetryLetter makes a claimed letter due again after wait. Nothing happens where attempt is not the newest claim's.
	RetryLetter(ctx context.Context, id ID, attempt int, wait time.Duration) error
	// SplitLetter removes a claimed letter and puts others, due at once, in its place, in one commit. Nothing happens where attempt is
	// not the newest claim's.
	SplitLetter(ctx context.Context, id ID, attempt int, into []Letter) error
}

// Audit is the log of security events.
type Audit interface {
	// RecordEvents stores events that belong to no other write, such as a refused sign-in.
	RecordEvents(ctx context.Context, events []Event) error
	// ListEvents returns the events that f selects, newest first.
	ListEvents(ctx context.Context, f EventFilter) ([]Event, error)
}

// Refusals are requests that were refused, kept for a while so that an operator can be asked about them.
type Refusals interface {
	// RecordRefusals stores those of the requests whose client exists, and removes the oldest beyond the bound. A request whose ID
	// is there already changes nothing.
	RecordRefusals(ctx context.Context, refused []RefusedRequest, bound RefusalBound) error
	// FindRefusal reads one by its ID. ErrNotFound.
	FindRefusal(ctx context.Context, id string) (RefusedRequest, error)
	// SweepRefusals removes at most limit that are older than keep, and returns how many went.
	SweepRefusals(ctx context.Context, limit int, keep time.Duration) (n int, err error)
}

// Upkeep is the sweep. Nothing here is needed for correctness: what has expired is refused whether it was swept or not.
type Upkeep interface {
	// TakeLease makes holder the only one who does name until lease has passed; the holder may take it again. false: another has it.
	TakeLease(ctx context.Context, name, holder string, lease time.Duration) (bool, error)
	// SweepExpired removes at most limit rows of each kind that have expired: grants, denials, assertions, sessions, remembered devices,
	// tickets and pushed requests past their end by more than keep (a session that expires leaves no letter), buckets that are full again,
	// and events older than retention (0: none): of these only a whole beginning of the chain, up to a checkpoint, with the checkpoints
	// before that one, so that what is left can be verified; the first stretch goes even if it alone is more than limit. It returns how many rows went.
	SweepExpired(ctx context.Context, limit int, keep, retention time.Duration) (n int, err error)
	// WalkGrants returns at most limit grants with an ID greater than after, in that order.
	WalkGrants(ctx context.Context, after ID, limit int) (page []GrantAge, now time.Time, err error)
	// DropGrants removes those of the grants that are still at the revision given, and returns how many went.
	DropGrants(ctx context.Context, dead []GrantAge) (n int, err error)
}

// Lifeline is the store itself.
type Lifeline interface {
	// Ping reports whether the database answers and has the schema of this program: ErrUnavailable, ErrSchema.
	Ping(ctx context.Context) (now time.Time, err error)
	// Close waits for writes under way and lets go of the database. Every later call fails with ErrUnavailable.
	Close() error
}
