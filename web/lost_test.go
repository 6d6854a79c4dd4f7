package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// Who has lost a second factor waits for days, and is told of by mail and everywhere; who has it stops that by signing in.

const lostHeading = "Lost your second factor"

func threeDays(c *provider.Config) { c.FactorRecovery = 72 * time.Hour }

// atFactor begins a sign-in that waits for its second factor.
func (w *world) atFactor(c app, username string) *browser {
	w.Helper()
	b := w.browser()
	b.visit(authorize(c, "prompt", "login"))
	if b.signIn(username); !b.page.asks("otp") {
		w.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
	}
	return b
}

// lose opens the page that the page of the second factor leads to.
func (b *browser) lose() page {
	b.Helper()
	tx := b.page.tx()
	if !b.page.says("/mfa/lost?tx=") {
		b.Fatalf("no way leads to it from\n%s", b.page.raw)
	}
	return b.visit("/mfa/lost?tx=" + url.QueryEscape(tx))
}

func TestALostSecondFactorIsRemovedAfterThreeDaysAndTheRequestGoesOn(t *testing.T) {
	test := func(w *world) {
		u := w.user("ada")
		w.enrol(u)
		c := w.relying()
		b := w.atFactor(c, "ada")
		if p := b.lose(); p.h1 != lostHeading || !p.offers("begin", "") || p.offers("finish", "") || !p.says("2026-11-25") {
			w.Fatalf("%d %q\n%s", p.status, p.h1, p.raw)
		}
		finish := func(b *browser) page {
			_, values := b.fields()
			return b.send("/mfa/lost", edited(values, "begin", "", "finish", "yes"))
		}
		if p := finish(b); p.h1 != lostHeading || len(w.record(u).Factors) != 1 {
			w.Errorf("finished before it began: %d %q", p.status, p.h1)
		}
		if p := b.submit("begin", ""); p.h1 != lostHeading || p.offers("begin", "") || p.offers("finish", "") || !p.says("Removal of your second factors was asked for") {
			w.Fatalf("%d %q\n%s", p.status, p.h1, p.raw)
		}
		if !strings.Contains(w.kinds(u), "user.recovery_begun") {
			w.Errorf("the log has %s", w.kinds(u))
		}
		w.clock.Advance(71 * time.Hour)
		b = w.atFactor(c, "ada")
		if p := b.lose(); p.offers("finish", "") || p.offers("begin", "") {
			w.Errorf("an hour too early: %s", p.raw)
		}
		w.clock.Advance(time.Hour)
		b = w.atFactor(c, "ada")
		if p := b.lose(); !p.offers("finish", "") {
			w.Fatalf("after three days: %s", p.raw)
		}
		if b.submit("finish", ""); !b.page.offers("decision", "allow") || len(w.record(u).Factors) != 0 || w.record(u).RecoveryCodes != 0 {
			w.Fatalf("finished: %d %q", b.page.status, b.page.h1)
		}
		b.submit("decision", "allow")
		w.wantStrength("recovered", c, w.exchange(c, b.page.left.Query().Get("code")), acrPassword, "pwd")
	}
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			test(newWorld(t, engine, engines[engine](t, c.Now), c, threeDays))
		})
	}
}

func TestWhoMustHaveASecondFactorEnrolsAnewAfterARecovery(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		old, _ := w.enrol(u)
		c := w.relying()
		w.atFactor(c, "ada").recover()
		b := w.atFactor(c, "ada")
		b.lose()
		b.submit("finish", "")
		secret, _ := b.goThrough("New phone")
		b.submit("decision", "allow")
		w.wantStrength("enrolled anew", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")
		b = w.atFactor(c, "ada")
		if p := b.submit("otp", b.code(old)); p.status != http.StatusUnprocessableEntity {
			w.Errorf("the lost one serves: %d %q", p.status, p.h1)
		}
		if b.submit("otp", b.code(secret)); b.page.left == nil {
			w.Errorf("the new one does not serve: %d %q", b.page.status, b.page.h1)
		}
	}, threeDays, everybody)
}

// recover begins a recovery and lets the wait pass.
func (b *browser) recover() {
	b.Helper()
	b.lose()
	b.submit("begin", "")
	b.clock.Advance(72 * time.Hour)
}

func TestASignInWithTheFactorStopsARecoveryForGood(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		secret, _ := w.enrol(u)
		c := w.relying()
		owner := w.browser()
		owner.through(c, "ada", secret)
		thief := w.atFactor(c, "ada")
		thief.lose()
		_, values := thief.fields("begin", "")
		thief.submit("begin", "")
		w.clock.Advance(time.Hour)
		if owner.through(c, "ada", secret, "prompt", "login").Get("code") == "" {
			w.Fatal("the owner is not signed in")
		}
		w.clock.Advance(72 * time.Hour)
		thief = w.atFactor(c, "ada")
		if p := thief.lose(); p.offers("finish", "") || !p.offers("begin", "") {
			w.Errorf("it goes on: %s", p.raw)
		}
		_, fresh := thief.fields("begin", "")
		for _, v := range []url.Values{values, fresh} {
			thief.send("/mfa/lost", edited(v, "begin", "", "finish", "yes"))
			if len(w.record(u).Factors) != 1 {
				w.Fatal("the factor is gone")
			}
		}
		if kinds := w.kinds(u); !strings.Contains(kinds, "user.recovery_withdrawn") || strings.Contains(kinds, "user.recovery_finished") {
			w.Errorf("the log has %s", kinds)
		}
	}, threeDays)
}

// TestTheFactorAtTheTokenEndpointStopsARecovery: not everybody's applications lead to our pages.
func TestTheFactorAtTheTokenEndpointStopsARecovery(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		secret, recovery := w.enrol(u)
		app := w.confidential()
		half := func() string {
			a := w.token(app, "grant_type", "password", "username", "ada", "password", password)
			w.want(a, http.StatusBadRequest, "mfa_required")
			return a.text("mfa_token")
		}
		for how, prove := range map[string]func() answer{
			"a code at once": func() answer {
				return w.token(app, "grant_type", "password", "username", "ada", "password", password, "otp", w.code(secret))
			},
			"a code": func() answer {
				return w.token(app, "grant_type", mfaGrant, "mfa_token", half(), "otp", w.code(secret))
			},
			"a recovery code": func() answer {
				return w.token(app, "grant_type", mfaGrant, "mfa_token", half(), "recovery_code", recovery[0])
			},
		} {
			w.clock.Advance(time.Hour)
			thief := w.atFactor(w.relying(), "ada")
			thief.lose()
			lost := "/mfa/lost?tx=" + url.QueryEscape(thief.submit("begin", "").tx())
			half()
			if thief.visit(lost).offers("begin", "") {
				w.Errorf("before %s: half a sign-in stops it", how)
			}
			w.want(prove(), http.StatusOK, "")
			if !thief.visit(lost).offers("begin", "") {
				w.Errorf("%s: it goes on", how)
			}
		}
	}, threeDays)
}

// TestNothingIsDoneAboutALostFactorWithoutThePassword, nor on the word of one that was proven long ago.
func TestNothingIsDoneAboutALostFactorWithoutThePassword(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		secret, _ := w.enrol(u)
		c := w.relying()
		untouched := func(what string) {
			w.Helper()
			if kinds := w.kinds(u); strings.Contains(kinds, "recovery_") || len(w.record(u).Factors) != 1 {
				w.Errorf("%s: the log has %s", what, kinds)
			}
		}
		nobody := w.browser()
		nobody.visit(authorize(c))
		tx := url.QueryEscape(nobody.page.tx())
		if p := nobody.visit("/mfa/lost?tx=" + tx); !p.asks("password") {
			w.Errorf("nobody is shown %d %q", p.status, p.h1)
		}
		if p := nobody.visit("/mfa/lost"); p.status != http.StatusBadRequest {
			w.Errorf("without a request: %d %q", p.status, p.h1)
		}
		half := w.atFactor(c, "ada")
		half.lose()
		_, values := half.fields("begin", "")
		if p := half.send("/mfa/lost", edited(values, "form_token", "sft_x")); p.status != http.StatusForbidden {
			w.Errorf("without its token: %d %q", p.status, p.h1)
		}
		if p := nobody.send("/mfa/lost", values); p.status != http.StatusForbidden {
			w.Errorf("from another browser: %d %q", p.status, p.h1)
		}
		untouched("forms of others")
		w.clock.Advance(10 * time.Minute)
		if p := half.send("/mfa/lost", values); p.h1 == lostHeading {
			w.Errorf("too late: %d %q", p.status, p.h1)
		}
		untouched("too late")

		// A session that is whole, and is asked for its factor once more: its password is old.
		remembered := w.browser()
		remembered.visit(authorize(c))
		remembered.signIn("ada")
		remembered.submit("otp", remembered.code(secret), "remember", "yes")
		w.clock.Advance(31 * time.Second)
		remembered.visit(authorize(c, "prompt", "login"))
		remembered.signIn("ada")
		w.clock.Advance(10 * time.Minute)
		remembered.visit(authorize(c, "claims", demandMFA))
		if p := remembered.lose(); !p.asks("password") {
			w.Errorf("an old password: %d %q", p.status, p.h1)
		}
		_, again := remembered.fields("password", "")
		if p := remembered.send("/mfa/lost", edited(again, "begin", "yes")); p.h1 == lostHeading {
			w.Errorf("an old password: %d %q", p.status, p.h1)
		}
		untouched("an old password")
		if remembered.visit("/login?tx=" + url.QueryEscape(again.Get("tx"))); !remembered.page.asks("password") {
			w.Fatalf("%q", remembered.page.h1)
		}
		remembered.signIn("ada")
		if p := remembered.lose(); p.h1 != lostHeading || !p.offers("begin", "") {
			w.Errorf("proven anew: %d %q", p.status, p.h1)
		}
	}, threeDays)
}

func TestWithoutRecoveryThePageSaysWhomToAsk(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		w.enrol(u)
		c := w.relying()
		b := w.atFactor(c, "ada")
		if p := b.lose(); p.h1 != lostHeading || p.offers("begin", "") || !p.says("people who run this server") {
			w.Errorf("%d %q\n%s", p.status, p.h1, p.raw)
		}
		if kinds := w.kinds(u); strings.Contains(kinds, "recovery_begun") {
			w.Errorf("the log has %s", kinds)
		}
	})
}

func TestWhoHasNoAddressCannotBeWarnedAndIsOfferedNoRecovery(t *testing.T) {
	solo(t, func(w *world) {
		u, err := w.provider.People().Create(w.Context(), storage.User{Username: "bare"}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
		w.must(err)
		w.enrol(u)
		if p := w.atFactor(w.relying(), "bare").lose(); p.offers("begin", "") {
			w.Errorf("%d %q", p.status, p.h1)
		}
	}, threeDays)
}
