package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestOAuth4WebAPI: oauth4webapi, the strictest parser of answers, uses every endpoint there is.
func TestOAuth4WebAPI(t *testing.T) {
	t.Parallel()
	nodePath := installNode(t)
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		subject := createUser(t, node.env, "ada", "--email", "ada@example.com")
		oidc := []string{"--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid profile email"}
		shop := createClient(t, node.env, append(oidc, "--name", "shop")...)
		poster := createClient(t, node.env, append(oidc, "--name", "poster", "--token-endpoint-auth-method", "client_secret_post")...)
		spa := createClient(t, node.env, append(oidc, "--name", "spa", "--token-endpoint-auth-method", "none")...)
		robot := createClient(t, node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read stock.write")

		nodeTests(t, nodePath, "client.mjs", settings{
			"ISSUER": node.URL, "USERNAME": "ada", "PASSWORD": password, "SUBJECT": subject,
			"SHOP_ID": shop.ID, "SHOP_SECRET": shop.Secret, "POSTER_ID": poster.ID, "POSTER_SECRET": poster.Secret,
			"SPA_ID": spa.ID, "ROBOT_ID": robot.ID, "ROBOT_SECRET": robot.Secret,
		})
	})
}

// nodeTests runs the tests of a script in node/, and fails unless all of them pass.
func nodeTests(t *testing.T, nodePath, script string, with settings) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), nodePath, "--test", "--test-reporter=tap", script)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), with.environ(t.TempDir())...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test %s: %v\n%s", script, err, out)
	}
	if !strings.Contains(string(out), "# fail 0") || strings.Contains(string(out), "# pass 0") {
		t.Fatalf("node --test %s ran no test:\n%s", script, out)
	}
}

// installNode installs what node/package-lock.json pins, where it is not there yet, and returns Node's path.
func installNode(t *testing.T) string {
	t.Helper()
	const remedy = "install Node 20 or newer with npm"
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node", remedy)
	}
	version, err := exec.CommandContext(t.Context(), path, "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), ".")
	if n, convErr := strconv.Atoi(major); err != nil || convErr != nil || n < 20 {
		missing(t, "Node 20", remedy+", this one is "+strings.TrimSpace(string(version)))
	}
	if _, err := exec.LookPath("npm"); err != nil {
		missing(t, "npm", remedy)
	}
	install(t, filepath.Join("node", "node_modules", ".installed"), "node/package-lock.json", func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts")
		cmd.Dir = "node"
		return cmd
	})
	return path
}

// installing lets one test install while those that need the same wait.
var installing sync.Mutex

// install runs the steps unless stamp says that they were run for this lock file.
func install(t *testing.T, stamp, lock string, steps ...func(context.Context) *exec.Cmd) {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	want, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadFile(stamp); err == nil && string(have) == string(want) {
		return
	}
	for _, step := range steps {
		cmd := step(t.Context())
		if out, err := cmd.CombinedOutput(); err != nil {
			missing(t, strings.Join(cmd.Args, " "), strings.ReplaceAll(strings.TrimSpace(err.Error()+" "+string(out)), "\n", " "))
		}
	}
	if err := os.WriteFile(stamp, want, 0o644); err != nil {
		t.Fatal(err)
	}
}
