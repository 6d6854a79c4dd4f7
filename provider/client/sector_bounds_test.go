package client

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// TestSectorsThatAreSlowLeaveTheOutsideToOthers: so many are read at once, and who waits for a turn gives up with the request.
func TestSectorsThatAreSlowLeaveTheOutsideToOthers(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sector" {
			looks.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`["https://app.example/cb"]`))
	}))
	t.Cleanup(server.Close)
	here, err := outbound.ParseNetwork("127.0.0.1/32")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	r := New(nil, Config{Outbound: outbound.New(outbound.Config{Allow: []outbound.Network{here}, Roots: roots})})
	m := storage.ClientMetadata{
		SubjectType: "pairwise", RedirectURIs: []string{"https://app.example/cb"}, SectorIdentifierURI: server.URL + "/sector",
	}
	for range maxSectorLooks {
		r.sectors <- struct{}{}
	}
	gone, cancel := context.WithCancel(t.Context())
	given := make(chan error, 1)
	go func() { given <- r.admit(gone, storage.Client{}, m) }()
	for range 8 { // others are served meanwhile
		if _, err := r.config.Outbound.Get(t.Context(), server.URL+"/keys", "application/json"); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-given; !errors.Is(err, context.Canceled) || looks.Load() != 0 {
		t.Errorf("who waited is told %v after %d looks", err, looks.Load())
	}
	<-r.sectors
	if err := r.admit(t.Context(), storage.Client{}, m); err != nil || looks.Load() != 1 || len(r.sectors) != maxSectorLooks-1 {
		t.Errorf("%v after %d looks, %d under way", err, looks.Load(), len(r.sectors))
	}
}
