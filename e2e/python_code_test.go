package e2e

import (
	"maps"
	"os/exec"
	"strings"
	"testing"
)

// TestAuthlibCode: authlib signs a person in by authorization code with PKCE, verifies the ID token, refreshes, and hears refusals.
func TestAuthlibCode(t *testing.T) {
	t.Parallel()
	python := installPythonClients(t)
	onTransports(t, nil, func(t *testing.T, n *node) {
		with := codeClients(t, n)
		maps.Copy(with, ca.trusting())
		with["PYTHONDONTWRITEBYTECODE"] = "1"
		if strings.HasPrefix(n.URL, "http:") {
			with["AUTHLIB_INSECURE_TRANSPORT"] = "1"
		}
		cmd := exec.CommandContext(t.Context(), python, "-m", "unittest", "-v", "front_door")
		cmd.Dir = "python"
		cmd.Env = with.environ(t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("python -m unittest front_door: %v\n%s", err, out)
		}
		if !strings.Contains(string(out), "\nOK") || strings.Contains(string(out), "Ran 0 tests") {
			t.Fatalf("python -m unittest front_door ran no test, or not all:\n%s", out)
		}
	})
}
