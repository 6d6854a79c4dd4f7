package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestARememberedBrowserIsEnoughForThePolicyAndNotForAClientThatRequiresMore(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		secret, _ := w.enrol(u)
		plain, c, b := w.relying(), w.relying(demanding), w.browser()
		b.visit(authorize(plain))
		b.signIn("ada")
		b.submit("otp", b.code(secret), "remember", "yes")
		b.submit("decision", "allow")
		w.clock.Advance(time.Hour)
		b.visit(authorize(plain, "prompt", "login"))
		if b.signIn("ada"); b.page.left == nil {
			w.Fatalf("the policy asks for more than a remembered browser: %q", b.page.h1)
		}
		w.wantStrength("remembered", plain, w.exchange(plain, b.page.left.Query().Get("code")), acrPassword, "pwd")
		if b.visit("/account"); b.page.url.Path != "/account" {
			w.Errorf("%s %q", b.page.url, b.page.h1)
		}
		if code := b.none(c); code != "interaction_required" {
			w.Errorf("prompt=none says %q", code)
		}
		if b.visit(authorize(c)); !b.page.asks("otp") {
			w.Fatalf("%s %q", b.page.url, b.page.h1)
		}
		b.submit("otp", b.code(secret))
		b.submit("decision", "allow")
		w.wantStrength("stepped up", c, w.exchange(c, b.page.left.Query().Get("code")), acrMFA, "pwd", "otp", "mfa")

		// The remembered browser is forgotten by the server: a session of its is worth no more than a password.
		w.clock.Advance(time.Hour)
		b.visit(authorize(plain, "prompt", "login"))
		b.signIn("ada")
		_, err := w.store.ForgetDevices(w.Context(), u.ID, storage.ID{}, storage.Also{})
		w.must(err)
		if b.visit(authorize(plain)); !b.page.asks("otp") {
			w.Errorf("forgotten, %v %q", b.page.left, b.page.h1)
		}
	}, everybody)
}

func TestADeviceOfAClientThatRequiresMoreIsGivenItAfterTheFactor(t *testing.T) {
	solo(t, func(w *world) {
		secret, _ := w.enrol(w.user("ada"))
		w.user("bob")
		c := w.television(demanding)
		for name, how := range map[string]func(b *browser){
			"ada": func(b *browser) { b.submit("otp", b.code(secret)) },
			"bob": func(b *browser) { b.goThrough("") },
		} {
			b := w.browser()
			a := w.device(c, "scope", "openid")
			b.visit("/device")
			b.signIn(name)
			if name == "ada" {
				b.submit("otp", b.code(secret), "remember", "yes")
				b.clock.Advance(31e9)
				b.visit("/oauth2/logout")
				b.submit("decision", "yes")
				b.visit("/device")
				b.signIn(name) // remembered
			}
			b.submit("user_code", a.text("user_code"))
			if b.page.offers("decision", "allow") {
				w.Fatalf("%s may answer by a password alone: %q", name, b.page.h1)
			}
			how(b)
			b.submit("user_code", b.page.forms[0].fields.Get("user_code"))
			if b.submit("decision", "allow"); !b.page.says("continue on your device") && b.page.status != http.StatusOK {
				w.Errorf("%s: %d %q", name, b.page.status, b.page.h1)
			}
			got := w.poll(c, a.text("device_code"))
			w.want(got, http.StatusOK, "")
			if claims := w.idToken(got); claims["acr"] != acrMFA {
				w.Errorf("%s: %v", name, claims)
			}
		}
	})
}

func TestAPasswordAloneGetsNoTokenWhereMoreIsRequired(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		passwords := func(m *storage.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, "password") }
		c := w.relying(passwords, demanding)
		a := w.token(c, "grant_type", "password", "username", "ada", "password", password)
		w.want(a, http.StatusBadRequest, "invalid_grant")
		if !strings.Contains(a.text("error_description"), "enrol a second factor") {
			w.Errorf("%s", a.raw)
		}
		w.want(w.token(w.relying(passwords), "grant_type", "password", "username", "ada", "password", password), http.StatusOK, "")
		secret, _ := w.enrol(w.user("bob"))
		w.want(w.token(c, "grant_type", "password", "username", "bob", "password", password), http.StatusBadRequest, "mfa_required")
		w.want(w.token(c, "grant_type", "password", "username", "bob", "password", password, "otp", w.code(secret)), http.StatusOK, "")
	})
}

// What was granted before a client required more is worth nothing from then on, however it was got; a sign-in with the factor stays.
func TestAClientThatComesToRequireMoreRefreshesNoLesserSignIn(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		secret, _ := w.enrol(w.user("bob"))
		c := w.relying(func(m *storage.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, "password") })
		weak := w.login(c, "ada", "scope", "openid offline_access").text("refresh_token")
		strong := w.login(c, "bob", "scope", "openid offline_access", "otp", w.code(secret)).text("refresh_token")
		b := w.browser()
		b.visit(authorize(c))
		b.signIn("ada")
		b.submit("decision", "allow")
		require := func(yes bool) {
			held, err := w.provider.Clients().Find(w.Context(), c.id)
			w.must(err)
			m := held.Metadata
			m.RequireSecondFactor = yes
			_, err = w.provider.Clients().Update(w.Context(), held, m, "test")
			w.must(err)
		}
		require(true)
		w.want(w.refreshWith(c, weak), http.StatusBadRequest, "invalid_grant")
		w.want(w.exchange(c, b.page.left.Query().Get("code")), http.StatusBadRequest, "invalid_grant")
		w.want(w.refreshWith(c, strong), http.StatusOK, "")
		require(false)
		w.want(w.refreshWith(c, weak), http.StatusOK, "")
	})
}
