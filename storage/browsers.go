package storage

import (
	"context"
	"time"
)

// The parts of Store that browsers need. What every method promises stands in store.go.

// Sessions are people signed in at browsers.
type Sessions interface {
	// StartSession stores s with Revision 1 and spends what it relies on in the same commit, as CreateGrant does. Where the user has
	// more than most sessions, the ones used longest ago end, as EndSessions ends them with ReasonLogout. ErrTaken: the ID or the
	// digest exists.
	StartSession(ctx context.Context, s Session, most int, spend Spend, also Also) error
	// FindSessions reads those of the sessions with these digests that exist, expired ones too, in the order of the digests, each with
	// its user; and the store's clock. A session whose user is gone is none.
	FindSessions(ctx context.Context, digests []Digest) (found []SessionStanding, now time.Time, err error)
	// ChangeSession replaces everything but ID, UserID and CreatedAt where the row is still at s.Revision, which rises, and spends what
	// that relies on in the same commit: else ErrMoved; ErrNotFound: there is no such session. spend otherwise as in CreateGrant.
	ChangeSession(ctx context.Context, s Session, spend Spend, also Also) error
	// TouchSession notes a use: UsedAt becomes the store's clock, and Seen is replaced. It changes no revision. A session that is gone
	// is no error.
	TouchSession(ctx context.Context, id ID, seen Seen) error
	// EndSessions removes the sessions that of selects and revokes, for reason, every pending grant given in them and every active one
	// that is not Offline, in one commit. For each session in which anything was ever granted (the row being there still) a letter of
	// kind LetterSessionEnded is put into the outbox with it. It returns the sessions that it ended; also is written even where there
	// was none. Sessions that end with something else (StartSession, SetPassword, UpdateUser, DeleteUser) leave the same letters.
	EndSessions(ctx context.Context, of SessionsOf, reason Reason, also Also) (ended []EndedSession, err error)
	// ListSessions returns the user's sessions, those used last first, and the store's clock.
	ListSessions(ctx context.Context, userID ID) (sessions []Session, now time.Time, err error)
}

// RememberedDevices are the browsers that need no second factor again.
type RememberedDevices interface {
	// RememberDevice stores d where the user is still at userRevision: else ErrMoved.
	RememberDevice(ctx context.Context, d RememberedDevice, userRevision int64, also Also) error
	// FindDevices reads those of the devices with these digests that exist, expired ones too, and the store's clock.
	FindDevices(ctx context.Context, digests []Digest) (found []RememberedDevice, now time.Time, err error)
	// ListDevices returns the user's remembered devices, newest first.
	ListDevices(ctx context.Context, userID ID) ([]RememberedDevice, error)
	// ForgetDevices removes the user's device with this ID, or all of the user's where the ID is zero, and returns how many went.
	ForgetDevices(ctx context.Context, userID, id ID, also Also) (n int, err error)
}

// Consents are what people allowed clients.
type Consents interface {
	// RememberConsent adds what c allows to what was allowed before; GivenAt becomes the store's clock. ErrNotFound: user or client is gone.
	RememberConsent(ctx context.Context, c Consent, also Also) error
	// FindConsent reads what the user allowed the client. ErrNotFound: nothing.
	FindConsent(ctx context.Context, userID ID, clientID string) (Consent, error)
	// ListConsents returns all that the user allowed, in the order of the clients' IDs.
	ListConsents(ctx context.Context, userID ID) ([]Consent, error)
	// WithdrawConsent forgets what the user allowed the client and revokes every grant between the two (ReasonUser), in one commit. It
	// returns how many grants that were. also is written even where there was nothing.
	WithdrawConsent(ctx context.Context, userID ID, clientID string, also Also) (n int, err error)
}

// FrontDoor is what authorization requests leave behind before anybody has signed in: only what a client was asked to push.
type FrontDoor interface {
	// PushRequest stores a pushed authorization request. ErrTaken: the digest exists; ErrNotFound: the client is gone.
	PushRequest(ctx context.Context, r PushedRequest) error
	// FindPushed reads one, expired ones too, with the store's clock. ErrNotFound: it was used up, or never there.
	FindPushed(ctx context.Context, request Digest) (r PushedRequest, now time.Time, err error)
	// FindUserCode reads the pending grant of a device by its user code, as FindGrant does. ErrNotFound.
	FindUserCode(ctx context.Context, code Digest) (Standing, error)
}
