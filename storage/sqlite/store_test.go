package sqlite

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestPragmasAreInForceOnEveryConnection(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1", "temp_store": "2", "query_only": "0",
	}
	check := func(c *session) error {
		for name, value := range want {
			var got string
			if err := c.scan(`PRAGMA `+name, nil, &got); err != nil || got != value {
				return fmt.Errorf("%s is %q, want %q: %w", name, got, value, err)
			}
		}
		return nil
	}
	if err := s.write(t.Context(), "look", func(tx *tx) error { return check(tx.session) }); err != nil {
		t.Errorf("the writer: %v", err)
	}
	want["query_only"] = "1"
	for n := range maxReaders {
		c := <-s.idle
		if err := check(c); err != nil {
			t.Errorf("reader %d: %v", n, err)
		}
		if _, err := c.exec(`DELETE FROM grants`); err == nil {
			t.Errorf("reader %d may write", n)
		}
		s.idle <- c
	}
}

func TestANewDatabaseIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	if err := createClient(t.Context(), s, "c")(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, error %v, want the database, its log and its index", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, error %v", file, info.Mode(), err)
		}
	}
}

func TestManyMayOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	start := make(chan struct{})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			<-start
			s, err := Open(t.Context(), Options{Path: path})
			if err != nil {
				t.Errorf("opener %d: %v", n, err)
				return
			}
			if err := createClient(t.Context(), s, fmt.Sprint(n))(); err != nil {
				t.Errorf("opener %d: %v", n, err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("opener %d: %v", n, err)
			}
		})
	}
	close(start)
	all.Wait()
	s := openAt(t, path)
	for n := range 8 {
		if !exists(t, s, fmt.Sprint(n)) {
			t.Errorf("what opener %d wrote is lost", n)
		}
	}
}

// Two processes open a new file at once and write beside each other and beside us, until they are killed in the middle of it.
func TestProcessesWriteBesideEachOtherAndLoseNothingAnswered(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	var answered []string
	var mu sync.Mutex
	var all sync.WaitGroup
	defer all.Wait()
	for range 2 {
		cmd := helperCommand(t, path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			lines := 0
			for scanner := bufio.NewScanner(out); scanner.Scan(); lines++ {
				mu.Lock()
				answered = append(answered, scanner.Text())
				mu.Unlock()
				if lines == 50 {
					if err := cmd.Process.Kill(); err != nil {
						t.Errorf("kill: %v", err)
					}
				}
			}
			_ = cmd.Wait() // it was killed
			if lines < 50 {
				t.Errorf("a process wrote %d clients and stopped", lines)
			}
		})
	}
	s := openAt(t, path)
	for n := range 50 {
		if err := createClient(t.Context(), s, fmt.Sprint(n))(); err != nil {
			t.Errorf("beside other processes: %v", err)
		}
	}
	all.Wait()
	there := map[string]bool{}
	clients, err := s.ListClients(t.Context(), "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clients {
		there[c.ID] = true
	}
	for _, id := range answered {
		if !there[id] {
			t.Errorf("client %s was answered and is lost", id)
		}
	}
	c := <-s.idle
	defer func() { s.idle <- c }()
	var verdict string
	if err := c.scan(`PRAGMA integrity_check`, nil, &verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %q, %v", verdict, err)
	}
}

func TestALockHeldTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, other := openAt(t, path), openAt(t, path)
	err := s.write(t.Context(), "lose patience sooner", func(tx *tx) error {
		var ms int
		return tx.scan(`PRAGMA busy_timeout = 20`, nil, &ms)
	})
	if err != nil {
		t.Fatal(err)
	}
	release := other.hold(t)
	if err := createClient(t.Context(), s, "c")(); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	if exists(t, s, "c") {
		t.Error("ErrUnavailable, and yet it was written")
	}
	release()
	if err := createClient(t.Context(), s, "c")(); err != nil {
		t.Errorf("after the other has finished: %v", err)
	}
}

func TestADamagedFileIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	whole := newPath(t)
	s := openAt(t, whole)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"text":                []byte("this was never a database, however long it is"),
		"damaged header":      append([]byte("SQLite format 4\x00"), good[16:]...),
		"truncated":           good[:len(good)/2],
		"damaged schema page": append(append([]byte(nil), good[:100]...), bytes.Repeat([]byte{0xa5}, len(good)-100)...),
	} {
		path := newPath(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		opened, err := Open(t.Context(), Options{Path: path})
		if err == nil {
			_ = opened.Close()
		}
		wantText(t, name, err, storage.ErrUnavailable, fmt.Sprintf("storage: unavailable: database file %q: it is damaged or not a "+
			"SQLite database: it was left untouched; restore it from a backup: ", path))
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, content) {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
}

func TestAFileOutOfReachIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nowhere", "signet.db")
	for _, o := range []Options{{Path: path}, {Path: path, NoMigrate: true}} {
		_, err := Open(t.Context(), o)
		wantText(t, "no folder", err, storage.ErrUnavailable, fmt.Sprintf("storage: unavailable: database file %q: it could not be "+
			"opened: check that its folder exists and that this user may read and write both: ", path))
	}
}

func TestPingNoticesThatTheFileWasReplaced(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	if now, err := s.Ping(t.Context()); err != nil || !now.Equal(instantOfTests) {
		t.Fatalf("%v, %v", now, err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ping(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("removed: %v, want ErrUnavailable", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ping(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("replaced: %v, want ErrUnavailable", err)
	}
}
