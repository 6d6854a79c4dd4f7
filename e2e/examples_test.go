package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples: the commands in the examples' READMEs do what is said there, as they stand there. Only the ports are others,
// since somebody may be listening here, and each runs in a copy of its folder.
func TestExamples(t *testing.T) {
	t.Parallel()
	t.Run("api-go", func(t *testing.T) {
		t.Parallel()
		out := runExample(t, "api-go")
		wantIn(t, out, `"client_id":`, `"scope":["stock.read"]`, `"sub":`, "HTTP/1.1 401 Unauthorized",
			`Www-Authenticate: Bearer resource_metadata="http://localhost:`)
		for text, times := range map[string]int{
			`{"plums":7}`: 2, "HTTP/1.1 403 Forbidden": 2, `error="insufficient_scope"`: 2, `scope="stock.write"`: 2,
			`"scopes_supported":["stock.read","stock.write"]`: 2,
		} {
			if n := strings.Count(out, text); n != times {
				t.Errorf("%q is there %d times, want %d", text, n, times)
			}
		}
		logOnFailure(t, out)
	})
	t.Run("api-django", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("python3"); err != nil {
			missing(t, "Python", "install Python 3.10 or newer with venv (Debian: python3-venv)")
		}
		out := runExample(t, "api-django")
		wantIn(t, out, `"client_id":`, `"sub":`, `{"plums":7}`, "HTTP/1.1 403 Forbidden", "HTTP/1.1 401 Unauthorized")
		logOnFailure(t, out)
	})
	t.Run("mcp-go", func(t *testing.T) {
		t.Parallel()
		out := runExample(t, "mcp-go")
		wantIn(t, out, "HTTP/1.1 401 Unauthorized", `Bearer scope="mcp.tools", resource_metadata="http://localhost:`,
			"/.well-known/oauth-protected-resource/mcp\"\r\n", `"authorization_servers":["http://localhost:`, `"scopes_supported":["mcp.tools"]`,
			`"serverInfo":{"name":"whoami"`, `"description":"Says whose access token this is"`, `"structuredContent":{"client_id":`,
			"the access token is not for this API")
		logOnFailure(t, out)
	})
	t.Run("bff-go", func(t *testing.T) {
		t.Parallel()
		out := runExample(t, "bff-go")
		wantIn(t, out, "Set-Cookie: __Host-session=", "; HttpOnly; Secure; SameSite=Strict", `{"username":"ada"}`, `{"plums":7}`,
			"HTTP/1.1 403 Forbidden", "HTTP/1.1 204 No Content", "HTTP/1.1 401 Unauthorized")
		for _, secret := range []string{"eyJ", "srt_", "access_token"} {
			if strings.Contains(out, secret) {
				t.Errorf("the browser saw %q", secret)
			}
		}
		logOnFailure(t, out)
	})
}

func wantIn(t *testing.T, out string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not in what the commands show", text)
		}
	}
}

func logOnFailure(t *testing.T, out string) {
	t.Helper()
	if t.Failed() {
		t.Log(out)
	}
}

// runExample runs the blocks under "Run it" and returns what they print.
func runExample(t *testing.T, name string) string {
	t.Helper()
	folder := filepath.Join("..", "examples", name)
	script := strings.Join(shellBlocks(t, filepath.Join(folder, "README.md"), "Run it"), "\n")
	examples := t.TempDir()
	dir := filepath.Join(examples, name)
	copyExamples(t, examples)
	ports := map[string]string{}
	for _, port := range []string{"8080", "8081", "8082"} {
		_, ports[port], _ = strings.Cut(freeAddr(t), ":")
		script = strings.ReplaceAll(script, "localhost:"+port, "localhost:"+ports[port])
	}
	env := settings{
		"SIGNET_LISTEN_ADDR": "127.0.0.1:" + ports["8080"], "SIGNET_MANAGEMENT_ADDR": freeAddr(t),
		"SIGNET_ISSUER_URL": "http://localhost:" + ports["8080"],
	}
	maps.Copy(env, toolchain(t))
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+script)
	cmd.Dir, cmd.Env = dir, env.environ(t.TempDir())
	cmd.Env[0] = "PATH=" + filepath.Dir(signet) + ":" + os.Getenv("PATH")
	out, _ := runGroup(t, cmd)
	return out
}

// toolchain is what go and pip need to find what is here already, and registries by the way that this machine has.
func toolchain(t *testing.T) settings {
	t.Helper()
	env := settings{}
	for _, line := range os.Environ() {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, "PIP_") || strings.HasPrefix(name, "SSL_CERT_") ||
			strings.HasSuffix(strings.ToLower(name), "_proxy") || name == "REQUESTS_CA_BUNDLE" {
			env[name] = value
		}
	}
	names := []string{"GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"}
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		env[names[i]] = value
	}
	return env
}

// copyExamples copies what belongs to the examples, and nothing that a user's own run left in their folders. One starts another's
// program. The repository is further away from the copies.
func copyExamples(t *testing.T, to string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(root, "examples")
	out, err := exec.CommandContext(t.Context(), "git", "-C", from, "ls-files", "-co", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		text := readFile(t, filepath.Join(from, name))
		if filepath.Base(name) == "go.mod" {
			text = strings.ReplaceAll(text, "=> ../..", "=> "+root)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
