package e2e

import (
	"maps"
	"testing"
)

// TestOpenIDClientCode: openid-client 6 takes its whole way through the front door: code with PKCE, pushed requests, form_post,
// device authorization, refresh, userinfo, logout.
func TestOpenIDClientCode(t *testing.T) {
	t.Parallel()
	runCodeScript(t, "openid-client-code.mjs")
}

// TestOAuth4WebAPICode: oauth4webapi, the strictest parser of answers, takes the same way and looks at every answer.
func TestOAuth4WebAPICode(t *testing.T) {
	t.Parallel()
	runCodeScript(t, "oauth4webapi-code.mjs")
}

func runCodeScript(t *testing.T, script string) {
	nodePath := installNode(t)
	onTransports(t, nil, func(t *testing.T, n *node) {
		with := codeClients(t, n)
		maps.Copy(with, ca.trusting())
		nodeTests(t, nodePath, script, with)
	})
}

// codeClients makes people, and clients of every kind that the scripts are, and returns what the scripts must know of them.
func codeClients(t *testing.T, n *node) settings {
	t.Helper()
	subject := createUser(t, n.env, "ada", "--email", "ada@example.com", "--name", "Ada Lovelace")
	createUser(t, n.env, "grace")
	createUser(t, n.env, "linus")
	const back, bye = "http://localhost:8089/cb", "http://localhost:8089/bye" // nobody goes there: the person stops before
	make := func(flags ...string) registered {
		return createClient(t, n.env, append([]string{
			"--grant-type", "authorization_code", "--grant-type", "refresh_token", "--scope", "openid profile email offline_access",
			"--redirect-uri", back, "--post-logout-redirect-uri", bye,
		}, flags...)...)
	}
	shop := make("--name", "shop")
	spa := make("--name", "spa", "--token-endpoint-auth-method", "none")
	pusher := make("--name", "pusher", "--token-endpoint-auth-method", "client_secret_post", "--require-pushed-authorization-requests")
	signed := make("--name", "signed", "--userinfo-signed-response-alg", "ES256")
	tv := createClient(t, n.env, "--name", "tv", "--application-type", "native", "--token-endpoint-auth-method", "none",
		"--grant-type", "urn:ietf:params:oauth:grant-type:device_code", "--grant-type", "refresh_token", "--scope", "openid email")
	return settings{
		"ISSUER": n.URL, "USERNAME": "ada", "SUBJECT": subject, "PEOPLE": n.people(t), "REDIRECT_URI": back, "BYE_URI": bye,
		"SHOP_ID": shop.ID, "SHOP_SECRET": shop.Secret, "SPA_ID": spa.ID, "PUSHER_ID": pusher.ID, "PUSHER_SECRET": pusher.Secret,
		"SIGNED_ID": signed.ID, "SIGNED_SECRET": signed.Secret, "TV_ID": tv.ID,
	}
}
