package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
	"github.com/signet-idp/signet/storage/sqlite/sqlitetest"
	"github.com/signet-idp/signet/web"
	"github.com/signet-idp/signet/web/pages"
)

const (
	issuer   = "https://id.example"
	callback = "https://app.example/cb"
	password = "correct horse battery staple 17"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// world is an issuer on a real store with a clock that the test moves, and one person's browser without JavaScript.
type world struct {
	*testing.T
	store    storage.Store
	provider *provider.Provider
	server   *httptest.Server
	mu       sync.Mutex
	now      time.Time
	client   *http.Client
	shown    shown
}

// shown is what the browser was answered.
type shown struct {
	status   int
	url      *url.URL
	header   http.Header
	raw      string
	h1       string
	fields   url.Values // of the first form
	location string
}

// made is what every world needs and takes long to make.
var made = struct {
	sync.Mutex
	rows []storage.Key
	text string
	book *pages.Book
}{text: keys.GenerateSecretKey()}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.Path(t), Clock: w.clock})
	w.must(err)
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	sealer, err := keys.ParseSecretKeys(made.text)
	w.must(err)
	made.Lock()
	defer made.Unlock()
	if made.rows != nil {
		_, err = store.EstablishKeys(t.Context(), made.rows)
		w.must(err)
	}
	logger := slog.New(slog.DiscardHandler)
	w.provider, err = provider.New(t.Context(), provider.Config{
		Issuer: issuer, PasswordHash: account.Params{Memory: 64, Time: 1, Threads: 1}, Clock: w.clock, Logger: logger,
	}, store, sealer)
	w.must(err)
	if made.rows == nil {
		made.rows, _, err = store.ListKeys(t.Context())
		w.must(err)
	}
	if made.book == nil {
		made.book, err = pages.NewBook(issuer)
		w.must(err)
	}
	handler, err := web.New(web.Options{Provider: w.provider, Logger: logger, Secure: true, Book: made.book})
	w.must(err)
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	w.client = w.browser()
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// browser has no cookies yet, and stops at every redirect.
func (w *world) browser() *http.Client {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &http.Client{
		Jar: jar, Transport: toServer{w}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// toServer sends what is meant for the issuer to the test's server.
type toServer struct{ w *world }

func (t toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	sent.Host = r.URL.Host
	sent.URL.Scheme, sent.URL.Host = "http", strings.TrimPrefix(t.w.server.URL, "http://")
	return t.w.server.Client().Transport.RoundTrip(sent)
}

// ask sends one request, and reads what comes back.
func (w *world) ask(method, address string, form url.Values, edit ...func(*http.Request)) shown {
	w.Helper()
	base, err := url.Parse(issuer)
	w.must(err)
	at, err := base.Parse(address)
	w.must(err)
	r, err := http.NewRequestWithContext(w.Context(), method, at.String(), strings.NewReader(form.Encode()))
	w.must(err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", issuer)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, e := range edit {
		e(r)
	}
	response, err := w.client.Do(r)
	w.must(err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	w.must(err)
	w.shown = shown{status: response.StatusCode, url: at, header: response.Header, raw: string(raw), fields: url.Values{}, location: response.Header.Get("Location")}
	w.shown.read()
	return w.shown
}

// visit opens an address and follows redirects within the issuer.
func (w *world) visit(address string) shown {
	w.Helper()
	return w.follow(w.ask(http.MethodGet, address, nil))
}

// submit sends the form that is shown, with pairs for its fields and button, and follows.
func (w *world) submit(pairs ...string) shown {
	w.Helper()
	return w.follow(w.ask(http.MethodPost, w.shown.url.Path, w.filled(pairs...)))
}

func (w *world) filled(pairs ...string) url.Values {
	form := url.Values{"tx": w.shown.fields["tx"], "form_token": w.shown.fields["form_token"]}
	if device := w.shown.fields["device"]; device != nil {
		form["device"] = device
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func (w *world) follow(s shown) shown {
	w.Helper()
	for range 10 {
		if s.location == "" || !strings.HasPrefix(s.location, "/") {
			return s
		}
		if s.status != http.StatusSeeOther {
			w.Fatalf("%s redirects with %d", s.url, s.status)
		}
		s = w.ask(http.MethodGet, s.location, nil)
	}
	w.Fatalf("redirects without end, last to %s", s.location)
	return s
}

// on asserts that the page with this heading is shown.
func (w *world) on(heading string, status int) {
	w.Helper()
	if w.shown.h1 != heading || w.shown.status != status {
		w.Fatalf("%s shows %d %q, want %d %q\n%s %s", w.shown.url.Path, w.shown.status, w.shown.h1, status, heading, w.shown.location, w.shown.raw)
	}
}

func (s *shown) read() {
	root, err := html.Parse(strings.NewReader(s.raw))
	if err != nil {
		return
	}
	forms := 0
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
		}
		switch {
		case n.Type == html.ElementNode && n.Data == "h1" && n.FirstChild != nil:
			s.h1 = n.FirstChild.Data
		case n.Type == html.ElementNode && n.Data == "form":
			forms++
		case n.Type == html.ElementNode && n.Data == "input" && forms == 1:
			s.fields.Add(attributes["name"], attributes["value"])
		case n.Type == html.ElementNode && n.Data == "button" && attributes["name"] != "":
			s.fields.Add("button "+attributes["name"], attributes["value"])
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
}

func (w *world) user(name string) storage.User {
	w.Helper()
	u, err := w.provider.People().Create(w.Context(), storage.User{
		Username: name, Email: name + "@example.com", EmailVerified: true, Profile: storage.Profile{Name: "Ada of " + name},
	}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
	w.must(err)
	return u
}

// enrol gives the person a second factor.
func (w *world) enrol(u storage.User) (secret string, recovery []string) {
	w.Helper()
	secret, _, err := w.provider.People().EnrollTOTP(w.Context(), u.ID, "phone", account.By{Actor: "test"})
	w.must(err)
	recovery, err = w.provider.People().ConfirmTOTP(w.Context(), u.ID, w.code(secret), account.By{Actor: "test"})
	w.must(err)
	w.advance(30 * time.Second)
	return secret, recovery
}

func (w *world) code(secret string) string {
	w.Helper()
	code, err := account.OneTimeCode(secret, w.clock())
	w.must(err)
	return code
}

// app registers a client for the front door.
func (w *world) app(edit ...func(*storage.ClientMetadata)) storage.Client {
	w.Helper()
	m := storage.ClientMetadata{
		Name: "Bookshop", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile email phone address offline_access books:read",
		RedirectURIs: []string{callback}, TokenEndpointAuthMethod: "none", LogoURI: "https://cdn.example/logo.png",
		PolicyURI: "https://app.example/privacy", TOSURI: "https://app.example/terms", PostLogoutRedirectURIs: []string{"https://app.example/bye"},
	}
	for _, e := range edit {
		e(&m)
	}
	c, _, err := w.provider.Clients().Create(w.Context(), m, "", "test")
	w.must(err)
	return c
}

// request is the address of an authorization request; pairs add to it, replace, or with "" take away.
func request(c storage.Client, pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	v := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"the-state"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Del(pairs[i])
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return "/oauth2/authorize?" + v.Encode()
}

func (w *world) signIn(username string) shown {
	w.Helper()
	return w.submit("username", username, "password", password)
}
