package client_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// publisher is a client's server: it publishes the keys of the client called keyed, whose registry is r.
type publisher struct {
	*testing.T
	r       *client.Registry
	clock   *handClock
	address string
	looks   atomic.Int64
	tokens  atomic.Int64

	mu     sync.Mutex
	answer http.HandlerFunc
}

func publish(t *testing.T, set string) *publisher {
	t.Helper()
	_, store, clock := open(t)
	p := &publisher{T: t, clock: clock}
	p.publishes(set, "")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.looks.Add(1)
		p.mu.Lock()
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	here, err := outbound.ParseNetwork("127.0.0.1/32")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	p.address = server.URL + "/keys"
	p.r = client.New(store, client.Config{
		Issuer: issuer, Clock: clock.Now,
		Outbound: outbound.New(outbound.Config{Allow: []outbound.Network{here}, Roots: roots, Clock: clock.Now}),
	})
	m := storage.ClientMetadata{GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKSURI: p.address}
	if _, _, err := p.r.Create(t.Context(), m, "keyed", "cli"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *publisher) answers(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = h
}

func (p *publisher) publishes(set, cacheControl string) {
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if cacheControl != "" {
			w.Header().Set("Cache-Control", cacheControl)
		}
		_, _ = io.WriteString(w, set)
	})
}

// try presents a fresh assertion of s.
func (p *publisher) try(s signer) error {
	claims := good(p.clock.Now(), fmt.Sprint("jti-", p.tokens.Add(1)))
	_, err := present(p.T, p.r, s.sign(claims))
	return err
}

func (p *publisher) takes(s signer, want bool, looks int64) {
	p.Helper()
	if err := p.try(s); (err == nil) != want {
		p.Errorf("an assertion of %s: %v, want it taken: %v", s.kid, err, want)
	}
	if n := p.looks.Load(); n != looks {
		p.Errorf("%d looks at the keys, want %d", n, looks)
	}
}

// as is s under another kid.
func (s signer) as(kid string) signer { return signer{s.alg, kid, s.key} }

// storm tries 64 assertions at once and says how many were taken.
func (p *publisher) storm(s signer) (taken int64) {
	p.Helper()
	var group sync.WaitGroup
	var n atomic.Int64
	barrier := make(chan struct{})
	for range 64 {
		group.Go(func() {
			<-barrier
			if p.try(s) == nil {
				n.Add(1)
			}
		})
	}
	close(barrier)
	group.Wait()
	return n.Load()
}
