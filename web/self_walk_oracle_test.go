package web_test

import (
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// What stands in the way of each change, in the words of who promises it and not of the code that keeps it.
const (
	proofLife    = 10 * time.Minute    // how long a proof opens what changes proofs
	mailLife     = 30 * time.Minute    // of a link in a mail
	lostWait     = 72 * time.Hour      // until lost factors are removed
	deletionWait = 14 * 24 * time.Hour // until an account goes
	ripeLife     = 7 * 24 * time.Hour  // in which what is ripe can be done
)

// judged is the account, as the oracle knows it.
type judged struct {
	*world
	user     storage.User // as it was made
	password string
	steps    map[storage.ID]int64 // the last step of each authenticator that served
	codes    map[string]bool      // recovery codes that are good
	mails    []*mailed
	now      state
	owned    bool // somebody with the second factor came since the recovery began
}

// state is what the store has of the account.
type state struct {
	gone               bool
	hash, email        string
	verified           bool
	factors            map[storage.ID]string // seeds
	codes, passkeys    int
	recovery, deletion time.Time // when they were asked for; zero: nobody has
	rest               string
}

func (s state) hasFactor() bool { return len(s.factors) > 0 }

// look reads the account.
func (j *judged) look() state {
	j.Helper()
	found, err := j.store.FindUser(j.Context(), j.user.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return state{gone: true}
	}
	j.must(err)
	u := found.User
	s := state{hash: found.PasswordHash, email: u.Email, verified: u.EmailVerified, factors: map[storage.ID]string{}, codes: found.RecoveryCodes, passkeys: len(found.Passkeys)}
	for _, f := range found.Factors {
		s.factors[f.ID] = j.now.factors[f.ID]
		if s.factors[f.ID] == "" {
			s.factors[f.ID] = j.seedOf(f)
		}
	}
	recovery, deletion, _, err := j.provider.People().Pending(j.Context(), u.ID)
	j.must(err)
	if recovery != nil {
		s.recovery = recovery.CreatedAt
	}
	if deletion != nil {
		s.deletion = deletion.CreatedAt
	}
	s.rest = fmt.Sprint(u.Username, u.Admin, u.DisabledAt)
	return s
}

func (j *judged) seedOf(f storage.TOTP) string {
	j.Helper()
	sealer, err := j.sealer()
	j.must(err)
	seed, err := sealer.Open(f.Sealed, account.SeedRow(f))
	j.must(err)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
}

// deed is a request that may have changed something.
type deed struct {
	by     *actor // nil: the server itself
	path   string
	values url.Values
	done   string // what the page says then
}

// get opens an address in the tab.
func (x *selfWalk) get(a *actor, t *tab, address string, landed ...func()) {
	path, _, _ := strings.Cut(address, "?")
	x.remember(t)
	t.visit(address)
	for _, f := range landed {
		f()
	}
	x.saw(a, t, "opens "+path)
	x.judge(deed{by: a, path: "GET " + path})
}

func (x *selfWalk) remember(t *tab) {
	if t.page.url != nil {
		t.past = append(t.past, t.page)
	}
}

// send posts a form from the tab, and notes what was proven by it.
func (x *selfWalk) send(a *actor, t *tab, path string, values url.Values, how string) {
	before := t.cookies()["signet-sid"]
	right, spent := x.mine.right(values, x.clock.Now())
	x.remember(t)
	t.path, t.sent, a.jar.status = path, values, 0
	t.browser.send(path, values)
	x.saw(a, t, "sends "+path+" "+how)
	if x.lost {
		return
	}
	moved := t.cookies()["signet-sid"] != before && t.cookies()["signet-sid"] != "" && a.jar.status == http.StatusSeeOther
	if moved {
		x.alone(a)
	}
	switch {
	case moved && path == "/login":
		if values.Get("password") != x.mine.password {
			x.fatal("%s signs in with a wrong password", a.name)
		}
		x.did(a, "password")
		if !x.mine.now.hasFactor() || x.clock.Now().Sub(a.spared) < knownLife {
			x.did(a, "whole")
			x.tally["signed in"]++
		}
	case moved && path == "/mfa":
		if !right {
			x.fatal("%s gives a wrong second factor, and it is taken", a.name)
		}
		spent()
		x.did(a, "factor")
		if x.recent(a, "password", proofLife) {
			x.did(a, "whole")
		}
		x.mine.owned = true
		if values.Get("remember") == "yes" {
			a.spared = x.clock.Now()
			x.tally["remembered"]++
		}
		x.tally["second factor"]++
	}
	x.judge(deed{by: a, path: path, values: values, done: t.page.url.Query().Get("done")})
	x.entitled(a, t.page)
	if right && path == "/recover" && t.page.url.Path == "/login" {
		spent()
	}
}

// right says whether the form has a second factor that is right now, and how to note that it served.
func (j *judged) right(values url.Values, now time.Time) (bool, func()) {
	if otp := values.Get("otp"); otp != "" {
		for id, seed := range j.now.factors {
			for _, d := range []time.Duration{30 * time.Second, 0, -30 * time.Second} {
				code, err := account.OneTimeCode(seed, now.Add(d))
				j.must(err)
				if step := now.Add(d).Unix() / 30; code == otp && step > j.steps[id] {
					return true, func() { j.steps[id] = step }
				}
			}
		}
		return false, nil
	}
	code := values.Get("recovery_code")
	return j.codes[code], func() { delete(j.codes, code) }
}

// alone: the browser's session was renewed or ended, and who had the same cookies has nothing now.
func (x *selfWalk) alone(a *actor) {
	own, thief := x.people[0], x.people[5]
	if !x.shared || a != own && a != thief {
		return
	}
	x.shared = false
	if a == own {
		thief.proofs = nil
	} else {
		own.proofs = nil
	}
}

func (x *selfWalk) did(a *actor, kind string) {
	a.proofs = append(a.proofs, proof{kind: kind, at: x.clock.Now()})
	x.note("    %s: %s", a.name, kind)
}

// recent reports whether the actor's browser gave the proof within the time.
func (x *selfWalk) recent(a *actor, kind string, within time.Duration) bool {
	return a != nil && slices.ContainsFunc(a.proofs, func(p proof) bool { return p.kind == kind && x.clock.Now().Sub(p.at) <= within })
}

// kept are the recovery codes that the form says were written down, where that is taken: it may last longer than other things.
func (x *selfWalk) kept(d deed) []string {
	if d.by == nil || !x.recent(d.by, "whole", 31*24*time.Hour) {
		return nil
	}
	shown := d.by.shown[d.values.Get("kept_codes")]
	if x.clock.Now().Sub(shown.at) > mailLife {
		return nil
	}
	return shown.codes
}

// proven: the person was proven wholly, and lately.
func (x *selfWalk) proven(a *actor) bool {
	return x.recent(a, "whole", 31*24*time.Hour) && x.recent(a, "password", proofLife) && (!x.mine.now.hasFactor() || x.recent(a, "factor", proofLife))
}

// saw notes what the tab shows now, and holds it to what was proven.
func (x *selfWalk) saw(a *actor, t *tab, did string) {
	p := t.page
	x.note("%s %s: %d %s %q %v", a.name, did, p.status, p.url.Path, p.h1, p.left)
	if x.lost = p.status == http.StatusServiceUnavailable; x.lost {
		return
	}
	if p.status >= http.StatusInternalServerError {
		x.fatal("%s %s: %d", a.name, did, p.status)
	}
	if p.status == http.StatusGone {
		x.tally["refused link"]++
	}
	if p.h1 == signedOut {
		x.alone(a)
		a.proofs = nil
	}
	for _, code := range p.codes() {
		a.codes = append(slices.Clip(a.codes), code)
	}
	for _, f := range p.forms {
		if sealed := f.fields.Get("kept_codes"); sealed != "" {
			a.shown[sealed] = papers{p.codes(), x.clock.Now()}
			if p.url.Path != "/mfa/enrol" && !x.proven(a) {
				x.fatal("%s is shown recovery codes", a.name)
			}
		}
	}
	if strings.HasPrefix(did, "sends") {
		return // what it did is judged first
	}
	x.entitled(a, p)
}

// entitled holds what is shown to what was proven.
func (x *selfWalk) entitled(a *actor, p page) {
	opened := p.status == http.StatusOK && strings.HasPrefix(p.url.Path, "/account")
	whole := x.recent(a, "whole", 31*24*time.Hour)
	switch {
	case p.left != nil && p.left.Query().Get("code") != "":
		if x.tally["code"]++; !whole {
			x.fatal("%s is sent to the app with a code", a.name)
		}
	case opened && !whole:
		x.fatal("%s is shown %s", a.name, p.url.Path)
	case opened && p.url.Path != "/account" && !x.proven(a):
		x.fatal("%s is shown %s without having been proven lately", a.name, p.url.Path)
	}
}
