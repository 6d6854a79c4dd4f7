package client_test

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// sectors is a registry, and a server that publishes what document holds.
type sectors struct {
	*client.Registry
	store    storage.Store
	address  string
	document atomic.Value // string
	kind     atomic.Value // string
	looks    atomic.Int64
}

func openSectors(t *testing.T) *sectors {
	t.Helper()
	_, store, clock := open(t)
	s := &sectors{store: store}
	s.document.Store(`["https://a.example/cb","https://b.example/cb"]`)
	s.kind.Store("application/json")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.looks.Add(1)
		w.Header().Set("Content-Type", s.kind.Load().(string))
		_, _ = io.WriteString(w, s.document.Load().(string))
	}))
	t.Cleanup(server.Close)
	here, err := outbound.ParseNetwork("127.0.0.1/32")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	s.address = server.URL + "/sector"
	s.Registry = client.New(store, client.Config{
		Issuer: issuer, Clock: clock.Now,
		Outbound: outbound.New(outbound.Config{Allow: []outbound.Network{here}, Roots: roots, Clock: clock.Now}),
	})
	return s
}

func (s *sectors) metadata(uris ...string) storage.ClientMetadata {
	return storage.ClientMetadata{RedirectURIs: uris, SubjectType: "pairwise", SectorIdentifierURI: s.address}
}

// ways are those by which a registration with a sector comes in, each as a new client or a new registration of one.
func (s *sectors) ways(t *testing.T) map[string]func(storage.ClientMetadata) error {
	t.Helper()
	bare, _, err := s.Create(t.Context(), storage.ClientMetadata{RedirectURIs: []string{"https://a.example/cb"}}, "bare", "cli")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(storage.ClientMetadata) error{
		"create": func(m storage.ClientMetadata) error { return third(s.Create(t.Context(), m, "", "cli")) },
		"update": func(m storage.ClientMetadata) error { _, err := s.Update(t.Context(), bare, m, "cli"); return err },
		"apply": func(m storage.ClientMetadata) error {
			_, err := s.Apply(t.Context(), client.Declaration{ClientID: "declared", ClientMetadata: m}, "cli")
			return err
		},
		"register": func(m storage.ClientMetadata) error {
			_, err := s.Register(t.Context(), client.Newcomer{Origin: storage.OriginSoftware, Metadata: m, Actor: "software"})
			return err
		},
		"plan": func(m storage.ClientMetadata) error {
			_, err := s.Plan(t.Context(), client.Declaration{ClientID: "planned", ClientMetadata: m})
			return err
		},
	}
}

func third(_ storage.Client, _ string, err error) error { return err }

// TestASectorVouchesForEveryRedirectURI: OpenID Connect Core §8.1; what was wrong is not told, for whoever registers must not learn what
// answers at an address.
func TestASectorVouchesForEveryRedirectURI(t *testing.T) {
	t.Parallel()
	s := openSectors(t)
	both := s.metadata("https://b.example/cb", "https://a.example/cb")
	texts := map[string]bool{}
	refused := func(name string, err error) {
		t.Helper()
		e := oauth.As(err)
		if e == nil || e.Code != oauth.InvalidClientMetadata || e.Unwrap() == nil || !strings.HasPrefix(e.Description, "sector_identifier_uri ") {
			t.Errorf("%s: %v", name, err)
			return
		}
		texts[e.Description] = true
	}
	for name, way := range s.ways(t) {
		for what, document := range map[string]string{
			"lacks one": `["https://a.example/cb"]`, "nearly one": `["https://a.example/cb","https://b.example/cb/"]`, "empty": `[]`,
			"an object": `{"redirect_uris":["https://a.example/cb","https://b.example/cb"]}`, "null": `null`, "no JSON": `<html>`, "nothing": ``,
			"numbers": `[1,"https://a.example/cb","https://b.example/cb"]`, "endless": `["` + strings.Repeat("a", 1<<17) + `"]`,
		} {
			s.document.Store(document)
			refused(name+", "+what, way(both))
		}
		s.document.Store(`["https://a.example/cb","https://c.example/","https://b.example/cb"]`)
		s.kind.Store("text/plain")
		refused(name+", of another type", way(both))
		s.kind.Store("application/json; charset=utf-8")
		if err := way(both); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		nowhere := both
		nowhere.SectorIdentifierURI = "https://169.254.169.254/sector"
		refused(name+", where nothing may be asked", way(nowhere))
		s.kind.Store("application/json")
	}
	if len(texts) != 1 {
		t.Errorf("what is wrong is told apart: %v", texts)
	}
	if _, err := s.Find(t.Context(), "planned"); err == nil {
		t.Error("a plan wrote")
	}
}

// TestASectorIsLookedAtWhenItIsRegisteredAndNeverAgain: whoever publishes it may be gone later.
func TestASectorIsLookedAtWhenItIsRegisteredAndNeverAgain(t *testing.T) {
	t.Parallel()
	s := openSectors(t)
	m := s.metadata("https://a.example/cb")
	c, _, err := s.Create(t.Context(), m, "app", "cli")
	if err != nil {
		t.Fatal(err)
	}
	s.document.Store(`gone`)
	m = c.Metadata
	m.Name = "App"
	if c, err = s.Update(t.Context(), c, m, "cli"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), client.Declare(c), "cli"); err != nil {
		t.Error(err)
	}
	if n := s.looks.Load(); n != 1 {
		t.Errorf("%d looks", n)
	}
	m.RedirectURIs = []string{"https://b.example/cb"}
	if _, err := s.Update(t.Context(), c, m, "cli"); oauth.As(err) == nil {
		t.Errorf("another redirect URI was taken without a look: %v", err)
	}
	m.SectorIdentifierURI, m.SubjectType = "", ""
	if _, err := s.Update(t.Context(), c, m, "cli"); err != nil {
		t.Errorf("a client that nobody used may go over to public subjects: %v", err)
	}
	if n := s.looks.Load(); n != 2 {
		t.Errorf("%d looks", n)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, _, err := s.Create(ended, s.metadata("https://a.example/cb"), "", "cli"); oauth.As(err) != nil {
		t.Errorf("who gave up is told that the document is wrong: %v", err)
	}
}

func TestWithoutARegistryThatFetchesASectorIsRefused(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	m := storage.ClientMetadata{RedirectURIs: []string{"https://a.example/cb"}, SectorIdentifierURI: "https://a.example/sector"}
	if _, _, err := r.Create(t.Context(), m, "", "cli"); oauth.As(err) == nil || !strings.Contains(err.Error(), "fetches no documents") {
		t.Errorf("%v", err)
	}
}

// TestAClientThatPeopleUsedKeepsItsSector: with another it would know none of them again.
func TestAClientThatPeopleUsedKeepsItsSector(t *testing.T) {
	t.Parallel()
	s := openSectors(t)
	c, _, err := s.Create(t.Context(), storage.ClientMetadata{RedirectURIs: []string{"https://a.example/cb"}, SubjectType: "pairwise"}, "app", "cli")
	if err != nil {
		t.Fatal(err)
	}
	c.UsedAt = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for what, change := range map[string]func(*storage.ClientMetadata){
		"public":         func(m *storage.ClientMetadata) { m.SubjectType = "" },
		"another host":   func(m *storage.ClientMetadata) { m.RedirectURIs = []string{"https://b.example/cb"} },
		"another sector": func(m *storage.ClientMetadata) { m.SectorIdentifierURI = s.address },
	} {
		m := c.Metadata
		change(&m)
		if _, err := s.Update(t.Context(), c, m, "cli"); oauth.As(err) == nil || !strings.HasPrefix(oauth.As(err).Description, "subject_type") {
			t.Errorf("%s: %v", what, err)
		}
	}
	m := c.Metadata
	m.RedirectURIs = []string{"https://A.example:8443/other"}
	if _, err := s.Update(t.Context(), c, m, "cli"); err != nil {
		t.Errorf("another address of the same sector: %v", err)
	}
}

func TestTheSectorIsTheHost(t *testing.T) {
	t.Parallel()
	const pairwiseType = "pairwise"
	for _, c := range []struct {
		m    storage.ClientMetadata
		want string
	}{
		{storage.ClientMetadata{}, ""},
		{storage.ClientMetadata{SubjectType: "public", SectorIdentifierURI: "https://s.example/", RedirectURIs: []string{"https://a.example/"}}, ""},
		{storage.ClientMetadata{SubjectType: pairwiseType, RedirectURIs: []string{"https://A.Example:8443/cb", "https://a.example/"}}, "a.example"},
		{storage.ClientMetadata{SubjectType: pairwiseType, SectorIdentifierURI: "https://S.example:444/x", RedirectURIs: []string{"https://a.example/"}}, "s.example"},
		{storage.ClientMetadata{SubjectType: pairwiseType, SectorIdentifierURI: "https://s.example/x", RedirectURIs: []string{"com.example.app:/cb"}}, "s.example"},
	} {
		if got, pairwise := client.Sector(c.m); got != c.want || pairwise != (c.m.SubjectType == pairwiseType) {
			t.Errorf("%+v: %q, %v, want %q", c.m, got, pairwise, c.want)
		}
	}
}
