package browser

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

func TestChoosingMakesAnAccountTheCurrentOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	w.user(t, "bob")
	p := w.browser()
	first := p.mustSignIn(t, "ada").Session
	bob := p.mustSignIn(t, "bob")
	w.pass(time.Hour)
	a, err := p.choose(t, ada)
	must(t, err)
	check(t, a.Session.ID == first.ID && a.Session.ChosenAt.Equal(w.time()) && a.Session.AuthTime.Equal(first.AuthTime), "%+v", a.Session)
	v := p.visit(t)
	check(t, slices.Equal(names(v.Accounts), []string{"ada", "bob"}) && v.Accounts[0].Session.ChosenAt.Equal(w.time()), "%v", names(v.Accounts))
	_, err = p.choose(t, ada) // again, at the revision that the first one left
	must(t, err)

	_, err = w.Choose(t.Context(), w.browser().visit(t), bob.Session.ID)
	want(t, err, ErrGone)
	v = p.visit(t)
	_, err = w.store.EndSessions(t.Context(), storage.SessionsOf{ID: bob.Session.ID}, storage.ReasonUser, storage.Also{})
	must(t, err)
	_, err = w.Choose(t.Context(), v, bob.Session.ID)
	want(t, err, ErrGone)
}

func TestSigningOutEndsTheSessionsThatWereNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	p := w.browser()
	a, b := p.mustSignIn(t, "ada"), p.mustSignIn(t, "bob")
	elsewhere := w.browserOf(t, "ada")
	stale := p.copy()
	foreign := elsewhere.visit(t).Accounts[0].Session.ID

	v := p.visit(t)
	ended, err := w.SignOut(t.Context(), v, []storage.ID{a.Session.ID, foreign, {1}}, storage.ReasonLogout, ada.ID.String())
	must(t, err)
	p.take(v)
	check(t, len(ended) == 1 && ended[0].Session.ID == a.Session.ID, "%d sessions ended", len(ended))
	check(t, slices.Equal(names(p.visit(t).Accounts), []string{"bob"}) && slices.Equal(names(stale.visit(t).Accounts), []string{"bob"}),
		"signed in are %v", names(p.visit(t).Accounts))
	check(t, len(elsewhere.visit(t).Accounts) == 1, "another browser was signed out")
	check(t, slices.Contains(w.events(t, ada), "session.ended") && !slices.Contains(w.events(t, bob), "session.ended"), "%v", w.events(t, ada))

	v = p.visit(t)
	_, err = w.SignOut(t.Context(), v, []storage.ID{b.Session.ID}, storage.ReasonLogout, bob.ID.String())
	must(t, err)
	p.take(v)
	_, there := p.cookies[hostPrefix+cookieSessions]
	check(t, !there && len(stale.visit(t).Accounts) == 0, "the last one's cookie stays")
}

func TestASessionEndsWhenItIsIdleAndWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	idle, busy := w.browserOf(t, "ada"), w.browserOf(t, "ada")
	for range 29 {
		w.pass(24 * time.Hour)
		check(t, len(busy.visit(t).Accounts) == 1, "a session in use has ended after %v", w.time())
	}
	check(t, len(idle.visit(t).Accounts) == 0, "a session that was idle for 29 days is there")
	w.pass(24*time.Hour - time.Second)
	check(t, len(busy.visit(t).Accounts) == 1, "a session in use has ended before its time")
	w.pass(time.Second)
	check(t, len(busy.visit(t).Accounts) == 0, "a session has outlived its 30 days")

	p := w.browserOf(t, "ada")
	w.pass(24*time.Hour + time.Second)
	check(t, len(p.visit(t).Accounts) == 0, "a session that was idle for a day is there")
}

func TestShorterLimitsAreForSessionsThatAreThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	p := w.browserOf(t, "ada")
	w.pass(2 * time.Hour)
	for name, c := range map[string]Config{"idle": {SessionIdle: time.Hour}, "lifetime": {SessionLifetime: time.Hour}} {
		short := p.copy()
		short.b = w.node(c)
		check(t, len(short.visit(t).Accounts) == 0, "a session of two hours ago outlives a %s of one", name)
	}
	check(t, len(p.visit(t).Accounts) == 1, "the limits of before end it")
}

func TestAUseIsNotedEveryFiveMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	p := w.browserOf(t, "ada")
	noted := func() storage.Session {
		sessions, _, err := w.store.ListSessions(t.Context(), ada.ID)
		must(t, err)
		return sessions[0]
	}
	began := noted()
	w.pass(5 * time.Minute)
	p.visit(t)
	check(t, noted().UsedAt.Equal(began.UsedAt), "every visit writes")
	w.pass(time.Second)
	p.address = "198.51.100.7"
	p.visit(t)
	s := noted()
	check(t, s.UsedAt.Equal(w.time()) && s.Seen.Address == "198.51.100.7" && s.Revision == began.Revision, "%+v", s)
}

func TestADisabledPersonIsSignedInNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	for name, disable := range map[string]func(u storage.User) error{
		"as people do it": func(u storage.User) error { return w.people.Disable(t.Context(), u.ID, account.By{Actor: "cli"}) },
		"without ending the sessions": func(u storage.User) error {
			u.DisabledAt = w.time()
			return w.store.UpdateUser(t.Context(), u, "", storage.Also{})
		},
	} {
		u := w.user(t, strings.Fields(name)[0])
		p := w.browserOf(t, u.Username)
		must(t, disable(u))
		check(t, len(p.visit(t).Accounts) == 0, "disabled %s, the session lives on", name)
	}
}
