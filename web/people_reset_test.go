package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// Who has forgotten a password chooses another by a mailed link, and by the second factor where there is one.

func TestAForgottenPasswordIsChosenAnewAndTheRequestGoesOn(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		c := w.relying()
		elsewhere := w.home("ada", "")
		pair := w.exchange(c, elsewhere.through(c, "ada", "", "scope", "openid offline_access").Get("code"))
		w.mails()
		b := w.browser()
		b.visit(authorize(c, "scope", "openid email"))
		tx := b.page.tx()
		if !b.page.says(`href="/recover?tx=` + tx) {
			w.Fatalf("the sign-in page does not lead to it:\n%s", b.page.raw)
		}
		if p := b.visit("/recover?tx=" + tx); p.h1 != "Forgot your password?" || !p.says("Relying Party", "/login?tx="+tx) {
			w.Fatalf("%d %q", p.status, p.h1)
		}
		if p := b.submit("username", " "); p.status != 422 || !p.says("Enter your username or your email address") {
			w.Errorf("nobody: %d", p.status)
		}
		if p := b.submit("username", "ADA"); p.h1 != "Look into your mail" || !p.says("/login?tx="+tx) {
			w.Fatalf("asked: %d %q at %s", p.status, p.h1, p.url)
		}
		if p := b.open(w.linkIn(w.mailTo("ada@example.com"))); p.h1 != "Choose a new password" || !p.says("Relying Party", `value="ada"`) || p.asks("otp") || p.asks("recovery_code") {
			w.Fatalf("the link leads to %s: %d %q\n%s", p.url, p.status, p.h1, p.raw)
		}
		for password, reason := range map[string]string{
			"short": "too short", "Ada@example.com": "contains your name", "password1": "Many people have", "abcabcabcabc": "repeats itself", "bluegreen": "too easy to guess",
		} {
			if p := b.submit(chosen(password)...); p.status != 422 || !p.says(reason) || p.says(`"`+password+`"`) {
				w.Errorf("%s: %d\n%s", password, p.status, p.raw)
			}
		}
		if p := b.submit("password", newPassword, "again", "another"); p.status != 422 || !p.says("not the same") {
			w.Errorf("two of them: %d", p.status)
		}
		if elsewhere.visit("/account"); elsewhere.page.h1 != "Your account" {
			w.Error("what was refused signs out")
		}
		if b.submit(chosen(newPassword)...); b.page.url.Path != "/login" || !b.page.says("Your password is changed. Sign in with the new one.", "Relying Party") {
			w.Fatalf("changed, it goes on at %s: %d %q", b.page.url, b.page.status, b.page.h1)
		}
		if b.signIn("ada"); b.page.status != 422 {
			w.Errorf("the old password: %d %q", b.page.status, b.page.h1)
		}
		if b.signInWith("ada", newPassword); !b.page.offers("decision", "allow") {
			w.Fatalf("the new one goes on at %s: %d %q", b.page.url, b.page.status, b.page.h1)
		}
		if p := elsewhere.visit("/account"); !p.asks("password") {
			w.Error("another browser is signed in still")
		}
		w.want(w.refreshWith(c, pair.refresh()), http.StatusBadRequest, "invalid_grant")
		if told := w.lettersTo(); !strings.Contains(told, "ada@example.com: Your password was changed") {
			w.Errorf("told is %s", told)
		}
		if !strings.Contains(w.kinds(u), "user.password_reset user.reset_asked") {
			w.Errorf("the log has %s", w.kinds(u))
		}
	})
}

func TestALinkAloneResetsNothingThatASecondFactorProtects(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		secret, recovery := w.enrol(u)
		w.mails()
		b := w.browser()
		b.visit("/recover")
		b.submit("username", "ada@example.com")
		before := w.state(u)
		link := w.linkIn(w.mailTo("ada@example.com"))
		if p := b.open(link); !p.asks("otp") || !p.asks("recovery_code") {
			w.Fatalf("no code is asked for:\n%s", p.raw)
		}
		for name, code := range map[string][]string{
			"none": {"otp", "", "recovery_code", ""}, "a wrong one": {"otp", "000000", "recovery_code", ""},
			"a wrong recovery code": {"otp", "", "recovery_code", "0123-4567-89ab-cdef-ghjk-mnpq-rstv"},
		} {
			if p := b.submit(chosen(newPassword, code...)...); p.status != 422 || p.h1 != "Choose a new password" || w.state(u) != before {
				w.Errorf("%s: %d %q", name, p.status, p.h1)
			}
		}
		if p := b.submit(chosen("password1", "otp", w.code(secret))...); p.status != 422 || !p.says("Many people have") || w.state(u) != before {
			w.Errorf("a common password: %d %q", p.status, p.h1)
		}
		other := w.browser() // the link is as good as before, wherever it is opened
		other.open(link)
		if other.submit(chosen(newPassword, "otp", w.code(secret))...); other.page.url.Path != "/login" {
			w.Fatalf("with the right code: %d %q\n%s", other.page.status, other.page.h1, other.page.raw)
		}
		if p := b.submit(chosen(newPassword, "otp", w.code(secret))...); p.status != http.StatusGone {
			w.Errorf("once more: %d %q", p.status, p.h1)
		}
		w.clock.Advance(31 * time.Second)
		other.signInWith("ada", newPassword)
		if other.submit("otp", other.code(secret)); other.page.h1 != "Your account" {
			w.Errorf("signed in: %d %q", other.page.status, other.page.h1)
		}

		w.clock.Advance(21 * time.Minute)
		w.mails()
		b = w.browser()
		b.visit("/recover")
		b.submit("username", "ada")
		b.open(w.linkIn(w.mailTo("ada@example.com")))
		if b.submit(chosen("violet hammock 7 teacups drifting", "otp", "", "recovery_code", strings.ToUpper(recovery[0]))...); b.page.url.Path != "/login" || w.record(u).RecoveryCodes != 9 {
			w.Errorf("with a recovery code: %d %q", b.page.status, b.page.h1)
		}
	})
}

func TestRecoveryIsAnsweredAlikeWhoeverIsAskedFor(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		disabled := w.user("gone")
		w.must(w.provider.People().Disable(w.Context(), disabled.ID, account.By{Actor: "test"}))
		w.mails()
		ask := func(name string) (page, string) {
			w.clock.Advance(10 * time.Minute)
			b := w.browser()
			b.visit("/recover")
			return b.submit("username", name), w.lettersTo()
		}
		known, told := ask("ada")
		if !strings.HasPrefix(told, "ada@example.com: ") {
			w.Errorf("ada is told %s", told)
		}
		for _, name := range []string{"nobody", "nobody@example.com", "gone", "<script>", strings.Repeat("x", 400)} {
			other, told := ask(name)
			alike(w, known, other)
			if told != "" {
				w.Errorf("%s: %s", name, told)
			}
		}
	})
}

func TestSomebodyWhoAsksTooOftenWaits(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		for _, path := range []string{"/recover", "/account/email"} {
			b := w.browser()
			name, value := "username", "ada"
			if path != "/recover" {
				w.clock.Advance(2 * time.Hour)
				b, name, value = w.home("ada", ""), "email", "ada@example.org"
				w.mails()
			}
			for range 3 {
				b.visit(path)
				if b.submit(name, value); b.page.status != http.StatusOK {
					w.Fatalf("%s: %d %q", path, b.page.status, b.page.h1)
				}
			}
			b.visit(path)
			if p := b.submit(name, value); p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") == "" || !p.says("Too many attempts", `value="`+value+`"`) {
				w.Errorf("%s, the fourth: %d\n%s", path, p.status, p.raw)
			}
			if n := len(w.mails()); n != 3 {
				w.Errorf("%s: %d mails", path, n)
			}
		}
	})
}

func TestAResetLinkDiesWithWhatItWasSentFor(t *testing.T) {
	each(t, func(w *world) {
		for name, act := range map[string]func(u storage.User){
			"another_address": func(u storage.User) {
				u.Email = "other@example.net"
				_, err := w.provider.People().Update(w.Context(), u, account.By{Actor: "test"})
				w.must(err)
			},
			"disabled": func(u storage.User) {
				w.must(w.provider.People().Disable(w.Context(), u.ID, account.By{Actor: "test"}))
			},
			"deleted": func(u storage.User) {
				w.must(w.provider.People().Delete(w.Context(), u.ID, account.By{Actor: "test"}))
			},
			"late": func(storage.User) { w.clock.Advance(30 * time.Minute) },
		} {
			w.clock.Advance(time.Hour)
			u := w.user(name)
			b := w.browser()
			b.visit("/recover")
			b.submit("username", name)
			link := w.linkIn(w.mailTo(name + "@example.com"))
			b.open(link)
			action, values := b.fields(chosen(newPassword)...)
			hash := w.record(u).PasswordHash
			act(u)
			b.send(action, values)
			b.lapsed(name+", sent", "/recover")
			b.open(link)
			b.lapsed(name+", opened", "/recover")
			if found, err := w.store.FindUser(w.Context(), u.ID); err == nil && found.PasswordHash != hash {
				w.Errorf("%s: the password is another", name)
			}
		}
	})
}

func TestOfTwoLinksTheSecondDiesWithTheFirst(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		var links [2]string
		b := w.browser()
		for i := range links {
			b.visit("/recover")
			b.submit("username", "ada")
			links[i] = w.linkIn(w.mailTo("ada@example.com"))
		}
		b.open(links[1])
		b.submit(chosen(newPassword)...)
		b.open(links[0])
		b.lapsed("the other", "/recover")
	})
}
