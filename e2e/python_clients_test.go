package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPythonClients: requests-oauthlib and authlib sign in by password, refresh, introspect and revoke.
func TestPythonClients(t *testing.T) {
	t.Parallel()
	python := installPythonClients(t)
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		subject := createUser(t, node.env, "ada", "--email", "ada@example.com")
		oidc := []string{"--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid profile email"}
		shop := createClient(t, node.env, append(oidc, "--name", "shop")...)
		poster := createClient(t, node.env, append(oidc, "--name", "poster", "--token-endpoint-auth-method", "client_secret_post")...)
		robot := createClient(t, node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read stock.write")

		cmd := exec.CommandContext(t.Context(), python, "-m", "unittest", "-v", "clients")
		cmd.Dir = "python"
		cmd.Env = settings{
			"ISSUER": node.URL, "USERNAME": "ada", "PASSWORD": password, "SUBJECT": subject,
			"SHOP_ID": shop.ID, "SHOP_SECRET": shop.Secret, "POSTER_ID": poster.ID, "POSTER_SECRET": poster.Secret,
			"ROBOT_ID": robot.ID, "ROBOT_SECRET": robot.Secret,
			// Both refuse http unless they are told that it stays on the machine.
			"OAUTHLIB_INSECURE_TRANSPORT": "1", "AUTHLIB_INSECURE_TRANSPORT": "1", "PYTHONDONTWRITEBYTECODE": "1",
		}.environ(t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("python -m unittest clients: %v\n%s", err, out)
		}
		if !strings.Contains(string(out), "\nOK") || strings.Contains(string(out), "Ran 0 tests") {
			t.Fatalf("python -m unittest clients ran no test, or not all:\n%s", out)
		}
	})
}

// installPythonClients makes a virtual environment with what python/requirements.txt pins, where it is not there yet, and
// returns its Python.
func installPythonClients(t *testing.T) string {
	t.Helper()
	system, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "Python", "install Python 3.10 or newer with venv (Debian: python3-venv)")
	}
	venv, err := filepath.Abs("../.build/venv-clients")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(venv), 0o755); err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(venv, "bin", "python")
	install(t, filepath.Join(venv, ".installed"), "python/requirements.txt",
		func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, system, "-m", "venv", venv) },
		func(ctx context.Context) *exec.Cmd {
			return exec.CommandContext(ctx, python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "python/requirements.txt")
		})
	return python
}
