package storage_test

import (
	"time"

	"github.com/signet-idp/signet/storage"
)

// This file states the rotation rule of docs/grants.md a second time, independently of present.go and without a care for
// speed, so that parts of it can be taken out: TestEachRepairIsNeeded shows that each part is there for a reason.

// repair is a part of the rule that an earlier draft lacked.
type repair int

const (
	forkLost         repair = iota // 4: a parent whose successor is older than W forks
	parentFork                     // 4: the parent is the fork that was exchanged, not fork 0
	siblingsSurvive                // 4: the siblings of a fork stay good until one is used
	sharedOnFork                   // 4: a fork counts as a sharing
	retiredOnFork                  // 4: a fork renews the head of retired
	convergeOnShared               // 3a: while shared, siblings converge instead of exchanging
	sharedSurvives                 // 3a: a sharing outlives an exchange
	convergeOnCrowd                // 3b: with sixteen young retirements nothing is exchanged
	rememberRetired                // 5: what was retired lately is answered with the newest
	rememberSixteen                // 5: sixteen generations of it, not four
	twiceTheWindow                 // 5: for 2W, not for W
	youngParent                    // 5: so too the parent of a young newest
	codeRetired                    // 5: a code was retired when generation 1 was issued
	adoptedTimes                   // 6: an adopted generation has four retirements behind it
	remintUnderRow                 // every answer but a new token is minted under the row's key
	numRepairs
)

func (r repair) String() string {
	return [...]string{
		"forkLost", "parentFork", "siblingsSurvive", "sharedOnFork", "retiredOnFork", "convergeOnShared", "sharedSurvives",
		"convergeOnCrowd", "rememberRetired", "rememberSixteen", "twiceTheWindow", "youngParent", "codeRetired",
		"adoptedTimes", "remintUnderRow",
	}[r]
}

// token is a refresh token as its string tells it: equal tokens are equal strings.
type token struct {
	generation uint32
	fork       uint16
	key        uint16
}

// ruling is a rotation rule: the verdict, and the token that the caller is answered with where it is not Reuse.
type ruling func(g storage.Grant, p storage.Presented, policy storage.Policy, mintKey uint16, now time.Time) (storage.Verdict, token)

// present is storage.Present as a ruling: the answer is the newest token of the row as the step leaves it.
func present(g storage.Grant, p storage.Presented, policy storage.Policy, mintKey uint16, now time.Time) (storage.Verdict, token) {
	v := storage.Present(g, p, policy, mintKey, now)
	if v.Step != nil {
		return v, token{v.Step.Generation, v.Step.Fork, v.Step.KeyID}
	}
	return v, token{g.Generation, g.Fork, g.KeyID}
}

// reference is the rule with the given repairs taken out.
func reference(without ...repair) ruling {
	has := [numRepairs]bool{}
	for r := range has {
		has[r] = true
	}
	for _, r := range without {
		has[r] = false
	}
	return func(g storage.Grant, p storage.Presented, policy storage.Policy, mintKey uint16, now time.Time) (storage.Verdict, token) {
		c := &court{has: has, row: g, presented: p, policy: policy, mintKey: mintKey, now: now}
		return c.judge(g)
	}
}

// court is one presentation before the reference.
type court struct {
	has       [numRepairs]bool
	row       storage.Grant // as it will be
	presented storage.Presented
	policy    storage.Policy
	mintKey   uint16
	now       time.Time

	writes, again bool
}

func (c *court) judge(before storage.Grant) (storage.Verdict, token) {
	adopted := c.adopt()
	outcome := c.outcome()
	if outcome == storage.Reuse {
		return storage.Verdict{Outcome: outcome, Adopted: adopted}, token{}
	}
	v := storage.Verdict{Outcome: outcome, Adopted: adopted}
	v.Foreign = c.again && before.Seen.Address != c.presented.Seen.Address && before.Seen.Agent != c.presented.Seen.Agent
	if r := c.row; c.writes || adopted {
		v.Step = &storage.Step{
			ID: r.ID, Revision: before.Revision, Generation: r.Generation, Fork: r.Fork, ParentFork: r.ParentFork, KeyID: r.KeyID,
			IssuedAt: r.IssuedAt, Retired: r.Retired, SharedAt: r.SharedAt, Seen: r.Seen,
		}
	}
	answer := token{c.row.Generation, c.row.Fork, c.row.KeyID}
	if outcome == storage.Newest && !c.has[remintUnderRow] {
		answer.key = c.mintKey
	}
	return v, answer
}

// adopt is rule 6.
func (c *court) adopt() bool {
	byGeneration := int64(c.presented.Generation) - int64(c.row.Generation)
	byFork := int64(c.presented.Fork) - int64(c.row.Fork)
	if byGeneration < 0 || byGeneration > 10_000 || byGeneration == 0 && (byFork <= 0 || byFork > 10_000) {
		return false
	}
	c.row.Generation, c.row.Fork, c.row.KeyID = c.presented.Generation, c.presented.Fork, c.presented.KeyID
	c.row.Retired = nil
	if c.has[adoptedTimes] {
		c.row.Retired = []time.Time{c.now, c.now, c.now, c.now}
	}
	return true
}

func (c *court) outcome() storage.Outcome {
	back := int64(c.row.Generation) - int64(c.presented.Generation) // how many generations the token is behind
	isNewest := back == 0 && c.presented.Fork == c.row.Fork
	isSibling := back == 0 && c.presented.Fork <= c.row.Fork
	if !c.has[siblingsSurvive] {
		isSibling = isNewest
	}
	last := c.row.Generation == 1<<32-1
	if c.policy.Rotation == storage.Strict {
		if isNewest && !last {
			return c.exchange()
		}
		return storage.Reuse
	}

	if isSibling && c.policy.Rotation == storage.Static {
		if c.policy.Idle > 0 && c.old(c.row.IssuedAt) > c.policy.Idle/10 {
			c.row.IssuedAt, c.writes = c.now, true
		}
		return storage.Newest
	}
	w := c.policy.Grace
	if isSibling {
		shared := !c.row.SharedAt.IsZero() && c.old(c.row.SharedAt) < 2*w
		crowded := c.youngRetirements() >= 16
		switch {
		case c.has[convergeOnShared] && shared && !isNewest,
			c.has[convergeOnShared] && shared && c.old(c.row.IssuedAt) < w,
			c.has[convergeOnCrowd] && crowded,
			last:
			return c.newest()
		}
		return c.exchange()
	}

	parent := c.row.ParentFork
	if !c.has[parentFork] {
		parent = 0
	}
	isParent := back == 1 && c.presented.Fork == parent
	window := 2 * w
	if !c.has[twiceTheWindow] {
		window = w
	}
	known := back >= 1 && back <= int64(len(c.row.Retired)) && c.has[rememberRetired]
	c.again = true
	switch {
	case isParent && c.old(c.row.IssuedAt) > w && c.has[forkLost]:
		return c.fork()
	case known && c.old(c.row.Retired[back-1]) < window:
		return c.newest()
	case isParent && c.old(c.row.IssuedAt) <= w && c.has[youngParent]:
		return c.newest()
	}
	return storage.Reuse
}

func (c *court) exchange() storage.Outcome {
	if len(c.row.Retired) == 0 && c.has[codeRetired] {
		c.row.Retired = []time.Time{c.row.IssuedAt}
	}
	remembered := []time.Time{c.now}
	depth := 16
	if !c.has[rememberSixteen] {
		depth = 4
	}
	// What lies behind the last young retirement falls out.
	young := 0
	for i, t := range c.row.Retired {
		if c.old(t) < 2*c.policy.Grace {
			young = i + 1
		}
	}
	remembered = append(remembered, c.row.Retired[:young]...)
	c.row.Retired = remembered[:min(depth, len(remembered))]
	c.row.Generation++
	c.row.ParentFork = c.presented.Fork
	c.row.Fork = 0
	c.row.KeyID = c.mintKey
	c.row.IssuedAt = c.now
	c.row.Seen = c.presented.Seen
	if !c.has[sharedSurvives] {
		c.row.SharedAt = time.Time{}
	}
	c.writes = true
	return storage.Exchange
}

func (c *court) fork() storage.Outcome {
	if c.row.Fork == 1<<16-1 {
		return c.newest()
	}
	c.row.Fork++
	c.row.KeyID = c.mintKey
	c.row.IssuedAt = c.now
	if c.has[sharedOnFork] {
		c.row.SharedAt = c.now
	}
	if c.has[retiredOnFork] {
		var older []time.Time
		if len(c.row.Retired) > 0 {
			older = c.row.Retired[1:]
		}
		c.row.Retired = append([]time.Time{c.now}, older...)
	}
	c.writes = true
	return storage.Fork
}

func (c *court) newest() storage.Outcome {
	if c.row.SharedAt.IsZero() || c.old(c.row.SharedAt) > c.policy.Grace {
		c.row.SharedAt, c.writes = c.now, true
	}
	return storage.Newest
}

func (c *court) youngRetirements() (n int) {
	for _, t := range c.row.Retired {
		if c.old(t) < 2*c.policy.Grace {
			n++
		}
	}
	return n
}

// old is the age of t: a clock that was set back makes nothing old.
func (c *court) old(t time.Time) time.Duration {
	if t.After(c.now) {
		return 0
	}
	return c.now.Sub(t)
}
