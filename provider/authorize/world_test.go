package authorize

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const (
	issuer    = "https://id.example"
	good      = "correct horse battery staple"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	callback  = "https://app.example/cb?keep=1"
)

// ring is one handle key of fixed bytes.
type ring struct{ key keys.HandleKey }

func (r ring) Current() keys.HandleKey { return r.key }

func (r ring) HandleKey(number uint16) (keys.HandleKey, bool) { return r.key, number == r.key.Number }

// heard is an Observer that writes down what it is told.
type heard struct {
	sync.Mutex
	words []string
}

func (h *heard) FrontDoor(endpoint string, code oauth.Code) {
	h.Lock()
	defer h.Unlock()
	h.words = append(h.words, endpoint+" "+string(code))
}

// world is a server over a real store with a clock that is moved by hand.
type world struct {
	*Door
	store  *sqlite.Store
	people *account.People
	sealer *keys.Sealer
	heard  *heard
	now    atomic.Int64 // nanoseconds
}

func (w *world) time() time.Time      { return time.Unix(0, w.now.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.now.Add(int64(d)) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{heard: &heard{}}
	w.now.Store(time.Unix(1700000000, 0).UnixNano())
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: w.time})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	key, err := keys.NewHandleKey(1, make([]byte, 64), issuer)
	must(t, err)
	w.sealer, err = keys.ParseSecretKeys(base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	must(t, err)
	mint, limiter := handle.New(ring{key}), throttle.New(store)
	w.store = store
	w.people = account.New(store, w.sealer, account.NewHasher(2), account.Config{
		Issuer: issuer, Hash: account.Params{Memory: 64, Time: 1, Threads: 1}, Clock: w.time,
	})
	w.Door = &Door{
		Store: store, Mint: mint, Limiter: limiter, IssuerURL: issuer, Observer: w.heard,
		Clients: client.New(store, client.Config{
			Issuer: issuer, Clock: w.time,
			GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode, oauth.GrantPassword},
		}),
		Browsers: browser.New(store, mint, w.people, limiter, browser.Config{Issuer: issuer, Clock: w.time}),
		Issuer:   issue.New(issue.Config{Issuer: issuer, SigningAlg: keys.ES256}, nil, mint),
	}
	return w
}

// withRing gives the world signing keys.
func (w *world) withRing(t testing.TB) {
	t.Helper()
	signing, err := keys.OpenRing(t.Context(), w.store, w.sealer, issuer, keys.Life{Clock: w.time})
	must(t, err)
	w.Mint = handle.New(signing)
	w.Issuer = issue.New(issue.Config{Issuer: issuer, SigningAlg: keys.ES256}, signing, w.Mint)
}

// app registers a client: a public one with PKCE and refresh tokens, but for what edit changes.
func (w *world) app(t testing.TB, id string, edit func(*storage.ClientMetadata)) storage.Client {
	t.Helper()
	m := storage.ClientMetadata{
		Name: id, RedirectURIs: []string{callback}, TokenEndpointAuthMethod: oauth.AuthNone, Scope: "openid profile email offline_access notes",
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode},
		Resources:  []string{"https://api.example"},
	}
	if edit != nil {
		edit(&m)
	}
	c, _, err := w.Clients.Create(t.Context(), m, id, "cli")
	must(t, err)
	return c
}

func (w *world) user(t testing.TB, name string) storage.User {
	t.Helper()
	u, err := w.people.Create(t.Context(), storage.User{Username: name}, storage.NewSecret([]byte(good)), account.By{Actor: "cli"})
	must(t, err)
	return u
}

// enrol gives the user an authenticator, and returns what its app knows.
func (w *world) enrol(t testing.TB, u storage.User) (app string) {
	t.Helper()
	by := account.By{Actor: "cli"}
	app, _, err := w.people.EnrollTOTP(t.Context(), u.ID, "", by)
	must(t, err)
	_, err = w.people.ConfirmTOTP(t.Context(), u.ID, w.code(t, app), by)
	must(t, err)
	w.pass(30 * time.Second) // that code's step is burned
	return app
}

func (w *world) code(t testing.TB, app string) string {
	t.Helper()
	code, err := account.OneTimeCode(app, w.time())
	must(t, err)
	return code
}

// person is a browser: it keeps cookies as one does.
type person struct {
	w       *world
	cookies map[string]string
}

func (w *world) browser() *person { return &person{w, map[string]string{}} }

func (p *person) visit(t testing.TB) *browser.Visit {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer, nil)
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	v, err := p.w.Browsers.Visit(r)
	must(t, err)
	return v
}

func (p *person) take(v *browser.Visit) {
	h := http.Header{}
	v.Cookies(h)
	answer := http.Response{Header: h}
	for _, cookie := range answer.Cookies() {
		p.cookies[cookie.Name] = cookie.Value
	}
}

// begin brings an authorization request.
func (p *person) begin(t testing.TB, q url.Values) (*Passage, error) {
	t.Helper()
	v := p.visit(t)
	passage, err := p.w.Begin(t.Context(), v, params(t, q))
	p.take(v)
	return passage, err
}

// at begins and must arrive at step.
func (p *person) at(t testing.TB, step Step, q url.Values) *Passage {
	t.Helper()
	passage, err := p.begin(t, q)
	must(t, err)
	if passage.Step != step {
		t.Fatalf("step %s, want %s", passage.Step, step)
	}
	return passage
}

// resume goes on with a passage and must arrive at step.
func (p *person) resume(t testing.TB, step Step, passage *Passage) *Passage {
	t.Helper()
	v := p.visit(t)
	passage, err := p.w.Resume(t.Context(), v, passage.Sealed)
	must(t, err)
	p.take(v)
	if passage.Step != step {
		t.Fatalf("step %s, want %s", passage.Step, step)
	}
	return passage
}

func (p *person) signIn(t testing.TB, name string) {
	t.Helper()
	v := p.visit(t)
	_, err := p.w.Browsers.SignIn(t.Context(), v, "", name, storage.NewSecret([]byte(good)))
	must(t, err)
	p.take(v)
	p.w.pass(time.Second)
}

func (p *person) factor(t testing.TB, app string) {
	t.Helper()
	v := p.visit(t)
	_, err := p.w.Browsers.SecondFactor(t.Context(), v, "", v.Accounts[0], browser.Proof{Proof: account.Proof{OTP: p.w.code(t, app)}})
	must(t, err)
	p.take(v)
	p.w.pass(time.Second)
}

func (p *person) allow(t testing.TB, passage *Passage) {
	t.Helper()
	must(t, p.w.Allow(t.Context(), p.visit(t), passage))
	p.w.pass(time.Second)
}

// issue makes the code of a passage.
func (p *person) issue(t testing.TB, passage *Passage) *Returned {
	t.Helper()
	answer, err := p.w.Issue(t.Context(), p.visit(t), passage)
	must(t, err)
	return answer
}

// standing is the grant that an answer's code leads to.
func (w *world) standing(t testing.TB, answer *Returned) (storage.Standing, handle.Handle) {
	t.Helper()
	h, err := w.Mint.Parse(handle.Code, field(answer, "code"))
	must(t, err)
	s, err := w.store.FindGrant(t.Context(), h.Grant)
	must(t, err)
	return s, h
}

// post is a request of a client itself.
func post(t testing.TB, serve func(http.ResponseWriter, *http.Request) error, q url.Values) (status int, body map[string]any, err error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer, strings.NewReader(q.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	if err := serve(recorder, r); err != nil {
		return 0, nil, err
	}
	must(t, json.Unmarshal(recorder.Body.Bytes(), &body))
	return recorder.Code, body, nil
}

// query is a good authorization request of the client, but for pairs: a name and its value, "" to leave it out.
func query(clientID string, pairs ...string) url.Values {
	q := url.Values{
		"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s t/a+te&"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

func params(t testing.TB, q url.Values) oauth.Params {
	t.Helper()
	p, err := oauth.ParseParams(q.Encode())
	must(t, err)
	return p
}

// field is a response parameter, "" where it is not there.
func field(r *Returned, name string) string {
	for _, f := range r.Fields() {
		if f[0] == name {
			return f[1]
		}
	}
	return ""
}

// returned is the refusal in err that travels to the client, which must be there with this code.
func returned(t testing.TB, err error, code oauth.Code) *Returned {
	t.Helper()
	var r *Returned
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want %s to be returned", err, code)
	}
	if field(r, "error") != string(code) || field(r, "iss") != issuer {
		t.Errorf("returned %v, want %s", r.Fields(), code)
	}
	return r
}

// refused is the refusal in err that is shown on our page, which must be there with this heading; nothing travels.
func refused(t testing.TB, err error, heading Heading) *Refusal {
	t.Helper()
	var r *Refusal
	var sent *Returned
	if !errors.As(err, &r) || errors.As(err, &sent) || r.Heading != heading {
		t.Fatalf("got %v, want the page %s", err, heading)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
}

func (w *world) find(t testing.TB, id storage.ID) (storage.User, error) {
	t.Helper()
	found, err := w.store.FindUser(t.Context(), id)
	return found.User, err
}

// pushed leaves a request here and returns its request_uri.
func (w *world) pushed(t testing.TB, q url.Values) string {
	t.Helper()
	status, body, err := post(t, w.Push, q)
	must(t, err)
	uri, _ := body["request_uri"].(string)
	if status != http.StatusCreated || body["expires_in"] != 90.0 || len(body) != 2 {
		t.Fatalf("%d %v", status, body)
	}
	return uri
}
