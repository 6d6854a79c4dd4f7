package storage_test

import (
	"errors"
	"flag"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signet-idp/signet/storage"
)

// schedules is raised by make soak.
var schedules = flag.Int("schedules", 100_000, "how many random schedules the model of the rotation rule plays")

// play runs one schedule of each kind by what choose draws.
func play(rule ruling, choose chooser, traced bool) error {
	rotation := pick(choose, storage.Balanced, storage.Balanced, storage.Balanced, storage.Static)
	m := newModel(rule, rotation, choose)
	m.traced, m.hasty, m.restores = traced, choose(2) == 0, choose(4) == 0
	if choose(4) == 0 { // a device code is the parent of its first token
		m.row.IssuedAt, m.row.Retired, m.kept = began, nil, token{0, 0, 1}
	}
	if err := m.honest(10 + choose(60)); err != nil {
		return err
	}
	if rotation == storage.Static {
		return nil
	}
	return m.thief(5)
}

// playStrict runs one schedule of a strict client, which loses nothing and never asks twice, until a thief comes.
func playStrict(rule ruling, choose chooser, traced bool) error {
	m := newModel(rule, storage.Strict, choose)
	m.traced = traced
	for range choose(20) {
		m.pass()
		answer, err := m.refresh(m.kept)
		if err != nil {
			return err
		}
		m.kept = answer
	}
	return m.thief(2)
}

// thief holds a copy of any token there ever was; it and the honest holder take turns outside 2W and get their answers. A clock
// that was set back has caught up by then: until it has, nothing is old and everybody converges.
func (m *model) thief(turns int) error {
	if m.now.Before(m.latest) {
		m.now = m.latest
	}
	hands := [2]token{m.kept, m.issued[m.choose(len(m.issued))]}
	at := m.choose(2)
	for range turns {
		m.now = m.now.Add(pick(m.choose, 2*w, 2*w+1, time.Hour))
		answer, err := m.present(hands[at])
		if errors.Is(err, errReuse) {
			return nil
		} else if err != nil {
			return err
		}
		hands[at], at = answer, 1-at
	}
	return m.failed("ThiefDies: %d turns, and the grant lives", turns)
}

func TestTheRuleHoldsItsInvariants(t *testing.T) {
	t.Run("shrinking", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			err := play(present, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }, true)
			if err != nil {
				t.Fatal(err)
			}
		})
	})
	for name, play := range map[string]func(ruling, chooser, bool) error{"balanced and static": play, "strict": playStrict} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(*schedules) {
				if play(present, seeded(seed), false) != nil {
					t.Fatalf("seed %d: %v", seed, play(present, seeded(seed), true))
				}
			}
		})
	}
}

// TestTheModelMissesEachRepair: a model that finds nothing proves nothing.
func TestTheModelMissesEachRepair(t *testing.T) {
	for r := range numRepairs {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			rule := reference(r)
			for seed := range uint64(10 * *schedules) {
				if play(rule, seeded(seed), false) != nil {
					t.Logf("seed %d: %v", seed, play(rule, seeded(seed), true))
					return
				}
			}
			t.Errorf("%d schedules went well without %s", 10**schedules, r)
		})
	}
}
