package web_test

import (
	"net/http"
	"testing"
	"time"
)

// steps are what a clock may do to itself: an operator's hand, a summer time, a virtual machine that wakes up.
var steps = map[string]time.Duration{"an hour on": time.Hour, "an hour back": -time.Hour, "ten minutes on": 10 * time.Minute, "ten minutes back": -10 * time.Minute}

// TestAStepOfTheClockSendsNobodyAwayAndRevivesNothing: whoever holds a token keeps its grant over a step; what was revoked,
// replayed or spent before it stays so after it; and after another step, back to the right time, all that is still true.
func TestAStepOfTheClockSendsNobodyAwayAndRevivesNothing(t *testing.T) {
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				balancedApp, strictApp := w.confidential(balanced), w.confidential(strict)
				w.user("ada")
				secret, _ := w.enrol(w.user("grace"))
				one, other := w.login(balancedApp, "ada"), w.login(strictApp, "ada")
				revoked, replayed := w.login(balancedApp, "ada"), w.login(strictApp, "ada")
				w.want(w.post("/oauth2/revoke", balancedApp, form("token", revoked.refresh())), http.StatusOK, "")
				newest := w.refreshWith(strictApp, replayed.refresh())
				w.want(newest, http.StatusOK, "")
				w.want(w.refreshWith(strictApp, replayed.refresh()), http.StatusBadRequest, "invalid_grant")
				code := w.code(secret)
				w.want(w.token(strictApp, "grant_type", "password", "username", "grace", "password", password, "otp", code), http.StatusOK, "")

				for _, d := range []time.Duration{step, -step} {
					w.clock.Advance(d)
					w.want(w.refreshWith(balancedApp, revoked.refresh()), http.StatusBadRequest, "invalid_grant")
					w.want(w.refreshWith(strictApp, newest.refresh()), http.StatusBadRequest, "invalid_grant")
					if again := w.token(strictApp, "grant_type", "password", "username", "grace", "password", password, "otp", code); again.status == http.StatusOK {
						w.Errorf("a code served twice, the second time after a step of %v", d)
					}
					one, other = w.refreshWith(balancedApp, one.refresh()), w.refreshWith(strictApp, other.refresh())
					w.want(one, http.StatusOK, "")
					w.want(other, http.StatusOK, "")
					if !w.active(balancedApp, one.access()) || w.active(balancedApp, revoked.access()) {
						w.Errorf("after a step of %v: new access token %v, revoked %v", d, w.active(balancedApp, one.access()), w.active(balancedApp, revoked.access()))
					}
					w.login(balancedApp, "ada") // and nobody is locked out
				}
			})
		})
	}
}

// TestNodesWhoseClocksDifferAreOneSignet: the store's clock decides about grants, so that ten minutes or an hour between the clocks
// of two nodes send nobody away and let nothing serve twice.
func TestNodesWhoseClocksDifferAreOneSignet(t *testing.T) {
	for name, skew := range steps {
		t.Run(name, func(t *testing.T) {
			eachSite(t, func(t *testing.T, s site, c *clock) {
				wrong := &clock{now: c.Now().Add(skew)}
				nodes := [2]*world{newWorld(t, s.engine, s.open(t, c.Now), c), newWorld(t, s.engine, s.open(t, c.Now), wrong)}
				balancedApp, strictApp := nodes[0].confidential(balanced), nodes[0].confidential(strict)
				nodes[0].user("ada")
				kept, replayed := nodes[1].login(balancedApp, "ada"), nodes[0].login(strictApp, "ada")
				for i := range 6 {
					w, there := nodes[i%2], nodes[(i+1)%2]
					next := w.refreshWith(balancedApp, kept.refresh())
					w.want(next, http.StatusOK, "")
					if again := there.refreshWith(balancedApp, kept.refresh()); again.refresh() != next.refresh() {
						t.Fatalf("a retry at the other node: %d %s", again.status, again.raw)
					}
					if !there.active(balancedApp, next.access()) {
						t.Error("the other node calls a fresh access token inactive")
					}
					kept = next
					c.Advance(time.Minute)
				}
				second := nodes[1].refreshWith(strictApp, replayed.refresh())
				nodes[1].want(second, http.StatusOK, "")
				nodes[0].want(nodes[0].refreshWith(strictApp, replayed.refresh()), http.StatusBadRequest, "invalid_grant")
				nodes[1].want(nodes[1].refreshWith(strictApp, second.refresh()), http.StatusBadRequest, "invalid_grant")
			})
		})
	}
}
