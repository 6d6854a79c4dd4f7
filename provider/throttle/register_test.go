package throttle

import (
	"fmt"
	"testing"
	"time"
)

// TestRegistrationsAreCountedByNetworkAndInAll: those that bring a token by network alone, so that a flood of others shuts none of them
// out.
func TestRegistrationsAreCountedByNetworkAndInAll(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for range registerBurst {
		must(t, l.Register(t.Context(), home(1), false))
	}
	slowed(t, l.Register(t.Context(), home(1), false))
	slowed(t, l.Register(t.Context(), home(1), true))
	clock.pass(registerEvery)
	must(t, l.Register(t.Context(), home(1), true))
	for i := range newcomerBurst {
		if err := l.Register(t.Context(), Caller{Address: fmt.Sprintf("203.0.113.%d", i%250)}, false); err != nil {
			break
		}
	}
	slowed(t, l.Register(t.Context(), Caller{Address: "198.51.100.9"}, false))
	must(t, l.Register(t.Context(), Caller{Address: "198.51.100.9"}, true))
	clock.pass(5 * newcomerEvery)
	must(t, l.Register(t.Context(), Caller{Address: "198.51.100.9"}, false))
}

// TestNobodyUsesUpWithTheNetworksOfOneSiteWhatIsEverybodys: an IPv6 /48, which anybody can have, is 65,536 networks.
func TestNobodyUsesUpWithTheNetworksOfOneSiteWhatIsEverybodys(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	flood := func(most int, take func(Caller) error) {
		t.Helper()
		for i := range most {
			if err := take(Caller{Address: fmt.Sprintf("2001:db8:1:%x::1", i)}); err != nil {
				return
			}
		}
		t.Error("one site was never asked to wait")
	}
	register := func(c Caller) error { return l.Register(t.Context(), c, false) }
	document := func(c Caller) error { return l.Document(t.Context(), c) }
	for range 3 { // and however long it goes on
		flood(newcomerBurst, register)
		flood(lookBurst, document)
		for _, other := range []string{"2001:db8:2::1", "198.51.100.9"} {
			must(t, register(Caller{Address: other}))
			must(t, document(Caller{Address: other}))
		}
		clock.pass(20 * time.Second)
	}
}
