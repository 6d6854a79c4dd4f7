package browser

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

func TestAPersonSeesAndEndsTheirOwnSessionsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	here, there, further, foreign := w.browser(), w.browserOf(t, "ada"), w.browserOf(t, "ada"), w.browserOf(t, "bob")
	here.mustSignIn(t, "bob")
	a := here.mustSignIn(t, "ada")
	v := here.visit(t)
	listed := func() (all []storage.ID) {
		sessions, now, err := w.Sessions(t.Context(), a)
		must(t, err)
		check(t, now.Equal(w.time()), "the clock shows %v", now)
		for _, s := range sessions {
			all = append(all, s.ID)
		}
		return all
	}
	check(t, len(listed()) == 3, "%d sessions", len(listed()))

	bobs := foreign.visit(t).Accounts[0].Session.ID
	for name, id := range map[string]storage.ID{"another person's": bobs, "nobody's": newID(), "the one it is done in": a.Session.ID} {
		ended, err := w.EndElsewhere(t.Context(), v, a, id)
		must(t, err)
		check(t, !ended, "a session was ended: %s", name)
	}
	check(t, len(foreign.visit(t).Accounts) == 1 && len(listed()) == 3, "a session that is not theirs to end is gone")
	check(t, !slices.Contains(w.events(t, ada), "session.ended") && !slices.Contains(w.events(t, bob), "session.ended"), "nothing happened, and is in the log")

	ended, err := w.EndElsewhere(t.Context(), v, a, there.visit(t).Accounts[0].Session.ID)
	must(t, err)
	check(t, ended && len(there.visit(t).Accounts) == 0 && len(further.visit(t).Accounts) == 1, "one session is to end")
	must(t, w.EndOthers(t.Context(), v, a))
	check(t, len(further.visit(t).Accounts) == 0 && len(here.visit(t).Accounts) == 2 && len(foreign.visit(t).Accounts) == 1, "all others of ada are to end, and no more")
	check(t, slices.Equal(listed(), []storage.ID{a.Session.ID}), "left are %v", listed())
	events := w.events(t, ada)
	check(t, slices.Equal(events[len(events)-2:], []string{"session.ended", "sessions.ended"}), "%v", events)

	later := w.browserOf(t, "ada")
	w.pass(25 * time.Hour)
	check(t, len(listed()) == 0 && len(later.visit(t).Accounts) == 0, "a session that was idle too long is shown")
}

func TestAPersonForgetsTheirOwnBrowsersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	remembered := func(u storage.User, app string) (*client, Account) {
		p := w.browser()
		_, err := p.signIn(t, u.Username, good)
		must(t, err)
		a, err := p.factor(t, remembered(otp(w.code(t, app))))
		must(t, err)
		w.pass(30 * time.Second)
		return p, a
	}
	adas, _ := w.enrol(t, ada)
	bobs, _ := w.enrol(t, bob)
	p, a := remembered(ada, adas)
	_, b := remembered(bob, bobs)
	mine, err := w.Remembered(t.Context(), a, w.time())
	must(t, err)
	others, err := w.Remembered(t.Context(), b, w.time())
	must(t, err)
	check(t, len(mine) == 1 && len(others) == 1 && mine[0].Seen.Address == "192.0.2.1", "%v and %v", mine, others)

	must(t, w.Forget(t.Context(), p.visit(t), a, others[0].ID))
	must(t, w.Forget(t.Context(), p.visit(t), a, storage.ID{}))
	if left, _ := w.Remembered(t.Context(), b, w.time()); len(left) != 1 {
		t.Error("another person's browser was forgotten")
	}
	if left, _ := w.Remembered(t.Context(), a, w.time()); len(left) != 1 {
		t.Error("no ID stands for all")
	}
	must(t, w.Forget(t.Context(), p.visit(t), a, mine[0].ID))
	again, err := p.signIn(t, "ada", good)
	must(t, err)
	check(t, AwaitsFactor(again.Session, w.time()), "a browser that was forgotten is not asked for the second factor")
	check(t, slices.Contains(w.events(t, ada), "user.device_forgotten") && !slices.Contains(w.events(t, bob), "user.device_forgotten"), "%v", w.events(t, ada))

	if left, _ := w.Remembered(t.Context(), b, w.time().Add(31*24*time.Hour)); len(left) != 0 {
		t.Error("a browser is shown as remembered that is not any more")
	}
}

func TestASessionIsRenewedWithWhatItProvedAndUnderANewSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	w.user(t, "bob")
	p := w.browser()
	p.mustSignIn(t, "bob")
	a := p.mustSignIn(t, "ada")
	stale := p.copy()
	w.pass(time.Minute)
	v := p.visit(t)
	by := account.By{Actor: ada.ID.String()}
	must(t, w.people.ChangePassword(t.Context(), v.Accounts[0].User, secretOf("another horse battery"), by))
	renewed, err := w.Renew(t.Context(), v, v.Accounts[0], v.Accounts[0].User.Revision+1)
	must(t, err)
	p.take(v)
	got := p.visit(t)
	check(t, slices.Equal(names(got.Accounts), []string{"ada", "bob"}) && got.Accounts[0].Session.ID == renewed.Session.ID, "%v", names(got.Accounts))
	s := got.Accounts[0].Session
	check(t, s.ID != a.Session.ID && s.AuthTime.Equal(a.Session.AuthTime) && s.ACR == a.Session.ACR && !AwaitsFactor(s, w.time()), "%+v", s)
	check(t, slices.Equal(names(stale.visit(t).Accounts), []string{"bob"}), "the cookie from before still is %v", names(stale.visit(t).Accounts))

	// Somebody else changes the password in between: nothing is begun on the strength of the older one.
	v = p.visit(t)
	must(t, w.people.ChangePassword(t.Context(), v.Accounts[0].User, secretOf("a third horse battery"), by))
	must(t, w.people.SetPassword(t.Context(), ada.ID, secretOf("a fourth horse battery"), account.By{Actor: "cli"}))
	_, err = w.Renew(t.Context(), v, v.Accounts[0], v.Accounts[0].User.Revision+1)
	want(t, err, ErrGone)
	p.take(v)
	check(t, slices.Equal(names(p.visit(t).Accounts), []string{"bob"}), "signed in are %v", names(p.visit(t).Accounts))
}
