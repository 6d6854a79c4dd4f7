package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// password is that of every user of these tests.
const password = "plum-ladder-orbit-seven"

// registered is a client as signet client create answers it.
type registered struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// createClient registers a client on the command line.
func createClient(t testing.TB, env settings, args ...string) registered {
	t.Helper()
	out := command{env: env}.run(t, append([]string{"client", "create", "-o", "json"}, args...)...)
	var c registered
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.ID == "" {
		t.Fatalf("signet client create answered %q: %v", out, err)
	}
	return c
}

// createUser makes a user with the password of these tests and returns the subject.
func createUser(t testing.TB, env settings, name string, args ...string) string {
	t.Helper()
	all := append([]string{"user", "create", name, "--password-stdin", "-o", "json"}, args...)
	out := command{env: env, stdin: password + "\n"}.run(t, all...)
	var u struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(out), &u); err != nil || u.ID == "" {
		t.Fatalf("signet user create answered %q: %v", out, err)
	}
	return u.ID
}

// answer is what an OAuth endpoint said.
type answer struct {
	Status           int
	AccessToken      string   `json:"access_token"`
	RefreshToken     string   `json:"refresh_token"`
	IDToken          string   `json:"id_token"`
	TokenType        string   `json:"token_type"`
	Scope            string   `json:"scope"`
	Error            string   `json:"error"`
	ErrorDescription string   `json:"error_description"`
	MFAToken         string   `json:"mfa_token"`
	MFAMethods       []string `json:"mfa_methods"`
	RequestURI       string   `json:"request_uri"`
	Active           bool     `json:"active"`
	Sub              string   `json:"sub"`
	Body             string   `json:"-"`
}

// post sends a form to path at base, authenticated as c (in the body where it has no secret).
func post(t testing.TB, base, path string, c registered, form url.Values) answer {
	t.Helper()
	a, err := send(http.DefaultClient, base+path, c, form)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(client *http.Client, address string, c registered, form url.Values) (answer, error) {
	if c.Secret == "" {
		form.Set("client_id", c.ID)
	}
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.Secret != "" {
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{Status: resp.StatusCode, Body: string(body)}
	if len(body) > 0 {
		err = json.Unmarshal(body, &a)
	}
	return a, err
}

func signIn(t testing.TB, base string, c registered, user string) answer {
	t.Helper()
	a := post(t, base, "/oauth2/token", c, url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}})
	if a.Status != http.StatusOK || a.RefreshToken == "" {
		t.Fatalf("password grant of %s: %d %s", user, a.Status, a.Body)
	}
	return a
}

func refresh(t testing.TB, base string, c registered, token string) answer {
	t.Helper()
	return post(t, base, "/oauth2/token", c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func introspect(t testing.TB, base string, c registered, token string) answer {
	t.Helper()
	a := post(t, base, "/oauth2/introspect", c, url.Values{"token": {token}})
	if a.Status != http.StatusOK {
		t.Fatalf("introspection: %d %s", a.Status, a.Body)
	}
	return a
}

func revoke(t testing.TB, base string, c registered, token string) {
	t.Helper()
	if a := post(t, base, "/oauth2/revoke", c, url.Values{"token": {token}}); a.Status != http.StatusOK {
		t.Fatalf("revocation: %d %s", a.Status, a.Body)
	}
}

// refused fails the test unless a is the refusal that a dead token meets.
func refused(t testing.TB, a answer, why string) {
	t.Helper()
	if a.Status != http.StatusBadRequest || a.Error != "invalid_grant" {
		t.Errorf("%s: got %d %s, want 400 invalid_grant", why, a.Status, a.Body)
	}
}
