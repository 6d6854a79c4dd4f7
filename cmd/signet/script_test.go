package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"signet": main})
}

// TestCommandsOnSQLite runs testdata/script: what the commands promise, one file a noun.
func TestCommandsOnSQLite(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/script", func(_ *testing.T, e *testscript.Env) {
		e.Setenv("SIGNET_DATABASE_URL", "sqlite://"+filepath.Join(e.WorkDir, "signet.db"))
	})
}

// TestCommandsOnPostgres runs the same, and what is different there.
func TestCommandsOnPostgres(t *testing.T) {
	t.Parallel()
	onPostgres := func(t *testing.T, e *testscript.Env) {
		e.Setenv("SIGNET_DATABASE_URL", pgtest.URL(t))
		e.Setenv("SIGNET_SECRET_KEY", keys.GenerateSecretKey())
	}
	runScripts(t, "testdata/script", onPostgres)
	runScripts(t, "testdata/script_postgres", onPostgres)
}

func runScripts(t *testing.T, dir string, setup func(*testing.T, *testscript.Env)) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Files: []string{file}, RequireExplicitExec: true,
				Setup: func(e *testscript.Env) error {
					e.Setenv("GORACE", "atexit_sleep_ms=10") // with the race detector each command would sleep for a second at its end
					setup(t, e)
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "member": member, "otp": otpCode, "freeport": freePort, "ready": ready, "requestid": requestID, "chained": chained},
			})
		})
	}
}

// exits N PROGRAM ARGS… runs a program and demands its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	got := 0
	if exit != nil {
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// member NAME [VARIABLE | = TEXT] takes a member of the JSON object on the last stdout into a variable, or compares it. ! demands
// that there is no such member.
func member(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || neg != (len(args) == 1) {
		ts.Fatalf("usage: member name variable, member name = text, ! member name")
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &object); err != nil {
		ts.Fatalf("stdout is not a JSON object: %v", err)
	}
	value, there := object[args[0]]
	text := fmt.Sprint(value)
	if list, ok := value.([]any); ok {
		text = strings.Trim(fmt.Sprint(list), "[]")
	}
	switch {
	case neg && there:
		ts.Fatalf("there is a member %s", args[0])
	case !neg && !there:
		ts.Fatalf("there is no member %s", args[0])
	case len(args) == 3 && text != args[2]:
		ts.Fatalf("%s is %q, want %q", args[0], text, args[2])
	case len(args) == 2:
		ts.Setenv(args[1], text)
	}
}

// otp SECRET FILE writes the code that an authenticator with that secret shows now.
func otpCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: otp secret file")
	}
	code, err := totp.GenerateCode(args[0], time.Now())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(code+"\n"), 0o600))
}
