package throttle

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// clock is the store's, moved by hand.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(c.seconds.Load(), 0) }
func (c *clock) pass(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }
func user(n byte) (id storage.ID)     { id[0] = n; return id }
func home(n int) Caller               { return Caller{Address: fmt.Sprintf("192.0.2.%d", n)} }
func must(t *testing.T, err error)    { t.Helper(); check(t, err == nil, "got %v", err) }
func check(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
}

func open(t *testing.T) (*Limiter, *sqlite.Store, *clock) {
	t.Helper()
	c := &clock{}
	c.seconds.Store(1700000000)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return New(store), store, c
}

// slowed returns the refusal of an empty bucket, or nil and a test error.
func slowed(t *testing.T, err error) *oauth.Error {
	t.Helper()
	e := oauth.As(err)
	if e == nil || e.Code != oauth.SlowDown || e.HTTPStatus() != 429 || e.RetryAfter < time.Second || e.RetryAfter%time.Second != 0 {
		t.Errorf("got %v, want slow_down with whole seconds to wait", err)
		return &oauth.Error{}
	}
	return e
}

func TestFiveFailuresAreFreeAndThenOnePerThirtySeconds(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for range 5 {
		_, err := l.SignIn(t.Context(), "ada", home(1))
		must(t, err)
	}
	// Neither another address nor another client gets around the account's bucket.
	for _, caller := range []Caller{home(1), home(2), {ClientID: "app"}} {
		_, err := l.SignIn(t.Context(), "ada", caller)
		check(t, slowed(t, err).RetryAfter == 30*time.Second, "%v", err)
	}
	clock.pass(29 * time.Second)
	_, err := l.SignIn(t.Context(), "ada", home(1))
	check(t, slowed(t, err).RetryAfter == time.Second, "%v", err)
	clock.pass(time.Second)
	_, err = l.SignIn(t.Context(), "ada", home(1))
	must(t, err)
	_, err = l.SignIn(t.Context(), "ada", home(1))
	slowed(t, err)
	_, err = l.SignIn(t.Context(), "bob", home(1))
	must(t, err)
}

func TestOnlyFailuresCount(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	for range 40 {
		ticket, err := l.SignIn(t.Context(), "ada", home(1))
		must(t, err)
		must(t, ticket.GiveBack(t.Context()))
		must(t, ticket.GiveBack(t.Context()))
		ticket, err = l.SecondFactor(t.Context(), user(1), home(1))
		must(t, err)
		must(t, ticket.GiveBack(t.Context()))
	}
	for range 5 {
		_, err := l.SignIn(t.Context(), "ada", home(1))
		must(t, err)
	}
	_, err := l.SignIn(t.Context(), "ada", home(1))
	slowed(t, err)
}

func TestAnAttemptIsGivenBackOnce(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	var last *Ticket
	for range 5 {
		var err error
		last, err = l.SignIn(t.Context(), "ada", home(1))
		must(t, err)
	}
	must(t, last.GiveBack(t.Context()))
	must(t, last.GiveBack(t.Context()))
	_, err := l.SignIn(t.Context(), "ada", home(1))
	must(t, err)
	_, err = l.SignIn(t.Context(), "ada", home(1))
	slowed(t, err)
}

func TestPatienceIsBoundedByTheLongBucket(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	failures := 0
	for range 4*120 - 10 { // almost four hours, one guess per 30 s from ever new addresses
		if _, err := l.SignIn(t.Context(), "ada", home(failures)); err == nil {
			failures++
		}
		clock.pass(30 * time.Second)
	}
	check(t, failures >= 100 && failures <= 105, "%d guesses in four hours, want 100 and one per hour", failures)
	_, err := l.SignIn(t.Context(), "ada", home(1))
	wait := slowed(t, err).RetryAfter
	check(t, wait > time.Minute && wait <= time.Hour, "wait %v", wait)
	clock.pass(wait)
	_, err = l.SignIn(t.Context(), "ada", home(1))
	must(t, err)
}

func TestOneAddressTriesFewAccounts(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for i := range 30 {
		_, err := l.SignIn(t.Context(), fmt.Sprint("user", i), home(1))
		must(t, err)
	}
	_, err := l.SignIn(t.Context(), "user31", home(1))
	check(t, slowed(t, err).RetryAfter == 2*time.Second, "%v", err)
	_, err = l.SignIn(t.Context(), "user31", home(2))
	must(t, err)
	clock.pass(2 * time.Second)
	_, err = l.SignIn(t.Context(), "user32", home(1))
	must(t, err)
}

func TestARefusalTakesNothingFromTheOtherBuckets(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	for i := range 30 {
		_, err := l.SignIn(t.Context(), fmt.Sprint("user", i), home(1))
		must(t, err)
	}
	for range 100 { // an address that may not try harms no account
		_, err := l.SignIn(t.Context(), "ada", home(1))
		slowed(t, err)
	}
	for range 5 {
		_, err := l.SignIn(t.Context(), "ada", home(2))
		must(t, err)
	}
}

func TestAConfidentialClientIsCountedInPlaceOfItsAddress(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	check(t, l.limits.Client == Limit{600, 50 * time.Millisecond}, "a client may fail %+v", l.limits.Client)
	l = l.With(Limits{Client: Limit{Burst: 40}})
	app := Caller{Address: "192.0.2.1", ClientID: "app"}
	for i := range 40 {
		_, err := l.SignIn(t.Context(), fmt.Sprint("user", i), app)
		must(t, err)
	}
	_, err := l.SignIn(t.Context(), "more", app)
	slowed(t, err)
	_, err = l.SignIn(t.Context(), "more", home(1))
	must(t, err)
}

func TestSecondFactorsAndPasswordsDoNotSlowEachOther(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for range 5 {
		_, err := l.SecondFactor(t.Context(), user(1), home(1))
		must(t, err)
	}
	_, err := l.SecondFactor(t.Context(), user(1), home(2))
	check(t, slowed(t, err).RetryAfter == time.Minute, "%v", err)
	for range 5 {
		_, err := l.SignIn(t.Context(), user(1).String(), home(1))
		must(t, err)
	}
	_, err = l.SignIn(t.Context(), user(1).String(), home(1))
	slowed(t, err)
	_, err = l.SecondFactor(t.Context(), user(2), home(1))
	must(t, err)
	clock.pass(time.Minute)
	_, err = l.SecondFactor(t.Context(), user(1), home(1))
	must(t, err)
	for i := range 30 { // the address is counted apart as well
		_, err := l.SignIn(t.Context(), fmt.Sprint("user", i), home(3))
		must(t, err)
	}
	_, err = l.SecondFactor(t.Context(), user(3), home(3))
	must(t, err)
}

func TestParallelGuessesGetNoMoreThanTheBucketHolds(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	var taken atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 500 {
		all.Go(func() {
			<-start
			if _, err := l.SignIn(t.Context(), "ada", home(i%250)); err == nil {
				taken.Add(1)
			} else if e := oauth.As(err); e == nil || e.Code != oauth.SlowDown && e.Code != oauth.TemporarilyUnavailable {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	check(t, taken.Load() == 5, "%d of 500 parallel guesses were let through, want 5", taken.Load())
}

func TestTheRefusalIsTheSameForEveryAccount(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	var heard []string
	for _, account := range []string{"01890a5d-ac96-774b-bcce-b302099a8057", "ghost"} {
		for range 5 {
			_, err := l.SignIn(t.Context(), account, home(1))
			must(t, err)
		}
		_, err := l.SignIn(t.Context(), account, home(1))
		e := slowed(t, err)
		heard = append(heard, fmt.Sprint(e.Code, e.Description, e.HTTPStatus(), e.RetryAfter, e.Extra, e.Challenge))
	}
	check(t, heard[0] == heard[1], "%q and %q", heard[0], heard[1])
}

func TestWithoutAStoreNobodyGuesses(t *testing.T) {
	t.Parallel()
	l, store, _ := open(t)
	must(t, store.Close())
	for _, try := range []func() (*Ticket, error){
		func() (*Ticket, error) { return l.SignIn(context.Background(), "ada", home(1)) },
		func() (*Ticket, error) { return l.SecondFactor(context.Background(), user(1), home(1)) },
	} {
		ticket, err := try()
		e := oauth.As(err)
		check(t, ticket == nil && e != nil && e.Code == oauth.TemporarilyUnavailable && e.HTTPStatus() == 503 && e.RetryAfter > 0 &&
			errors.Is(err, storage.ErrUnavailable), "got %v", err)
	}
}

func TestNeighboursOfOneSubscriberShareABucket(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:DB8:1:2::1": "2001:db8:1:2::/64", "2001:db8:1:3::1": "2001:db8:1:3::/64", "fe80::1%eth0": "fe80::/64", "::1": "::/64",
		"": "unknown", "192.0.2.1:443": "unknown", "192.0.2.01": "unknown", "example.org": "unknown",
	} {
		check(t, Network(address) == want, "Network(%q) = %q, want %q", address, Network(address), want)
	}
}

func TestLimitsMayBeChosenOneByOne(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	l = l.With(Limits{Account: Limit{Burst: 1, Every: 10 * time.Second}})
	_, err := l.SignIn(t.Context(), "ada", home(1))
	must(t, err)
	_, err = l.SignIn(t.Context(), "ada", home(1))
	check(t, slowed(t, err).RetryAfter == 10*time.Second, "%v", err)
	clock.pass(10 * time.Second)
	_, err = l.SignIn(t.Context(), "ada", home(1))
	must(t, err)
	check(t, l.limits.Factor == Limit{5, time.Minute}, "the others are %+v", l.limits)
}

func TestBucketNamesAreNotTheNamesOfPeople(t *testing.T) {
	t.Parallel()
	a := bucket("signin account", "ada", Limit{}).Key
	for _, other := range []storage.Take{
		bucket("signin account long", "ada", Limit{}), bucket("factor user", "ada", Limit{}), bucket("signin account", "adb", Limit{}),
	} {
		check(t, other.Key != a, "two buckets share a name")
	}
	check(t, a != storage.NewSecret([]byte("ada")).Digest(""), "the name is hashed without a domain")
}
