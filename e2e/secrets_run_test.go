package e2e

import (
	"encoding/base32"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func (s *spy) client(t *testing.T, name string, args ...string) registered {
	t.Helper()
	c := createClient(t, s.node.env, append([]string{"--name", name, "--client-id", name, "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid"}, args...)...)
	if c.Secret != "" {
		s.keep(t, "client secret", c.Secret)
	}
	return c
}

// person is everything that somebody with a second factor does, well and badly.
func (s *spy) person(t *testing.T, name string, c registered) {
	t.Helper()
	word := s.mark(t, "password")
	command{env: s.node.env, stdin: word + "\n"}.run(t, "user", "create", name, "--password-stdin")
	seed, recovery := enroll(t, s.node.env, name)
	s.keep(t, "TOTP seed", seed)
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(seed); err == nil {
		s.keep(t, "TOTP seed as bytes", string(raw))
	}
	for _, code := range recovery {
		s.keep(t, "recovery code", code)
		s.keep(t, "recovery code without dashes", strings.ReplaceAll(code, "-", ""))
	}
	const token, mfa = "/oauth2/token", "urn:signet:oauth:grant-type:mfa-otp"
	otp := totp(t, seed, time.Now().Add(30*time.Second))
	s.keep(t, "one-time code", otp)
	half := s.as(t, c, token, "grant_type", "password", "username", name, "password", word)
	s.as(t, c, token, "grant_type", mfa, "mfa_token", half.MFAToken, "otp", s.mark(t, "wrong one-time code"))
	first := s.as(t, c, token, "grant_type", mfa, "mfa_token", half.MFAToken, "otp", otp)
	if first.RefreshToken == "" || first.IDToken == "" {
		t.Fatalf("%s gets no tokens: %d %s", name, first.Status, first.Body)
	}
	s.as(t, c, token, "grant_type", mfa, "mfa_token", half.MFAToken, "otp", otp)
	s.as(t, c, token, "grant_type", "password", "username", name, "password", word, "otp", otp)
	half = s.as(t, c, token, "grant_type", "password", "username", name, "password", word)
	other := s.as(t, c, token, "grant_type", mfa, "mfa_token", half.MFAToken, "recovery_code", recovery[0])
	if other.RefreshToken == "" {
		t.Fatalf("%s gets no tokens for a recovery code: %d %s", name, other.Status, other.Body)
	}
	s.as(t, c, token, "grant_type", "password", "username", name, "password", s.mark(t, "wrong password"))
	s.as(t, c, token, "grant_type", "password", "username", s.mark(t, "password typed as a username"), "password", s.mark(t, "wrong password"))

	second := s.as(t, c, token, "grant_type", "refresh_token", "refresh_token", first.RefreshToken)
	s.as(t, c, token, "grant_type", "refresh_token", "refresh_token", other.RefreshToken, "scope", s.mark(t, "scope"))
	for _, held := range []string{first.AccessToken, second.AccessToken, second.RefreshToken, other.IDToken, s.mark(t, "token of somewhere else")} {
		s.as(t, c, "/oauth2/introspect", "token", held, "token_type_hint", s.mark(t, "token_type_hint"))
		s.ask(t, http.MethodGet, "/userinfo", http.Header{"Authorization": {"Bearer " + held}}, nil)
	}
	s.as(t, c, "/oauth2/revoke", "token", second.AccessToken)
	s.as(t, c, "/oauth2/revoke", "token", other.RefreshToken)
	s.as(t, c, token, "grant_type", "refresh_token", "refresh_token", other.RefreshToken)
	s.as(t, c, token, "grant_type", "refresh_token", "refresh_token", first.RefreshToken) // reuse, where the client is strict
}

// robots authenticate with secrets and with keys.
func (s *spy) robots(t *testing.T) {
	t.Helper()
	robot := createClient(t, s.node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read")
	s.keep(t, "client secret", robot.Secret)
	if a := s.as(t, robot, "/oauth2/token", "grant_type", "client_credentials"); a.AccessToken == "" {
		t.Fatalf("the robot gets no token: %d %s", a.Status, a.Body)
	}
	robot.Secret = s.mark(t, "wrong client secret")
	s.as(t, robot, "/oauth2/token", "grant_type", "client_credentials")

	key := newKey(t)
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "keyed", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	keyed := createClient(t, s.node.env, "--name", "keyed", "--grant-type", "client_credentials", "--scope", "stock.read",
		"--token-endpoint-auth-method", "private_key_jwt", "--jwks-file", file)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "keyed"))
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": keyed.ID, "sub": keyed.ID, "aud": s.node.URL, "jti": s.mark(t, "jti"), "exp": time.Now().Add(time.Minute).Unix(),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	s.keep(t, "client assertion", assertion)
	for i, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		a := s.as(t, keyed, "/oauth2/token", "grant_type", "client_credentials", "client_assertion", assertion,
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		if a.Status != want {
			t.Errorf("use %d of an assertion: %d %s, want %d", i+1, a.Status, a.Body, want)
		}
	}
}

// strangers put secrets where none belongs.
func (s *spy) strangers(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/userinfo", "/.well-known/openid-configuration", "/.well-known/jwks.json", "/nothing"} {
		header := http.Header{}
		for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Referer", "Origin", "X-Forwarded-For", "X-Request-Id", "Forwarded", "If-None-Match"} {
			header.Set(name, s.mark(t, name+" header"))
		}
		address := path + "?" + url.Values{"access_token": {s.mark(t, "query")}, s.mark(t, "name in a query"): {""}}.Encode()
		s.ask(t, http.MethodGet, address, header, nil)
		s.ask(t, http.MethodDelete, address, header, nil)
		form := url.Values{s.mark(t, "name of a field"): {"x"}}
		for _, name := range []string{
			"grant_type", "client_id", "client_secret", "username", "password", "otp", "recovery_code", "mfa_token", "refresh_token", "scope",
			"resource", "token", "client_assertion", "client_assertion_type", "code", "code_verifier", "redirect_uri", "state",
		} {
			form.Set(name, s.mark(t, "stranger's "+name))
		}
		s.ask(t, http.MethodPost, address, nil, form)
		header.Set("Authorization", "Bearer "+s.mark(t, "bearer token"))
		s.ask(t, http.MethodPost, address, header, form)
		header.Set("Content-Type", "application/"+strings.ToLower(s.mark(t, "content type")))
		s.ask(t, http.MethodPost, path+"/"+s.mark(t, "path"), header, nil)
	}
	for _, request := range []string{
		s.mark(t, "line that is no request") + "\r\n\r\n",
		"GET /%zz" + s.mark(t, "malformed path") + " HTTP/1.1\r\nHost: signet\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: signet\r\nAuthorization: " + s.mark(t, "malformed header") + "\x00\r\n\r\n",
		"POST /oauth2/token HTTP/1.1\r\nHost: " + s.mark(t, "host") + "\r\nContent-Length: x\r\n\r\n" + s.mark(t, "malformed body"),
	} {
		s.raw(t, request)
	}
}

// raw sends what no client would.
func (s *spy) raw(t *testing.T, request string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.node.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(startup))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(conn)
	if err != nil || len(body) == 0 {
		t.Errorf("a malformed request is not answered: %v", err)
	}
	s.search(t, "the answer to a malformed request", body)
}

// operator changes secrets on the command line, and reads all that it tells.
func (s *spy) operator(t *testing.T) {
	t.Helper()
	env := s.node.env
	command{env: env, stdin: s.mark(t, "new password") + "\n"}.run(t, "user", "set-password", "ada", "--password-stdin")
	var made struct {
		Password string `json:"password"`
		Secret   string `json:"client_secret"`
	}
	for _, args := range [][]string{{"user", "create", "hedy", "--generate-password", "-o", "json"}, {"client", "rotate-secret", "shop", "-o", "json"}} {
		if err := json.Unmarshal([]byte(command{env: env}.run(t, args...)), &made); err != nil {
			t.Fatal(err)
		}
	}
	s.keep(t, "generated password", made.Password)
	s.keep(t, "rotated client secret", made.Secret)

	// Refusals are written once a second.
	for until := time.Now().Add(startup); ; {
		_, errs, err := command{env: env}.try(t, "explain", s.last)
		if err == nil {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("signet explain %s: %v\n%s", s.last, err, errs)
		}
	}
	for _, args := range [][]string{
		{"explain", s.last},
		{"audit", "list"},
		{"grant", "list", "--user", "grace"},
		{"grant", "list", "--client", "shop"},
		{"key", "list"},
		{"user", "show", "ada"},
		{"user", "list"},
		{"client", "show", "shop"},
		{"client", "show", "keyed"},
		{"client", "list"},
	} {
		for _, form := range []string{"table", "json"} {
			out, errs, _ := command{env: env}.try(t, append(args, "-o", form)...)
			s.search(t, "signet "+strings.Join(args, " "), []byte(out+errs), agent)
		}
	}
	for name, value := range map[string]string{
		"SIGNET_DATABASE_URL": "postgres://signet:" + s.mark(t, "database password") + "@127.0.0.1:1/signet?connect_timeout=1",
		"SIGNET_SECRET_KEY":   s.mark(t, "secret key of the wrong form"),
	} {
		out, errs, err := command{env: settings{"SIGNET_DATABASE_URL": env["SIGNET_DATABASE_URL"], name: value}}.try(t, "user", "list")
		if name == "SIGNET_DATABASE_URL" && err == nil {
			t.Errorf("with a wrong %s: %s", name, out)
		}
		s.search(t, "what a wrong "+name+" says", []byte(out+errs))
	}
}
