package logout

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// hint is an id_token_hint and what it proves.
type hint struct {
	text   string
	client string // "": it proves nothing
	ours   bool   // of the session in the browser
}

// hints are all kinds of hints that a browser may bring along in which a is signed in.
func (w *world) hints(t *testing.T, p *person) map[string]hint {
	t.Helper()
	a := p.visit(t).Accounts[0]
	elsewhere := w.browser().signIn(t, "ada")
	bob := w.browser().signIn(t, "bob")
	given := w.grant(t, "shop", a, false)
	good := w.idToken(t, given)
	header, rest, _ := strings.Cut(good, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	access, _, err := w.issuer.Access(issue.Order{
		Client: storage.Client{ID: "shop"}, Grant: &given, Scope: []string{"openid"}, Audience: []string{issuerURL}, Now: w.time(),
		Form: client.TokenForm{Format: oauth.FormatJWT, Lifetime: time.Hour},
	})
	must(t, err)
	logoutToken, err := w.issuer.LogoutToken(storage.Client{ID: "shop"}, a.User.ID, a.Session.ID, w.time())
	must(t, err)
	late := given
	late.ExpiresAt = w.time().Add(-10 * 365 * 24 * time.Hour)
	sessionless := given
	sessionless.SessionID = storage.ID{}
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]hint{
		"none":            {"", "", false},
		"good":            {good, "shop", true},
		"expired":         {w.idToken(t, late), "shop", true},
		"without sid":     {w.idToken(t, sessionless), "shop", true},
		"other session's": {w.idToken(t, w.grant(t, "shop", elsewhere, false)), "shop", false},
		"other person's":  {w.idToken(t, w.grant(t, "shop", bob, false)), "shop", false},
		"other client's":  {w.idToken(t, w.grant(t, "blog", a, false)), "blog", true},
		"gone client's":   {w.idToken(t, storage.Grant{ClientID: "gone", UserID: a.User.ID, SessionID: a.Session.ID, ExpiresAt: late.ExpiresAt}), "gone", true},
		"garbage":         {"x", "", false},
		"alg none":        {encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + claims + ".", "", false},
		"alg none signed": {encode([]byte(`{"alg":"none"}`)) + "." + claims + "." + signature, "", false},
		"unsigned":        {header + "." + claims + ".", "", false},
		"changed":         {header + "." + encode([]byte(`{"iss":"`+issuerURL+`","aud":"shop","sub":"`+a.User.ID.String()+`","iat":1,"exp":2}`)) + "." + signature, "", false},
		"foreign key":     {foreign(t, given), "", false},
		"access token":    {access, "", false},
		"logout token":    {logoutToken, "", false},
		"endless":         {strings.Repeat("a", 9<<10), "", false},
	}
}

// foreign is an ID token that another server signed in our name.
func foreign(t *testing.T, g storage.Grant) string {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db")})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	must(t, err)
	ring, err := keys.OpenRing(t.Context(), store, sealer, issuerURL, keys.Life{})
	must(t, err)
	text, err := issue.New(issue.Config{Issuer: issuerURL}, ring, handle.New(ring)).ID(storage.Client{}, g, nil, "access", time.Now(), time.Hour)
	must(t, err)
	return text
}

// TestABrowserIsSentOnOnlyToWhatIsProven: for every hint, address, state and client_id the browser goes nowhere but to an address that
// the hint's client registered byte for byte; nobody is signed out unasked but by a hint of their own session here.
func TestABrowserIsSentOnOnlyToWhatIsProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	w.register(t, "blog", nil)
	p := w.browser()
	p.signIn(t, "ada")
	there := registered("shop")
	addresses := []string{
		"", there, there + "&a=b", there + "#", there + "/", strings.ToUpper(there), "https://shop.example/bye", "https://shop.example/bye?from=signet%20",
		"http://127.0.0.1:8100/bye", "http://127.0.0.1:9/bye", registered("blog"), "https://evil.example/", "//evil.example/", "javascript:alert(1)", "/", ".", "\x00",
		there + "\r\nX: y", "https://shop.example/cb",
	}
	followed, refused, asked := 0, 0, 0
	for kind, h := range w.hints(t, p) {
		for _, uri := range addresses {
			states := []string{"s &=+/%?#ü"}
			if uri == there || uri == "" {
				states = append(states, "")
			}
			for _, state := range states {
				for _, clientID := range []string{"", "shop", "nobody"} {
					name := fmt.Sprintf("hint %s, uri %q, state %q, client_id %q", kind, uri, state, clientID)
					q, err := p.ask(t, "id_token_hint", h.text, "post_logout_redirect_uri", uri, "state", state, "client_id", clientID)
					proven := h.client == "shop" && (uri == there || uri == "http://127.0.0.1:8100/bye")
					wrong := h.client != "" && clientID != "" && clientID != h.client
					mismatch := !wrong && uri != "" && (h.client == "shop" && !proven || h.client == "blog" && uri != registered("blog") && uri != "http://127.0.0.1:8100/bye")
					switch {
					case wrong || mismatch:
						r := refusal(err)
						if q != nil || r == nil || r.Status() != http.StatusBadRequest || mismatch != (r.Heading == HeadingTargetMismatch) || r.ClientID != h.client {
							t.Fatalf("%s: %+v, %v", name, q, err)
						}
						refused++
						continue
					case err != nil:
						t.Fatalf("%s: %v", name, err)
					case q.Confirm == h.ours || q.Confirm != (q.Sealed != ""):
						t.Fatalf("%s: asks %v", name, q.Confirm)
					case names(q.Accounts) != "ada":
						t.Fatalf("%s: signs %s out", name, names(q.Accounts))
					}
					want := ""
					if h.client != "" && h.client != "gone" && uri != "" {
						if want = uri; state != "" {
							want += map[bool]string{true: "&", false: "?"}[strings.Contains(uri, "?")] + "state=" + url.QueryEscape(state)
						}
						followed++
					}
					if q.Return != want || (q.Origin == "") != (want == "") || (q.Note == "") != (want != "" || uri == "") {
						t.Fatalf("%s: goes to %q (%q, %q), want %q", name, q.Return, q.Origin, q.Note, want)
					}
					if q.Confirm {
						asked++
						if again, err := w.Resume(t.Context(), p.visit(t), q.Sealed); err != nil || again.Return != want || again.Note != q.Note || !again.Confirm {
							t.Fatalf("%s: after asking %+v, %v, want %q", name, again, err, want)
						}
					}
				}
			}
		}
	}
	if followed < 20 || refused < 100 || asked < 300 || p.here(t) != "ada" {
		t.Errorf("%d followed, %d refused, %d asked, signed in %q", followed, refused, asked, p.here(t))
	}
}

func TestTheStateComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	p := w.browser()
	token := w.idToken(t, w.grant(t, "shop", p.signIn(t, "ada"), false))
	for _, state := range []string{"a", "a b+c%20d", `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~`, "état", strings.Repeat("s", 2000)} {
		q, err := p.ask(t, "id_token_hint", token, "post_logout_redirect_uri", registered("shop"), "state", state)
		must(t, err)
		u, err := url.Parse(q.Return)
		must(t, err)
		if got := u.Query(); len(got) != 2 || got.Get("state") != state || got.Get("from") != "signet" || !strings.HasPrefix(q.Return, registered("shop")+"&") {
			t.Errorf("%q: %s", state, q.Return)
		}
	}
}

// TestWhoWouldBeSignedOut: of several people at one browser those whom the hint names; else all, after asking.
func TestWhoWouldBeSignedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	p := w.browser()
	ada := p.signIn(t, "ada")
	bob := p.signIn(t, "bob")
	elsewhere := w.browser().signIn(t, "ada")
	token := func(a storage.SessionStanding, session storage.ID) string {
		a.Session.ID = session
		return w.idToken(t, w.grant(t, "shop", a, false))
	}
	for _, c := range []struct {
		name, hint, logoutHint string
		out                    string
		confirm                bool
	}{
		{"nothing", "", "", "bob ada", true},
		{"the session of one", token(ada, ada.Session.ID), "", "ada", false},
		{"the session of the other", token(bob, bob.Session.ID), "", "bob", false},
		{"the person alone", token(ada, storage.ID{}), "", "ada", false},
		{"another session of the person", token(ada, elsewhere.Session.ID), "", "ada", true},
		{"another's session under one's name", token(ada, bob.Session.ID), "", "ada", true},
		{"logout_hint by name", "", "ADA", "ada", true},
		{"logout_hint by address", "", "bob@id.example", "bob", true},
		{"logout_hint by subject", "", ada.User.ID.String(), "ada", true},
		{"logout_hint by sid", "", bob.Session.ID.String(), "bob", true},
		{"logout_hint of a stranger", "", "eve", "bob ada", true},
		{"the hint before logout_hint", token(ada, ada.Session.ID), "bob", "ada", false},
	} {
		q, err := p.ask(t, "id_token_hint", c.hint, "logout_hint", c.logoutHint)
		if err != nil || names(q.Accounts) != c.out || q.Confirm != c.confirm {
			t.Errorf("%s: %+v, %v, want %s, asking %v", c.name, q, err, c.out, c.confirm)
		}
	}
	nobody := w.browser()
	q, err := nobody.ask(t, "id_token_hint", token(ada, ada.Session.ID), "post_logout_redirect_uri", registered("shop"))
	if err != nil || q.Confirm || len(q.Accounts) != 0 || q.Return != registered("shop") {
		t.Errorf("where nobody is signed in: %+v, %v", q, err)
	}
}

func TestWhatWasAskedIsAnsweredInThatBrowserAndSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.browser()
	p.signIn(t, "ada")
	q, err := p.ask(t)
	must(t, err)
	q2, err := p.ask(t, "state", "x")
	must(t, err)
	other := w.browser()
	other.signIn(t, "ada")
	_, err = other.ask(t)
	must(t, err)
	for name, c := range map[string]struct {
		at      *person
		tx      string
		heading Heading
		status  int
	}{
		"another browser": {other, q.Sealed, HeadingOtherBrowser, http.StatusForbidden},
		"a new browser":   {w.browser(), q.Sealed, HeadingOtherBrowser, http.StatusForbidden},
		"changed":         {p, q.Sealed[:len(q.Sealed)-2], HeadingInvalid, http.StatusBadRequest},
		"mixed":           {p, q.Sealed[:20] + q2.Sealed[20:], HeadingInvalid, http.StatusBadRequest},
		"none":            {p, "", HeadingInvalid, http.StatusBadRequest},
	} {
		if _, err := w.Resume(t.Context(), c.at.visit(t), c.tx); refusal(err) == nil || refusal(err).Heading != c.heading || refusal(err).Status() != c.status {
			t.Errorf("%s: %v, want %s", name, err, c.heading)
		}
	}
	foreign, err := w.browsers.Seal(p.visit(t), struct{ A int }{1})
	must(t, err)
	if _, err := w.Resume(t.Context(), p.visit(t), foreign); refusal(err) == nil {
		t.Errorf("what was sealed for something else: %v", err)
	}
	w.pass(time.Hour)
	if _, err := w.Resume(t.Context(), p.visit(t), q.Sealed); refusal(err) == nil || refusal(err).Heading != HeadingExpired {
		t.Errorf("after an hour: %v", err)
	}
	if p.here(t) != "ada" {
		t.Errorf("signed in: %q", p.here(t))
	}
}

// TestTheRegistrationDecidesAsItIsNow: between the question and the answer an address may have gone, and a client too.
func TestTheRegistrationDecidesAsItIsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.register(t, "shop", nil)
	p := w.browser()
	p.signIn(t, "ada")
	elsewhere := w.browser().signIn(t, "ada")
	q, err := p.ask(t, "id_token_hint", w.idToken(t, w.grant(t, "shop", elsewhere, false)), "post_logout_redirect_uri", registered("shop"))
	if err != nil || !q.Confirm || q.Return == "" {
		t.Fatalf("%+v, %v", q, err)
	}
	_, err = w.clients.Disable(t.Context(), "shop", "cli")
	must(t, err)
	if again, err := w.Resume(t.Context(), p.visit(t), q.Sealed); err != nil || again.Return != "" || again.Client != nil || again.Note != noteNoClient {
		t.Errorf("of a disabled client: %+v, %v", again, err)
	}
	c, err = w.clients.Enable(t.Context(), "shop", "cli")
	must(t, err)
	m := c.Metadata
	m.PostLogoutRedirectURIs = m.PostLogoutRedirectURIs[1:]
	_, err = w.clients.Update(t.Context(), c, m, "cli")
	must(t, err)
	_, err = w.Resume(t.Context(), p.visit(t), q.Sealed)
	if r := refusal(err); r == nil || r.Heading != HeadingTargetMismatch || r.Received != registered("shop") || !slices.Equal(r.Registered, m.PostLogoutRedirectURIs) {
		t.Errorf("an address that went: %v", err)
	}
}

// TestAnOperatorHearsOfAddressesThatDoNotMatch: signet explain is given the client, the fault and the address, and nothing secret.
func TestAnOperatorHearsOfAddressesThatDoNotMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	p := w.browser()
	token := w.idToken(t, w.grant(t, "shop", p.signIn(t, "ada"), false))
	long := "https://shop.example/" + strings.Repeat("ü", 300)
	_, err := p.ask(t, "id_token_hint", token, "post_logout_redirect_uri", long, "state", "hidden")
	var kept *client.Refused
	if !errors.As(err, &kept) {
		t.Fatalf("%v is not kept", err)
	}
	a := kept.About
	if a.Endpoint != "logout" || a.ClientID != "shop" || a.Code != "invalid_request" || a.Description != refusal(err).Description ||
		!strings.Contains(a.Cause, "https://shop.example/") || len(a.Cause) > 300 || strings.Contains(a.Cause, "hidden") || a.Seen.Address == "" {
		t.Errorf("%+v", a)
	}
}
