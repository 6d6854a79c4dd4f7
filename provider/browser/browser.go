package browser

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// The sentinels of this room. A wrong proof is account.ErrWrong, whatever was wrong.
var (
	// ErrForged: a sealed text was not made here, or not for this.
	ErrForged = errors.New("browser: not sealed here")
	// ErrForeign: it was sealed for another browser, or this one has lost its cookies.
	ErrForeign = errors.New("browser: sealed for another browser")
	// ErrExpired: it was sealed too long ago.
	ErrExpired = errors.New("browser: sealed too long ago")
	// ErrTooLarge: what is to be sealed would not fit into an address.
	ErrTooLarge = errors.New("browser: the sealed text would exceed 6 KiB")
	// ErrForm: a form's token is not this session's, not this form's, too old, or none.
	ErrForm = errors.New("browser: the form was not made for this session")
	// ErrGone: the session ended meanwhile, or its sign-in waited too long for its second factor.
	ErrGone = errors.New("browser: the session has ended")
)

const (
	maxAccounts  = 5   // people signed in at one browser
	maxSessions  = 100 // sessions of one person
	maxRaces     = 4   // how often a row may move under an act before it is an outage
	halfDone     = 10 * time.Minute
	enrolling    = transactionLifetime // to find an app, and to write ten codes down; a password that was proven buys no more
	touchedEvery = 5 * time.Minute
)

// Config is what an operator may choose. All but Issuer may be left zero.
type Config struct {
	Issuer          string               // https, or http on a loopback host: then cookies are without prefix and Secure
	SessionIdle     time.Duration        // 0: 24 hours
	SessionLifetime time.Duration        // 0: 30 days
	SecondFactor    account.SecondFactor // "": optional
	Clock           func() time.Time     // for what has no row: seals and form tokens; nil: time.Now
}

// Store is the part of the store that this room uses.
type Store interface {
	storage.Sessions
	storage.RememberedDevices
	// RecordEvents is storage.Audit's.
	RecordEvents(ctx context.Context, events []storage.Event) error
	// FindUser is storage.Users'.
	FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error)
}

// Browsers is the room's service. It is safe for concurrent use.
type Browsers struct {
	store    Store
	mint     *handle.Mint
	people   *account.People
	limiter  *throttle.Limiter
	idle     time.Duration
	lifetime time.Duration
	policy   account.SecondFactor
	clock    func() time.Time
	secure   bool
}

// New makes the service.
func New(store Store, mint *handle.Mint, people *account.People, limiter *throttle.Limiter, c Config) *Browsers {
	b := &Browsers{
		store: store, mint: mint, people: people, limiter: limiter,
		idle:     cmp.Or(c.SessionIdle, 24*time.Hour),
		lifetime: cmp.Or(c.SessionLifetime, 30*24*time.Hour),
		policy:   cmp.Or(c.SecondFactor, account.SecondFactorOptional),
		clock:    c.Clock,
		secure:   strings.HasPrefix(c.Issuer, "https:"),
	}
	if b.clock == nil {
		b.clock = time.Now
	}
	return b
}

// Account is somebody at this browser: a session, and the person it is of.
type Account = storage.SessionStanding

// Visit is one request of one browser. It is not for concurrent use.
type Visit struct {
	// Accounts are the live sessions, signed in and half-done ones (Session.SignedIn), in the cookie's order: the first is the current
	// one.
	Accounts []Account
	Now      time.Time // the store's clock; zero where nothing was asked of the store yet, see Browsers.Clock
	Seen     storage.Seen

	secrets    map[storage.ID]storage.Secret // of the Accounts, by session
	sessions   string                        // the session cookie, as the browser has it once it has the answer
	pre        storage.Secret                // of the pre-session cookie; zero: none
	device     device
	remembered []storage.Secret // of the remembered second factors, newest first
	jar        []*http.Cookie
}

// Visit reads what the browser brings. A session is there where it has neither ended nor outlived the limits as they are set now.
// The errors are the store's alone: whatever is wrong with a cookie makes it no cookie.
func (b *Browsers) Visit(r *http.Request) (*Visit, error) {
	v := &Visit{
		device:     b.readDevice(b.cookie(r, cookieDevice)),
		remembered: parseSecrets(b.cookie(r, cookieRemembered)),
	}
	v.Seen.Address, v.Seen.Agent = oauth.Peer(r)
	if pre := parseSecrets(b.cookie(r, cookiePre)); len(pre) == 1 {
		v.pre = pre[0]
	}
	secrets := parseSecrets(b.cookie(r, cookieSessions))
	if len(secrets) == 0 {
		return v, nil
	}
	v.sessions = joinSecrets(secrets)
	if err := b.load(r.Context(), v, secrets); err != nil {
		return nil, err
	}
	for i := range v.Accounts {
		if s := &v.Accounts[i].Session; v.Now.Sub(s.UsedAt) > touchedEvery {
			_ = b.store.TouchSession(r.Context(), s.ID, v.Seen) // a use that is not noted is noted at the next
			s.UsedAt, s.Seen = v.Now, v.Seen
		}
	}
	return v, nil
}

// load finds the live sessions of the secrets.
func (b *Browsers) load(ctx context.Context, v *Visit, secrets []storage.Secret) error {
	digests := make([]storage.Digest, len(secrets))
	byDigest := make(map[storage.Digest]storage.Secret, len(secrets))
	for i, secret := range secrets {
		digests[i] = sessionDigest(secret)
		byDigest[digests[i]] = secret
	}
	found, now, err := b.store.FindSessions(ctx, digests)
	if err != nil {
		return err
	}
	v.Now, v.Accounts, v.secrets = now, nil, map[storage.ID]storage.Secret{}
	for _, a := range found {
		if b.live(a, now) {
			v.Accounts = append(v.Accounts, a)
			v.secrets[a.Session.ID] = byDigest[a.Session.Digest]
		}
	}
	return nil
}

// reload finds out what has become of the accounts of v.
func (b *Browsers) reload(ctx context.Context, v *Visit) error {
	var secrets []storage.Secret
	for _, a := range v.Accounts {
		secrets = append(secrets, v.secrets[a.Session.ID])
	}
	return b.load(ctx, v, secrets)
}

// live judges by the limits as they are set now, not as they were when the session began: a shortened one is for all.
func (b *Browsers) live(a Account, now time.Time) bool {
	return a.User.DisabledAt.IsZero() && a.Session.Live(now, b.idle) && now.Before(a.Session.CreatedAt.Add(b.lifetime))
}

// Clock is the store's clock, for a visit without a session.
func (b *Browsers) Clock(ctx context.Context) (time.Time, error) {
	_, now, err := b.store.FindSessions(ctx, nil)
	return now, err
}

func (v *Visit) find(match func(Account) bool) (Account, bool) {
	i := slices.IndexFunc(v.Accounts, match)
	if i < 0 {
		return Account{}, false
	}
	return v.Accounts[i], true
}

func withID(id storage.ID) func(Account) bool {
	return func(a Account) bool { return a.Session.ID == id }
}

func ofUser(id storage.ID) func(Account) bool { return func(a Account) bool { return a.User.ID == id } }

// hold makes a, whose session has the secret, the current account. One too many goes out of the cookie, that which was current
// longest ago; its session lives on for the applications that were signed in to with it, until it is idle too long.
func (v *Visit) hold(b *Browsers, a Account, secret storage.Secret) {
	all := append([]Account{a}, v.without(a.Session.ID)...)
	v.Accounts = all[:min(len(all), maxAccounts)]
	if v.secrets == nil {
		v.secrets = map[storage.ID]storage.Secret{}
	}
	v.secrets[a.Session.ID] = secret
	v.writeSessions(b)
}

// drop forgets the account with this session.
func (v *Visit) drop(b *Browsers, id storage.ID) {
	v.Accounts = v.without(id)
	delete(v.secrets, id)
	v.writeSessions(b)
}

// without are the other accounts, in a list of their own: whoever was shown Accounts keeps what was shown.
func (v *Visit) without(id storage.ID) []Account {
	return slices.DeleteFunc(slices.Clone(v.Accounts), withID(id))
}

func (v *Visit) writeSessions(b *Browsers) {
	var secrets []storage.Secret
	for _, a := range v.Accounts {
		secrets = append(secrets, v.secrets[a.Session.ID])
	}
	v.sessions = joinSecrets(secrets)
	v.set(b, cookieSessions, v.sessions, 0)
}
