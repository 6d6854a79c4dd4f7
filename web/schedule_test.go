package web_test

import (
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// The ten schedules at the end of docs/grants.md, as a client meets them: over HTTP, on both engines. W is 30 s. What each proves
// inside the rule is told beside the rule's own tests, in package storage.

// play is one timeline at one grant whose first token was issued a day before.
type play struct {
	*world
	c       app
	started time.Time
}

// newPlay signs ada in at a balanced client and returns her first token.
func newPlay(w *world) (p *play, first string) {
	w.Helper()
	w.user("ada")
	p = &play{world: w, c: w.confidential(balanced)}
	first = w.login(p.c, "ada").refresh()
	w.clock.Advance(24 * time.Hour)
	p.started = w.clock.Now()
	return p, first
}

// at moves the clock to that many seconds after the beginning.
func (p *play) at(seconds int) {
	p.clock.Advance(p.started.Add(time.Duration(seconds) * time.Second).Sub(p.clock.Now()))
}

// good presents the token at that time and returns the one that it is answered with.
func (p *play) good(seconds int, token string) string {
	p.Helper()
	p.at(seconds)
	a := p.refreshWith(p.c, token)
	if a.status != http.StatusOK {
		p.Fatalf("at %d s: an honest caller is answered %d %s", seconds, a.status, a.raw)
	}
	if !p.active(p.c, a.access()) {
		p.Errorf("at %d s: the new access token is not active", seconds)
	}
	return a.refresh()
}

// same is good, and the answer must be that token: nothing was exchanged.
func (p *play) same(seconds int, token, want string) {
	p.Helper()
	if got := p.good(seconds, token); got != want {
		p.Errorf("at %d s: another token than the one that the others hold", seconds)
	}
}

// fresh is good, and the answer must be a token that none of those is.
func (p *play) fresh(seconds int, token string, known ...string) string {
	p.Helper()
	got := p.good(seconds, token)
	for _, k := range append(known, token) {
		if got == k {
			p.Errorf("at %d s: nothing new was issued", seconds)
		}
	}
	return got
}

// reuse presents a token that must be dead, and with it the grant.
func (p *play) reuse(seconds int, token, newest string) {
	p.Helper()
	p.at(seconds)
	p.want(p.refreshWith(p.c, token), http.StatusBadRequest, "invalid_grant")
	p.want(p.refreshWith(p.c, newest), http.StatusBadRequest, "invalid_grant")
}

const day = 24 * 3600

func TestTheTenSchedulesOverHTTP(t *testing.T) {
	for name, timeline := range map[string]func(p *play, first string){
		"1 a fork is saved and used while another caller still holds the parent": func(p *play, first string) {
			lost := p.fresh(0, first)
			fork := p.fresh(31, first, lost)
			p.same(42, fork, fork)
			next := p.fresh(61, fork, lost)
			p.same(61, first, next)
		},
		"2 nine exchanges within W, then the first token": func(p *play, first string) {
			exchanging(p, first, 9)
		},
		"2 twenty exchanges within W, then the first token": func(p *play, first string) {
			exchanging(p, first, 20)
		},
		"3 every answer lost, ten tries 11 s apart": func(p *play, first string) { losing(p, first, 11) },
		"3 every answer lost, ten tries 31 s apart": func(p *play, first string) { losing(p, first, 31) },
		"4 lost, back after a weekend": func(p *play, first string) {
			p.fresh(0, first)
			two := p.fresh(3*day, first)
			lost := p.fresh(7*day, two)
			three := p.fresh(10*day, two, lost)
			four := p.fresh(11*day, three)
			p.reuse(11*day+3600, lost, four)
		},
		"5 a hung request arrives after its retry went on": func(p *play, first string) {
			two := p.fresh(5, first)
			three := p.fresh(7, two)
			p.same(20, first, three)
		},
		"6 a request is 15 s old and two generations behind": func(p *play, first string) {
			two := p.fresh(0, first)
			p.same(29, first, two)
			three := p.fresh(45, two)
			p.same(58, first, three)
		},
		"7 a late save puts the older token back": func(p *play, first string) {
			two := p.fresh(0, first)
			p.same(29, first, two)
			three := p.fresh(31, two)
			p.same(33, three, three)
			fork := p.fresh(7*day, two, three)
			p.fresh(7*day+100, fork, three)
		},
		"8 a fork is answered to B while A uses its sibling, and B saves last": func(p *play, first string) {
			two := p.fresh(0, first)
			p.same(1, first, two)
			p.same(29, first, two)
			fork := p.fresh(58, first, two)
			p.same(62, two, fork)
			p.fresh(10*day, fork, two)
		},
		"8 a fork's answer is lost and its sibling goes on": func(p *play, first string) {
			two := p.fresh(0, first)
			p.same(29, first, two)
			fork := p.fresh(58, first, two)
			p.reuse(10*day+100, fork, p.fresh(10*day, two, fork))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(w *world) {
				p, first := newPlay(w)
				timeline(p, first)
			})
		})
	}
}

// exchanging goes on once a second, and then a request with the first token arrives. D = 30 s, R = 0.
func exchanging(p *play, first string, exchanges int) {
	p.Helper()
	token := first
	for i := range exchanges {
		token = p.good(i, token)
	}
	p.same(30, first, token)
}

// losing loses every answer but the last.
func losing(p *play, first string, apart int) {
	p.Helper()
	var answer string
	for try := range 10 {
		answer = p.good(try*apart, first)
	}
	p.good(10*apart, answer)
}

// TestScheduleNineOverHTTP: the database is restored to an earlier time between two callers.
func TestScheduleNineOverHTTP(t *testing.T) {
	eachSite(t, func(t *testing.T, s site, c *clock) {
		store := s.open(t, c.Now)
		before, first := newPlay(newWorld(t, s.engine, store, c))
		two := before.fresh(0, first)
		before.must(store.Close())
		backup := s.copied(t)
		after := &play{newWorld(t, s.engine, s.open(t, c.Now), c), before.c, before.started}
		three := after.fresh(100, two)
		four := after.fresh(102, three)

		w := newWorld(t, s.engine, backup.open(t, c.Now), c)
		restored := &play{w, before.c, before.started}
		five := restored.fresh(104, four, two, three)
		restored.same(110, three, five)
		restored.same(114, two, five)
		events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "grant.adopted", Limit: 10})
		w.must(err)
		if len(events) == 0 {
			t.Error("the restored database says nothing about the tokens that were ahead of it")
		}
		newest := restored.fresh(1000, five)
		restored.reuse(2000, three, newest)
	})
}

// TestScheduleTenOverHTTP: the handle key rotates between presentation and retry, and one node has not heard of it yet.
func TestScheduleTenOverHTTP(t *testing.T) {
	eachSite(t, func(t *testing.T, s site, c *clock) {
		store := s.open(t, c.Now)
		twoHandleKeys(t, store)
		lag := func(d time.Duration) func(*provider.Config) {
			return func(config *provider.Config) { config.KeyLife.Lag = d }
		}
		p, first := newPlay(newWorld(t, s.engine, store, c, lag(1000*time.Hour))) // a day: the second key may be used since
		rotated := &play{newWorld(t, s.engine, s.open(t, c.Now), c, lag(time.Microsecond)), p.c, p.started}
		rotated.must(rotated.provider.Keys().Tend(t.Context()))
		mintedUnder := func(number uint16) {
			t.Helper()
			oneRow(p.world, func(g storage.Grant) {
				if g.KeyID != number {
					t.Errorf("the newest token is minted under handle key %d, want %d", g.KeyID, number)
				}
			})
		}
		two := p.fresh(0, first)
		mintedUnder(1)
		rotated.same(5, first, two)
		fork := rotated.fresh(31, first, two)
		mintedUnder(2)
		p.same(40, first, fork)
		p.same(41, two, fork)
		three := p.fresh(200, fork)
		mintedUnder(1)
		rotated.reuse(400, two, rotated.fresh(300, three))
	})
}

// twoHandleKeys gives the empty store a second handle key, which is pending.
func twoHandleKeys(t *testing.T, store storage.Store) {
	t.Helper()
	c := newClock()
	w := newWorld(t, "sqlite", newSite(t, "sqlite").open(t, c.Now), c)
	rows, _, err := w.store.ListKeys(t.Context())
	w.must(err)
	sealer, err := keys.ParseSecretKeys(madeKeys.text)
	w.must(err)
	root := make([]byte, 64)
	_, _ = rand.Read(root)
	sealed, err := sealer.Seal(root, "keys/handle/2")
	w.must(err)
	_, err = store.EstablishKeys(t.Context(), append(rows, storage.Key{
		ID: "handle-2", Use: storage.KeyHandle, Number: 2, State: storage.KeyPending, Sealed: sealed,
	}))
	w.must(err)
}
