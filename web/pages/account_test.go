package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// accountPages are the pages of a person's own, and their headings.
var accountPages = map[string]string{
	"/account": "Your account", "/account/profile": "Profile", "/account/password": "Password", "/account/factors": "Second factor",
	"/account/sessions": "Where you are signed in", "/account/apps": "Connected apps", "/account/events": "Security events",
	"/account/email": "Email address", "/account/data": "Download your data", "/account/delete": "Delete your account",
}

func TestPagesOfOnesOwnCarryTheirHeadersAndNothingOfTheirsIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	w.visit("/account")
	w.on("Sign in", 200)
	w.signIn("ada")
	for path, heading := range accountPages {
		w.visit(path)
		w.on(heading, 200)
		w.guarded(policyOf("", "", ""), "same-origin")
		if !strings.Contains(w.shown.raw, "Ada of ada") {
			t.Errorf("%s does not say whose it is", path)
		}
	}
	w.visit("/account/factors")
	w.submit("name", "Phone")
	w.on("Set up your app", 200)
	w.guarded(policyOf("", "", ""), "same-origin")
	secret := strings.ReplaceAll(between(w.shown.raw, `<p class="key"><code>`, "<"), " ", "")
	w.submit("otp", w.code(secret), "enrolment", w.shown.fields.Get("enrolment"))
	w.on("Recovery codes", 200)
	w.guarded(policyOf("", "", ""), "same-origin")
	if strings.Count(w.shown.raw, "<li><code>") != 10 {
		t.Errorf("the recovery codes are\n%s", w.shown.raw)
	}
}

func between(text, begin, end string) string {
	_, after, _ := strings.Cut(text, begin)
	before, _, _ := strings.Cut(after, end)
	return before
}

func TestPagesOfOnesOwnTakeTheirMethodsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	w.visit("/login")
	w.signIn("ada")
	for path := range accountPages {
		allow := "GET, HEAD, POST"
		if path == "/account/events" {
			allow = "GET, HEAD"
			if answer := w.ask(http.MethodPost, path, url.Values{}); answer.status != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %d", path, answer.status)
			}
		}
		if answer := w.ask(http.MethodDelete, path, nil); answer.status != http.StatusMethodNotAllowed || answer.header.Get("Allow") != allow {
			t.Errorf("DELETE %s: %d, Allow %q", path, answer.status, answer.header.Get("Allow"))
		}
		if answer := w.ask(http.MethodHead, path, nil); answer.status != http.StatusOK || answer.raw != "" {
			t.Errorf("HEAD %s: %d", path, answer.status)
		}
	}
	if answer := w.ask(http.MethodPost, "/login", url.Values{"username": {"ada"}}); answer.status != http.StatusBadRequest || answer.h1 != "There is nothing to do here" {
		t.Errorf("a sign-in that nothing began: %d %q", answer.status, answer.h1)
	}
}

func TestWhatADoneWordSaysIsOursAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	w.visit("/account")
	w.signIn("ada")
	w.visit("/account?done=password")
	if !strings.Contains(w.shown.raw, "Your password is changed") {
		t.Error("the word says nothing")
	}
	w.visit("/account?done=" + url.QueryEscape("<b>Call 555</b>"))
	if strings.Contains(w.shown.raw, "555") || strings.Contains(w.shown.raw, `role="status"`) {
		t.Error("an address puts words into our mouth")
	}
	w.visit("/account/events?before=nonsense")
	w.on("Security events", 200)
}

func TestAnEnrolmentOfAnotherTimeOrBrowserIsBegunAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	w.visit("/account/factors")
	w.signIn("ada")
	w.submit("name", "Phone")
	first := w.shown.url.String()
	for _, address := range []string{"/account/factors/new", "/account/factors/new?enrolment=stx_nonsense", "/account/factors/new?enrolment="} {
		w.visit(address)
		w.on("Second factor", 200)
	}
	w.submit("name", "Tablet") // in place of the first
	w.on("Set up your app", 200)
	w.visit(first)
	w.on("Second factor", 200)
	w.advance(5 * time.Minute)
	stolen := w.client
	w.client = w.browser()
	w.visit("/account/factors")
	w.signIn("ada")
	w.submit("name", "Mine")
	own := w.shown.url.String()
	w.client = stolen
	w.visit(own) // of the same person, in another browser
	w.on("Second factor", 200)
}
