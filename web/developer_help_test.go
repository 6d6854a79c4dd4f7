package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

// portal runs test on both engines where policy lets people have apps.
func portal(t *testing.T, policy developer.Policy, test func(w *world)) {
	t.Helper()
	eachSet(t, test, func(c *provider.Config) { c.Developers = provider.Developers{Policy: policy, Apps: 3} })
}

// admin makes an administrator who signs in with password.
func (w *world) admin(name string) storage.User {
	w.Helper()
	u, err := w.provider.People().Create(w.Context(), storage.User{Username: name, Admin: true}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
	w.must(err)
	return u
}

// appPage is the address of a page about an app; section is "" for the overview.
func appPage(section, id string) string {
	path := "/developer/app"
	if section != "" {
		path += "/" + section
	}
	return path + "?id=" + url.QueryEscape(id)
}

// atApp opens a page about an app, which must show itself.
func (b *browser) atApp(section, id string) page {
	b.Helper()
	return b.shows(b.visit(appPage(section, id)), http.StatusOK, "")
}

// shows asserts a page's status and heading; "" is any.
func (b *browser) shows(p page, status int, heading string) page {
	b.Helper()
	if p.status != status || heading != "" && p.h1 != heading {
		b.Fatalf("%s shows %d %q, want %d %q\n%s", p.url, p.status, p.h1, status, heading, p.raw)
	}
	return p
}

var (
	shownSecret = regexp.MustCompile(`<code data-copy>(scs_[A-Za-z0-9_-]+)</code>`)
	shownID     = regexp.MustCompile(`<dt>Client ID</dt><dd><code data-copy>([^<]+)</code>`)
	shownMade   = regexp.MustCompile(`name="remove" value="([^"]+)"`)
)

// register makes an app of the kind at the portal, as its owner holds it.
func (b *browser) register(kind developer.Kind, pairs ...string) app {
	b.Helper()
	b.shows(b.visit("/developer/new?kind="+string(kind)), http.StatusOK, "New app")
	return b.made(b.submit(append([]string{"client_name", "The " + string(kind)}, pairs...)...))
}

// made is the app that the page shows after it was made.
func (b *browser) made(p page) app {
	b.Helper()
	b.shows(p, http.StatusOK, "")
	found := shownID.FindStringSubmatch(p.raw)
	if found == nil {
		b.Fatalf("%s %q shows no client ID:\n%s", p.url, p.h1, p.raw)
	}
	made := app{id: found[1]}
	if secret := shownSecret.FindStringSubmatch(p.raw); secret != nil {
		made.secret = secret[1]
	}
	return made
}

// forged is a form of the page, which offers no such button, with these values.
func (b *browser) forged(path string, pairs ...string) url.Values {
	b.Helper()
	for _, f := range b.page.forms {
		if token := f.fields.Get("form_token"); token != "" && f.action == path {
			return form(append(pairs, "form_token", token)...)
		}
	}
	b.Fatalf("%s has no form for %s:\n%s", b.page.url, path, b.page.raw)
	return nil
}

// stored is the client as the table has it.
func (w *world) stored(id string) storage.Client {
	w.Helper()
	c, _, err := w.store.FindClient(w.Context(), id)
	w.must(err)
	return c
}

// events are the kinds of the audit events about a client, oldest first, with who did it.
func (w *world) eventsOf(id string) (kinds []string) {
	w.Helper()
	events, err := w.store.ListEvents(w.Context(), storage.EventFilter{ClientID: id, Limit: 100})
	w.must(err)
	for _, e := range events {
		if strings.HasPrefix(e.Kind, "client.") {
			kinds = append([]string{e.Kind + " " + e.Actor}, kinds...)
		}
	}
	return kinds
}
