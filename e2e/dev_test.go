package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDev: signet dev shows the first token pair, the refresh, the introspection and the refused replay whose family is dead;
// its curl lines work when they are pasted; a second start finds its data again.
func TestDev(t *testing.T) {
	t.Parallel()
	dev := &node{dir: t.TempDir(), args: []string{"dev"}, log: &logBuffer{}}
	addr := freeAddr(t)
	dev.probes, dev.env = "http://"+addr, settings{"SIGNET_LISTEN_ADDR": addr}
	t.Cleanup(dev.kill)
	shown := tour(t, dev)

	answers := jsonObjects(shown)
	if len(answers) != 6 {
		t.Fatalf("the tour shows %d answers, want 6:\n%s", len(answers), shown)
	}
	first, second := answers[0], answers[1]
	if first["access_token"] == nil || first["refresh_token"] == nil || first["id_token"] == nil {
		t.Errorf("the first answer is no token pair with an ID token: %v", first)
	}
	if second["access_token"] == nil || second["refresh_token"] == nil || second["refresh_token"] == first["refresh_token"] {
		t.Errorf("the refresh did not rotate: %v", second)
	}
	if answers[2]["active"] != true || answers[2]["username"] != "demo" {
		t.Errorf("the introspection answers %v", answers[2])
	}
	for _, dead := range answers[3:5] {
		if dead["error"] != "invalid_grant" {
			t.Errorf("the replay was answered %v, want invalid_grant", dead)
		}
	}
	if answers[5]["active"] != false {
		t.Errorf("the access token of the dead family: %v, want inactive", answers[5])
	}
	pasteLines(t, dev, shown)

	dev.kill()
	dev.log = &logBuffer{}
	if again := tour(t, dev); accounts(t, again) != accounts(t, shown) {
		t.Errorf("a second start has other users or clients:\n%s\n%s", accounts(t, shown), accounts(t, again))
	}
}

// tour starts signet dev and returns what it printed until it says that it is serving.
func tour(t *testing.T, dev *node) string {
	t.Helper()
	dev.start(t)
	deadline := time.NewTimer(startup)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(dev.log.String(), "Ctrl-C") {
		select {
		case err := <-dev.done:
			dev.done <- err
			t.Fatalf("signet dev ended: %v\n%s", err, dev.log.String())
		case <-deadline.C:
			t.Fatalf("signet dev does not come to its end:\n%s", dev.log.String())
		case <-tick.C:
		}
	}
	return dev.log.String()
}

// accounts is the part of the tour that names users and clients.
func accounts(t *testing.T, shown string) string {
	t.Helper()
	_, after, _ := strings.Cut(shown, "\nUsers ")
	part, _, ok := strings.Cut(after, "Paste these")
	if !ok {
		t.Fatalf("the tour names no users:\n%s", shown)
	}
	return part
}

// pasteLines runs every curl line in a shell, one after the other, as a reader would.
func pasteLines(t *testing.T, dev *node, shown string) {
	t.Helper()
	want := map[string]*regexp.Regexp{
		"/oauth2/introspect":       regexp.MustCompile(`"active": ?true`),
		"/userinfo":                regexp.MustCompile(`"sub": ?"`),
		"grant_type=refresh_token": regexp.MustCompile(`"refresh_token": ?"`),
		"grant_type=password":      regexp.MustCompile(`"mfa_token": ?"|"access_token": ?"`),
		"/oauth2/revoke":           regexp.MustCompile(`^200\s*$`),
	}
	seen := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^curl .*(?:\\\n.*)*$`).FindAllString(shown, -1) {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
		cmd.Dir, cmd.Env = dev.dir, settings{}.environ(dev.dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		for part, pattern := range want {
			if strings.Contains(line, part) {
				seen[part] = true
				if !pattern.Match(out) {
					t.Errorf("%s\nanswered %q", line, out)
				}
			}
		}
	}
	for part := range want {
		if !seen[part] {
			t.Errorf("no curl line with %s is printed", part)
		}
	}
}
