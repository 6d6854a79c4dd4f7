package web_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// What people do with their own accounts, on both engines.

var accountPages = map[string]string{
	"/account": "Your account", "/account/profile": "Profile", "/account/password": "Password", "/account/factors": "Second factor",
	"/account/sessions": "Where you are signed in", "/account/apps": "Connected apps", "/account/events": "Security events",
	"/account/email": "Email address", "/account/data": "Download your data", "/account/delete": "Delete your account", "/account/passkeys": "Passkeys",
}

func TestOnesOwnPagesAreFoundBySigningIn(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		for path, heading := range accountPages {
			b := w.browser()
			if p := b.visit(path); !p.asks("password") || p.url.Path != "/login" {
				t.Errorf("%s shows a stranger %d %q", path, p.status, p.h1)
			}
			if p := b.prove("ada", ""); p.status != http.StatusOK || p.h1 != heading || p.url.Path != path || p.url.RawQuery != "" {
				t.Errorf("%s leads back to %s: %d %q", path, p.url, p.status, p.h1)
			}
		}
		b := w.browser()
		b.visit("/login") // nobody sent the person here
		if p := b.prove("ada", ""); p.h1 != "Your account" || !p.says("Test ada", `href="/oauth2/logout"`) {
			t.Errorf("/login leads to %s %q", p.url, p.h1)
		}
		for path := range accountPages {
			if path != "/account" && !b.page.says(`href="`+path+`"`) {
				t.Errorf("the overview does not lead to %s", path)
			}
		}
	})
}

func TestAPersonChangesTheirProfileByItsRules(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		b.at("/account/profile")
		if !b.page.says("ada@example.com", "verified", `value="Test ada"`) {
			t.Errorf("the profile shows\n%s", b.page.raw)
		}
		p := b.submit("given_name", "Ada", "family_name", "Lovelace", "locale", "de-AT", "zoneinfo", "Europe/Vienna")
		if p.url.Path != "/account/profile" || p.h1 != "Profil" || !p.says("Ihr Profil ist gespeichert", `value="Lovelace"`) {
			t.Errorf("saved: %s %q\n%s", p.url, p.h1, p.raw)
		}
		got := w.record(u).User
		if got.Profile.GivenName != "Ada" || got.Profile.Locale != "de-AT" || got.Profile.Name != "Test ada" || got.Email != u.Email || !got.EmailVerified {
			t.Errorf("kept is %+v", got)
		}
		for name, value := range map[string]string{"locale": "not a tag", "zoneinfo": "Europe//Vienna", "name": "two\nlines", "nickname": strings.Repeat("x", 300)} {
			p := b.submit(name, value)
			if p.status != http.StatusUnprocessableEntity || strings.Count(p.raw, `aria-invalid="true"`) != 1 || !p.says(`role="alert"`) {
				t.Errorf("%s=%.20q: %d", name, value, p.status)
			}
			b.at("/account/profile")
		}
		// What the form has no field for is nobody's to set.
		action, values := b.fields("nickname", "A")
		for _, name := range []string{
			"email", "email_verified", "phone_number_verified", "admin", "username", "preferred_username", "sub", "id", "revision", "logins",
			"disabled_at", "updated_at", "password", "acr", "address", "address.none",
		} {
			values.Set(name, "true")
		}
		b.send(action, values)
		want := w.record(u).User
		if want.Profile.Nickname != "A" {
			t.Errorf("kept is %+v", want)
		}
		want.Profile, want.Revision, want.UpdatedAt = u.Profile, u.Revision, u.UpdatedAt
		if !reflect.DeepEqual(want, u) {
			t.Errorf("a form of the profile makes of %+v\n%+v", u, want)
		}
		before := strings.Count(w.kinds(u), "user.updated")
		b.at("/account/profile")
		b.submit("nickname", "A") // as it is
		if n := strings.Count(w.kinds(u), "user.updated"); before != 2 || n != before {
			t.Errorf("%d changes in the log, and then %d", before, n)
		}
		if p := b.at("/account/events"); !p.says("Profil geändert", "+01:00") && !p.says("Profil geändert", "CET") {
			t.Errorf("the events are not told in the person's language and time:\n%s", p.raw)
		}
	})
}

func TestANewPasswordKeepsThisBrowserAndEndsEverythingElse(t *testing.T) {
	each(t, func(w *world) {
		u, c := w.user("ada"), w.relying()
		other, b := w.home("ada", ""), w.home("ada", "")
		code := b.through(c, "ada", "", "scope", "openid offline_access").Get("code")
		pair := w.exchange(c, code)
		w.want(pair, http.StatusOK, "")
		stolen := b.cookies()

		b.at("/account/password")
		for given, reason := range map[string]string{
			"short": "too short", "ada@example.com": "contains your name", "password1234567": "Many people have", "abcabcabcabc": "repeats itself",
			"monkeydragon99": "too easy to guess", "": "cannot be a password",
		} {
			p := b.submit("password", given, "again", given)
			if p.status != http.StatusUnprocessableEntity || !p.says(reason, `role="alert"`) || given != "" && p.says(`value="`+given) {
				t.Errorf("%q: %d, and not %q\n%s", given, p.status, reason, p.raw)
			}
		}
		const fresh = "another horse battery staple 18"
		if p := b.submit("password", fresh, "again", fresh+"!"); p.status != http.StatusUnprocessableEntity || !p.says("not the same") {
			t.Errorf("two different ones: %d", p.status)
		}
		if w.record(u).User.Revision != u.Revision || !w.active(c, pair.access()) {
			t.Fatal("something has changed already")
		}
		p := b.submit("password", fresh, "again", fresh)
		if p.url.Path != "/account" || !p.says("Your password is changed") {
			t.Fatalf("changed: %s %d %q", p.url, p.status, p.h1)
		}
		b.at("/account/sessions")
		if len(b.page.things("end")) != 0 {
			t.Error("another session lives on")
		}
		if b.cookies()["signet-sid"] == stolen["signet-sid"] {
			t.Error("the session has its old secret still")
		}
		if p := other.visit("/account"); !p.asks("password") {
			t.Errorf("the other browser is signed in still: %q", p.h1)
		}
		if other.signIn("ada"); other.page.status != http.StatusUnprocessableEntity {
			t.Errorf("the old password signs in: %d", other.page.status)
		}
		if other.submit("username", "ada", "password", fresh); other.page.h1 != "Your account" {
			t.Errorf("the new password does not: %d %q", other.page.status, other.page.h1)
		}
		w.want(w.refreshWith(c, pair.refresh()), http.StatusBadRequest, "invalid_grant")
		if w.active(c, pair.access()) {
			t.Error("an app's access lives on")
		}
		if !strings.Contains(w.kinds(u), "user.password_changed") {
			t.Error("it is not in the log")
		}
	})
}

func TestASecondFactorIsSetUpReplacedAndTakenAway(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		b.at("/account/factors")
		b.submit("name", "My phone")
		if b.page.url.Path != "/account/factors/new" || !b.page.says("<svg", "My phone") || strings.Contains(b.page.url.String(), b.seed()) {
			t.Fatalf("enrolling: %s %d %q", b.page.url, b.page.status, b.page.h1)
		}
		secret, address := b.seed(), b.page.url.String()
		if b.visit(address); b.seed() != secret {
			t.Error("read again it is another seed")
		}
		if p := b.submit("otp", "000000"); p.status != http.StatusUnprocessableEntity || b.seed() != secret || !p.says("wrong or expired") {
			t.Errorf("a wrong code: %d %q", p.status, p.h1)
		}
		code := b.code(secret)
		first := b.submit("otp", code[:3]+" "+code[3:])
		codes := first.codes()
		if len(codes) != 10 || first.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d recovery codes\n%s", len(codes), first.raw)
		}
		if found := w.record(u); len(found.Factors)+found.RecoveryCodes != 0 {
			t.Error("it is good before the codes were kept")
		}
		action, kept := b.fields("kept", "yes")
		unkept := form("form_token", kept.Get("form_token"), "kept_codes", kept.Get("kept_codes"))
		if p := b.send(action, unkept); p.h1 != "Second factor" || len(w.record(u).Factors) != 0 {
			t.Errorf("codes that nobody kept: %d %q", p.status, p.h1)
		}
		if other := w.home("ada", ""); other.send(action, kept).status == http.StatusOK && len(w.record(u).Factors) != 0 {
			t.Error("another browser kept them")
		}
		w.clock.Advance(11 * time.Minute) // ten codes are written by hand
		if p := b.send(action, kept); p.url.Path != "/account" || !p.says("Your authenticator is set up") {
			t.Fatalf("kept: %s %d %q", p.url, p.status, p.h1)
		}
		if found := w.record(u); len(found.Factors) != 1 || found.RecoveryCodes != 10 || found.Factors[0].Name != "My phone" {
			t.Fatalf("kept is %+v", found)
		}
		b.send(action, kept) // again
		if found := w.record(u); len(found.Factors) != 1 || found.RecoveryCodes != 10 {
			t.Errorf("sent again: %+v", found)
		}
		if p := b.visit(address); p.says(codes[0]) || p.says(secret) {
			t.Error("seed or codes are shown again")
		}

		fresh := w.browser()
		fresh.visit("/account")
		if fresh.signIn("ada"); !fresh.page.asks("otp") {
			t.Fatalf("no code is asked for: %q", fresh.page.h1)
		}
		if fresh.submit("recovery_code", codes[3]); fresh.page.h1 != "Your account" {
			t.Errorf("the recovery code does not sign in: %d %q", fresh.page.status, fresh.page.h1)
		}

		b = w.home("ada", secret)
		if p := b.at("/account/factors"); !p.says("My phone", "<b>9</b>") {
			t.Errorf("the page says\n%s", p.raw)
		}
		b.submit("codes", "new")
		renewed := b.page.codes()
		if len(renewed) != 10 || slices.ContainsFunc(renewed, func(c string) bool { return slices.Contains(codes, c) }) || w.record(u).RecoveryCodes != 9 {
			t.Fatalf("%d new codes, %d good ones", len(renewed), w.record(u).RecoveryCodes)
		}
		if b.submit("kept", "yes"); w.record(u).RecoveryCodes != 10 || !b.page.says("new recovery codes are good") {
			t.Errorf("after renewing: %d good ones", w.record(u).RecoveryCodes)
		}
		fresh = w.browser()
		fresh.visit("/account")
		fresh.signIn("ada")
		if fresh.submit("recovery_code", codes[5]); fresh.page.status != http.StatusUnprocessableEntity {
			t.Errorf("an old recovery code signs in: %d", fresh.page.status)
		}

		second, none := b.setUp("Tablet")
		if len(none) != 0 || len(w.record(u).Factors) != 2 {
			t.Fatalf("the second one comes with %d codes", len(none))
		}
		b = w.home("ada", second)
		b.at("/account/factors")
		if ids := b.page.things("remove"); len(ids) != 2 || b.submit("remove", ids[0]).status != http.StatusOK || len(w.record(u).Factors) != 1 {
			t.Errorf("removing one of %d leaves %d", len(ids), len(w.record(u).Factors))
		}
		if w.record(u).RecoveryCodes != 10 {
			t.Error("the recovery codes went with one of two")
		}
		b = w.home("ada", second)
		b.at("/account/factors")
		b.submit("remove", b.page.things("remove")[0])
		if found := w.record(u); len(found.Factors)+found.RecoveryCodes != 0 || !b.page.says("The authenticator is removed") {
			t.Errorf("after the last one %+v", found)
		}
		w.home("ada", "")
		for _, kind := range []string{"user.totp_enrolled", "user.totp_confirmed", "user.recovery_codes_replaced", "user.totp_removed"} {
			if !strings.Contains(w.kinds(u), kind) {
				t.Errorf("%s is not in the log", kind)
			}
		}
	})
}

func TestARememberedBrowserIsListedAndForgotten(t *testing.T) {
	each(t, func(w *world) {
		secret, _ := w.enrol(w.user("ada"))
		b := w.browser()
		b.visit("/account")
		b.signIn("ada")
		b.submit("otp", b.code(secret), "remember", "yes")
		w.clock.Advance(31 * time.Second)
		b.at("/account/factors")
		ids := b.page.things("forget")
		if len(ids) != 1 {
			t.Fatalf("%d remembered browsers", len(ids))
		}
		if b.submit("forget", ids[0]); len(b.page.things("forget")) != 0 || !b.page.says("asked for a code again") {
			t.Errorf("forgotten: %q", b.page.h1)
		}
		w.clock.Advance(time.Second)
		b.visit("/oauth2/logout")
		b.submit("decision", "yes")
		b.visit("/account")
		if b.signIn("ada"); !b.page.asks("otp") {
			t.Errorf("no code is asked for: %q", b.page.h1)
		}
	})
}

func TestSignedInBrowsersAreListedAndEnded(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying()
		one, two, b := w.home("ada", ""), w.home("ada", ""), w.home("ada", "")
		pair := w.exchange(c, one.through(c, "ada", "", "scope", "openid").Get("code"))
		w.want(pair, http.StatusOK, "")
		sessions := func() []string {
			return slices.DeleteFunc(b.at("/account/sessions").things("end"), func(id string) bool { return id == "others" })
		}
		if ids := sessions(); len(ids) != 2 || !b.page.says("This browser", "127.0.0.1") {
			t.Fatalf("%d others\n%s", len(ids), b.page.raw)
		}
		gone := 0
		for _, id := range sessions() {
			b.at("/account/sessions")
			if b.submit("end", id); !b.page.says("You are signed out there") {
				t.Errorf("ended: %d %q", b.page.status, b.page.h1)
			}
			gone++
			if left := len(sessions()); left != 2-gone {
				t.Errorf("%d are left", left)
			}
		}
		for _, other := range []*browser{one, two} {
			if p := other.visit("/account"); !p.asks("password") {
				t.Errorf("an ended session is signed in at its next request: %q", p.h1)
			}
		}
		w.want(w.refreshWith(c, pair.refresh()), http.StatusBadRequest, "invalid_grant")
		three, four := w.home("ada", ""), w.home("ada", "")
		b.at("/account/sessions")
		if b.submit("end", "others"); !b.page.says("everywhere but here") || len(b.page.things("end")) != 0 {
			t.Errorf("all others: %d %q", b.page.status, b.page.h1)
		}
		if !three.visit("/account").asks("password") || !four.visit("/account").asks("password") {
			t.Error("another browser is signed in still")
		}
		b.at("/account")
	})
}

func TestADisconnectedAppHasNothingAtOnce(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.user("bob")
		c, other := w.relying(func(m *storage.ClientMetadata) { m.Name = "The Shop" }), w.relying(func(m *storage.ClientMetadata) { m.Name = "The House"; m.FirstParty = true })
		b := w.home("ada", "")
		pair := w.exchange(c, b.through(c, "ada", "", "scope", "openid email offline_access").Get("code"))
		kept := w.exchange(other, b.through(other, "ada", "", "scope", "openid offline_access").Get("code"))
		bobs := w.exchange(c, w.browser().through(c, "bob", "", "scope", "openid offline_access").Get("code"))
		p := b.at("/account/apps")
		if !p.says("The Shop", "The House", "See your email address", "ada@example.com", "Keep its access") || len(p.things("app")) != 2 {
			t.Fatalf("the page says\n%s", p.raw)
		}
		if b.submit("app", c.id); !b.page.says("The app is disconnected") || b.page.says("The Shop") || !b.page.says("The House") {
			t.Errorf("disconnected: %d\n%s", b.page.status, b.page.raw)
		}
		w.want(w.refreshWith(c, pair.refresh()), http.StatusBadRequest, "invalid_grant")
		if w.active(c, pair.access()) || w.userinfo(pair.access()).status != http.StatusUnauthorized {
			t.Error("its access token lives on")
		}
		if !w.active(other, kept.access()) || !w.active(c, bobs.access()) {
			t.Error("another app, or another person, lost access too")
		}
		if b.visit(authorize(c, "scope", "openid email")); !b.page.offers("decision", "allow") {
			t.Errorf("it need not ask again: %d %q", b.page.status, b.page.h1)
		}
		if p := b.at("/account/events"); !p.says("App disconnected", "The Shop", "App allowed") {
			t.Errorf("the events say\n%s", p.raw)
		}
	})
}
