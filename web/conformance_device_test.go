package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

// television registers a public client for the device flow.
func (w *world) television(edit ...func(*storage.ClientMetadata)) app {
	w.Helper()
	return w.client(storage.ClientMetadata{
		Name: "Television", GrantTypes: []string{grantDevice, "refresh_token"}, Scope: allScopes + " api:read", TokenEndpointAuthMethod: "none",
	}, edit...)
}

// device begins a device's request.
func (w *world) device(c app, pairs ...string) answer {
	w.Helper()
	a := w.post("/oauth2/device_authorization", c, form(pairs...))
	w.want(a, http.StatusOK, "")
	return a
}

// poll asks whether the person has answered.
func (w *world) poll(c app, deviceCode string) answer {
	w.Helper()
	return w.token(c, "grant_type", grantDevice, "device_code", deviceCode)
}

// enter signs the person in at an address of the device page and enters what is to be entered, up to the question.
func (b *browser) enter(address, username, userCode string) page {
	b.Helper()
	b.visit(address)
	if b.page.asks("password") {
		b.signIn(username)
	}
	if userCode != "" {
		return b.submit("user_code", userCode)
	}
	return b.submit("user_code", b.page.forms[0].fields.Get("user_code"))
}

func TestADeviceWaitsIsSlowedDownIsAllowedAndGetsItsTokens(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		c := w.television()
		a := w.device(c, "scope", "openid email offline_access")
		if a.text("verification_uri") != issuerURL+"/device" || a.body["interval"] != 5.0 || a.body["expires_in"] != 600.0 ||
			a.text("verification_uri_complete") != issuerURL+"/device?user_code="+a.text("user_code") || a.header.Get("Cache-Control") != "no-store" {
			w.Errorf("answer %s %v", a.raw, a.header)
		}
		code := a.text("device_code")
		w.want(w.poll(c, code), http.StatusBadRequest, "authorization_pending")
		w.want(w.poll(c, code), http.StatusBadRequest, "slow_down")
		w.clock.Advance(9 * time.Second)
		w.want(w.poll(c, code), http.StatusBadRequest, "slow_down") // ten seconds by now
		w.clock.Advance(15 * time.Second)
		w.want(w.poll(c, code), http.StatusBadRequest, "authorization_pending")

		b := w.browser()
		b.enter("/device", "ada", strings.ToLower(strings.ReplaceAll(a.text("user_code"), "-", " ")))
		if !b.page.offers("decision", "allow") || !strings.Contains(b.page.raw, a.text("user_code")) || !strings.Contains(b.page.raw, "Television") {
			w.Fatalf("the question: %d %q:\n%s", b.page.status, b.page.h1, b.page.raw)
		}
		w.clock.Advance(15 * time.Second)
		w.want(w.poll(c, code), http.StatusBadRequest, "authorization_pending") // to have entered it is no yes
		b.submit("decision", "allow")
		if b.page.h1 != "Your device is connected" {
			w.Errorf("%d %q", b.page.status, b.page.h1)
		}
		w.clock.Advance(15 * time.Second)
		tokens := w.poll(c, code)
		claims := w.idToken(tokens)
		if claims["sub"] != u.ID.String() || claims["nonce"] != nil || claims["acr"] != acrPassword || tokens.text("scope") != "openid email offline_access" ||
			tokens.refresh() == "" {
			w.Errorf("answer %s, claims %v", tokens.raw, claims)
		}
		if info := w.userinfo(tokens.access()); info.body["email"] != "ada@example.com" {
			w.Errorf("userinfo %s", info.raw)
		}
		again := w.poll(c, code) // the answer was lost on its way
		w.want(again, http.StatusOK, "")
		if again.refresh() != tokens.refresh() {
			w.Error("a device that asks again gets another refresh token")
		}
		next := w.refreshWith(c, tokens.refresh())
		w.want(next, http.StatusOK, "")
		w.clock.Advance(time.Hour)
		w.want(w.refreshWith(c, next.refresh()), http.StatusOK, "")
		w.want(w.poll(c, code), http.StatusBadRequest, "invalid_grant") // and in the end it is spent
	})
}

func TestADeviceHearsThatThePersonRefused(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.television(), w.browser()
		a := w.device(c, "scope", "openid")
		b.enter("/device", "ada", a.text("user_code"))
		b.submit("decision", "deny")
		if b.page.h1 != "You refused the device" {
			w.Errorf("%d %q", b.page.status, b.page.h1)
		}
		for range 2 {
			w.want(w.poll(c, a.text("device_code")), http.StatusBadRequest, "access_denied")
		}
		if b.enter("/device", "ada", a.text("user_code")); b.page.offers("decision", "allow") {
			w.Error("what was refused is asked again")
		}
	})
}

func TestADeviceHearsThatItsTimeIsUp(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.television(), w.browser()
		a := w.device(c, "scope", "openid")
		b.enter("/device", "ada", a.text("user_code"))
		w.clock.Advance(600 * time.Second)
		w.want(w.poll(c, a.text("device_code")), http.StatusBadRequest, "expired_token")
		b.submit("decision", "allow")
		if b.page.h1 == "Your device is connected" {
			w.Error("a device was allowed after its time")
		}
		w.want(w.poll(c, a.text("device_code")), http.StatusBadRequest, "expired_token")
	})
}

func TestTheCompleteAddressFillsTheCodeInAndStillAsks(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.television(), w.browser()
		a := w.device(c, "scope", "openid")
		b.visit(a.text("verification_uri_complete"))
		b.signIn("ada")
		if len(b.page.forms) == 0 || b.page.forms[0].fields.Get("user_code") != a.text("user_code") || b.page.offers("decision", "allow") {
			w.Fatalf("%d %q:\n%s", b.page.status, b.page.h1, b.page.raw)
		}
		b.submit("user_code", a.text("user_code"))
		w.want(w.poll(c, a.text("device_code")), http.StatusBadRequest, "authorization_pending")
		b.submit("decision", "allow")
		w.clock.Advance(5 * time.Second)
		w.want(w.poll(c, a.text("device_code")), http.StatusOK, "")
	})
}

func TestADeviceCodeIsForItsClientAndAUserCodeForNothingElse(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, thief, b := w.television(), w.television(), w.browser()
		a := w.device(c, "scope", "openid")
		b.enter("/device", "ada", a.text("user_code"))
		b.submit("decision", "allow")
		w.want(w.poll(thief, a.text("device_code")), http.StatusBadRequest, "invalid_grant")
		w.want(w.poll(c, a.text("user_code")), http.StatusBadRequest, "invalid_grant")
		w.want(w.poll(c, a.text("device_code")), http.StatusOK, "")
		if b.enter("/device", "ada", "BCDF-GHJK"); b.page.status != http.StatusUnprocessableEntity || b.page.offers("decision", "allow") {
			w.Errorf("a code that nobody waits with: %d %q", b.page.status, b.page.h1)
		}
		w.want(w.post("/oauth2/device_authorization", w.relying(), form("scope", "openid")), http.StatusBadRequest, "unauthorized_client")
	})
}
