package e2e

import (
	"encoding/json"
	"maps"
	"testing"
)

// TestOpenIDClientRegistration: openid-client 6 registers itself with an initial access token, signs a person in, changes its registration
// and leaves.
func TestOpenIDClientRegistration(t *testing.T) {
	t.Parallel()
	nodePath := installNode(t)
	onTransports(t, nil, func(t *testing.T, n *node) {
		subject := createUser(t, n.env, "ada", "--email", "ada@example.com")
		var made struct{ Token string }
		answer := command{env: n.env}.run(t, "registration-token", "create", "--name", "openid-client", "--uses", "3", "-o", "json")
		if err := json.Unmarshal([]byte(answer), &made); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		with := settings{
			"ISSUER": n.URL, "USERNAME": "ada", "SUBJECT": subject, "PEOPLE": n.people(t), "REDIRECT_URI": "http://localhost:8089/cb",
			"INITIAL_ACCESS_TOKEN": made.Token,
		}
		maps.Copy(with, ca.trusting())
		nodeTests(t, nodePath, "openid-client-registration.mjs", with)
	})
}
