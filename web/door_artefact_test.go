package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// atTheDoor registers a client for everything that the front door gives.
func atTheDoor(m *storage.ClientMetadata) {
	m.GrantTypes = append(m.GrantTypes, "authorization_code", deviceGrant)
	m.RedirectURIs, m.PostLogoutRedirectURIs, m.BackchannelLogoutURI = []string{callback}, []string{callback}, "https://app.example/logout"
	m.FirstParty = true
}

// porch is a browser at which ada is signed in, with a sign-in page open.
type porch struct {
	*browser
	open   page
	opened time.Time
}

// porch opens the page anew where it is about to expire.
func (s *stage) porch() *porch {
	s.Helper()
	if s.front == nil {
		s.front = &porch{browser: s.signedIn(s.client, "", "ada")}
	}
	if p := s.front; s.clock.Now().Sub(p.opened) > 10*time.Minute {
		p.opened = s.clock.Now()
		s.clock.Advance(time.Second)
		p.open = p.visit(authorize(s.client, "prompt", "login"))
	}
	return s.front
}

// waiting is what a device is told, and what it asks for.
func (s *stage) waiting() answer {
	s.Helper()
	a := s.post("/oauth2/device_authorization", s.client, form("scope", "openid"))
	s.want(a, http.StatusOK, "")
	return a
}

func doorArtefacts() []artefact {
	return []artefact{
		{name: "authorization code", good: []string{"code"}, make: func(s *stage) string {
			b := s.porch().browser
			return b.once(authorize(s.client), nil).query().Get("code")
		}},
		{name: "used authorization code", spoilt: true, make: func(s *stage) string {
			code := s.porch().once(authorize(s.client), nil).query().Get("code")
			s.want(s.exchange(s.client, code), http.StatusOK, "")
			return code
		}},
		{name: "device code", good: []string{"device_code"}, make: func(s *stage) string {
			a, b := s.waiting(), &browser{world: s.world, client: s.porch().client}
			b.visit(a.text("verification_uri_complete"))
			b.submit()
			b.submit("decision", "allow")
			return a.text("device_code")
		}},
		{name: "device code that waits", make: func(s *stage) string {
			code := s.waiting().text("device_code")
			a := s.token(s.client, "grant_type", deviceGrant, "device_code", code)
			s.want(a, http.StatusBadRequest, "authorization_pending")
			return code[:len(code)-1]
		}},
		{name: "user code", good: []string{"user_code"}, make: func(s *stage) string { return s.waiting().text("user_code") }},
		{name: "sealed request", good: []string{"tx"}, make: func(s *stage) string { return s.porch().open.tx() }},
		{name: "form token", good: []string{"form_token"}, make: func(s *stage) string { return s.porch().open.forms[0].fields.Get("form_token") }},
		{name: "session cookie", good: []string{"session_cookie"}, make: func(s *stage) string { return s.porch().cookies()["signet-sid"] }},
		{name: "pre-session cookie", good: []string{"pre_cookie"}, make: func(s *stage) string { return s.porch().cookies()["signet-pre"] }},
		{name: "known-device cookie", make: func(s *stage) string { return s.porch().cookies()["signet-device"] }},
		{name: "remembered-device cookie", good: []string{"mfa_cookie"}, make: func(s *stage) string {
			b := s.near()
			b.visit(authorize(s.client))
			b.signIn("grace")
			s.clock.Advance(31 * time.Second)
			b.submit("otp", s.code(s.seed), "remember", "yes")
			return b.cookies()["signet-mfa"]
		}},
		{name: "request_uri", good: []string{"request_uri"}, make: func(s *stage) string {
			a := s.post("/oauth2/par", s.client, form("response_type", "code", "redirect_uri", callback, "code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256"))
			s.want(a, http.StatusCreated, "")
			return a.text("request_uri")
		}},
		{name: "logout token", make: func(s *stage) string {
			sealer, err := keys.ParseSecretKeys(madeKeys.text)
			s.must(err)
			ring, err := keys.OpenRing(s.Context(), s.store, sealer, issuerURL, keys.Life{})
			s.must(err)
			c, _, err := s.store.FindClient(s.Context(), s.client.id)
			s.must(err)
			ada, err := s.store.FindLogin(s.Context(), "ada")
			s.must(err)
			token, err := issue.New(issue.Config{Issuer: issuerURL, SigningAlg: "ES256"}, ring, s.mint).LogoutToken(c, ada.User.ID, storage.ID{1}, s.clock.Now())
			s.must(err)
			return token
		}},
	}
}

// query are the parameters of where the answer leads.
func (p page) query() url.Values {
	u, err := url.Parse(p.location())
	if err != nil {
		return nil
	}
	return u.Query()
}

func doorPlaces() []place {
	const urn = "urn:ietf:params:oauth:request_uri:"
	granted := func(s *stage, a answer) bool {
		s.Helper()
		if a.status == http.StatusOK {
			return true
		}
		s.want(a, http.StatusBadRequest, "invalid_grant")
		return false
	}
	cookie := func(name, address string, good func(page) bool) func(*stage, string) bool {
		return func(s *stage, text string) bool {
			b := s.near()
			b.plant(name, text)
			if address == "" {
				return good(b.once("/login?"+form("tx", s.porch().open.tx()).Encode(), nil))
			}
			return good(b.once(address+"&client_id="+s.client.id, nil))
		}
	}
	coded := func(p page) bool { return p.query().Has("code") }
	silent := strings.TrimSuffix(authorize(app{}, "client_id", "", "prompt", "none"), "&")
	return []place{
		{name: "code", took: func(s *stage, text string) bool { return granted(s, s.exchange(s.client, text)) }},
		{name: "device_code", took: func(s *stage, text string) bool {
			return granted(s, s.token(s.client, "grant_type", deviceGrant, "device_code", text))
		}},
		{name: "user_code", took: func(s *stage, text string) bool {
			b := &browser{world: s.world, client: s.porch().client}
			b.visit("/device")
			b.submit("user_code", text)
			return b.page.offers("decision", "allow")
		}},
		{name: "tx", took: func(s *stage, text string) bool {
			return s.porch().once("/login?"+form("tx", text).Encode(), nil).asks("password")
		}},
		{name: "tx of the hub", took: func(s *stage, text string) bool {
			p := s.porch().once("/oauth2/authorize?"+form("tx", text).Encode(), nil)
			return p.location() != "" && !strings.HasPrefix(p.location(), "/login?") // the request in question goes there
		}},
		{name: "form_token", took: func(s *stage, text string) bool {
			p := s.porch().once("/login", form("tx", s.porch().open.tx(), "form_token", text, "username", "ada", "password", ""))
			return p.status != http.StatusForbidden
		}},
		{name: "session_cookie", took: cookie("signet-sid", silent, coded)},
		{name: "pre_cookie", took: cookie("signet-pre", "", func(p page) bool { return p.asks("password") })},
		{name: "mfa_cookie", took: func(s *stage, text string) bool {
			b := s.near()
			b.plant("signet-mfa", text)
			b.visit(authorize(s.client))
			b.signIn("grace")
			return b.page.left != nil
		}},
		{name: "request_uri", took: func(s *stage, text string) bool {
			p := s.porch().once("/oauth2/authorize?"+form("client_id", s.client.id, "request_uri", urn+strings.TrimPrefix(text, urn)).Encode(), nil)
			return p.location() != ""
		}},
		{name: "id_token_hint", took: func(s *stage, text string) bool {
			return coded(s.porch().once(authorize(s.client, "prompt", "none", "id_token_hint", text), nil))
		}},
		{name: "id_token_hint of logout", took: func(s *stage, text string) bool {
			p := s.near().once("/oauth2/logout?"+form("id_token_hint", text, "post_logout_redirect_uri", callback).Encode(), nil)
			return p.location() != ""
		}},
	}
}
