package sqlite

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/signet-idp/signet/storage"
)

// helperEnv names the database file for a process of its own, which this test binary is then.
const helperEnv = "SIGNET_SQLITE_TEST_HELPER"

func TestMain(m *testing.M) {
	if path := os.Getenv(helperEnv); path != "" {
		if err := helper(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// helper creates clients for ever and prints the number of each once it has been answered.
func helper(path string) error {
	s, err := Open(context.Background(), Options{Path: path})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		c := storage.Client{ID: fmt.Sprintf("%d-%d", os.Getpid(), n)}
		if err := s.CreateClient(context.Background(), c, storage.Also{}); err != nil {
			return err
		}
		if _, err := fmt.Println(c.ID); err != nil {
			return err
		}
	}
}

func helperCommand(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "signet ?#%.db") // every character that an address would read otherwise
}

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path, Clock: func() time.Time { return instantOfTests }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func newStore(t *testing.T) *Store {
	t.Helper()
	return openAt(t, newPath(t))
}

// hold keeps the writer in the middle of a batch of its own until release is called.
func (s *Store) hold(t *testing.T) (release func()) {
	t.Helper()
	begun, gate, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.write(context.Background(), "hold", func(*tx) error {
			close(begun)
			<-gate
			return nil
		})
	}()
	<-begun
	return sync.OnceFunc(func() {
		close(gate)
		if err := <-ended; err != nil {
			t.Errorf("the write that was held: %v", err)
		}
	})
}

// queued starts write and returns, once it is in the queue, where its outcome will be.
func (s *Store) queued(write func() error) <-chan error {
	before, done := len(s.writer.queue), make(chan error, 1)
	go func() { done <- write() }()
	for len(s.writer.queue) == before {
		runtime.Gosched()
	}
	return done
}

func createClient(ctx context.Context, s *Store, id string) func() error {
	return func() error { return s.CreateClient(ctx, storage.Client{ID: id}, storage.Also{}) }
}

func exists(t *testing.T, s *Store, client string) bool {
	t.Helper()
	all, err := s.ListClients(t.Context(), "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == client {
			return true
		}
	}
	return false
}
