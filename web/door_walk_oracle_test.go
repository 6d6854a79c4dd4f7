package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

const (
	halfLife  = 10 * time.Minute    // how long a password waits for its second factor
	askLife   = 30 * time.Minute    // how long a request may be gone on with
	knownLife = 30 * 24 * time.Hour // how long a browser is spared the second factor
	signedOut = "You are signed out"
)

// posted notes how the last POST was answered.
type posted struct {
	next   http.RoundTripper
	status int
}

func (p *posted) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.next.RoundTrip(r)
	if err == nil && r.Method == http.MethodPost {
		p.status = response.StatusCode
	}
	return response, err
}

// get opens an address in the tab.
func (x *walk) get(t *tab, address string) {
	path, _, _ := strings.Cut(address, "?")
	t.past = append(t.past, t.page)
	if t.page.url == nil {
		t.past = nil
	}
	t.visit(address)
	x.saw(t, "GET "+path)
}

// send posts a form from the tab, and notes what was proven by it.
func (x *walk) send(t *tab, path string, values url.Values, how string) {
	from, before := t.page, t.cookies()["signet-sid"]
	t.past = append(t.past, from)
	t.path, t.sent, x.posted.status = path, values, 0
	t.browser.send(path, values)
	x.saw(t, "POST "+path+" "+how)
	moved := t.cookies()["signet-sid"] != before
	switch {
	case x.lost:
		return
	case x.posted.status != http.StatusSeeOther:
	case path == "/login" && moved && values.Get("password") == password:
		x.did(proof{kind: "password", user: values.Get("username")})
	case path == "/mfa" && moved && values.Get("otp") != "":
		x.did(proof{kind: "factor", user: "grace", remember: values.Has("remember")})
	case path == "/consent" && values.Get("decision") == "allow":
		if q := x.sealed[values.Get("tx")]; q != nil {
			allowed := proof{kind: "consent", user: x.named(x.pageOf(values.Get("form_token"))), client: x.apps[q.callback].id}
			x.did(allowed)
			x.consents = append(x.consents, x.proofs[len(x.proofs)-1])
		}
	case path == "/login/choose":
		x.did(proof{kind: "choose", user: x.nameOf(values.Get("account"))})
	}
	x.judge(t)
}

// pageOf is the page that showed the form with the token.
func (x *walk) pageOf(token string) page {
	for _, t := range x.tabs {
		for _, p := range append(t.past, t.page) {
			if slices.ContainsFunc(p.forms, func(f webForm) bool { return f.fields.Get("form_token") == token }) {
				return p
			}
		}
	}
	return page{}
}

// saw notes what the tab shows now.
func (x *walk) saw(t *tab, did string) {
	p := t.page
	x.note("tab %d: %s: %d %s %q %v", slices.Index(x.tabs[:], t), did, p.status, p.url.Path, p.h1, p.left)
	if x.lost = p.status == http.StatusServiceUnavailable; x.lost {
		return
	}
	if p.status >= http.StatusInternalServerError || p.status == http.StatusTooManyRequests && !strings.Contains(p.raw, "problem") {
		x.fatal("%s: %d", did, p.status)
	}
	if p.h1 == signedOut {
		x.did(proof{kind: "end"})
	}
	if strings.HasPrefix(did, "GET") {
		x.judge(t)
	}
}

// nameOf is who has the session that a button names.
func (x *walk) nameOf(session string) string {
	for _, t := range x.tabs {
		for _, p := range append(t.past, t.page) {
			for _, f := range p.forms {
				for _, b := range f.buttons {
					if b.value == session {
						return x.named(page{raw: b.text})
					}
				}
			}
		}
	}
	return ""
}

// judge holds the code that the tab came to, if it did, to what was proven.
func (x *walk) judge(t *tab) {
	left := t.page.left
	if left == nil {
		return
	}
	q, to := left.Query(), *left
	to.RawQuery = ""
	asked := x.asked[q.Get("state")]
	if asked == nil || to.String() != asked.callback || q.Get("iss") != issuerURL {
		x.fatal("somebody was sent to %s", left)
	}
	if q.Get("code") == "" {
		return
	}
	h, err := x.mint.Parse(handle.Code, q.Get("code"))
	x.must(err)
	s, err := x.store.FindGrant(x.Context(), h.Grant)
	x.must(err)
	user := x.people[s.Grant.UserID]
	x.note("    a code for %s, %+v", user, *asked)
	if why := x.unproven(asked, s.Grant, user, s.Now); why != "" {
		x.fatal("a code although %s", why)
	}
	x.count(asked, s.Grant, user)
}

// unproven says what a code lacks, "" for nothing.
func (x *walk) unproven(q *wish, g storage.Grant, user string, now time.Time) string {
	ended := 0 // whatever was proven before the last end of all sessions counts no more
	for i, p := range x.proofs {
		if p.kind == "end" {
			ended = i + 1
		}
	}
	since := func(kind string, from time.Time) bool {
		return slices.ContainsFunc(x.proofs[ended:], func(p proof) bool { return p.kind == kind && p.user == user && !p.at.Before(from) })
	}
	anew := strings.Contains(q.prompt, "login") || q.maxAge == 0
	fresh := !g.AuthTime.Before(q.began)
	switch {
	case !slices.ContainsFunc(x.proofs[ended:], func(p proof) bool {
		return p.kind == "password" && p.user == user && p.at.Equal(g.AuthTime) && (user == "ada" || x.completed(p, ended) || x.spared(p))
	}):
		return "nobody signed in as " + user + " at " + g.AuthTime.String()
	case g.ClientID != x.apps[q.callback].id:
		return "another app asked"
	case anew && !fresh:
		return "the sign-in is older than the request that asks for a new one"
	case q.maxAge >= 0 && !fresh && now.Sub(g.AuthTime) > time.Duration(q.maxAge)*time.Second:
		return "the sign-in is older than max_age"
	case q.mfa && g.ACR != "urn:signet:acr:mfa":
		return "no second factor is claimed"
	case g.ACR == "urn:signet:acr:mfa" && !since("factor", time.Time{}), q.mfa && anew && !since("factor", q.began):
		return "no second factor was given"
	case q.prompt == "select_account" && !since("choose", q.began) && !since("password", q.began):
		return "nobody chose the account"
	case q.prompt == "none" && !now.Equal(q.began):
		return "prompt=none took its time"
	case now.Sub(q.began) > askLife:
		return "the request is too old"
	}
	return x.unallowed(q, g, user)
}

// unallowed says what consent is missing, "" for none.
func (x *walk) unallowed(q *wish, g storage.Grant, user string) string {
	if q.callback != callback && !strings.Contains(q.prompt, "consent") { // of the house
		return ""
	}
	kept, err := x.store.FindConsent(x.Context(), g.UserID, g.ClientID)
	switch {
	case err != nil:
		return "nobody consented"
	case strings.Contains(q.prompt, "consent") && kept.GivenAt.Before(q.began):
		return "the consent is older than the request that asks for a new one"
	case !slices.ContainsFunc(x.consents, func(p proof) bool { return p.user == user && p.client == g.ClientID && p.at.Equal(kept.GivenAt) }):
		return "it was not " + user + " who consented at " + kept.GivenAt.String()
	}
	return ""
}

// completed reports whether the second factor followed the password in time, in the same session.
func (x *walk) completed(password proof, ended int) bool {
	return slices.ContainsFunc(x.proofs[ended:], func(p proof) bool {
		return p.kind == "factor" && p.user == password.user && !p.at.Before(password.at) && p.at.Sub(password.at) < halfLife
	})
}

// spared reports whether the browser was remembered when the password was given. Signing out does not change that.
func (x *walk) spared(password proof) bool {
	return slices.ContainsFunc(x.proofs, func(p proof) bool {
		return p.kind == "factor" && p.remember && p.user == password.user && p.at.Before(password.at) && password.at.Sub(p.at) < knownLife
	})
}

// count notes what kind of request was granted.
func (x *walk) count(q *wish, g storage.Grant, user string) {
	x.codes[user]++
	x.codes[map[bool]string{true: "other", false: "house"}[q.callback == callback]]++
	for _, prompt := range strings.Fields(q.prompt) {
		x.codes[prompt]++
	}
	if q.maxAge >= 0 {
		x.codes["max_age"]++
	}
	if q.mfa {
		x.codes["mfa"]++
	}
	if user == "grace" && g.ACR != "urn:signet:acr:mfa" {
		x.codes["remembered"]++
	}
}

func (x *walk) note(format string, args ...any) {
	x.trace = append(x.trace, fmt.Sprintf(format, args...))
}

func (x *walk) fatal(format string, args ...any) {
	x.Helper()
	x.Fatalf("%s; alone: -run RandomWalk -walks=1 -first-walk=%d\n%s", fmt.Sprintf(format, args...), x.number, strings.Join(x.trace, "\n"))
}

func (x *walk) did(p proof) {
	p.at = x.clock.Now()
	x.proofs = append(x.proofs, p)
	x.note("    %s %s %s", p.kind, p.user, p.client)
}

// named says whose name the page shows.
func (x *walk) named(p page) string {
	var names []string
	for _, name := range x.people {
		if strings.Contains(p.raw, "Test "+name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
