package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

const (
	mcpServer = "https://mcp.example.com/mcp"
	mcpScope  = "mcp.tools"
)

// agent registers a public client as software does for itself: for no resource and no scope of one.
func (w *world) agent(edit ...func(*storage.ClientMetadata)) app {
	w.Helper()
	return w.relying(append([]func(*storage.ClientMetadata){func(m *storage.ClientMetadata) {
		m.TokenEndpointAuthMethod, m.Scope = "none", "openid offline_access"
		m.GrantTypes = append(m.GrantTypes, grantDevice)
	}}, edit...)...)
}

// openToAll registers the MCP server, which takes any client.
func (w *world) openToAll() {
	w.Helper()
	w.resource(mcpServer, storage.ResourceMetadata{Name: "Our tools", Scope: mcpScope, AnyClient: true})
}

// setAnyClient is the operator's change of mind.
func (w *world) setAnyClient(open bool) {
	w.Helper()
	r, err := w.provider.Resources().Find(w.Context(), mcpServer)
	w.must(err)
	r.Metadata.AnyClient = open
	_, err = w.provider.Resources().Update(w.Context(), r, r.Metadata, "test")
	w.must(err)
}

// TestEveryClientMayAskPeopleForAResourceThatIsOpenToAll: consent names the resource and its scope, the tokens are for it, and
// refreshing keeps it until its operator closes it.
func TestEveryClientMayAskPeopleForAResourceThatIsOpenToAll(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.agent(), w.browser()
		server := w.confidential()
		ask := []string{"scope", "openid " + mcpScope, "resource", mcpServer}
		if got := b.none(c, ask...); got != "invalid_target" {
			t.Errorf("a resource that nobody registered: %q", got)
		}
		w.resource(mcpServer, storage.ResourceMetadata{Name: "Our tools", Scope: mcpScope, ClientIDs: []string{server.id}})
		if got := b.none(c, ask...); got != "invalid_target" {
			t.Errorf("a resource that is not open to all: %q", got)
		}
		w.setAnyClient(true)

		b.visit(authorize(c, ask...))
		b.signIn("ada")
		for _, name := range []string{"Our tools", mcpScope} {
			if !b.page.offers("decision", "allow") || !strings.Contains(b.page.raw, name) {
				t.Fatalf("consent does not name %q:\n%s", name, b.page.raw)
			}
		}
		a := b.exchange(c, b.submit("decision", "allow").left.Query().Get("code"))
		w.wantToken(server, a, "openid "+mcpScope, mcpServer, issuerURL)

		a = w.refreshWith(c, a.refresh())
		w.wantToken(server, a, "openid "+mcpScope, mcpServer, issuerURL)
		narrow := w.refreshWith(c, a.refresh(), "resource", mcpServer, "scope", mcpScope)
		w.wantToken(server, narrow, mcpScope, mcpServer)
		// Without its resource the scope means nothing.
		own := w.refreshWith(c, narrow.refresh(), "resource", issuerURL)
		w.want(own, http.StatusOK, "")
		if own.text("scope") != "openid" {
			t.Errorf("a token for the issuer has the scope %q", own.text("scope"))
		}
		w.want(w.refreshWith(c, own.refresh(), "scope", mcpScope, "resource", issuerURL), http.StatusBadRequest, "invalid_scope")

		w.setAnyClient(false)
		if scope := w.post("/oauth2/introspect", server, form("token", narrow.access())).text("scope"); scope != "" {
			t.Errorf("introspection of a token that was lent a scope of what is closed: %q", scope)
		}
		a = w.refreshWith(c, own.refresh())
		w.want(a, http.StatusOK, "")
		if a.text("scope") != "openid" {
			t.Errorf("after the resource was closed a refresh gives %q", a.text("scope"))
		}
		w.want(w.refreshWith(c, a.refresh(), "resource", mcpServer), http.StatusBadRequest, "invalid_target")
		w.setAnyClient(true)
		w.wantToken(server, w.refreshWith(c, a.refresh()), "openid "+mcpScope, mcpServer, issuerURL)
	})
}

// wantToken asserts an answer with this scope, whose access token the resource's server finds to be for audience.
func (w *world) wantToken(server app, a answer, scope string, audience ...string) {
	w.Helper()
	w.want(a, http.StatusOK, "")
	if a.text("scope") != scope {
		w.Errorf("scope %q, want %q", a.text("scope"), scope)
	}
	if got := w.audience(server, a.access()); !slices.Equal(got, audience) {
		w.Errorf("audience %v, want %v", got, audience)
	}
	if seen := w.post("/oauth2/introspect", server, form("token", a.access())).text("scope"); seen != scope {
		w.Errorf("introspection says scope %q, want %q", seen, scope)
	}
}

// TestAScopeThatAResourceLendsComesWithTheResourceAlone, in a request as it is sent, pushed, or a device's.
func TestAScopeThatAResourceLendsComesWithTheResourceAlone(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.openToAll()
		w.resource(apiOne, storage.ResourceMetadata{Scope: "api:read"})
		c, b := w.agent(), w.browser()
		device := w.television(func(m *storage.ClientMetadata) { m.Scope = "openid" })
		for _, v := range []struct {
			scope, resource string
			want            string // scope, or the error with a hyphen before it
		}{
			{"openid " + mcpScope, mcpServer, "openid " + mcpScope},
			{"", mcpServer, "openid " + mcpScope}, // all within reach
			{"openid " + mcpScope, "", "openid"},
			{"openid " + mcpScope, issuerURL, "openid"},
			{mcpScope, "", "-invalid_scope"},
			{mcpScope, issuerURL, "-invalid_scope"},
			{"openid", apiOne, "-invalid_target"},
			{"openid admin", mcpServer, "openid"},
		} {
			pairs := []string{"scope", v.scope}
			if v.resource != "" {
				pairs = append(pairs, "resource", v.resource)
			}
			a := w.post("/oauth2/device_authorization", device, form(pairs...))
			pushed := w.post("/oauth2/par", c, form(append(pairs, "response_type", "code", "redirect_uri", callback,
				"code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256")...))
			if code, refused := strings.CutPrefix(v.want, "-"); refused {
				w.want(a, http.StatusBadRequest, code)
				w.want(pushed, http.StatusBadRequest, code)
				if got := b.none(c, pairs...); got != code {
					t.Errorf("%q at %q: %q, want %q", v.scope, v.resource, got, code)
				}
				continue
			}
			w.want(pushed, http.StatusCreated, "")
			b.enter("/device", "ada", a.text("user_code"))
			b.submit("decision", "allow")
			granted := w.poll(device, a.text("device_code"))
			w.want(granted, http.StatusOK, "")
			if want := strings.ReplaceAll(v.want, " offline_access", ""); granted.text("scope") != want {
				t.Errorf("a device that asks %q at %q gets %q, want %q", v.scope, v.resource, granted.text("scope"), want)
			}
		}
	})
}

// TestOnlyWherePeopleAreAskedIsAResourceOpenToAll: a client gets no token of it for itself, nor with a password that it was told.
func TestOnlyWherePeopleAreAskedIsAResourceOpenToAll(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.openToAll()
		c := w.confidential()
		for _, grant := range []string{"client_credentials", "password"} {
			who := []string{"grant_type", grant, "username", "ada", "password", password}
			w.want(w.token(c, append(who, "resource", mcpServer)...), http.StatusBadRequest, "invalid_target")
			w.want(w.token(c, append(who, "scope", mcpScope)...), http.StatusBadRequest, "invalid_scope")
			// The issuer is in everybody's reach.
			a := w.token(c, append(who, "resource", issuerURL, "scope", "api:read")...)
			w.want(a, http.StatusOK, "")
			if got := w.audience(c, a.access()); !slices.Equal(got, []string{issuerURL}) {
				t.Errorf("%s for the issuer: audience %v", grant, got)
			}
		}
	})
}

// TestNobodyIsAskedAboutTheIssuerAsAResource: it is the server where they sign in.
func TestNobodyIsAskedAboutTheIssuerAsAResource(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		w.openToAll()
		c, b := w.agent(func(m *storage.ClientMetadata) { m.Scope = "notes" }), w.browser()
		server := w.confidential()
		r, err := w.provider.Resources().Find(w.Context(), mcpServer)
		w.must(err)
		r.Metadata.ClientIDs = []string{server.id}
		_, err = w.provider.Resources().Update(w.Context(), r, r.Metadata, "test")
		w.must(err)
		address := authorize(c, "scope", "notes "+mcpScope, "resource", mcpServer) + "&resource=" + issuerURL
		b.visit(address)
		b.signIn("ada")
		a := b.exchange(c, b.submit("decision", "allow").left.Query().Get("code"))
		w.wantToken(server, a, mcpScope, mcpServer, issuerURL) // notes is nothing that the MCP server defines
		consent, err := w.store.FindConsent(w.Context(), u.ID, c.id)
		w.must(err)
		if !slices.Equal(consent.Resources, []string{mcpServer}) {
			t.Errorf("allowed are %v", consent.Resources)
		}
	})
}
