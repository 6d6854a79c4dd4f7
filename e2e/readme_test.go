package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReadme: the README's way to a first token works as it stands there. Only the port is another one, since somebody may be
// listening on 8080 here.
func TestReadme(t *testing.T) {
	t.Parallel()
	script := "set -euo pipefail\n" + strings.Join(shellBlocks(t, "../README.md", "A first token"), "\n")
	addr := freeAddr(t)
	if !strings.Contains(script, "localhost:8080") {
		t.Fatal("the blocks do not say where Signet listens")
	}
	_, port, _ := strings.Cut(addr, ":")
	script = strings.ReplaceAll(script, "localhost:8080", "localhost:"+port)

	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = settings{
		"SIGNET_LISTEN_ADDR": addr, "SIGNET_MANAGEMENT_ADDR": freeAddr(t), "SIGNET_ISSUER_URL": "http://localhost:" + port,
	}.environ(dir)
	cmd.Env[0] = "PATH=" + filepath.Dir(signet) + ":" + os.Getenv("PATH")
	out, errs := runGroup(t, cmd)

	answers := jsonObjects(out)
	var tokens, active int
	for _, a := range answers {
		if a["access_token"] != nil && a["refresh_token"] != nil {
			tokens++
		}
		if a["active"] == true {
			active++
		}
		if a["error"] != nil {
			t.Errorf("an answer is an error: %v", a)
		}
	}
	if tokens < 2 || active < 1 {
		t.Errorf("the blocks show %d token answers and %d introspections, want a first token, a refresh and an introspection\n%s",
			tokens, active, out+errs)
	}
}

// runGroup runs a script and then ends whatever it left running: all of it has the script's process group.
func runGroup(t *testing.T, cmd *exec.Cmd) (stdout, stderr string) {
	t.Helper()
	// Files and not pipes: a server that is left behind would keep a pipe open, and Wait waiting.
	out, errs := createFile(t, "out"), createFile(t, "err")
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	defer end()
	timeout := time.AfterFunc(2*time.Minute, end)
	defer timeout.Stop()
	err := cmd.Wait()
	stdout, stderr = readFile(t, out.Name()), readFile(t, errs.Name())
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	return stdout, stderr
}

func createFile(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// jsonObjects returns every JSON object in a text that has other things between them.
func jsonObjects(text string) []map[string]any {
	var found []map[string]any
	for {
		start := strings.IndexByte(text, '{')
		if start < 0 {
			return found
		}
		text = text[start:]
		var object map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		if d.Decode(&object) != nil {
			text = text[1:]
			continue
		}
		found = append(found, object)
		text = text[d.InputOffset():]
	}
}
