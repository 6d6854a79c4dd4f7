package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func evictOldest(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	for n := range 4 { // rising in age, falling in name
		name := fmt.Sprint(9 - n)
		s.register(t, name, 3)
		s.belong(t, name, 10*n, storage.Pending, storage.Revoked)
		ok(t, s.RememberConsent(ctx, storage.Consent{UserID: id(1), ClientID: name}, storage.Also{}))
		ok(t, s.PushRequest(ctx, fullPushed(name, name)))
	}
	s.there(t, "6", "7", "8")
	s.absent(t, 0)
	s.absent(t, 1)
	s.grant(t, id(10))
	_, _, err := s.FindPushed(ctx, digest("9"))
	fails(t, err, storage.ErrNotFound)
	_, err = s.FindConsent(ctx, id(1), "9")
	fails(t, err, storage.ErrNotFound)
	_, err = s.FindConsent(ctx, id(1), "8")
	ok(t, err)
	document := madeBy(storage.OriginDocument, "5")
	ok(t, s.RegisterClient(ctx, document, storage.Registration{Unused: 2}, storage.Also{})) // a smaller bound than there was
	s.there(t, "5", "6")
	s.register(t, "4", 0)
	s.there(t, "4", "5", "6")
}

func evictNoOther(t *testing.T, s *subject) {
	ctx := t.Context()
	for _, origin := range []storage.ClientOrigin{storage.OriginOperator, storage.OriginPerson} {
		ok(t, s.CreateClient(ctx, madeBy(origin, string(origin)), storage.Also{}))
	}
	s.register(t, "used", 2)
	ok(t, s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "used", Tokens: 1}}))
	s.register(t, "failed", 2)
	ok(t, s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "failed", SignIns: 1, Failures: 1}}))
	s.register(t, "b", 2)
	s.there(t, "b", "failed", "operator", "person", "used")
	s.register(t, "c", 2)
	s.there(t, "b", "c", "operator", "person", "used")
	s.disable(t, "b") // it would come back enabled
	s.register(t, "d", 1)
	s.there(t, "b", "d", "operator", "person", "used")
	// Who vouches for the new one does not matter.
	ok(t, s.RegisterClient(ctx, madeBy(storage.OriginPerson, "mine"), storage.Registration{Unused: 1}, storage.Also{}))
	s.there(t, "b", "d", "mine", "operator", "person", "used")
}

// disable is what an operator does to a client.
func (s *subject) disable(t *testing.T, name string) {
	t.Helper()
	c, now, err := s.FindClient(t.Context(), name)
	ok(t, err)
	c.DisabledAt, c.DisabledFor = now, storage.DisabledByOperator
	ok(t, s.UpdateClient(t.Context(), c, storage.Also{}))
}

func evictNotActive(t *testing.T, s *subject) {
	s.register(t, "a", 0)
	s.register(t, "b", 0)
	s.register(t, "c", 0)
	s.belong(t, "a", 10, storage.Pending, storage.Active)
	s.register(t, "d", 2)
	s.there(t, "a", "c", "d")
	s.grant(t, id(11))
	s.belong(t, "c", 20, storage.Active)
	s.register(t, "e", 2)
	s.there(t, "a", "c", "d", "e")
	s.register(t, "f", 2)
	s.there(t, "a", "c", "e", "f")
	// Once its grant has ended it is one like the others.
	_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(11), Reason: storage.ReasonUser})
	ok(t, err)
	s.register(t, "g", 2)
	s.there(t, "c", "f", "g")
}

// evictNotNewcomer: neither those of its own instant nor those that must stay push it out.
func evictNotNewcomer(t *testing.T, s *subject) {
	ctx := t.Context()
	for _, name := range []string{"d", "c", "b", "a"} {
		ok(t, s.RegisterClient(ctx, madeBy(storage.OriginSoftware, name), storage.Registration{Unused: 1}, storage.Also{}))
		s.there(t, name)
	}
	s.belong(t, "a", 10, storage.Active)
	for n, name := range []string{"0", "1", "2"} {
		ok(t, s.RegisterClient(ctx, madeBy(storage.OriginSoftware, name), storage.Registration{Unused: 1}, storage.Also{}))
		s.there(t, name, "a")
		if n == 1 {
			s.clock.Advance(-time.Hour) // nor a clock that is set back
		}
	}
}

func sweepUnused(t *testing.T, s *subject) {
	ctx := t.Context()
	sweep := func(want, limit int) {
		t.Helper()
		n, err := s.SweepUnused(ctx, limit, 24*time.Hour)
		ok(t, err)
		if n != want {
			t.Fatalf("%d clients swept, want %d", n, want)
		}
	}
	s.user(t, 1)
	for _, origin := range []storage.ClientOrigin{storage.OriginOperator, storage.OriginPerson} {
		ok(t, s.CreateClient(ctx, madeBy(origin, string(origin)), storage.Also{}))
	}
	for n, name := range []string{"active", "used", "e", "d", "c"} {
		s.register(t, name, 0)
		s.belong(t, name, 10*n, storage.Pending, storage.Revoked)
	}
	ok(t, s.RegisterClient(ctx, madeBy(storage.OriginDocument, "b"), storage.Registration{}, storage.Also{}))
	s.belong(t, "active", 100, storage.Active)
	ok(t, s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "used", Tokens: 1}, {ClientID: "e", Failures: 1}}))
	ok(t, s.RememberConsent(ctx, storage.Consent{UserID: id(1), ClientID: "e"}, storage.Also{}))
	ok(t, s.PushRequest(ctx, fullPushed("e", "e")))
	s.clock.Advance(24*time.Hour - 3*time.Microsecond) // the third of them is as old as that now, and not older
	sweep(0, 10)
	s.clock.Advance(time.Microsecond)
	sweep(1, 10)
	s.there(t, "active", "b", "c", "d", "operator", "person", "used")
	s.absent(t, 20)
	s.absent(t, 21)
	_, _, err := s.FindPushed(ctx, digest("e"))
	fails(t, err, storage.ErrNotFound)
	_, err = s.FindConsent(ctx, id(1), "e")
	fails(t, err, storage.ErrNotFound)
	s.clock.Advance(time.Hour)
	sweep(2, 2)
	s.there(t, "active", "b", "operator", "person", "used")
	sweep(1, 2)
	sweep(0, 2)
	s.there(t, "active", "operator", "person", "used")
	s.register(t, "disabled", 0)
	s.disable(t, "disabled")
	s.clock.Advance(48 * time.Hour)
	sweep(0, 10)
	s.there(t, "active", "disabled", "operator", "person", "used")
	s.grant(t, id(0))
	s.grant(t, id(100))
}
