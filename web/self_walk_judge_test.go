package web_test

import (
	"maps"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

func (j *judged) sealer() (*keys.Sealer, error) { return keys.ParseSecretKeys(madeKeys.text) }

// judge holds every change of the account to what was proven for it.
func (x *selfWalk) judge(d deed) {
	if x.lost {
		return
	}
	x.Helper()
	was, is := x.mine.now, x.mine.look()
	if is.gone {
		if since := x.clock.Now().Sub(was.deletion); d.by != nil || was.deletion.IsZero() || since < deletionWait {
			x.fatal("the account is gone")
		}
		x.tally["erased"]++
		x.mine.now = is
		return
	}
	if was.rest != is.rest || is.passkeys != was.passkeys {
		x.fatal("what nobody may change is %+v", is)
	}
	if was.hash != is.hash {
		x.passwordChanged(d, is)
	}
	if was.email != is.email || was.verified != is.verified {
		x.emailChanged(d, is)
	}
	if !maps.Equal(was.factors, is.factors) {
		x.factorsChanged(d, is)
	}
	if was.codes != is.codes || d.done == "codes" {
		x.codesChanged(d, is)
	}
	if !was.recovery.Equal(is.recovery) {
		x.recoveryChanged(d, is)
	}
	if x.mine.owned && !is.recovery.IsZero() {
		x.fatal("a recovery outlives a sign-in with the factor")
	}
	if !was.deletion.Equal(is.deletion) {
		x.deletionChanged(d, is)
	}
	x.mine.now = is
}

// opened is the link that the form was shown for in this very browser, as long as it is good; nil where it is not.
func (x *selfWalk) opened(d deed, kind string) *mailed {
	if d.by == nil {
		return nil
	}
	m := d.by.passes[d.values.Get("pass")]
	if m == nil || m.dead || m.kind != kind || x.clock.Now().Sub(m.at) >= mailLife {
		return nil
	}
	return m
}

// over: all links that were sent are good for nothing now.
func (x *selfWalk) over() {
	for _, m := range x.mine.mails {
		m.dead = true
	}
}

// signedOutBut is what ends all sessions, but one that is begun anew.
func (x *selfWalk) signedOutBut(a *actor) {
	for _, other := range x.people {
		if other != a {
			other.proofs = nil
		}
	}
}

// unsparing: no browser is spared the second factor any more.
func (x *selfWalk) unsparing() {
	for _, a := range x.people {
		a.spared = time.Time{}
	}
}

func (x *selfWalk) passwordChanged(d deed, is state) {
	kept := d.by
	switch {
	case d.path == "/account/password" && x.proven(d.by):
		x.tally["password"]++
	case d.path == "/recover":
		m := x.opened(d, "reset")
		if m == nil || m.to != x.mine.now.email {
			x.fatal("%s chose a password without a link that is good", d.by.name)
		}
		if x.tally["reset"]++; x.mine.now.hasFactor() {
			if right, _ := x.mine.right(d.values, x.clock.Now()); !right {
				x.fatal("%s chose a password without the second factor", d.by.name)
			}
			x.tally["reset with a factor"]++
		}
		kept = nil
	default:
		x.fatal("the password is another after %s", d.path)
	}
	if d.values.Get("password") == "" || d.values.Get("password") != d.values.Get("again") {
		x.fatal("the password is none that was chosen")
	}
	x.letters()
	x.over()
	x.unsparing()
	x.signedOutBut(kept)
	x.mine.password = d.values.Get("password")
	if !is.recovery.IsZero() {
		x.fatal("a recovery outlives the password that began it")
	}
}

func (x *selfWalk) emailChanged(d deed, is state) {
	m := x.opened(d, "email_verify")
	if d.path != "/account/email" || m == nil || m.to != is.email || !is.verified || !x.proven(d.by) {
		x.fatal("the address is %s after %s", is.email, d.path)
	}
	x.letters()
	x.over()
	x.tally["email"]++
}

// factorsChanged: one comes by its own code, in the session of who was proven lately; they go one by one the same way, or all at once
// when a recovery is ripe.
func (x *selfWalk) factorsChanged(d deed, is state) {
	was := x.mine.now
	x.unsparing()
	var added, removed []storage.ID
	for id := range is.factors {
		if _, old := was.factors[id]; !old {
			added = append(added, id)
		}
	}
	for id := range was.factors {
		if _, there := is.factors[id]; !there {
			removed = append(removed, id)
		}
	}
	switch {
	case d.by == nil:
		x.fatal("the factors have changed by themselves")
	case len(added) == 1 && len(removed) == 0:
		x.factorAdded(d, is.factors[added[0]], added[0])
	case len(removed) == 1 && len(added) == 0 && d.path == "/account/factors" && d.values.Get("remove") == removed[0].String() && x.proven(d.by):
		x.tally["removed"]++
	case len(added) == 0 && len(is.factors) == 0 && d.path == "/mfa/lost" && d.values.Has("finish"):
		since := x.clock.Now().Sub(was.recovery)
		if was.recovery.IsZero() || since < lostWait || since > lostWait+ripeLife || x.mine.owned || !x.recent(d.by, "password", proofLife) {
			x.fatal("the factors are gone, %s after somebody asked, owned %v", since, x.mine.owned)
		}
		x.did(d.by, "whole")
		x.tally["recovery finished"]++
	default:
		x.fatal("%d factors more and %d fewer after %s", len(added), len(removed), d.path)
	}
}

func (x *selfWalk) factorAdded(d deed, seed string, id storage.ID) {
	kept := x.kept(d)
	switch {
	case d.path == "/account/factors" && kept != nil, d.path == "/account/factors/new" && x.proven(d.by):
		x.tally["added"]++
	case d.path == "/mfa/enrol" && !x.mine.now.hasFactor() && x.recent(d.by, "password", mailLife):
		x.did(d.by, "factor")
		x.did(d.by, "whole")
		x.tally["added on demand"]++
	default:
		x.fatal("a factor was added after %s", d.path)
	}
	seen := slices.ContainsFunc(x.people, func(a *actor) bool { return slices.Contains(a.seeds, seed) })
	if x.mine.now.codes == 0 && kept == nil || !seen {
		x.fatal("a factor was added that %s has not seen", d.by.name)
	}
	x.mine.steps[id] = x.confirmedStep(id)
}

// confirmedStep is the step that the store says was burned by the code that confirmed it.
func (x *selfWalk) confirmedStep(id storage.ID) int64 {
	for _, f := range x.record(x.mine.user).Factors {
		if f.ID == id {
			return f.LastStep
		}
	}
	return 0
}

// codesChanged: one goes with the proof that it was, all with the last factor; new ones come when they were seen.
func (x *selfWalk) codesChanged(d deed, is state) {
	was, kept := x.mine.now, x.kept(d)
	switch {
	case d.by == nil:
		x.fatal("there are %d recovery codes", is.codes)
	case is.codes == 0 && len(is.factors) == 0:
		clear(x.mine.codes)
	case is.codes == was.codes-1 && d.values.Get("recovery_code") != "" && (d.path == "/mfa" || d.path == "/recover"):
		if is.codes != len(x.mine.codes) && d.path == "/mfa" {
			x.fatal("%d recovery codes are left, want %d", is.codes, len(x.mine.codes))
		}
	case is.codes == 10 && len(kept) == 10 && (d.path == "/account/factors" || d.path == "/mfa/enrol" && len(is.factors) > len(was.factors)):
		clear(x.mine.codes)
		for _, code := range kept {
			x.mine.codes[code] = true
		}
		x.tally["codes"]++
	default:
		x.fatal("there are %d recovery codes after %s, and were %d", is.codes, d.path, was.codes)
	}
}

func (x *selfWalk) recoveryChanged(d deed, is state) {
	was := x.mine.now
	if !is.recovery.IsZero() {
		if d.by == nil || d.path != "/mfa/lost" || !d.values.Has("begin") || !x.recent(d.by, "password", proofLife) || !was.hasFactor() {
			x.fatal("a recovery has begun after %s", d.path)
		}
		x.mine.owned = false
		x.tally["recovery begun"]++
		return
	}
	whole := x.recent(d.by, "whole", 31*24*time.Hour)
	switch {
	case was.hash != is.hash, d.path == "/mfa/lost" && len(is.factors) == 0, d.path == "/mfa/enrol" && is.hasFactor():
	case d.path == "/mfa" && x.mine.owned:
		x.tally["recovery outrun"]++
	case x.clock.Now().Sub(was.recovery) >= lostWait+ripeLife:
	case d.path == "/account" && d.values.Get("withdraw") == "recovery" && whole:
		x.tally["recovery stopped"]++
	default:
		x.fatal("the recovery has ended after %s", d.path)
	}
}

func (x *selfWalk) deletionChanged(d deed, is state) {
	was := x.mine.now
	switch {
	case !is.deletion.IsZero() && d.path == "/account/delete" && d.values.Get("sure") == "yes" && x.proven(d.by):
		x.tally["deletion asked"]++
	case is.deletion.IsZero() && x.clock.Now().Sub(was.deletion) >= deletionWait+ripeLife:
	case is.deletion.IsZero() && d.path == "/account" && d.values.Get("withdraw") == "deletion" && x.recent(d.by, "whole", 31*24*time.Hour):
		x.tally["deletion stopped"]++
	default:
		x.fatal("the deletion was asked for at %s after %s", is.deletion, d.path)
	}
}
