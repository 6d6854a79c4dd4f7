package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/signet-idp/signet/provider/bearer"
)

// TestBFF: the backend of examples/bff-go exchanges its tokens by itself, once at a time however many requests the page sends,
// keeps the session while Signet is down, and gives it up when Signet has ended it.
func TestBFF(t *testing.T) {
	t.Parallel()
	node := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")})
	createUser(t, node.env, "ada")
	audience := httptest.NewUnstartedServer(nil)
	name := "http://" + audience.Listener.Addr().String()
	// Tokens that live for less than the backend looks ahead: every request exchanges one, and by strict rotation a replay would
	// end the session.
	client := createClient(t, node.env, "--name", "bff", "--first-party", "--grant-type", "password", "--grant-type", "refresh_token",
		"--scope", "stock.read", "--resource", name, "--access-token-lifetime", "10")
	tokens, err := bearer.New(bearer.Config{Issuer: node.URL, Audience: name})
	if err != nil {
		t.Fatal(err)
	}
	audience.Config.Handler = tokens.Handler(func(w http.ResponseWriter, r *http.Request, _ bearer.Token) {
		if len(r.Cookies()) != 0 {
			t.Error("the API was sent the browser's cookie")
		}
		_, _ = io.WriteString(w, r.URL.RequestURI())
	}, "stock.read")
	audience.Start()
	t.Cleanup(audience.Close)
	page := startBFF(t, settings{"ISSUER": node.URL, "API": name, "CLIENT_ID": client.ID, "CLIENT_SECRET": client.Secret})

	page.want(t, http.MethodPost, "/bff/login", `{"username":"ada","password":"not it"}`, http.StatusUnauthorized, `{"error":"invalid_grant"}`)
	page.want(t, http.MethodGet, "/api/stock", "", http.StatusUnauthorized, `{"error":"signed_out"}`)
	page.want(t, http.MethodPost, "/bff/login", `{"username":"ada","password":"`+password+`"}`, http.StatusOK, `{"username":"ada"}`)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { page.want(t, http.MethodGet, "/api/stock/a%2Fb?c=d", "", http.StatusOK, "/stock/a%2Fb?c=d") })
	}
	group.Wait()

	node.kill()
	page.want(t, http.MethodGet, "/api/stock", "", http.StatusServiceUnavailable, `{"error":"unavailable"}`)
	node.start(t)
	page.want(t, http.MethodGet, "/api/stock", "", http.StatusOK, "/stock")

	command{env: node.env}.run(t, "user", "disable", "ada")
	page.want(t, http.MethodGet, "/api/stock", "", http.StatusUnauthorized, `{"error":"invalid_grant"}`)
	page.want(t, http.MethodPost, "/bff/logout", "", http.StatusNoContent, "")
	page.want(t, http.MethodGet, "/bff/session", "", http.StatusUnauthorized, `{"error":"signed_out"}`)
}

// browser holds the backend's cookie as a browser would; net/http's own jar gives no Secure cookie to http.
type browser struct {
	url    string
	mu     sync.Mutex
	cookie string
}

func (b *browser) want(t *testing.T, method, path, body string, status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	b.mu.Lock()
	req.Header.Set("Cookie", b.cookie)
	b.mu.Unlock()
	req.Header.Set("X-BFF", "1")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
		return
	}
	if got := strings.TrimSpace(string(text)); resp.StatusCode != status || got != answer {
		t.Errorf("%s %s: %d %s, want %d %s", method, path, resp.StatusCode, got, status, answer)
	}
	for _, c := range resp.Cookies() {
		b.mu.Lock()
		b.cookie = c.Name + "=" + c.Value
		b.mu.Unlock()
	}
}

// startBFF builds and starts the backend. It ends with the test.
func startBFF(t *testing.T, env settings) *browser {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bff")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../examples/bff-go", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	addr := freeAddr(t)
	env["LISTEN_ADDR"] = addr
	bff := &node{dir: t.TempDir(), env: env, log: &logBuffer{}, probes: "http://" + addr}
	t.Cleanup(bff.kill)
	bff.cmd = exec.Command(program)
	bff.cmd.Env, bff.cmd.Stderr = env.environ(bff.dir), bff.log
	if err := bff.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bff.done = make(chan error, 1)
	go func() { bff.done <- bff.cmd.Wait() }()
	if err := bff.ready(t.Context(), bff.probes+"/"); err != nil {
		t.Fatalf("the backend: %v\n%s", err, bff.log.tail())
	}
	return &browser{url: bff.probes}
}
