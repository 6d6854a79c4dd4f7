package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestDocumentPages: in a real browser an agent whose client_id is the address of its description says where it comes from, on every
// page where a person decides about it, and no page asks its host for anything.
func TestDocumentPages(t *testing.T) {
	t.Parallel()
	agent, touched := publishAgent(t)
	port := agent.Port()
	env := maps.Clone(onSQLite(t))
	maps.Copy(env, settings{
		"SIGNET_CLIENT_ID_DOCUMENTS": "on", "SIGNET_OUTBOUND_ALLOW": "127.0.0.1/32:" + port, "SIGNET_OUTBOUND_CA_FILE": ca.file,
	})
	n := serve(t, env)
	createUser(t, n.env, "ada", "--email", "ada@example.com", "--name", "Ada Lovelace")
	s, b, verifier := openShop(t, n), openBrowser(t), oauth2.GenerateVerifier()
	s.URL = strings.Replace(s.URL, "localhost", "127.0.0.1", 1)
	s.config.ClientID, s.config.ClientSecret, s.config.RedirectURL = agent.String(), "", s.URL+"/cb"

	b.visit(s.ask(verifier))
	b.wantHeading("Sign in")
	b.wantText("The Agent", "An app of "+agent.Host, "to continue on this device")
	b.look("login-of-a-document")
	b.signIn("ada", password)
	b.wantHeading("Allow access?")
	b.wantText("The Agent", "An app of "+agent.Host, "nobody here has checked that, nor its name", "a program on this device, at "+strings.TrimPrefix(s.URL, "http://"))
	b.look("consent-of-a-document")
	for _, tag := range []string{"de", "ar"} {
		b.visit(s.ask(verifier, "ui_locales", tag))
		b.glance("consent-of-a-document-" + tag)
	}
	b.visit(s.ask(verifier))
	b.decide("allow")
	answer := b.answered(s)
	if answer.Get("code") == "" {
		t.Fatalf("allowed: %v", answer)
	}
	config := oauth2.Config{ClientID: agent.String(), Scopes: []string{"openid", "email"}, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: n.URL + "/oauth2/device_authorization", TokenURL: n.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams,
	}}
	asked, err := config.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.visit(asked.VerificationURIComplete)
	b.press("button[type=submit]")
	b.wantHeading("Is this your device?")
	b.wantText("The Agent", "An app of "+agent.Host, "nobody here has checked that, nor its name")
	b.look("device-confirm-of-a-document")
	b.decide("allow")
	b.visit(n.URL + "/account/apps")
	b.wantText("The Agent", "An app of "+agent.Host)
	b.look("account-apps-of-a-document")
	if got := touched(); got != "/agent.json" {
		t.Errorf("the agent's host was asked for %s", got)
	}
}

func (b *tab) wantText(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if got := b.text("main"); !strings.Contains(got, text) {
			b.t.Errorf("the page does not say %q\nat %s", text, b.where())
		}
	}
}

// publishAgent serves the client id document of an agent that has a logo and runs on the device. touched are the paths that were asked
// for.
func publishAgent(t *testing.T) (document *url.URL, touched func() string) {
	t.Helper()
	asked := make(chan string, 64)
	var address string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"client_id":%q,"client_name":"The Agent","redirect_uris":["http://127.0.0.1/cb"],"logo_uri":%q,`+
			`"grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],"response_types":["code"],`+
			`"token_endpoint_auth_method":"none"}`, address, strings.Replace(address, "agent.json", "logo.png", 1))
	}))
	server.TLS = ca.serverConfig(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address = "https://localhost:" + port + "/agent.json"
	document, err = url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return document, func() string {
		close(asked)
		var paths []string
		for path := range asked {
			paths = append(paths, path)
		}
		return strings.Join(paths, " ")
	}
}
