package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
)

// grantsIn puts n active grants into the store and returns their ids.
func grantsIn(t testing.TB, s *postgres.Store, n int) []storage.ID {
	t.Helper()
	ids := make([]storage.ID, n)
	for i := range ids {
		ids[i] = storage.ID(uuid.Must(uuid.NewV7()))
		g := storage.Grant{
			ID: ids[i], ClientID: "client", UserID: storage.ID{1}, State: storage.Active, Generation: 1,
			ExpiresAt: time.Now().Add(time.Hour),
		}
		if err := s.CreateGrant(context.Background(), g, storage.Spend{}, storage.Also{}); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// stepFrom is a rotation of a grant at revision.
func stepFrom(id storage.ID, revision int64) storage.Step {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return storage.Step{
		ID: id, Revision: revision, Generation: uint32(revision) + 1, KeyID: 1, IssuedAt: now, Retired: []time.Time{now},
		Seen: storage.Seen{Address: "192.0.2.1", Agent: "test"},
	}
}

// rotateAll rotates all grants at once, each from revision 1, and returns what each caller got.
func rotateAll(s *postgres.Store, ids []storage.ID) map[storage.ID]chan error {
	return rotateAllFrom(s, ids, 1)
}

func rotateAllFrom(s *postgres.Store, ids []storage.ID, revision int64) map[storage.ID]chan error {
	answers := make(map[storage.ID]chan error, len(ids))
	for _, id := range ids {
		answer := make(chan error, 1)
		answers[id] = answer
		go func() { answer <- s.RotateGrant(context.Background(), stepFrom(id, revision)) }()
	}
	return answers
}

func session(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func run(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func revision(t testing.TB, s *postgres.Store, id storage.ID) int64 {
	t.Helper()
	standing, err := s.FindGrant(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return standing.Grant.Revision
}

func TestConcurrentRotationsShareCommits(t *testing.T) {
	t.Parallel()
	const n = 300
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	ids := grantsIn(t, s, n)
	for id, answer := range rotateAll(s, ids) {
		if err := <-answer; err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	var commits int // rows that moved in one transaction carry its number
	if err := session(t, url).QueryRow(context.Background(), `SELECT count(DISTINCT xmin::text) FROM grants WHERE revision = 2`).
		Scan(&commits); err != nil {
		t.Fatal(err)
	}
	if commits == 0 || commits > n/4 {
		t.Errorf("%d rotations took %d commits", n, commits)
	}
}

func TestALockedGrantDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	ids := grantsIn(t, s, 40)
	other := session(t, url)
	tx, err := other.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, `SELECT FROM grants WHERE id = $1 FOR UPDATE`, ids[7].String()); err != nil {
		t.Fatal(err)
	}
	answers := rotateAll(s, ids)
	for id, answer := range answers {
		if id == ids[7] {
			continue
		}
		if err := <-answer; err != nil { // the lock is still held: whoever waited for it would fail
			t.Errorf("a neighbour: %v", err)
		}
	}
	if err := <-answers[ids[7]]; !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("the locked one: %v, want ErrUnavailable after the lock timeout", err)
	}
	_ = tx.Rollback(ctx)
	if err := s.RotateGrant(ctx, stepFrom(ids[7], 1)); err != nil {
		t.Errorf("ErrUnavailable says that nothing was written, but: %v", err)
	}
}

func TestAFailingGrantFailsAlone(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	ids := grantsIn(t, s, 40)
	run(t, session(t, url), fmt.Sprintf(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.id = '%s' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION refuse()`, ids[7]))
	for id, answer := range rotateAll(s, ids) {
		if err := <-answer; (id == ids[7]) != errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestOfOneRevisionInOneBatchOneWins(t *testing.T) {
	t.Parallel()
	s := open(t, postgres.Options{URL: migrated(t)})
	id := grantsIn(t, s, 1)[0]
	var group sync.WaitGroup
	won := make(chan bool, 100)
	for range cap(won) {
		group.Go(func() {
			switch err := s.RotateGrant(context.Background(), stepFrom(id, 1)); {
			case err == nil:
				won <- true
			case !errors.Is(err, storage.ErrMoved):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(won) != 1 || revision(t, s, id) != 2 {
		t.Errorf("%d winners, revision %d", len(won), revision(t, s, id))
	}
}

func TestACallerWhoLeavesDoesNotStopTheWrite(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	id := grantsIn(t, s, 1)[0]
	other, watcher := session(t, url), session(t, url)
	run(t, other, "BEGIN")
	run(t, other, `SELECT FROM grants WHERE id = $1 FOR UPDATE`, id.String())

	leaving, leave := context.WithCancel(ctx)
	answer := make(chan error, 1)
	go func() { answer <- s.RotateGrant(leaving, stepFrom(id, 1)) }()
	for waiting := false; !waiting; {
		if err := watcher.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	if err := <-answer; !errors.Is(err, storage.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("left while writing: %v, want ErrUnknown", err)
	}
	run(t, other, "ROLLBACK")
	if err := s.Close(); err != nil { // waits for the write
		t.Fatal(err)
	}
	if _, err := s.FindGrant(ctx, id); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a closed store: %v, want ErrUnavailable", err)
	}
	again := open(t, postgres.Options{URL: url})
	if got := revision(t, again, id); got != 2 {
		t.Errorf("revision %d, want 2: the write stopped with its caller", got)
	}
	if err := again.RotateGrant(leaving, stepFrom(id, 2)); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("left before beginning: %v, want ErrUnavailable", err)
	}
	if got := revision(t, again, id); got != 2 {
		t.Errorf("revision %d after a call that was not begun", got)
	}
}

func TestRotationTouchesNoIndex(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	id := grantsIn(t, s, 1)[0]
	const n = 200
	for r := range int64(n) {
		if err := s.RotateGrant(ctx, stepFrom(id, r+1)); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close() // a session reports what it did when it ends, if not before
	conn := session(t, url)
	var updated, hot int
	for deadline := time.Now().Add(30 * time.Second); updated < n && time.Now().Before(deadline); {
		if err := conn.QueryRow(ctx, `SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'grants'`).
			Scan(&updated, &hot); err != nil {
			t.Fatal(err)
		}
	}
	if updated < n || hot < updated*9/10 {
		t.Errorf("of %d updates %d were HOT", updated, hot)
	}
}
