package web_test

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/web"
)

var newcomers = flag.Int("newcomers", 2500, "how many registrations flood in from one address, and again from many, with SQLite; a fifth of it with PostgreSQL")

// flooded is a world behind a proxy that is believed, so that requests come from any address.
type flooded struct {
	*world
	front *httptest.Server
}

func flood(w *world) flooded {
	w.Helper()
	handler, err := web.New(web.Options{Provider: w.provider, Logger: slog.New(slog.DiscardHandler), TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	w.must(err)
	f := flooded{w, httptest.NewServer(handler)}
	w.Cleanup(f.front.Close)
	return f
}

// from sends one registration from an address and returns its status.
func (f flooded) from(address, body string) int {
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.front.URL+"/oauth2/register", strings.NewReader(body))
	if err != nil {
		f.Error(err)
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", address)
	a, err := f.front.Client().Do(r)
	if err != nil {
		f.Error(err)
		return 0
	}
	_ = a.Body.Close()
	return a.StatusCode
}

// pour sends n registrations, several at a time, each until it is let in: time passes whenever one has to wait.
func (f flooded) pour(n int, address func(i int) string) (waited int64) {
	const body = `{"redirect_uris":["https://flood.example/cb"],"token_endpoint_auth_method":"none","client_name":"Flood"}`
	var next, waits atomic.Int64
	var under sync.WaitGroup
	for range 8 {
		under.Go(func() {
			for i := next.Add(1); i <= int64(n) && !f.Failed(); i = next.Add(1) {
				for {
					status := f.from(address(int(i)), body)
					if status == http.StatusCreated {
						break
					}
					if status != http.StatusTooManyRequests {
						f.Errorf("registration %d is answered %d", i, status)
						return
					}
					waits.Add(1)
					f.clock.Advance(10 * time.Second)
				}
			}
		})
	}
	under.Wait()
	return waits.Load()
}

// byMachine counts the clients that registered themselves.
func (w *world) byMachine() (n int) {
	w.Helper()
	for after := ""; ; {
		page, err := w.store.ListClients(w.Context(), after, 500)
		w.must(err)
		for _, c := range page {
			if after = c.ID; c.ByMachine() {
				n++
			}
		}
		if len(page) < 500 {
			return n
		}
	}
}

// TestAFloodOfRegistrationsLeavesAtMostTheCapAndShutsNobodyOut: neither from one address nor from many. Whoever registers in the middle
// of it and signs people in stays, and so do the operator's clients.
func TestAFloodOfRegistrationsLeavesAtMostTheCapAndShutsNobodyOut(t *testing.T) {
	const most = 200
	registering(t, register.ModeOpen, func(w *world) {
		f, n := flood(w), *newcomers
		if w.engine == "postgres" {
			n /= 5
		}
		w.user("ada")
		own := w.public()
		if waited := f.pour(n, func(int) string { return "203.0.113.7" }); waited == 0 && n > 300 {
			t.Error("one address was never asked to wait")
		}
		if left := w.byMachine(); left > most {
			t.Errorf("%d clients are left of a flood from one address", left)
		}
		honest := w.register("", object{"client_name": "Honest", "grant_types": []string{"authorization_code", "refresh_token"}})
		tokens := w.browser().tokens(honest.app, "ada")
		if waited := f.pour(n, func(i int) string { return fmt.Sprintf("198.%d.%d.%d", 18+i>>16&1, i>>8&255, i&255) }); waited == 0 && n > 300 {
			t.Error("many addresses together were never asked to wait")
		}
		if left := w.byMachine(); left > most+1 {
			t.Errorf("%d clients are left of a flood from many addresses", left)
		}
		w.want(w.ask(http.MethodGet, honest.uri, honest.token, nil), http.StatusOK, "")
		w.want(w.refreshWith(honest.app, tokens.refresh()), http.StatusOK, "")
		if _, _, err := w.store.FindClient(t.Context(), own.id); err != nil {
			t.Errorf("the operator's client: %v", err)
		}
	}, func(c *provider.Config) { c.Registration.Unused = most })
}

// TestRegistrationsAreCountedBeforeTheyAreRead: who sends too many is told when to come back, whatever is in the body; and who brings a
// token is not kept out by a flood of those who bring none.
func TestRegistrationsAreCountedBeforeTheyAreRead(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		f := flood(w)
		token, _ := w.initialToken(storage.RegistrationToken{}, 0)
		for i := range 60 {
			if status := f.from("192.0.2.1", "["); status != http.StatusBadRequest {
				t.Fatalf("attempt %d is answered %d", i, status)
			}
		}
		if status := f.from("192.0.2.1", "["); status != http.StatusTooManyRequests {
			t.Errorf("one too many is answered %d", status)
		}
		if status := f.from("192.0.2.2", "["); status != http.StatusBadRequest {
			t.Errorf("another address is answered %d", status)
		}
		for i := range 240 {
			f.from(fmt.Sprintf("198.51.100.%d", i), "[")
		}
		a := w.ask(http.MethodPost, "/oauth2/register", "", "[")
		w.want(a, http.StatusTooManyRequests, "slow_down")
		if a.header.Get("Retry-After") == "" || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%v", a.header)
		}
		w.register(token)
		w.clock.Advance(time.Second)
		w.register("")
	})
}
