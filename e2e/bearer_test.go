package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/signet-idp/signet/provider/bearer"
)

// TestBearer: an API behind provider/bearer, which knows the program by its issuer alone, lets in its access tokens, refuses
// what only looks like one, goes on while the program is down, and says 503 where it would have had to ask.
func TestBearer(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		subject := createUser(t, node.env, "ada")
		shop := createClient(t, node.env, "--name", "shop", "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid stock.read")
		good := signIn(t, node.URL, shop, "ada")
		offline := bearerAPI(t, bearer.Config{Issuer: node.URL, Audience: node.URL})
		asking := bearerAPI(t, bearer.Config{Issuer: node.URL, Audience: node.URL, Introspection: &bearer.Introspection{
			ClientID: shop.ID, ClientSecret: shop.Secret, Always: true,
		}})
		for _, api := range []string{offline, asking} {
			wantStatus(t, api+"/me", good.AccessToken, http.StatusOK, subject)
			wantStatus(t, api+"/read", good.AccessToken, http.StatusOK, "")
			wantStatus(t, api+"/write", good.AccessToken, http.StatusForbidden, "")
			wantStatus(t, api+"/me", good.IDToken, http.StatusUnauthorized, "")
			wantStatus(t, api+"/me", good.RefreshToken, http.StatusUnauthorized, "")
			for name, forged := range forgeries(t, node, good.AccessToken) {
				t.Run(name, func(t *testing.T) { wantStatus(t, api+"/me", forged, http.StatusUnauthorized, "") })
			}
		}
		other := bearerAPI(t, bearer.Config{Issuer: node.URL, Audience: "https://other.example"})
		wantStatus(t, other+"/me", good.AccessToken, http.StatusUnauthorized, "")

		resourceFlow(t, node)

		revoked := signIn(t, node.URL, shop, "ada")
		revoke(t, node.URL, shop, revoked.RefreshToken)
		wantStatus(t, asking+"/me", revoked.AccessToken, http.StatusUnauthorized, "")

		node.kill()
		wantStatus(t, offline+"/me", good.AccessToken, http.StatusOK, subject)
		wantStatus(t, asking+"/me", good.AccessToken, http.StatusServiceUnavailable, "")
		node.start(t)
		wantStatus(t, asking+"/me", good.AccessToken, http.StatusOK, subject)
	})
}

// resourceFlow: an API that is registered as a resource introspects the opaque tokens for it, and no others.
func resourceFlow(t *testing.T, node *node) {
	t.Helper()
	const name = "https://api.example"
	api := createClient(t, node.env, "--name", "api", "--grant-type", "client_credentials")
	command{env: node.env}.run(t, "resource", "create", name, "--scope", "stock.read", "--access-token-format", "opaque", "--client-id", api.ID)
	robot := createClient(t, node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read stock.write",
		"--access-token-format", "opaque", "--resource", name)
	stock := bearerAPI(t, bearer.Config{Issuer: node.URL, Audience: name, Introspection: &bearer.Introspection{
		ClientID: api.ID, ClientSecret: api.Secret,
	}})
	own := post(t, node.URL, "/oauth2/token", robot, url.Values{"grant_type": {"client_credentials"}, "resource": {name}}).AccessToken
	wantStatus(t, stock+"/me", own, http.StatusOK, robot.ID)
	wantStatus(t, stock+"/read", own, http.StatusOK, "")
	wantStatus(t, stock+"/write", own, http.StatusForbidden, "") // the resource does not define it
	foreign := post(t, node.URL, "/oauth2/token", robot, url.Values{"grant_type": {"client_credentials"}}).AccessToken
	wantStatus(t, stock+"/me", foreign, http.StatusUnauthorized, "")
}

func bearerAPI(t *testing.T, c bearer.Config) string {
	t.Helper()
	tokens, err := bearer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/me", tokens.Handler(func(w http.ResponseWriter, _ *http.Request, t bearer.Token) { _, _ = io.WriteString(w, t.Subject) }))
	done := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/read", tokens.RequireScope("stock.read")(done))
	mux.Handle("/write", tokens.RequireScope("stock.write")(done))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// wantStatus asks an API with a token. body "" stands for any.
func wantStatus(t *testing.T, address, token string, status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status || body != "" && string(text) != body {
		t.Errorf("%s: %d %s, want %d %s", address, resp.StatusCode, text, status, body)
	}
}
