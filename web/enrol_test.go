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

// Who must have a second factor and has none is led to one, and what they came for waits.

func everybody(c *provider.Config) { c.SecondFactor = account.SecondFactorAll }

func demanding(m *storage.ClientMetadata) { m.RequireSecondFactor = true }

const enrolling = "Set up a second factor"

// edited are values with those of pairs instead, "" for none.
func edited(values url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		values = changed(values, pairs[i], pairs[i+1])
	}
	return values
}

// goThrough enrols, from the page that asks for it on, and returns the seed and the recovery codes.
func (b *browser) goThrough(name string) (secret string, recovery []string) {
	b.Helper()
	if b.page.h1 != enrolling {
		b.Fatalf("%s shows %d %q\n%s", b.page.url, b.page.status, b.page.h1, b.page.raw)
	}
	b.submit("name", name)
	secret = b.seed()
	b.submit("otp", b.code(secret))
	recovery = b.page.codes()
	if len(recovery) != 10 || b.page.h1 != "Recovery codes" {
		b.Fatalf("%d %q with %d codes\n%s", b.page.status, b.page.h1, len(recovery), b.page.raw)
	}
	b.submit("kept", "yes")
	b.clock.Advance(31e9)
	return secret, recovery
}

func TestWhoMustHaveASecondFactorIsLedToOneAndBackIntoTheRequest(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		c, b := w.relying(demanding), w.browser()
		b.visit(authorize(c))
		b.signIn("ada")
		if !b.page.says("Relying Party wants a second factor") || b.page.url.Path != "/mfa/enrol" {
			w.Fatalf("%s %q\n%s", b.page.url, b.page.h1, b.page.raw)
		}
		secret, recovery := b.goThrough("Phone")
		if !b.page.offers("decision", "allow") { // its consent comes after
			w.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
		}
		b.submit("decision", "allow")
		w.wantStrength("enrolled", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")
		r := w.record(u)
		if len(r.Factors) != 1 || r.Factors[0].Name != "Phone" || r.RecoveryCodes != 10 {
			w.Errorf("kept are %+v and %d codes", r.Factors, r.RecoveryCodes)
		}
		other := w.browser()
		other.visit(authorize(c))
		if other.signIn("ada"); !other.page.asks("otp") {
			w.Fatalf("another browser is shown %q", other.page.h1)
		}
		if other.submit("recovery_code", recovery[3]); other.page.left == nil {
			w.Errorf("a code that was shown does not serve: %q", other.page.h1)
		}
		third := w.browser()
		if third.through(c, "ada", secret).Get("code") == "" {
			w.Error("the authenticator that was confirmed does not serve")
		}
	})
}

// TestASignInThatWaitsForAnEnrolmentOpensNothing: by half it is known who it is, and nothing is told or done in their name.
func TestASignInThatWaitsForAnEnrolmentOpensNothing(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		c, tv := w.relying(), w.television()
		a := w.device(tv, "scope", "openid")
		b := w.browser()
		b.visit(authorize(c))
		b.signIn("ada")
		tx := b.page.tx()
		for path := range accountPages {
			if p := b.visit(path); p.h1 != enrolling || p.says("ada@example.com") {
				w.Errorf("%s: %d %q", path, p.status, p.h1)
			}
			if p := b.send(path, url.Values{"form_token": {"sft_x"}, "name": {"x"}}); p.h1 != enrolling && p.status != http.StatusMethodNotAllowed {
				w.Errorf("POST %s: %d %q", path, p.status, p.h1)
			}
		}
		for _, address := range []string{
			"/consent?tx=" + url.QueryEscape(tx), "/mfa?tx=" + url.QueryEscape(tx), "/mfa/lost?tx=" + url.QueryEscape(tx), "/oauth2/authorize?tx=" + url.QueryEscape(tx),
			authorize(c), "/device?user_code=" + a.text("user_code"),
		} {
			if p := b.visit(address); p.h1 != enrolling || p.left != nil {
				w.Errorf("%s: %d %q %v", address, p.status, p.h1, p.left)
			}
		}
		if code := b.none(c); code != "login_required" {
			w.Errorf("prompt=none says %q", code)
		}
		w.want(w.token(c, "grant_type", "password", "username", "ada", "password", password), http.StatusBadRequest, "unauthorized_client")
		if strings.Contains(w.kinds(u), "signin.succeeded") || strings.Contains(w.kinds(u), "consent") || strings.Contains(w.kinds(u), "device.") {
			w.Errorf("the log has %s", w.kinds(u))
		}
		if p := b.visit("/oauth2/logout"); p.status != http.StatusOK {
			w.Errorf("to sign out: %d %q", p.status, p.h1)
		}
	}, everybody)
}

func TestAnEnrolmentIsItsSessionsOwnAndItsCodesMustBeKept(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		c := w.relying()
		b, thief := w.browser(), w.browser()
		for _, each := range []*browser{b, thief} {
			each.visit(authorize(c))
			each.signIn("ada")
		}
		thief.submit("name", "Mine")
		known := thief.seed()
		theirs := thief.page.url.Query().Get("enrolment")
		_, own := b.fields("name", "")

		// An enrolment of another session, of nobody, and of a name that is too long.
		for what, values := range map[string]url.Values{
			"another session's":           edited(own, "enrolment", theirs, "otp", b.code(known)),
			"nobody's":                    edited(own, "enrolment", "stx_x", "otp", b.code(known)),
			"codes that nobody was shown": edited(own, "kept_codes", "stx_x", "kept", "yes"),
		} {
			if p := b.send("/mfa/enrol", values); p.h1 != enrolling || !p.asks("name") {
				w.Errorf("%s: %d %q", what, p.status, p.h1)
			}
		}
		if p := b.send("/mfa/enrol", edited(own, "name", strings.Repeat("x", 65))); p.status != http.StatusUnprocessableEntity || !p.asks("name") {
			w.Errorf("a long name: %d %q", p.status, p.h1)
		}
		if p := b.send("/mfa/enrol", edited(own, "form_token", "sft_x")); p.status != http.StatusForbidden {
			w.Errorf("without its token: %d %q", p.status, p.h1)
		}
		b.visit(authorize(c))
		b.submit("name", "Phone") // in place of the thief's
		secret := b.seed()
		thief.visit("/mfa/enrol?tx=" + url.QueryEscape(thief.page.tx()) + "&enrolment=" + url.QueryEscape(theirs))
		if thief.page.h1 != enrolling || !thief.page.asks("name") || thief.page.says(secret) {
			w.Errorf("the other session is shown %q", thief.page.h1)
		}
		if p := b.submit("otp", "000000"); p.status != http.StatusUnprocessableEntity || p.h1 != enrolling || len(p.codes()) != 0 {
			w.Errorf("a wrong code: %d %q", p.status, p.h1)
		}
		b.submit("otp", b.code(secret))
		_, kept := b.fields("kept", "yes")
		if p := b.send("/mfa/enrol", edited(kept, "kept", "")); p.h1 != enrolling || len(w.record(u).Factors) != 0 {
			w.Errorf("codes that were not kept: %d %q, factors %v", p.status, p.h1, w.record(u).Factors)
		}
		// What the other session was shown is not what this one keeps.
		_, sealed := kept, kept.Get("kept_codes")
		_, other := thief.fields("name", "")
		if p := thief.send("/mfa/enrol", edited(other, "kept_codes", sealed, "kept", "yes")); len(w.record(u).Factors) != 0 {
			w.Errorf("codes of another browser are kept: %d %q", p.status, p.h1)
		}
		if p := b.send("/mfa/enrol", kept); !p.offers("decision", "allow") || len(w.record(u).Factors) != 1 {
			w.Errorf("kept: %d %q", p.status, p.h1)
		}
		if p := thief.visit(authorize(c)); !p.asks("otp") {
			w.Errorf("the other session is shown %d %q", p.status, p.h1)
		}
		if p := b.send("/mfa/enrol", kept); len(w.record(u).Factors) != 1 || p.h1 == "Recovery codes" {
			w.Errorf("twice: %d %q", p.status, p.h1)
		}
	}, everybody)
}

// TestAnOldSessionEnrolsNobody: whoever finds a browser that is signed in adds no factor of their own to it.
func TestAnOldSessionEnrolsNobody(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		plain, c, b := w.relying(), w.relying(demanding), w.browser()
		b.through(plain, "ada", "")
		w.clock.Advance(10 * time.Minute)
		if b.visit(authorize(c)); !b.page.asks("password") {
			w.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
		}
		b.signIn("ada")
		b.goThrough("")
		if b.submit("decision", "allow"); b.page.left == nil {
			w.Errorf("proven anew: %q", b.page.h1)
		}
		if b.visit(authorize(plain)); b.page.left == nil {
			w.Errorf("another app: %q", b.page.h1)
		}
	})
}

func TestWrongFirstCodesAreSlowedDownInBothPlaces(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(demanding), w.browser()
		b.visit(authorize(c))
		b.signIn("ada")
		b.submit("name", "")
		secret := b.seed()
		for range 5 {
			if p := b.submit("otp", "000000"); p.status != http.StatusUnprocessableEntity {
				w.Fatalf("%d %q", p.status, p.h1)
			}
		}
		if p := b.submit("otp", b.code(secret)); p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") == "" {
			w.Errorf("the sixth: %d %q", p.status, p.h1)
		}
		b.at("/account/factors")
		b.submit("name", "Phone")
		if p := b.submit("otp", b.code(b.seed())); p.status != http.StatusTooManyRequests {
			w.Errorf("at the account: %d %q", p.status, p.h1)
		}
	})
}
