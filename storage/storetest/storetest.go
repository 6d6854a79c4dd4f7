// Package storetest is the one suite that every storage engine must pass. Each promise in the comments of storage.Store is a
// named case here; when a promise changes, it changes here first.
//
// Every case gets an empty store and a clock that moves only when the case moves it, so that nothing sleeps and everything
// runs in parallel. Every "only once" has a race: see race.go, where a table ties each conditional write to its races.
package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signet-idp/signet/storage"
)

// Run proves an engine. open returns an empty store whose clock is the given one, and registers its cleanup with t. A case may
// close its store itself: cleanup must bear a second Close.
func Run(t *testing.T, open func(t *testing.T, clock func() time.Time) storage.Store) {
	t.Run("Races", func(t *testing.T) { everyConditionalWriteHasItsRace(t) })
	for _, part := range []struct {
		name  string
		cases []promise
	}{
		{"Grants", grantPromises()},
		{"Spending", spendPromises()},
		{"SpendingPasskeys", spendPasskeyPromises()},
		{"Revoking", revokePromises()},
		{"Sessions", sessionPromises()},
		{"EndOfSessions", sessionEndPromises()},
		{"RememberedDevices", devicePromises()},
		{"Consents", consentPromises()},
		{"FrontDoor", frontDoorPromises()},
		{"Listing", grantListPromises()},
		{"Gathering", gatherPromises()},
		{"Attempts", attemptPromises()},
		{"Denials", denialPromises()},
		{"Clients", clientPromises()},
		{"Registrations", registrationPromises()},
		{"RegistrationTokens", registrationTokenPromises()},
		{"Usage", usagePromises()},
		{"Assertions", assertionPromises()},
		{"Resources", resourcePromises()},
		{"Users", userPromises()},
		{"Passwords", passwordPromises()},
		{"Factors", factorPromises()},
		{"OwnFactors", ownFactorPromises()},
		{"Passkeys", passkeyPromises()},
		{"EndOfPasskeys", passkeyEndPromises()},
		{"Tickets", ticketPromises()},
		{"Redemptions", redemptionPromises()},
		{"Keys", keyPromises()},
		{"Outbox", outboxPromises()},
		{"Audit", auditPromises()},
		{"AuditChain", chainPromises()},
		{"SweepOfTheChain", sweepChainPromises()},
		{"Refusals", refusalPromises()},
		{"Also", alsoPromises()},
		{"Upkeep", upkeepPromises()},
		{"Lifeline", lifelinePromises()},
		{"Race", racePromises()},
	} {
		for _, p := range part.cases {
			t.Run(part.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				clock := NewClock()
				p.hold(t, &subject{Store: open(t, clock.Now), clock: clock})
			})
		}
	}
}

// promise is one case: its name says what the store promises.
type promise struct {
	name string
	hold func(t *testing.T, s *subject)
}

// subject is the store under test with the clock it goes by.
type subject struct {
	storage.Store
	clock *Clock
}

// Clock is a store's clock that stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at an instant in 2026 with microseconds.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.March, 14, 15, 9, 26, 535_897_000, time.UTC)}
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock; a negative d sets it back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set makes the clock show now, in whatever zone and precision it is given.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// sentinels are all the errors that a store may return.
var sentinels = []error{
	storage.ErrNotFound, storage.ErrMoved, storage.ErrSpent, storage.ErrTaken,
	storage.ErrUnknown, storage.ErrUnavailable, storage.ErrSchema,
}

// is reports whether err is the sentinel want and no other; a nil want asks for success.
func is(err, want error) bool {
	if want == nil || err == nil {
		return err == want
	}
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) != (sentinel == want) {
			return false
		}
	}
	return true
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("error: %v", err)
	}
}

// fails asserts that err is exactly one of the sentinels in want.
func fails(t *testing.T, err error, want ...error) {
	t.Helper()
	if !slices.ContainsFunc(want, func(w error) bool { return is(err, w) }) {
		t.Fatalf("error: %v, want %v", err, want)
	}
}

// same asserts that two records are equal field by field, that every time in got is in UTC with whole microseconds, and takes
// an empty list for an absent one.
func same(t *testing.T, want, got any, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, append(options, cmpopts.EquateEmpty())...); diff != "" {
		t.Fatalf("record differs (-want +got):\n%s", diff)
	}
	eachTime(reflect.ValueOf(got), func(at time.Time) {
		if at.IsZero() {
			return
		}
		if at.Location() != time.UTC || at.Nanosecond()%1000 != 0 {
			t.Fatalf("time %v is not in UTC with microseconds", at)
		}
	})
}

func eachTime(v reflect.Value, visit func(time.Time)) {
	if !v.IsValid() {
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		visit(v.Interface().(time.Time))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachTime(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachTime(v.Index(i), visit)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			eachTime(v.Elem(), visit)
		}
	}
}
