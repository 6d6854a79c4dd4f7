package e2e

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// TestSnippets: every snippet that the portal shows for an app is taken from the page and run unchanged, or the page says that it is
// not. A person signs in with what people sign in with, and the tokens are good.
func TestSnippets(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db"), "SIGNET_DEVELOPERS": "on", "SIGNET_OUTBOUND_ALLOW": "127.0.0.0/8"})
	subject := createUser(t, n.env, "ada", "--email", "ada@example.com", "--name", "Ada Lovelace", "--admin")
	provider, err := oidc.NewProvider(t.Context(), n.URL)
	if err != nil {
		t.Fatal(err)
	}
	runs, ran := snippetRuns(), map[string]bool{}
	for _, kind := range []string{"web", "spa", "native", "machine", "agent"} {
		for _, link := range readSnippet(t, n, openApp(t, n, kind), "").links {
			name := kind + " " + link
			ran[name] = true
			t.Run(strings.ReplaceAll(name, " ", "/"), func(t *testing.T) {
				t.Parallel()
				app := openApp(t, n, kind)
				s := readSnippet(t, n, app, link)
				run := runs[name]
				if s.tested != (run != nil) {
					t.Fatalf("the page says that it is run: %t; it is: %t", s.tested, run != nil)
				}
				if run != nil {
					run(&trial{t, n, provider, app, s, subject})
				}
			})
		}
	}
	for name := range runs {
		if !ran[name] {
			t.Errorf("no page shows the snippet %s", name)
		}
	}
}

// trial is a snippet that is about to be run.
type trial struct {
	*testing.T
	n        *node
	provider *oidc.Provider
	app      openedApp
	snippet  snippetPage
	subject  string // of ada
}

// snippetRuns run the snippets, by kind of app and ID.
func snippetRuns() map[string]func(*trial) {
	return map[string]func(*trial){
		"web curl":        pastesAddress,
		"web go":          servesSite,
		"web node":        servesSite,
		"web python":      servesSite,
		"web django_site": servesDjango,
		"web apache":      servesApache,
		"web django_api":  servesAPI,

		"spa curl":       pastesAddress,
		"spa browser":    servesSinglePage,
		"spa django_api": servesAPI,

		"native curl":       pastesAddress,
		"native go":         listens,
		"native node":       listens,
		"native python":     listens,
		"native django_api": servesAPI,

		"machine curl":       answersJSON,
		"machine go":         answersToken,
		"machine node":       answersToken,
		"machine python":     answersToken,
		"machine django_api": servesAPI,

		"agent curl":       waitsForDevice,
		"agent go":         listens,
		"agent node":       listens,
		"agent python":     listens,
		"agent mcp":        callsMCPServer,
		"agent django_api": servesAPI,
	}
}

// openedApp is an app of a kind, set up as the portal would.
type openedApp struct {
	registered
	kind   string
	origin string // of a site, else ""
	listen string // where the site's program listens
}

// openApp registers an app. A site is at a port of its own.
func openApp(t *testing.T, n *node, kind string) openedApp {
	t.Helper()
	app := openedApp{kind: kind, listen: freeAddr(t)}
	code := []string{"--grant-type", "authorization_code", "--grant-type", "refresh_token", "--scope", "openid profile email"}
	public := append(slices.Clone(code), "--token-endpoint-auth-method", "none")
	flags := map[string][]string{
		"web": code, "spa": public, "native": append(public, "--application-type", "native"),
		"agent":   append(public, "--application-type", "native", "--grant-type", "urn:ietf:params:oauth:grant-type:device_code"),
		"machine": {"--grant-type", "client_credentials", "--scope", "stock.read"},
	}[kind]
	switch kind {
	case "web", "spa":
		_, port, err := net.SplitHostPort(app.listen)
		if err != nil {
			t.Fatal(err)
		}
		app.origin = "http://localhost:" + port
		flags = append(slices.Clone(flags), "--redirect-uri", app.origin+"/callback")
	case "native", "agent":
		flags = append(slices.Clone(flags), "--redirect-uri", "http://127.0.0.1/callback")
	}
	app.registered = createClient(t, n.env, append([]string{"--name", "It's " + kind}, flags...)...)
	return app
}

// TestTheKubernetesSnippet: the file that the portal shows for kube-apiserver says of an ID token's issuer, audience and user name what
// an ID token of the app says. It is read and not run, as the page says.
func TestTheKubernetesSnippet(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db"), "SIGNET_DEVELOPERS": "on"})
	subject := createUser(t, n.env, "ada", "--email", "ada@example.com", "--admin")
	app := openApp(t, n, "native")
	said := readAuthentication(t, readSnippet(t, n, app, "kubernetes").file(t, "authentication.yaml"))
	provider, err := oidc.NewProvider(t.Context(), said.Issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	if len(said.Issuer.Audiences) != 1 {
		t.Fatalf("audiences %q", said.Issuer.Audiences)
	}
	raw, _ := codeTokens(t, n, provider, app.ID, "http://127.0.0.1/callback").Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: said.Issuer.Audiences[0]}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if user := said.ClaimMappings.Username; user.Prefix == "" || claims[user.Claim] != subject {
		t.Errorf("Kubernetes would know %s as %s%v", subject, user.Prefix, claims[user.Claim])
	}
}

// address of the page with the app's snippet, "": with the first one.
func snippetAddress(n *node, clientID, with string) string {
	return fmt.Sprintf("%s/developer/app/snippets?%s", n.URL, url.Values{"id": {clientID}, "with": {with}}.Encode())
}
