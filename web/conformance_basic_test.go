package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// These are the lines of docs/conformance-map.md for Basic OP, each as a test of its own.

// states are values of state that must come back byte for byte.
var states = []string{
	"s", "a b+c%20d&e=f;g", strings.Repeat("aZ09-._~", 16), strings.Repeat("x", 1000), "ü€𝄞", "\"\\<>'`{}|^",
}

func TestTheCodeFlowGivesAValidIDTokenAndUserinfo(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		for _, c := range []app{w.relying(), w.relying(func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_post" })} {
			b := w.browser()
			q := b.through(c, "ada", "", "scope", "openid email")
			if q.Get("state") != "the-state" || q.Get("iss") != issuerURL || q.Has("error") || len(q) != 3 {
				w.Fatalf("answer %v", q)
			}
			a := w.exchange(c, q.Get("code"))
			w.want(a, http.StatusOK, "")
			if a.text("token_type") != "Bearer" || a.body["expires_in"].(float64) <= 0 || a.text("scope") != "openid email" ||
				a.header.Get("Cache-Control") != "no-store" {
				w.Errorf("answer %s %v", a.raw, a.header)
			}
			claims := w.idToken(a)
			now := float64(w.clock.Now().Unix())
			for name, want := range map[string]any{
				"iss": issuerURL, "aud": c.id, "sub": u.ID.String(), "nonce": "the-nonce", "acr": "urn:signet:acr:password",
			} {
				if claims[name] != want {
					w.Errorf("%s is %v, want %v", name, claims[name], want)
				}
			}
			if claims["iat"] != now || claims["exp"].(float64) <= now || claims["auth_time"].(float64) > now || claims["at_hash"] == nil || claims["sid"] == nil {
				w.Errorf("claims %v", claims)
			}
			for _, private := range []string{"name", "email", "preferred_username", "phone_number", "address"} {
				if claims[private] != nil {
					w.Errorf("the ID token tells %s, which userinfo is there for", private)
				}
			}
			info := w.userinfo(a.access())
			if info.body["sub"] != claims["sub"] || info.body["email"] != "ada@example.com" || info.body["name"] != nil {
				w.Errorf("userinfo %s", info.raw)
			}
		}
	})
}

func TestTheIDTokenIsSignedWithRS256UnlessTheClientChoseOtherwise(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		for alg, c := range map[string]app{"RS256": w.relying(), "ES256": w.relying(func(m *storage.ClientMetadata) { m.IDTokenSignedAlg = "ES256" })} {
			a := w.exchange(c, w.browser().through(c, "ada", "").Get("code"))
			header := jwtPart(t, a.text("id_token"), 0)
			if header["alg"] != alg || header["kid"] == "" || header["typ"] != "JWT" {
				w.Errorf("header %v, want %s", header, alg)
			}
		}
	})
}

func TestWithoutAResponseTypeThereIsNoLoginPage(t *testing.T) {
	each(t, func(w *world) {
		c := w.relying()
		for _, kind := range []string{"", "token", "code token", "id_token", "none", "code id_token token", "CODE"} {
			b := w.browser()
			p := b.visit(authorize(c, "response_type", kind))
			want := "unsupported_response_type"
			if kind == "" {
				want = "invalid_request"
			}
			if p.left == nil || p.left.Query().Get("error") != want || p.left.Query().Get("state") != "the-state" || p.left.Query().Get("iss") != issuerURL {
				w.Errorf("%q: %d %v", kind, p.status, p.left)
			}
		}
	})
}

func TestUserinfoAnswersGETAndPOSTInHeaderAndBody(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying()
		token := w.exchange(c, w.browser().through(c, "ada", "", "scope", allScopes).Get("code")).access()
		for name, ask := range map[string]func() *http.Request{
			"get":         func() *http.Request { return w.request(http.MethodGet, "/userinfo", "", token) },
			"post header": func() *http.Request { return w.request(http.MethodPost, "/userinfo", "", token) },
			"post body": func() *http.Request {
				return w.request(http.MethodPost, "/userinfo", "access_token="+url.QueryEscape(token), "")
			},
		} {
			a := w.do(ask())
			if a.status != http.StatusOK || a.body["email"] != "ada@example.com" || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
				w.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
	})
}

func TestANonceIsEchoedAndNoneIsMadeUp(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		for _, nonce := range []string{"", "n", strings.Repeat("aZ09-._~", 8), strings.Repeat("n", 384)} {
			claims := w.idToken(w.exchange(c, b.through(c, "ada", "", "nonce", nonce).Get("code")))
			if got, _ := claims["nonce"].(string); got != nonce || (nonce == "") != (claims["nonce"] == nil) {
				w.Errorf("nonce %q came back as %v", nonce, claims["nonce"])
			}
		}
	})
}

func TestStateComesBackByteForByteAndNoneIsMadeUp(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		for _, state := range states {
			if got := b.through(c, "ada", "", "state", state); got.Get("state") != state {
				w.Errorf("state %q came back as %q", state, got.Get("state"))
			}
			b.visit(authorize(c, "state", state, "prompt", "none", "scope", "openid phone"))
			if q := b.page.left.Query(); q.Get("state") != state || q.Get("error") != "consent_required" {
				w.Errorf("state %q in an error: %v", state, q)
			}
		}
		if q := b.through(c, "ada", "", "state", ""); q.Has("state") || q.Get("code") == "" {
			w.Errorf("without state: %v", q)
		}
	})
}

func TestEachScopeGivesItsClaimsAndNoOthers(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		w.fill(u)
		c := w.relying()
		of := map[string][]string{
			"openid": {"sub"},
			"profile": {
				"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender",
				"birthdate", "zoneinfo", "locale", "updated_at",
			},
			"email": {"email", "email_verified"}, "address": {"address"}, "phone": {"phone_number", "phone_number_verified"},
		}
		all := []string{"sub"}
		for scope, names := range of {
			want := append([]string{"sub"}, names...)
			asked := "openid " + scope
			if scope == "openid" {
				want, asked = names, scope
			} else {
				all = append(all, names...)
			}
			w.wantClaims(c, asked, want)
		}
		w.wantClaims(c, "phone address email profile openid", all)
	})
}

func (w *world) wantClaims(c app, scope string, want []string) {
	w.Helper()
	a := w.exchange(c, w.browser().through(c, "ada", "", "scope", scope).Get("code"))
	var got []string
	for name, value := range w.userinfo(a.access()).body {
		got = append(got, name)
		if value == "" || value == "null" || value == nil {
			w.Errorf("%s is %v", name, value)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("scope %q gives %v, want %v", scope, got, want)
	}
}

// fill gives the person every standard claim.
func (w *world) fill(u storage.User) {
	w.Helper()
	u.Phone, u.PhoneVerified = "+15555550123", true
	u.Profile = storage.Profile{
		Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", MiddleName: "King", Nickname: "Countess",
		Profile: "https://ada.example/", Picture: "https://ada.example/p.png", Website: "https://ada.example/w", Gender: "female",
		Birthdate: "1815-12-10", Zoneinfo: "Europe/London", Locale: "en-GB", Address: &storage.Address{Locality: "London", Country: "GB"},
	}
	_, err := w.provider.People().Update(w.Context(), u, account.By{Actor: "test"})
	w.must(err)
}

func TestTheOrderOfParametersAndUnknownOnesDoNotMatter(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		b.through(c, "ada", "", "scope", "email openid")
		for _, extra := range [][]string{
			{"extra", "foobar"},
			{"display", "page"},
			{"display", "popup"},
			{"login_hint", "buffy@localhost"},
			{"ui_locales", "se"},
			{"ui_locales", "not a language"},
			{"claims_locales", "se"},
			{"acr_values", "1 2"},
			{"registration", "{}"},
			{"id_token_hint", ""},
			{"acr_values", "urn:signet:acr:password urn:signet:acr:mfa"},
		} {
			if q := b.through(c, "ada", "", append(extra, "scope", "email openid")...); q.Get("code") == "" {
				w.Errorf("%v: %v", extra, q)
			}
		}
	})
}

func TestPromptLoginAsksAgainAndMovesAuthTime(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		first := w.idToken(w.exchange(c, b.through(c, "ada", "").Get("code")))
		w.clock.Advance(5 * time.Second)
		if p := b.visit(authorize(c, "prompt", "login")); !p.asks("password") {
			w.Fatalf("no sign-in page: %d %v", p.status, p.left)
		}
		b.signIn("ada")
		second := w.idToken(w.exchange(c, b.page.left.Query().Get("code")))
		if second["auth_time"].(float64) <= first["auth_time"].(float64) || second["sub"] != first["sub"] || second["sid"] != first["sid"] {
			w.Errorf("first %v, second %v", first, second)
		}
	})
}

func TestPromptNoneShowsNoPage(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		none := func(want string, pairs ...string) url.Values {
			w.Helper()
			p := b.visit(authorize(c, append([]string{"prompt", "none"}, pairs...)...))
			if p.left == nil || p.left.Query().Get("error") != want || p.left.Query().Get("state") != "the-state" {
				w.Fatalf("%v: %d %v, want %q", pairs, p.status, p.left, want)
			}
			return p.left.Query()
		}
		none("login_required")
		first := w.idToken(w.exchange(c, b.through(c, "ada", "").Get("code")))
		w.clock.Advance(time.Minute)
		second := w.idToken(w.exchange(c, none("").Get("code")))
		if second["sub"] != first["sub"] || second["auth_time"] != first["auth_time"] || second["sid"] != first["sid"] {
			w.Errorf("first %v, second %v", first, second)
		}
		none("consent_required", "scope", "openid profile")
		none("invalid_request", "prompt", "none login")
		none("login_required", "max_age", "10")
	})
}

func TestMaxAgeAsksAgainOnlyWhenTheSignInIsOlder(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		first := w.idToken(w.exchange(c, b.through(c, "ada", "", "max_age", "15000").Get("code")))
		w.clock.Advance(2 * time.Second)
		again := w.idToken(w.exchange(c, b.through(c, "ada", "", "max_age", "10000").Get("code")))
		if again["auth_time"] != first["auth_time"] {
			w.Errorf("max_age=10000 asked again: %v, %v", first, again)
		}
		for _, age := range []string{"1", "0"} {
			w.clock.Advance(2 * time.Second)
			if p := b.visit(authorize(c, "max_age", age)); !p.asks("password") {
				w.Fatalf("max_age=%s does not ask: %v", age, p.left)
			}
			b.signIn("ada")
			next := w.idToken(w.exchange(c, b.page.left.Query().Get("code")))
			if next["auth_time"] != float64(w.clock.Now().Unix()) {
				w.Errorf("max_age=%s: %v", age, next)
			}
		}
		for _, bad := range []string{"-1", "x", "1.5", "99999999999999999999"} {
			if q := b.visit(authorize(c, "max_age", bad)).left.Query(); q.Get("error") != "invalid_request" {
				w.Errorf("max_age=%s: %v", bad, q)
			}
		}
	})
}

func TestAnIDTokenHintNamesWhoMustBeSignedIn(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.user("bob")
		c, b := w.relying(), w.browser()
		hint := w.exchange(c, b.through(c, "ada", "").Get("code")).text("id_token")
		if q := b.visit(authorize(c, "prompt", "none", "id_token_hint", hint)).left.Query(); q.Get("code") == "" {
			w.Errorf("the same person: %v", q)
		}
		w.clock.Advance(2 * time.Hour) // an expired one serves as a hint
		if q := b.visit(authorize(c, "prompt", "none", "id_token_hint", hint)).left.Query(); q.Get("code") == "" {
			w.Errorf("expired: %v", q)
		}
		other := w.browser()
		other.through(c, "bob", "")
		w.clock.Advance(time.Second)
		if q := other.visit(authorize(c, "prompt", "none", "id_token_hint", hint)).left.Query(); q.Get("error") != "login_required" {
			w.Errorf("somebody else: %v", q)
		}
		if p := other.visit(authorize(c, "id_token_hint", hint)); !p.asks("password") {
			w.Errorf("somebody else, with a page: %d %v", p.status, p.left)
		}
		for _, bad := range []string{"x.y.z", "garbage", hint[:len(hint)-4]} {
			if q := b.visit(authorize(c, "prompt", "none", "id_token_hint", bad)).left.Query(); q.Get("error") != "invalid_request" && q.Get("error") != "login_required" {
				w.Errorf("hint %q: %v", bad[:5], q)
			}
		}
	})
}

func TestACodeServesOnceAndItsReplayEndsWhatItGave(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		for _, wait := range []time.Duration{0, 31 * time.Second} {
			code := b.through(c, "ada", "").Get("code")
			a := w.exchange(c, code)
			w.want(a, http.StatusOK, "")
			w.clock.Advance(wait)
			w.want(w.exchange(c, code), http.StatusBadRequest, "invalid_grant")
			if info := w.userinfo(a.access()); info.status != http.StatusUnauthorized {
				w.Errorf("after %v the first token is alive: %d", wait, info.status)
			}
			w.want(w.refreshWith(c, a.refresh()), http.StatusBadRequest, "invalid_grant")
		}
		code := b.through(c, "ada", "").Get("code")
		w.clock.Advance(61 * time.Second)
		w.want(w.exchange(c, code), http.StatusBadRequest, "invalid_grant")
	})
}

func TestAnUnregisteredRedirectURIIsAPageAndNoRedirect(t *testing.T) {
	each(t, func(w *world) {
		c, b := w.relying(), w.browser()
		for _, uri := range []string{callback + "/", callback + "?x=1", "https://evil.example/cb", "https://app.example/CB", ""} {
			p := b.visit(authorize(c, "redirect_uri", uri))
			if p.status != http.StatusBadRequest || p.left != nil || p.h1 == "" || !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
				w.Errorf("%q: %d %q %v", uri, p.status, p.h1, p.left)
			}
		}
		two := w.relying(func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback, "https://app.example/two"} })
		if p := b.visit(authorize(two, "redirect_uri", "")); p.status != http.StatusBadRequest || p.left != nil {
			w.Errorf("two registered, none named: %d %v", p.status, p.left)
		}
		kept := w.relying(func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback + "?foo=bar"} })
		w.user("ada")
		if q := b.through(kept, "ada", "", "redirect_uri", callback+"?foo=bar"); q.Get("foo") != "bar" || q.Get("code") == "" {
			w.Errorf("a registered query: %v", q)
		}
	})
}

func TestAnAuthorizationRequestMayBePosted(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		body := strings.TrimPrefix(authorize(c), "/oauth2/authorize?")
		for round := range 2 { // without and with a session
			r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, issuerURL+"/oauth2/authorize", strings.NewReader(body))
			w.must(err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "https://app.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			p := b.follow(r)
			if round == 0 {
				b.signIn("ada")
				p = b.submit("decision", "allow")
			}
			if p.left == nil || p.left.Query().Get("code") == "" {
				w.Fatalf("round %d: %d %q %v", round, p.status, p.h1, p.left)
			}
		}
	})
}

func TestRequestObjectsAreRefusedByName(t *testing.T) {
	each(t, func(w *world) {
		c, b := w.relying(), w.browser()
		for parameter, want := range map[string]string{"request": "request_not_supported", "request_uri": "request_uri_not_supported"} {
			value := "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ."
			if parameter == "request_uri" {
				value = "https://app.example/request.jwt#hash"
			}
			if q := b.visit(authorize(c, parameter, value)).left.Query(); q.Get("error") != want || q.Get("state") != "the-state" {
				w.Errorf("%s: %v", parameter, q)
			}
		}
	})
}

func TestTheClaimsParameterPutsClaimsWhereTheyAreAskedFor(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		w.fill(u)
		c := w.relying()
		ask := `{"userinfo":{"name":{"essential":true},"nickname":null,"unknown_claim":null},"id_token":{"email":null,"auth_time":{"essential":true},"zoneinfo":{"essential":false}}}`
		a := w.exchange(c, w.browser().through(c, "ada", "", "claims", ask).Get("code"))
		claims, info := w.idToken(a), w.userinfo(a.access()).body
		if claims["email"] != "ada@example.com" || claims["zoneinfo"] != "Europe/London" || claims["name"] != nil || claims["auth_time"] == nil {
			w.Errorf("ID token %v", claims)
		}
		if info["name"] != "Ada Lovelace" || info["nickname"] != "Countess" || info["email"] != nil || info["zoneinfo"] != nil {
			w.Errorf("userinfo %v", info)
		}
		for _, bad := range []string{"{", "[]", "x", `{"id_token":1}`, `{"id_token":{"acr":1}}`, `{"id_token":{"email":null,"email":null}}`} {
			if p := w.browser().visit(authorize(c, "claims", bad)); p.left == nil || p.left.Query().Get("error") != "invalid_request" {
				w.Errorf("%s: %d %v", bad, p.status, p.left)
			}
		}
	})
}

func TestARefreshedIDTokenKeepsWhoAndWhen(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying(balanced, func(m *storage.ClientMetadata) { m.IDTokenOnRefresh = true })
		other := w.relying(balanced)
		first := w.exchange(c, w.browser().through(c, "ada", "", "scope", "openid email offline_access", "prompt", "consent").Get("code"))
		was := w.idToken(first)
		w.clock.Advance(time.Minute)
		w.want(w.refreshWith(other, first.refresh()), http.StatusBadRequest, "invalid_grant")
		for _, scope := range [][]string{{"scope", "openid email"}, {}} {
			next := w.refreshWith(c, first.refresh(), scope...)
			w.want(next, http.StatusOK, "")
			is := w.idToken(next)
			for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid", "acr"} {
				if is[same] != was[same] {
					w.Errorf("%s was %v, is %v", same, was[same], is[same])
				}
			}
			if is["nonce"] != nil || is["iat"].(float64) <= was["iat"].(float64) {
				w.Errorf("refreshed %v", is)
			}
			first = next
			w.clock.Advance(2 * time.Minute)
		}
	})
}

func TestPKCEIsDemandedAndAVerifierWithoutAChallengeRefused(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		no := false
		public := w.relying(func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "none" })
		strictly, freely := w.relying(), w.relying(func(m *storage.ClientMetadata) { m.RequirePKCE = &no })
		b := w.browser()
		for name, c := range map[string]app{"public": public, "confidential": strictly} {
			if q := b.visit(authorize(c, "code_challenge", "", "code_challenge_method", "")).left.Query(); q.Get("error") != "invalid_request" {
				w.Errorf("%s without a challenge: %v", name, q)
			}
			for _, method := range []string{"plain", "", "S512"} {
				if q := b.visit(authorize(c, "code_challenge_method", method)).left.Query(); q.Get("error") != "invalid_request" {
					w.Errorf("%s with method %q: %v", name, method, q)
				}
			}
		}
		code := b.through(public, "ada", "").Get("code")
		for _, wrong := range []string{"", strings.Repeat("a", 43), codeVerifier[:42], codeVerifier + "="} {
			w.want(w.exchange(public, code, "code_verifier", wrong), http.StatusBadRequest, "invalid_grant")
		}
		w.want(w.exchange(public, code), http.StatusOK, "") // what was wrong changed nothing
		code = b.through(freely, "ada", "", "code_challenge", "", "code_challenge_method", "").Get("code")
		w.want(w.exchange(freely, code), http.StatusBadRequest, "invalid_grant")
		w.want(w.exchange(freely, code, "code_verifier", ""), http.StatusOK, "")
		code = b.through(freely, "ada", "").Get("code")
		w.want(w.exchange(freely, code, "code_verifier", ""), http.StatusBadRequest, "invalid_grant")
	})
}

// request is a plain request with a bearer token.
func (w *world) request(method, path, body, token string) *http.Request {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	w.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// idToken is what the answer's ID token says.
func (w *world) idToken(a answer) map[string]any {
	w.Helper()
	w.want(a, http.StatusOK, "")
	return jwtPart(w.T, a.text("id_token"), 1)
}

func jwtPart(t *testing.T, token string, part int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
