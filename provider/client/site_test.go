package client_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

var home = storage.Seen{Address: "192.0.2.1", Agent: "test"}

// site publishes client id documents under its address, and counts who comes for them.
type site struct {
	*testing.T
	r     *client.Registry
	store storage.Store
	clock *handClock
	url   string
	looks atomic.Int64

	mu     sync.Mutex
	answer http.HandlerFunc
}

// openSite is a site and a registry that takes documents by the policy.
func openSite(t *testing.T, p client.DocumentPolicy) *site {
	t.Helper()
	s := &site{T: t, clock: &handClock{now: time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.looks.Add(1)
		s.mu.Lock()
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url = server.URL
	var err error
	if s.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: s.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	s.r = s.node(server.Certificate(), p)
	return s
}

// node is a registry over the site's store, with what it read so far forgotten.
func (s *site) node(authority *x509.Certificate, p client.DocumentPolicy) *client.Registry {
	here, err := outbound.ParseNetwork("127.0.0.1/32")
	if err != nil {
		s.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	p.Limiter = throttle.New(s.store)
	return client.New(s.store, client.Config{
		Issuer: issuer, Clock: s.clock.Now, Documents: p,
		Outbound: outbound.New(outbound.Config{Allow: []outbound.Network{here}, Roots: roots, Clock: s.clock.Now}),
	})
}

func (s *site) answers(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

// publishes answers with a document for whatever address is asked, with its own as its client_id.
func (s *site) publishes(more map[string]any, cacheControl string) {
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if cacheControl != "" {
			w.Header().Set("Cache-Control", cacheControl)
		}
		_, _ = io.WriteString(w, s.document(s.url+r.URL.RequestURI(), more))
	})
}

func (s *site) document(id string, more map[string]any) string {
	d := map[string]any{
		"client_id": id, "client_name": "Agent", "redirect_uris": []string{s.url + "/cb"}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"},
	}
	maps.Copy(d, more)
	text, err := json.Marshal(d)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

func (s *site) fails(status int) {
	s.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// comes lets the client of the path arrive, and says how often its site was looked at so far.
func (s *site) comes(path string, looks int64) (storage.Client, error) {
	s.Helper()
	c, _, err := s.r.Arrive(s.Context(), s.url+path, home)
	if n := s.looks.Load(); n != looks {
		s.Errorf("%d looks, want %d (%v)", n, looks, err)
	}
	return c, err
}

func (s *site) isUnknown(err error) {
	s.Helper()
	var fault *client.DocumentFault
	if !errors.Is(err, storage.ErrNotFound) || !errors.As(err, &fault) || fault.Description == "" {
		s.Errorf("got %v, want a client that is not known, and why", err)
	}
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) events(kind string) []storage.Event {
	s.Helper()
	all, err := s.store.ListEvents(s.Context(), storage.EventFilter{Limit: 100})
	s.must(err)
	return slices.DeleteFunc(all, func(e storage.Event) bool { return e.Kind != kind })
}
