package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// supervisor starts the server and waits on a pipe whose other end this process holds. The kernel closes that end when the
// process is gone, however it went; then the server is stopped and its directory removed.
const supervisor = `log=$1; shift
"$@" >"$log" 2>&1 &
server=$!
read -r how || how=gone
case $how in smart|fast) kill -INT "$server" ;; *) kill -QUIT "$server" ;; esac
wait "$server"
case $how in gone) rm -rf "$(dirname "$log")" ;; esac`

// patience is how long a server may take to answer after its start, on a machine that is busy with other tests.
const patience = 60 * time.Second

// Cluster is a PostgreSQL of one test's own, for tests of failure.
type Cluster struct {
	t        testing.TB
	bin      string // folder of the server binaries
	dir      string
	port     int
	password string
	settings []string
	owner    owner
	leash    *os.File // the pipe that the supervisor waits on
	server   *exec.Cmd
}

// NewCluster starts a cluster, with fsync on, that is removed after the test. settings are further arguments of postgres.
func NewCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c, err := newCluster(binaries(t), settings...)
	if err != nil {
		t.Fatalf("making a PostgreSQL cluster: %v", err)
	}
	c.t = t
	t.Cleanup(func() {
		c.stop("immediate")
		_ = os.RemoveAll(c.dir)
	})
	c.Start()
	return c
}

// URL is the address of the cluster's database postgres, as its superuser.
func (c *Cluster) URL() string { return c.url() }

// Start starts the server and returns when it answers.
func (c *Cluster) Start() {
	c.t.Helper()
	if err := c.start(); err != nil {
		c.t.Fatalf("starting PostgreSQL: %v", err)
	}
}

// Stop ends all sessions and stops the server cleanly.
func (c *Cluster) Stop() { c.stop("fast") }

// Crash stops the server as a power cut would, without a shutdown checkpoint.
func (c *Cluster) Crash() { c.stop("immediate") }

// Restart crashes the server and starts it again.
func (c *Cluster) Restart() {
	c.t.Helper()
	c.Crash()
	c.Start()
}

// binaries finds the folder of the newest PostgreSQL server on this machine.
func binaries(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/usr/local/pgsql/bin/initdb",
		"/opt/homebrew/opt/postgresql*/bin/initdb", "/usr/local/opt/postgresql*/bin/initdb",
	} {
		paths, _ := filepath.Glob(pattern)
		found = append(found, paths...)
	}
	if len(found) == 0 {
		missing(t)
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1])
}

// version is the first number in a path such as /usr/lib/postgresql/15/bin/initdb, 0 without one.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0])
	return n
}

func newCluster(bin string, settings ...string) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "signet-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, password: rand.Text(), settings: settings}
	if c.owner, err = ownerOf(dir); err != nil {
		return nil, err
	}
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(c.password+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := c.owner.take(secret); err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres", "-N", "-E", "UTF8",
		"--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+secret)
	initdb.Dir = dir
	c.owner.run(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c, nil
}

// start tries again where somebody took the port between our finding it free and the server's listening on it.
func (c *Cluster) start() (err error) {
	for range 3 {
		if c.port == 0 {
			if c.port, err = freePort(); err != nil {
				return err
			}
		}
		if err = c.startOnce(); err == nil {
			return nil
		}
		c.stop("immediate")
		c.port = 0
	}
	return err
}

func (c *Cluster) startOnce() error {
	hold, leash, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = hold.Close() }()
	args := append([]string{
		"-c", supervisor, "sh", filepath.Join(c.dir, "log"), filepath.Join(c.bin, "postgres"),
		"-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-p", strconv.Itoa(c.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "shared_buffers=32MB",
	}, c.settings...)
	c.server = exec.Command("/bin/sh", args...)
	c.server.Stdin, c.server.Dir = hold, c.dir
	c.owner.run(c.server)
	if err := c.server.Start(); err != nil {
		_ = leash.Close()
		return err
	}
	c.leash = leash
	return c.answers()
}

// answers waits until the server takes connections, or says what its log says.
func (c *Cluster) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := pgx.Connect(ctx, c.url())
		if err == nil {
			tick.Stop()
			return conn.Close(ctx)
		}
		log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		if strings.Contains(string(log), "FATAL:  could not") {
			tick.Stop()
			return fmt.Errorf("%w\n%s", err, log)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return fmt.Errorf("no answer within %s: %w\n%s", patience, err, log)
		}
	}
}

func (c *Cluster) stop(how string) {
	if c.leash == nil {
		return
	}
	_, _ = c.leash.WriteString(how + "\n")
	_ = c.leash.Close()
	_ = c.server.Wait()
	c.leash = nil
}

func (c *Cluster) url() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", c.password), Path: "/postgres", RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
	}
	return u.String()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
