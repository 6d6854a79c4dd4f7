package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"
)

// elsewhereStory: somebody signs a browser out from another one, and takes back what an app has: its tokens are dead at once.
func elsewhereStory(t *testing.T, w *town, user string, open func() *tab) {
	address := user + "@example.com"
	createUser(t, w.env, user, "--email", address)
	s, b, other := openShop(t, w.node), open(), open()
	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier, "scope", "openid offline_access"))
	b.signIn(user, password)
	b.decide("allow")
	token, err := s.config.Exchange(t.Context(), b.answered(s).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil || token.RefreshToken == "" {
		t.Fatalf("%+v, %v", token, err)
	}
	if told := w.mail.wait(t, address, "A new sign-in to your account"); !strings.Contains(told.Text, "192.0.2.") {
		t.Errorf("the mail does not say from where:\n%s", told.Text)
	}

	other.visit(w.URL + "/account")
	other.signIn(user, password)
	other.wantHeading("Your account")
	b.visit(w.URL + "/account/sessions")
	b.press("li button[name=end]")
	b.wantDone("You are signed out there")
	other.visit(w.URL + "/account")
	other.wantHeading("Sign in")
	other.visit(s.ask(oauth2.GenerateVerifier()))
	other.wantHeading("Sign in")

	if !introspect(t, w.URL, s.registered, token.AccessToken).Active {
		t.Error("signing out elsewhere ended what the app has from here")
	}
	b.visit(w.URL + "/account/apps")
	b.press("button[name=app]")
	b.wantDone("The app is disconnected")
	if introspect(t, w.URL, s.registered, token.AccessToken).Active {
		t.Error("the access token outlives the connection")
	}
	if introspect(t, w.URL, s.registered, token.RefreshToken).Active {
		t.Error("the refresh token outlives the connection")
	}
	refused(t, refresh(t, w.URL, s.registered, token.RefreshToken), "the refresh token of an app that was disconnected")
}

// emailStory: somebody changes their address. The link in the mail to the new one asks who they are where nobody is signed in, and
// both addresses are told.
func emailStory(t *testing.T, w *town, user string, open func() *tab) {
	old, fresh := user+"@old.example", user+"@new.example"
	createUser(t, w.env, user, "--email", old)
	b := open()
	b.visit(w.URL + "/account/email")
	b.signIn(user, password)
	b.wantHeading("Email address")
	b.look("account-email")
	b.enter("email", "no address")
	b.wantProblem("That is no email address")
	b.enter("email", fresh)
	b.wantDone("a mail with a link is on its way")
	b.look("account-email-asked")
	if shown := w.shown(t, user); shown.Email != old {
		t.Errorf("before the link was opened the address is %+v", shown)
	}
	link := w.mail.wait(t, fresh, "Confirm your new email address").link(t)

	b = open()
	b.land(link)
	b.wantHeading("Sign in")
	b.signIn(user, password)
	b.wantHeading("Is this your address?")
	if text := b.text("dl"); !strings.Contains(text, old) || !strings.Contains(text, fresh) {
		t.Errorf("the page does not name the addresses\nat %s", b.where())
	}
	b.look("account-email-confirm")
	b.press("main button[type=submit]")
	b.wantDone("That is your email address now")
	for _, to := range []string{old, fresh} {
		w.mail.wait(t, to, "The email address of your account was changed")
	}
	if shown := w.shown(t, fresh); shown.Email != fresh || !shown.Verified {
		t.Errorf("the address is %+v", shown)
	}
	b.visit(link)
	b.wantHeading("This link does not work any more")
}

// leaveStory: somebody takes their data, asks for the account's deletion, and thinks better of it.
func leaveStory(t *testing.T, w *town, user string, open func() *tab) {
	address := user + "@example.com"
	createUser(t, w.env, user, "--email", address)
	b := open()
	b.visit(w.URL + "/account/data")
	b.signIn(user, password)
	b.wantHeading("Download your data")
	b.look("account-data")
	var data struct {
		Issuer string         `json:"issuer"`
		Claims map[string]any `json:"claims"`
	}
	if raw := b.download(); json.Unmarshal(raw, &data) != nil || data.Issuer != w.URL || data.Claims["email"] != address {
		t.Errorf("the data are %s", raw)
	}

	b.visit(w.URL + "/account/delete")
	b.wantHeading("Delete your account")
	b.look("account-delete")
	b.tap("input[name=sure]")
	b.press("main form:has(input[name=sure]) button[type=submit]")
	b.wantDone("Your account will be deleted")
	b.look("account-deletion")
	w.mail.wait(t, address, "Your account is about to be deleted")

	b = open()
	b.visit(w.URL + "/account/profile")
	b.signIn(user, password)
	b.wantHeading("Profile")
	b.press("button[name=withdraw]")
	b.wantDone("Your account stays")
	if b.has(".pending") {
		t.Errorf("it is pending still\nat %s", b.where())
	}
	w.mail.wait(t, address, "Your account stays")
}

// download sends the form that answers with a file, as the browser does: that would put the file where tests do not look.
func (b *tab) download() []byte {
	b.t.Helper()
	at := b.location()
	token := see(b, chromedp.Evaluate[string](`document.querySelector("main input[name=form_token]").value`))
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, at, strings.NewReader(url.Values{"form_token": {token}}.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range b.cookies(at) {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	origin := *r.URL
	origin.Path = ""
	r.Header.Set("Origin", origin.String())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		b.t.Errorf("the download is %d %v: %v", resp.StatusCode, resp.Header, err)
	}
	return raw
}
