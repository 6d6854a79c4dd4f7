package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestWritesThatWaitTogetherAreOneCommit(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	const callers = maxBatch
	for n := range callers {
		if err := s.CreateGrant(t.Context(), grantOf(n), storage.Spend{}, storage.Also{}); err != nil {
			t.Fatal(err)
		}
	}
	release := s.hold(t)
	var outcomes []<-chan error
	for n := range callers {
		outcomes = append(outcomes, s.queued(func() error {
			return s.RotateGrant(t.Context(), storage.Step{ID: grantID(n), Revision: 1, Generation: 2, IssuedAt: instantOfTests})
		}))
	}
	before := s.writer.commits.Load()
	release()
	for n, outcome := range outcomes {
		if err := <-outcome; err != nil {
			t.Fatalf("rotation %d: %v", n, err)
		}
	}
	if commits := s.writer.commits.Load() - before; commits > 2 {
		t.Fatalf("%d rotations and the write before them took %d commits, want 2", callers, commits)
	}
}

func TestALargeQueueIsSeveralBatches(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	release := s.hold(t)
	var outcomes []<-chan error
	for n := range maxBatch + 1 {
		outcomes = append(outcomes, s.queued(createClient(t.Context(), s, fmt.Sprint(n))))
	}
	before := s.writer.commits.Load()
	release()
	for _, outcome := range outcomes {
		if err := <-outcome; err != nil {
			t.Fatal(err)
		}
	}
	if commits := s.writer.commits.Load() - before; commits > 3 {
		t.Fatalf("%d commits, want 3", commits)
	}
}

func TestAWriteThatFailsHarmsNoNeighbour(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	if err := createClient(ctx, s, "taken")(); err != nil {
		t.Fatal(err)
	}
	release := s.hold(t)
	also := storage.Also{Events: []storage.Event{{ID: grantID(1)}, {ID: grantID(1)}}}
	first := s.queued(createClient(ctx, s, "first"))
	taken := s.queued(createClient(ctx, s, "taken"))
	same := s.queued(createClient(ctx, s, "first"))
	halfway := s.queued(func() error { return s.CreateClient(ctx, storage.Client{ID: "halfway"}, also) })
	last := s.queued(createClient(ctx, s, "last"))
	release()
	for name, c := range map[string]struct {
		outcome <-chan error
		want    error
	}{"first": {first, nil}, "taken": {taken, storage.ErrTaken}, "same": {same, storage.ErrTaken}, "halfway": {halfway, storage.ErrTaken}, "last": {last, nil}} {
		if err := <-c.outcome; !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if !exists(t, s, "first") || !exists(t, s, "last") {
		t.Error("a neighbour was lost")
	}
	if exists(t, s, "halfway") {
		t.Error("half of a write that failed was committed")
	}
}

func TestABatchWhoseCommitFailsIsAnsweredUnavailable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	release := s.hold(t)
	good := s.queued(createClient(t.Context(), s, "good"))
	// A deferred violation is one that SQLite finds at COMMIT.
	bad := s.queued(func() error {
		return s.write(t.Context(), "break the commit", func(tx *tx) error {
			if _, err := tx.exec(`PRAGMA defer_foreign_keys = 1`); err != nil {
				return err
			}
			_, err := tx.exec(`INSERT INTO logins (login, user_id) VALUES ('nobody', x'00')`)
			return err
		})
	})
	moved := s.queued(func() error { return s.TryGrant(t.Context(), grantID(1), 1) })
	release()
	for name, outcome := range map[string]<-chan error{"good": good, "bad": bad, "moved": moved} {
		if err := <-outcome; !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrUnknown) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
	if exists(t, s, "good") {
		t.Error("ErrUnavailable, and yet it was written")
	}
	if err := createClient(t.Context(), s, "next")(); err != nil {
		t.Errorf("the write after it: %v", err)
	}
}

func TestABatchWhoseTransactionIsLostIsAnsweredUnavailable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	release := s.hold(t)
	before := s.queued(createClient(t.Context(), s, "before"))
	lost := s.queued(func() error { // what SQLite does by itself on a full disk
		return s.write(t.Context(), "lose the transaction", func(tx *tx) error {
			_, err := tx.exec(`ROLLBACK`)
			return errors.Join(errors.New("disk full"), err)
		})
	})
	after := s.queued(createClient(t.Context(), s, "after"))
	release()
	for _, outcome := range []<-chan error{before, lost, after} {
		if err := <-outcome; !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
	if exists(t, s, "before") || exists(t, s, "after") {
		t.Error("ErrUnavailable, and yet it was written")
	}
	if err := createClient(t.Context(), s, "next")(); err != nil {
		t.Errorf("the write after it: %v", err)
	}
}

func TestACallerWhoLeavesTheQueueHasWrittenNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	release := s.hold(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone := s.queued(createClient(ctx, s, "gone"))
	stays := s.queued(createClient(t.Context(), s, "stays"))
	cancel()
	if err := <-gone; !errors.Is(err, storage.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want ErrUnavailable by the caller's own context", err)
	}
	release()
	if err := <-stays; err != nil {
		t.Error(err)
	}
	if exists(t, s, "gone") || !exists(t, s, "stays") {
		t.Error("the wrong one was written")
	}
}

func TestACallerWhoLeavesDuringTheCommitKnowsNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	begun, gate, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.write(ctx, "create client", func(tx *tx) error {
			close(begun)
			<-gate
			_, err := tx.exec(`INSERT INTO clients (id, revision, metadata, secrets, created_at, updated_at)
				VALUES ('late', 1, '{}', '[]', 1, 1)`)
			return err
		})
	}()
	<-begun
	cancel()
	if err := <-done; !errors.Is(err, storage.ErrUnknown) || errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%v, want ErrUnknown", err)
	}
	close(gate)
	if err := createClient(t.Context(), s, "next")(); err != nil {
		t.Fatal(err)
	}
	if !exists(t, s, "late") {
		t.Error("the caller's context ended the write")
	}
}

func TestAFullQueueRefusesAtOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	release := s.hold(t)
	ctx, cancel := context.WithCancel(t.Context())
	var waiting []<-chan error
	for range maxQueue {
		waiting = append(waiting, s.queued(func() error { return s.TryGrant(ctx, grantID(1), 1) }))
	}
	if err := createClient(t.Context(), s, "one too many")(); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	cancel()
	for _, outcome := range waiting {
		<-outcome
	}
	release()
	if err := createClient(t.Context(), s, "next")(); err != nil {
		t.Error(err)
	}
}

func TestCloseDrainsTheQueue(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	release := s.hold(t)
	var outcomes []<-chan error
	for n := range 10 {
		outcomes = append(outcomes, s.queued(createClient(t.Context(), s, fmt.Sprint(n))))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.closed
	release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	again := openAt(t, path)
	for n, outcome := range outcomes {
		if err := <-outcome; err != nil || !exists(t, again, fmt.Sprint(n)) {
			t.Errorf("write %d was queued before Close: %v, in the file: %t", n, err, exists(t, again, fmt.Sprint(n)))
		}
	}
}
