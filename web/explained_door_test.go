package web_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// TestARefusedRequestAtTheFrontDoorIsExplained: what was sent beside what is registered, on the page, in the header and in what is kept
// under one id.
func TestARefusedRequestAtTheFrontDoorIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.relying(func(m *storage.ClientMetadata) { m.RedirectURIs = append(m.RedirectURIs, "https://app.example/other") })
		f.hides(c.secret, codeVerifier, password, "the-state", "the-nonce")
		long := strings.Repeat("x", 1100)
		f.hides(long[:40])
		for name, v := range map[string]struct {
			pairs []string
			code  string
			want  []string
		}{
			"host":            {[]string{"redirect_uri", "https://www.app.example/cb?token=MARKED-token"}, "invalid_request", []string{"received", "https://www.app.example/cb?token=[cut]", "registered", callback, "at", "8", "part", "host"}},
			"scheme":          {[]string{"redirect_uri", "http://app.example/cb"}, "invalid_request", []string{"part", "scheme", "at", "4"}},
			"port":            {[]string{"redirect_uri", "https://app.example:8443/cb"}, "invalid_request", []string{"part", "port", "at", "19"}},
			"slash":           {[]string{"redirect_uri", callback + "/"}, "invalid_request", []string{"part", "slash", "cause", "slash"}},
			"case":            {[]string{"redirect_uri", "https://app.example/CB"}, "invalid_request", []string{"part", "case", "at", "20"}},
			"query":           {[]string{"redirect_uri", callback + "?x=MARKED-token"}, "invalid_request", []string{"part", "query"}},
			"no redirect_uri": {[]string{"redirect_uri", ""}, "invalid_request", []string{"received", "absent", "registered", callback + " https://app.example/other"}},
			"response_type":   {[]string{"response_type", "token id_token"}, "unsupported_response_type", []string{"response_type", "token id_token", "registered", "code"}},
			"response_mode":   {[]string{"response_mode", "pigeon"}, "invalid_request", []string{"response_mode", "pigeon"}},
			"no PKCE":         {[]string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request", []string{"code_challenge", "absent", "code_challenge_method", "absent"}},
			"plain":           {[]string{"code_challenge", codeVerifier, "code_challenge_method", "plain"}, "invalid_request", []string{"code_challenge_method", "plain", "registered", "S256", "code_challenge", "of 43 characters"}},
			"challenge":       {[]string{"code_challenge", "short"}, "invalid_request", []string{"code_challenge", "of 5 characters"}},
			"scope":           {[]string{"scope", "api:delete"}, "invalid_scope", []string{"scope", "api:delete", "registered", allScopes + " api:read"}},
			"prompt":          {[]string{"prompt", "dance"}, "invalid_request", []string{"prompt", "dance"}},
			"max_age":         {[]string{"max_age", "soon"}, "invalid_request", []string{"max_age", "soon"}},
			"nonce":           {[]string{"nonce", long}, "invalid_request", []string{"nonce", "of 1100 characters"}},
			"hint":            {[]string{"id_token_hint", "MARKED-token"}, "invalid_request", []string{"id_token_hint", "of 12 characters"}},
			"resource":        {[]string{"resource", "https://api.example/x"}, "invalid_target", []string{"received", "https://api.example/x"}},
		} {
			b := f.browser()
			page := b.visit(authorize(c, v.pairs...))
			id := page.header.Get("X-Request-Id")
			f.told(name, id, c.id, v.code, v.want...)
			if page.left == nil && !strings.Contains(page.raw, id) {
				f.Errorf("%s: the page does not show %s", name, id)
			}
			if !strings.Contains(f.log.String(), id) {
				f.Errorf("%s: the log does not name %s", name, id)
			}
		}
		f.hides("MARKED-token")
		b := f.browser()
		b.visit(authorize(c))
		tx := b.page.url.String()
		f.clock.Advance(2 * time.Hour)
		page := b.visit(tx)
		f.told("too late", page.header.Get("X-Request-Id"), c.id, "invalid_request", "cause", "too long", "issued_at", f.clock.Now().Add(-2*time.Hour).Format(time.RFC3339))

		f.answered("pushed elsewhere", f.push(c, "redirect_uri", "https://app.example/cb2"), c, "invalid_request", "received", "https://app.example/cb2", "registered", callback, "at", "22", "part", "path")
		f.answered("pushed by a stranger", f.push(app{id: c.id, secret: "MARKED-secret"}), c, "invalid_client", "cause", "none of the client's")
		f.hides("MARKED-secret")
		uri := f.pushed(c)
		f.hides(uri[strings.LastIndex(uri, "request_uri%3A")+14:])
		f.clock.Advance(5 * time.Minute)
		page = f.browser().visit(uri)
		f.told("pushed long ago", page.header.Get("X-Request-Id"), c.id, "invalid_request_uri", "cause", "expired", "now", f.clock.Now().Format(time.RFC3339))
		f.answered("no device", f.post("/oauth2/device_authorization", c, form()), c, "unauthorized_client", "received", grantDevice, "registered", "authorization_code refresh_token")
		_, err := f.provider.Clients().Disable(f.Context(), c.id, "test")
		f.must(err)
		page = f.browser().visit(authorize(c))
		f.told("disabled", page.header.Get("X-Request-Id"), c.id, "unauthorized_client", "reason", "operator")
	})
}

// TestARefusedSignOutIsExplained: where a sign-out was to lead beside where it may.
func TestARefusedSignOutIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		const afterwards = "http://127.0.0.1/bye"
		c := f.relying(func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{afterwards} })
		b := f.browser()
		hint := f.exchange(c, b.through(c, "ada", "").Get("code")).text("id_token")
		f.hides(hint, hint[:30])
		page := b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", "http://127.0.0.1:8080/bye?x=MARKED-value"))
		f.told("port", page.header.Get("X-Request-Id"), c.id, "invalid_request", "received", "http://127.0.0.1:8080/bye?x=[cut]", "registered", afterwards, "part", "port", "at", "16")
		f.hides("MARKED-value")
		if !strings.Contains(page.raw, page.header.Get("X-Request-Id")) {
			f.Error("the page does not show the id")
		}
		page = b.visit(endSession("id_token_hint", hint, "client_id", "another"))
		f.told("another client", page.header.Get("X-Request-Id"), c.id, "invalid_request", "client_id", "another", "aud", c.id)
	})
}

// TestADeviceCodeThatIsRefusedIsExplained, and so is an mfa_token.
func TestADeviceCodeThatIsRefusedIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.television()
		begun := f.clock.Now()
		code := f.device(c).text("device_code")
		f.hides(code)
		f.clock.Advance(11 * time.Minute)
		f.answered("late", f.poll(c, code), c, "expired_token", "expires_at", begun.Add(10*time.Minute).Format(time.RFC3339), "now", f.clock.Now().Format(time.RFC3339))
		f.answered("forged", f.poll(c, "srt_MARKED-token"), c, "invalid_grant", "looks_like", "a refresh token")
		f.hides("MARKED-token")

		secret, _ := f.enrol(f.user("eve"))
		both := f.confidential()
		f.hides(both.secret, secret)
		token := f.token(both, "grant_type", "password", "username", "eve", "password", password).text("mfa_token")
		f.hides(token)
		f.clock.Advance(6 * time.Minute)
		f.answered("mfa late", f.token(both, "grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", token, "otp", f.code(secret)), both, "invalid_grant", "cause", "expired", "now", f.clock.Now().Format(time.RFC3339))
	})
}

// TestWhatAStrangerSendsInTheNameOfAClientIsBounded: who names a client fills no more than a few hundred bytes a request.
func TestWhatAStrangerSendsInTheNameOfAClientIsBounded(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.relying()
		f.hides("MARKED", c.secret)
		for name, pairs := range map[string][]string{
			"long":    {"redirect_uri", "https://evil.example/" + strings.Repeat("a", 5000)},
			"escapes": {"redirect_uri", "https://evil.example/\x1b[2J\u202e\r\nX: y?MARKED=1"},
			"scopes":  {"scope", strings.Repeat("a", 2000)},
		} {
			b := f.browser()
			page := b.visit(authorize(c, pairs...))
			f.upkeep()
			r, err := f.store.FindRefusal(f.Context(), page.header.Get("X-Request-Id"))
			f.must(err)
			for text := range maps.Values(r.Detail) {
				if strings.ContainsAny(text+r.Cause, "\x1b\r\n\u202e") {
					f.Errorf("%s: kept %q", name, text)
				}
			}
		}
		f.secrets = f.secrets[1:] // the name of a parameter is kept, its value is not
		f.clients = append(f.clients, c.id)
	})
}
