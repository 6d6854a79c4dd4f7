package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// What keeps people's accounts from others, from other sites, and from whoever sits down at an open browser.

// acts are the changes that the pages take, each as its page, a field or button of its form, and what it sends.
func acts(others storage.ID, clientID string) map[string][]string {
	return map[string][]string{
		"/account/profile":      {"nickname", "Taken"},
		"/account/password":     {"password", "another horse battery staple 18", "again", "another horse battery staple 18"},
		"/account/factors":      {"name", "Taken"},
		"/account/factors#new":  {"codes", "new"},
		"/account/factors#gone": {"remove", others.String()},
		"/account/sessions":     {"end", others.String()},
		"/account/sessions#all": {"end", "others"},
		"/account/apps":         {"app", clientID},
		"/account/email":        {"email", "taken@example.org"},
		"/account/delete":       {"sure", "yes"},
	}
}

// guardedPages want a fresh proof.
var guardedPages = []string{"/account/password", "/account/factors", "/account/email", "/account/data", "/account/delete", "/account/passkeys"}

// state is all that the acts could change of a person.
func (w *world) state(u storage.User) string {
	w.Helper()
	found := w.record(u)
	sessions, _, err := w.store.ListSessions(w.Context(), u.ID)
	w.must(err)
	devices, err := w.store.ListDevices(w.Context(), u.ID)
	w.must(err)
	consents, err := w.store.ListConsents(w.Context(), u.ID)
	w.must(err)
	tickets, _, err := w.store.ListTickets(w.Context(), u.ID)
	w.must(err)
	text := []string{found.User.Profile.Nickname, found.PasswordHash, found.User.Email}
	for _, t := range tickets {
		text = append(text, "ticket "+t.ID.String())
	}
	for _, f := range found.Factors {
		text = append(text, "factor "+f.ID.String())
	}
	for _, s := range sessions {
		text = append(text, "session "+s.ID.String())
	}
	slices.Sort(text)
	return strings.Join(text, "\n") + strings.Repeat("\ndevice", len(devices)) + strings.Repeat("\nconsent", len(consents)) +
		strings.Repeat("\ncode", found.RecoveryCodes)
}

func TestNobodyReachesWhatIsAnotherPersons(t *testing.T) {
	each(t, func(w *world) {
		ada, eve := w.user("ada"), w.user("eve")
		adas, _ := w.enrol(ada)
		eves, _ := w.enrol(eve)
		c := w.relying()
		other := w.relying()
		a, e := w.browser(), w.furnished("eve", eves, other)
		a.visit("/account")
		a.signIn("ada")
		a.submit("otp", a.code(adas), "remember", "yes")
		w.clock.Advance(31 * time.Second)
		a.visit(authorize(c, "scope", "openid email"))
		a.submit("decision", "allow")
		before := w.state(ada)

		sessions, _, err := w.store.ListSessions(w.Context(), ada.ID)
		w.must(err)
		devices, err := w.store.ListDevices(w.Context(), ada.ID)
		w.must(err)
		if len(sessions) != 1 || len(devices) != 1 {
			t.Fatalf("%d sessions and %d remembered browsers", len(sessions), len(devices))
		}
		factor := w.record(ada).Factors[0].ID.String()
		tokens := map[string]string{}
		for _, path := range []string{"/account/sessions", "/account/factors", "/account/apps"} {
			tokens[path] = e.token(path)
		}
		for path, pairs := range map[string][]string{
			"/account/sessions":        {"end", sessions[0].ID.String()},
			"/account/sessions#others": {"end", "others"},
			"/account/factors":         {"remove", factor},
			"/account/factors#forget":  {"forget", devices[0].ID.String()},
			"/account/factors#zero":    {"forget", storage.ID{}.String()},
			"/account/apps":            {"app", c.id},
		} {
			path, _, _ = strings.Cut(path, "#")
			values := url.Values{"form_token": {tokens[path]}, pairs[0]: {pairs[1]}}
			if p := e.send(path, values); p.status != http.StatusOK || p.url.Path != path {
				t.Errorf("%s %v: %d", path, pairs, p.status)
			}
			if after := w.state(ada); after != before {
				t.Fatalf("%s %v of eve changes ada:\n%s\n%s", path, pairs, before, after)
			}
			w.clock.Advance(time.Second)
		}
		if strings.Contains(w.kinds(ada), "withdrawn") || strings.Contains(w.kinds(ada), "session.ended") {
			t.Errorf("ada's log tells of it: %s", w.kinds(ada))
		}
		a.at("/account")

		// What was begun in one browser is good in no other.
		a.at("/account/factors")
		a.submit("name", "Tablet")
		address, seed := a.page.url.String(), a.seed()
		if p := e.visit(address); p.says(seed) || p.url.Path != "/account/factors" {
			t.Errorf("another person is shown the seed: %s %q", p.url, p.h1)
		}
	})
}

// token is a form token of the page, from a page of that path that has a form.
func (b *browser) token(path string) string {
	b.Helper()
	for _, f := range b.at(path).forms {
		if token := f.fields.Get("form_token"); token != "" {
			return token
		}
	}
	b.Fatalf("%s has no form", path)
	return ""
}

// furnished is a person with a session elsewhere and a connected app, so that every page has its form.
func (w *world) furnished(username, secret string, c app) *browser {
	w.Helper()
	w.home(username, secret)
	b := w.home(username, secret)
	b.visit(authorize(c, "scope", "openid email"))
	b.submit("decision", "allow")
	return b
}

func TestWithoutAFreshProofNothingThatProvesIsChanged(t *testing.T) {
	each(t, func(w *world) {
		ada := w.user("ada")
		secret, _ := w.enrol(ada)
		b := w.home("ada", secret)
		other := w.home("ada", secret)
		factor := w.record(ada).Factors[0].ID
		b.at("/account/factors")
		b.submit("name", "Tablet")
		enrolment, seed := b.page.url.String(), b.seed()
		_, confirm := b.fields("otp", "")
		before := w.state(ada)
		forms := map[string]url.Values{}
		for path, pairs := range acts(factor, "none") {
			path, _, _ := strings.Cut(path, "#")
			if !slices.Contains(guardedPages, path) {
				continue
			}
			values := url.Values{"form_token": {b.token(path)}}
			for i := 0; i < len(pairs); i += 2 {
				values.Set(pairs[i], pairs[i+1])
			}
			forms[path+" "+pairs[0]] = values
		}
		w.clock.Advance(10*time.Minute + time.Second)
		confirm.Set("otp", w.code(seed))
		forms["/account/factors/new otp"] = confirm
		for name, values := range forms {
			path, _, _ := strings.Cut(name, " ")
			p := b.send(path, values)
			if !p.asks("password") || p.codes() != nil {
				t.Errorf("%s: %d %q at %s", name, p.status, p.h1, p.url)
			}
			if after := w.state(ada); after != before {
				t.Fatalf("%s changes something:\n%s\n%s", name, before, after)
			}
		}
		for _, path := range append([]string{enrolment}, guardedPages...) {
			if p := b.visit(path); !p.asks("password") || p.says(seed) || !p.says("Enter your password again") {
				t.Errorf("%s is open: %d %q", path, p.status, p.h1)
			}
		}
		// The password alone is half of it, and a second factor alone none; each leads on, and the last one back.
		b.visit("/account/password")
		if b.signIn("ada"); !b.page.asks("otp") {
			t.Fatalf("after the password: %q", b.page.h1)
		}
		if p := b.visit("/account/password"); !p.asks("otp") {
			t.Errorf("half a proof opens the page: %d %q", p.status, p.h1)
		}
		if b.submit("otp", b.code(secret)); b.page.url.Path != "/account/password" || b.page.h1 != "Password" {
			t.Errorf("proven it leads back to %s %q", b.page.url, b.page.h1)
		}
		for _, path := range []string{"/account", "/account/profile", "/account/sessions", "/account/apps", "/account/events"} {
			other.at(path) // these want a sign-in, however old
		}
	})
}

func TestAFormOfOnesOwnIsTakenFromItsPageItsSessionAndItsSiteAlone(t *testing.T) {
	each(t, func(w *world) {
		ada := w.user("ada")
		w.user("eve")
		c := w.relying()
		b, other := w.furnished("ada", "", c), w.furnished("eve", "", c)
		sessions, _, err := w.store.ListSessions(w.Context(), ada.ID)
		w.must(err)
		before := w.state(ada)
		for path, pairs := range acts(sessions[0].ID, c.id) {
			path, _, _ := strings.Cut(path, "#")
			good := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				good.Set(pairs[i], pairs[i+1])
			}
			foreign := "/account/profile"
			if path == foreign {
				foreign = "/account/sessions"
			}
			for name, token := range map[string]string{"no token": "", "another page's": b.token(foreign), "another person's": other.token(path)} {
				good.Set("form_token", token)
				p := b.once(path, good)
				if p.status != http.StatusForbidden || p.h1 != "This form can no longer be sent" || !p.says(`href="`+path+`"`) {
					t.Errorf("%s with %s: %d %q", path, name, p.status, p.h1)
				}
			}
			good.Set("form_token", b.token(path))
			for _, site := range []string{"cross-site", "same-site"} {
				if p := b.once(path, good, with("Sec-Fetch-Site", site)); p.status != http.StatusForbidden || p.location() != "" {
					t.Errorf("%s from a %s page: %d", path, site, p.status)
				}
			}
			for _, origin := range []string{"https://evil.example", "null"} {
				if p := b.once(path, good, with("Sec-Fetch-Site", ""), with("Origin", origin)); p.status != http.StatusForbidden {
					t.Errorf("%s from %s: %d", path, origin, p.status)
				}
			}
			if p := b.once(path+"?"+good.Encode(), nil); p.status != http.StatusOK && p.status != http.StatusSeeOther {
				t.Errorf("GET %s with the form: %d", path, p.status)
			}
			if after := w.state(ada); after != before {
				t.Fatalf("%s: something has changed:\n%s\n%s", path, before, after)
			}
		}
		w.clock.Advance(time.Hour + time.Second)
		b.at("/account/profile")
		_, old := b.fields("nickname", "Late")
		w.clock.Advance(time.Hour + time.Second)
		if p := b.once("/account/profile", old); p.status != http.StatusForbidden || w.state(ada) != before {
			t.Errorf("an hour later: %d", p.status)
		}
	})
}

func TestAFormNeverActsOnWhoeverIsCurrentInstead(t *testing.T) {
	each(t, func(w *world) {
		ada, bob := w.user("ada"), w.user("bob")
		b := w.home("bob", "")
		w.clock.Advance(time.Second)
		b.at("/account")
		b.visit(authorize(w.relying(firstParty), "prompt", "login"))
		b.signIn("ada")
		b.at("/account/password")
		if !b.page.says("Test ada") {
			t.Fatalf("the page is of another:\n%s", b.page.raw)
		}
		action, values := b.fields("password", "another horse battery staple 18", "again", "another horse battery staple 18")
		_, err := w.store.EndSessions(w.Context(), storage.SessionsOf{UserID: ada.ID}, storage.ReasonUser, storage.Also{})
		w.must(err)
		before := w.state(bob)
		p := b.once(action, values) // the cookie is as it was, and bob the current one
		if p.status != http.StatusForbidden || w.state(bob) != before {
			t.Errorf("ada's form acts on bob: %d %q", p.status, p.h1)
		}
	})
}

func TestADisabledPersonHasNoPagesOfTheirOwn(t *testing.T) {
	each(t, func(w *world) {
		ada := w.user("ada")
		b := w.home("ada", "")
		action, values := "/account/profile", url.Values{"form_token": {b.token("/account/profile")}, "nickname": {"Taken"}}
		w.must(w.provider.People().Disable(w.Context(), ada.ID, account.By{Actor: "test"}))
		if p := b.visit("/account"); !p.asks("password") || p.says("Test ada") {
			t.Errorf("shown is %d %q", p.status, p.h1)
		}
		if b.send(action, values); w.record(ada).User.Profile.Nickname != "" {
			t.Error("something was changed")
		}
	})
}

func TestWhoMustHaveASecondFactorKeepsTheLastOne(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		secret, _ := w.enrol(u)
		b := w.home("ada", secret)
		b.at("/account/factors")
		if len(b.page.things("remove")) != 0 || !b.page.says("wants a second factor from you") {
			t.Errorf("the page offers to remove it:\n%s", b.page.raw)
		}
		values := url.Values{"form_token": {b.token("/account/factors")}, "remove": {w.record(u).Factors[0].ID.String()}}
		if p := b.send("/account/factors", values); p.status != http.StatusForbidden || len(w.record(u).Factors) != 1 {
			t.Errorf("removed all the same: %d %q", p.status, p.h1)
		}
		b.setUp("Tablet")
		b.at("/account/factors")
		if ids := b.page.things("remove"); len(ids) != 2 || b.submit("remove", ids[0]).status != http.StatusOK || len(w.record(u).Factors) != 1 {
			t.Errorf("one of two cannot be removed: %v", ids)
		}
	}, func(c *provider.Config) { c.SecondFactor = account.SecondFactorAll })
}

func TestAVisitOfNobodyToAPageOfTheirOwnWritesNothing(t *testing.T) {
	solo(t, func(w *world) {
		for path := range accountPages {
			b := w.near()
			if p := b.once(path, nil); p.status != http.StatusSeeOther || !strings.HasPrefix(p.location(), "/login?tx=") {
				t.Errorf("%s: %d %s", path, p.status, p.location())
			}
			p := b.once(path, url.Values{"form_token": {"sft_x"}})
			if p.status != http.StatusSeeOther && p.status != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %d", path, p.status)
			}
		}
		events, err := w.store.ListEvents(w.Context(), storage.EventFilter{Limit: 10})
		w.must(err)
		if len(events) != 0 {
			t.Errorf("in the log: %+v", events)
		}
	})
}
