package web_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
	"github.com/signet-idp/signet/storage/sqlite/sqlitetest"
	"github.com/signet-idp/signet/web"
)

// bare is a handler over a new SQLite file, called without a network between: for benchmarks of cost, fuzzing, and other issuers
// than each's.
type bare struct {
	http.Handler
	provider *provider.Provider
}

func newBare(tb testing.TB, issuer string, secure bool) bare {
	tb.Helper()
	store, err := sqlite.Open(tb.Context(), sqlite.Options{Path: sqlitetest.Path(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(madeKeys.text)
	if err != nil {
		tb.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	p, err := provider.New(tb.Context(), provider.Config{Issuer: issuer, PasswordHash: cheapHash, Logger: logger}, store, sealer)
	if err != nil {
		tb.Fatal(err)
	}
	handler, err := web.New(web.Options{Provider: p, Logger: logger, Secure: secure, Probes: web.NewProbes(p.Ready, logger)})
	if err != nil {
		tb.Fatal(err)
	}
	return bare{handler, p}
}

// client registers a confidential client that sends its secret in the body.
func (b bare) client(tb testing.TB) app {
	tb.Helper()
	c, secret, err := b.provider.Clients().Create(tb.Context(), storage.ClientMetadata{
		GrantTypes: []string{"password", "refresh_token", "client_credentials"}, Scope: "openid api:read",
		TokenEndpointAuthMethod: "client_secret_post",
	}, "", "test")
	if err != nil {
		tb.Fatal(err)
	}
	return app{id: c.ID, secret: secret, post: true}
}

// ask calls the handler.
func (b bare) ask(method, target string, header http.Header, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, values := range header {
		r.Header[name] = values
	}
	return b.serve(r)
}

func (b bare) serve(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	b.ServeHTTP(recorder, r)
	return recorder
}

// describable is what RFC 6749 §5.2 allows in an error_description.
var describable = regexp.MustCompile(`^[\x20\x21\x23-\x5b\x5d-\x7e]+$`)
