package web_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/register"
)

// TestASectorThatDoesNotNameEveryRedirectURIIsRefused: at POST and PUT of a registration alike, with invalid_client_metadata
// (OpenID Connect Registration §5).
func TestASectorThatDoesNotNameEveryRedirectURIIsRefused(t *testing.T) {
	const document = `["https://elsewhere.example/", "` + callback + `", "` + elsewhere + `"]`
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, document)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	reaches := func(c *provider.Config) {
		(&listener{url: server.URL}).reaches(t)(c)
		c.OutboundRoots = roots
	}
	sector := object{"redirect_uris": []string{callback, elsewhere}, "subject_type": "pairwise", "sector_identifier_uri": server.URL + "/sector"}
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		c := w.register("", sector)
		if c.answer.text("sector_identifier_uri") != server.URL+"/sector" || c.answer.text("subject_type") != "pairwise" {
			t.Errorf("answer %s", c.answer.raw)
		}
		// Both hosts are of the one sector.
		here, there := w.browser().known(c.app, "ada", callback), w.browser().known(c.app, "ada", elsewhere)
		if here["sub"] != there["sub"] || len(asText(here["sub"])) != 43 {
			t.Errorf("%v and %v", here["sub"], there["sub"])
		}
		other := w.register("", object{"subject_type": "pairwise"})
		for what, change := range map[string]object{
			"no such document": {"sector_identifier_uri": "https://127.0.0.1:1/sector"},
			"a redirect URI":   {"redirect_uris": []string{callback, elsewhere + "/other"}},
			"not https":        {"sector_identifier_uri": "http://app.example/sector"},
			"several hosts":    {"sector_identifier_uri": nil},
			"no such type":     {"subject_type": "private"},
			"inside":           {"sector_identifier_uri": "https://169.254.169.254/sector"},
			"not a URI":        {"sector_identifier_uri": "sector"},
		} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", software(sector, change))
			w.want(a, http.StatusBadRequest, "invalid_client_metadata")
			if text := a.text("error_description"); !strings.HasPrefix(text, "sector_identifier_uri ") && !strings.HasPrefix(text, "subject_type ") {
				t.Errorf("%s: %q", what, text)
			}
			w.want(w.ask(http.MethodPut, other.uri, other.token, software(sector, change, object{"client_id": other.id})), http.StatusBadRequest, "invalid_client_metadata")
		}
		w.want(w.ask(http.MethodPut, other.uri, other.token, software(sector, object{"client_id": other.id})), http.StatusOK, "")
	}, reaches)
}

// TestWhereASignInBegunElsewhereStartsIsKept: initiate_login_uri is https, and comes back from the registration and from every look at
// it (OpenID Connect Core §4).
func TestWhereASignInBegunElsewhereStartsIsKept(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		const login = "https://app.example/login?tenant=1"
		c := w.register("", object{"initiate_login_uri": login})
		seen := w.ask(http.MethodGet, c.uri, c.token, nil)
		w.want(seen, http.StatusOK, "")
		if c.answer.text("initiate_login_uri") != login || seen.text("initiate_login_uri") != login {
			t.Errorf("registered %s, read %s", c.answer.raw, seen.raw)
		}
		for _, bad := range []string{"http://app.example/login", "http://localhost/login", "javascript:alert(1)", "com.example.app:/login", "https://app.example/#login", "login"} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", software(object{"initiate_login_uri": bad}))
			w.want(a, http.StatusBadRequest, "invalid_client_metadata")
			if !strings.HasPrefix(a.text("error_description"), "initiate_login_uri ") {
				t.Errorf("%s: %s", bad, a.raw)
			}
		}
	})
}
