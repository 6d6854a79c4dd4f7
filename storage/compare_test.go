package storage_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signet-idp/signet/storage"
)

// chooser draws a number below n: from a seed, or from rapid, which can shrink what it drew.
type chooser func(n int) int

func seeded(seed uint64) chooser {
	r := rand.New(rand.NewPCG(seed, 0x5167_6e65))
	return r.IntN
}

func pick[V any](choose chooser, from ...V) V { return from[choose(len(from))] }

// anyCase draws a grant and a presentation near all the rule's boundaries, whether they can come about or not.
func anyCase(choose chooser) (storage.Grant, storage.Presented, storage.Policy, uint16) {
	// An age is a multiple of W, give or take a microsecond.
	when := func() time.Time {
		at := ago(time.Duration(pick(choose, -1, 0, 1, 2, 3, 100)) * w)
		return at.Add(time.Duration(choose(3)-1) * time.Microsecond)
	}
	base := pick(choose, uint32(0), 1, 2, 5, 20, 1<<32-1)
	g := storage.Grant{
		ID: storage.ID{1}, State: storage.Active, Revision: int64(choose(5)), Generation: base, Fork: pick(choose, uint16(0), 1, 2, 1<<16-1),
		ParentFork: uint16(choose(3)), KeyID: uint16(choose(3)), IssuedAt: when(),
		Seen: storage.Seen{Address: pick(choose, "a", "b"), Agent: pick(choose, "a", "b")},
	}
	if choose(3) > 0 {
		g.SharedAt = when()
	}
	young := choose(2) == 0
	for range pick(choose, 0, 1, 2, 15, 16) {
		if at := when(); young && at.Before(ago(w)) {
			g.Retired = append(g.Retired, ago(w))
		} else {
			g.Retired = append(g.Retired, at)
		}
	}
	near := uint32(pick(choose, 0, 0, 0, 1, 1, 1, 2, 3, 15, 16, 17, 9999, 10_000, 10_001))
	p := storage.Presented{
		Fork: pick(choose, uint16(0), 1, 2, 3, 10_000, 10_001, 10_002, 1<<16-1), KeyID: uint16(choose(3)),
		Seen: storage.Seen{Address: pick(choose, "a", "b"), Agent: pick(choose, "a", "b")},
	}
	if choose(4) > 0 && near <= base {
		p.Generation = base - near
	} else {
		p.Generation = base + min(near, 1<<32-1-base)
	}
	policy := storage.Policy{
		Rotation: pick(choose, storage.Balanced, storage.Balanced, storage.Balanced, storage.Strict, storage.Static),
		Grace:    w, Idle: pick(choose, 0, 10*w, 20*w, 1000*w),
	}
	return g, p, policy, uint16(choose(3))
}

func sameRuling(t interface{ Fatalf(string, ...any) }, rule, reference ruling, choose chooser) {
	g, p, policy, mintKey := anyCase(choose)
	got, gotAnswer := rule(g, p, policy, mintKey, began)
	want, wantAnswer := reference(g, p, policy, mintKey, began)
	if got.Outcome == storage.Reuse {
		gotAnswer = token{}
	}
	if gotAnswer != wantAnswer || !sameVerdict(got, want) {
		t.Fatalf("%+v\n%+v\n%+v: answer %v, reference %v\n%s", g, p, policy, gotAnswer, wantAnswer, cmp.Diff(want, got))
	}
}

func sameVerdict(a, b storage.Verdict) bool {
	if a.Outcome != b.Outcome || a.Adopted != b.Adopted || a.Foreign != b.Foreign || (a.Step == nil) != (b.Step == nil) {
		return false
	}
	if a.Step == nil {
		return true
	}
	x, y := *a.Step, *b.Step
	return x.ID == y.ID && x.Revision == y.Revision && x.Generation == y.Generation && x.Fork == y.Fork && x.ParentFork == y.ParentFork &&
		x.KeyID == y.KeyID && x.IssuedAt.Equal(y.IssuedAt) && slices.EqualFunc(x.Retired, y.Retired, time.Time.Equal) &&
		x.SharedAt.Equal(y.SharedAt) && x.Seen == y.Seen && len(x.Also.Events)+len(x.Also.Letters) == 0
}

// difference records that a comparison failed.
type difference struct{ found bool }

func (d *difference) Fatalf(string, ...any) { d.found = true }

// TestTheComparisonSeesEachRepair: a comparison that sees no difference proves nothing.
func TestTheComparisonSeesEachRepair(t *testing.T) {
	for r := range numRepairs {
		d, rule, choose := &difference{}, reference(r), seeded(2)
		for i := 0; !d.found; i++ {
			if i == 20**schedules {
				t.Fatalf("%d cases are judged alike without %s", i, r)
			}
			sameRuling(d, present, rule, choose)
		}
	}
}

// TestPresentEqualsTheReference compares the rule with its second statement, which the schedules and the model take apart.
func TestPresentEqualsTheReference(t *testing.T) {
	t.Run("shrinking", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			sameRuling(t, present, reference(), func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") })
		})
	})
	t.Run("many", func(t *testing.T) {
		t.Parallel()
		whole, choose := reference(), seeded(1)
		for range 20 * *schedules {
			sameRuling(t, present, whole, choose)
		}
	})
}
