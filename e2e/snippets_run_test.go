package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// good wants an access token for the person, or for the machine itself.
func (s *trial) good(token string) {
	s.Helper()
	subject := s.subject
	if s.app.kind == "machine" {
		subject = s.app.ID
	}
	verifyAccess(s.T, s.n, s.provider, token, subject, s.app.ID)
}

// goodJSON wants an answer of the token endpoint.
func (s *trial) goodJSON(text string) {
	s.Helper()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		s.Fatalf("it printed %q: %v", text, err)
	}
	s.good(answer.AccessToken)
}

func answersJSON(s *trial)  { s.goodJSON(s.result(s.start(nil))) }
func answersToken(s *trial) { s.good(s.result(s.start(nil))) }

// pastesAddress: the person signs in, and pastes the address at which the browser ends up.
func pastesAddress(s *trial) {
	r := s.start(nil)
	back := s.n.visitor(s.T, "ada").away(s.T, s.says(r, s.n.URL+"/oauth2/authorize"))
	if _, err := fmt.Fprintln(r.in, back); err != nil {
		s.Fatal(err)
	}
	s.goodJSON(s.result(r))
}

func waitsForDevice(s *trial) {
	r := s.start(nil)
	if _, last, err := s.n.visitor(s.T, "ada").goTo(s.says(r, s.n.URL+"/device")); err != nil || last == nil || last.Status != http.StatusOK {
		s.Fatalf("the person with the code: %+v, %v", last, err)
	}
	s.goodJSON(s.result(r))
}

// returns has the person sign in, and the browser go on to the program that listens.
func (s *trial) returns(r *running) {
	s.Helper()
	ada := s.n.visitor(s.T, "ada")
	ada.ok(s.T, ada.away(s.T, s.says(r, s.n.URL+"/oauth2/authorize")).String())
}

func listens(s *trial) {
	r := s.start(nil)
	s.returns(r)
	s.good(s.result(r))
}

// callsMCPServer: the example MCP server, which is open to all agents, lists its one tool.
func callsMCPServer(s *trial) {
	server := startMCPServer(s.T, buildMCPServer(s.T), s.n.URL)
	command{env: s.n.env}.run(s.T, "resource", "create", server, "--name", "Who am I", "--scope", "mcp.tools", "--any-client")
	r := s.start(settings{"MCP_SERVER": server})
	s.returns(r)
	if tools := s.result(r); tools != "whoami" {
		s.Errorf("the agent sees the tools %q", tools)
	}
}

// enter waits for the site, has the person sign in from there, and wants them to be known.
func (s *trial) enter(r *running, path string) {
	s.Helper()
	s.awaitSite(r)
	ada := s.n.visitor(s.T, "ada")
	resp, err := ada.client.Get(s.app.origin + path)
	if err != nil {
		s.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		s.Fatalf("the site answered %d without sending the person to sign in", resp.StatusCode)
	}
	if seen := ada.ok(s.T, ada.away(s.T, to.String()).String()); seen != "Signed in as "+s.subject+"\n" {
		s.Errorf("the site shows %q", seen)
	}
}

// awaitSite waits until somebody listens where browsers find the site.
func (s *trial) awaitSite(r *running) {
	s.Helper()
	if !eventually(s.Context(), func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.app.origin, "http://"))
		if err == nil {
			c.Close()
		}
		return err == nil || r != nil && r.ended()
	}) {
		s.Fatal("nobody listens")
	}
}

func servesSite(s *trial) {
	r := s.start(nil)
	s.enter(r, "/")
	if !eventually(s.Context(), func() bool { return strings.HasSuffix(r.out.String(), "\n") && strings.Contains(r.out.String(), "eyJ") }) {
		s.Fatal("it prints no token")
	}
	s.good(r.out.String()[strings.Index(r.out.String(), "eyJ") : len(r.out.String())-1])
}

// servesDjango: mozilla-django-oidc signs a person in to a Django site.
func servesDjango(s *trial) { s.enter(s.start(nil), "/sign-in") }

// servesSinglePage: a person signs in in a browser.
func servesSinglePage(s *trial) {
	r := s.start(nil)
	s.awaitSite(r)
	b := openBrowser(s.T)
	b.visit(s.app.origin + "/")
	b.press("#sign-in")
	b.signIn("ada", password)
	b.decide("allow")
	b.until("is signed in", func() bool {
		return glimpse[string](b, `document.getElementById("who")?.textContent`) == "Signed in as "+s.subject
	})
	s.good(b.text("#token"))
}

// servesAPI: an API on djangorestframework-simplejwt lets in whoever has a token, and nobody else.
func servesAPI(s *trial) {
	_, port, err := net.SplitHostPort(s.app.listen)
	if err != nil {
		s.Fatal(err)
	}
	s.app.origin = "http://127.0.0.1:" + port
	s.awaitSite(s.start(settings{"PORT": port}))
	robot := createClient(s.T, s.n.env, "--name", "robot", "--grant-type", "client_credentials")
	config := clientcredentials.Config{ClientID: robot.ID, ClientSecret: robot.Secret, TokenURL: s.n.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader}
	token, err := config.Token(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if status, body := me(s.T, s.app.origin, token.AccessToken); status != http.StatusOK || body["client_id"] != robot.ID {
		s.Errorf("with a token: %d %v", status, body)
	}
	wantRefused(s.T, s.app.origin, token.AccessToken[:len(token.AccessToken)-8]+"AAAAAAAA")
}

// servesApache: the snippet's lines in an Apache of Debian's.
func servesApache(s *trial) {
	apache, module := "/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_auth_openidc.so"
	for _, path := range []string{apache, module} {
		if _, err := os.Stat(path); err != nil {
			missing(s.T, "mod_auth_openidc", "install Apache with it (Debian: apache2-bin, libapache2-mod-auth-openidc)")
		}
	}
	dir := publicDir(s.T)
	htdocs := filepath.Join(dir, "htdocs")
	if err := os.Mkdir(htdocs, 0o755); err != nil {
		s.Fatal(err)
	}
	for name, text := range map[string]string{
		"httpd.conf": readFile(s.T, "snippets/httpd.conf"), "htdocs/index.html": "Welcome", "signet.conf": s.snippet.file(s.T, "/etc/apache2/conf-available/signet.conf"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	_, port, err := net.SplitHostPort(s.app.listen)
	if err != nil {
		s.Fatal(err)
	}
	cmd := exec.Command(apache, "-X", "-f", filepath.Join(dir, "httpd.conf"))
	cmd.Env = settings{"DIR": dir, "PORT": port, "MODULES": filepath.Dir(module), "SIGNET_CLIENT_SECRET": s.app.Secret}.environ(dir)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		if err := os.Chown(dir, unprivileged, unprivileged); err != nil {
			s.Fatal(err)
		}
	}
	log := &logBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.Failed() {
			errors, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			s.Logf("Apache says:\n%s%s", log.tail(), errors)
		}
	})
	s.awaitSite(nil)
	s.n.visitor(s.T, "ada").enters(s.T, s.app.origin+"/", s.subject)
	resp, err := http.Get(s.app.origin + "/")
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); strings.Contains(string(body), "Welcome") {
		s.Error("Apache shows the site to strangers")
	}
}
