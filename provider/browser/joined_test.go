package browser

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// reachable is a user with an address.
func (w *world) reachable(t *testing.T, name string) storage.User {
	t.Helper()
	u, err := w.people.Create(t.Context(), storage.User{Username: name, Email: name + "@example.com"}, secretOf(good), account.By{Actor: "cli"})
	must(t, err)
	return u
}

// letters are the kinds of the letters that wait, in no order, and takes them away.
func (w *world) letters(t *testing.T) (kinds []string) {
	t.Helper()
	claimed, err := w.store.ClaimLetters(t.Context(), 100, time.Minute)
	must(t, err)
	for _, l := range claimed {
		kinds = append(kinds, l.Kind)
		must(t, w.store.FinishLetter(t.Context(), l.ID, l.Attempt))
	}
	slices.Sort(kinds)
	return kinds
}

// revision is the user's now.
func (w *world) revision(t *testing.T, u storage.User) int64 {
	t.Helper()
	found, err := w.store.FindUser(t.Context(), u.ID)
	must(t, err)
	return found.User.Revision
}

func TestWhoHasJustJoinedIsSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	eve := w.reachable(t, "eve")
	p := w.browserOf(t, "eve")
	w.letters(t)
	ada := w.reachable(t, "ada")
	v := p.visit(t)
	a, err := p.b.Joined(t.Context(), v, "app", ada)
	must(t, err)
	p.take(v)
	now := w.time().UTC()
	check(t, a.Session.SignedIn() && a.Session.AuthTime.Equal(now) && a.Session.PasswordAt.Equal(now) && a.Session.ACR == oauth.ACRPassword &&
		slices.Equal(a.Session.AMR, []string{"pwd"}) && !a.HasFactor, "%+v", a)
	check(t, slices.Equal(names(p.visit(t).Accounts), []string{"ada", "eve"}), "at the browser are %v", names(p.visit(t).Accounts))
	check(t, len(w.letters(t)) == 0 && slices.Equal(w.events(t, ada), []string{"signin.succeeded"}), "the log has %v", w.events(t, ada))
	delete(p.cookies, hostPrefix+cookieSessions)
	p.mustSignIn(t, "ada")
	check(t, len(w.letters(t)) == 0, "the browser of who joined at it is news")

	gone := w.reachable(t, "gone")
	must(t, w.people.Disable(t.Context(), gone.ID, account.By{Actor: "cli"}))
	for what, u := range map[string]storage.User{
		"disabled since": gone, "changed since": {ID: eve.ID, Revision: eve.Revision + 1}, "nobody": {ID: storage.ID{1}, Revision: 1},
	} {
		_, err := p.b.Joined(t.Context(), p.visit(t), "app", u)
		check(t, err == ErrGone, "%s: %v", what, err)
	}
}

func TestAPolicyLetsWhoHasJustJoinedEnrolFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{SecondFactor: account.SecondFactorAll})
	ada := w.reachable(t, "ada")
	p := w.browser()
	v := p.visit(t)
	a, err := p.b.Joined(t.Context(), v, "app", ada)
	must(t, err)
	p.take(v)
	check(t, !a.Session.SignedIn() && AwaitsEnrolment(a, w.time()) && len(w.events(t, ada)) == 0, "%+v, log %v", a, w.events(t, ada))
	w.enrol(t, ada)
	w.letters(t)
	v = p.visit(t)
	a, err = p.b.Enrolled(t.Context(), v, "app", a, w.revision(t, ada), oauth.AMROTP)
	must(t, err)
	check(t, a.Session.SignedIn() && len(w.letters(t)) == 0, "%+v", a)
}

func TestAFirstFactorMakesWholeTheSignInThatAwaitedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{SecondFactor: account.SecondFactorAll})
	ada := w.reachable(t, "ada")
	p := w.browser()
	half := p.mustSignIn(t, "ada")
	passwordAt := w.time()
	stale := p.copy()
	w.pass(25 * time.Minute)
	app, _ := w.enrol(t, ada)
	w.letters(t)
	v := p.visit(t)
	a, err := p.b.Enrolled(t.Context(), v, "app", half, w.revision(t, ada), oauth.AMROTP)
	must(t, err)
	p.take(v)
	s := a.Session
	check(t, s.ID == half.Session.ID && s.Digest != half.Session.Digest && s.AuthTime.Equal(passwordAt) && s.FactorAt.Equal(w.time()) && a.HasFactor &&
		s.ACR == oauth.ACRMFA && slices.Equal(s.AMR, []string{"pwd", "otp", "mfa"}) && s.ExpiresAt.Equal(passwordAt.Add(30*24*time.Hour)), "%+v", s)
	check(t, len(stale.visit(t).Accounts) == 0, "the half session's secret still opens it")
	check(t, slices.Equal(w.events(t, ada), []string{"signin.succeeded"}), "the log has %v", w.events(t, ada))
	check(t, slices.Equal(w.letters(t), []string{"new_device"}), "an unknown browser is no news")
	delete(p.cookies, hostPrefix+cookieSessions)
	half = p.mustSignIn(t, "ada")
	check(t, AwaitsFactor(half.Session, w.time()) && !AwaitsEnrolment(half, w.time()), "%+v", half)
	_, err = p.factor(t, otp(w.code(t, app)))
	must(t, err)
	check(t, len(w.letters(t)) == 0, "a known browser is news")
}

func TestAFirstFactorMakesAWholeSignInStrongerAndNoFresher(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	p := w.browser()
	before := p.mustSignIn(t, "ada")
	w.pass(time.Hour)
	w.enrol(t, ada)
	v := p.visit(t)
	a, err := p.b.Enrolled(t.Context(), v, "app", before, w.revision(t, ada), oauth.AMROTP)
	must(t, err)
	s := a.Session
	check(t, s.ID == before.Session.ID && s.AuthTime.Equal(before.Session.AuthTime) && s.FactorAt.Equal(w.time()) && s.ACR == oauth.ACRMFA &&
		s.ExpiresAt.Equal(before.Session.ExpiresAt), "%+v became %+v", before.Session, s)
}

func TestAnEnrolmentThatIsNotTheSessionsOwnSignsNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{SecondFactor: account.SecondFactorAll})
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	p := w.browser()
	half := p.mustSignIn(t, "ada")
	gone := func(what string, v *Visit, a Account, revision int64) {
		t.Helper()
		got, err := p.b.Enrolled(t.Context(), v, "app", a, revision, oauth.AMROTP)
		check(t, err == ErrGone, "%s: %v %+v", what, err, got.Session)
	}
	gone("without a factor", p.visit(t), half, w.revision(t, ada))
	w.enrol(t, ada)
	gone("at an earlier revision", p.visit(t), half, ada.Revision)
	gone("at another browser", w.browser().visit(t), half, w.revision(t, ada))
	q := w.browser()
	foreign := q.mustSignIn(t, "bob")
	gone("with another's session", p.visit(t), foreign, w.revision(t, bob))
	late := p.visit(t)
	w.pass(30 * time.Minute)
	gone("too late", late, half, w.revision(t, ada))
	check(t, len(p.visit(t).Accounts) == 0 && len(w.events(t, ada)) == 0, "somebody is signed in: %v", w.events(t, ada))
}

func TestWrongFirstCodesCountAsWrongSecondFactors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	p := w.browserOf(t, "ada")
	v := p.visit(t)
	by := account.By{Actor: "cli"}
	app, _, err := w.people.EnrollTOTP(t.Context(), ada.ID, "", by)
	must(t, err)
	waiting, _, err := w.store.FindEnrollment(t.Context(), ada.ID)
	must(t, err)
	for range 20 { // right ones do not count
		_, codes, err := p.b.ProveEnrolment(t.Context(), v, v.Accounts[0], waiting.ID, w.code(t, app))
		must(t, err)
		check(t, len(codes) == 10, "%d recovery codes", len(codes))
	}
	_, _, err = p.b.ProveEnrolment(t.Context(), v, v.Accounts[0], storage.ID{1}, w.code(t, app))
	want(t, err, account.ErrNoEnrollment)
	for range 5 {
		_, _, err = p.b.ProveEnrolment(t.Context(), v, v.Accounts[0], waiting.ID, "000000")
		want(t, err, account.ErrWrong)
	}
	_, _, err = p.b.ProveEnrolment(t.Context(), v, v.Accounts[0], waiting.ID, w.code(t, app))
	check(t, slowed(err), "the sixth: %v", err)
}

func TestWhoIsRidOfLostFactorsIsSignedInByThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{SecondFactor: account.SecondFactorAdmins})
	by := account.By{Actor: "cli"}
	for name, admin := range map[string]bool{"ada": false, "root": true} {
		u, err := w.people.Create(t.Context(), storage.User{Username: name, Admin: admin}, secretOf(good), by)
		must(t, err)
		w.enrol(t, u)
		p := w.browser()
		half := p.mustSignIn(t, name)
		passwordAt := w.time()
		_, err = p.b.Recovered(t.Context(), p.visit(t), "app", half, w.revision(t, u))
		check(t, err == ErrGone, "%s, with the factor still there: %v", name, err)
		w.pass(time.Minute)
		_, err = w.people.RemoveFactors(t.Context(), u.ID, by)
		must(t, err)
		_, err = p.b.Recovered(t.Context(), p.visit(t), "app", half, w.revision(t, u)-1)
		check(t, err == ErrGone, "%s, at an earlier revision: %v", name, err)
		_, err = w.browser().b.Recovered(t.Context(), w.browser().visit(t), "app", half, w.revision(t, u))
		check(t, err == ErrGone, "%s, at another browser: %v", name, err)
		v := p.visit(t)
		a, err := p.b.Recovered(t.Context(), v, "app", half, w.revision(t, u))
		must(t, err)
		p.take(v)
		check(t, a.Session.SignedIn() != admin && AwaitsEnrolment(a, w.time()) == admin && !a.HasFactor, "%s: %+v", name, a)
		if !admin {
			check(t, a.Session.AuthTime.Equal(passwordAt) && a.Session.ACR == oauth.ACRPassword, "%s: %+v", name, a.Session)
		}
		late := w.browser()
		w.enrol(t, u)
		half = late.mustSignIn(t, name)
		v = late.visit(t)
		w.pass(10 * time.Minute)
		_, err = w.people.RemoveFactors(t.Context(), u.ID, by)
		must(t, err)
		_, err = late.b.Recovered(t.Context(), v, "app", half, w.revision(t, u))
		check(t, err == ErrGone, "%s, too late: %v", name, err)
	}
}
