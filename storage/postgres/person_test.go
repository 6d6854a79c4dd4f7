package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
)

func newID() storage.ID { return storage.ID(uuid.Must(uuid.NewV7())) }

func digestOf(id storage.ID) storage.Digest { return storage.NewSecret(id[:]).Digest("test") }

// must fails the test where a verb that is not the one under test fails.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is a user with one client and n sessions.
type person struct {
	*postgres.Store
	id       storage.ID
	client   string
	sessions []storage.Session
}

func personIn(t testing.TB, s *postgres.Store, n int) *person {
	t.Helper()
	p := &person{Store: s, id: newID(), client: newID().String()}
	must(t, s.CreateClient(t.Context(), storage.Client{ID: p.client}, storage.Also{}))
	must(t, s.CreateUser(t.Context(), storage.User{ID: p.id}, "hash", storage.Also{}))
	for range n {
		in := p.session()
		must(t, s.StartSession(t.Context(), in, 100, p.spend(1), storage.Also{}))
		in.Revision = 1
		p.sessions = append(p.sessions, in)
	}
	return p
}

func (p *person) session() storage.Session {
	id, now := newID(), time.Now().UTC().Truncate(time.Microsecond)
	return storage.Session{ID: id, Digest: digestOf(id), UserID: p.id, AuthTime: now, UsedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func (p *person) spend(revision int64) storage.Spend {
	return storage.Spend{UserID: p.id, UserRevision: revision}
}

func (p *person) in(session storage.Session) storage.Spend {
	spend := p.spend(1)
	spend.SessionID, spend.SessionRevision = session.ID, session.Revision
	return spend
}

func (p *person) code(session storage.Session) storage.Grant {
	return storage.Grant{
		ID: newID(), ClientID: p.client, UserID: p.id, SessionID: session.ID, State: storage.Pending,
		Pending: &storage.Waiting{Kind: storage.WaitingCode}, ExpiresAt: time.Now().Add(time.Hour),
	}
}

func state(t testing.TB, s *postgres.Store, id storage.ID) storage.State {
	t.Helper()
	standing, err := s.FindGrant(t.Context(), id)
	must(t, err)
	return standing.Grant.State
}

// holder is a transaction that keeps others waiting.
type holder struct {
	*pgx.Conn
	watcher *pgx.Conn
}

// holding locks the rows that sql selects until release.
func holding(t testing.TB, url, sql string, args ...any) *holder {
	t.Helper()
	h := &holder{Conn: session(t, url), watcher: session(t, url)}
	run(t, h.Conn, "BEGIN")
	run(t, h.Conn, sql, args...)
	return h
}

// waiters waits until n sessions of this database wait for a lock.
func (h *holder) waiters(t testing.TB, n int) {
	t.Helper()
	waiting := 0
	for deadline := time.Now().Add(30 * time.Second); waiting < n; {
		must(t, h.watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting))
		if time.Now().After(deadline) {
			t.Fatalf("%d wait for a lock, want %d", waiting, n)
		}
	}
}

func (h *holder) release(t testing.TB) { t.Helper(); run(t, h.Conn, "ROLLBACK") }

// patience lets the connections of a store wait for locks as long as a slow machine needs.
type patience struct{}

func (patience) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

func (patience) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	if data.Err == nil {
		_, _ = data.Conn.Exec(ctx, `SET lock_timeout = '1min'; SET statement_timeout = '1min'`)
	}
}

func (patience) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (patience) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// patient opens a store whose calls fail for what they are and never for a slow machine.
func patient(t testing.TB, url string, clock func() time.Time) *postgres.Store {
	t.Helper()
	s, err := postgres.OpenPatient(context.Background(), postgres.Options{URL: url, Clock: clock, Tracer: patience{}})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// noCircle closes the store and asserts that its sessions never waited for each other in a circle: a store with patience does not
// show it, for PostgreSQL breaks the circle and the work is done again.
func noCircle(t testing.TB, s *postgres.Store, url string) {
	t.Helper()
	_ = s.Close()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer func() { _ = conn.Close(ctx) }()
	for others := true; others; { // a session reports what it met when it ends, if not before
		must(t, conn.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'signet'`).Scan(&others))
	}
	var circles int
	must(t, conn.QueryRow(ctx, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&circles))
	if circles != 0 {
		t.Errorf("%d deadlocks", circles)
	}
}

// begun calls a verb that is to wait for somebody.
func begun(verb func() error) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- verb() }()
	return answer
}
