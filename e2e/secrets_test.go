package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-idp/signet/provider/keys"
)

// agent is the one mark that is kept on purpose: who made an exchange and who repeated it, for the alarm that a reuse raises.
const agent = "user agent"

// TestSecretsAppearNowhere: a whole run at debug level with a marked secret in every field that takes one, and in many that take
// none, leaves none of them in the log, the metrics, an error, a header, what the command line prints, or a column, and in no
// file of SQLite; seeds and private keys rest sealed.
func TestSecretsAppearNowhere(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		env["SIGNET_LOG_LEVEL"], env["SIGNET_SECRET_KEY"] = "debug", keys.GenerateSecretKey()
		s := &spy{hoard: newHoard(), node: serve(t, env)}
		s.keep(t, "secret key", env["SIGNET_SECRET_KEY"])
		s.agent = s.mark(t, agent)
		method := func(m string) []string { return []string{"--token-endpoint-auth-method", m} }
		s.person(t, "ada", s.client(t, "shop", method("client_secret_basic")...))
		s.person(t, "grace", s.client(t, "poster", append(method("client_secret_post"), "--access-token-format", "opaque", "--refresh-rotation", "balanced")...))
		s.person(t, "joan", s.client(t, "app", append(method("none"), "--refresh-rotation", "strict")...))
		s.robots(t)
		s.strangers(t)
		s.operator(t)

		metrics := get(t, s.node.probes+"/metrics", "")
		if err := s.node.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		err := <-s.node.done
		s.node.done <- err
		address := env["SIGNET_DATABASE_URL"]
		tables := dump(t, address)
		s.keepSealed(t, tables, env["SIGNET_SECRET_KEY"])

		if strings.Count(s.node.log.String(), `msg=request`) < 60 || !strings.Contains(metrics, "signet_http_requests_total") {
			t.Errorf("there is little to search:\n%s\n%s", s.node.log.tail(), metrics)
		}
		s.search(t, "the log", []byte(s.node.log.String()))
		s.search(t, "the metrics", []byte(metrics))
		s.searchTables(t, tables)
		for name, content := range files(t, address) {
			s.search(t, "the file "+name, content, agent)
		}
		t.Logf("%d secrets, %d answers, %d bytes of log", len(s.secrets)+len(s.digits), s.asked, len(s.node.log.String()))
	})
}

// spy runs the server as everybody who uses it would, and keeps each secret that it meets.
type spy struct {
	*hoard
	node  *node
	agent string
	asked int
	last  string // the request id of the last token request that was refused
}

// mark draws a secret that stands nowhere else.
func (s *spy) mark(t *testing.T, name string) string {
	t.Helper()
	secret := "mark-" + rand.Text()
	s.add(fmt.Sprintf("%s (%d)", name, len(s.secrets)), []byte(secret))
	return secret
}

func (s *spy) search(t *testing.T, where string, text []byte, except ...string) {
	t.Helper()
	for _, name := range s.found(text, except...) {
		t.Errorf("%s holds the %s", where, name)
	}
}

func (s *spy) searchTables(t *testing.T, tables map[string][]record) {
	t.Helper()
	for _, name := range []string{"users", "totp", "recovery_codes", "clients", "grants", "keys", "audit_events", "refusals", "spent_assertions", "buckets"} {
		if len(tables[name]) == 0 {
			t.Errorf("the run left no row in %s, so that the search proves little", name)
		}
	}
	for table, rows := range tables {
		for _, row := range rows {
			for column, value := range row {
				if column == "seen" || table+column == "audit_eventsdetail" {
					s.search(t, table+"."+column, value, agent)
				} else {
					s.search(t, table+"."+column, value)
				}
			}
		}
	}
}

// ask sends a request, and looks for secrets in the answer where it is an error, and in its headers always. The one secret that
// an error brings is an mfa_token.
func (s *spy) ask(t *testing.T, method, path string, header http.Header, form url.Values) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.node.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("User-Agent", s.agent)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	s.asked++
	a := answer{Status: resp.StatusCode, Body: string(body)}
	_ = json.Unmarshal(body, &a)
	what := fmt.Sprintf("the answer %d of %s", a.Status, strings.SplitN(path, "?", 2)[0])
	s.search(t, "a header of "+what, []byte(fmt.Sprint(resp.Header)))
	if a.Status >= http.StatusBadRequest {
		if strings.HasPrefix(path, "/oauth2/token?code=") {
			s.last = resp.Header.Get("X-Request-Id")
		}
		if a.Error == "mfa_required" {
			body = []byte(strings.Replace(a.Body, a.MFAToken, "", 1))
		}
		s.search(t, what, body)
	}
	for name, token := range map[string]string{"access token": a.AccessToken, "refresh token": a.RefreshToken, "ID token": a.IDToken, "mfa_token": a.MFAToken} {
		if token != "" {
			s.keep(t, name, token)
		}
	}
	return a
}

// as sends a form to path as a client, by its method.
func (s *spy) as(t *testing.T, c registered, path string, pairs ...string) answer {
	t.Helper()
	form, header := url.Values{"client_id": {c.ID}, "unknown": {s.mark(t, "field that nobody knows")}}, http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	switch {
	case c.ID == "poster":
		form.Set("client_secret", c.Secret)
	case c.Secret != "":
		form.Del("client_id")
		basic := base64.StdEncoding.EncodeToString([]byte(c.ID + ":" + c.Secret))
		header.Set("Authorization", "Basic "+basic)
		s.keep(t, "Authorization header", basic)
	}
	return s.ask(t, http.MethodPost, path+"?"+url.Values{"code": {s.mark(t, "query")}}.Encode(), header, form)
}
