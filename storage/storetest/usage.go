package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func usagePromises() []promise {
	return []promise{
		{"CountUsageAddsToToday", countAdds},
		{"TheFirstTokenIsStampedOnce", firstToken},
		{"UsageOfClientsThatAreGoneIsPassedOver", usageOfNobody},
		{"ListUsageShowsTheDaysAskedForNewestFirst", listUsage},
		{"TheLastUseOfEachSecretIsNoted", secretUses},
		{"UsageGoesWithItsClient", usageGoes},
		{"SweepUsageTakesWhatIsOlderThanAsked", sweepUsage},
	}
}

// today is the day on which every case begins.
var today = start.Truncate(24 * time.Hour)

func (s *subject) count(t *testing.T, counted ...storage.ClientUsage) {
	t.Helper()
	ok(t, s.CountUsage(t.Context(), counted))
}

func (s *subject) usage(t *testing.T, client string, days int, want ...storage.ClientUsage) {
	t.Helper()
	got, err := s.ListUsage(t.Context(), client, days)
	ok(t, err)
	same(t, want, got)
}

func (s *subject) secretUses(t *testing.T, client string, want ...storage.SecretUse) {
	t.Helper()
	got, err := s.ListSecretUses(t.Context(), client)
	ok(t, err)
	same(t, want, got)
}

func countAdds(t *testing.T, s *subject) {
	for _, name := range []string{"demo", "Demo"} {
		ok(t, s.CreateClient(t.Context(), bareClient(name), storage.Also{}))
	}
	s.count(t)
	s.usage(t, "demo", 30)
	s.count(t, storage.ClientUsage{ClientID: "demo", Day: start.Add(99 * time.Hour), SignIns: 1, Tokens: 1 << 40, Failures: 3})
	s.count(t, storage.ClientUsage{ClientID: "demo", Tokens: 20}, storage.ClientUsage{ClientID: "Demo", Failures: 7},
		storage.ClientUsage{ClientID: "demo", SignIns: 4, Tokens: 1})
	first := storage.ClientUsage{ClientID: "demo", Day: today, SignIns: 5, Tokens: 1<<40 + 21, Failures: 3}
	s.usage(t, "demo", 30, first)
	s.usage(t, "Demo", 30, storage.ClientUsage{ClientID: "Demo", Day: today, Failures: 7})
	s.clock.Set(today.Add(24*time.Hour - time.Microsecond))
	s.count(t, storage.ClientUsage{ClientID: "demo", Failures: 1})
	first.Failures++
	s.usage(t, "demo", 30, first)
	s.clock.Advance(time.Microsecond)
	s.usage(t, "demo", 30, first)
	s.count(t, storage.ClientUsage{ClientID: "demo", SignIns: 1}, storage.ClientUsage{ClientID: "Demo"})
	s.usage(t, "demo", 30, storage.ClientUsage{ClientID: "demo", Day: today.Add(24 * time.Hour), SignIns: 1}, first)
	s.usage(t, "Demo", 0) // nothing happened today
}

func firstToken(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	for _, name := range []string{"person's", "machine", "ghost's"} {
		ok(t, s.RegisterClient(ctx, madeBy(storage.OriginSoftware, name), storage.Registration{}, storage.Also{}))
	}
	used := func(name string, at time.Time, by storage.ID) {
		t.Helper()
		want := madeBy(storage.OriginSoftware, name)
		want.Revision, want.CreatedAt, want.UpdatedAt, want.UsedAt, want.UsedBy = 1, start, start, at, by // nothing else of it has changed
		same(t, want, s.client(t, name))
	}
	s.count(t, storage.ClientUsage{ClientID: "person's", SignIns: 1, Failures: 1, By: id(2), Secrets: []time.Time{start}})
	used("person's", time.Time{}, storage.ID{})
	s.clock.Advance(time.Second)
	first := s.clock.Now()
	s.count(t, storage.ClientUsage{ClientID: "person's", Tokens: 2, By: id(1)}, storage.ClientUsage{ClientID: "person's", Tokens: 1, By: id(2)},
		storage.ClientUsage{ClientID: "machine", Tokens: 1}, storage.ClientUsage{ClientID: "ghost's", Tokens: 1, By: id(3)})
	for range 2 {
		used("person's", first, id(1))
		used("machine", first, storage.ID{})
		used("ghost's", first, storage.ID{})
		s.clock.Advance(time.Hour)
		s.count(t, storage.ClientUsage{ClientID: "person's", Tokens: 1, By: id(2)}, storage.ClientUsage{ClientID: "machine", Tokens: 1, By: id(2)},
			storage.ClientUsage{ClientID: "ghost's", Tokens: 1, By: id(2)})
	}
	ok(t, s.DeleteUser(ctx, id(1), storage.Also{}))
	used("person's", first, storage.ID{})
	changed := s.client(t, "machine")
	changed.UsedAt = time.Time{}
	ok(t, s.UpdateClient(ctx, changed, storage.Also{}))
	if at := s.client(t, "machine").UsedAt; !at.Equal(first) {
		t.Fatalf("an update made of the first use %v", at)
	}
}

func usageOfNobody(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	var counted []storage.ClientUsage
	for _, name := range []string{"Demo", "", "dem_", "a\x00b", "demo", "demo\xff", "zz"} {
		counted = append(counted, storage.ClientUsage{ClientID: name, SignIns: 1, Tokens: 1, Failures: 1, Secrets: []time.Time{start}})
	}
	s.count(t, counted...)
	for _, u := range counted {
		if u.ClientID != "demo" {
			s.usage(t, u.ClientID, 30)
			s.secretUses(t, u.ClientID)
		}
	}
	s.usage(t, "demo", 30, storage.ClientUsage{ClientID: "demo", Day: today, SignIns: 1, Tokens: 1, Failures: 1})
	s.secretUses(t, "demo", storage.SecretUse{CreatedAt: start, UsedAt: start})
}

func listUsage(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	var all []storage.ClientUsage
	for n := range 5 {
		if n != 2 { // a day without use
			s.count(t, storage.ClientUsage{ClientID: "demo", Tokens: int64(n + 1)})
			all = append([]storage.ClientUsage{{ClientID: "demo", Day: today.AddDate(0, 0, n), Tokens: int64(n + 1)}}, all...)
		}
		s.clock.Advance(24 * time.Hour)
	}
	for days, want := range []int{0, 1, 2, 2, 3, 4, 4} {
		s.usage(t, "demo", days, all[:want]...)
	}
}

func secretUses(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	ok(t, s.CreateClient(t.Context(), bareClient("other"), storage.Also{}))
	old, young := start.Add(-time.Hour), start.Add(-time.Microsecond)
	s.secretUses(t, "demo")
	s.count(t, storage.ClientUsage{ClientID: "demo", Secrets: []time.Time{old, young, old}}, storage.ClientUsage{ClientID: "other", Secrets: []time.Time{old}})
	s.usage(t, "demo", 30) // that is no figure of the day
	s.clock.Advance(time.Minute)
	s.count(t, storage.ClientUsage{ClientID: "demo", Tokens: 1, Secrets: []time.Time{old}})
	s.secretUses(t, "demo", storage.SecretUse{CreatedAt: young, UsedAt: start}, storage.SecretUse{CreatedAt: old, UsedAt: start.Add(time.Minute)})
	s.secretUses(t, "other", storage.SecretUse{CreatedAt: old, UsedAt: start})
}

func usageGoes(t *testing.T, s *subject) {
	ctx := t.Context()
	for round := range 3 {
		s.register(t, "demo", 0)
		s.usage(t, "demo", 30)
		s.secretUses(t, "demo")
		s.count(t, storage.ClientUsage{ClientID: "demo", Failures: 1, Secrets: []time.Time{start}})
		switch round {
		case 0:
			ok(t, s.DeleteClient(ctx, "demo", storage.Also{}))
		case 1:
			s.register(t, "next", 1)
		}
		if round < 2 {
			s.usage(t, "demo", 30)
			s.secretUses(t, "demo")
		}
	}
}

func sweepUsage(t *testing.T, s *subject) {
	for _, name := range []string{"demo", "other"} {
		ok(t, s.CreateClient(t.Context(), bareClient(name), storage.Also{}))
	}
	for n := range 3 {
		for _, name := range []string{"demo", "other"} {
			s.count(t, storage.ClientUsage{ClientID: name, Tokens: 1, Secrets: []time.Time{start.Add(time.Duration(n) * time.Second)}})
		}
		s.clock.Advance(24 * time.Hour)
	}
	sweep := func(want, limit int, keep time.Duration) {
		t.Helper()
		n, err := s.SweepUsage(t.Context(), limit, keep)
		ok(t, err)
		if n != want {
			t.Fatalf("%d days and uses swept, want %d", n, want)
		}
	}
	// The clock stands three days after start: the first days are older than that, and the first uses are not yet.
	sweep(0, 10, 72*time.Hour+start.Sub(today)) // that is when the first day began
	sweep(2, 10, 72*time.Hour)
	sweep(0, 10, 72*time.Hour)
	s.clock.Advance(time.Microsecond)
	sweep(1, 1, 72*time.Hour)
	sweep(1, 10, 72*time.Hour)
	left := storage.ClientUsage{ClientID: "demo", Day: today.AddDate(0, 0, 1), Tokens: 1}
	next := left
	next.Day = today.AddDate(0, 0, 2)
	s.usage(t, "demo", 30, next, left)
	s.secretUses(t, "demo", storage.SecretUse{CreatedAt: start.Add(2 * time.Second), UsedAt: start.Add(48 * time.Hour)},
		storage.SecretUse{CreatedAt: start.Add(time.Second), UsedAt: start.Add(24 * time.Hour)})
	sweep(3, 3, 0)
	sweep(3, 3, 0)
	sweep(2, 3, 0)
	sweep(0, 3, 0)
	s.usage(t, "other", 30)
	s.secretUses(t, "other")
	if s.client(t, "demo").UsedAt.IsZero() {
		t.Fatal("the sweep took the first use")
	}
}
