package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// establish stores the two keys of a node and returns them.
func (s *subject) establish(t *testing.T, node string) {
	t.Helper()
	_, err := s.EstablishKeys(t.Context(), madeKeys(node))
	ok(t, err)
}

// key reads one key.
func (s *subject) key(t *testing.T, id string) storage.Key {
	t.Helper()
	keys, _, err := s.ListKeys(t.Context())
	ok(t, err)
	for _, k := range keys {
		if k.ID == id {
			return k
		}
	}
	t.Fatalf("there is no key %q", id)
	return storage.Key{}
}

func (s *subject) change(t *testing.T, want error, c storage.KeyChange) {
	t.Helper()
	fails(t, s.ChangeKeys(t.Context(), c), want)
}

func moving(id string, from, to storage.KeyState) storage.KeyChange {
	return storage.KeyChange{Moves: []storage.KeyMove{{ID: id, From: from, To: to}}}
}

// nextKey is a signing key that is to follow the one of node a.
func nextKey(id string, state storage.KeyState) storage.Key {
	return storage.Key{ID: id, Use: storage.KeySigning, Algorithm: "ES256", State: state, Public: []byte(`{"x":1}`), Sealed: []byte{7}}
}

func changeMoves(t *testing.T, s *subject) {
	s.establish(t, "a")
	s.clock.Advance(time.Second)
	next := nextKey("next", storage.KeyPending)
	next.CreatedAt = start.Add(99 * time.Hour) // the store's to say
	s.change(t, nil, storage.KeyChange{
		Moves: []storage.KeyMove{{ID: "sig a", From: storage.KeyActive, To: storage.KeyActive}}, Add: []storage.Key{next},
	})
	if k := s.key(t, "sig a"); !k.ChangedAt.Equal(start) {
		t.Fatalf("a move from a state to itself changed the key: %+v", k)
	}
	next.CreatedAt, next.ChangedAt = s.clock.Now(), s.clock.Now()
	same(t, next, s.key(t, "next"))
	s.clock.Advance(time.Hour)
	s.change(t, nil, storage.KeyChange{Moves: []storage.KeyMove{
		{ID: "sig a", From: storage.KeyActive, To: storage.KeyRetiring},
		{ID: "next", From: storage.KeyPending, To: storage.KeyActive, Age: time.Hour},
	}})
	next.State, next.ChangedAt = storage.KeyActive, s.clock.Now()
	same(t, next, s.key(t, "next"))
	old := madeKeys("a")[0]
	old.State, old.CreatedAt, old.ChangedAt = storage.KeyRetiring, start, s.clock.Now()
	same(t, old, s.key(t, "sig a"))
}

func changeWhole(t *testing.T, s *subject) {
	s.establish(t, "a")
	ok(t, s.RecordEvents(t.Context(), []storage.Event{fullEvent(1)}))
	before, _, err := s.ListKeys(t.Context())
	ok(t, err)
	retire := storage.KeyMove{ID: "sig a", From: storage.KeyActive, To: storage.KeyRetiring}
	s.change(t, storage.ErrMoved, storage.KeyChange{
		Moves: []storage.KeyMove{retire, {ID: "nobody", From: storage.KeyPending, To: storage.KeyActive}},
		Add:   []storage.Key{nextKey("next", storage.KeyPending)}, Also: storage.Also{Events: []storage.Event{fullEvent(2)}},
	})
	s.change(t, storage.ErrTaken, storage.KeyChange{
		Moves: []storage.KeyMove{retire}, Add: []storage.Key{nextKey("next", storage.KeyActive), nextKey("sig a", storage.KeyPending)},
		Also: storage.Also{Events: []storage.Event{fullEvent(2)}},
	})
	taken := storage.KeyChange{Moves: []storage.KeyMove{retire}, Also: storage.Also{Events: []storage.Event{fullEvent(1)}}}
	if err := s.ChangeKeys(t.Context(), taken); err == nil {
		t.Fatal("an Also that cannot be stored was taken")
	}
	after, _, err := s.ListKeys(t.Context())
	ok(t, err)
	same(t, before, after)
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
}

func changeConditions(t *testing.T, s *subject) {
	s.establish(t, "a")
	s.change(t, storage.ErrMoved, moving("sig a", storage.KeyPending, storage.KeyActive))
	s.change(t, storage.ErrMoved, moving("SIG a", storage.KeyActive, storage.KeyRetiring))
	s.clock.Advance(time.Hour - time.Microsecond)
	aged := moving("sig a", storage.KeyActive, storage.KeyRetiring)
	aged.Moves[0].Age = time.Hour
	s.change(t, storage.ErrMoved, aged)
	s.clock.Advance(time.Microsecond)
	s.change(t, nil, aged)
	s.change(t, storage.ErrMoved, aged)
	aged.Moves[0].From, aged.Moves[0].To = storage.KeyRetiring, storage.KeyRemoved // its age is the state's, not the key's
	s.change(t, storage.ErrMoved, aged)
}

func changeErases(t *testing.T, s *subject) {
	for i, end := range []storage.KeyState{storage.KeyRemoved, storage.KeyRevoked} {
		k := nextKey(fmt.Sprint("key ", i), storage.KeyRetiring)
		s.change(t, nil, storage.KeyChange{Add: []storage.Key{k}})
		s.change(t, nil, moving(k.ID, storage.KeyRetiring, end))
		k.State, k.Sealed, k.CreatedAt, k.ChangedAt = end, nil, start, start
		same(t, k, s.key(t, k.ID))
	}
}

func changeOneOfALine(t *testing.T, s *subject) {
	s.establish(t, "a")
	s.change(t, storage.ErrTaken, storage.KeyChange{Add: []storage.Key{nextKey("b", storage.KeyActive)}})
	s.change(t, nil, storage.KeyChange{Add: []storage.Key{nextKey("b", storage.KeyPending)}})
	s.change(t, storage.ErrTaken, storage.KeyChange{Add: []storage.Key{nextKey("c", storage.KeyPending)}})
	other := nextKey("c", storage.KeyPending)
	other.Algorithm = "RS256"
	s.change(t, nil, storage.KeyChange{Add: []storage.Key{other, nextKey("d", storage.KeyRetiring), nextKey("e", storage.KeyRetiring)}})
}

func changeNamesOnce(t *testing.T, s *subject) {
	s.establish(t, "a")
	s.change(t, nil, moving("sig a", storage.KeyActive, storage.KeyRevoked))
	s.change(t, nil, moving("handle-1", storage.KeyActive, storage.KeyRemoved))
	s.change(t, storage.ErrTaken, storage.KeyChange{Add: []storage.Key{nextKey("sig a", storage.KeyActive)}})
	again := madeKeys("a")[1]
	again.ID = "handle-x"
	s.change(t, storage.ErrTaken, storage.KeyChange{Add: []storage.Key{again}})
	again.Number = 2
	s.change(t, nil, storage.KeyChange{Add: []storage.Key{again}})
}

func changeKeepsHeld(t *testing.T, s *subject) {
	s.establish(t, "a")
	s.create(t, bareGrant(10))
	waiting := waitingGrant(11)
	waiting.ExpiresAt = start.Add(time.Minute)
	s.create(t, waiting)
	s.create(t, bareGrant(20))
	s.change(t, nil, moving("handle-1", storage.KeyActive, storage.KeyRetiring))
	remove := moving("handle-1", storage.KeyRetiring, storage.KeyRemoved)
	remove.Moves[0].NoGrantBelow = id(20)
	s.change(t, storage.ErrMoved, remove)
	_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Reason: storage.ReasonUser})
	ok(t, err)
	s.change(t, storage.ErrMoved, remove) // the other one waits to be redeemed
	s.clock.Advance(time.Minute)
	s.change(t, nil, remove)
}

func resealKey(t *testing.T, s *subject) {
	ctx := t.Context()
	s.establish(t, "a")
	old := madeKeys("a")[0].Sealed
	fails(t, s.ResealKey(ctx, "sig a", []byte{9}, []byte{1}), storage.ErrMoved)
	fails(t, s.ResealKey(ctx, "nobody", old, []byte{1}), storage.ErrMoved)
	s.clock.Advance(time.Second)
	ok(t, s.ResealKey(ctx, "sig a", old, []byte{1, 0, 2}))
	want := madeKeys("a")[0]
	want.Sealed, want.CreatedAt, want.ChangedAt = []byte{1, 0, 2}, start, start
	same(t, want, s.key(t, "sig a"))
	fails(t, s.ResealKey(ctx, "sig a", old, []byte{3}), storage.ErrMoved)
	s.change(t, nil, moving("sig a", storage.KeyActive, storage.KeyRevoked)) // and nothing brings an erased key back
	fails(t, s.ResealKey(ctx, "sig a", []byte{1, 0, 2}, []byte{3}), storage.ErrMoved)
}

// seeds enrols one device for each of n users and returns them in the order of their IDs.
func (s *subject) seeds(t *testing.T, n int) []storage.TOTP {
	t.Helper()
	var all []storage.TOTP
	for i := 1; i <= n; i++ {
		s.user(t, i)
		d := fullTOTP(100+i, i)
		ok(t, s.EnrollTOTP(t.Context(), d, storage.Also{}))
		d.CreatedAt = start
		if i%2 == 0 {
			ok(t, s.ConfirmTOTP(t.Context(), d.UserID, d.ID, 0, 5, nil, storage.Also{}))
			d.ConfirmedAt, d.LastStep = start, 5
		}
		all = append(all, d)
	}
	return all
}

func staleSeeds(t *testing.T, s *subject) {
	ctx := t.Context()
	all := s.seeds(t, 5)
	ok(t, s.ResealSeed(ctx, all[2].ID, all[2].Sealed, []byte{0, 2, 9, 9}))
	stale := func(current []byte, after storage.ID, limit, wantLeft int, want ...storage.TOTP) {
		t.Helper()
		page, left, err := s.StaleSeeds(ctx, current, after, limit)
		ok(t, err)
		same(t, want, page)
		if left != wantLeft {
			t.Fatalf("%d are left, want %d", left, wantLeft)
		}
	}
	stale([]byte{0, 2}, storage.ID{}, 2, 4, all[0], all[1])
	stale([]byte{0, 2}, all[1].ID, 10, 4, all[3], all[4])
	stale([]byte{0, 2}, all[4].ID, 10, 4)
	stale([]byte{0}, storage.ID{}, 10, 0)
}

func resealSeed(t *testing.T, s *subject) {
	ctx := t.Context()
	d := s.seeds(t, 2)[1]
	revision := s.signIn(t, id(2)).User.Revision
	fails(t, s.ResealSeed(ctx, d.ID, []byte{9}, []byte{1}), storage.ErrMoved)
	fails(t, s.ResealSeed(ctx, id(7), d.Sealed, []byte{1}), storage.ErrMoved)
	ok(t, s.ResealSeed(ctx, d.ID, d.Sealed, []byte{1, 0}))
	fails(t, s.ResealSeed(ctx, d.ID, d.Sealed, []byte{2}), storage.ErrMoved)
	d.Sealed = []byte{1, 0}
	in := s.signIn(t, id(2))
	same(t, []storage.TOTP{d}, in.Factors)
	if in.User.Revision != revision {
		t.Fatal("resealing a seed raised its user's revision: a sign-in under way would fail")
	}
}

func raceMoveKey(t *testing.T, s *subject) {
	s.establish(t, "a")
	s.change(t, nil, storage.KeyChange{Add: []storage.Key{nextKey("next", storage.KeyPending)}})
	s.oneWins(t, storage.ErrMoved, func(int) error {
		return s.ChangeKeys(t.Context(), storage.KeyChange{Moves: []storage.KeyMove{
			{ID: "sig a", From: storage.KeyActive, To: storage.KeyRetiring},
			{ID: "next", From: storage.KeyPending, To: storage.KeyActive},
		}, Also: storage.Also{Events: []storage.Event{{Kind: "key.activated"}}}})
	})
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
}

func raceAddKey(t *testing.T, s *subject) {
	s.establish(t, "a")
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		return s.ChangeKeys(t.Context(), storage.KeyChange{
			Moves: []storage.KeyMove{{ID: "sig a", From: storage.KeyActive, To: storage.KeyActive}},
			Add:   []storage.Key{nextKey(fmt.Sprint("next ", i), storage.KeyPending)},
		})
	})
	if keys, _, err := s.ListKeys(t.Context()); err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, want 3 (%v)", len(keys), err)
	}
	s.key(t, fmt.Sprint("next ", won))
}

func raceResealKey(t *testing.T, s *subject) {
	s.establish(t, "a")
	old := s.key(t, "sig a").Sealed
	won := s.oneWins(t, storage.ErrMoved, func(i int) error { return s.ResealKey(t.Context(), "sig a", old, []byte{1, byte(i)}) })
	same(t, []byte{1, byte(won)}, s.key(t, "sig a").Sealed)
}

func raceResealSeed(t *testing.T, s *subject) {
	d := s.seeds(t, 2)[1]
	won := s.oneWins(t, storage.ErrMoved, func(i int) error { return s.ResealSeed(t.Context(), d.ID, d.Sealed, []byte{1, byte(i)}) })
	same(t, []byte{1, byte(won)}, s.signIn(t, id(2)).Factors[0].Sealed)
}
