package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// at opens a page of the person's own, which must show itself.
func (b *browser) at(path string) page {
	b.Helper()
	p := b.visit(path)
	if p.status != http.StatusOK || p.url.Path != path || p.h1 == "" {
		b.Fatalf("%s leads to %s: %d %q\n%s", path, p.url, p.status, p.h1, p.raw)
	}
	return p
}

// home signs a person in at their own account, with the second factor where they are asked for one.
func (w *world) home(username, secret string) *browser {
	w.Helper()
	b := w.browser()
	b.visit("/account")
	b.prove(username, secret)
	if b.page.url.Path != "/account" || b.page.status != http.StatusOK {
		w.Fatalf("signed in, %s is at %s: %d %q", username, b.page.url, b.page.status, b.page.h1)
	}
	return b
}

// prove answers the sign-in page, and the page of the second factor after it.
func (b *browser) prove(username, secret string) page {
	b.Helper()
	if b.page.asks("password") && b.page.asks("username") {
		b.signIn(username)
	}
	if b.page.asks("otp") {
		b.submit("otp", b.code(secret))
		b.clock.Advance(31e9)
	}
	return b.page
}

// fields are what the page's form with this field or button would send, filled in.
func (b *browser) fields(pairs ...string) (string, url.Values) {
	b.Helper()
	for _, f := range b.page.forms {
		if f.takes(pairs) {
			return f.action, f.filled(pairs)
		}
	}
	b.Fatalf("no form of %s takes %q:\n%s", b.page.url, pairs, b.page.raw)
	return "", nil
}

var (
	shownSeed  = regexp.MustCompile(`<p class="key"><code>([A-Z2-7 ]+)</code>`)
	shownCode  = regexp.MustCompile(`<li><code>([0-9a-z-]{34})</code></li>`)
	shownThing = regexp.MustCompile(`<button type="submit" name="(remove|forget|end|app)" value="([^"]+)"`)
)

// seed is the secret that the page shows for an authenticator.
func (b *browser) seed() string {
	b.Helper()
	found := shownSeed.FindStringSubmatch(b.page.raw)
	if found == nil {
		b.Fatalf("%s shows no seed: %d %q\n%s", b.page.url, b.page.status, b.page.h1, b.page.raw)
	}
	return strings.ReplaceAll(found[1], " ", "")
}

// codes are the recovery codes that the page shows.
func (p page) codes() (codes []string) {
	for _, found := range shownCode.FindAllStringSubmatch(p.raw, -1) {
		codes = append(codes, found[1])
	}
	return codes
}

// things are the IDs that the page has buttons of that name for.
func (p page) things(name string) (ids []string) {
	for _, found := range shownThing.FindAllStringSubmatch(p.raw, -1) {
		if found[1] == name {
			ids = append(ids, found[2])
		}
	}
	return ids
}

// says reports whether the page has all the texts.
func (p page) says(texts ...string) bool {
	for _, text := range texts {
		if !strings.Contains(p.raw, text) {
			return false
		}
	}
	return true
}

// setUp gives the person an authenticator at their own account, and returns its seed and the recovery codes that were shown.
func (b *browser) setUp(name string) (secret string, recovery []string) {
	b.Helper()
	b.at("/account/factors")
	b.submit("name", name)
	secret = b.seed()
	b.submit("otp", b.code(secret))
	recovery = b.page.codes()
	if len(recovery) > 0 {
		b.submit("kept", "yes")
	}
	b.clock.Advance(31e9)
	if b.page.url.Path != "/account" || !b.page.says("Your authenticator is set up") {
		b.Fatalf("after setting it up: %s %d %q\n%s", b.page.url, b.page.status, b.page.h1, b.page.raw)
	}
	return secret, recovery
}

// record is all that is kept of a person's proofs.
func (w *world) record(u storage.User) storage.SignIn {
	w.Helper()
	found, err := w.store.FindUser(w.Context(), u.ID)
	w.must(err)
	return found
}

func (w *world) kinds(u storage.User) string {
	w.Helper()
	events, err := w.store.ListEvents(w.Context(), storage.EventFilter{UserID: u.ID, Limit: 100})
	w.must(err)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, " ")
}
