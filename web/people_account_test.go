package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// What people change of their accounts by mail, take with them, and leave behind.

func TestAnAddressIsChangedByTheLinkThatWasSentToIt(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		secret, _ := w.enrol(u)
		w.mails()
		b := w.home("ada", secret)
		w.mails()
		if p := b.at("/account/email"); !p.says("ada@example.com", "verified") || p.offers("verify", "") {
			w.Errorf("the page says\n%s", p.raw)
		}
		for value, reason := range map[string]string{"nobody": "That is no email address", "ada@example.com": "your address already"} {
			if p := b.submit("email", value); p.status != 422 || !p.says(reason) {
				w.Errorf("%s: %d\n%s", value, p.status, p.raw)
			}
		}
		if p := b.submit("email", "ada@example.org"); p.url.Path != "/account/email" || !p.says("a mail with a link is on its way", "ada@example.com") || w.record(u).User.Email != "ada@example.com" {
			w.Errorf("asked: %d at %s", p.status, p.url)
		}
		link := w.linkIn(w.mailTo("ada@example.org"))
		w.clock.Advance(15 * time.Minute) // the proof of who it is, is too old by now
		if p := b.open(link); !p.asks("password") || w.record(u).User.Email != "ada@example.com" {
			w.Fatalf("the link leads to %s: %d %q", p.url, p.status, p.h1)
		}
		if b.prove("ada", secret); b.page.h1 != "Is this your address?" || !b.page.says("ada@example.com", "ada@example.org") {
			w.Fatalf("proven, it goes on at %s: %d %q", b.page.url, b.page.status, b.page.h1)
		}
		w.mails()
		if p := b.submit(); p.url.Path != "/account/email" || !p.says("That is your email address now", "ada@example.org") {
			w.Fatalf("confirmed: %d at %s", p.status, p.url)
		}
		if got := w.record(u).User; got.Email != "ada@example.org" || !got.EmailVerified {
			w.Errorf("it is %s, verified %v", got.Email, got.EmailVerified)
		}
		told := map[string]bool{}
		for _, m := range w.mails() {
			told[m.To] = true
		}
		if !told["ada@example.com"] || !told["ada@example.org"] || len(told) != 2 {
			w.Errorf("told are %v", told)
		}
		b.open(link)
		b.lapsed("used", "/account/email")
		fresh := w.browser()
		fresh.visit("/account")
		if fresh.signIn("ada@example.org"); !fresh.page.asks("otp") {
			w.Errorf("the new address does not sign in: %d", fresh.page.status)
		}
	})
}

func TestALinkForAnAddressServesWhoseItIsAlone(t *testing.T) {
	each(t, func(w *world) {
		ada, eve := w.user("ada"), w.user("eve")
		b, other := w.home("ada", ""), w.home("eve", "")
		w.mails()
		b.at("/account/email")
		b.submit("email", "ada@example.org")
		link := w.linkIn(w.mailTo("ada@example.org"))
		other.open(link)
		other.lapsed("another person's", "/account/email")
		b.open(link)
		action, values := b.fields()
		values.Set("form_token", other.token("/account/email"))
		other.send(action, values)
		other.lapsed("sent by another person", "/account/email")
		if w.record(ada).User.Email != "ada@example.com" || w.record(eve).User.Email != "eve@example.com" {
			w.Error("an address has changed")
		}

		// An address that is somebody's: the same answer, and its owner is told.
		free := b.page
		b.at("/account/email")
		b.submit("email", "eve@example.com")
		taken := b.page
		w.clock.Advance(20 * time.Minute)
		m := w.mailTo("eve@example.com")
		if strings.Contains(m.Text, "sml_") {
			w.Errorf("the owner is sent a link:\n%s", m.Text)
		}
		b.visit("/account/email")
		b.prove("ada", "")
		b.at("/account/email")
		b.submit("email", "free@example.com")
		free = b.page
		if free.status != taken.status || free.withoutTokens() != taken.withoutTokens() {
			w.Error("the answers differ")
		}
	})
}

func TestAnAddressThatWasNeverProvenIsProvenFromThePage(t *testing.T) {
	solo(t, func(w *world) {
		u, err := w.provider.People().Create(w.Context(), storage.User{Username: "ada", Email: "ada@example.com"}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
		w.must(err)
		b := w.home("ada", "")
		w.mails()
		if p := b.at("/account/email"); !p.says("not verified") || !p.offers("verify", "yes") {
			w.Fatalf("the page says\n%s", p.raw)
		}
		b.submit("verify", "yes")
		if b.open(w.linkIn(w.mailTo("ada@example.com"))); b.page.says("Until now") {
			w.Error("the page tells of another address")
		}
		if b.submit(); !w.record(u).User.EmailVerified {
			w.Errorf("it is not verified: %d %q", b.page.status, b.page.h1)
		}
	})
}

func TestAnAccountIsDeletedAfterAWhileUnlessThePersonKeepsIt(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		w.mails()
		b.at("/account/delete")
		_, values := b.fields("sure", "yes")
		if p := b.send("/account/delete", edited(values, "sure", "")); p.status != 422 || !p.says("Tick the box") {
			w.Errorf("unsure: %d", p.status)
		}
		b.at("/account/delete")
		if p := b.submit("sure", "yes"); p.url.Path != "/account" || !p.says("will be deleted", "2026-12-06", "Keep my account") {
			w.Fatalf("asked: %s %d\n%s", p.url, p.status, p.raw)
		}
		w.mailTo("ada@example.com")
		for path := range accountPages {
			if p := b.at(path); !p.offers("withdraw", "deletion") {
				w.Errorf("%s does not offer to keep the account", path)
			}
		}
		if p := b.at("/account/delete"); p.asks("sure") {
			w.Error("it may be asked for twice")
		}
		if p := b.send("/account/delete", values); p.url.Path != "/account" || len(w.mails()) != 0 { // in another tab
			w.Errorf("asked twice: %s %d", p.url, p.status)
		}
		w.clock.Advance(13 * 24 * time.Hour)
		b = w.home("ada", "")
		w.mails()
		if p := b.submit("withdraw", "deletion"); p.url.Path != "/account" || !p.says("Your account stays") || p.offers("withdraw", "deletion") {
			w.Errorf("kept: %s %d", p.url, p.status)
		}
		w.mailTo("ada@example.com")
		w.clock.Advance(20 * 24 * time.Hour)
		if n, err := w.provider.People().EraseRipe(w.Context()); n != 0 || err != nil {
			w.Errorf("%d are deleted all the same: %v", n, err)
		}
		b = w.home("ada", "")
		b.at("/account/delete")
		b.submit("sure", "yes")
		w.clock.Advance(14*24*time.Hour + time.Second)
		if n, err := w.provider.People().EraseRipe(w.Context()); n != 1 || err != nil {
			w.Fatalf("%d are deleted: %v", n, err)
		}
		if p := b.visit("/account"); !p.asks("password") {
			w.Error("who is deleted is signed in")
		}
		if _, err := w.store.FindUser(w.Context(), u.ID); err == nil {
			w.Error("the user is there")
		}
		w.mails()
	})
}

func TestARecoveryThatIsUnderWayIsStoppedFromEveryPage(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		w.enrol(u) // signed in before, and not asked for it at the overview
		w.mails()
		_, err := w.store.IssueTicket(w.Context(), storage.Ticket{ID: storage.ID{7}, Kind: storage.TicketRecovery, UserID: u.ID}, 72*time.Hour, 24*time.Hour, storage.Also{})
		w.must(err)
		for _, path := range []string{"/account", "/account/profile", "/account/sessions", "/account/apps", "/account/events"} {
			if p := b.at(path); !p.offers("withdraw", "recovery") || !p.says("2026-11-25") {
				w.Errorf("%s does not offer to stop it", path)
			}
		}
		if p := b.submit("withdraw", "recovery"); p.url.Path != "/account" || !p.says("your second factor stays") || p.offers("withdraw", "recovery") {
			w.Errorf("stopped: %s %d", p.url, p.status)
		}
		if m := w.mailTo("ada@example.com"); m.To == "" || !strings.Contains(w.kinds(u), "user.recovery_withdrawn") {
			w.Errorf("told is %+v", m)
		}
	})
}

func TestOnesDataIsAFileWithoutSecrets(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		secret, codes := w.enrol(u)
		c := w.relying()
		b := w.browser()
		b.through(c, "ada", secret, "scope", "openid email offline_access")
		b = w.browser()
		b.visit("/account/data")
		b.signIn("ada")
		b.submit("otp", b.code(secret), "remember", "yes")
		if b.page.h1 != "Download your data" {
			w.Fatalf("%s %d %q", b.page.url, b.page.status, b.page.h1)
		}
		p := b.submit()
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Content-Disposition": `attachment; filename="signet-account.json"`, "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
		} {
			if got := p.header.Get(name); got != want {
				w.Errorf("%s is %q", name, got)
			}
		}
		var file struct {
			Subject        string           `json:"sub"`
			Claims         map[string]any   `json:"claims"`
			Authenticators []map[string]any `json:"authenticators"`
			Codes          int              `json:"recovery_codes_left"`
			Sessions       []map[string]any `json:"sessions"`
			Remembered     []map[string]any `json:"remembered_browsers"`
			Apps           []map[string]any `json:"apps"`
			Events         []map[string]any `json:"events"`
		}
		if err := json.Unmarshal([]byte(p.raw), &file); err != nil || p.status != http.StatusOK {
			w.Fatalf("%d %v\n%s", p.status, err, p.raw)
		}
		if file.Subject != u.ID.String() || file.Claims["email"] != "ada@example.com" || len(file.Authenticators) != 1 || file.Codes != 10 ||
			len(file.Sessions) != 2 || len(file.Remembered) != 1 || len(file.Apps) != 1 || len(file.Events) < 4 {
			w.Errorf("it holds\n%s", p.raw)
		}
		found := w.record(u)
		for _, hidden := range append(codes, secret, found.PasswordHash, "$argon2id$", password) {
			if strings.Contains(p.raw, hidden) {
				w.Errorf("it holds %s", hidden)
			}
		}
		if p := b.once("/account/data", nil); p.header.Get("Content-Type") == "application/json" {
			w.Error("GET begins the download")
		}
	})
}
