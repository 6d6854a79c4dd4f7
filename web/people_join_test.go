package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
)

// How people come: the first administrator, whoever signs up, and who is invited.

func TestTheFirstAdministratorIsMadeByALinkOnceAndOfferedASecondFactor(t *testing.T) {
	eachSet(t, func(w *world) {
		people := w.provider.People()
		b := w.browser()
		if p := b.visit("/setup"); p.status != http.StatusOK || p.h1 != "A link is needed here" || !p.says("signet setup-link") || len(p.forms) != 0 {
			w.Fatalf("without a link: %d %q", p.status, p.h1)
		}
		link, _, err := people.SetupLink(w.Context(), account.By{Actor: "cli"})
		w.must(err)
		if p := b.open(link); p.h1 != "Set up this server" || p.url.Path != "/setup" {
			w.Fatalf("the link leads to %s: %d %q", p.url, p.status, p.h1)
		}
		if p := b.submit(chosen("password", "username", "root", "name", "Ada", "email", "root@example.com")...); p.status != 422 ||
			!p.says("Many people have that password", `value="root"`, `value="Ada"`, `value="root@example.com"`) || p.says(`value="password"`) {
			w.Errorf("a common password: %d\n%s", p.status, p.raw)
		}
		if p := b.submit("username", "root", "email", "root@example.com", "password", newPassword, "again", "another"); p.status != 422 || !p.says("not the same") {
			w.Errorf("two passwords: %d", p.status)
		}
		if p := b.submit(chosen(newPassword, "username", "", "email", "")...); p.status != 422 || !p.says("That username cannot be used") {
			w.Errorf("no username: %d\n%s", p.status, p.raw)
		}
		if p := b.submit(chosen(newPassword, "username", "root", "email", "nobody")...); p.status != 422 || !p.says("That is no email address") {
			w.Errorf("no address: %d\n%s", p.status, p.raw)
		}
		p := b.submit(chosen(newPassword, "username", "root", "name", "Ada", "email", "root@example.com")...)
		if p.url.Path != "/account/factors" || p.h1 != "Second factor" || !p.says("You are the administrator of this server now") {
			w.Fatalf("made, it goes on at %s: %d %q", p.url, p.status, p.h1)
		}
		root, err := people.Find(w.Context(), "root")
		w.must(err)
		if !root.User.Admin || root.User.EmailVerified || root.User.Profile.Name != "Ada" {
			w.Errorf("made is %+v", root.User)
		}
		again := w.browser()
		again.open(link)
		again.lapsed("used", "/setup")
		if _, _, err := people.SetupLink(w.Context(), account.By{Actor: "cli"}); err == nil {
			w.Error("another administrator is set up")
		}
		again.visit("/account")
		if again.signInWith("root", newPassword); again.page.h1 != "Your account" {
			w.Errorf("the password does not sign in: %d %q", again.page.status, again.page.h1)
		}
	})
}

func TestWhereAdministratorsMustHaveASecondFactorTheFirstOneEnrolsAtOnce(t *testing.T) {
	solo(t, func(w *world) {
		link, _, err := w.provider.People().SetupLink(w.Context(), account.By{Actor: "cli"})
		w.must(err)
		b := w.browser()
		b.open(link)
		if p := b.submit(chosen(newPassword, "username", "root")...); p.url.Path != "/mfa/enrol" || p.status != http.StatusOK {
			w.Errorf("it goes on at %s: %d %q", p.url, p.status, p.h1)
		}
		if p := b.visit("/account"); p.url.Path == "/account" {
			w.Error("the account is open without a second factor")
		}
	}, func(c *provider.Config) { c.SecondFactor = account.SecondFactorAdmins })
}

func TestSomebodySignsUpFromAnAppAndIsBackInItSignedIn(t *testing.T) {
	eachSet(t, func(w *world) {
		c := w.relying()
		b := w.browser()
		if p := b.visit(authorize(c, "prompt", "create")); p.url.Path != "/signup" || p.h1 != "Create an account" || !p.says("Relying Party", "/login?tx=") {
			w.Fatalf("prompt=create leads to %s: %d %q", p.url, p.status, p.h1)
		}
		if p := b.submit("email", "no address"); p.status != 422 || !p.says("That is no email address", `value="no address"`) {
			w.Errorf("no address: %d", p.status)
		}
		if p := b.submit("email", "Grace@example.org"); p.status != 200 || p.h1 != "Look into your mail" || len(p.forms) != 0 {
			w.Fatalf("asked: %d %q at %s", p.status, p.h1, p.url)
		}
		m := w.mailTo("Grace@example.org")
		if p := b.open(w.linkIn(m)); p.h1 != "Create your account" || !p.says("Grace@example.org", "Relying Party") {
			w.Fatalf("the link leads to %s: %d %q", p.url, p.status, p.h1)
		}
		w.user("taken")
		if p := b.submit(chosen(newPassword, "username", "taken", "name", "Grace")...); p.status != 422 || !p.says("Somebody has that username", `value="Grace"`) {
			w.Errorf("a username that is taken: %d", p.status)
		}
		b.submit(chosen(newPassword, "username", "", "name", "Grace Hopper")...)
		if !b.page.offers("decision", "allow") {
			w.Fatalf("joined, it goes on at %s: %d %q", b.page.url, b.page.status, b.page.h1)
		}
		b.submit("decision", "allow")
		tokens := w.exchange(c, b.page.left.Query().Get("code"))
		w.wantStrength("joined", c, tokens, acrPassword, "pwd")
		grace, err := w.provider.People().Find(w.Context(), "grace")
		w.must(err)
		if u := grace.User; u.Email != "Grace@example.org" || !u.EmailVerified || u.Admin || u.Profile.Locale != "en" || u.Profile.Name != "Grace Hopper" {
			w.Errorf("joined is %+v", u)
		}
		if more := w.mails(); len(more) != 0 {
			w.Errorf("besides: %+v", more)
		}
	}, openToAll)
}

func TestAnAccountIsMadeInAnotherBrowserThanItWasAskedForIn(t *testing.T) {
	solo(t, func(w *world) {
		asked, b := w.browser(), w.browser()
		asked.visit(authorize(w.relying(), "prompt", "create"))
		asked.submit("email", "grace@example.org")
		b.open(w.linkIn(w.mailTo("grace@example.org")))
		if b.page.says("Relying Party") {
			w.Error("another browser is told of the app")
		}
		if p := b.submit(chosen(newPassword, "username", "grace")...); p.url.Path != "/account" || !p.says("Your account is made") {
			w.Errorf("joined, it goes on at %s: %d %q", p.url, p.status, p.h1)
		}
		if p := asked.visit("/account"); !p.asks("password") {
			w.Error("the browser that asked is signed in")
		}
	}, openToAll)
}

func TestTwoTabsMakeOneAccount(t *testing.T) {
	solo(t, func(w *world) {
		b := w.browser()
		b.visit("/signup")
		b.submit("email", "grace@example.org")
		link := w.linkIn(w.mailTo("grace@example.org"))
		b.open(link)
		action, first := b.fields(chosen(newPassword, "username", "one")...)
		b.open(link)
		_, second := b.fields(chosen(newPassword, "username", "two")...)
		if p := b.send(action, first); p.h1 != "Your account" {
			w.Fatalf("the first: %d %q", p.status, p.h1)
		}
		if p := b.send(action, second); p.status != http.StatusForbidden { // the first one's session is another's
			w.Errorf("the second: %d %q", p.status, p.h1)
		}
		b.open(link)
		b.lapsed("used", "/signup")
		if _, err := w.provider.People().Find(w.Context(), "two"); err == nil {
			w.Error("there are two accounts")
		}
	}, openToAll)
}

func TestSignUpIsAnsweredAlikeWhoeverTheAddressBelongsTo(t *testing.T) {
	eachSet(t, func(w *world) {
		w.user("ada")
		ask := func(address string) (page, string) {
			b := w.browser()
			b.visit("/signup")
			return b.submit("email", address), w.lettersTo()
		}
		known, toKnown := ask("ada@example.com")
		w.clock.Advance(time.Minute)
		unknown, toUnknown := ask("eve@example.com")
		alike(w, known, unknown)
		if !strings.Contains(toKnown, "ada@example.com: ") || strings.Contains(toKnown, "sml_") {
			w.Errorf("the owner is told %s", toKnown)
		}
		if !strings.Contains(toUnknown, "eve@example.com: ") || !strings.Contains(toUnknown, "sml_") {
			w.Errorf("the newcomer is told %s", toUnknown)
		}
	}, openToAll)
}

// lettersTo delivers the mails and says to whom they went, and what was in them.
func (w *world) lettersTo() string {
	w.Helper()
	var all []string
	for _, m := range w.mails() {
		all = append(all, m.To+": "+m.Text)
	}
	return strings.Join(all, "\n")
}

// alike asserts that two answers differ in what is drawn anew each time alone.
func alike(w *world, one, other page) {
	w.Helper()
	if one.status != other.status || one.withoutTokens() != other.withoutTokens() || one.url.Path != other.url.Path {
		w.Errorf("the answers differ: %d %q %s and %d %q %s", one.status, one.h1, one.url, other.status, other.h1, other.url)
	}
	for name := range one.header {
		a, b := one.header.Values(name), other.header.Values(name)
		if name != "X-Request-Id" && name != "Date" && name != "Set-Cookie" && strings.Join(a, "|") != strings.Join(b, "|") {
			w.Errorf("the header %s differs: %q and %q", name, a, b)
		}
	}
	if len(one.header) != len(other.header) || len(one.header.Values("Set-Cookie")) != len(other.header.Values("Set-Cookie")) {
		w.Errorf("the headers differ: %v and %v", one.header, other.header)
	}
}

func TestOnlyTheInvitedSignUpWhereThatIsSo(t *testing.T) {
	eachSet(t, func(w *world) {
		b := w.browser()
		if p := b.visit("/signup"); !p.says("those who were invited") {
			w.Errorf("the page says\n%s", p.raw)
		}
		if b.submit("email", "eve@example.org"); b.page.h1 != "Look into your mail" || len(w.mails()) != 0 {
			w.Errorf("a stranger: %d %q, or a mail", b.page.status, b.page.h1)
		}
		if p := b.visit(authorize(w.relying())); p.says("/signup") {
			w.Error("the sign-in page leads to sign-up")
		}
		_, link, err := w.provider.People().Invite(w.Context(), "grace@example.org", true, account.By{Actor: "cli"})
		w.must(err)
		mailed := w.linkIn(w.mailTo("grace@example.org"))
		w.clock.Advance(31 * time.Minute)
		b.open(mailed)
		b.lapsed("31 minutes later", "/signup")
		b.visit("/signup")
		b.submit("email", "grace@example.org") // asked for again
		if p := b.open(w.linkIn(w.mailTo("grace@example.org"))); p.h1 != "Create your account" {
			w.Errorf("asked for again: %d %q", p.status, p.h1)
		}
		w.clock.Advance(6 * 24 * time.Hour)
		b = w.browser()
		b.open(link)
		if b.submit(chosen(newPassword)...); b.page.url.Path != "/account" {
			w.Fatalf("by the link that a command shows: %s %d %q", b.page.url, b.page.status, b.page.h1)
		}
		grace, err := w.provider.People().Find(w.Context(), "grace@example.org")
		w.must(err)
		if !grace.User.Admin || !grace.User.EmailVerified {
			w.Errorf("joined is %+v", grace.User)
		}
	}, invitedOnly)
}

func TestWhereSignUpIsOffThePageSaysSoAndLeadsBack(t *testing.T) {
	solo(t, func(w *world) {
		b := w.browser()
		p := b.visit(authorize(w.relying(), "prompt", "create"))
		if p.url.Path != "/login" || !p.says("New accounts cannot be made here") || p.says("/signup") {
			w.Fatalf("prompt=create leads to %s %q", p.url, p.h1)
		}
		tx := p.tx()
		for _, address := range []string{"/signup", "/signup?tx=" + tx, "/signup?sent=1"} {
			if p := b.visit(address); p.status != http.StatusForbidden || p.h1 != "New accounts cannot be made here" || len(p.forms) != 0 || !p.says(`href="/login`) {
				w.Errorf("%s: %d %q", address, p.status, p.h1)
			}
		}
		if p := b.visit("/signup?tx=stx_nonsense"); p.status != http.StatusBadRequest {
			w.Errorf("nonsense: %d %q", p.status, p.h1)
		}
	})
}
