package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// faults drives faulty requests of one client after the other and holds what is kept of them.
type faults struct {
	*world
	secrets []string // that were sent or given out: none may be kept anywhere
	clients []string
}

// hides notes what nobody may find in what is kept.
func (f *faults) hides(secrets ...string) {
	for _, s := range secrets {
		if len(s) > 3 { // shorter ones are in every text
			f.secrets = append(f.secrets, s)
		}
	}
}

// told asserts what is kept of the request with this id. want are pairs of a key of the detail and its value, where a value ends with *
// its beginning; "cause" and "became" stand for those, anywhere in the text.
func (f *faults) told(name, id, clientID, code string, want ...string) {
	f.Helper()
	f.upkeep()
	r, err := f.store.FindRefusal(f.Context(), id)
	if err != nil {
		f.Errorf("%s: nothing is kept: %v", name, err)
		return
	}
	if r.ClientID != clientID || r.Code != code || r.Seen.Address == "" {
		f.Errorf("%s: kept %+v, want %s of %s", name, r, code, clientID)
	}
	for pair := range slices.Chunk(want, 2) {
		got, ok := r.Detail[pair[0]], false
		switch begin, open := strings.CutSuffix(pair[1], "*"); {
		case pair[0] == "cause":
			got, ok = r.Cause, strings.Contains(r.Cause, pair[1])
		case pair[0] == "became":
			got, ok = r.Token, strings.Contains(r.Token, pair[1])
		case open:
			ok = strings.HasPrefix(got, begin)
		default:
			ok = got == pair[1]
		}
		if !ok {
			f.Errorf("%s: %s is %q, want %q, of %+v", name, pair[0], got, pair[1], r)
		}
	}
	if !slices.Contains(f.clients, clientID) {
		f.clients = append(f.clients, clientID)
	}
}

// answered is told for an answer of an endpoint, whose secrets are hidden.
func (f *faults) answered(name string, a answer, c app, code string, want ...string) {
	f.Helper()
	if a.text("error") != code {
		f.Errorf("%s: answered %d %s", name, a.status, a.raw)
	}
	f.told(name, a.header.Get("X-Request-Id"), c.id, code, want...)
}

// keepNone asserts that nothing that was hidden is in any row.
func (f *faults) keepNone() {
	f.Helper()
	rows := 0
	for _, id := range f.clients {
		kept, err := f.store.ListRefusals(f.Context(), id, "", 1000)
		f.must(err)
		rows += len(kept)
		for _, r := range kept {
			text := fmt.Sprintf("%+v", r)
			for _, secret := range f.secrets {
				if strings.Contains(text, secret) {
					f.Errorf("%q is kept in %s", secret, text)
				}
			}
			for key, value := range r.Detail {
				if len(value) > 256 || len(key) > 64 || len(r.Detail) > 16 || len(r.Cause) > 512 {
					f.Errorf("%s has %d bytes in %s", key, len(value), text)
				}
			}
		}
	}
	if rows == 0 || len(f.secrets) == 0 {
		f.Errorf("%d rows were searched for %d secrets", rows, len(f.secrets))
	}
}

func eachFault(t *testing.T, test func(f *faults)) {
	t.Helper()
	each(t, func(w *world) {
		f := &faults{world: w}
		w.user("ada")
		test(f)
		f.keepNone()
	})
}

// TestARefusedCodeIsExplained holds what the owner of a client is told about a code that is not taken.
func TestARefusedCodeIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c, b := f.relying(), f.browser()
		f.hides(c.secret, codeVerifier, password)
		code := func(pairs ...string) string {
			code := b.through(c, "ada", "", pairs...).Get("code")
			f.hides(code)
			return code
		}
		other := strings.Repeat("Another-verifier", 3)
		f.hides(other)
		f.answered("no verifier", f.exchange(c, code(), "code_verifier", ""), c, "invalid_grant", "cause", "PKCE", "code_challenge", "sent", "code_verifier", "absent")
		f.answered("another verifier", f.exchange(c, code(), "code_verifier", other), c, "invalid_grant",
			"cause", "another one's", "code_challenge", challengeOf(codeVerifier), "code_challenge_of_verifier", challengeOf(other))
		f.answered("short verifier", f.exchange(c, code(), "code_verifier", "short-verifier"), c, "invalid_grant", "code_verifier_length", "14")
		plain := "plain-verifier-that-is-sent-as-its-challengeA"[:42] + "A"
		f.hides(plain)
		f.answered("plain", f.exchange(c, code("code_challenge", plain), "code_verifier", plain), c, "invalid_grant", "cause", "the code_verifier itself")
		f.answered("hashed twice", f.exchange(c, code("code_challenge", challengeOf(challengeOf(codeVerifier)))), c, "invalid_grant", "cause", "hashed twice")
		f.answered("other redirect_uri", f.exchange(c, code(), "redirect_uri", callback+"/?code=MARKED-value"), c, "invalid_grant",
			"received", callback+"/?code=[cut]", "registered", callback, "at", fmt.Sprint(len(callback)), "part", "slash")
		f.hides("MARKED-value")
		f.answered("forged", f.exchange(c, "sac_MARKED-code"), c, "invalid_grant", "cause", "forged", "length", "15")
		f.hides("MARKED-code")

		late, issued := code(), f.clock.Now()
		f.clock.Advance(90 * time.Second)
		f.answered("late", f.exchange(c, late), c, "invalid_grant", "cause", "30s later",
			"expires_at", issued.Add(time.Minute).Format(time.RFC3339), "now", f.clock.Now().Format(time.RFC3339))

		thief := f.relying()
		f.hides(thief.secret)
		stolen := code()
		f.answered("another client's", f.exchange(thief, stolen), thief, "invalid_grant", "cause", "another client's")
		good := f.exchange(c, stolen)
		f.want(good, http.StatusOK, "")
		f.hides(good.access(), good.refresh(), good.text("id_token"))
		f.answered("twice", f.exchange(c, stolen), c, "invalid_grant", "cause", "a second time", "redeemed_from", "the same address", "redeemed_at", "20*")
		f.answered("thrice", f.exchange(c, stolen), c, "invalid_grant", "cause", "revoked", "reason", string(storage.ReasonCodeReplay))
	})
}

// TestARefusedRefreshTokenIsExplained: rotated, reused, revoked, idle and expired are told apart, with when and from where.
func TestARefusedRefreshTokenIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.confidential(strict, func(m *storage.ClientMetadata) { m.RefreshTokenLifetime, m.RefreshTokenIdleLifetime = 7200, 3600 })
		f.hides(c.secret, password)
		login := func() answer {
			a := f.login(c, "ada")
			f.hides(a.refresh(), a.access())
			return a
		}
		stamp := func() string { return f.clock.Now().Format(time.RFC3339) }

		first := login()
		f.clock.Advance(time.Minute)
		second := f.refreshWith(c, first.refresh())
		f.want(second, http.StatusOK, "")
		f.hides(second.refresh(), second.access())
		rotated := stamp()
		f.clock.Advance(time.Minute)
		f.answered("reuse", f.refreshWith(c, first.refresh()), c, "invalid_grant", "cause", "reuse", "rotated_at", rotated, "presented_generation", "1",
			"newest_generation", "2", "last_exchange_from", "the same address", "refresh_rotation", "strict", "became", "rotated at "+rotated)
		f.answered("after reuse", f.refreshWith(c, second.refresh()), c, "invalid_grant", "cause", "used again", "reason", "reuse", "revoked_at", stamp())

		idle, issued := login(), f.clock.Now()
		f.clock.Advance(2 * time.Hour / 2)
		f.clock.Advance(time.Second)
		f.answered("idle", f.refreshWith(c, idle.refresh()), c, "invalid_grant", "cause", "idle", "issued_at", issued.Format(time.RFC3339),
			"expires_at", issued.Add(time.Hour).Format(time.RFC3339), "now", stamp())
		f.clock.Advance(2 * time.Hour)
		f.answered("expired", f.refreshWith(c, idle.refresh()), c, "invalid_grant", "cause", "expired", "expires_at", issued.Add(2*time.Hour).Format(time.RFC3339))

		revoked := login()
		f.want(f.post("/oauth2/revoke", c, form("token", revoked.refresh())), http.StatusOK, "")
		f.answered("revoked", f.refreshWith(c, revoked.refresh()), c, "invalid_grant", "cause", "the client revoked it", "reason", "client", "revoked_at", stamp())

		thief, own := f.confidential(), login()
		f.hides(thief.secret)
		f.answered("another client's", f.refreshWith(thief, own.refresh()), thief, "invalid_grant", "cause", "another client's")
		f.answered("wrong kind", f.refreshWith(c, own.access()), c, "invalid_grant", "cause", "a JWT")
		f.answered("altered", f.refreshWith(c, own.refresh()[:30]), c, "invalid_grant", "cause", "altered or cut", "length", "30")
		f.answered("more scope", f.refreshWith(c, own.refresh(), "scope", "openid api:delete"), c, "invalid_scope", "beyond", "api:delete", "received", "openid api:delete")
		f.answered("resource", f.refreshWith(c, own.refresh(), "resource", "https://api.example/?key=MARKED-key"), c, "invalid_target", "received", "https://api.example/?key=[cut]")
		f.hides("MARKED-key")
		_, err := f.provider.Clients().Disable(f.Context(), c.id, "test")
		f.must(err)
		f.answered("disabled", f.refreshWith(c, own.refresh()), c, "invalid_client", "cause", "an operator switched it off", "disabled_at", stamp())
	})
}

// TestARefusedAuthenticationOfAClientIsExplained: which secret, whose clock and by how much, which key.
func TestARefusedAuthenticationOfAClientIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.confidential()
		f.hides(c.secret)
		own := []string{"grant_type", "client_credentials"}
		f.answered("wrong", f.token(app{id: c.id, secret: "MARKED-secret"}, own...), c, "invalid_client", "cause", "none of the client's", "secrets_made_at", "20*")
		f.hides("MARKED-secret")
		f.answered("none", f.token(app{id: c.id}, own...), c, "invalid_client", "received", "none", "registered", "client_secret_basic")
		f.answered("in the body", f.token(app{id: c.id, secret: c.secret, post: true}, own...), c, "invalid_client", "received", "client_secret_post", "registered", "client_secret_basic")
		f.answered("grant", f.token(c, "grant_type", "authorization_code", "code", "MARKED-code"), c, "unauthorized_client", "received", "authorization_code", "registered", "password refresh_token client_credentials")
		f.hides("MARKED-code")
		made, _, err := f.provider.Clients().RotateSecret(f.Context(), c.id, time.Hour, "test")
		f.must(err)
		f.hides(made)
		ends := f.clock.Now().Add(time.Hour)
		f.clock.Advance(2 * time.Hour)
		f.answered("expired", f.token(c, own...), c, "invalid_client", "cause", "expired", "expires_at", ends.Format(time.RFC3339), "now", f.clock.Now().Format(time.RFC3339))

		signer, k := f.confidential(byKeys), keyPairs()["ES256"]
		assert := func(changes map[string]any, header string) answer {
			signed := k.sign(header, f.claims(signer, fmt.Sprint(len(f.secrets)), changes))
			f.hides(signed, signed[strings.LastIndex(signed, ".")+1:])
			return f.assert("/oauth2/token", signed, own...)
		}
		now := f.clock.Now()
		for name, v := range map[string]struct {
			changes map[string]any
			header  string
			want    []string
		}{
			"exp passed":  {map[string]any{"exp": now.Unix() - 95}, k.header(), []string{"cause", "exp has passed by 1m35s", "off_by", "1m35s", "now", now.Format(time.RFC3339)}},
			"exp far":     {map[string]any{"exp": now.Unix() + 3600}, k.header(), []string{"cause", "more than five minutes ahead", "off_by", "1h0m0s"}},
			"iat ahead":   {map[string]any{"iat": now.Unix() + 90}, k.header(), []string{"cause", "iat is in the future by 1m30s", "off_by", "1m30s", "iat", now.Add(90 * time.Second).Format(time.RFC3339)}},
			"nbf ahead":   {map[string]any{"nbf": now.Unix() + 20}, k.header(), []string{"cause", "nbf", "off_by", "20s"}},
			"aud":         {map[string]any{"aud": "https://other.example"}, k.header(), []string{"aud", "https://other.example", "registered", issuerURL}},
			"iss":         {map[string]any{"iss": "other"}, k.header(), []string{"iss", "other", "sub", signer.id}},
			"kid":         {nil, `{"alg":"ES256","kid":"of-yesterday"}`, []string{"kid", "of-yesterday", "kids_registered", "rsa ec ed"}},
			"alg":         {nil, `{"alg":"none","kid":"ec"}`, []string{"alg", "none", "algs_allowed", "*"}},
			"jti missing": {map[string]any{"jti": nil}, k.header(), []string{"cause", "jti is missing"}},
		} {
			f.answered(name, assert(v.changes, v.header), signer, "invalid_client", v.want...)
		}
		twice := map[string]any{"jti": "twice"}
		f.want(assert(twice, k.header()), http.StatusOK, "")
		f.answered("jti again", assert(twice, k.header()), signer, "invalid_client", "cause", "jti was used before")
	})
}

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
