package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signet-idp/signet/storage"
)

// model is one grant, one store of tokens that its honest callers share (the last save wins), and what is on its way between
// them. A request is judged at most delay after its token was read, or lost; an answer is saved at most settle after it was
// given, or lost; delay + settle < W by a nanosecond. That is the premise under which docs/grants.md promises NoFalseLogout.
type model struct {
	rule          ruling
	policy        storage.Policy
	delay, settle time.Duration
	choose        chooser

	now      time.Time
	latest   time.Time // the latest that the clock has shown
	row      storage.Grant
	key      uint16
	backup   storage.Grant
	kept     token // what the callers' store holds
	asks     []flight
	brings   []flight
	restores bool // the database may be restored once
	hasty    bool // time passes in small steps alone
	traced   bool
	trace    []string

	minted    map[[2]uint32]uint16 // the handle key of each token ever answered, by generation and fork
	exchanged map[uint32]uint16    // the fork that was exchanged, by generation
	issued    []token
}

// flight is a request or an answer on its way; after until it is lost.
type flight struct {
	token token
	until time.Time
}

func newModel(rule ruling, rotation storage.Rotation, choose chooser) *model {
	m := &model{
		rule: rule, choose: choose, now: began, key: 1, kept: first,
		policy: storage.Policy{Rotation: rotation, Grace: w, Idle: 30 * 24 * time.Hour},
		row:    newScript(rule).row, minted: map[[2]uint32]uint16{{1, 0}: 1}, exchanged: map[uint32]uint16{}, issued: []token{first},
	}
	m.delay = pick(choose, 0, 1, w/2, w/2, w/3, 2*w/3, w-2, w-1)
	m.settle = w - 1 - m.delay
	return m
}

func (m *model) note(format string, args ...any) {
	if !m.traced {
		return
	}
	m.trace = append(m.trace, fmt.Sprintf("%12v  ", m.now.Sub(began))+fmt.Sprintf(format, args...))
}

// failed is a broken invariant with the timeline that broke it.
func (m *model) failed(format string, args ...any) error {
	text := fmt.Sprintf(format, args...) + fmt.Sprintf("\nD = %v, R = %v, row %+v", m.delay, m.settle, m.row)
	for _, line := range m.trace {
		text += "\n" + line
	}
	return errors.New(text)
}

// errReuse: the rule called the presented token reused.
var errReuse = errors.New("reuse")

// present judges tok now and returns the answer. It holds OneWinner, OneRow, KeyBlind and that a verdict is never half made.
func (m *model) present(tok token) (token, error) {
	p := storage.Presented{Generation: tok.generation, Fork: tok.fork, KeyID: tok.key}
	v, answer := m.rule(m.row, p, m.policy, m.key, m.now)
	m.note("present %v: outcome %d, answer %v", tok, v.Outcome, answer)
	if v.Outcome == storage.Reuse {
		return token{}, errReuse
	}
	before := m.row
	m.row = written(m.row, v)
	name := [2]uint32{answer.generation, uint32(answer.fork)}
	switch {
	case len(m.row.Retired) > storage.MaxRetired:
		return token{}, m.failed("OneRow: %d retirements", len(m.row.Retired))
	case v.Outcome == storage.Newest && !v.Adopted && (m.row.Generation != before.Generation || m.row.Fork != before.Fork):
		return token{}, m.failed("a repeated answer moved the row")
	}
	if v.Outcome == storage.Exchange {
		if fork, twice := m.exchanged[tok.generation]; twice {
			return token{}, m.failed("OneWinner: of generation %d forks %d and %d were exchanged", tok.generation, fork, tok.fork)
		}
		m.exchanged[tok.generation] = tok.fork
	}
	if key, known := m.minted[name]; known && key != answer.key {
		return token{}, m.failed("KeyBlind: token (%d,%d) was minted under key %d, now under %d", answer.generation, answer.fork, key, answer.key)
	} else if !known {
		m.issued = append(m.issued, answer)
	}
	m.minted[name] = answer.key
	return answer, nil
}

// honest plays steps of honest callers. Any reuse is a false logout.
func (m *model) honest(steps int) error {
	for range steps {
		switch m.choose(12) {
		case 0, 1, 2:
			m.asks = append(m.asks, flight{m.kept, m.now.Add(m.delay)})
			m.note("read %v", m.kept)
		case 3, 4, 5, 6:
			if err := m.arrive(); err != nil {
				return err
			}
		case 7, 8:
			m.save()
		case 9, 10:
			m.pass()
		case 11:
			if err := m.seldom(); err != nil {
				return err
			}
		}
	}
	return nil
}

// seldom is what happens now and then: the handle key rotates, a caller refreshes as fast as it can, the database is restored.
func (m *model) seldom() error {
	switch m.choose(24) {
	case 0, 1, 2:
		m.key++
		m.note("handle key %d", m.key)
	case 3:
		for range m.choose(24) {
			answer, err := m.refresh(m.kept)
			if err != nil {
				return err
			}
			m.kept = answer
			m.note("save %v at once", answer)
		}
	case 4:
		if m.restores && m.backup.Generation > 0 {
			m.restore()
		}
	case 5, 6:
		m.backup = m.row
	}
	return nil
}

// restore puts the row back. No answer outlives the database going down, and no request that is more than four generations
// behind: that is as far as rule 6 can make up for what the row has forgotten.
func (m *model) restore() {
	m.restores, m.brings = false, nil
	m.asks = slices.DeleteFunc(m.asks, func(f flight) bool { return f.token.generation+4 < m.row.Generation })
	m.row = m.backup
	m.exchanged, m.minted = map[uint32]uint16{}, map[[2]uint32]uint16{}
	m.note("restored to (%d,%d)", m.row.Generation, m.row.Fork)
}

// refresh presents an honest caller's token: no verdict may be reuse.
func (m *model) refresh(tok token) (token, error) {
	answer, err := m.present(tok)
	if errors.Is(err, errReuse) {
		return token{}, m.failed("NoFalseLogout: an honest caller's %v is called reused", tok)
	}
	return answer, err
}

// arrive lets one request on its way reach the server. Its answer sets out, or is lost.
func (m *model) arrive() error {
	if len(m.asks) == 0 {
		return nil
	}
	ask := m.take(&m.asks)
	answer, err := m.refresh(ask.token)
	if err != nil {
		return err
	}
	if m.choose(3) > 0 {
		m.brings = append(m.brings, flight{answer, m.now.Add(m.settle)})
	}
	return nil
}

func (m *model) save() {
	if len(m.brings) > 0 {
		m.kept = m.take(&m.brings).token
		m.note("save %v", m.kept)
	}
}

func (m *model) take(from *[]flight) flight {
	i := m.choose(len(*from))
	f := (*from)[i]
	*from = append((*from)[:i:i], (*from)[i+1:]...)
	return f
}

// pass lets time go by: to the last moment of something on its way, near a boundary of the rule, or a weekend. What is too late
// is lost. Now and then the store's clock is set back, which must hurt nobody.
func (m *model) pass() {
	var d time.Duration
	switch flights := append(append([]flight(nil), m.asks...), m.brings...); {
	case len(flights) > 0 && m.choose(2) == 0:
		d = flights[m.choose(len(flights))].until.Sub(m.now)
	case m.hasty:
		d = pick(m.choose, time.Microsecond, time.Second, w/4, w/2-1, w/2)
	default:
		d = pick(m.choose, 0, 1, time.Second, time.Second, w/2, w-1, w, w+1, 2*w-1, 2*w, 2*w+1, 60*time.Hour)
	}
	m.now = m.now.Add(d)
	if m.now.After(m.latest) {
		m.latest = m.now
	}
	if !m.hasty && m.choose(64) == 0 {
		m.stepBack(pick(m.choose, time.Second, w, 10*time.Minute))
	}
	m.asks, m.brings = m.alive(m.asks), m.alive(m.brings)
}

// stepBack sets the store's clock back; the callers' time goes on, so what is on its way gets no longer to live.
func (m *model) stepBack(d time.Duration) {
	m.now = m.now.Add(-d)
	m.note("clock set back")
	for _, flights := range [][]flight{m.asks, m.brings} {
		for i := range flights {
			flights[i].until = flights[i].until.Add(-d)
		}
	}
}

func (m *model) alive(flights []flight) (left []flight) {
	for _, f := range flights {
		if !f.until.Before(m.now) {
			left = append(left, f)
		}
	}
	return left
}
