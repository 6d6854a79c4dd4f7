package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

// conflicts makes the first n updates of grants and inserts of clients fail as a serializable database may.
const conflicts = `CREATE SEQUENCE tries;
	CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$;
	CREATE TRIGGER conflict BEFORE UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION conflict();
	CREATE TRIGGER conflict BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION conflict()`

func TestAConflictIsTriedAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	u := migrated(t)
	s := open(t, postgres.Options{URL: u})
	id := grantsIn(t, s, 1)[0]
	conn := session(t, u)
	run(t, conn, conflicts)
	if err := s.RotateGrant(ctx, stepFrom(id, 1)); err != nil {
		t.Errorf("one statement: %v", err)
	}
	run(t, conn, "ALTER SEQUENCE tries RESTART")
	also := storage.Also{Events: []storage.Event{{Kind: "client.create"}}}
	if err := s.CreateClient(ctx, storage.Client{ID: "c"}, also); err != nil {
		t.Errorf("a transaction: %v", err)
	}
	if events, err := s.ListEvents(ctx, storage.EventFilter{}); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v: the tries that failed left something", len(events), err)
	}
	run(t, conn, "ALTER SEQUENCE tries MINVALUE -100 RESTART -100")
	if err := s.RotateGrant(ctx, stepFrom(id, 2)); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("without end: %v, want ErrUnavailable", err)
	}
}

func TestAValueThatCannotBeKeptIsNobodysOutage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, postgres.Options{URL: migrated(t)})
	for _, name := range []string{"a\x00b", "a\xffb"} {
		if _, _, err := s.FindClient(ctx, name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("FindClient(%q): %v", name, err)
		}
		if _, err := s.FindLogin(ctx, name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("FindLogin(%q): %v", name, err)
		}
		if err := s.CreateClient(ctx, storage.Client{ID: name}, storage.Also{}); err == nil || errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("CreateClient(%q): %v", name, err)
		}
		event := storage.Event{Kind: "x", Actor: name, ClientID: name, Seen: storage.Seen{Agent: name}, Detail: map[string]string{name: name}}
		if err := s.RecordEvents(ctx, []storage.Event{event}); err != nil {
			t.Errorf("RecordEvents(%q): %v", name, err)
		}
	}
	if events, err := s.ListEvents(ctx, storage.EventFilter{}); err != nil || len(events) != 2 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestTheStoreOutlivesItsServersCrash(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cluster := pgtest.NewCluster(t)
	if _, err := postgres.Migrate(ctx, cluster.URL()); err != nil {
		t.Fatal(err)
	}
	s := open(t, postgres.Options{URL: cluster.URL()})
	ids := grantsIn(t, s, 20)
	for _, answer := range rotateAll(s, ids) { // opens several connections
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	}
	cluster.Crash()
	if _, err := s.FindGrant(ctx, ids[0]); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("reading while the server is down: %v, want ErrUnavailable", err)
	}
	if err := s.RotateGrant(ctx, stepFrom(ids[0], 2)); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("writing while the server is down: %v, want ErrUnavailable", err)
	}
	cluster.Start()
	for _, id := range ids {
		if got := revision(t, s, id); got != 2 {
			t.Errorf("revision %d: an answered rotation was lost", got)
		}
	}
	cluster.Restart()
	// The pool is full of dead connections. The first write to meet one cannot know how it ended; nobody else meets another.
	if err := s.RotateGrant(ctx, stepFrom(ids[0], 2)); err != nil && !errors.Is(err, storage.ErrUnknown) {
		t.Errorf("writing after a restart: %v", err)
	}
	for id, answer := range rotateAll(s, ids[1:]) {
		if err := <-answer; !errors.Is(err, storage.ErrMoved) {
			t.Errorf("%s after a restart: %v, want ErrMoved", id, err)
		}
	}
}

func TestALostAnswerToACommitIsUnknown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	u := migrated(t)
	p := newProxy(t, u)
	s := open(t, postgres.Options{URL: p.url, MaxConns: 1})
	id := grantsIn(t, s, 1)[0]
	if err := s.RotateGrant(ctx, stepFrom(id, 1)); err != nil {
		t.Fatal(err)
	}
	step := stepFrom(id, 2)
	p.cut.Store(true) // the next answer never arrives
	if err := s.RotateGrant(ctx, step); !errors.Is(err, storage.ErrUnknown) {
		t.Errorf("one statement: %v, want ErrUnknown", err)
	}
	standing, err := s.FindGrant(ctx, id)
	if err != nil {
		t.Fatalf("the store does not connect again: %v", err)
	}
	if !step.CarriedBy(standing.Grant) {
		t.Error("the test proves nothing: the commit did not happen")
	}
	p.cutCommit.Store(true)
	if err := s.CreateClient(ctx, storage.Client{ID: "c"}, storage.Also{}); !errors.Is(err, storage.ErrUnknown) {
		t.Errorf("a transaction: %v, want ErrUnknown", err)
	}
	if _, _, err := s.FindClient(ctx, "c"); err != nil {
		t.Errorf("the test proves nothing: %v", err)
	}
	p.cut.Store(true) // before its commit: nothing was written, and the work is done again
	if err := s.CreateClient(ctx, storage.Client{ID: "d"}, storage.Also{}); err != nil {
		t.Errorf("a connection that broke before the commit: %v", err)
	}
}

// proxy stands between a store and its server and loses answers when it is told to.
type proxy struct {
	url       string
	cut       atomic.Bool // the next answer is dropped, with its connection
	cutCommit atomic.Bool // the next answer to a COMMIT is
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	target := u.Host
	u.Host = l.Addr().String()
	p.url = u.String()
	var group sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); group.Wait() })
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			group.Go(func() { p.pass(client, backend, false) })
			group.Go(func() { p.pass(backend, client, true) })
		}
	})
	return p
}

func (p *proxy) pass(from, to net.Conn, answers bool) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	for buf := make([]byte, 64<<10); ; {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if answers && p.cut.CompareAndSwap(true, false) {
			return
		}
		if !answers && bytes.Contains(buf[:n], []byte("commit\x00")) && p.cutCommit.CompareAndSwap(true, false) {
			p.cut.Store(true)
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func TestASlowPoolGivesUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	u := migrated(t)
	s := open(t, postgres.Options{URL: u, MaxConns: 1})
	id := grantsIn(t, s, 1)[0]
	other := session(t, u)
	run(t, other, "BEGIN")
	run(t, other, "LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
	begun := time.Now()
	if _, err := s.FindGrant(ctx, id); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("gave up after %s", took)
	}
}

func TestNoErrorShowsThePassword(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"postgres://user:hunter2@127.0.0.1:1/db", "postgres://user:hunter2@[::1/db", "postgres://u:hunter2@h/db?sslmode=x"} {
		_, err := postgres.Open(context.Background(), postgres.Options{URL: u})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}
