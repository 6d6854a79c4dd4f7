package web_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// schedules is how many random schedules are played on each engine: about forty steps each, every third a request.
var schedules = flag.Int("schedules", 60, "how many random schedules are played over HTTP on each engine")

const (
	grace     = 30 * time.Second
	fullScope = "openid api:read api:write"
)

// tabs are one person's windows on one grant. They share a store of tokens in which the last save wins. A request arrives at
// most delay after its token was read, or is lost; an answer is saved at most settle after it was given, or is lost; delay +
// settle ≤ W. Under that premise docs/grants.md promises that none of them is ever logged out.
type tabs struct {
	*world
	c             app
	choose        func(n int) int
	rotation      storage.Rotation
	delay, settle time.Duration

	kept         string
	asks, brings []onTheWay
	issued       []string // every refresh token that was answered
	access       string   // the newest access token
	began, asked time.Time
	trace        []string
}

// onTheWay is the token of a request, or of an answer, until it is lost.
type onTheWay struct {
	token string
	until time.Time
}

func TestRandomSchedulesOverHTTP(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		clients := map[storage.Rotation]app{
			storage.Balanced: w.confidential(balanced), storage.Static: w.confidential(static), storage.Strict: w.confidential(strict),
		}
		for seed := range *schedules {
			rng := rand.New(rand.NewPCG(uint64(seed), 64))
			rotation := []storage.Rotation{storage.Balanced, storage.Balanced, storage.Static, storage.Strict}[seed%4]
			x := &tabs{world: w, c: clients[rotation], rotation: rotation, choose: rng.IntN, began: w.clock.Now(), asked: w.clock.Now()}
			x.note("seed %d, %s", seed, rotation)
			x.delay = []time.Duration{0, grace / 3, grace / 2, 2 * grace / 3, grace - time.Second}[x.choose(5)]
			x.settle = grace - time.Second - x.delay
			first := w.login(x.c, "ada", "scope", fullScope)
			x.kept, x.access = first.refresh(), first.access()
			x.issued = append(x.issued, x.kept)
			x.honest(20 + x.choose(40))
			x.end()
		}
	})
}

// honest plays steps of honest callers. Where nothing is forgiven there is one of them, and nothing is lost.
func (x *tabs) honest(steps int) {
	for range steps {
		switch roll := x.choose(12); {
		case x.rotation == storage.Strict:
			x.pass()
			x.kept = x.ask(x.kept)
		case roll < 3:
			x.asks = append(x.asks, onTheWay{x.kept, x.clock.Now().Add(x.delay)})
			x.note("read %s", x.name(x.kept))
		case roll < 7 && len(x.asks) > 0:
			answer := x.ask(x.take(&x.asks))
			if x.choose(3) > 0 {
				x.brings = append(x.brings, onTheWay{answer, x.clock.Now().Add(x.settle)})
			}
		case roll < 9 && len(x.brings) > 0:
			x.kept = x.take(&x.brings)
			x.note("save %s", x.name(x.kept))
		default:
			x.pass()
		}
	}
}

// ask presents an honest caller's token, now and then with a narrower scope, or with one that was never granted.
func (x *tabs) ask(token string) string {
	x.Helper()
	scope := fullScope
	var extra []string
	switch x.choose(8) {
	case 0:
		scope = "api:read"
		extra = []string{"scope", scope}
	case 1:
		x.want(x.refreshWith(x.c, token, "scope", fullScope+" api:admin"), http.StatusBadRequest, "invalid_scope")
	case 2:
		x.want(x.refreshWith(x.c, token, "scope", fullScope+" email"), http.StatusBadRequest, "invalid_scope") // the client's, not the grant's
	}
	a := x.refreshWith(x.c, token, extra...)
	x.note("present %s: %d", x.name(token), a.status)
	if a.status != http.StatusOK {
		x.failed("NoFalseLogout: an honest caller is answered %d %s", a.status, a.raw)
	}
	if a.text("scope") != scope {
		x.failed("NoWidening: the answer's scope is %q, want %q", a.text("scope"), scope)
	}
	if got := a.refresh(); !strings.HasPrefix(got, "srt_") || len(got) != len(x.issued[0]) {
		x.failed("the answer has no refresh token: %s", a.raw)
	}
	if !slices.Contains(x.issued, a.refresh()) {
		x.issued = append(x.issued, a.refresh())
	}
	x.access, x.asked = a.access(), x.clock.Now()
	return a.refresh()
}

// pass lets time go by: to the last moment of something on its way, near a boundary of the rule, or a weekend.
func (x *tabs) pass() {
	d := []time.Duration{
		0, time.Second, time.Second, grace / 2, grace - time.Second, grace, grace + 1, 2*grace - 1, 2 * grace, 2*grace + 1, 60 * time.Hour,
	}[x.choose(11)]
	if flights := append(slices.Clone(x.asks), x.brings...); len(flights) > 0 && x.choose(2) == 0 {
		d = max(0, flights[x.choose(len(flights))].until.Sub(x.clock.Now()))
	}
	if x.clock.Now().Add(d).Sub(x.asked) > 20*24*time.Hour {
		return // within the idle lifetime
	}
	x.clock.Advance(d)
	x.note("wait %v", d)
	late := func(f onTheWay) bool { return f.until.Before(x.clock.Now()) }
	x.asks, x.brings = slices.DeleteFunc(x.asks, late), slices.DeleteFunc(x.brings, late)
}

func (x *tabs) take(from *[]onTheWay) string {
	i := x.choose(len(*from))
	token := (*from)[i].token
	*from = slices.Delete(*from, i, i+1)
	return token
}

// end ends the grant, by a thief or by a revocation, and looks whether all that was ever issued for it is dead.
func (x *tabs) end() {
	x.Helper()
	if thief := x.choose(3) > 0; thief && x.rotation != storage.Static {
		x.thief()
	} else {
		x.note("revoke")
		x.want(x.post("/oauth2/revoke", x.c, form("token", x.issued[x.choose(len(x.issued))])), http.StatusOK, "")
	}
	if x.active(x.c, x.access) {
		x.failed("RevokedIsFinal: an access token is active")
	}
	for range min(4, len(x.issued)) {
		token := x.issued[x.choose(len(x.issued))]
		if x.active(x.c, token) || x.refreshWith(x.c, token).text("error") != "invalid_grant" {
			x.failed("RevokedIsFinal: %s lives", x.name(token))
		}
	}
}

// thief holds a copy of any token there ever was; it and the honest holder take turns outside 2W and get their answers.
func (x *tabs) thief() {
	x.Helper()
	hands := [2]string{x.kept, x.issued[x.choose(len(x.issued))]}
	turns, at := 5, x.choose(2)
	if x.rotation == storage.Strict {
		turns = 2
	}
	for range turns {
		x.clock.Advance([]time.Duration{2 * grace, 2*grace + 1, time.Hour}[x.choose(3)])
		a := x.refreshWith(x.c, hands[at])
		x.note("holder %d presents %s: %d", at, x.name(hands[at]), a.status)
		if a.text("error") == "invalid_grant" {
			return
		}
		x.want(a, http.StatusOK, "")
		x.issued, x.access = append(x.issued, a.refresh()), a.access()
		hands[at], at = a.refresh(), 1-at
	}
	x.failed("ThiefDies: %d turns, and the grant lives", turns)
}

// name tells a token by its place among those issued.
func (x *tabs) name(token string) string { return fmt.Sprintf("#%d", slices.Index(x.issued, token)+1) }

func (x *tabs) note(format string, args ...any) {
	x.trace = append(x.trace, fmt.Sprintf("%14v  ", x.clock.Now().Sub(x.began))+fmt.Sprintf(format, args...))
}

func (x *tabs) failed(format string, args ...any) {
	x.Helper()
	x.Fatalf("%s\nD = %v, R = %v\n%s", fmt.Sprintf(format, args...), x.delay, x.settle, strings.Join(x.trace, "\n"))
}

// TestTwoThousandRefreshesLeaveOneRow: the database grows with live grants, not with tokens.
func TestTwoThousandRefreshesLeaveOneRow(t *testing.T) {
	each(t, func(w *world) {
		c := w.public(balanced, opaque)
		w.user("ada")
		token := w.login(c, "ada").refresh()
		for range 2000 {
			a := w.present(c, token)
			w.want(a, http.StatusOK, "")
			token = a.refresh()
			w.clock.Advance(5 * time.Second)
		}
		oneRow(w, func(g storage.Grant) {
			if len(g.Retired) > storage.MaxRetired || g.State != storage.Active {
				w.Errorf("the row is %s and remembers %d retirements", g.State, len(g.Retired))
			}
		})
		w.want(w.present(c, token), http.StatusOK, "")
	})
}
