// Package throttle decides who may try again, and when. A proof (a password, a one-time code) takes one attempt from every
// bucket it concerns before anything expensive is done, and gives it back when it was right, so that only failures count and
// no parallel burst gets past the counter. The buckets are in the store, so that all nodes count together.
//
// Nobody is locked out for good: a bucket fills again by itself. Secrets, codes and handles of 128 bits and more need none.
package throttle

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Limit is one bucket: Burst attempts at once, and then one per Every. The zero value stands for the default.
type Limit struct {
	Burst int
	Every time.Duration
}

// Limits are the sizes of all buckets; zero fields take the value in parentheses.
type Limits struct {
	Account     Limit // failed passwords of one account (5, then one per 30 s)
	AccountLong Limit // the same over the long run, NIST SP 800-63B §3.2.2 (100, then one per hour)
	Address     Limit // failed passwords from one address (30, then one per 2 s)
	Client      Limit // in place of Address for an authenticated confidential client (600, then one per 50 ms)
	Device      Limit // failed passwords of one account at a device that it knows, in place of all of the above (5, then one per 30 s)
	DeviceLong  Limit // the same over the long run (100, then one per hour)
	Factor      Limit // failed second factors of one user (5, then one per minute)
	FactorLong  Limit // the same over the long run (100, then one per hour)
}

// orDefaults returns l with its zero fields filled.
func (l Limits) orDefaults() Limits {
	fill := func(limit *Limit, burst int, every time.Duration) {
		if limit.Burst <= 0 {
			limit.Burst = burst
		}
		if limit.Every <= 0 {
			limit.Every = every
		}
	}
	fill(&l.Account, 5, 30*time.Second)
	fill(&l.AccountLong, 100, time.Hour)
	fill(&l.Address, 30, 2*time.Second)
	fill(&l.Client, 600, 50*time.Millisecond)
	fill(&l.Device, 5, 30*time.Second)
	fill(&l.DeviceLong, 100, time.Hour)
	fill(&l.Factor, 5, time.Minute)
	fill(&l.FactorLong, 100, time.Hour)
	return l
}

// Caller is where a proof came from.
type Caller struct {
	// Address is the IP address of the peer, as the trusted-proxy rules of the listener found it.
	Address string
	// ClientID is set where an authenticated confidential client forwards its users' passwords: its servers share few
	// addresses among many people, so it is counted in place of its address.
	ClientID string
	// Device is the browser that it came from, where the browser brought proof of which it is.
	Device Device
}

// Device is a browser at which people have signed in before. Its owner gets through while the world guesses at the account, and
// whoever steals its cookie gets no more guesses than anybody has, and those at its owners' accounts alone.
type Device struct {
	ID       string   // "": none that is known
	Accounts []string // who signed in at it, as Candidate.Account names them
}

func (d Device) knows(account string) bool { return d.ID != "" && slices.Contains(d.Accounts, account) }

// Limiter hands out attempts.
type Limiter struct {
	store  storage.Attempts
	limits Limits
}

// New makes a limiter with the default limits.
func New(store storage.Attempts) *Limiter { return &Limiter{store, Limits{}.orDefaults()} }

// With returns a limiter with other limits over the same buckets.
func (l *Limiter) With(limits Limits) *Limiter { return &Limiter{l.store, limits.orDefaults()} }

// SignIn takes one attempt for a password proof. account is what account.Candidate.Account returned: one name for all
// spellings of one account, existing or not. Errors are *oauth.Error: slow_down (429) where a bucket is empty, the same for
// every account; temporarily_unavailable (503) where the store did not answer, since uncounted guessing is not allowed.
func (l *Limiter) SignIn(ctx context.Context, account string, caller Caller) (*Ticket, error) {
	if caller.Device.knows(account) {
		at := caller.Device.ID + " " + account
		return l.take(ctx, bucket("signin device", at, l.limits.Device), bucket("signin device long", at, l.limits.DeviceLong))
	}
	return l.take(ctx,
		bucket("signin account", account, l.limits.Account),
		bucket("signin account long", account, l.limits.AccountLong),
		l.caller("signin", caller),
	)
}

// SecondFactor takes one attempt for a one-time or recovery code of the user. Its buckets are its own: failures here never
// slow the password, nor the other way round. Errors are those of SignIn.
func (l *Limiter) SecondFactor(ctx context.Context, userID storage.ID, caller Caller) (*Ticket, error) {
	return l.take(ctx,
		bucket("factor user", userID.String(), l.limits.Factor),
		bucket("factor user long", userID.String(), l.limits.FactorLong),
		l.caller("factor", caller),
	)
}

func (l *Limiter) take(ctx context.Context, takes ...storage.Take) (*Ticket, error) {
	wait, err := l.store.TakeAttempts(ctx, takes)
	if err != nil {
		return nil, unavailable(err)
	}
	if wait > 0 {
		return nil, slowDown(wait)
	}
	return &Ticket{store: l.store, takes: takes}, nil
}

// Ticket is one attempt, taken. It belongs to one request and is not for concurrent use.
type Ticket struct {
	store storage.Attempts
	takes []storage.Take
}

// GiveBack returns the attempt, since the proof was right. A second call does nothing. The error is the store's: the sign-in
// it belongs to is good all the same, and the attempt comes back with time.
func (t *Ticket) GiveBack(ctx context.Context) error {
	if t == nil || len(t.takes) == 0 {
		return nil
	}
	takes := t.takes
	t.takes = nil
	return t.store.ReturnAttempts(ctx, takes)
}

// caller is the bucket of where the proof came from.
func (l *Limiter) caller(proof string, c Caller) storage.Take {
	if c.ClientID != "" {
		return bucket(proof+" client", c.ClientID, l.limits.Client)
	}
	return bucket(proof+" address", Network(c.Address), l.limits.Address)
}

// Network is the part of an address that one subscriber holds: the whole of an IPv4 address, the /64 of an IPv6 one. An
// IPv4 address in IPv6 clothes is IPv4. Text that is no address is all one network, so that inventing some gains nothing.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}

// bucket names a bucket by digest: the table of attempts is no list of people and addresses.
func bucket(kind, name string, limit Limit) storage.Take {
	return storage.Take{
		Key:   storage.NewSecret([]byte(name)).Digest("signet throttle " + kind),
		Burst: limit.Burst,
		Every: limit.Every,
	}
}

func slowDown(wait time.Duration) error {
	seconds := (wait + time.Second - 1) / time.Second
	refusal := oauth.Errorf(oauth.SlowDown, "too many failed attempts; try again after the time that Retry-After names")
	refusal.RetryAfter = seconds * time.Second
	return refusal.Because(errors.New("throttle: a bucket is empty"))
}

func unavailable(cause error) error {
	refusal := oauth.Errorf(oauth.TemporarilyUnavailable, "the server cannot count attempts at the moment; try again shortly")
	refusal.RetryAfter = 2 * time.Second
	return refusal.Because(cause)
}
