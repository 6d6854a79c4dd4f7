package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
	"github.com/signet-idp/signet/web"
)

// A request in these benchmarks is a call of the whole handler, without a socket. Both engines write to disk before they answer.

// bench is a node with one user and one confidential client of the strict policy: each refresh is an exchange, and so a commit.
type bench struct {
	*testing.B
	handler http.Handler
	clients *client.Registry
	c       app
}

// benchEngines runs run on each engine.
func benchEngines(b *testing.B, hash account.Params, format string, run func(n bench)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) { run(newBench(b, engine, hash, format)) })
	}
}

func newBench(b *testing.B, engine string, hash account.Params, format string) bench {
	b.Helper()
	s := site{engine, ""}
	if engine == "sqlite" {
		s = newSite(b, engine)
	} else {
		s.where = pgtest.NewCluster(b).URL() // the shared one has fsync off
		if _, err := postgres.Migrate(b.Context(), s.where); err != nil {
			b.Fatal(err)
		}
	}
	store := s.open(b, nil)
	b.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	if err != nil {
		b.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	p, err := provider.New(b.Context(), provider.Config{Issuer: issuerURL, PasswordHash: hash, Logger: logger}, store, sealer)
	if err != nil {
		b.Fatal(err)
	}
	handler, err := web.New(web.Options{Provider: p, Logger: logger})
	if err != nil {
		b.Fatal(err)
	}
	_, err = p.People().Create(b.Context(), storage.User{Username: "ada"}, storage.NewSecret([]byte(password)), account.By{Actor: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	c, secret, err := p.Clients().Create(b.Context(), storage.ClientMetadata{
		Name: "bench", GrantTypes: []string{"password", "refresh_token", "client_credentials"}, Scope: "openid profile api:read",
		TokenEndpointAuthMethod: "client_secret_basic", RefreshRotation: storage.Strict, AccessTokenFormat: format,
	}, "", "bench")
	if err != nil {
		b.Fatal(err)
	}
	return bench{b, handler, p.Clients(), app{id: c.ID, secret: secret}}
}

// ask posts a form; every answer must be 200.
func (n bench) ask(path string, v url.Values) answer {
	a := call(n.Context(), n.handler, path, n.c, v)
	if a.status != http.StatusOK {
		n.Errorf("%s: %d %s", path, a.status, a.raw)
	}
	return a
}

func (n bench) login() answer {
	return n.ask("/oauth2/token", form("grant_type", "password", "username", "ada", "password", password))
}

// callers runs b.N operations by 1, 16 and 64 callers at once. prepare returns the operation of one caller.
func (n bench) callers(prepare func() func(n bench)) {
	for _, callers := range []int{1, 16, 64} {
		n.Run(fmt.Sprintf("%dCallers", callers), func(b *testing.B) {
			n := bench{b, n.handler, n.clients, n.c}
			operations := make([]func(bench), callers)
			for i := range operations {
				operations[i] = prepare()
			}
			b.ResetTimer()
			b.ReportAllocs()
			var all sync.WaitGroup
			for i, operation := range operations {
				all.Go(func() {
					for range (b.N + callers - 1 - i) / callers {
						operation(n)
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// formats runs run for each access token format, named by its last step.
func formats(b *testing.B, run func(b *testing.B, format string)) {
	b.Run("ES256", func(b *testing.B) { run(b, "jwt") })
	b.Run("opaque", func(b *testing.B) { run(b, "opaque") })
}

// BenchmarkRefresh is a refresh with rotation, each caller at a grant of its own.
func BenchmarkRefresh(b *testing.B) {
	formats(b, func(b *testing.B, format string) {
		benchEngines(b, cheapHash, format, func(n bench) {
			n.callers(func() func(bench) {
				token := n.login().refresh()
				return func(n bench) {
					token = n.ask("/oauth2/token", form("grant_type", "refresh_token", "refresh_token", token)).refresh()
				}
			})
		})
	})
}

// BenchmarkIntrospect is a look at an access token with its row.
func BenchmarkIntrospect(b *testing.B) {
	formats(b, func(b *testing.B, format string) {
		benchEngines(b, cheapHash, format, func(n bench) {
			n.callers(func() func(bench) {
				question := form("token", n.login().access())
				return func(n bench) {
					if n.ask("/oauth2/introspect", question).body["active"] != true {
						n.Error("not active")
					}
				}
			})
		})
	})
}

// BenchmarkClientCredentials writes nothing.
func BenchmarkClientCredentials(b *testing.B) {
	formats(b, func(b *testing.B, format string) {
		benchEngines(b, cheapHash, format, func(n bench) {
			n.callers(func() func(bench) {
				return func(n bench) { n.ask("/oauth2/token", form("grant_type", "client_credentials")) }
			})
		})
	})
}

// BenchmarkJWKS asks no database.
func BenchmarkJWKS(b *testing.B) {
	n := newBench(b, "sqlite", cheapHash, "jwt")
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/.well-known/jwks.json", nil)
	b.ReportAllocs()
	for b.Loop() {
		recorder := httptest.NewRecorder()
		n.handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK {
			b.Fatal(recorder.Code)
		}
	}
}

// BenchmarkPassword is a sign-in at the default cost; x-argon2 is how many times one bare argon2id of that cost fits in it.
func BenchmarkPassword(b *testing.B) {
	benchEngines(b, account.Params{}, "jwt", func(n bench) {
		const samples = 10
		cost, salt := account.DefaultParams(), make([]byte, 16)
		began := time.Now()
		for range samples {
			argon2.IDKey([]byte(password), salt, cost.Time, cost.Memory, cost.Threads, 32)
		}
		bare := time.Since(began) / samples
		n.ResetTimer()
		n.ReportAllocs()
		for n.Loop() {
			n.login()
		}
		n.ReportMetric(float64(n.Elapsed())/float64(n.N)/float64(bare), "x-argon2")
	})
}
