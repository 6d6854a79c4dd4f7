package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

// startup is how long a server may take until it is ready; what a test waits for takes a fraction of it.
const startup = 30 * time.Second

// settings are environment variables of Signet.
type settings map[string]string

// environ is the environment of a process with these settings and nothing of ours beside. A Signet with the race detector would sleep
// for a second at its end.
func (s settings) environ(home string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GORACE=atexit_sleep_ms=10"}
	for name, value := range s {
		env = append(env, name+"="+value)
	}
	return env
}

// node is one Signet process, or the place of one that was ended.
type node struct {
	URL    string // where it listens
	probes string // where it answers /readyz
	dir    string
	env    settings
	as     func(*exec.Cmd) // changes the command before it starts; nil: as it is
	// program and args are what is started; empty: signet serve.
	program string
	args    []string
	cmd     *exec.Cmd
	done    chan error
	log     *logBuffer
}

// onEngines runs test on each engine, with the settings of an empty database.
func onEngines(t *testing.T, test func(t *testing.T, env settings)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, onPostgres(t))
	})
}

// onPostgres returns the settings of an empty PostgreSQL database whose schema is up to date.
func onPostgres(t *testing.T) settings {
	t.Helper()
	env := settings{
		"SIGNET_DATABASE_URL": pgtest.URL(t),
		"SIGNET_SECRET_KEY":   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	}
	command{env: env}.run(t, "migrate", "up")
	return env
}

// serve starts a server with env on a free port and waits until it is ready. It is ended with the test.
func serve(t testing.TB, env settings) *node {
	t.Helper()
	n := place(t, env)
	n.start(t)
	return n
}

// place chooses where a server will listen and does not start it. Settings in env win.
func place(t testing.TB, env settings) *node {
	t.Helper()
	addr, management := freeAddr(t), freeAddr(t)
	n := &node{URL: "http://" + addr, probes: "http://" + management, dir: t.TempDir(), log: &logBuffer{}}
	n.env = settings{
		"SIGNET_ISSUER_URL":      n.URL,
		"SIGNET_LISTEN_ADDR":     addr,
		"SIGNET_MANAGEMENT_ADDR": management,
		"SIGNET_LOG_FORMAT":      "text",
	}
	maps.Copy(n.env, env)
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("log of the server at %s:\n%s", n.URL, n.log.tail())
		}
	})
	return n
}

// start starts the process and waits until /readyz says yes.
func (n *node) start(t testing.TB) {
	t.Helper()
	if err := n.launch(t.Context()); err != nil {
		t.Fatalf("signet serve: %v", err)
	}
}

func (n *node) launch(ctx context.Context) error {
	n.cmd = exec.Command(cmp.Or(n.program, signet), n.args...)
	if n.args == nil {
		n.cmd.Args = append(n.cmd.Args, "serve")
	}
	n.cmd.Dir, n.cmd.Env = n.dir, n.env.environ(n.dir)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if n.as != nil {
		n.as(n.cmd)
	}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(n.cmd, n.done)
	return n.ready(ctx, n.probes+"/readyz")
}

// ready asks url until it answers 200.
func (n *node) ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(ctx, url) {
			return nil
		}
		select {
		case err := <-n.done:
			n.done <- err
			return fmt.Errorf("ended before it was ready: %w", orNil(err))
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v", startup)
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func orNil(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// kill ends the process at once, as a crash would, and waits for its end.
func (n *node) kill() {
	if n.cmd == nil || n.cmd.Process == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	err := <-n.done
	n.done <- err
}

// command is how one runs signet on the command line.
type command struct {
	env   settings
	stdin string
	dir   string // "" a fresh one
}

// run runs signet and returns what it printed; a failure fails the test. It runs it again where a database on a busy machine did not
// answer in time, which signet calls unavailable: nothing was done.
func (c command) run(t testing.TB, args ...string) string {
	t.Helper()
	out, errs, err := c.try(t, args...)
	for i := 0; i < 5 && err != nil && strings.Contains(errs, "unavailable"); i++ {
		out, errs, err = c.try(t, args...)
	}
	if err != nil {
		t.Fatalf("signet %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// try runs signet and returns both streams and how it ended.
func (c command) try(t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	dir := c.dir
	if dir == "" {
		dir = t.TempDir()
	}
	cmd := exec.CommandContext(t.Context(), signet, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, c.env.environ(dir), strings.NewReader(c.stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// firstPort is where this process begins to look for free ports, lastPort how many it has looked at.
var (
	firstPort = rand.Int64N(22000)
	lastPort  atomic.Int64
)

// freeAddr returns a loopback address on which nobody listens and which it returns once. Its port lies below those that the system
// gives to outgoing connections, of which a browser and a server's clients make many before the address is used.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+(firstPort+lastPort.Add(1))%22000)
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("found no free port")
	return ""
}

// logBuffer collects what a process writes, for many writers and readers.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// tail is the end of the log: what fits on a screen.
func (b *logBuffer) tail() string {
	text := b.String()
	return text[max(0, len(text)-3000):]
}
