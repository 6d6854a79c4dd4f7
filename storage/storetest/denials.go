package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func denialPromises() []promise {
	return []promise{
		{"ADeniedTokenIsDeniedAndNoOther", deniedIsDenied},
		{"DenyingAgainChangesNothing", denyAgain},
	}
}

func (s *subject) denied(t *testing.T, grant storage.ID, serial int64) bool {
	t.Helper()
	denied, now, err := s.TokenDenied(t.Context(), grant, serial)
	ok(t, err)
	same(t, s.clock.Now(), now)
	return denied
}

func deniedIsDenied(t *testing.T, s *subject) {
	const top = 1<<63 - 1
	ok(t, s.DenyToken(t.Context(), storage.Denial{GrantID: id(10), Serial: top, ExpiresAt: start.Add(time.Hour)}))
	ok(t, s.DenyToken(t.Context(), storage.Denial{GrantID: id(11), Serial: 0, ExpiresAt: start.Add(time.Hour)}))
	s.clock.Advance(time.Microsecond)
	for _, c := range []struct {
		grant  int
		serial int64
		want   bool
	}{{10, top, true}, {10, top - 1, false}, {10, 0, false}, {11, 0, true}, {11, top, false}, {12, 0, false}} {
		if got := s.denied(t, id(c.grant), c.serial); got != c.want {
			t.Fatalf("token %d of grant %d: denied %v, want %v", c.serial, c.grant, got, c.want)
		}
	}
}

func denyAgain(t *testing.T, s *subject) {
	d := storage.Denial{
		GrantID: id(10), Serial: 1, ExpiresAt: start.Add(time.Hour),
		Also: storage.Also{Events: []storage.Event{{Kind: "token.denied"}}},
	}
	for range 3 {
		ok(t, s.DenyToken(t.Context(), d))
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events for one denial", n)
	}
	s.create(t, bareGrant(10))
	standing, err := s.FindGrant(t.Context(), id(10))
	ok(t, err)
	same(t, []int64{1}, standing.Denied)
}
