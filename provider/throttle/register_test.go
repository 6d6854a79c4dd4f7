package throttle

import (
	"fmt"
	"testing"
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
