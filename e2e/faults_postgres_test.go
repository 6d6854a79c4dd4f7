package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/e2e/toxic"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

// settingsAt returns the settings of a PostgreSQL database, and brings its schema up to date.
func settingsAt(t *testing.T, address string) settings {
	t.Helper()
	env := settings{"SIGNET_DATABASE_URL": address, "SIGNET_SECRET_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
	command{env: env}.run(t, "migrate", "up")
	return env
}

// pairAt starts two nodes on one database.
func pairAt(t *testing.T, env settings) []*node {
	t.Helper()
	first := serve(t, env)
	shared := maps.Clone(first.env)
	delete(shared, "SIGNET_LISTEN_ADDR")
	delete(shared, "SIGNET_MANAGEMENT_ADDR")
	return []*node{first, serve(t, shared)}
}

// through returns address with the proxy in between.
func through(t *testing.T, address string) (string, *toxic.Proxy) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := toxic.New(t, u.Host)
	u.Host = p.Addr
	return u.String(), p
}

// onProxied returns the settings of an empty database behind a proxy, and its address without.
func onProxied(t *testing.T) (env settings, p *toxic.Proxy, direct string) {
	t.Helper()
	env = onPostgres(t)
	direct = env["SIGNET_DATABASE_URL"]
	env["SIGNET_DATABASE_URL"], p = through(t, direct)
	return env, p, direct
}

// TestFaultPostgreSQLRestartsUnderLoad: clients of two nodes hear 503 while PostgreSQL is away, fast or by a crash, and go on
// with the tokens they have once it is back, without a restart of Signet.
func TestFaultPostgreSQLRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	h := newHistory(t, 8, pairAt(t, settingsAt(t, cluster.URL()))...)
	stop := h.load(t)
	for i := range *restarts {
		<-time.After(500 * time.Millisecond)
		if i%2 == 0 {
			cluster.Stop()
		} else {
			cluster.Crash()
		}
		<-time.After(200 * time.Millisecond)
		cluster.Start()
		if took := h.recovered(t); took > 5*time.Second {
			t.Errorf("recovery after restart %d took %v", i+1, took)
		}
	}
	stop()
	good, outage := h.verify(t)
	if outage == 0 || len(h.ended) == 0 {
		t.Errorf("%d requests met an outage, %d tokens were revoked: nothing was tested", outage, len(h.ended))
	}
	t.Logf("%d restarts, %d requests served, %d answered 503, %d tokens revoked", *restarts, good, outage, len(h.ended))
}

// TestFaultConnectionsBreak: a reset, a half-close and a frozen network between Signet and PostgreSQL are outages, and end.
func TestFaultConnectionsBreak(t *testing.T) {
	t.Parallel()
	env, p, _ := onProxied(t)
	h := newHistory(t, 6, serve(t, env))
	stop := h.load(t)
	for name, harm := range map[string]func(){
		"reset":       p.Reset,
		"half-closed": p.HalfClose,
		"refused": func() {
			p.Refuse(true)
			p.Reset()
			<-time.After(500 * time.Millisecond)
			p.Refuse(false)
		},
		"frozen": func() {
			p.Freeze()
			<-time.After(3 * time.Second)
			p.Thaw()
		},
	} {
		<-time.After(300 * time.Millisecond)
		harm()
		if took := h.recovered(t); took > 12*time.Second {
			t.Errorf("%s: recovery took %v", name, took)
		}
	}
	stop()
	good, outage := h.verify(t)
	t.Logf("%d requests served, %d answered 503", good, outage)
}

// TestFaultSlowDatabase: 200 ms more for each statement slow everybody down and break nothing; with 2 s clients are
// served late or told of an outage, nothing that needs no database waits, and the end of it is the end.
func TestFaultSlowDatabase(t *testing.T) {
	t.Parallel()
	env, p, _ := onProxied(t)
	h := newHistory(t, 6, serve(t, env))
	stop := h.load(t)
	p.Delay(200 * time.Millisecond)
	from := time.Since(h.began)
	<-time.After(3 * time.Second)
	slow := h.slowest(from, time.Since(h.began))
	p.Delay(2 * time.Second)
	<-time.After(5 * time.Second)
	for _, path := range []string{"/.well-known/jwks.json", "/.well-known/openid-configuration"} {
		began := time.Now()
		if get(t, h.nodes[0].URL+path, "") == "" || time.Since(began) > time.Second {
			t.Errorf("%s waits for the database: %v", path, time.Since(began))
		}
	}
	p.Delay(0)
	took := h.recovered(t)
	stop()
	good, outage := h.verify(t)
	t.Logf("%d requests served, %d answered 503; slowest at 200 ms each %v, recovered after %v", good, outage, slow, took)
}

// TestFaultPoolExhausted: while others hold every connection that PostgreSQL has, clients hear 503 in time and published keys
// are served; when they let go, all is as before.
func TestFaultPoolExhausted(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t, "-c", fmt.Sprintf("max_connections=%d", slots), "-c", "superuser_reserved_connections=0")
	h := newHistory(t, 6, serve(t, settingsAt(t, cluster.URL())))
	stop := h.load(t)
	hold(t, cluster.URL(), func() {
		for range 10 {
			began := time.Now()
			if get(t, h.nodes[0].URL+"/.well-known/jwks.json", "") == "" || time.Since(began) > time.Second {
				t.Errorf("the key set waits for a connection: %v", time.Since(began))
			}
			<-time.After(100 * time.Millisecond)
		}
		e := h.ask(0, "client_credentials", "/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"api:read"}})
		if e.answer.Status != http.StatusServiceUnavailable || e.took > 5*time.Second {
			t.Errorf("without a connection: %s", e)
		}
		if strings.Contains(strings.ToLower(e.answer.Body), "connection") {
			t.Errorf("the client is told of connections: %s", e.answer.Body)
		}
	})
	if took := h.recovered(t); took > 5*time.Second {
		t.Errorf("recovery took %v", took)
	}
	stop()
	good, outage := h.verify(t)
	t.Logf("%d requests served, %d answered 503", good, outage)
}

// slots is how many connections the PostgreSQL has that hold takes them of.
const slots = 20

// hold ends Signet's sessions and takes every connection there is, until during is over.
func hold(t *testing.T, address string, during func()) {
	t.Helper()
	ctx := context.Background()
	first, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	held := []*pgx.Conn{first}
	defer func() {
		for _, c := range held {
			_ = c.Close(ctx)
		}
	}()
	for deadline := time.Now().Add(startup); len(held) < slots; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d connections could be taken", len(held), slots)
		}
		if _, err := first.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signet'"); err != nil {
			t.Fatal(err)
		}
		for {
			c, err := pgx.Connect(ctx, address)
			if err != nil {
				break
			}
			held = append(held, c)
		}
	}
	during()
}

// TestFaultALockedGrantIsItsOwnFault: somebody holds one grant's row; that grant hears 503 and everybody else notices nothing.
func TestFaultALockedGrantIsItsOwnFault(t *testing.T) {
	t.Parallel()
	env := onPostgres(t)
	h := newHistory(t, 6, pairAt(t, env)...)
	ctx := context.Background()
	hand, err := pgx.Connect(ctx, env["SIGNET_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hand.Close(ctx) }()
	// The only row that this device's refresh changes is its grant's: it is the one whose revision moves.
	h.turn(0, h.devices[0])
	if _, err := hand.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := hand.Exec(ctx, "SELECT 1 FROM grants ORDER BY revision DESC LIMIT 1 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	locked, rest := h.devices[0], h.devices[1:]
	for range 3 {
		if e := h.turn(0, locked); e.answer.Status != http.StatusServiceUnavailable || e.took > 5*time.Second {
			t.Errorf("the locked grant: %s", e)
		}
	}
	together := make(chan event, len(rest)+3)
	for range 3 {
		go func() { together <- h.ask(0, "locked refresh", "/oauth2/token", refreshForm(locked.token)) }()
	}
	for i, d := range rest {
		go func() { together <- h.turn(i, d) }()
	}
	for range len(rest) + 3 {
		if e := <-together; e.what == "refresh" && (e.answer.Status != http.StatusOK || e.took > 2*time.Second) {
			t.Errorf("beside the locked grant: %s", e)
		}
	}
	if _, err := hand.Exec(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	h.recovered(t)
	h.verify(t)
}
