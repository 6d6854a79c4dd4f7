package e2e

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/goccy/go-yaml"
	"golang.org/x/net/html"
	"golang.org/x/oauth2"
)

// snippetPage is what the portal's page has of a snippet.
type snippetPage struct {
	links        []string // the IDs of all
	tested       bool
	install, run string
	files        []snippetFile
}

type snippetFile struct{ name, text string }

func (s snippetPage) file(t *testing.T, name string) string {
	t.Helper()
	for _, f := range s.files {
		if f.name == name {
			return f.text
		}
	}
	t.Fatalf("the snippet has no file %s", name)
	return ""
}

// readSnippet has ada, who administers, look at the page.
func readSnippet(t *testing.T, n *node, app openedApp, with string) (s snippetPage) {
	t.Helper()
	ada := n.visitor(t, "ada")
	address := snippetAddress(n, app.ID, with)
	if _, last, err := ada.goTo(address); err != nil || last == nil || last.Status != http.StatusOK {
		t.Fatalf("on the way to the snippets: %+v, %v", last, err)
	}
	resp, err := ada.client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := html.Parse(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the snippets: %d, %v", resp.StatusCode, err)
	}
	for e := range doc.Descendants() {
		switch {
		case e.Data == "a" && strings.Contains(attribute(e, "href"), "&with="):
			_, id, _ := strings.Cut(attribute(e, "href"), "&with=")
			s.links = append(s.links, id)
		case hasAttribute(e, "data-tested"):
			s.tested = true
		case hasAttribute(e, "data-install"):
			s.install = textOf(e)
		case hasAttribute(e, "data-run"):
			s.run = textOf(e)
		case hasAttribute(e, "data-file"):
			s.files = append(s.files, snippetFile{attribute(e, "data-file"), textOf(e)})
		}
	}
	if len(s.links) == 0 || s.run == "" {
		t.Fatalf("the page has no snippet %s", with)
	}
	return s
}

func hasAttribute(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func textOf(n *html.Node) string {
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text.WriteString(d.Data)
		}
	}
	return text.String()
}

// install makes a folder with the snippet's files, and with what its first step installs: what that names must be what is pinned.
func (s snippetPage) installIn(t *testing.T, dir string) {
	t.Helper()
	for _, f := range s.files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.name)), []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(from, to string) {
		from, err := filepath.Abs(from)
		if err == nil {
			err = os.Symlink(from, filepath.Join(dir, to))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// Each package is pinned with this version, after the lock's own separator.
	pinned := func(lock, separator, form string) {
		text := readFile(t, lock)
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(s.install, -1) {
			if !strings.Contains(text, m[1]+separator+m[2]) {
				t.Errorf("%s %s is not what %s pins", m[1], m[2], lock)
			}
		}
	}
	switch {
	case strings.Contains(s.install, "npm install "):
		installNode(t)
		link("node/node_modules", "node_modules")
		pinned("node/package.json", `": "`, `([@a-z/-]+)@([\d.]+)`)
	case strings.Contains(s.install, "django=="):
		python := installPython(t)
		link(filepath.Dir(filepath.Dir(python)), ".venv")
		pinned("django/requirements.txt", "==", `([a-z-]+)(?:\[[a-z]+\])?==([\d.]+)`)
	case strings.Contains(s.install, "pip install "):
		python := installPythonClients(t)
		link(filepath.Dir(filepath.Dir(python)), ".venv")
		pinned("python/requirements.txt", "==", `([a-z-]+)==([\d.]+)`)
	case strings.Contains(s.install, "go get "):
		// With the sums of these tests there is nothing to ask anybody about.
		if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte(readFile(t, "go.sum")), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-euc", s.install)
		cmd.Dir, cmd.Env = dir, toolchain(t).environ(t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", s.install, err, out)
		}
	}
}

// running is a snippet that runs.
type running struct {
	out, errs *logBuffer
	in        io.WriteCloser
	done      chan error
}

// start does what the snippet's page says, with the secret where the page wants it. What it starts ends with the test.
func (s *trial) start(env settings) *running {
	s.Helper()
	dir := s.TempDir()
	s.snippet.installIn(s.T, dir)
	with := toolchain(s.T)
	maps.Copy(with, env)
	if s.app.Secret != "" {
		with["SIGNET_CLIENT_SECRET"] = s.app.Secret
	}
	cmd := exec.CommandContext(context.WithoutCancel(s.Context()), "bash", "-euo", "pipefail", "-c", s.snippet.run)
	cmd.Dir, cmd.Env = dir, with.environ(s.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r := &running{out: &logBuffer{}, errs: &logBuffer{}, done: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = r.out, r.errs
	var err error
	if r.in, err = cmd.StdinPipe(); err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() { r.done <- cmd.Wait() }()
	s.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		err := <-r.done
		r.done <- err
		if s.Failed() {
			s.Logf("the snippet said:\n%s%s", r.out.tail(), r.errs.tail())
		}
	})
	return r
}

// ended reports whether the snippet is at its end.
func (r *running) ended() bool {
	select {
	case err := <-r.done:
		r.done <- err
		return true
	default:
		return false
	}
}

// says waits for a line of stderr that begins with prefix.
func (s *trial) says(r *running, prefix string) (line string) {
	s.Helper()
	line, ok := "", false
	eventually(s.Context(), func() bool {
		for l := range strings.Lines(r.errs.String()) {
			if strings.HasPrefix(l, prefix) && strings.HasSuffix(l, "\n") {
				line, ok = strings.TrimSpace(l), true
			}
		}
		return ok || r.ended()
	})
	if !ok {
		s.Fatalf("it does not say %s…", prefix)
	}
	return line
}

// result waits for the end, and returns what was printed.
func (s *trial) result(r *running) string {
	s.Helper()
	if !eventually(s.Context(), r.ended) {
		s.Fatal("it does not end")
	}
	err := <-r.done
	r.done <- err
	if err != nil {
		s.Fatalf("it failed: %v", err)
	}
	return strings.TrimSpace(r.out.String())
}

// authentication is a part of Kubernetes' AuthenticationConfiguration.
type authentication struct {
	Issuer struct {
		URL       string   `yaml:"url"`
		Audiences []string `yaml:"audiences"`
	} `yaml:"issuer"`
	ClaimMappings struct {
		Username struct {
			Claim  string `yaml:"claim"`
			Prefix string `yaml:"prefix"`
		} `yaml:"username"`
	} `yaml:"claimMappings"`
}

func readAuthentication(t *testing.T, text string) authentication {
	t.Helper()
	var file struct {
		APIVersion string           `yaml:"apiVersion"`
		Kind       string           `yaml:"kind"`
		JWT        []authentication `yaml:"jwt"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &file, yaml.Strict()); err != nil || len(file.JWT) != 1 || file.Kind != "AuthenticationConfiguration" {
		t.Fatalf("the file says %+v, %v", file, err)
	}
	return file.JWT[0]
}

// codeTokens has ada sign in to a public client.
func codeTokens(t *testing.T, n *node, provider *oidc.Provider, clientID, redirectURI string) *oauth2.Token {
	t.Helper()
	config := oauth2.Config{ClientID: clientID, RedirectURL: redirectURI, Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	verifier := oauth2.GenerateVerifier()
	back := n.visitor(t, "ada").arrives(t, config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), redirectURI)
	token, err := config.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// away is where the person is sent from the address at Signet.
func (p *person) away(t *testing.T, address string) *url.URL {
	t.Helper()
	back, last, err := p.goTo(address)
	if err != nil || back == nil {
		t.Fatalf("on the way back to the app: %+v, %v", last, err)
	}
	return back
}
