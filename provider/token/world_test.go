package token_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/provider/token"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const (
	issuerURL = "https://id.example"
	callback  = "https://shop.example/callback"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	codeLife  = time.Minute
)

// handClock is the hand of the store's clock: it moves when the test moves it.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is the token room over a database of its own, with what the front door would have put there.
type world struct {
	t        *testing.T
	clock    *handClock
	store    storage.Store
	clients  *client.Registry
	mint     *handle.Mint
	ring     *keys.Ring
	endpoint *token.Endpoint
	secrets  map[string]string // of confidential clients
	user     storage.ID        // Ada
}

// madeKeys are those of the first world, for all: making RSA keys takes longer than most tests.
var madeKeys = struct {
	sync.Mutex
	text string
	rows []storage.Key
}{text: keys.GenerateSecretKey()}

// openRing makes the keys, or gives the store those that another world made.
func (w *world) openRing() (*keys.Ring, *keys.Sealer) {
	w.t.Helper()
	sealer, err := keys.ParseSecretKeys(madeKeys.text)
	w.must(err)
	madeKeys.Lock()
	defer madeKeys.Unlock()
	if madeKeys.rows != nil {
		_, err = w.store.EstablishKeys(w.t.Context(), madeKeys.rows)
		w.must(err)
	}
	ring, err := keys.OpenRing(w.t.Context(), w.store, sealer, issuerURL, keys.Life{Clock: w.clock.Now})
	w.must(err)
	if madeKeys.rows == nil {
		madeKeys.rows, _, err = w.store.ListKeys(w.t.Context())
		w.must(err)
	}
	return ring, sealer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &handClock{now: time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)}, secrets: map[string]string{}}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: w.clock.Now})
	w.must(err)
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	ring, sealer := w.openRing()
	w.ring = ring
	w.mint = handle.New(w.ring)
	w.clients = client.New(store, client.Config{
		Issuer: issuerURL, GrantTypes: token.Grants(), Algorithms: w.ring.Algorithms(), Clock: w.clock.Now,
	})
	w.endpoint = &token.Endpoint{
		Store: store, Clients: w.clients, Limiter: throttle.New(store), Mint: w.mint,
		People: account.New(store, sealer, account.NewHasher(1), account.Config{Issuer: issuerURL, Clock: w.clock.Now}),
		Issuer: issue.New(issue.Config{Issuer: issuerURL, SigningAlg: keys.ES256}, w.ring, w.mint), IssuerURL: issuerURL,
		SecondFactor: account.SecondFactorOptional, Observer: token.Silent{}, Counter: token.Silent{},
	}
	w.user = w.newID()
	w.must(store.CreateUser(t.Context(), storage.User{
		ID: w.user, Username: "ada", Email: "ada@shop.example", EmailVerified: true, Logins: []string{"ada"},
		Profile: storage.Profile{Name: "Ada Lovelace", Locale: "en"},
	}, "", storage.Also{}))
	w.register("shop", func(m *storage.ClientMetadata) {})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newID() storage.ID {
	id, err := uuid.NewV7()
	w.must(err)
	return storage.ID(id)
}

// register makes a confidential client of code and device with refresh tokens and all scopes, changed by edit.
func (w *world) register(id string, edit func(*storage.ClientMetadata)) {
	w.t.Helper()
	m := storage.ClientMetadata{
		RedirectURIs: []string{callback}, Scope: "openid profile email offline_access api",
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantDeviceCode, oauth.GrantRefreshToken},
	}
	edit(&m)
	_, secret, err := w.clients.Create(w.t.Context(), m, id, "test")
	w.must(err)
	w.secrets[id] = secret
}

// update changes a client's registration.
func (w *world) update(id string, edit func(*storage.ClientMetadata)) {
	w.t.Helper()
	c, err := w.clients.Find(w.t.Context(), id)
	w.must(err)
	m := c.Metadata
	edit(&m)
	_, err = w.clients.Update(w.t.Context(), c, m, "test")
	w.must(err)
}

// code leaves a pending grant as the front door does, and returns its code. edit changes the grant before it is stored.
func (w *world) code(edit func(*storage.Grant)) (string, storage.ID) {
	w.t.Helper()
	now, secret := w.clock.Now(), handle.NewSecret()
	challenge, _ := oauth.Challenge(verifier)
	g := storage.Grant{
		ID: w.newID(), ClientID: "shop", UserID: w.user, Scope: []string{"openid", "profile", "api"}, Audience: []string{issuerURL},
		ACR: oauth.ACRPassword, AMR: []string{"pwd"}, AuthTime: now.Add(-time.Minute), Nonce: "n-0S6_WzA2Mj", State: storage.Pending,
		Pending:    &storage.Waiting{Kind: storage.WaitingCode, RedirectURI: callback, Challenge: challenge},
		SecretHash: handle.SecretDigest(secret), ExpiresAt: now.Add(codeLife), KeyID: w.mint.CurrentKey(),
	}
	if edit != nil {
		edit(&g)
	}
	g.CodeHash = handle.CodeDigest(secret, g.Pending.Challenge)
	w.must(w.store.CreateGrant(w.t.Context(), g, storage.Spend{}, storage.Also{}))
	text, err := w.mint.Handle(handle.Code, handle.Handle{Grant: g.ID, Secret: secret, Key: g.KeyID})
	w.must(err)
	return text, g.ID
}

// session starts a browser session of Ada's that ends after life.
func (w *world) session(life time.Duration) storage.ID {
	w.t.Helper()
	now := w.clock.Now()
	s := storage.Session{
		ID: w.newID(), Digest: storage.NewSecret([]byte(rand())).Digest("test"), UserID: w.user, PasswordAt: now, AuthTime: now,
		ACR: oauth.ACRPassword, AMR: []string{"pwd"}, UsedAt: now, ExpiresAt: now.Add(life),
	}
	w.must(w.store.StartSession(w.t.Context(), s, 100, storage.Spend{}, storage.Also{}))
	return s.ID
}

func rand() string { return uuid.NewString() }

// answer is what an endpoint said.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) text(member string) string { s, _ := a.body[member].(string); return s }

// post sends a form, as clientID with the secret it has, to one of the endpoints.
func (w *world) post(serve func(http.ResponseWriter, *http.Request) error, clientID string, pairs ...string) answer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	secret := w.secrets[clientID]
	if secret == "" {
		form.Set("client_id", clientID)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, issuerURL+"/x", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret))
	}
	return w.serve(serve, r)
}

func (w *world) serve(serve func(http.ResponseWriter, *http.Request) error, r *http.Request) answer {
	w.t.Helper()
	rec := httptest.NewRecorder()
	if err := serve(rec, r); err != nil {
		e := oauth.As(err)
		if e == nil {
			e = oauth.Errorf(oauth.TemporarilyUnavailable, "outage") // as the route table answers
		}
		oauth.WriteError(rec, e)
	}
	a := answer{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
			w.t.Errorf("answer %q: %v", a.raw, err)
		}
	}
	return a
}

// redeem redeems a code as the client shop would, with pairs in place of what it would send; an empty value leaves it out.
func (w *world) redeem(clientID, code string, pairs ...string) answer {
	w.t.Helper()
	form := map[string]string{
		"grant_type": oauth.GrantAuthorizationCode, "code": code, "redirect_uri": callback, "code_verifier": verifier,
	}
	for i := 0; i < len(pairs); i += 2 {
		form[pairs[i]] = pairs[i+1]
	}
	var all []string
	for name, value := range form {
		if value != "" {
			all = append(all, name, value)
		}
	}
	return w.post(w.endpoint.Token, clientID, all...)
}

func (w *world) refresh(clientID, refreshToken string) answer {
	w.t.Helper()
	return w.post(w.endpoint.Token, clientID, "grant_type", "refresh_token", "refresh_token", refreshToken)
}

// active asks introspection about an access token, as its own client.
func (w *world) active(clientID, accessToken string) bool {
	w.t.Helper()
	a := w.post(w.endpoint.Introspect, clientID, "token", accessToken)
	if a.status != http.StatusOK {
		w.t.Fatalf("introspection: %d %s", a.status, a.raw)
	}
	return a.body["active"] == true
}

func (w *world) userinfo(accessToken string) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, issuerURL+"/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return w.serve(w.endpoint.Userinfo, r)
}

func (w *world) grant(id storage.ID) storage.Grant {
	w.t.Helper()
	s, err := w.store.FindGrant(w.t.Context(), id)
	w.must(err)
	return s.Grant
}

// granted fails the test where the answer has no tokens.
func (w *world) granted(a answer) answer {
	w.t.Helper()
	if a.status != http.StatusOK || a.text("access_token") == "" {
		w.t.Fatalf("%d %s, want tokens", a.status, a.raw)
	}
	return a
}

// refused fails the test where the answer is not this error with status 400, or holds a token.
func (w *world) refused(a answer, code oauth.Code) answer {
	w.t.Helper()
	if a.status != http.StatusBadRequest || a.text("error") != string(code) || a.body["access_token"] != nil {
		w.t.Fatalf("%d %s, want 400 %s", a.status, a.raw, code)
	}
	return a
}

// claims are those of a JWT, unverified.
func (w *world) claims(jwt string) map[string]any {
	w.t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		w.t.Fatalf("%q is no JWT", jwt)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	w.must(err)
	var claims map[string]any
	w.must(json.Unmarshal(raw, &claims))
	return claims
}

// events are the audit events of a kind about a grant.
func (w *world) events(kind string, id storage.ID) int {
	w.t.Helper()
	events, err := w.store.ListEvents(w.t.Context(), storage.EventFilter{Kind: kind, GrantID: id, Limit: 100})
	w.must(err)
	return len(events)
}

// letters takes every letter that is waiting and returns their kinds.
func (w *world) letters() (kinds []string) {
	w.t.Helper()
	letters, err := w.store.ClaimLetters(w.t.Context(), 100, time.Minute)
	w.must(err)
	for _, l := range letters {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}
