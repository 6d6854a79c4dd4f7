package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestTwoNodes: two processes on one PostgreSQL are one Signet. They start on an empty database at the same time, and of every
// conversation one request goes to each in turn.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	first := place(t, onPostgres(t))
	env := maps.Clone(first.env)
	delete(env, "SIGNET_LISTEN_ADDR") // all else, the issuer above all, they have in common
	delete(env, "SIGNET_MANAGEMENT_ADDR")
	second := place(t, env)
	started := make(chan error, 1)
	go func() { started <- second.launch(t.Context()) }()
	first.start(t)
	if err := <-started; err != nil {
		t.Fatalf("the second node: %v\n%s", err, second.log.tail())
	}

	createUser(t, first.env, "ada")
	createUser(t, first.env, "grace")
	common := []string{"--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid"}
	turns := &inTurn{nodes: []*node{first, second}}
	strict := createClient(t, first.env, append(common, "--name", "strict", "--refresh-rotation", "strict")...)
	balanced := createClient(t, first.env, append(common, "--name", "balanced", "--refresh-rotation", "balanced")...)
	opaque := createClient(t, first.env, append(common, "--name", "opaque", "--access-token-format", "opaque")...)

	t.Run("one key set", func(t *testing.T) {
		one, other := get(t, first.URL+"/.well-known/jwks.json", ""), get(t, second.URL+"/.well-known/jwks.json", "")
		if one != other || one == "" {
			t.Errorf("two key sets:\n%s\n%s", one, other)
		}
	})
	for name, client := range map[string]registered{"strict": strict, "balanced": balanced, "opaque": opaque} {
		t.Run("refresh, introspect, userinfo, revoke/"+name, func(t *testing.T) { wholeFlow(t, turns, client) })
	}
	t.Run("replay ends the family on both", func(t *testing.T) {
		one := signIn(t, turns.next(), strict, "ada")
		two := refresh(t, turns.next(), strict, one.RefreshToken)
		refused(t, refresh(t, turns.next(), strict, one.RefreshToken), "a replay")
		for range 2 {
			refused(t, refresh(t, turns.next(), strict, two.RefreshToken), "the successor of a replayed token")
			if introspect(t, turns.next(), strict, two.AccessToken).Active {
				t.Error("an access token outlives its family")
			}
		}
	})
	t.Run("a retry at the other node gets the same token", func(t *testing.T) {
		one := signIn(t, turns.next(), balanced, "ada")
		two, again := refresh(t, turns.next(), balanced, one.RefreshToken), refresh(t, turns.next(), balanced, one.RefreshToken)
		if two.RefreshToken == "" || two.RefreshToken != again.RefreshToken {
			t.Errorf("two successors of one token: %d %d", two.Status, again.Status)
		}
	})
	t.Run("second factor", func(t *testing.T) {
		secret, _ := enroll(t, first.env, "grace")
		challenge := post(t, turns.next(), "/oauth2/token", strict, passwordForm("grace"))
		code := totp(t, secret, time.Now().Add(30*time.Second))
		form := url.Values{"grant_type": {"urn:signet:oauth:grant-type:mfa-otp"}, "mfa_token": {challenge.MFAToken}, "otp": {code}}
		if a := post(t, turns.next(), "/oauth2/token", strict, form); a.Status != http.StatusOK {
			t.Errorf("mfa_token at the other node: %d %s", a.Status, a.Body)
		}
		if a := post(t, turns.next(), "/oauth2/token", strict, form); a.Status == http.StatusOK {
			t.Error("mfa_token and code served at both nodes")
		}
	})
	t.Run("a disabled user is out everywhere", func(t *testing.T) {
		a := signIn(t, turns.next(), strict, "ada")
		command{env: first.env}.run(t, "user", "disable", "ada")
		for range 2 {
			if introspect(t, turns.next(), strict, a.AccessToken).Active {
				t.Error("an access token of a disabled user is active")
			}
		}
		refused(t, refresh(t, turns.next(), strict, a.RefreshToken), "a refresh token of a disabled user")
	})
}

func wholeFlow(t *testing.T, turns *inTurn, client registered) {
	a := signIn(t, turns.next(), client, "ada")
	for range 10 {
		next := refresh(t, turns.next(), client, a.RefreshToken)
		if next.Status != http.StatusOK || next.RefreshToken == a.RefreshToken {
			t.Fatalf("refresh: %d %s", next.Status, next.Body)
		}
		a = next
		if !introspect(t, turns.next(), client, a.AccessToken).Active {
			t.Fatal("introspection calls a fresh access token inactive")
		}
	}
	if body := get(t, turns.next()+"/userinfo", a.AccessToken); body == "" {
		t.Error("userinfo refuses a fresh access token")
	}
	revoke(t, turns.next(), client, a.RefreshToken)
	for range 2 {
		refused(t, refresh(t, turns.next(), client, a.RefreshToken), "a revoked token")
		if introspect(t, turns.next(), client, a.AccessToken).Active {
			t.Error("an access token outlives the revocation of its grant")
		}
		if body := get(t, turns.next()+"/userinfo", a.AccessToken); body != "" {
			t.Error("userinfo answers for a revoked grant")
		}
	}
}

// inTurn sends one request to each node.
type inTurn struct {
	nodes []*node
	n     int
}

func (r *inTurn) next() string {
	r.n++
	return r.nodes[r.n%len(r.nodes)].URL
}
