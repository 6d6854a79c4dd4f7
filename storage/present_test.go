package storage_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signet-idp/signet/storage"
)

const w = 30 * time.Second // the grace of these tests

// ago is an instant that long before the presentation.
func ago(d time.Duration) time.Time { return began.Add(-d) }

// hour is older than every window.
const hour = time.Hour

// quiet is a grant whose newest token is (5,2), exchanged from (4,1) an hour ago.
func quiet() storage.Grant {
	return storage.Grant{
		ID: storage.ID{1}, State: storage.Active, Revision: 7, Generation: 5, Fork: 2, ParentFork: 1, KeyID: 3,
		IssuedAt: ago(hour), Retired: []time.Time{ago(hour)}, Seen: storage.Seen{Address: "192.0.2.1", Agent: "one"},
	}
}

// unchanged is the step that a changed one differs from.
func unchanged(g storage.Grant) storage.Step {
	return storage.Step{
		ID: g.ID, Revision: g.Revision, Generation: g.Generation, Fork: g.Fork, ParentFork: g.ParentFork, KeyID: g.KeyID,
		IssuedAt: g.IssuedAt, Retired: g.Retired, SharedAt: g.SharedAt, Seen: g.Seen,
	}
}

type presentation struct {
	name   string
	policy storage.Rotation
	grant  func(g *storage.Grant)
	gen    uint32
	fork   uint16
	want   storage.Outcome
	adopts bool
	writes func(s *storage.Step) // nil: nothing is written
}

func TestPresentKeepsTheSevenRules(t *testing.T) {
	sixteen := func(at time.Time) []time.Time {
		times := make([]time.Time, storage.MaxRetired)
		for i := range times {
			times[i] = at
		}
		return times
	}
	exchanged := func(from uint16, behind ...time.Time) func(*storage.Step) {
		return func(s *storage.Step) {
			s.Generation, s.Fork, s.ParentFork, s.KeyID, s.IssuedAt = s.Generation+1, 0, from, 9, began
			s.Retired, s.Seen = append([]time.Time{began}, behind...), storage.Seen{Address: "192.0.2.2", Agent: "two"}
		}
	}
	forked := func(behind ...time.Time) func(*storage.Step) {
		return func(s *storage.Step) {
			s.Fork, s.KeyID, s.IssuedAt, s.SharedAt = s.Fork+1, 9, began, began
			s.Retired = append([]time.Time{began}, behind...)
		}
	}
	shared := func(s *storage.Step) { s.SharedAt = began }
	none := func(*storage.Grant) {}
	four := []time.Time{began, began, began, began}
	b, st, no := storage.Balanced, storage.Strict, storage.Static

	for _, c := range []presentation{
		{"3: the newest is exchanged", b, none, 5, 2, storage.Exchange, false, exchanged(2)},
		{"3: an older sibling is exchanged", b, none, 5, 0, storage.Exchange, false, exchanged(0)},
		{"3: young retirements stay, those of 2W fall out", b, func(g *storage.Grant) {
			g.Retired = []time.Time{ago(2*w - 1), ago(2 * w), ago(hour)}
		}, 5, 2, storage.Exchange, false, exchanged(2, ago(2*w-1))},
		{"3: a sharing outlives the exchange", b, func(g *storage.Grant) { g.SharedAt = ago(w) }, 5, 2, storage.Exchange, false, exchanged(2)},
		{"3a: shared, another sibling", b, func(g *storage.Grant) { g.SharedAt = ago(w) }, 5, 1, storage.Newest, false, nil},
		{"3a: shared longer than W ago is noted again", b, func(g *storage.Grant) { g.SharedAt = ago(w + 1) }, 5, 1, storage.Newest, false, shared},
		{"3a: shared just less than 2W ago", b, func(g *storage.Grant) { g.SharedAt = ago(2*w - 1) }, 5, 1, storage.Newest, false, shared},
		{"3a ends at 2W", b, func(g *storage.Grant) { g.SharedAt = ago(2 * w) }, 5, 1, storage.Exchange, false, exchanged(1)},
		{"3a: shared, the newest is younger than W", b, func(g *storage.Grant) {
			g.SharedAt, g.IssuedAt = ago(w-1), ago(w-1)
		}, 5, 2, storage.Newest, false, nil},
		{"3a: a newest of exactly W is exchanged", b, func(g *storage.Grant) {
			g.SharedAt, g.IssuedAt = ago(w), ago(w)
		}, 5, 2, storage.Exchange, false, exchanged(2)},
		{"3b: sixteen retirements younger than 2W", b, func(g *storage.Grant) { g.Retired = sixteen(ago(2*w - 1)) }, 5, 2, storage.Newest, false, shared},
		{"3b: the sixteenth is 2W old", b, func(g *storage.Grant) {
			g.Retired = append(sixteen(ago(w))[:15], ago(2*w))
		}, 5, 2, storage.Exchange, false, exchanged(2, sixteen(ago(w))[:15]...)},
		{"3: the last generation of all is answered with", b, func(g *storage.Grant) { g.Generation = 1<<32 - 1 }, 1<<32 - 1, 2, storage.Newest, false, shared},

		{"4: the parent, and the newest is older than W", b, func(g *storage.Grant) { g.IssuedAt = ago(w + 1) }, 4, 1, storage.Fork, false, forked()},
		{"4: it keeps what lies behind the head", b, func(g *storage.Grant) {
			g.IssuedAt, g.Retired = ago(w+1), []time.Time{ago(w + 1), ago(w + 2)}
		}, 4, 1, storage.Fork, false, forked(ago(w + 2))},
		{"4: a code has no retirement", b, func(g *storage.Grant) { g.Retired = nil }, 4, 1, storage.Fork, false, forked()},
		{"4: at the last fork the newest is answered", b, func(g *storage.Grant) { g.Fork = 1<<16 - 1 }, 4, 1, storage.Newest, false, shared},
		{"4 begins after W", b, func(g *storage.Grant) {
			g.IssuedAt, g.Retired = ago(w), []time.Time{ago(w)}
		}, 4, 1, storage.Newest, false, shared},
		{"5: the parent of a young newest, without a retirement", b, func(g *storage.Grant) { g.IssuedAt, g.Retired = ago(w), nil }, 4, 1, storage.Newest, false, shared},
		{"5: any fork of a generation retired less than 2W ago", b, func(g *storage.Grant) {
			g.IssuedAt, g.Retired = ago(1), []time.Time{ago(2*w - 1)}
		}, 4, 7, storage.Newest, false, shared},
		{"5: a generation further back", b, func(g *storage.Grant) {
			g.Retired = []time.Time{ago(1), ago(2), ago(2*w - 1), ago(2 * w)}
		}, 2, 0, storage.Newest, false, shared},
		{"5 ends at 2W", b, func(g *storage.Grant) { g.Retired = []time.Time{ago(1), ago(2), ago(2*w - 1), ago(2 * w)} }, 1, 0, storage.Reuse, false, nil},
		{"5: a storm only reads", b, func(g *storage.Grant) {
			g.Retired, g.SharedAt = []time.Time{ago(1), ago(2)}, ago(w)
		}, 3, 0, storage.Newest, false, nil},

		{"6: ahead by a generation", b, none, 6, 4, storage.Exchange, true, func(s *storage.Step) { exchanged(4, four...)(s); s.Generation = 7 }},
		{"6: ahead by a fork", b, none, 5, 3, storage.Exchange, true, exchanged(3, four...)},
		{"6: ahead by 10,000", b, none, 10_005, 0, storage.Exchange, true, func(s *storage.Step) { exchanged(0, four...)(s); s.Generation = 10_006 }},
		{"6: ahead by 10,000 forks", b, none, 5, 10_002, storage.Exchange, true, exchanged(10_002, four...)},
		{"6 ends at 10,000 generations", b, none, 10_006, 0, storage.Reuse, false, nil},
		{"6 ends at 10,000 forks", b, none, 5, 10_003, storage.Reuse, false, nil},
		{"6 goes on by 3a", b, func(g *storage.Grant) { g.SharedAt, g.IssuedAt = ago(1), ago(1) }, 6, 0, storage.Newest, true, func(s *storage.Step) {
			s.Generation, s.Fork, s.KeyID, s.Retired = 6, 0, 8, four
		}},
		{"7: the parent's sibling", b, none, 4, 0, storage.Reuse, false, nil},
		{"7: long ago", b, none, 3, 0, storage.Reuse, false, nil},
		{"7: generation 0", b, none, 0, 0, storage.Reuse, false, nil},

		{"strict: the newest alone", st, none, 5, 2, storage.Exchange, false, exchanged(2)},
		{"strict: shared or crowded means nothing", st, func(g *storage.Grant) {
			g.SharedAt, g.IssuedAt, g.Retired = ago(1), ago(1), sixteen(ago(hour))
		}, 5, 2, storage.Exchange, false, exchanged(2)},
		{"strict: no sibling", st, none, 5, 1, storage.Reuse, false, nil},
		{"strict: no parent", st, none, 4, 1, storage.Reuse, false, nil},
		{"strict: no retry", st, func(g *storage.Grant) { g.IssuedAt, g.Retired = ago(1), []time.Time{ago(1)} }, 4, 1, storage.Reuse, false, nil},
		{"strict: ahead is adopted", st, none, 6, 0, storage.Exchange, true, func(s *storage.Step) { exchanged(0, four...)(s); s.Generation = 7 }},

		{"static: nothing rotates", no, func(g *storage.Grant) { g.IssuedAt = ago(30 * hour) }, 5, 2, storage.Newest, false, nil},
		{"static: after a tenth of the idle lifetime it is wound", no, func(g *storage.Grant) { g.IssuedAt = ago(30*hour + 1) }, 5, 2, storage.Newest, false, func(s *storage.Step) { s.IssuedAt = began }},
		{"static: an older sibling too", no, none, 5, 0, storage.Newest, false, nil},
		{"static: the parent as in balanced", no, none, 4, 1, storage.Fork, false, forked()},
		{"static: the parent of a newest that was wound", no, func(g *storage.Grant) { g.IssuedAt = ago(1) }, 4, 1, storage.Newest, false, shared},
		{"static: reuse as in balanced", no, none, 3, 0, storage.Reuse, false, nil},
		{"static: ahead is adopted", no, none, 6, 1, storage.Newest, true, func(s *storage.Step) {
			s.Generation, s.Fork, s.KeyID, s.Retired = 6, 1, 8, four
		}},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

func (c presentation) check(t *testing.T) {
	g := quiet()
	c.grant(&g)
	before := quiet()
	c.grant(&before)
	policy := storage.Policy{Rotation: c.policy, Grace: w, Idle: 300 * hour}
	p := storage.Presented{Generation: c.gen, Fork: c.fork, KeyID: 8, Seen: storage.Seen{Address: "192.0.2.2", Agent: "two"}}
	v := storage.Present(g, p, policy, 9, began)
	want := storage.Verdict{Outcome: c.want, Adopted: c.adopts, Foreign: v.Foreign}
	if c.writes != nil {
		step := unchanged(before)
		c.writes(&step)
		want.Step = &step
	}
	if diff := cmp.Diff(want, v, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("verdict differs (-want +got):\n%s", diff)
	}
	if behind := c.gen < g.Generation && c.want != storage.Reuse; v.Foreign != behind {
		t.Errorf("foreign: %v, want %v: only what 4 and 5 hand to somebody else is foreign", v.Foreign, behind)
	}
	if diff := cmp.Diff(before, g); diff != "" {
		t.Errorf("Present changed the grant that it was given:\n%s", diff)
	}
}

func TestForeignNeedsAnotherAddressAndAnotherAgent(t *testing.T) {
	for _, c := range []struct {
		seen storage.Seen
		want bool
	}{
		{storage.Seen{Address: "192.0.2.1", Agent: "one"}, false},
		{storage.Seen{Address: "192.0.2.2", Agent: "one"}, false},
		{storage.Seen{Address: "192.0.2.1", Agent: "two"}, false},
		{storage.Seen{Address: "192.0.2.2", Agent: "two"}, true},
	} {
		policy := storage.Policy{Rotation: storage.Balanced, Grace: w}
		v := storage.Present(quiet(), storage.Presented{Generation: 4, Fork: 1, Seen: c.seen}, policy, 9, began)
		if v.Foreign != c.want {
			t.Errorf("%+v: foreign %v, want %v", c.seen, v.Foreign, c.want)
		}
	}
}

func TestAClockThatWasSetBackMakesNothingOld(t *testing.T) {
	g := quiet()
	g.IssuedAt, g.Retired, g.SharedAt = began.Add(hour), []time.Time{began.Add(hour)}, began.Add(hour)
	policy := storage.Policy{Rotation: storage.Balanced, Grace: w}
	for _, p := range []storage.Presented{{Generation: 5, Fork: 2}, {Generation: 5}, {Generation: 4, Fork: 1}} {
		if v := storage.Present(g, p, policy, 9, began); v.Outcome != storage.Newest || v.Step != nil {
			t.Errorf("%+v: %+v, want the newest and no write", p, v)
		}
	}
}
