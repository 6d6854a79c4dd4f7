package web_test

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// maker publishes the descriptions of apps, and counts who comes for them.
type maker struct {
	url       string
	authority *x509.CertPool
	looks     atomic.Int64

	mu     sync.Mutex
	said   map[string]any // nil: there is none any more
	status int            // where said is nil
}

func newMaker(t *testing.T) *maker {
	t.Helper()
	m := &maker{authority: x509.NewCertPool(), status: http.StatusNotFound}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.looks.Add(1)
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.said == nil {
			w.WriteHeader(m.status)
			return
		}
		document := maps.Clone(m.said)
		document["client_id"] = m.url + r.URL.RequestURI()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(document)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	m.url = server.URL
	m.authority.AddCert(server.Certificate())
	m.says(nil)
	return m
}

// says publishes the description of an agent, with more.
func (m *maker) says(more map[string]any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = map[string]any{
		"client_name": "Agent", "redirect_uris": []string{m.url + "/cb", "http://127.0.0.1/cb"}, "token_endpoint_auth_method": "none",
		"grant_types":    []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"},
		"response_types": []string{"code"}, "logo_uri": m.url + "/logo.png", "scope": "openid email offline_access", "first_party": true,
	}
	maps.Copy(m.said, more)
}

func (m *maker) withdraws(status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said, m.status = nil, status
}

// taken lets a provider take the maker's documents.
func (m *maker) taken(t *testing.T) func(*provider.Config) {
	t.Helper()
	here, err := outbound.ParseNetwork("127.0.0.1/32")
	if err != nil {
		t.Fatal(err)
	}
	return func(c *provider.Config) {
		c.Documents = client.DocumentPolicy{On: true}
		c.OutboundAllow, c.OutboundRoots = []outbound.Network{here}, m.authority
	}
}

// documented is a world, on either engine, that takes the maker's documents.
func documented(t *testing.T, test func(w *world, m *maker)) {
	t.Helper()
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			m, c := newMaker(t), newClock()
			test(newWorld(t, engine, open(t, c.Now), c, m.taken(t)), m)
		})
	}
}

func (b *browser) has(texts ...string) {
	b.Helper()
	for _, text := range texts {
		if !strings.Contains(b.page.raw, text) {
			b.Errorf("%s does not say %q:\n%s", b.page.url, text, b.page.raw)
		}
	}
}

func (b *browser) lacks(texts ...string) {
	b.Helper()
	for _, text := range texts {
		if strings.Contains(b.page.raw, text) || strings.Contains(b.page.header.Get("Content-Security-Policy"), text) {
			b.Errorf("%s has %q:\n%s", b.page.url, text, b.page.raw)
		}
	}
}

func TestAnAppWhoseClientIDIsItsAddressSignsPeopleIn(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		u := w.user("ada")
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		host := strings.TrimPrefix(m.url, "https://")
		back := []string{"redirect_uri", m.url + "/cb", "scope", "openid email offline_access"}
		if a := w.token(agent, "grant_type", "refresh_token", "refresh_token", "srt_x"); a.status != http.StatusUnauthorized || m.looks.Load() != 0 {
			t.Errorf("the token endpoint answers %d to who never came by the front door, after %d looks", a.status, m.looks.Load())
		}

		b.visit(authorize(agent, back...))
		b.has("An app of "+host, "Agent")
		b.lacks("/logo.png", "<img")
		b.signIn("ada")
		if !b.page.offers("decision", "allow") {
			t.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
		}
		b.has("An app of "+host, "what "+host+" publishes about it", "nobody here has checked that, nor its name", "Allow it only if you trust "+host)
		b.lacks("/logo.png", "<img")
		code := b.submit("decision", "allow").left.Query().Get("code")
		pair := w.exchange(agent, code, "redirect_uri", m.url+"/cb")
		w.want(pair, http.StatusOK, "")
		next := w.refreshWith(agent, pair.refresh())
		w.want(next, http.StatusOK, "")
		if n := m.looks.Load(); n != 1 {
			t.Errorf("%d looks for all of that, want one", n)
		}

		// The ID, an address, works wherever an ID does.
		shop := w.confidential()
		a := w.post("/oauth2/introspect", shop, form("token", next.access()))
		if a.body["active"] != false && a.text("client_id") != agent.id {
			t.Errorf("introspection says %s", a.raw)
		}
		b.visit("/account/apps")
		b.has("An app of "+host, agent.id)
		if grants, _, err := w.store.ListGrants(t.Context(), storage.GrantsOf{UserID: u.ID}, storage.ID{}, 10); err != nil || len(grants) != 1 || grants[0].ClientID != agent.id {
			t.Errorf("%+v, %v", grants, err)
		}
		if a := w.post("/oauth2/revoke", agent, form("token", next.refresh())); a.status != http.StatusOK {
			t.Errorf("revocation: %d %s", a.status, a.raw)
		}
		w.want(w.refreshWith(agent, next.refresh()), http.StatusBadRequest, "invalid_grant")
		b.visit(authorize(agent, back...))
		if b.page.left == nil { // it was allowed once
			t.Errorf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
		}
	})
}

func TestAnAppThatRunsOnTheDeviceIsSaidTo(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		w.user("ada")
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		b.visit(authorize(agent, "redirect_uri", "http://127.0.0.1:51234/cb"))
		b.has("to continue on this device")
		b.signIn("ada")
		b.has("a program on this device, at 127.0.0.1:51234", "Any program on this device could say that it is this app")
		if q := b.submit("decision", "deny").left; q == nil || q.Host != "127.0.0.1:51234" || q.Query().Get("error") != "access_denied" {
			t.Errorf("a no leads to %v", q)
		}
	})
}

func TestAnAppIsWhatItsDocumentCameToSay(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		w.user("ada")
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		old, renewed := []string{"redirect_uri", m.url + "/cb"}, []string{"redirect_uri", m.url + "/new"}
		pair := w.exchange(agent, b.through(agent, "ada", "", old...).Get("code"), "redirect_uri", m.url+"/cb")
		w.want(pair, http.StatusOK, "")
		m.says(map[string]any{"redirect_uris": []string{m.url + "/new"}})
		if p := b.visit(authorize(agent, renewed...)); p.left != nil {
			t.Errorf("a redirect URI that nobody read yet was taken: %v", p.left)
		}
		w.clock.Advance(5 * time.Minute)
		if p := b.visit(authorize(agent, old...)); p.left != nil || p.status != http.StatusBadRequest {
			t.Errorf("a redirect URI that was taken out leads to %v, %d", p.left, p.status)
		}
		if p := b.visit(authorize(agent, renewed...)); p.left == nil || p.left.Path != "/new" || p.left.Query().Get("code") == "" {
			t.Errorf("a new redirect URI shows %d %q", p.status, p.h1)
		}

		m.withdraws(http.StatusGone)
		w.clock.Advance(5 * time.Minute)
		if p := b.visit(authorize(agent, renewed...)); p.left != nil || p.status != http.StatusBadRequest {
			t.Errorf("an app whose document is gone: %v, %d", p.left, p.status)
		}
		b.has("client_id is an address, and no client id document that this server takes was found there")
		w.want(w.post("/oauth2/par", agent, form("redirect_uri", m.url+"/new")), http.StatusUnauthorized, "invalid_client")
		pair = w.refreshWith(agent, pair.refresh())
		w.want(pair, http.StatusOK, "") // what was granted goes on

		// An operator ends that, too.
		_, err := w.provider.Clients().Disable(t.Context(), agent.id, "cli")
		w.must(err)
		w.want(w.refreshWith(agent, pair.refresh()), http.StatusUnauthorized, "invalid_client")
		m.says(nil)
		w.clock.Advance(5 * time.Minute)
		looks := m.looks.Load()
		if p := b.visit(authorize(agent, old...)); p.left != nil || m.looks.Load() != looks {
			t.Errorf("an app that an operator switched off: %v, %d looks", p.left, m.looks.Load()-looks)
		}
	})
}

func TestAnAppMayComeByPushedRequestsAndByDevice(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		w.user("ada")
		pushing, device, b := app{id: m.url + "/pushing"}, app{id: m.url + "/device"}, w.browser()
		a := w.post("/oauth2/par", pushing, form("response_type", "code", "redirect_uri", m.url+"/cb", "scope", "openid",
			"code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256"))
		w.want(a, http.StatusCreated, "")
		b.visit("/oauth2/authorize?" + form("client_id", pushing.id, "request_uri", a.text("request_uri")).Encode())
		b.signIn("ada")
		if left := b.submit("decision", "allow").left; left == nil || left.Query().Get("code") == "" {
			t.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
		}
		a = w.post("/oauth2/device_authorization", device, form("scope", "openid email"))
		w.want(a, http.StatusOK, "")
		b.visit("/device?user_code=" + url.QueryEscape(a.text("user_code")))
		b.submit("user_code", a.text("user_code"))
		b.has("An app of "+strings.TrimPrefix(m.url, "https://"), "nobody here has checked that, nor its name")
		b.submit("decision", "allow")
		w.want(w.token(device, "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", a.text("device_code")), http.StatusOK, "")
	})
}

func TestNobodyIsSparedTheQuestionOfAnAppThatAMachineMade(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		w.user("ada")
		w.clock.Advance(time.Second)
		made, err := w.provider.Clients().Register(t.Context(), client.Newcomer{Origin: storage.OriginSoftware, Actor: "test", Metadata: storage.ClientMetadata{
			Name: "Machine", RedirectURIs: []string{callback}, TokenEndpointAuthMethod: "none", LogoURI: "https://bank.example/logo.png", FirstParty: true,
			Scope: "openid email",
		}})
		w.must(err)
		c := made.Client
		if c.Metadata.FirstParty {
			t.Error("it registered itself as of the house")
		}
		c.Metadata.FirstParty = true // however that came into the row
		w.must(w.store.UpdateClient(t.Context(), c, storage.Also{}))
		b := w.browser()
		b.visit(authorize(app{id: c.ID}))
		b.has("Machine", ">M<")
		b.lacks("bank.example", "<img")
		b.signIn("ada")
		if !b.page.offers("decision", "allow") {
			t.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
		}
		b.has("This app registered itself on 2026-11-22: nobody here has checked it, nor its name.", "Allow it only if you trust app.example.")
		b.lacks("bank.example", "<img", "An app of")
	})
}

func TestClientIDDocumentsAreOfferedWhereTheyAreTakenAlone(t *testing.T) {
	t.Parallel()
	offered := func(w *world) any {
		r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+"/.well-known/oauth-authorization-server", nil)
		w.must(err)
		return w.do(r).body["client_id_metadata_document_supported"]
	}
	t.Run("off", func(t *testing.T) {
		solo(t, func(w *world) {
			if got := offered(w); got != nil {
				t.Errorf("offered: %v", got)
			}
		})
	})
	documented(t, func(w *world, _ *maker) {
		if got := offered(w); got != true {
			t.Errorf("offered: %v", got)
		}
	})
}

func TestAHostThatIsDeniedIsNotAskedAndNothingIsWritten(t *testing.T) {
	eachSite(t, func(t *testing.T, s site, c *clock) {
		m := newMaker(t)
		w := newWorld(t, s.engine, s.open(t, c.Now), c, m.taken(t), func(c *provider.Config) { c.Documents.Deny = []string{"127.0.0.1"} })
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		before, err := s.rowsOf(t.Context())
		w.must(err)
		for range 5 {
			if p := b.visit(authorize(agent, "redirect_uri", m.url+"/cb")); p.left != nil || p.status != http.StatusBadRequest {
				t.Errorf("it came in: %v, %d", p.left, p.status)
			}
			w.want(w.post("/oauth2/par", agent, form("redirect_uri", m.url+"/cb")), http.StatusUnauthorized, "invalid_client")
			w.want(w.post("/oauth2/device_authorization", agent, form("scope", "openid")), http.StatusUnauthorized, "invalid_client")
		}
		if n := m.looks.Load(); n != 0 {
			t.Errorf("%d looks", n)
		}
		after, err := s.rowsOf(t.Context())
		w.must(err)
		if !maps.Equal(before, after) {
			t.Errorf("the tables had %v rows, and have %v", before, after)
		}
		b.has("is at a host whose client id documents this server does not read")
		b.lacks("SIGNET_")
		if !strings.Contains(w.log.String(), "SIGNET_CLIENT_ID_DOCUMENT_DENY") {
			t.Errorf("the log does not say which setting it was:\n%s", w.log)
		}
	})
}

// TestWhatIsWrongWithADocumentIsToldToItsMaker: it is public, and says itself that it is there.
func TestWhatIsWrongWithADocumentIsToldToItsMaker(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		m.says(map[string]any{"redirect_uris": []string{m.url + "/cb", "https://evil.example/cb"}})
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		b.visit(authorize(agent, "redirect_uri", m.url+"/cb"))
		b.has("the client id document is not taken: redirect_uris[1] must have the scheme, host and port of the client_id")
		if a := w.post("/oauth2/par", agent, form("redirect_uri", m.url+"/cb")); !strings.Contains(a.text("error_description"), "redirect_uris[1] must have") {
			t.Errorf("PAR says %s", a.raw)
		}
		if all, err := w.provider.Clients().List(t.Context(), "", 10); err != nil || len(all) != 0 {
			t.Errorf("%d clients, %v", len(all), err)
		}
	})
}
