package browser

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestASignInIsASessionWithItsProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	p := w.browser()
	a := p.mustSignIn(t, "ADA")
	now := w.time().UTC()
	s := a.Session
	check(t, s.SignedIn() && s.AuthTime.Equal(now) && s.PasswordAt.Equal(now) && s.FactorAt.IsZero() && s.ChosenAt.IsZero() &&
		s.ACR == oauth.ACRPassword && slices.Equal(s.AMR, []string{"pwd"}) && s.ExpiresAt.Equal(now.Add(30*24*time.Hour)) &&
		s.UserID == ada.ID && a.User.Username == "ada" && !a.HasFactor && s.Seen.Address == "192.0.2.1", "%+v", a)
	v := p.visit(t)
	check(t, len(v.Accounts) == 1 && v.Accounts[0].Session.ID == s.ID && v.Accounts[0].Session.Revision == s.Revision &&
		v.Accounts[0].Session.Digest == s.Digest && v.Now.Equal(now), "it is found again as %+v", v.Accounts)
	check(t, slices.Equal(w.events(t, ada), []string{"signin.succeeded"}), "the audit log has %v", w.events(t, ada))
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "signin.succeeded", Limit: 1})
	must(t, err)
	e := events[0]
	check(t, e.Actor == ada.ID.String() && e.ClientID == "app" && e.Detail["acr"] == oauth.ACRPassword && e.Seen.Address == "192.0.2.1", "%+v", e)
}

// A secret that was known before the sign-in, or was put into the browser by somebody, is worth nothing after it.
func TestNoSessionCookieSurvivesASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	w.user(t, "eve")
	for name, planted := range map[string]func(p *client){
		"a value of the attacker's choice": func(p *client) { p.cookies[hostPrefix+cookieSessions] = strings.Repeat("A", 43) },
		"the attacker's own session":       func(p *client) { p.cookies = w.browserOf(t, "eve").cookies },
		"a session of ada's, stolen":       func(p *client) { p.cookies = w.browserOf(t, "ada").cookies },
	} {
		thief := w.browser()
		planted(thief)
		victim := thief.copy()
		before := names(thief.visit(t).Accounts)
		a := victim.mustSignIn(t, "ada")
		check(t, victim.session() != thief.session() && victim.visit(t).Accounts[0].Session.ID == a.Session.ID, "%s: it stays", name)
		after := thief.visit(t).Accounts
		check(t, !slices.Contains(names(after), "ada"), "%s: after the sign-in the thief is %v, before %v", name, names(after), before)
	}
}

func (w *world) browserOf(t *testing.T, name string) *client {
	t.Helper()
	p := w.browser()
	p.mustSignIn(t, name)
	return p
}

func TestSigningInAgainKeepsTheSessionAndMovesAuthTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	p := w.browser()
	first := p.mustSignIn(t, "ada")
	stale := p.copy()
	w.pass(time.Hour)
	second := p.mustSignIn(t, "ada")
	check(t, second.Session.ID == first.Session.ID && second.Session.Digest != first.Session.Digest &&
		second.Session.AuthTime.Equal(first.Session.AuthTime.Add(time.Hour)) &&
		second.Session.ExpiresAt.Equal(first.Session.ExpiresAt), "%+v became %+v", first.Session, second.Session)
	check(t, len(stale.visit(t).Accounts) == 0, "the secret before it still opens the session")

	delete(p.cookies, hostPrefix+cookieSessions) // a browser that lost its cookies begins anew, and meets nobody else's session
	third := p.mustSignIn(t, "ada")
	check(t, third.Session.ID != first.Session.ID, "a sign-in without a cookie took up a session")
}

func TestEveryWrongSignInHasOneAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada, gone := w.user(t, "ada"), w.user(t, "gone")
	by := account.By{Actor: "cli"}
	must(t, w.people.Disable(t.Context(), gone.ID, by))
	_, err := w.people.Create(t.Context(), storage.User{Username: "bare"}, storage.Secret{}, by)
	must(t, err)
	for login, password := range map[string]string{"ada": "wrong", "nobody": good, "gone": good, "bare": good, "": "", "\x00": good} {
		p := w.browser()
		a, err := p.signIn(t, login, password)
		check(t, errors.Is(err, account.ErrWrong) && err.Error() == account.ErrWrong.Error() && a.Session.ID.IsZero(), "%q: %v", login, err)
		check(t, len(p.cookies) == 0, "%q sets cookies: %v", login, p.cookies)
	}
	check(t, slices.Equal(w.events(t, ada), []string{"signin.failed"}), "the audit log has %v", w.events(t, ada))
}

func TestWhoMustHaveASecondFactorIsSignedInByHalfUntilItIsEnrolled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{SecondFactor: account.SecondFactorAll})
	ada := w.user(t, "ada")
	p := w.browser()
	half := p.mustSignIn(t, "ada")
	check(t, !half.Session.SignedIn() && !half.HasFactor && AwaitsEnrolment(half, w.time()) && half.Session.ACR == "" &&
		half.Session.ExpiresAt.Equal(w.time().Add(30*time.Minute)), "%+v", half)
	check(t, p.cookies[hostPrefix+cookieDevice] == "" && len(w.events(t, ada)) == 0, "half a sign-in is told of, or known")
	w.enrol(t, w.user(t, "bob"))
	bob := p.mustSignIn(t, "bob")
	check(t, AwaitsFactor(bob.Session, w.time()) && !AwaitsEnrolment(bob, w.time()), "who has a second factor is not asked for it")
	_, err := p.signIn(t, "ada", "wrong")
	want(t, err, account.ErrWrong)
	w.pass(30 * time.Minute)
	check(t, len(p.visit(t).Accounts) == 0, "half a sign-in lives for longer than 30 minutes")
}

func TestASecondPersonJoinsAndTheSixthPushesTheOldestOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	p := w.browser()
	for i := range 6 {
		name := fmt.Sprint("user", i)
		w.user(t, name)
		p.mustSignIn(t, name)
	}
	v := p.visit(t)
	check(t, slices.Equal(names(v.Accounts), []string{"user5", "user4", "user3", "user2", "user1"}), "the accounts are %v", names(v.Accounts))
	p.mustSignIn(t, "user2")
	v = p.visit(t)
	check(t, slices.Equal(names(v.Accounts), []string{"user2", "user5", "user4", "user3", "user1"}), "the accounts are %v", names(v.Accounts))
}

// Tabs that sign in at once: each either is in the session that the browser holds or has begun one of its own, and none fails.
func TestTabsThatSignInAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	p := w.browser()
	p.mustSignIn(t, "ada")
	tabs := make([]*client, 4)
	visits := make([]*Visit, len(tabs))
	for i := range tabs {
		tabs[i] = p.copy()
		visits[i] = tabs[i].visit(t)
	}
	var all sync.WaitGroup
	for _, v := range visits {
		all.Go(func() {
			if _, err := w.SignIn(t.Context(), v, "", "ada", secretOf(good)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, tab := range tabs {
		tab.take(visits[i])
	}
	check(t, slices.ContainsFunc(tabs, func(tab *client) bool { return len(tab.visit(t).Accounts) == 1 }), "nobody is signed in")
}

func TestAPasswordChangeEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	p := w.browserOf(t, "ada")
	must(t, w.people.SetPassword(t.Context(), ada.ID, secretOf("another horse battery"), account.By{Actor: "cli"}))
	check(t, len(p.visit(t).Accounts) == 0, "the session lives on")
}
