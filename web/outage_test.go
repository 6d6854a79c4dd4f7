package web_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

// served is longer than any request may take: the deadline of ten seconds, and what a busy machine adds.
const served = 15 * time.Second

// handed is what clients hold when the database goes away.
type handed struct {
	c, public        app
	tokens, strictly answer
	half             answer // waits for a second factor
	otp              string
}

func handOut(w *world) handed {
	w.Helper()
	h := handed{c: w.confidential(balanced), public: w.public()}
	w.user("ada")
	secret, _ := w.enrol(w.user("grace"))
	h.tokens, h.strictly = w.login(h.c, "ada"), w.login(h.public, "ada")
	h.half = w.token(h.c, "grant_type", "password", "username", "grace", "password", password)
	w.want(h.half, http.StatusBadRequest, "mfa_required")
	h.otp = w.code(secret)
	return h
}

// all are the requests that need the database, by name.
func (h handed) all(w *world) map[string]func() answer {
	return map[string]func() answer{
		"password": func() answer {
			return w.token(h.c, "grant_type", "password", "username", "ada", "password", password)
		},
		"password of a public client": func() answer {
			return w.token(h.public, "grant_type", "password", "username", "ada", "password", password)
		},
		"refresh":            func() answer { return w.refreshWith(h.c, h.tokens.refresh()) },
		"client_credentials": func() answer { return w.token(h.c, "grant_type", "client_credentials") },
		"mfa": func() answer {
			return w.token(h.c, "grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", h.half.text("mfa_token"), "otp", h.otp)
		},
		"introspect":         func() answer { return w.post("/oauth2/introspect", h.c, form("token", h.tokens.access())) },
		"introspect refresh": func() answer { return w.post("/oauth2/introspect", h.c, form("token", h.tokens.refresh())) },
		"revoke":             func() answer { return w.post("/oauth2/revoke", h.public, form("token", h.strictly.refresh())) },
		"revoke access":      func() answer { return w.post("/oauth2/revoke", h.public, form("token", h.strictly.access())) },
		"userinfo":           func() answer { return w.get("/userinfo", "Authorization", "Bearer "+h.tokens.access()) },
	}
}

// get asks for a path with one header.
func (w *world) get(path, header, value string) answer {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+path, nil)
	w.must(err)
	r.Header.Set(header, value)
	return w.do(r)
}

// down asserts that everything which needs the database says so in time and tells nothing else, and that the rest is served.
func (h handed) down(w *world, secrets ...string) {
	w.Helper()
	var requests sync.WaitGroup
	for name, ask := range h.all(w) {
		requests.Go(func() {
			began := time.Now()
			a := ask()
			if took := time.Since(began); took > served {
				w.Errorf("%s: answered after %v", name, took)
			}
			if a.status != http.StatusServiceUnavailable || a.text("error") != "temporarily_unavailable" || a.header.Get("Retry-After") == "" {
				w.Errorf("%s: %d %s, Retry-After %q", name, a.status, a.raw, a.header.Get("Retry-After"))
			}
			for _, word := range append(secrets, "pgx", "SQLSTATE", "sqlite", "postgres", "dial", "127.0.0.1", "storage") {
				if strings.Contains(strings.ToLower(a.raw), strings.ToLower(word)) {
					w.Errorf("%s: the client is told %q: %s", name, word, a.raw)
				}
			}
		})
	}
	requests.Wait()
	for path, status := range map[string]int{
		"/.well-known/jwks.json": 200, "/.well-known/openid-configuration": 200, "/.well-known/oauth-authorization-server": 200,
		"/healthz": 200, "/readyz": 503,
	} {
		if a := w.get(path, "Accept", "*/*"); a.status != status {
			w.Errorf("%s: %d %s, want %d", path, a.status, a.raw, status)
		}
	}
}

// back asserts that all is as before, with the tokens that were handed out before.
func (h handed) back(w *world) {
	w.Helper()
	if a := w.get("/readyz", "Accept", "*/*"); a.status != http.StatusOK {
		w.Errorf("/readyz: %d %s", a.status, a.raw)
	}
	requests := h.all(w)
	for _, name := range []string{
		"introspect", "introspect refresh", "userinfo", "refresh", "mfa", "password", "password of a public client", "client_credentials",
		"revoke access", "revoke",
	} {
		if a := requests[name](); a.status != http.StatusOK || a.body["active"] == false {
			w.Errorf("%s, after the return: %d %s", name, a.status, a.raw)
		}
	}
	w.want(w.refreshWith(h.public, h.strictly.refresh()), http.StatusBadRequest, "invalid_grant")
}

func TestPostgreSQLGoesAwayAndReturns(t *testing.T) {
	for name, stop := range map[string]func(*pgtest.Cluster){"stopped": (*pgtest.Cluster).Stop, "crashed": (*pgtest.Cluster).Crash} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := pgtest.NewCluster(t)
			if _, err := postgres.Migrate(t.Context(), cluster.URL()); err != nil {
				t.Fatal(err)
			}
			c := newClock()
			w := newWorld(t, "postgres", site{"postgres", cluster.URL()}.open(t, c.Now), c)
			h := handOut(w)
			stop(cluster)
			h.down(w)
			cluster.Start()
			h.back(w)
		})
	}
}

// TestPostgreSQLRestartsBetweenRequests: dead connections in the pool are nobody's problem.
func TestPostgreSQLRestartsBetweenRequests(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	if _, err := postgres.Migrate(t.Context(), cluster.URL()); err != nil {
		t.Fatal(err)
	}
	c := newClock()
	w := newWorld(t, "postgres", site{"postgres", cluster.URL()}.open(t, c.Now), c)
	h := handOut(w)
	cluster.Restart()
	h.back(w)
}

func TestAClosedStoreIsAnOutage(t *testing.T) {
	each(t, func(w *world) {
		h := handOut(w)
		w.must(w.store.Close())
		h.down(w)
	})
}

// TestAnotherProcessHoldsTheFileLocked: an administrator's backup or migration is no reason to send anybody away.
func TestAnotherProcessHoldsTheFileLocked(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, "sqlite"), newClock()
	w := newWorld(t, s.engine, s.open(t, c.Now), c)
	h := handOut(w)
	other, err := sql.Open("sqlite", s.where)
	w.must(err)
	defer func() { _ = other.Close() }()
	tx, err := other.Conn(t.Context())
	w.must(err)
	_, err = tx.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	w.must(err)

	began := time.Now()
	a := w.refreshWith(h.c, h.tokens.refresh())
	w.want(a, http.StatusServiceUnavailable, "temporarily_unavailable")
	if took := time.Since(began); took > served || a.header.Get("Retry-After") == "" || strings.Contains(a.raw, "lock") {
		t.Errorf("after %v: %s, Retry-After %q", took, a.raw, a.header.Get("Retry-After"))
	}
	if !w.active(h.c, h.tokens.access()) {
		t.Error("reading waits for a lock on writing")
	}
	_, err = tx.ExecContext(t.Context(), "ROLLBACK")
	w.must(err)
	h.back(w)
}

// TestARequestThatEndsMidWriteSpendsNothingTwice: whenever a caller goes away, its token was exchanged once or not at all, and
// the next to come is told of the one successor.
func TestARequestThatEndsMidWriteSpendsNothingTwice(t *testing.T) {
	each(t, func(w *world) {
		c := w.public(balanced, opaque)
		w.user("ada")
		token := w.login(c, "ada").refresh()
		ask := func(ctx context.Context) answer {
			return w.direct(ctx, "/oauth2/token", c, form("grant_type", "refresh_token", "refresh_token", token))
		}
		for round := range uint32(30) {
			answers := together(8, func(i int) answer {
				ctx, cancel := context.WithTimeout(w.Context(), time.Duration(i+1)*time.Duration(round+1)*40*time.Microsecond)
				defer cancel()
				return ask(ctx)
			})
			last := ask(w.Context())
			w.want(last, http.StatusOK, "")
			for _, a := range answers {
				if a.status != http.StatusServiceUnavailable && (a.status != http.StatusOK || a.refresh() != last.refresh()) {
					w.Fatalf("round %d: %d %s, then %s", round, a.status, a.raw, last.raw)
				}
			}
			oneRow(w, func(g storage.Grant) {
				if g.Generation != round+2 || g.State != storage.Active {
					w.Fatalf("round %d: the grant is %s at generation %d", round, g.State, g.Generation)
				}
			})
			token = last.refresh()
			w.clock.Advance(time.Hour)
		}
	})
}

// TestARowThatSomebodyLocksDelaysNobodyElse: one grant's row is locked by hand; the others go on, and that one says 503.
func TestARowThatSomebodyLocksDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, "postgres"), newClock()
	w := newWorld(t, s.engine, s.open(t, c.Now), c)
	client := w.confidential(balanced)
	w.user("ada")
	locked, free := w.login(client, "ada"), w.login(client, "ada")
	hand, err := pgx.Connect(t.Context(), s.where)
	w.must(err)
	defer func() { _ = hand.Close(context.Background()) }()
	tx, err := hand.Begin(t.Context())
	w.must(err)
	_, err = tx.Exec(t.Context(), "SELECT 1 FROM grants ORDER BY id LIMIT 1 FOR UPDATE")
	w.must(err)
	answers := together(2, func(i int) answer { return w.present(client, []string{locked.refresh(), free.refresh()}[i]) })
	w.want(answers[0], http.StatusServiceUnavailable, "temporarily_unavailable")
	w.want(answers[1], http.StatusOK, "")
	w.must(tx.Rollback(t.Context()))
	w.want(w.present(client, locked.refresh()), http.StatusOK, "")
}

// TestTheLogSaysWhatTheClientIsNotTold: the cause of an outage is one line for the operator.
func TestTheLogSaysWhatTheClientIsNotTold(t *testing.T) {
	each(t, func(w *world) {
		c := w.confidential()
		w.must(w.store.Close())
		r := httptest.NewRequestWithContext(w.Context(), http.MethodGet, "/readyz", nil)
		w.server.Config.Handler.ServeHTTP(httptest.NewRecorder(), r)
		a := w.token(c, "grant_type", "client_credentials")
		w.want(a, http.StatusServiceUnavailable, "temporarily_unavailable")
		for line := range strings.Lines(w.log.String()) {
			if strings.Contains(line, a.header.Get("X-Request-Id")) && strings.Contains(line, "closed") && strings.Contains(line, `"level":"WARN"`) {
				return
			}
		}
		w.Errorf("no line in the log tells why %s failed:\n%s", a.header.Get("X-Request-Id"), w.log)
	})
}
