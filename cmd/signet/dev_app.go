package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// demoApp is an application of somebody else's, as far as the browser can tell: it has an origin of its own, signs people in at the
// issuer by the authorization code flow, and shows what it got.
type demoApp struct {
	remote *remote
	url    string
}

const demoAppClient = "demo-app"

// startDemoApp listens on a free loopback port until ctx ends. The port needs no registration (RFC 8252 §7.3).
func startDemoApp(ctx context.Context, o *opened, box *mailbox) (*demoApp, error) {
	_, err := o.Clients().Find(ctx, demoAppClient)
	if errors.Is(err, storage.ErrNotFound) {
		_, _, err = o.Clients().Create(ctx, storage.ClientMetadata{
			Name: "Demo App", GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, Scope: demoScope,
			RedirectURIs: []string{"http://127.0.0.1/callback"}, TokenEndpointAuthMethod: oauth.AuthNone,
		}, demoAppClient, "cli")
	}
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the demo app cannot listen: %w", err)
	}
	app := &demoApp{remote: newRemote(o.settings.IssuerURL, demoAppClient, ""), url: "http://" + listener.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", app.home)
	mux.HandleFunc("GET /sign-in", app.signIn)
	mux.HandleFunc("GET /callback", app.callback)
	mux.HandleFunc("GET /mail", box.list)
	mux.HandleFunc("GET /mail/{number}", box.rendered)
	server := newServer(listener.Addr().String(), mux, slog.New(slog.DiscardHandler))
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		defer stop()
		_ = server.Serve(listener) // ends with ctx
	}()
	return app, nil
}

func (d *demoApp) home(w http.ResponseWriter, _ *http.Request) {
	d.show(w, demoPage{Title: "Demo App", Text: "An application that knows nobody. Signet tells it who you are."})
}

// signIn sends the browser to the issuer. What the answer must bring back stays in a cookie.
func (d *demoApp) signIn(w http.ResponseWriter, r *http.Request) {
	address, err := d.remote.endpoint(r.Context(), "authorization_endpoint")
	if err != nil {
		d.fail(w, err)
		return
	}
	state, verifier := rand.Text(), rand.Text()+rand.Text()
	challenge, _ := oauth.Challenge(verifier)
	http.SetCookie(w, &http.Cookie{
		Name: "demo-app", Value: state + "." + verifier, Path: "/callback", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 1800,
	})
	query := url.Values{
		"response_type": {oauth.ResponseTypeCode}, "client_id": {demoAppClient}, "redirect_uri": {d.url + "/callback"}, "scope": {demoScope},
		"state": {state}, "code_challenge": {challenge}, "code_challenge_method": {oauth.ChallengeS256},
	}
	http.Redirect(w, r, address+"?"+query.Encode(), http.StatusSeeOther)
}

// callback exchanges the code and shows the tokens.
func (d *demoApp) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, err := r.Cookie("demo-app")
	if err != nil {
		d.fail(w, errors.New("this browser did not begin a sign-in here"))
		return
	}
	state, verifier, _ := strings.Cut(cookie.Value, ".")
	switch {
	case query.Get("state") != state || query.Get("iss") != d.remote.issuer:
		d.fail(w, errors.New("the answer belongs to another sign-in"))
		return
	case query.Get("error") != "":
		d.fail(w, fmt.Errorf("%s: %s", query.Get("error"), query.Get("error_description")))
		return
	}
	answer, err := d.remote.post(r.Context(), "token_endpoint", url.Values{
		"grant_type": {oauth.GrantAuthorizationCode}, "code": {query.Get("code")}, "redirect_uri": {d.url + "/callback"}, "code_verifier": {verifier},
	})
	if err != nil {
		d.fail(w, err)
		return
	}
	end, err := d.remote.endpoint(r.Context(), "end_session_endpoint")
	if err != nil {
		d.fail(w, err)
		return
	}
	d.show(w, demoPage{
		Title: "Signed in", Text: "This is what the application got.",
		IDToken: payloadOf(text(answer, "id_token")), Answer: pretty(answer),
		SignOut: end + "?" + url.Values{"id_token_hint": {text(answer, "id_token")}, "client_id": {demoAppClient}}.Encode(),
	})
}

// payloadOf is what a JWT says. Nothing is verified: the demo shows it and does not rely on it.
func payloadOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, payload, "", "  ") != nil {
		return ""
	}
	return out.String()
}

func pretty(v any) string {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(out)
}

func (d *demoApp) fail(w http.ResponseWriter, err error) {
	d.show(w, demoPage{Title: "Not signed in", Text: err.Error()})
}

type demoPage struct{ Title, Text, IDToken, Answer, SignOut string }

func (d *demoApp) show(w http.ResponseWriter, p demoPage) {
	page, err := template.New("").Parse(demoTemplate)
	if err != nil {
		http.Error(w, "the page is broken", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, p) // a browser that went away is no error of ours
}

const demoTemplate = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}pre{overflow:auto;padding:1rem;border:1px solid;border-radius:.5rem}</style>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{with .IDToken}}<h2>ID token</h2><pre>{{.}}</pre>{{end}}
{{with .Answer}}<h2>Token response</h2><pre>{{.}}</pre>{{end}}
<p><a href="/sign-in">Sign in with Signet</a>{{with .SignOut}} · <a href="{{.}}">Sign out</a>{{end}} · <a href="/mail">Mailbox</a></p>
</html>
`
