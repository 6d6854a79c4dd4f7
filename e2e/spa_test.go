package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestOIDCClientTS: a single-page app on oidc-client-ts in Chromium signs in, renews silently, renews in two tabs at the same time
// again and again without being signed out, signs in in a window of its own, and signs out.
func TestOIDCClientTS(t *testing.T) {
	t.Parallel()
	installNode(t)
	onTransports(t, nil, func(t *testing.T, n *node) {
		subject := createUser(t, n.env, "ada", "--email", "ada@example.com")
		signedIn := "signed in as " + subject + " ada@example.com"

		t.Run("sign-in, two tabs, sign-out", func(t *testing.T) {
			t.Parallel()
			app := openSinglePageApp(t, n, 0)
			first := openBrowser(t)
			first.visit(app)
			first.shows("state", "signed out")
			first.press("#signin")
			first.signIn("ada", password)
			first.decide("allow")
			first.shows("state", signedIn)

			second := first.openTab()
			second.visit(app)
			second.shows("state", signedIn)
			const rounds = 5
			for i := range rounds {
				[]*tab{first, second}[i%2].tap("#everywhere")
				first.shows("renewals", strconv.Itoa(i+1))
				second.shows("renewals", strconv.Itoa(i+1))
			}
			if a, b := first.sent(), second.sent(); len(a) != rounds || !slices.Equal(a, b) {
				t.Error("the tabs did not renew with the same refresh tokens")
			}
			second.press("#signout")
			second.shows("state", "signed out")
			second.press("#signin")
			if !second.has("input[name=password]") {
				t.Errorf("after signing out nobody has to sign in\nat %s", second.where())
			}
		})
		t.Run("silent renewal by itself", func(t *testing.T) {
			t.Parallel()
			b := openBrowser(t)
			b.visit(openSinglePageApp(t, n, 1))
			b.shows("state", "signed out")
			b.press("#signin")
			b.signIn("ada", password)
			b.decide("allow")
			b.shows("state", signedIn)
			b.shows("renewals", "2")
		})
		t.Run("a window of its own", func(t *testing.T) {
			t.Parallel()
			b := openBrowser(t)
			b.visit(openSinglePageApp(t, n, 0))
			b.shows("state", "signed out")
			window := b.popup(func() { b.tap("#popup") })
			window.until("shows the sign-in page", func() bool { return window.has("input[name=password]") })
			window.signIn("ada", password)
			window.leave(`button[name=decision][value=allow]`)
			b.shows("state", signedIn)
		})
	})
}

// openSinglePageApp registers the app of spa/ and serves it; it renews its tokens by itself after so many seconds, 0: never.
func openSinglePageApp(t *testing.T, n *node, renewAfter int) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	client := createClient(t, n.env, "--name", "A single-page app", "--token-endpoint-auth-method", "none",
		"--grant-type", "authorization_code", "--grant-type", "refresh_token", "--scope", "openid profile email", "--access-token-lifetime", "15m",
		"--redirect-uri", address+"/cb", "--redirect-uri", address+"/popup", "--post-logout-redirect-uri", address+"/bye")
	config, err := json.Marshal(map[string]any{"authority": n.URL, "client_id": client.ID, "renewAfter": renewAfter})
	if err != nil {
		t.Fatal(err)
	}
	file := func(path, kind, text string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind+"; charset=utf-8")
			_, _ = w.Write([]byte(text))
		})
	}
	file("/", "text/html", readFile(t, "spa/index.html"))
	file("/app.js", "text/javascript", readFile(t, "spa/app.js"))
	file("/oidc-client-ts.js", "text/javascript", readFile(t, "node/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"))
	file("/config.json", "application/json", string(config))
	return address
}

// sent are the refresh tokens that the app sent from this tab.
func (b *tab) sent() []string {
	b.t.Helper()
	return see(b, chromedp.Evaluate[[]string]("sent"))
}

// shows waits until the single-page app shows text, and fails at once where it shows a failure.
func (b *tab) shows(id, text string) {
	b.t.Helper()
	read := fmt.Sprintf(`[%q, "failure"].map(id => document.getElementById(id)?.textContent ?? "")`, id)
	b.until("shows "+text, func() bool {
		got := glimpse[[]string](b, read)
		if len(got) == 2 && got[1] != "" {
			b.t.Fatalf("the app failed: %s\nat %s", got[1], b.where())
		}
		return len(got) == 2 && got[0] == text
	})
}
