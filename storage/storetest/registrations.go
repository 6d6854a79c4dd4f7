package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func registrationPromises() []promise {
	return []promise{
		{"RegisterClientKeepsEveryField", registerKeepsFields},
		{"RegisterClientRefusesAnIDThatExistsAndSpendsNothing", registerTaken},
		{"ATokenRegistersAsManyClientsAsItSays", registerUses},
		{"ATokenThatExpiredOrIsGoneRegistersNothing", registerExpired},
		{"AnOwnerHasAsManyClientsAsTheyMay", registerOwned},
		{"AnOwnerWhoIsGoneGetsNoClient", registerOwnerGone},
		{"TheOldestUnusedMakeRoomWithAllThatIsTheirs", evictOldest},
		{"ClientsThatAreUsedOrVouchedForDoNotMakeRoom", evictNoOther},
		{"AClientWithAnActiveGrantMakesNoRoomAndTakesNone", evictNotActive},
		{"TheNewcomerStaysWhoeverMakesRoom", evictNotNewcomer},
		{"ListOwnClientsShowsTheNewestFirst", listOwn},
		{"ListAwaitingShowsTheOldestFirst", listAwaiting},
		{"SweepUnusedTakesWhatNobodyEverUsed", sweepUnused},
		{"ADeletedUsersClientsAreNobodys", deletedOwner},
	}
}

// madeBy is a client of that origin.
func madeBy(origin storage.ClientOrigin, name string) storage.Client {
	return storage.Client{ID: name, Origin: origin}
}

// register stores a client that software made, where no more than unused may be there.
func (s *subject) register(t *testing.T, name string, unused int) {
	t.Helper()
	ok(t, s.RegisterClient(t.Context(), madeBy(storage.OriginSoftware, name), storage.Registration{Unused: unused}, storage.Also{}))
	s.clock.Advance(time.Microsecond)
}

// clients asserts which are there.
func (s *subject) there(t *testing.T, want ...string) {
	t.Helper()
	listed, err := s.ListClients(t.Context(), "", 1000)
	ok(t, err)
	got := []string{}
	for _, c := range listed {
		got = append(got, c.ID)
	}
	same(t, want, got)
}

// belong gives the client a grant in each of the states, numbered from n.
func (s *subject) belong(t *testing.T, client string, n int, states ...storage.State) {
	t.Helper()
	for i, state := range states {
		g := bareGrant(n + i)
		g.ClientID, g.State = client, state
		if state == storage.Pending {
			g.Pending = &storage.Waiting{Kind: storage.WaitingMFA}
		}
		s.create(t, g)
	}
}

func registerKeepsFields(t *testing.T, s *subject) {
	s.user(t, 1)
	full := fullClient("full")
	full.OwnerID = id(1)
	for _, c := range []storage.Client{full, bareClient("bare"), madeBy(storage.OriginDocument, "https://a.example/é?x=1"), madeBy(storage.OriginPerson, "p")} {
		given := c
		given.Revision, given.CreatedAt, given.UpdatedAt, given.UsedAt, given.UsedBy = 42, start.Add(time.Hour), start.Add(time.Hour), start, id(1)
		ok(t, s.RegisterClient(t.Context(), given, storage.Registration{}, storage.Also{}))
		c.Revision, c.CreatedAt, c.UpdatedAt = 1, s.clock.Now(), s.clock.Now()
		same(t, c, s.client(t, c.ID))
		s.clock.Advance(time.Second)
	}
}

func registerTaken(t *testing.T, s *subject) {
	s.user(t, 1)
	s.token(t, bareToken(30))
	s.register(t, "oldest", 0)
	s.register(t, "demo", 0)
	before := s.client(t, "demo")
	fails(t, s.RegisterClient(t.Context(), fullClient("demo"), storage.Registration{TokenID: id(30), Unused: 1}, storage.Also{}), storage.ErrTaken)
	same(t, before, s.client(t, "demo"))
	s.there(t, "demo", "oldest")
	if uses := s.tokenAt(t, 30).Uses; uses != 0 {
		t.Fatalf("%d uses were spent on nothing", uses)
	}
}

func registerUses(t *testing.T, s *subject) {
	ctx := t.Context()
	twice := bareToken(30)
	twice.MaxUses = 2
	s.token(t, twice)
	s.token(t, bareToken(31))
	for n := range 4 {
		ok(t, s.RegisterClient(ctx, bareClient(fmt.Sprint("any", n)), storage.Registration{TokenID: id(31)}, storage.Also{}))
		err := s.RegisterClient(ctx, bareClient(fmt.Sprint("twice", n)), storage.Registration{TokenID: id(30)}, storage.Also{})
		if n < 2 {
			ok(t, err)
		} else {
			fails(t, err, storage.ErrSpent)
		}
	}
	s.there(t, "any0", "any1", "any2", "any3", "twice0", "twice1")
	if limited, free := s.tokenAt(t, 30).Uses, s.tokenAt(t, 31).Uses; limited != 2 || free != 4 {
		t.Fatalf("%d and %d uses, want 2 and 4", limited, free)
	}
	ok(t, s.DeleteClient(ctx, "twice0", storage.Also{})) // gives no use back
	fails(t, s.RegisterClient(ctx, bareClient("again"), storage.Registration{TokenID: id(30)}, storage.Also{}), storage.ErrSpent)
}

func registerExpired(t *testing.T, s *subject) {
	ctx := t.Context()
	r := bareToken(30)
	r.ExpiresAt = start.Add(time.Hour)
	s.token(t, r)
	s.clock.Advance(time.Hour - time.Microsecond)
	ok(t, s.RegisterClient(ctx, bareClient("last"), storage.Registration{TokenID: id(30)}, storage.Also{}))
	s.clock.Advance(time.Microsecond)
	for _, token := range []storage.ID{id(30), id(31)} {
		fails(t, s.RegisterClient(ctx, bareClient("late"), storage.Registration{TokenID: token}, storage.Also{}), storage.ErrSpent)
	}
	s.there(t, "last")
	if uses := s.tokenAt(t, 30).Uses; uses != 1 {
		t.Fatalf("%d uses, want 1", uses)
	}
}

func registerOwned(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	register := func(name string, owner int) error {
		c := madeBy(storage.OriginPerson, name)
		c.OwnerID = id(owner)
		return s.RegisterClient(ctx, c, storage.Registration{Owned: 2}, storage.Also{})
	}
	ok(t, register("a", 1))
	ok(t, register("b", 1))
	fails(t, register("c", 1), storage.ErrSpent)
	ok(t, register("d", 2))
	s.there(t, "a", "b", "d")
	ok(t, s.DeleteClient(ctx, "a", storage.Also{}))
	ok(t, register("c", 1))
	fails(t, register("e", 1), storage.ErrSpent)
}

func registerOwnerGone(t *testing.T, s *subject) {
	s.token(t, bareToken(30))
	c := madeBy(storage.OriginPerson, "demo")
	c.OwnerID = id(1)
	fails(t, s.RegisterClient(t.Context(), c, storage.Registration{TokenID: id(30), Owned: 5}, storage.Also{}), storage.ErrNotFound)
	fails(t, s.CreateClient(t.Context(), c, storage.Also{}), storage.ErrNotFound)
	s.there(t)
	if uses := s.tokenAt(t, 30).Uses; uses != 0 {
		t.Fatalf("%d uses were spent on nothing", uses)
	}
}

func listOwn(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	var want []storage.Client
	for n := range 7 {
		c := fullClient(fmt.Sprint(n%4*10, n))
		c.OwnerID = id(1 + n%3%2)
		ok(t, s.RegisterClient(t.Context(), c, storage.Registration{}, storage.Also{}))
		if c.OwnerID == id(1) {
			want = append([]storage.Client{s.client(t, c.ID)}, want...)
		}
		s.clock.Advance(time.Microsecond)
	}
	s.register(t, "nobody's", 0)
	got, err := s.ListOwnClients(t.Context(), id(1))
	ok(t, err)
	same(t, want, got)
	for _, nobody := range []storage.ID{id(3), {}} {
		got, err = s.ListOwnClients(t.Context(), nobody)
		ok(t, err)
		same(t, []storage.Client{}, got)
	}
}

func listAwaiting(t *testing.T, s *subject) {
	var want []storage.Client
	for n, why := range []storage.DisabledFor{
		storage.DisabledUnapproved, storage.DisabledByOwner, storage.DisabledUnapproved, "", storage.DisabledByOperator, storage.DisabledUnapproved,
	} {
		c := fullClient(fmt.Sprint(9 - n))
		c.DisabledFor = why
		ok(t, s.RegisterClient(t.Context(), c, storage.Registration{}, storage.Also{}))
		if why == storage.DisabledUnapproved {
			want = append(want, s.client(t, c.ID))
		}
		s.clock.Advance(time.Microsecond)
	}
	list := func(limit int) []storage.Client {
		t.Helper()
		got, err := s.ListAwaiting(t.Context(), limit)
		ok(t, err)
		return got
	}
	same(t, want, list(10))
	same(t, want[:2], list(2))
	approved := want[0]
	approved.DisabledAt, approved.DisabledFor = time.Time{}, ""
	ok(t, s.UpdateClient(t.Context(), approved, storage.Also{}))
	same(t, want[1:], list(10))
}

// deletedOwner: and at a new revision, so that no write that was begun before gives them back.
func deletedOwner(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	c := fullClient("demo")
	c.OwnerID = id(1)
	ok(t, s.RegisterClient(ctx, c, storage.Registration{}, storage.Also{}))
	ok(t, s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "demo", Tokens: 1, By: id(1)}}))
	before := s.client(t, "demo")
	if before.OwnerID != id(1) || before.UsedBy != id(1) {
		t.Fatalf("the client is %s's and used by %s", before.OwnerID, before.UsedBy)
	}
	ok(t, s.DeleteUser(ctx, id(1), storage.Also{}))
	fails(t, s.UpdateClient(ctx, before, storage.Also{}), storage.ErrMoved)
	before.OwnerID, before.UsedBy, before.Revision = storage.ID{}, storage.ID{}, 2
	same(t, before, s.client(t, "demo"))
}
