package throttle

import (
	"fmt"
	"testing"
	"time"
)

func TestAKnownDeviceHasItsOwnAttempts(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for range 5 { // the account is under attack, from the owner's address too
		_, err := l.SignIn(t.Context(), "ada", home(1))
		must(t, err)
	}
	for i := range 30 {
		_, _ = l.SignIn(t.Context(), fmt.Sprint("user", i), home(1))
	}
	_, err := l.SignIn(t.Context(), "ada", home(1))
	slowed(t, err)
	owner := home(1)
	owner.Device = Device{ID: "laptop", Accounts: []string{"bob", "ada"}}
	for range 5 {
		_, err := l.SignIn(t.Context(), "ada", owner)
		must(t, err)
	}
	_, err = l.SignIn(t.Context(), "ada", owner) // a thief of the cookie has no more
	check(t, slowed(t, err).RetryAfter == 30*time.Second, "%v", err)
	owner.Address = "198.51.100.7"
	_, err = l.SignIn(t.Context(), "ada", owner)
	slowed(t, err)
	_, err = l.SignIn(t.Context(), "bob", owner) // each account of the device apart
	must(t, err)
	clock.pass(30 * time.Second)
	_, err = l.SignIn(t.Context(), "ada", owner)
	must(t, err)
}

func TestADeviceIsKnownToItsAccountsAlone(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t)
	for range 5 {
		_, err := l.SignIn(t.Context(), "ada", home(1))
		must(t, err)
	}
	for _, device := range []Device{{}, {Accounts: []string{"ada"}}, {ID: "laptop"}, {ID: "laptop", Accounts: []string{"bob"}}} {
		_, err := l.SignIn(t.Context(), "ada", Caller{Address: "192.0.2.9", Device: device})
		slowed(t, err)
	}
}

func TestPatienceAtAKnownDeviceIsBoundedToo(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	thief := Caller{Device: Device{ID: "laptop", Accounts: []string{"ada"}}}
	failures := 0
	for range 4 * 120 {
		if _, err := l.SignIn(t.Context(), "ada", thief); err == nil {
			failures++
		}
		clock.pass(30 * time.Second)
	}
	check(t, failures >= 100 && failures <= 105, "%d guesses in four hours, want 100 and one per hour", failures)
}
