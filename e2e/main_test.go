package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// kills is how often TestKill ends the server on each engine: five times in make test, fifty in make kill.
var kills = flag.Int("kills", 5, "how many times the server is killed on each engine")

// What TestMain makes once, for all tests.
var (
	signet string     // path of the program under test
	ca     *authority // whom clients believe where Signet speaks TLS

	chrome chromium // started by the first test that needs it
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "signet-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// An unprivileged user runs the program in one of the tests.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	signet = filepath.Join(dir, "signet")
	build := exec.CommandContext(context.Background(), "go", append(append([]string{"build"}, buildFlags...), "-o", signet, "./cmd/signet")...)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build ./cmd/signet: %v\n%s", err, out)
		return 1
	}
	if ca, err = newAuthority(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer chrome.close()
	return m.Run()
}

// missing ends a test that needs what this machine lacks: as a failure where everything must be there (CI=true), else as a
// skip that make test names at its end.
func missing(t testing.TB, what, remedy string) {
	t.Helper()
	text := fmt.Sprintf("SIGNET-MISSING: %s: %s", what, remedy)
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip(text)
}
