package storage_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// The ten schedules at the end of docs/grants.md, which broke earlier drafts, with W = 30 s and D + R ≤ W: each caller's token
// was read at most D before it is presented, and each answer is saved at most R after it was given. What they prove:
//
//	①  retiredOnFork               ⑥  twiceTheWindow
//	②  rememberSixteen, and with twenty exchanges convergeOnCrowd
//	③  forkLost                    ⑦  convergeOnShared, sharedSurvives
//	④  forkLost, parentFork        ⑧  convergeOnShared, sharedOnFork, and with the answer lost siblingsSurvive
//	⑤  rememberRetired             ⑨  adoptedTimes
//	⑩  remintUnderRow              the devices: youngParent, codeRetired
func namedSchedules() []schedule {
	return []schedule{
		{"① a fork is saved and used while another caller still holds the parent", []repair{retiredOnFork}, scheduleOne},
		{"② nine exchanges within W, then the first token", []repair{rememberSixteen, rememberRetired}, scheduleTwo(9)},
		{"② twenty exchanges within W, then the first token", []repair{convergeOnCrowd}, scheduleTwo(20)},
		{"③ every answer lost, ten tries 11 s apart", []repair{forkLost}, scheduleThree(11)},
		{"③ every answer lost, ten tries 31 s apart", []repair{forkLost}, scheduleThree(31)},
		{"④ lost, back after a weekend", []repair{forkLost, parentFork}, scheduleFour},
		{"⑤ a hung request arrives after its retry went on", []repair{rememberRetired}, scheduleFive},
		{"⑥ a request is 15 s old and two generations behind", []repair{twiceTheWindow, rememberRetired}, scheduleSix},
		{"⑦ a late save puts the older token back", []repair{convergeOnShared, sharedSurvives}, scheduleSeven},
		{"⑧ a fork is answered to B while A uses its sibling, and B saves last", []repair{convergeOnShared, sharedOnFork}, scheduleEight},
		{"⑧ a fork's answer is lost and its sibling goes on", []repair{siblingsSurvive}, scheduleEightLost},
		{"⑨ a restore between two callers", []repair{adoptedTimes}, scheduleNine},
		{"⑩ the handle key rotates between presentation and retry", []repair{remintUnderRow}, scheduleTen},
		{"a device that lost the answer polls again", []repair{youngParent}, scheduleDevice},
		{"a device polls slowly while its other half goes on", []repair{codeRetired}, scheduleSlowDevice},
	}
}

// schedule is a timeline, and the repairs without which it goes wrong.
type schedule struct {
	name   string
	proves []repair
	play   func(s *script)
}

// script plays one timeline against one grant. The first thing to go wrong stays in err and ends the play.
type script struct {
	rule   ruling
	policy storage.Policy
	row    storage.Grant
	key    uint16
	now    time.Time
	err    error
}

var began = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// newScript is a balanced grant whose newest token is (1,0), issued long ago.
func newScript(rule ruling) *script {
	return &script{
		rule: rule, policy: storage.Policy{Rotation: storage.Balanced, Grace: 30 * time.Second, Idle: 30 * 24 * time.Hour}, key: 1,
		row: storage.Grant{
			State: storage.Active, Revision: 1, Generation: 1, KeyID: 1, IssuedAt: began.Add(-24 * time.Hour), ExpiresAt: began.Add(365 * 24 * time.Hour),
		},
	}
}

// at presents tok that many seconds after the beginning and returns the answer; it asserts the outcome.
func (s *script) at(seconds int, tok token, want storage.Outcome) token {
	if s.err != nil {
		return token{}
	}
	s.now = began.Add(time.Duration(seconds) * time.Second)
	p := storage.Presented{Generation: tok.generation, Fork: tok.fork, KeyID: tok.key}
	v, answer := s.rule(s.row, p, s.policy, s.key, s.now)
	if v.Outcome != want {
		s.err = fmt.Errorf("at %d s, (%d,%d) at newest (%d,%d): outcome %d, want %d",
			seconds, tok.generation, tok.fork, s.row.Generation, s.row.Fork, v.Outcome, want)
		return token{}
	}
	s.row = written(s.row, v)
	return answer
}

// is asserts that an answer is that token.
func (s *script) is(got, want token) {
	if s.err == nil && got != want {
		s.err = fmt.Errorf("answered with %v, want %v", got, want)
	}
}

// written is the row after the verdict's write.
func written(g storage.Grant, v storage.Verdict) storage.Grant {
	if step := v.Step; step != nil {
		g.Revision = step.Revision + 1
		g.Generation, g.Fork, g.ParentFork, g.KeyID = step.Generation, step.Fork, step.ParentFork, step.KeyID
		g.IssuedAt, g.Retired, g.SharedAt, g.Seen = step.IssuedAt, step.Retired, step.SharedAt, step.Seen
	}
	return g
}

var first = token{1, 0, 1}

func scheduleOne(s *script) { // D = 20 s, R = 10 s
	s.at(0, first, storage.Exchange)         // A → (2,0), lost
	two := s.at(31, first, storage.Fork)     // A → (2,1); saved at 41, and B has read (1,0) just before
	two = s.at(42, two, storage.Newest)      // A saves and refreshes: shared, and younger than W
	three := s.at(61, two, storage.Exchange) // A goes on
	s.is(s.at(61, first, storage.Newest), three)
}

func scheduleTwo(exchanges int) func(*script) {
	return func(s *script) { // D = 30 s, R = 0
		tok := first
		for i := range exchanges {
			tok = s.anyAt(i, tok)
		}
		s.is(s.at(30, first, storage.Newest), tok)
	}
}

// anyAt presents tok; anything but reuse will do.
func (s *script) anyAt(seconds int, tok token) token {
	if s.err != nil {
		return token{}
	}
	s.now = began.Add(time.Duration(seconds) * time.Second)
	v, answer := s.rule(s.row, storage.Presented{Generation: tok.generation, Fork: tok.fork, KeyID: tok.key}, s.policy, s.key, s.now)
	if v.Outcome == storage.Reuse {
		s.err = fmt.Errorf("at %d s, (%d,%d) at newest (%d,%d): reuse", seconds, tok.generation, tok.fork, s.row.Generation, s.row.Fork)
	}
	s.row = written(s.row, v)
	return answer
}

func scheduleThree(apart int) func(*script) {
	return func(s *script) {
		var answer token
		for try := range 10 {
			answer = s.anyAt(try*apart, first)
		}
		s.anyAt(10*apart, answer) // the tenth answer arrived
	}
}

func scheduleFour(s *script) {
	const day = 24 * 3600
	s.at(0, first, storage.Exchange)                 // A → (2,0), lost on a Friday
	two := s.at(3*day, first, storage.Fork)          // A → (2,1), saved
	s.at(7*day, two, storage.Exchange)               // A → (3,0), lost on the next Friday
	three := s.at(10*day, two, storage.Fork)         // A → (3,1)
	s.at(11*day, three, storage.Exchange)            // and goes on
	s.at(11*day+3600, token{3, 0, 1}, storage.Reuse) // the one that was lost on the way is dead now
}

func scheduleFive(s *script) { // D = 20 s, R = 10 s
	two := s.at(5, first, storage.Exchange) // the hung request was read at 0; this is its retry
	three := s.at(7, two, storage.Exchange)
	s.is(s.at(20, first, storage.Newest), three)
}

func scheduleSix(s *script) { // D = R = 15 s
	s.at(0, first, storage.Exchange)         // → (2,0), lost
	two := s.at(29, first, storage.Newest)   // A → (2,0), saved at 44; B reads (1,0) at 43
	three := s.at(45, two, storage.Exchange) // A → (3,0)
	s.is(s.at(58, first, storage.Newest), three)
}

func scheduleSeven(s *script) { // D = R = 15 s
	const week = 7 * 24 * 3600
	two := s.at(0, first, storage.Exchange)      // A → (2,0), saved at 15; B reads (1,0) at 14
	s.is(s.at(29, first, storage.Newest), two)   // B → (2,0), saved at 44 only
	three := s.at(31, two, storage.Exchange)     // A → (3,0), saved at 32
	s.is(s.at(33, three, storage.Newest), three) // A tries to go on: not while B's save is on its way
	fork := s.at(week, two, storage.Fork)        // B's late save put (2,0) back, and nobody read it for a week
	s.at(week+100, fork, storage.Exchange)
}

func scheduleEight(s *script) { // D = R = 15 s
	s.at(0, first, storage.Exchange)          // → (2,0), lost
	s.at(1, first, storage.Newest)            // → (2,0), lost again
	two := s.at(29, first, storage.Newest)    // A → (2,0), saved at 44; B reads (1,0) at 43
	fork := s.at(58, first, storage.Fork)     // B → (2,1), saved at 73 only
	s.is(s.at(62, two, storage.Newest), fork) // A had read (2,0) at 60, saves at 63
	s.at(10*24*3600, fork, storage.Exchange)  // B's save was last
}

func scheduleEightLost(s *script) { // D = R = 15 s
	s.at(0, first, storage.Exchange)       // → (2,0), lost
	two := s.at(29, first, storage.Newest) // A → (2,0), saved at 44; B reads (1,0) at 43
	s.at(58, first, storage.Fork)          // B → (2,1), lost
	s.at(10*24*3600, two, storage.Exchange)
}

func scheduleNine(s *script) { // D = R = 15 s
	two := s.at(0, first, storage.Exchange)
	backup := s.row
	three := s.at(100, two, storage.Exchange) // B has read (2,0) at 99, A saves (3,0) at 101
	four := s.at(102, three, storage.Exchange)
	if s.err == nil {
		s.row = backup
	}
	five := s.at(104, four, storage.Exchange) // A's token is ahead by two generations
	s.is(s.at(110, three, storage.Newest), five)
	s.is(s.at(114, two, storage.Newest), five)
}

func scheduleTen(s *script) {
	two := s.at(0, first, storage.Exchange) // minted under key 1
	s.key = 2
	s.is(s.at(5, first, storage.Newest), two) // 5: one string for everybody
	fork := s.at(31, first, storage.Fork)     // 4 mints anew
	s.is(fork, token{2, 1, 2})
	s.key = 3
	s.is(s.at(40, first, storage.Newest), fork)
	s.is(s.at(41, two, storage.Newest), fork) // 3a
}

func scheduleDevice(s *script) {
	// A device code was redeemed just now: generation 1 was issued, and no refresh token was retired for it.
	s.row.IssuedAt, s.row.Retired = began, nil
	code := token{0, 0, 1}
	s.is(s.at(5, code, storage.Newest), first)
	s.is(s.at(30, code, storage.Newest), first)
	fork := s.at(31, code, storage.Fork)
	s.is(s.at(35, code, storage.Newest), fork)
	s.at(100, fork, storage.Exchange)
}

func scheduleSlowDevice(s *script) { // D = R = 15 s
	s.row.IssuedAt, s.row.Retired = began, nil
	code := token{0, 0, 1}
	one := s.at(29, code, storage.Newest)  // saved at 44; another poll has read the code at 43
	two := s.at(45, one, storage.Exchange) // it goes on
	s.is(s.at(58, code, storage.Newest), two)
}

func TestTheNamedSchedulesLogNobodyOut(t *testing.T) {
	for _, c := range namedSchedules() {
		t.Run(c.name, func(t *testing.T) {
			for name, rule := range map[string]ruling{"Present": present, "the reference": reference()} {
				s := newScript(rule)
				if c.play(s); s.err != nil {
					t.Errorf("%s: %v", name, s.err)
				}
			}
		})
	}
}

// TestEachRepairIsNeeded takes the repairs out one by one: each schedule must go wrong without the repairs that it proves, and
// every repair must be proven by a schedule.
func TestEachRepairIsNeeded(t *testing.T) {
	for r := range numRepairs {
		t.Run(r.String(), func(t *testing.T) {
			proven := false
			for _, c := range namedSchedules() {
				s := newScript(reference(r))
				c.play(s)
				if claimed := slices.Contains(c.proves, r); claimed {
					proven = true
					if s.err == nil {
						t.Errorf("%s: goes well without %s", c.name, r)
					}
				}
			}
			if !proven {
				t.Errorf("no schedule proves %s", r)
			}
		})
	}
}
