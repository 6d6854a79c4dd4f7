package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// buildFailpoints builds the program with the failpoints that the one under test lacks.
func buildFailpoints(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet-failpoints")
	args := append([]string{"build", "-tags", "failpoints", "-o", path}, buildFlags...)
	build := exec.CommandContext(t.Context(), "go", append(args, "./cmd/signet")...)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build -tags failpoints: %v\n%s", err, out)
	}
	return path
}

// mortal is a server, and the program in which failpoints can be set.
type mortal struct {
	*node
	program        string
	client, strict registered
}

// dyingAt runs during on a server that ends at point, which during must bring about, and then starts a sound one.
func (m *mortal) dyingAt(t *testing.T, point string, during func()) {
	t.Helper()
	m.kill()
	m.node.program = m.program
	m.env["SIGNET_TEST_FAILPOINT"] = point
	m.start(t)
	during()
	select {
	case err := <-m.done:
		m.done <- err
	case <-time.After(startup):
		t.Fatalf("the server did not come to %s", point)
	}
	m.node.program = ""
	delete(m.env, "SIGNET_TEST_FAILPOINT")
	m.start(t)
}

// unheard sends a request that must not be answered.
func (m *mortal) unheard(t *testing.T, path string, c registered, form url.Values) {
	t.Helper()
	if a, _, err := sendPatiently(m.URL+path, c, form); err == nil {
		t.Errorf("a server that should have died answered %d %s", a.Status, a.Body)
	}
}

// TestFaultKilledAtFailpoints: a process that dies just before it writes has done nothing; one that dies after its commit and
// before its answer has done it all. Whoever waited in vain asks again, after the next start, and is where he would be.
func TestFaultKilledAtFailpoints(t *testing.T) {
	t.Parallel()
	program := buildFailpoints(t)
	onEngines(t, func(t *testing.T, env settings) {
		m := &mortal{node: serve(t, env), program: program}
		createUser(t, m.env, "ada")
		m.client = balancedClient(t, m.env)
		m.strict = createClient(t, m.env, "--name", "strict", "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid", "--refresh-rotation", "strict")
		for _, when := range []string{"before", "after"} {
			after := when == "after"
			t.Run(when+" a sign-in", func(t *testing.T) {
				m.dyingAt(t, when+":CreateGrant", func() { m.unheard(t, "/oauth2/token", m.client, passwordForm("ada")) })
				signIn(t, m.URL, m.client, "ada")
			})
			t.Run(when+" a refresh", func(t *testing.T) { m.refreshCut(t, when) })
			t.Run(when+" a revocation", func(t *testing.T) { m.revokeCut(t, when, after) })
			t.Run(when+" a second factor", func(t *testing.T) { m.factorCut(t, when, after) })
			t.Run(when+" a client's new secret", func(t *testing.T) { m.secretCut(t, when) })
			t.Run(when+" a user's new password", func(t *testing.T) { m.passwordCut(t, when, after) })
		}
	})
}

func (m *mortal) refreshCut(t *testing.T, when string) {
	token := signIn(t, m.URL, m.client, "ada").RefreshToken
	m.dyingAt(t, when+":RotateGrant", func() { m.unheard(t, "/oauth2/token", m.client, refreshForm(token)) })
	one, again := refresh(t, m.URL, m.client, token), refresh(t, m.URL, m.client, token)
	if one.Status != http.StatusOK || one.RefreshToken != again.RefreshToken {
		t.Fatalf("the token whose answer was lost: %d %s, then %d", one.Status, one.Body, again.Status)
	}
	if next := refresh(t, m.URL, m.client, one.RefreshToken); next.Status != http.StatusOK {
		t.Errorf("its successor: %d %s", next.Status, next.Body)
	}
}

func (m *mortal) revokeCut(t *testing.T, when string, after bool) {
	// Two grants, of which each meets its own verb: the refresh token's ends, the access token alone is denied.
	whole, access := signIn(t, m.URL, m.client, "ada"), signIn(t, m.URL, m.client, "ada")
	m.dyingAt(t, when+":RevokeGrant", func() { m.unheard(t, "/oauth2/revoke", m.client, url.Values{"token": {whole.RefreshToken}}) })
	m.dyingAt(t, when+":DenyToken", func() { m.unheard(t, "/oauth2/revoke", m.client, url.Values{"token": {access.AccessToken}}) })
	for _, token := range []string{whole.RefreshToken, whole.AccessToken, access.AccessToken} {
		if active := introspect(t, m.URL, m.client, token).Active; active == after {
			t.Errorf("active is %v after the death", active)
		}
	}
	revoke(t, m.URL, m.client, whole.RefreshToken)
	revoke(t, m.URL, m.client, access.AccessToken)
	refused(t, refresh(t, m.URL, m.client, whole.RefreshToken), "a token that was revoked again")
	if introspect(t, m.URL, m.client, access.AccessToken).Active {
		t.Error("an access token that was revoked again is active")
	}
	if a := refresh(t, m.URL, m.client, access.RefreshToken); a.Status != http.StatusOK {
		t.Errorf("the grant of a revoked access token: %d %s", a.Status, a.Body)
	}
}

func (m *mortal) factorCut(t *testing.T, when string, after bool) {
	user := "grace-" + when
	createUser(t, m.env, user)
	_, codes := enroll(t, m.env, user)
	half := post(t, m.URL, "/oauth2/token", m.client, passwordForm(user)).MFAToken
	proof := func(code string) url.Values {
		return url.Values{"grant_type": {"urn:signet:oauth:grant-type:mfa-otp"}, "mfa_token": {half}, "recovery_code": {code}}
	}
	m.dyingAt(t, when+":RedeemGrant", func() { m.unheard(t, "/oauth2/token", m.client, proof(codes[0])) })
	again := post(t, m.URL, "/oauth2/token", m.client, proof(codes[0]))
	if !after {
		if again.Status != http.StatusOK {
			t.Errorf("a proof that bought nothing: %d %s", again.Status, again.Body)
		}
		refused(t, post(t, m.URL, "/oauth2/token", m.client, proof(codes[0])), "the proof for the second time")
		return
	}
	refused(t, again, "a proof that was spent unheard")
	half = post(t, m.URL, "/oauth2/token", m.client, passwordForm(user)).MFAToken
	refused(t, post(t, m.URL, "/oauth2/token", m.client, proof(codes[0])), "a code that was spent unheard, in another sign-in")
	half = post(t, m.URL, "/oauth2/token", m.client, passwordForm(user)).MFAToken
	if a := post(t, m.URL, "/oauth2/token", m.client, proof(codes[1])); a.Status != http.StatusOK {
		t.Errorf("the next code: %d %s", a.Status, a.Body)
	}
}

// dies runs a command of the program with failpoints, which must end there and say nothing.
func (m *mortal) dies(t *testing.T, point, stdin string, args ...string) {
	t.Helper()
	env := settings{"SIGNET_TEST_FAILPOINT": point}
	for name, value := range m.env {
		env[name] = value
	}
	cmd := exec.CommandContext(t.Context(), m.program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = m.dir, env.environ(m.dir), strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err == nil || len(out) > 0 {
		t.Errorf("signet %s did not die at %s: %v %s", strings.Join(args, " "), point, err, out)
	}
}

func (m *mortal) secretCut(t *testing.T, when string) {
	token := signIn(t, m.URL, m.strict, "ada").RefreshToken
	m.dies(t, when+":UpdateClient", "", "client", "rotate-secret", m.strict.ID, "-o", "json")
	a := refresh(t, m.URL, m.strict, token)
	if a.Status != http.StatusOK {
		t.Fatalf("the old secret within its overlap: %d %s", a.Status, a.Body)
	}
	out := command{env: m.env}.run(t, "client", "rotate-secret", m.strict.ID, "-o", "json")
	if err := json.Unmarshal([]byte(out), &m.strict); err != nil {
		t.Fatal(err)
	}
	if b := refresh(t, m.URL, m.strict, a.RefreshToken); b.Status != http.StatusOK {
		t.Errorf("the secret that the operator was shown at last: %d %s", b.Status, b.Body)
	}
}

func (m *mortal) passwordCut(t *testing.T, when string, after bool) {
	const changed = "maple-harbour-quiet-nine"
	user := "bob-" + when
	createUser(t, m.env, user)
	token := signIn(t, m.URL, m.client, user).RefreshToken
	m.dies(t, when+":SetPassword", changed, "user", "set-password", user, "--password-stdin")
	form := passwordForm(user)
	form.Set("password", changed)
	old, fresh := post(t, m.URL, "/oauth2/token", m.client, passwordForm(user)), post(t, m.URL, "/oauth2/token", m.client, form)
	good, bad := old, fresh
	if after {
		good, bad = fresh, old
	}
	refused(t, bad, "the password that is not in force")
	if good.Status != http.StatusOK {
		t.Errorf("the password in force: %d %s", good.Status, good.Body)
	}
	if a := refresh(t, m.URL, m.client, token); (a.Status == http.StatusOK) == after {
		t.Errorf("a grant from before: %d %s", a.Status, a.Body)
	}
}

// TestTheProgramHasNoFailpoints: the one that is released does not know them, whatever its environment says.
func TestTheProgramHasNoFailpoints(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.GoFiles}}", "./cmd/signet")
	list.Dir = ".."
	out, err := list.CombinedOutput()
	if err != nil || strings.Contains(string(out), "failpoints_on.go") || !strings.Contains(string(out), "failpoints_off.go") {
		t.Errorf("an ordinary build is made of %s, %v", out, err)
	}
	node := serve(t, settings{
		"SIGNET_TEST_FAILPOINT": "before:CreateGrant",
		"SIGNET_DATABASE_URL":   "sqlite://" + filepath.Join(t.TempDir(), "signet.db"),
	})
	createUser(t, node.env, "ada")
	signIn(t, node.URL, balancedClient(t, node.env), "ada")
}
