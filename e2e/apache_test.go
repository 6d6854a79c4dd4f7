package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestModAuthOpenIDC: a person signs in to an Apache that Debian's mod_auth_openidc guards, the module refreshes its tokens and
// reads userinfo, and when the person signs out at Signet, Signet tells the module, whose session is over.
func TestModAuthOpenIDC(t *testing.T) {
	t.Parallel()
	apache, module := "/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_auth_openidc.so"
	for _, path := range []string{apache, module} {
		if _, err := os.Stat(path); err != nil {
			missing(t, "mod_auth_openidc", "install Apache with it (Debian: apache2-bin, libapache2-mod-auth-openidc)")
		}
	}
	onTransports(t, settings{"SIGNET_OUTBOUND_ALLOW": "127.0.0.0/8"}, func(t *testing.T, n *node) {
		subject := createUser(t, n.env, "ada", "--email", "ada@example.com", "--name", "Ada Lovelace")
		site := startApache(t, n, apache, filepath.Dir(module))
		ada := n.visitor(t, "ada")

		ada.enters(t, site, subject)
		if user := ada.knock(t, site); user != subject {
			t.Fatalf("the session does not last: %q", user)
		}
		before := ada.info(t, site)
		if before.UserInfo["email"] != "ada@example.com" || before.IDToken["sid"] == nil || before.RefreshToken == "" {
			t.Errorf("the module knows %+v", before)
		}

		// Its own address for renewing, which it guards by the access token that it has.
		ada.ok(t, site+"oidc?"+url.Values{"refresh": {site}, "access_token": {before.AccessToken}}.Encode())
		after := ada.info(t, site)
		if after.AccessToken == before.AccessToken || after.RefreshToken == before.RefreshToken {
			t.Error("the module did not renew its tokens")
		}

		if _, last, err := ada.goTo(n.URL + "/oauth2/logout"); err != nil || last == nil || last.Status != http.StatusOK {
			t.Fatalf("signing out at Signet: %+v, %v", last, err)
		}
		if !eventually(t.Context(), func() bool { return ada.knock(t, site) == "" }) {
			t.Error("the session of the module outlives the one at Signet")
		}
		ada.enters(t, site, subject)
	})
}

// startApache registers a client and starts an Apache that is it, as an unprivileged user, and returns the address of what it
// guards.
func startApache(t *testing.T, n *node, apache, modules string) (site string) {
	t.Helper()
	dir := publicDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "htdocs", "private"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct{ from, to string }{{"apache/httpd.conf", "httpd.conf"}, {"apache/index.html", "htdocs/private/index.html"}, {ca.file, "ca.pem"}} {
		if err := os.WriteFile(filepath.Join(dir, f.to), []byte(readFile(t, f.from)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddr(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	site = "http://localhost:" + port + "/private/"
	client := createClient(t, n.env, "--name", "Apache", "--grant-type", "authorization_code", "--grant-type", "refresh_token",
		"--scope", "openid profile email", "--redirect-uri", site+"oidc", "--backchannel-logout-uri", site+"oidc?logout=backchannel",
		"--backchannel-logout-session-required")
	cmd := exec.Command(apache, "-X", "-f", filepath.Join(dir, "httpd.conf"))
	cmd.Env = settings{
		"DIR": dir, "PORT": port, "MODULES": modules, "ISSUER": n.URL, "CLIENT_ID": client.ID, "CLIENT_SECRET": client.Secret,
		"PASSPHRASE": client.Secret, "CA": filepath.Join(dir, "ca.pem"),
	}.environ(dir)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		for _, path := range []string{dir, filepath.Join(dir, "htdocs")} {
			if err := os.Chown(path, unprivileged, unprivileged); err != nil {
				t.Fatal(err)
			}
		}
	}
	log := &logBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			errors, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("Apache says:\n%s%s", log.tail(), errors)
		}
	})
	if !eventually(t.Context(), func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	}) {
		t.Fatal("Apache does not listen")
	}
	return site
}

// knock asks for the guarded page and returns whom Apache believes to be there; "" where it sends the person to sign in.
func (p *person) knock(t *testing.T, site string) (user string) {
	t.Helper()
	resp, err := p.client.Get(site)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return resp.Header.Get("X-User")
	}
	return ""
}

// enters goes to the guarded page, signs in on the way, and arrives there as subject.
func (p *person) enters(t *testing.T, site, subject string) {
	t.Helper()
	resp, err := p.client.Get(site)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		t.Fatalf("Apache answered %d without sending the person to sign in", resp.StatusCode)
	}
	back, last, err := p.goTo(to.String())
	if err != nil || back == nil {
		t.Fatalf("on the way to Apache: %+v, %v", last, err)
	}
	p.ok(t, back.String())
	if user := p.knock(t, site); user != subject {
		t.Fatalf("Apache believes that %q came, want %q", user, subject)
	}
}

// ok goes to address, follows one redirect and wants a page there.
func (p *person) ok(t *testing.T, address string) string {
	t.Helper()
	for range 3 {
		resp, err := p.client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if to, err := resp.Location(); err == nil {
			address = to.String()
			continue
		}
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", address, resp.StatusCode, body)
		}
		return string(body)
	}
	t.Fatalf("no page after three redirects, the last to %s", address)
	return ""
}

// moduleInfo is what mod_auth_openidc tells of its session.
type moduleInfo struct {
	AccessToken  string         `json:"access_token"`
	RefreshToken string         `json:"refresh_token"`
	IDToken      map[string]any `json:"id_token"`
	UserInfo     map[string]any `json:"userinfo"`
}

func (p *person) info(t *testing.T, site string) moduleInfo {
	t.Helper()
	var info moduleInfo
	text := p.ok(t, site+"oidc?info=json")
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatal(fmt.Errorf("the module's own address answered %q: %w", text, err))
	}
	return info
}
