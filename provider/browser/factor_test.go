package browser

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestAPersonWithAFactorIsSignedInByHalfAndThenWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	app, _ := w.enrol(t, ada)
	p := w.browser()
	half := p.mustSignIn(t, "ada")
	check(t, !half.Session.SignedIn() && AwaitsFactor(half.Session, w.time()) && half.HasFactor && half.Session.ACR == "" &&
		half.Session.ExpiresAt.Equal(w.time().Add(10*time.Minute)), "%+v", half)
	check(t, p.cookies[hostPrefix+cookieDevice] == "", "a browser is known by half a sign-in")
	check(t, len(w.events(t, ada)) == 0, "half a sign-in is in the audit log: %v", w.events(t, ada))
	stale := p.copy()
	passwordAt := w.time()
	w.pass(9 * time.Minute)
	whole, err := p.factor(t, otp(w.code(t, app)))
	must(t, err)
	s := whole.Session
	check(t, s.ID == half.Session.ID && s.SignedIn() && s.AuthTime.Equal(passwordAt) && s.FactorAt.Equal(w.time()) && s.ACR == oauth.ACRMFA &&
		slices.Equal(s.AMR, []string{"pwd", "otp", "mfa"}) && s.ExpiresAt.Equal(passwordAt.Add(30*24*time.Hour)), "%+v", s)
	check(t, len(stale.visit(t).Accounts) == 0, "the half session's secret still opens it")
	check(t, slices.Equal(w.events(t, ada), []string{"signin.succeeded"}), "the audit log has %v", w.events(t, ada))
}

func TestHalfASignInDiesAfterTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	app, _ := w.enrol(t, w.user(t, "ada"))
	p := w.browser()
	p.mustSignIn(t, "ada")
	late := p.visit(t)
	w.pass(10 * time.Minute)
	check(t, len(p.visit(t).Accounts) == 0, "it is still there")
	_, err := w.SecondFactor(t.Context(), late, "app", late.Accounts[0], otp(w.code(t, app)))
	want(t, err, ErrGone)
}

func TestAStepUpProvesTheFactorAndFreshensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	p := w.browser()
	before := p.mustSignIn(t, "ada").Session
	app, _ := w.enrol(t, ada)
	stale := p.copy()
	w.pass(time.Hour)
	a, err := p.factor(t, otp(w.code(t, app)))
	must(t, err)
	s := a.Session
	check(t, s.ID == before.ID && s.Digest != before.Digest && s.AuthTime.Equal(before.AuthTime) && s.FactorAt.Equal(w.time()) &&
		s.ACR == oauth.ACRMFA && s.ExpiresAt.Equal(before.ExpiresAt), "%+v became %+v", before, s)
	check(t, len(stale.visit(t).Accounts) == 0, "the secret before the step-up still opens the session")
}

func TestSigningInAgainByHalfTakesNothingAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	app, _ := w.enrol(t, w.user(t, "ada"))
	p := w.browser()
	p.mustSignIn(t, "ada")
	whole, err := p.factor(t, otp(w.code(t, app)))
	must(t, err)
	w.pass(time.Hour)
	half := p.mustSignIn(t, "ada").Session
	check(t, half.ID == whole.Session.ID && half.AuthTime.Equal(whole.Session.AuthTime) && half.ACR == oauth.ACRMFA &&
		half.PasswordAt.Equal(w.time()) && half.ExpiresAt.Equal(whole.Session.ExpiresAt) && AwaitsFactor(half, w.time()), "%+v", half)
	again := p.copy()
	_, err = p.factor(t, otp(w.code(t, app)))
	must(t, err)
	s := p.visit(t).Accounts[0].Session
	check(t, s.AuthTime.Equal(half.PasswordAt) && !AwaitsFactor(s, w.time()), "%+v", s)
	check(t, len(again.visit(t).Accounts) == 0, "the secret before still opens the session")

	p.mustSignIn(t, "ada") // and then waits too long
	w.pass(11 * time.Minute)
	a, err := p.factor(t, otp(w.code(t, app)))
	must(t, err)
	check(t, a.Session.AuthTime.Equal(s.AuthTime), "a password of eleven minutes ago was taken for fresh: %+v", a.Session)
}

func TestARecoveryCodeServesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	_, recovery := w.enrol(t, ada)
	p, q := w.browser(), w.browser()
	p.mustSignIn(t, "ada")
	q.mustSignIn(t, "ada")
	a, err := p.factor(t, recoveryCode(strings.ToLower(recovery[0])))
	must(t, err)
	check(t, a.Session.ACR == oauth.ACRMFA && slices.Equal(a.Session.AMR, []string{"pwd", "mfa"}), "%+v", a.Session)
	for _, proof := range []Proof{recoveryCode(recovery[0]), recoveryCode("no code"), {}, otp(recovery[1])} {
		_, err = q.factor(t, proof)
		want(t, err, account.ErrWrong)
	}
	_, err = q.factor(t, recoveryCode(recovery[1]))
	must(t, err)
	events := w.events(t, ada)
	check(t, slices.Equal(events, []string{
		"signin.succeeded", "signin.second_factor_failed", "signin.second_factor_failed", "signin.second_factor_failed",
		"signin.second_factor_failed", "signin.succeeded",
	}), "the audit log has %v", events)
}

// One code of one step, however it is written, at two nodes and in many browsers at once.
func TestAOneTimeCodeServesOnceWhereverItIsTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	app, _ := w.enrol(t, w.user(t, "ada"))
	code := w.code(t, app)
	written := []string{code, " " + code, code[:3] + " " + code[3:], code + " "}
	nodes := []*Browsers{w.Browsers, w.node(Config{})}
	var visits []*Visit
	for range written {
		p := w.browser()
		p.mustSignIn(t, "ada")
		visits = append(visits, p.visit(t))
	}
	var served atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, v := range visits {
		all.Go(func() {
			<-start
			_, err := nodes[i%2].SecondFactor(t.Context(), v, "app", v.Accounts[0], otp(written[i]))
			switch {
			case err == nil:
				served.Add(1)
			case !errors.Is(err, account.ErrWrong):
				t.Errorf("%q: %v", written[i], err)
			}
		})
	}
	close(start)
	all.Wait()
	check(t, served.Load() == 1, "the code served %d times", served.Load())
}

func TestSecondFactorsAreThrottledByThePersonAndNotWithThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	app, _ := w.enrol(t, w.user(t, "ada"))
	p := w.browser()
	p.mustSignIn(t, "ada")
	for range 5 {
		_, err := p.factor(t, otp("000000"))
		want(t, err, account.ErrWrong)
	}
	_, err := p.factor(t, otp(w.code(t, app)))
	refused := oauth.As(err)
	check(t, refused != nil && refused.Code == oauth.SlowDown && refused.RetryAfter > 0, "the sixth guess: %v", err)
	p.mustSignIn(t, "ada")
	w.pass(time.Minute)
	_, err = p.factor(t, otp(w.code(t, app)))
	must(t, err)
}

func TestASecondFactorIsForTheVisitsOwnAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	app, _ := w.enrol(t, ada)
	p := w.browser()
	foreign := p.mustSignIn(t, "ada")
	v := w.browser().visit(t)
	_, err := w.SecondFactor(t.Context(), v, "app", foreign, otp(w.code(t, app)))
	want(t, err, ErrGone)
	v = p.visit(t)
	_, err = w.store.EndSessions(t.Context(), storage.SessionsOf{UserID: ada.ID}, storage.ReasonUser, storage.Also{})
	must(t, err)
	_, err = w.SecondFactor(t.Context(), v, "app", v.Accounts[0], otp(w.code(t, app))) // ended between the two reads
	want(t, err, ErrGone)
}
