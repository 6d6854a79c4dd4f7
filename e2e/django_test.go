package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TestDjango: a Django REST API with djangorestframework-simplejwt, which knows Signet by its JWKS alone, lets in the bearer of
// an access token and refuses an expired, a foreign, an edited and a forged one.
func TestDjango(t *testing.T) {
	t.Parallel()
	python := installPython(t)
	env := settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")}
	node := serve(t, env)
	subject := createUser(t, node.env, "ada")
	args := []string{"--grant-type", "password", "--grant-type", "refresh_token"}
	shop := createClient(t, node.env, append(args, "--name", "shop", "--scope", "openid")...)
	api := startDjango(t, python, settings{
		"JWK_URL": node.URL + "/.well-known/jwks.json", "ISSUER": node.URL, "AUDIENCE": node.URL, "ALGORITHM": "ES256",
	})

	// The shortest life that a client may have. It passes while the other cases run.
	brief := createClient(t, node.env, append(args, "--name", "brief", "--scope", "openid", "--access-token-lifetime", "10")...)
	mayfly := signIn(t, node.URL, brief, "ada").AccessToken
	if status, body := me(t, api, mayfly); status != http.StatusOK {
		t.Fatalf("a token while it lives: %d %v", status, body)
	}
	good := signIn(t, node.URL, shop, "ada").AccessToken
	t.Run("accepts", func(t *testing.T) {
		status, body := me(t, api, good)
		if status != http.StatusOK || body["sub"] != subject || body["client_id"] != shop.ID {
			t.Fatalf("got %d %v, want 200 for %s by %s", status, body, subject, shop.ID)
		}
	})
	t.Run("refuses a token for another audience", func(t *testing.T) {
		const other = "https://other.example"
		foreign := createClient(t, node.env, append(args, "--name", "foreign", "--scope", "stock.read", "--resource", other)...)
		form := passwordForm("ada")
		form.Set("resource", other)
		a := post(t, node.URL, "/oauth2/token", foreign, form)
		if a.Status != http.StatusOK {
			t.Fatalf("a token for %s: %d %s", other, a.Status, a.Body)
		}
		wantRefused(t, api, a.AccessToken)
	})
	t.Run("refuses what was edited or forged", func(t *testing.T) {
		for name, token := range forgeries(t, node, good) {
			t.Run(name, func(t *testing.T) { wantRefused(t, api, token) })
		}
	})
	t.Run("refuses an expired token", func(t *testing.T) { wantRefusedSoon(t, api, mayfly, "expired") })
}

// forgeries are tokens that Signet did not sign, made from one that it did.
func forgeries(t *testing.T, node *node, good string) map[string]string {
	t.Helper()
	parts := strings.Split(good, ".")
	if len(parts) != 3 {
		t.Fatalf("the access token has %d parts, want 3", len(parts))
	}
	parsed, err := jwt.ParseSigned(good, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	kid := parsed.Headers[0].KeyID
	claims["sub"] = "somebody-else"
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"another payload":               parts[0] + "." + encode(payload) + "." + parts[2],
		"no signature":                  encode([]byte(`{"alg":"none","typ":"at+jwt","kid":"`+kid+`"}`)) + "." + encode(payload) + ".",
		"the key of others":             sign(t, jose.ES256, newKey(t), kid, payload),
		"the public key as HMAC secret": sign(t, jose.HS256, publishedKey(t, node, kid), kid, payload),
		"a half":                        parts[0] + "." + parts[1],
	}
}

func wantRefused(t *testing.T, api, token string) {
	t.Helper()
	if status, body := me(t, api, token); status != http.StatusUnauthorized {
		t.Errorf("got %d %v, want 401", status, body)
	}
}

// wantRefusedSoon waits for the token's exp to pass.
func wantRefusedSoon(t *testing.T, api, token, why string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		status, body := me(t, api, token)
		if status == http.StatusUnauthorized {
			if text, _ := json.Marshal(body); !strings.Contains(string(text), why) {
				t.Errorf("refused with %s, want one that says %s", text, why)
			}
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the token is accepted long after its exp")
		case <-tick.C:
		}
	}
}

func me(t *testing.T, api, token string) (status int, body map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatalf("the API answered %d and no JSON: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, body
}

// startDjango starts the API and returns its address. It ends with the test, whose end closes its standard input.
func startDjango(t *testing.T, python string, env settings) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, "api.py")
	cmd.Dir, cmd.Env = "django", env.environ(t.TempDir())
	log := &logBuffer{}
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of the Django API:\n%s", log.tail())
		}
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		rest, _ := io.ReadAll(stdout)
		t.Fatalf("api.py: %v\n%s%s", err, rest, log.tail())
	}
	return (&url.URL{Scheme: "http", Host: "127.0.0.1:" + strings.TrimSpace(port)}).String()
}

// installPython makes a virtual environment of the tests' own with what django/requirements.txt pins, where it is not there
// yet, and returns its Python.
func installPython(t *testing.T) string {
	t.Helper()
	system, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "Python", "install Python 3.10 or newer with venv (Debian: python3-venv)")
	}
	venv, err := filepath.Abs("../.build/venv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(venv), 0o755); err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(venv, "bin", "python")
	install(t, filepath.Join(venv, ".installed"), "django/requirements.txt",
		func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, system, "-m", "venv", venv) },
		func(ctx context.Context) *exec.Cmd {
			return exec.CommandContext(ctx, python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "django/requirements.txt")
		})
	return python
}
