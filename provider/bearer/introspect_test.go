package bearer_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/bearer"
)

const introspectPath = "/oauth2/introspect"

func introspecting(a app, edit ...func(*bearer.Introspection)) func(*bearer.Config) {
	return func(c *bearer.Config) {
		c.Introspection = &bearer.Introspection{ClientID: a.id, ClientSecret: a.secret}
		for _, e := range edit {
			e(c.Introspection)
		}
	}
}

func always(i *bearer.Introspection) { i.Always = true }

func TestOpaqueTokensAreIntrospected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, shop := w.user("ada"), w.client("opaque")
	access, refresh, _ := w.grant(shop, "ada", "scope", "stock.read")
	foreign, _, _ := w.grant(shop, "ada", "scope", "stock.read", "resource", "https://other.example")

	_, err := w.verifier().Verify(t.Context(), access)
	wantCode(t, err, bearer.InvalidToken, access)
	v := w.verifier(introspecting(shop))
	got, err := v.Verify(t.Context(), access)
	w.must(err)
	if got.Subject != u.ID.String() || got.Username != "ada" || got.ClientID != shop.id || !got.HasScope("stock.read") || got.HasScope("openid") {
		t.Errorf("got %+v", got)
	}
	for name, token := range map[string]string{"refresh token": refresh, "another audience": foreign, "unknown": "sat_unknown"} {
		_, err := v.Verify(t.Context(), token)
		t.Run(name, func(t *testing.T) { wantCode(t, err, bearer.InvalidToken, token) })
	}
	w.post("/oauth2/revoke", shop, url.Values{"token": {access}})
	_, err = v.Verify(t.Context(), access)
	wantCode(t, err, bearer.InvalidToken, access)
}

func TestJWTsAreIntrospectedWhereAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	shop := w.client("jwt")
	access, _, _ := w.grant(shop, "ada")
	plain, asking := w.verifier(introspecting(shop)), w.verifier(introspecting(shop, always))
	got, err := asking.Verify(t.Context(), access)
	w.must(err)
	if got.Username != "ada" || !got.HasScope("stock.read") {
		t.Errorf("got %+v", got)
	}
	w.post("/oauth2/revoke", shop, url.Values{"token": {access}})
	_, err = asking.Verify(t.Context(), access)
	wantCode(t, err, bearer.InvalidToken, access)
	if _, err := plain.Verify(t.Context(), access); err != nil {
		t.Errorf("nobody asked for introspection: %v", err)
	}
	// What is not even signed costs the issuer nothing.
	before := w.count(introspectPath)
	key := newSigner(t, "stranger")
	_, err = asking.Verify(t.Context(), key.sign(t, w.claims()))
	wantCode(t, err, bearer.InvalidToken, "")
	if w.count(introspectPath) != before {
		t.Error("a forged JWT was introspected")
	}
}

func TestAnOutageOfIntrospectionIsNoRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	shop := w.client("opaque")
	access, _, _ := w.grant(shop, "ada")
	v := w.verifier(introspecting(shop))
	for name, fault := range map[string]struct {
		status int
		body   string
	}{
		"503":           {http.StatusServiceUnavailable, `{"error":"temporarily_unavailable"}`},
		"500":           {http.StatusInternalServerError, `{"active":true}`},
		"redirect":      {http.StatusTemporaryRedirect, ""},
		"no JSON":       {http.StatusOK, "<html>"},
		"null":          {http.StatusOK, "null"},
		"no active":     {http.StatusOK, `{}`},
		"active a text": {http.StatusOK, `{"active":"true"}`},
		"without end":   {http.StatusOK, `{"active":true}` + strings.Repeat(" ", 64<<10)},
	} {
		w.answerWith(introspectPath, fault.status, fault.body)
		_, err := v.Verify(t.Context(), access)
		t.Run(name, func(t *testing.T) { wantCode(t, err, bearer.TemporarilyUnavailable, access) })
	}
	w.answerWith("", 0, "")
	_, err := w.verifier(introspecting(app{shop.id, "wrong"})).Verify(t.Context(), access)
	wantCode(t, err, bearer.TemporarilyUnavailable, access)
	if !strings.Contains(err.Error(), "ClientSecret") {
		t.Errorf("wrong credentials of the API's own: %v", err)
	}
	if _, err := v.Verify(t.Context(), access); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	if strings.Contains(w.log.String(), access) || strings.Contains(w.log.String(), shop.secret) {
		t.Error("a token or a secret is in the log")
	}
}

func TestAnswersThatProveNothingAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(introspecting(app{"api", "secret"}))
	const good = `{"active":true,"token_type":"Bearer","sub":"ada","aud":"ISSUER","exp":4000000000}`
	for name, c := range map[string]struct{ answer, code string }{
		"good":             {good, ""},
		"another case":     {strings.Replace(good, "Bearer", "bearer", 1), ""},
		"inactive":         {`{"active":false}`, bearer.InvalidToken},
		"no type":          {strings.Replace(good, `"token_type":"Bearer",`, "", 1), bearer.InvalidToken},
		"a DPoP token":     {strings.Replace(good, "Bearer", "DPoP", 1), bearer.InvalidToken},
		"a bound token":    {strings.Replace(good, `"sub"`, `"cnf":{"jkt":"x"},"sub"`, 1), bearer.InvalidToken},
		"no audience":      {strings.Replace(good, `"aud":"ISSUER",`, "", 1), bearer.InvalidToken},
		"another audience": {strings.Replace(good, "ISSUER", "https://other.example", 1), bearer.InvalidToken},
		"another issuer":   {strings.Replace(good, `"sub"`, `"iss":"https://other.example","sub"`, 1), bearer.InvalidToken},
		"no end":           {strings.Replace(good, `,"exp":4000000000`, "", 1), bearer.InvalidToken},
		"expired":          {strings.Replace(good, "4000000000", "1000000000", 1), bearer.InvalidToken},
	} {
		w.answerWith(introspectPath, http.StatusOK, strings.Replace(c.answer, "ISSUER", w.issuer, 1))
		_, err := v.Verify(t.Context(), "sat_opaque")
		t.Run(name, func(t *testing.T) {
			if c.code != "" {
				wantCode(t, err, c.code, "sat_opaque")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnswersAreRememberedOnlyWhereAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	shop := w.client("opaque")
	access, _, _ := w.grant(shop, "ada")
	forgetful := w.verifier(introspecting(shop))
	for range 3 {
		_, err := forgetful.Verify(t.Context(), access)
		w.must(err)
	}
	if n := w.count(introspectPath); n != 3 {
		t.Errorf("three questions were put %d times", n)
	}
	v := w.verifier(introspecting(shop, func(i *bearer.Introspection) { i.Cache = 10 * time.Second }))
	for range 3 {
		_, err := v.Verify(t.Context(), access)
		w.must(err)
	}
	if n := w.count(introspectPath); n != 4 {
		t.Errorf("an answer that is remembered was asked for %d times", n-3)
	}
	w.post("/oauth2/revoke", shop, url.Values{"token": {access}})
	w.advance(10 * time.Second)
	_, err := v.Verify(t.Context(), access)
	wantCode(t, err, bearer.InvalidToken, access)
	// A refusal is not remembered.
	_, err = v.Verify(t.Context(), access)
	wantCode(t, err, bearer.InvalidToken, access)
	if n := w.count(introspectPath); n != 6 {
		t.Errorf("a refusal was asked for %d times, want 2", n-4)
	}
}
