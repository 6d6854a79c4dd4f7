package outbound_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// TestMain makes the names of the corpus lead where they shall for a provider, too, which looks names up as the system does.
func TestMain(m *testing.M) {
	net.DefaultResolver = outbound.InsideResolver()
	os.Exit(m.Run())
}

// house is a provider, and what is needed to have it call an address by each of its paths.
type house struct {
	*provider.Provider
	store storage.Store
	clock clock
	n     int
}

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// newHouse is a provider with default settings, but that client id documents are read.
func newHouse(t *testing.T, edit ...func(*provider.Config)) *house {
	t.Helper()
	h := &house{clock: clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	if err != nil {
		t.Fatal(err)
	}
	config := provider.Config{Issuer: "https://id.example", Clock: h.clock.Now, Documents: client.DocumentPolicy{On: true}}
	for _, e := range edit {
		e(&config)
	}
	h.store = store
	if h.Provider, err = provider.New(t.Context(), config, store, sealer); err != nil {
		t.Fatal(err)
	}
	return h
}

// next names a client, and lets a minute pass, so that no bound on how often anything is asked for keeps an address from being tried.
func (h *house) next() string {
	h.clock.mu.Lock()
	defer h.clock.mu.Unlock()
	h.clock.now = h.clock.now.Add(time.Minute)
	h.n++
	return fmt.Sprint("app", h.n)
}

// keep stores a client as a row: what registration would refuse gets past it.
func (h *house) keep(ctx context.Context, m storage.ClientMetadata) (id string, err error) {
	id = h.next()
	return id, h.store.CreateClient(ctx, storage.Client{ID: id, Revision: 1, Metadata: m}, storage.Also{})
}

const toldByLogout = "provider/logout/deliver.go tell"

// paths are all that make this server call an address which somebody else chose, by the function that makes the call
// (TestNothingElseGoesOutside). Each returns an error where the call did not get what it is for.
func (h *house) paths() map[string]func(ctx context.Context, address string) error {
	return map[string]func(context.Context, string) error{
		toldByLogout:                        h.logout,
		"provider/client/jwksuri.go look":   h.keySet,
		"provider/client/sector.go vouched": h.sector,
		"provider/client/documents.go read": h.document,
	}
}

func (h *house) logout(ctx context.Context, address string) error {
	id, err := h.keep(ctx, storage.ClientMetadata{BackchannelLogoutURI: address})
	if err != nil {
		return err
	}
	return h.Logout().Deliver(ctx, storage.Letter{
		ID: storage.ID{1}, Kind: "backchannel_logout", UserID: storage.ID{2}, Attempt: 1,
		Data: map[string]string{"client_id": id, "session_id": storage.ID{3}.String()},
	})
}

func (h *house) keySet(ctx context.Context, address string) error {
	id, err := h.keep(ctx, storage.ClientMetadata{
		JWKSURI: address, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, GrantTypes: []string{oauth.GrantClientCredentials},
	})
	if err != nil {
		return err
	}
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	assertion := part(`{"alg":"ES256","kid":"one"}`) + "." + part(`{"iss":"`+id+`","sub":"`+id+`"}`) + "." + part(strings.Repeat("s", 64))
	request := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form, err := oauth.ParseForm(request)
	if err != nil {
		return err
	}
	_, err = h.Clients().Authenticate(ctx, nil, form)
	return err
}

func (h *house) sector(ctx context.Context, address string) error {
	_, _, err := h.Clients().Create(ctx, storage.ClientMetadata{
		RedirectURIs: []string{"https://app.example/cb"}, SectorIdentifierURI: address,
	}, h.next(), "test")
	return err
}

// document adds a path, without which an address is no client_id.
func (h *house) document(ctx context.Context, address string) error {
	h.next()
	if strings.HasSuffix(address, "/") {
		address += "client.json"
	}
	_, _, err := h.Clients().Arrive(ctx, address, storage.Seen{Address: "192.0.2.1"})
	return err
}

// TestNoPathReachesInside drives the whole corpus through every path to the outside, with default settings.
func TestNoPathReachesInside(t *testing.T) {
	t.Parallel()
	trap := outbound.NewCanary(t)
	addresses := outbound.Inside(trap.Port())
	if len(addresses) < 120 {
		t.Fatalf("the corpus has %d addresses", len(addresses))
	}
	for name, path := range newHouse(t).paths() {
		for _, address := range addresses {
			if !sendable(address) {
				continue
			}
			before := trap.Reached()
			if err := path(t.Context(), address); err == nil {
				t.Errorf("%s took %q", name, address)
			}
			if trap.Reached() != before {
				t.Errorf("%s reached %q", name, address)
			}
		}
	}
}

// sendable leaves out what no row can hold, and "", by which a client says that it has no such address.
func sendable(address string) bool { return address != "" }

// TestEachPathGoesToTheAddressThatItIsGiven: the test above would be quiet as well if the paths led nowhere.
func TestEachPathGoesToTheAddressThatItIsGiven(t *testing.T) {
	t.Parallel()
	allow := network(t, "127.0.0.1/32")
	for name, path := range newHouse(t, func(c *provider.Config) { c.OutboundAllow = allow }).paths() {
		trap := outbound.NewCanary(t) // each its own: a host that fails three times is left alone
		err := path(t.Context(), "https://127.0.0.1:"+trap.Port()+"/")
		if n := trap.Reached(); n != 1 {
			t.Errorf("%s: %d connections, want one: %v", name, n, err)
		}
	}
}

func network(t *testing.T, texts ...string) (all []outbound.Network) {
	t.Helper()
	for _, text := range texts {
		n, err := outbound.ParseNetwork(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// TestWhoeverAnswersLeadsNobodyAnywhereAndEndsNothing: redirects of every kind, answers without an end, and none at all, by every path. A
// path returns; what is of no use to it is an error of its own.
func TestWhoeverAnswersLeadsNobodyAnywhereAndEndsNothing(t *testing.T) {
	t.Parallel()
	trap := outbound.NewCanary(t)
	over := make(chan struct{})
	inside := "http://127.0.0.1:" + trap.Port() + "/"
	answers := map[string]http.HandlerFunc{
		"hints": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Refresh", "0; url="+inside)
			w.Header().Set("Content-Location", inside)
			w.Header().Set("Link", "<"+inside+">; rel=preload")
			w.Header().Set("Alt-Svc", `h2="127.0.0.1:`+trap.Port()+`"; ma=86400`)
			w.WriteHeader(http.StatusTeapot)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			block := []byte(strings.Repeat(" ", 1<<16))
			for written := 0; written < 1<<30; written += len(block) {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
		"header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", strings.Repeat("a", 1<<20))
			w.WriteHeader(http.StatusOK)
		},
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-over:
			case <-r.Context().Done():
			}
		},
		"slow": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("["))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-over:
			case <-r.Context().Done():
			}
		},
	}
	for _, status := range []int{300, 301, 302, 303, 305, 307, 308} {
		answers[fmt.Sprint(status)] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", inside)
			w.WriteHeader(status)
		}
	}
	roots := x509.NewCertPool()
	servers := map[string]*httptest.Server{}
	var allow []outbound.Network
	for name, answer := range answers {
		s := outbound.Serve(t, true, answer)
		roots.AddCert(s.Certificate())
		servers[name] = s
		allow = append(allow, network(t, "127.0.0.1/32:"+s.URL[strings.LastIndex(s.URL, ":")+1:])...)
	}
	t.Cleanup(func() { close(over) }) // before the servers close
	h := newHouse(t, func(c *provider.Config) { c.OutboundAllow, c.OutboundRoots = allow, roots })
	var paths sync.WaitGroup
	for name, server := range servers {
		for path, call := range h.paths() {
			paths.Go(func() {
				err := call(t.Context(), server.URL+"/")
				// A logout token is delivered where the answer begins well, whatever follows.
				if told := path == toldByLogout && (name == "endless" || name == "slow"); (err == nil) != told {
					t.Errorf("%s, %s: %v", path, name, err)
				}
			})
		}
	}
	paths.Wait()
	if n := trap.Reached(); n != 0 {
		t.Errorf("%d connections to where an answer led", n)
	}
}
