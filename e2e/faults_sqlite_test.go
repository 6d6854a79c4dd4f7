package e2e

import (
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFaultSQLiteLockedForLong: another process writes for longer than SQLite waits for a lock; clients hear 503, what only reads
// goes on, and all is as before when the lock is gone.
func TestFaultSQLiteLockedForLong(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signet.db")
	h := newHistory(t, 3, serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + path}))
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop := h.load(t)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	<-time.After(7 * time.Second) // busy_timeout is five
	if e := h.ask(0, "introspect", "/oauth2/introspect", url.Values{"token": {"nothing"}}); e.answer.Status != http.StatusOK || e.took > 2*time.Second {
		t.Errorf("reading waits for a lock on writing: %s", e)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if took := h.recovered(t); took > 12*time.Second {
		t.Errorf("recovery took %v", took)
	}
	stop()
	good, outage := h.verify(t)
	if outage == 0 {
		t.Error("nobody met the lock")
	}
	t.Logf("%d requests served, %d answered 503", good, outage)
}

// TestFaultSQLiteDiskFull: on a full disk nothing is acknowledged that was not kept, clients hear 503 and keep their tokens, keys
// are served, and once there is room all goes on in the same process, with a database that is whole.
func TestFaultSQLiteDiskFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	h := newHistory(t, 3, serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(disk, "signet.db")}))
	stop := h.load(t)
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	<-time.After(3 * time.Second)
	if get(t, h.nodes[0].URL+"/.well-known/jwks.json", "") == "" {
		t.Error("the key set is not served")
	}
	e := h.ask(0, "password", "/oauth2/token", passwordForm("ada"))
	if strings.Contains(e.answer.Body, "disk") || strings.Contains(e.answer.Body, "full") {
		t.Errorf("the client is told of disks: %s", e)
	}
	fill(t, ballast) // what a checkpoint gave back
	for range 100 {
		h.inAndOut(t.Context(), 0)
		if _, outage := h.tally(); outage > 3 {
			break
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if took := h.recovered(t); took > 5*time.Second {
		t.Errorf("recovery took %v", took)
	}
	stop()
	good, outage := h.verify(t)
	if outage == 0 {
		t.Error("the disk was never full")
	}
	var verdict string
	db, err := sql.Open("sqlite", "file:"+filepath.Join(disk, "signet.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("PRAGMA integrity_check: %q, %v", verdict, err)
	}
	t.Logf("%d requests served, %d answered 503", good, outage)
}

// smallDisk is a file system of its own, of two megabytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if runtime.GOOS != "linux" {
		missing(t, "a small disk", "run this test on Linux")
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(2<<20), "signet-test", dir).CombinedOutput(); err != nil {
		missing(t, "a small disk", "run this test as root, who may mount one: "+strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill appends to file until its disk has no byte left.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// tally counts what was answered so far.
func (h *history) tally() (good, outage int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		switch e.answer.Status {
		case http.StatusOK:
			good++
		case http.StatusServiceUnavailable:
			outage++
		}
	}
	return good, outage
}
