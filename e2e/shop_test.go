package e2e

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// shop is a client with a page of its own to which people come back: GET and POST /cb show what Signet answered, /bye is where
// one is sent after signing out, and /front is loaded in a frame when a session ends.
type shop struct {
	registered
	URL    string // its origin: at localhost, so that a Signet at 127.0.0.1 is another site
	config oauth2.Config
	told   chan url.Values // what /front was loaded with: the page for front-channel logout
}

// openShop registers a client of the authorization code flow, with further flags in which SHOP is its origin, and opens its pages.
func openShop(t testing.TB, n *node, flags ...string) *shop {
	t.Helper()
	page := template.Must(template.New("").Parse(`<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"></head>` +
		`<body><main><h1>Shop</h1><p id="method">{{.Method}}</p><p id="answer">{{.Form.Encode}}</p></main></body></html>`))
	s := &shop{told: make(chan url.Values, 1)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if r.URL.Path == "/front" {
			s.told <- r.Form
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, r)
	}))
	t.Cleanup(server.Close)
	s.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for i := range flags {
		flags[i] = strings.ReplaceAll(flags[i], "SHOP", s.URL)
	}
	s.registered = createClient(t, n.env, append([]string{
		"--name", "The Shop", "--grant-type", "authorization_code", "--grant-type", "refresh_token", "--scope", "openid profile email offline_access",
		"--redirect-uri", s.URL + "/cb", "--post-logout-redirect-uri", s.URL + "/bye",
	}, flags...)...)
	s.config = oauth2.Config{
		ClientID: s.ID, ClientSecret: s.Secret, RedirectURL: s.URL + "/cb", Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: n.URL + "/oauth2/authorize", TokenURL: n.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	return s
}

// ask is the address of an authorization request with these further parameters, two and two; one whose value is "" is left out.
func (s *shop) ask(verifier string, parameters ...string) string {
	u, err := url.Parse(s.config.AuthCodeURL("state of the shop", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		panic(err) // the address is this file's own
	}
	q := u.Query()
	for i := 0; i < len(parameters); i += 2 {
		q.Del(parameters[i])
		if parameters[i+1] != "" {
			q.Set(parameters[i], parameters[i+1])
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// answered is what the tab, which is back at the shop, was given.
func (b *tab) answered(s *shop) url.Values {
	b.t.Helper()
	b.arrive(s.URL + "/cb")
	q, err := url.ParseQuery(b.text("#answer"))
	if err != nil {
		b.t.Fatal(err)
	}
	return q
}
