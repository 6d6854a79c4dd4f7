package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// faulty are authorization requests, each wrong in one more thing than the address that it would be answered at. What begins with & is
// added as it stands.
func faulty() []string {
	return []string{
		"response_type=", "response_type=token", "response_type=code+token", "response_type=id_token", "response_type=none", "response_mode=fragment",
		"response_mode=form_post", "response_mode=web_message", "scope=", "scope=%3C%3E", "scope=nothing-known", "prompt=none", "prompt=none+login", "prompt=bogus",
		"max_age=x", "max_age=-1", "max_age=0", "nonce=%00", "state=%0a", "state=", "code_challenge=", "code_challenge=short", "code_challenge_method=plain",
		"code_challenge_method=", "claims=%7B", "claims=%7B%22id_token%22:1%7D", "id_token_hint=x", "id_token_hint=e30.e30.", "login_hint=%00", "acr_values=unknown",
		"resource=not-a-uri", "resource=https://unknown.example/", "request=e30.e30.", "request_uri=https://evil.example/r", "display=bogus", "ui_locales=xx",
		"request_uri=urn:ietf:params:oauth:request_uri:" + strings.Repeat("A", 43), "&state=again", "&scope=again", "&resource=a&resource=b", "&x=%ff", "&x=%zz", "&a;b=c",
	}
}

// faultyAddress is the address of an authorization request with one of faulty.
func faultyAddress(c app, fault string, pairs ...string) string {
	address := authorize(c, pairs...)
	if strings.HasPrefix(fault, "&") {
		return address + fault
	}
	name, raw, _ := strings.Cut(fault, "=")
	if value, err := url.QueryUnescape(raw); err == nil {
		return authorize(c, append(pairs, name, value)...)
	}
	return address
}

func TestNothingIsSentAnywhereBeforeClientAndAddressAreProven(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		good, off, two := w.relying(firstParty), w.relying(), w.relying(func(m *storage.ClientMetadata) {
			m.RedirectURIs = []string{callback, callback + "/two"}
		})
		none := w.client(storage.ClientMetadata{GrantTypes: []string{"client_credentials"}, Scope: "api:read"})
		_, err := w.provider.Clients().Disable(t.Context(), off.id, "test")
		w.must(err)
		browsers := map[string]*browser{"nobody": w.near(), "ada": w.signedIn(good, "", "ada")}
		for who, b := range browsers {
			for what, try := range map[string]func(fault string) string{
				"unknown client":       func(fault string) string { return faultyAddress(app{id: "nobody"}, fault) },
				"no client":            func(fault string) string { return faultyAddress(app{}, fault, "client_id", "") },
				"disabled client":      func(fault string) string { return faultyAddress(off, fault) },
				"client without codes": func(fault string) string { return faultyAddress(none, fault) },
				"foreign address": func(fault string) string {
					return faultyAddress(good, fault, "redirect_uri", "https://evil.example/cb")
				},
				"no address of two": func(fault string) string { return faultyAddress(two, fault, "redirect_uri", "") },
				"address twice": func(fault string) string {
					return faultyAddress(good, fault) + "&redirect_uri=" + url.QueryEscape(callback)
				},
				"client twice": func(fault string) string { return faultyAddress(good, fault) + "&client_id=" + good.id },
			} {
				for _, fault := range faulty() {
					address := try(fault)
					w.shown(who+", "+what+", "+fault, b.once(address, nil), http.StatusBadRequest)
					_, query, _ := strings.Cut(address, "?")
					posted := b.once("/oauth2/authorize", url.Values{}, with("Sec-Fetch-Site", "cross-site"), with("Origin", "https://evil.example"), body(query))
					if to := posted.location(); to != "" && !strings.HasPrefix(to, "/oauth2/authorize?") {
						t.Errorf("%s, %s, %s by POST: Location %q", who, what, fault, to)
					}
				}
			}
		}
		// The same faults of a known client travel, and to its own address alone.
		for _, fault := range faulty() {
			if to := browsers["ada"].once(faultyAddress(good, fault), nil).location(); to != "" && !strings.HasPrefix(to, callback+"?") && !strings.HasPrefix(to, callback+"#") && !strings.HasPrefix(to, "/") {
				t.Errorf("%s: Location %q", fault, to)
			}
		}
	})
}

// body replaces the body of a request.
func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		again, err := http.NewRequest(r.Method, r.URL.String(), strings.NewReader(text))
		if err == nil {
			r.Body, r.ContentLength, r.GetBody = again.Body, again.ContentLength, again.GetBody
		}
	}
}

func TestNoWayLeadsToAnotherResponseTypeThanCode(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		c := w.relying(firstParty)
		for _, kind := range []string{"token", "id_token", "code token", "code id_token", "id_token token", "none"} {
			b := w.near()
			push := form("response_type", kind, "redirect_uri", callback, "scope", "openid", "code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256")
			if a := w.post("/oauth2/par", c, push); a.status != http.StatusBadRequest || a.text("error") != "unsupported_response_type" {
				t.Errorf("%s pushed: %d %s", kind, a.status, a.raw)
			}
			push.Set("response_type", "code")
			pushed := w.post("/oauth2/par", c, push)
			w.want(pushed, http.StatusCreated, "")
			for name, address := range map[string]string{
				"beside request_uri": "/oauth2/authorize?" + form("client_id", c.id, "request_uri", pushed.text("request_uri"), "response_type", kind, "response_mode", "fragment", "state", "not-pushed").Encode(),
				"beside tx":          "/oauth2/authorize?" + form("tx", b.visit(authorize(c)).tx(), "response_type", kind, "response_mode", "fragment", "state", "not-sealed").Encode(),
			} {
				if b.visit(address); b.page.asks("password") {
					b.signIn("ada")
				}
				if to := b.page.left; to == nil || to.Fragment != "" || to.Query().Get("code") == "" || strings.HasPrefix(to.Query().Get("state"), "not-") || to.Query().Has("access_token") || to.Query().Has("id_token") {
					t.Errorf("%s %s: %v", kind, name, b.page.left)
				}
			}
		}
	})
}

func TestWhatWasPushedIsInNoAddressAndNoCookie(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.near()
		push := form("response_type", "code", "redirect_uri", callback, "scope", "openid email", "state", "CANARY-state", "nonce", "CANARY-nonce",
			"login_hint", "CANARY-hint", "code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256")
		next := "/oauth2/authorize?" + form("client_id", c.id, "request_uri", w.post("/oauth2/par", c, push).text("request_uri")).Encode()
		for range 3 { // authorize, sign in; then the form is there
			p := b.once(next, nil)
			for _, text := range append(p.header.Values("Set-Cookie"), p.location()) {
				if strings.Contains(text, "CANARY") || strings.Contains(text, "app.example") {
					t.Errorf("%s tells of what was pushed: %s", p.url.Path, text)
				}
			}
			if next = p.location(); next == "" {
				return
			}
		}
		t.Error("no page was shown")
	})
}

func TestARepeatedParameterRefusesARequestAtTheFrontDoor(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		c := w.relying(firstParty, posts, func(m *storage.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, deviceGrant) })
		b := w.signedIn(c, "", "ada")
		for _, name := range strings.Fields("response_type client_id redirect_uri scope state nonce response_mode prompt max_age id_token_hint login_hint acr_values " +
			"claims display ui_locales claims_locales code_challenge code_challenge_method request request_uri tx form_token unknown") {
			for _, value := range []string{"a", ""} {
				twice := "&" + form(name, value).Encode() + "&" + form(name, "b").Encode()
				w.shown("authorize with "+name+" twice", b.once(authorize(c)+twice, nil), http.StatusBadRequest)
				_, query, _ := strings.Cut(authorize(c), "?")
				w.shown("POST authorize with "+name+" twice", b.once("/oauth2/authorize", url.Values{}, body(query+twice)), http.StatusBadRequest)
				for _, path := range []string{"/oauth2/par", "/oauth2/device_authorization"} {
					a := w.send(http.MethodPost, path, nil, w.as(c, form()).Encode()+twice)
					if a.status != http.StatusBadRequest || a.text("error") != "invalid_request" {
						t.Errorf("%s with %s twice: %d %s", path, name, a.status, a.raw)
					}
				}
			}
		}
		for _, name := range strings.Fields("id_token_hint post_logout_redirect_uri client_id state logout_hint ui_locales tx unknown") {
			twice := form(name, "a").Encode() + "&" + form(name, "a").Encode()
			w.shown("logout with "+name+" twice", b.once("/oauth2/logout?"+twice, nil), http.StatusBadRequest)
			w.shown("POST logout with "+name+" twice", b.once("/oauth2/logout", url.Values{}, body(twice)), http.StatusBadRequest)
		}
		if b.visit(authorize(c)); b.page.left == nil || b.page.left.Query().Get("code") == "" {
			t.Errorf("and once: %d %q", b.page.status, b.page.h1)
		}
	})
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

func TestNoAddressSendsPeopleWhereAParameterSays(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		c := w.relying(firstParty)
		b := w.signedIn(c, "", "ada")
		tx := b.visit(authorize(c, "prompt", "select_account")).tx()
		names := strings.Fields("next url return_to continue redirect redirect_url returnTo return goto target dest destination rurl u callback service RelayState ReturnUrl back ref forward post_logout_redirect_uri")
		for _, r := range w.provider.Routes() {
			for _, value := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "javascript:alert(1)"} {
				all := url.Values{}
				for _, name := range names {
					all.Set(name, value)
				}
				about := changed(all, "tx", tx)
				for _, address := range []string{r.Path + "?" + all.Encode(), r.Path + "?" + about.Encode()} {
					for _, values := range []url.Values{nil, all, about} {
						p := b.once(address, values)
						to, _, _ := strings.Cut(p.location(), "?")
						if to != "" && (to[0] != '/' || strings.HasPrefix(to, "//") || strings.Contains(to, `\`)) || strings.Contains(p.header.Get("Refresh"), "evil") || strings.Contains(p.raw, `href="`+value) {
							t.Errorf("%s with %s: Location %q", r.Path, value, p.location())
						}
					}
				}
			}
		}
	})
}

// spoofed names other hosts wherever a proxy might.
type spoofed struct{ http.RoundTripper }

func (t spoofed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = "evil.example"
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.66", "X-Forwarded-Port": "4443", "X-Forwarded-Prefix": "/evil",
		"Forwarded": "for=198.51.100.66;host=evil.example;proto=https", "X-Host": "evil.example", "X-Original-Url": "/evil", "X-Rewrite-Url": "/evil",
		"X-Http-Method-Override": "DELETE", "X-Real-Ip": "198.51.100.66", "X-Original-Host": "evil.example",
	} {
		r.Header.Set(name, value)
	}
	response, err := t.RoundTripper.RoundTrip(r)
	return response, err
}

func TestHostAndForwardedHeadersMoveNothing(t *testing.T) {
	solo(t, func(w *world) {
		u := w.user("ada")
		c, b := w.relying(), w.near()
		b.client.Transport = spoofed{b.client.Transport}
		look := func() {
			t.Helper()
			for name, values := range b.page.header {
				if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "evil") || strings.Contains(v, "4443") }) {
					t.Errorf("%s: %s is %q", b.page.url.Path, name, values)
				}
			}
			for _, cookie := range b.page.header.Values("Set-Cookie") {
				if strings.Contains(cookie, "Domain") || !strings.Contains(cookie, "; Path=/;") || strings.Contains(cookie, "Secure") {
					t.Errorf("%s sets %s", b.page.url.Path, cookie)
				}
			}
			if strings.Contains(b.page.raw, "evil") {
				t.Errorf("%s repeats what Host and others say", b.page.url.Path)
			}
			for _, f := range b.page.forms {
				if b.page.left == nil && !strings.HasPrefix(f.action, "/") {
					t.Errorf("the form of %s is sent to %s", b.page.url.Path, f.action)
				}
			}
		}
		b.visit(authorize(c))
		look()
		b.signIn("ada")
		look()
		b.submit("decision", "allow")
		look()
		if q := b.page.left.Query(); b.page.left.Host != "app.example" || q.Get("iss") != issuerURL || q.Get("code") == "" {
			t.Fatalf("left for %v", b.page.left)
		}
		if claims := w.idToken(w.exchange(c, b.page.left.Query().Get("code"))); claims["iss"] != issuerURL {
			t.Errorf("claims %v", claims)
		}
		for _, address := range []string{"/device", "/oauth2/logout", "/login?tx=x", authorize(c, "redirect_uri", "https://x.example/"), "/.well-known/openid-configuration", "/nothing"} {
			b.visit(address)
			look()
		}
		sessions, _, err := w.store.ListSessions(t.Context(), u.ID)
		w.must(err)
		if len(sessions) != 1 || sessions[0].Seen.Address != "192.0.2.1" {
			t.Errorf("the session was seen from %+v", sessions)
		}
	})
}
