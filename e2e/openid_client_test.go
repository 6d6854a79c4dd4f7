package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestOpenIDClient: openid-client 6 signs in, refreshes, introspects and revokes, also as a client that authenticates with a key
// of its own (private_key_jwt).
func TestOpenIDClient(t *testing.T) {
	t.Parallel()
	nodePath := installNode(t)
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		subject := createUser(t, node.env, "ada", "--email", "ada@example.com")
		oidc := []string{"--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid profile email"}
		shop := createClient(t, node.env, append(oidc, "--name", "shop")...)
		poster := createClient(t, node.env, append(oidc, "--name", "poster", "--token-endpoint-auth-method", "client_secret_post")...)
		signer := createClient(t, node.env, append(oidc, "--name", "signer", "--token-endpoint-auth-method", "client_secret_jwt")...)
		spa := createClient(t, node.env, append(oidc, "--name", "spa", "--token-endpoint-auth-method", "none")...)
		robot := createClient(t, node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read stock.write")
		with := settings{
			"ISSUER": node.URL, "USERNAME": "ada", "PASSWORD": password, "SUBJECT": subject,
			"SHOP_ID": shop.ID, "SHOP_SECRET": shop.Secret, "POSTER_ID": poster.ID, "POSTER_SECRET": poster.Secret, "SIGNER_ID": signer.ID, "SIGNER_SECRET": signer.Secret,
			"SPA_ID": spa.ID, "ROBOT_ID": robot.ID, "ROBOT_SECRET": robot.Secret,
		}
		maps.Copy(with, keyedClient(t, node))
		nodeTests(t, nodePath, "openid-client.mjs", with)
	})
}

// keyedClient registers a client that authenticates with a key, and returns what the script needs to be it.
func keyedClient(t *testing.T, node *node) settings {
	t.Helper()
	private := jose.JSONWebKey{Key: newKey(t), KeyID: "keyed", Algorithm: "ES256", Use: "sig"}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := private.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	c := createClient(t, node.env, "--name", "keyed", "--grant-type", "client_credentials", "--scope", "stock.read",
		"--token-endpoint-auth-method", "private_key_jwt", "--jwks-file", file)
	return settings{"KEYED_ID": c.ID, "KEYED_KID": private.KeyID, "KEYED_KEY": string(text)}
}
