package throttle

import (
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestWhatStrangersLeaveAtTheFrontDoorIsBounded(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for range pushBurst {
		must(t, l.Push(t.Context(), home(1)))
	}
	refusal := slowed(t, l.Push(t.Context(), home(1)))
	check(t, !strings.Contains(refusal.Description, "failed"), "who failed at nothing hears %q", refusal.Description)
	must(t, l.Push(t.Context(), Caller{Address: "198.51.100.7"}))
	clock.pass(2 * pushEvery)
	must(t, l.Push(t.Context(), home(1)))

	for range deviceBurst {
		must(t, l.DeviceCode(t.Context(), "tv", home(1)))
	}
	slowed(t, l.DeviceCode(t.Context(), "tv", home(1)))
	slowed(t, l.DeviceCode(t.Context(), "radio", home(1)))
	proven := home(1)
	proven.ClientID = "tv"
	for range flowBurst - deviceBurst {
		must(t, l.DeviceCode(t.Context(), "tv", proven))
	}
	slowed(t, l.DeviceCode(t.Context(), "tv", proven))
}

func TestWrongUserCodesAreCountedBySessionAndAddress(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for range 3 * codeBurst { // a right one costs nothing
		ticket, err := l.UserCode(t.Context(), storage.ID{1}, home(1))
		must(t, err)
		must(t, ticket.GiveBack(t.Context()))
	}
	for session := range byte(sourceBurst / codeBurst) {
		for range codeBurst {
			_, err := l.UserCode(t.Context(), storage.ID{session + 1}, home(1))
			must(t, err)
		}
		_, err := l.UserCode(t.Context(), storage.ID{session + 1}, Caller{Address: "198.51.100.7"})
		slowed(t, err)
	}
	_, err := l.UserCode(t.Context(), storage.ID{99}, home(1))
	slowed(t, err)
	clock.pass(time.Minute)
	_, err = l.UserCode(t.Context(), storage.ID{1}, home(1))
	must(t, err)
}
