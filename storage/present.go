package storage

import "time"

// Rotation is a client's policy for refresh tokens.
type Rotation string

// The three policies.
const (
	// Balanced forgives what honest clients do: two tabs, sleeping laptops, lost answers. The default of public clients.
	Balanced Rotation = "balanced"
	// Strict forgives nothing: each refresh token serves once. The default of confidential clients.
	Strict Rotation = "strict"
	// Static does not rotate: for confidential and sender-bound clients (FAPI 2.0 Security Profile §5.3.2.1).
	Static Rotation = "static"
)

// The bounds of the rule.
const (
	// MaxRetired is how many retirements a row remembers, and so how many exchanges within 2W a balanced client gets.
	MaxRetired = 16
	// MaxAhead is how far a restored database may lag behind the tokens it meets.
	MaxAhead = 10_000
	// adoptedRetirements stand in for the generations that a restored database has forgotten.
	adoptedRetirements = 4
	maxFork            = 1<<16 - 1
	maxGeneration      = 1<<32 - 1
)

// Policy is what Present goes by.
type Policy struct {
	Rotation Rotation
	Grace    time.Duration // W: how long an answer may take to arrive and be kept
	Idle     time.Duration // the refresh token's idle lifetime
}

// Presented is an authentic refresh token of the grant: its handle's tag and the grant's secret were good.
type Presented struct {
	Generation uint32
	Fork       uint16
	KeyID      uint16 // the handle key it was minted under
	Seen       Seen   // who presents it
}

// Outcome is what Present decided.
type Outcome int

// The outcomes. All but Reuse are answered with the newest token of the row as the verdict's Step leaves it.
const (
	// Exchange: the token was used for the first time, and the next generation begins.
	Exchange Outcome = iota + 1
	// Newest: somebody else had the answer already; this caller gets the same one.
	Newest
	// Fork: the answer was lost; this caller gets a sibling of the token that never arrived.
	Fork
	// Reuse: the token is dead and somebody still has it. The grant must be revoked.
	Reuse
)

// Verdict is what Present decided about one presentation.
type Verdict struct {
	Outcome Outcome
	// Step is the one write that makes it so; nil where nothing changes. Its Also is empty.
	Step *Step
	// Adopted says that the token was ahead of the row: the database was restored to an earlier time. Audit it loudly.
	Adopted bool
	// Foreign says that a token was handed out again to another address and agent than the exchange had.
	Foreign bool
}

// Present is the rotation rule: what becomes of an authentic refresh token at an admissible grant. It is pure: it reads no
// clock and writes nothing. mintKey is the handle key under which new tokens are minted now. The numbers are those of
// docs/grants.md.
func Present(g Grant, p Presented, policy Policy, mintKey uint16, now time.Time) Verdict {
	step := stepOf(g)
	adopted := ahead(step, p)
	if adopted { // 6
		step.Generation, step.Fork, step.KeyID = p.Generation, p.Fork, p.KeyID
		step.Retired = []time.Time{now, now, now, now}[:adoptedRetirements]
	}
	r := rule{policy: policy, now: now, mintKey: mintKey, seen: p.Seen, changed: adopted, step: step}
	outcome := r.decide(p)
	v := Verdict{Outcome: outcome, Adopted: adopted}
	if outcome == Reuse {
		return v
	}
	v.Foreign = r.again && p.Seen.Address != g.Seen.Address && p.Seen.Agent != g.Seen.Agent
	if r.changed {
		v.Step = &r.step
	}
	return v
}

// rule is one presentation being judged; step is the row as it would be written.
type rule struct {
	policy  Policy
	now     time.Time
	mintKey uint16
	seen    Seen
	step    Step
	changed bool
	again   bool // the token was exchanged before: rules 4 and 5
}

func (r *rule) decide(p Presented) Outcome {
	w := r.policy.Grace
	sibling := p.Generation == r.step.Generation && p.Fork <= r.step.Fork
	newest := sibling && p.Fork == r.step.Fork
	parent := r.step.Generation > 0 && p.Generation == r.step.Generation-1 && p.Fork == r.step.ParentFork

	if r.policy.Rotation == Strict {
		if newest && r.step.Generation < maxGeneration {
			return r.exchange(p)
		}
		return Reuse // 7
	}
	switch {
	case sibling && r.policy.Rotation == Static:
		return r.keep()
	case sibling: // 3
		shared := !r.step.SharedAt.IsZero() && r.age(r.step.SharedAt) < 2*w
		if shared && (!newest || r.age(r.step.IssuedAt) < w) { // 3a
			return r.answerNewest()
		}
		if r.retiredWithin(2*w) >= MaxRetired || r.step.Generation == maxGeneration { // 3b
			return r.answerNewest()
		}
		return r.exchange(p)
	case parent && r.age(r.step.IssuedAt) > w: // 4
		r.again = true
		return r.fork()
	case parent || r.retiredLately(p.Generation): // 5; a code is a parent that no retirement tells of
		r.again = true
		return r.answerNewest()
	}
	return Reuse // 7
}

// exchange: the first use decides the generation; the other siblings are dead.
func (r *rule) exchange(p Presented) Outcome {
	kept := r.step.Retired
	if len(kept) == 0 { // the code before generation 1 was exchanged when that was issued
		kept = []time.Time{r.step.IssuedAt}
	}
	for len(kept) > 0 && r.age(kept[len(kept)-1]) >= 2*r.policy.Grace {
		kept = kept[:len(kept)-1]
	}
	retired := append([]time.Time{r.now}, kept...)
	r.step.Retired = retired[:min(len(retired), MaxRetired)]
	r.step.Generation++
	r.step.Fork, r.step.ParentFork = 0, p.Fork
	r.step.KeyID, r.step.IssuedAt, r.step.Seen = r.mintKey, r.now, r.seen
	r.changed = true
	return Exchange
}

// fork: the newest token never arrived. Its siblings stay good until one is used; whoever holds another one meets rule 7.
func (r *rule) fork() Outcome {
	if r.step.Fork == maxFork {
		return r.answerNewest()
	}
	r.step.Fork++
	r.step.KeyID, r.step.IssuedAt, r.step.SharedAt = r.mintKey, r.now, r.now
	retired := append([]time.Time(nil), r.step.Retired...)
	if len(retired) == 0 { // a parent without a retirement: the code or device code before generation 1
		retired = append(retired, r.now)
	}
	retired[0] = r.now
	r.step.Retired = retired
	r.changed = true
	return Fork
}

// answerNewest: the same string for everybody. Within W of the last sharing nothing is written: a storm only reads.
func (r *rule) answerNewest() Outcome {
	if r.step.SharedAt.IsZero() || r.age(r.step.SharedAt) > r.policy.Grace {
		r.step.SharedAt = r.now
		r.changed = true
	}
	return Newest
}

// keep: nothing rotates; the idle clock is wound, rarely enough that most refreshes write nothing.
func (r *rule) keep() Outcome {
	if r.policy.Idle > 0 && r.age(r.step.IssuedAt) > r.policy.Idle/10 {
		r.step.IssuedAt = r.now
		r.changed = true
	}
	return Newest
}

func (r *rule) age(t time.Time) time.Duration { return age(r.now, t) }

// retiredWithin counts the remembered retirements younger than d.
func (r *rule) retiredWithin(d time.Duration) (n int) {
	for _, t := range r.step.Retired {
		if r.age(t) < d {
			n++
		}
	}
	return n
}

// retiredLately reports whether generation was exchanged less than 2W ago. Retired[0] is when the generation before the
// newest was exchanged, Retired[1] the one before that.
func (r *rule) retiredLately(generation uint32) bool {
	if generation >= r.step.Generation {
		return false
	}
	i := uint64(r.step.Generation) - 1 - uint64(generation)
	return i < uint64(len(r.step.Retired)) && r.age(r.step.Retired[i]) < 2*r.policy.Grace
}

// ahead reports whether the token is newer than the row: its tag and secret are good, so the row is what went back.
func ahead(row Step, p Presented) bool {
	switch {
	case p.Generation > row.Generation:
		return p.Generation-row.Generation <= MaxAhead
	case p.Generation == row.Generation && p.Fork > row.Fork:
		return p.Fork-row.Fork <= MaxAhead
	}
	return false
}

// stepOf is the row as it stands, to be changed.
func stepOf(g Grant) Step {
	return Step{
		ID: g.ID, Revision: g.Revision, Generation: g.Generation, Fork: g.Fork, ParentFork: g.ParentFork, KeyID: g.KeyID,
		IssuedAt: g.IssuedAt, Retired: g.Retired, SharedAt: g.SharedAt, Seen: g.Seen,
	}
}

// age is never negative: a clock that was set back makes nothing old.
func age(now, t time.Time) time.Duration { return max(0, now.Sub(t)) }

// String names the outcome, for metrics and logs.
func (o Outcome) String() string {
	switch o {
	case Exchange:
		return "exchange"
	case Newest:
		return "newest"
	case Fork:
		return "fork"
	case Reuse:
		return "reuse"
	}
	return "none"
}
