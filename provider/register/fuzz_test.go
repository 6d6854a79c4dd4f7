package register

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
)

// FuzzRegistration: whatever is sent is read or refused with a code of RFC 7591 and a description of plain ASCII, and what is read passes
// Validate or is refused by it in the same way.
func FuzzRegistration(f *testing.F) {
	for _, seed := range []string{
		`{"redirect_uris":["https://a.example/cb"]}`, `{"redirect_uris":null,"grant_types":["client_credentials"]}`, `[]`, `{"a":{"a":[[[1]]]}}`,
		`{"jwks":{"keys":[]},"contacts":["x"],"default_max_age":1e3,"software_statement":"a.b.c"}`, `{"client_name":"\ud800"}`, "{\"\xff\":1}",
	} {
		f.Add(seed)
	}
	statements, err := client.NewStatements(nil)
	if err != nil {
		f.Fatal(err)
	}
	e := &Endpoint{Statements: statements, Clock: time.Now}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/register", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		m, _, err := e.read(r)
		if err == nil {
			_, err = client.Validate(m, client.Config{})
		}
		if err == nil {
			return
		}
		refusal := oauth.As(err)
		if refusal == nil || refusal.HTTPStatus() >= http.StatusInternalServerError {
			t.Fatalf("%q: %v", body, err)
		}
		if strings.ContainsFunc(refusal.Description, func(c rune) bool { return c < 0x20 || c > 0x7e || c == '"' || c == '\\' }) || refusal.Description == "" {
			t.Errorf("%q: description %q", body, refusal.Description)
		}
	})
}
