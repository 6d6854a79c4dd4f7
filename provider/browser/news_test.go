package browser

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
)

func TestASignInAtABrowserThatDoesNotKnowThePersonIsNewsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.reachable(t, "ada")
	w.user(t, "bob") // without an address
	news := func(what string, want int) {
		t.Helper()
		if got := w.letters(t); len(got) != want || want == 1 && got[0] != "new_device" {
			t.Errorf("%s: the letters are %v", what, got)
		}
	}
	p := w.browserOf(t, "ada")
	letters, err := w.store.ClaimLetters(t.Context(), 10, 0)
	must(t, err)
	check(t, len(letters) == 1 && letters[0].UserID == ada.ID && letters[0].Data["address"] == "192.0.2.1", "%+v", letters)
	w.pass(time.Second)
	news("a first browser", 1)
	p.mustSignIn(t, "ada")
	delete(p.cookies, hostPrefix+cookieSessions)
	p.mustSignIn(t, "ada")
	news("a known browser", 0)
	p.mustSignIn(t, "bob")
	news("who has no address", 0)
	_, err = w.browser().signIn(t, "ada", "wrong")
	want(t, err, account.ErrWrong)
	news("a wrong password", 0)
	app, _ := w.enrol(t, ada)
	w.letters(t)
	_, err = p.choose(t, ada)
	must(t, err)
	_, err = p.factor(t, otp(w.code(t, app)))
	must(t, err)
	news("a step-up", 0)
	q := w.browser()
	q.mustSignIn(t, "ada")
	news("half a sign-in", 0)
	w.pass(30 * time.Second)
	_, err = q.factor(t, otp(w.code(t, app)))
	must(t, err)
	news("the other half", 1)
}

func TestASignInWithTheSecondFactorStopsARecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.reachable(t, "ada")
	app, recovery := w.enrol(t, ada)
	pending := func() bool {
		t.Helper()
		_, _, found, err := w.people.Recovery(t.Context(), ada.ID)
		must(t, err)
		return found
	}
	begin := func() {
		t.Helper()
		person, err := w.people.Find(t.Context(), "ada")
		must(t, err)
		_, err = w.people.BeginRecovery(t.Context(), person, account.By{})
		must(t, err)
		check(t, pending(), "nothing has begun")
	}
	begin()
	p := w.browser()
	p.mustSignIn(t, "ada")
	_, err := p.factor(t, otp("000000"))
	want(t, err, account.ErrWrong)
	check(t, pending(), "half a sign-in stops it")
	_, err = p.factor(t, remembered(otp(w.code(t, app))))
	must(t, err)
	check(t, !pending(), "a sign-in with the factor does not stop it")
	begin()
	delete(p.cookies, hostPrefix+cookieSessions)
	p.mustSignIn(t, "ada")
	check(t, pending() && p.visit(t).Accounts[0].Session.SignedIn(), "a sign-in without the factor, at a remembered browser, stops it")
	_, err = p.factor(t, recoveryCode(recovery[0]))
	must(t, err)
	check(t, !pending(), "a step-up does not stop it")
}
