package web_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// How strong a sign-in is, and how fresh: acr, amr, auth_time, step-up (RFC 9470), and what a client registers as its defaults.

const (
	acrPassword = "urn:signet:acr:password"
	acrMFA      = "urn:signet:acr:mfa"
	demandMFA   = `{"id_token":{"acr":{"essential":true,"values":["urn:signet:acr:mfa"]}}}`
)

// wantStrength asserts what the tokens say of the sign-in.
func (w *world) wantStrength(what string, c app, a answer, acr string, amr ...string) map[string]any {
	w.Helper()
	claims := w.idToken(a)
	var methods []string
	list, _ := claims["amr"].([]any)
	for _, m := range list {
		methods = append(methods, asText(m))
	}
	slices.Sort(methods)
	slices.Sort(amr)
	if claims["acr"] != acr || !slices.Equal(methods, amr) {
		w.Errorf("%s: acr %v, amr %v, want %s %v", what, claims["acr"], methods, acr, amr)
	}
	seen := w.post("/oauth2/introspect", c, form("token", a.access()))
	if seen.text("acr") != acr || seen.body["auth_time"] != claims["auth_time"] { // RFC 9470 §6.2
		w.Errorf("%s: introspection %s", what, seen.raw)
	}
	return claims
}

func TestAPasswordSessionIsTakenThroughTheSecondFactorOnly(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		c, b := w.relying(), w.browser()
		before := w.wantStrength("password", c, b.tokens(c, "ada"), acrPassword, "pwd")
		secret, recovery := w.enrol(u)
		if code := b.none(c, "claims", demandMFA); code != "interaction_required" {
			w.Errorf("prompt=none says %q", code)
		}
		if code := b.none(c, "acr_values", acrMFA); code != "" { // a wish is no demand
			w.Errorf("prompt=none with a wish says %q", code)
		}
		p := b.visit(authorize(c, "acr_values", acrMFA))
		if p.asks("password") || !p.asks("otp") || p.asks("remember") {
			w.Fatalf("the step-up shows %q:\n%s", p.h1, p.raw)
		}
		b.submit("otp", b.code(secret))
		after := w.wantStrength("stepped up", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")
		for _, same := range []string{"sub", "sid", "auth_time"} {
			if after[same] != before[same] {
				w.Errorf("%s was %v, is %v: a factor is no new sign-in", same, before[same], after[same])
			}
		}
		// From here on the session is as strong as that, for every client and without a page.
		if code := b.none(c, "claims", demandMFA); code != "" {
			w.Errorf("stepped up, prompt=none says %q", code)
		}
		// A fresh and strong sign-in takes both.
		w.clock.Advance(time.Minute)
		b.visit(authorize(c, "acr_values", acrMFA, "max_age", "0"))
		b.signIn("ada")
		b.submit("recovery_code", recovery[0])
		last := w.wantStrength("fresh", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "mfa")
		if last["auth_time"].(float64) <= after["auth_time"].(float64) {
			w.Errorf("auth_time was %v, is %v", after["auth_time"], last["auth_time"])
		}
	})
}

func TestADemandThatCannotBeMetIsAnErrorAndAWishIsNot(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		for _, wish := range [][]string{
			{"acr_values", acrMFA},
			{"acr_values", "urn:nowhere"},
			{"acr_values", acrMFA + " " + acrPassword},
			{"claims", `{"id_token":{"acr":{"value":"urn:signet:acr:mfa"}}}`},
			{"claims", `{"id_token":{"acr":null}}`},
			{"claims", `{"id_token":{"acr":{"essential":true}}}`},
		} {
			w.wantStrength(wish[1], c, b.tokens(c, "ada", wish...), acrPassword, "pwd")
		}
		for _, demand := range []string{
			demandMFA, `{"id_token":{"acr":{"essential":true,"value":"urn:signet:acr:mfa"}}}`, `{"id_token":{"acr":{"essential":true,"value":"urn:nowhere"}}}`,
		} {
			p := b.visit(authorize(c, "claims", demand))
			if p.left == nil || p.left.Query().Get("error") != "unmet_authentication_requirements" || p.left.Query().Get("state") != "the-state" {
				w.Errorf("%s: %d %q, left %v", demand, p.status, p.h1, p.left)
			}
		}
		either := `{"id_token":{"acr":{"essential":true,"values":["urn:signet:acr:mfa","urn:signet:acr:password"]}}}`
		w.wantStrength("either will do", c, b.tokens(c, "ada", "claims", either), acrPassword, "pwd")
	})
}

func TestARememberedBrowserIsSparedTheCodeAndNeverCalledStrong(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		secret, _ := w.enrol(u)
		c, b := w.relying(), w.browser()
		b.visit(authorize(c))
		b.signIn("ada")
		b.submit("otp", b.code(secret), "remember", "yes")
		b.submit("decision", "allow")
		w.wantStrength("with the code", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")
		w.clock.Advance(time.Hour)
		b.visit(authorize(c, "prompt", "login"))
		b.signIn("ada")
		if b.page.left == nil {
			w.Fatalf("the remembered browser is shown %q", b.page.h1)
		}
		w.wantStrength("remembered", c, w.exchange(c, b.page.left.Query().Get("code")), acrPassword, "pwd")
		if p := b.visit(authorize(c, "claims", demandMFA)); !p.asks("otp") {
			w.Errorf("the demand is met without a code: %v", p.left)
		}
		b.submit("otp", b.code(secret))
		w.wantStrength("stepped up", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")
		other := w.browser() // another browser is not remembered
		other.visit(authorize(c))
		if other.signIn("ada"); !other.page.asks("otp") {
			w.Errorf("another browser is let in: %v", other.page.left)
		}
		w.must(w.provider.People().SetPassword(w.Context(), u.ID, storage.NewSecret([]byte(password+"!")), account.By{Actor: "test"}))
		b.visit(authorize(c, "prompt", "login"))
		if b.submit("username", "ada", "password", password+"!"); !b.page.asks("otp") {
			w.Errorf("the browser is remembered beyond the password: %v", b.page.left)
		}
	})
}

func TestAClientsDefaultMaxAgeIsThatOfItsRequests(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		minute, none := int64(60), int64(0)
		c := w.relying(func(m *storage.ClientMetadata) { m.DefaultMaxAge = &minute })
		always := w.relying(func(m *storage.ClientMetadata) { m.DefaultMaxAge = &none })
		b := w.browser()
		signedIn := float64(w.clock.Now().Unix())
		b.through(c, "ada", "")
		w.clock.Advance(time.Minute)
		if claims := w.idToken(w.exchange(c, b.through(c, "nobody", "").Get("code"))); claims["auth_time"] != signedIn {
			w.Errorf("within its time: %v", claims)
		}
		w.clock.Advance(time.Second)
		if code := b.none(c); code != "login_required" {
			w.Errorf("prompt=none says %q", code)
		}
		if code := b.none(c, "max_age", "3600"); code != "" { // the request's own goes first
			w.Errorf("max_age=3600 says %q", code)
		}
		if p := b.visit(authorize(c)); !p.asks("password") {
			w.Errorf("too old: %v", p.left)
		}
		b.signIn("ada")
		if p := b.visit(authorize(always)); p.asks("password") { // signed in this very second, which is not older
			b.signIn("ada")
		}
		b.finish()
		w.clock.Advance(time.Second)
		if p := b.visit(authorize(always)); !p.asks("password") {
			w.Errorf("default_max_age 0 does not ask: %v", p.left)
		}
	})
}

func TestAClientsDefaultACRIsThatOfItsRequests(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		c := w.relying(func(m *storage.ClientMetadata) { m.DefaultACRValues = []string{acrMFA} })
		plain, b := w.relying(), w.browser()
		w.wantStrength("nobody has a factor", c, b.tokens(c, "ada"), acrPassword, "pwd")
		secret, _ := w.enrol(u)
		w.wantStrength("another client", plain, b.tokens(plain, "ada"), acrPassword, "pwd")
		if b.visit(authorize(c, "acr_values", acrPassword)); b.page.left == nil {
			w.Errorf("the request's own goes first: %q", b.page.h1)
		}
		if p := b.visit(authorize(c)); !p.asks("otp") {
			w.Fatalf("%d %q, left %v", p.status, p.h1, p.left)
		}
		b.submit("otp", b.code(secret))
		w.wantStrength("its default", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")
	})
}

func TestAMaxAgeOfAStepUpIsAboutThePasswordToo(t *testing.T) {
	each(t, func(w *world) {
		secret, _ := w.enrol(w.user("ada"))
		c, b := w.relying(), w.browser()
		first := w.idToken(w.exchange(c, b.through(c, "ada", secret).Get("code")))
		w.clock.Advance(10 * time.Minute)
		if p := b.visit(authorize(c, "acr_values", acrMFA, "max_age", "60")); !p.asks("password") {
			w.Fatalf("an old sign-in passes for a fresh one: %d %q, left %v", p.status, p.h1, p.left)
		}
		b.signIn("ada")
		b.submit("otp", b.code(secret))
		a := w.exchange(c, b.page.left.Query().Get("code"))
		w.want(a, http.StatusOK, "")
		if again := w.idToken(a); again["auth_time"].(float64) <= first["auth_time"].(float64) || again["acr"] != acrMFA {
			w.Errorf("first %v, again %v", first, again)
		}
	})
}
