package authorize

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestAPushedRequestIsReadInPlaceOfTheQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", func(m *storage.ClientMetadata) { m.RequirePAR = true })
	q := query("app", "scope", "openid email", "nonce", "n", "resource", "https://api.example", "response_mode", "fragment",
		"max_age", "7", "display", "page", "extra", "kept by nobody")
	uri := w.pushed(t, q)
	secret, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(uri, requestURIPrefix))
	check(t, err == nil && len(secret) == 32 && strings.HasPrefix(uri, requestURIPrefix), "request_uri %s", uri)
	row, _, err := w.store.FindPushed(t.Context(), pushedDigest(secret))
	must(t, err)
	check(t, !strings.Contains(row.Params, "extra") && !strings.Contains(row.Params, "client"), "kept: %s", row.Params)
	p := w.browser()
	direct := query("app", "request_uri", uri, "state", "of the query", "scope", "nonsense", "redirect_uri", "https://evil.example",
		"response_type", "token", "prompt", "none", "request", "e30.e30.")
	for range 2 {
		r := p.at(t, StepSignIn, direct).Request
		check(t, r.State == "s t/a+te&" && oauth.JoinScope(r.Scope) == "openid email" && r.Target == callback && r.Nonce == "n" &&
			r.ResponseMode == "fragment" && *r.MaxAge == 7 && r.Resources[0] == "https://api.example" && len(r.Prompt) == 0 &&
			r.Pushed == pushedDigest(secret), "read %+v", r)
	}
	p.at(t, StepSignIn, url.Values{"client_id": {"app"}, "request_uri": {uri}})
	_, err = p.begin(t, query("app"))
	returned(t, err, oauth.InvalidRequest)
}

func TestARequestURIIsGoodForItsClientAndItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.app(t, "other", nil)
	w.user(t, "ada")
	ada := w.browser()
	uri := w.pushed(t, query("app"))
	_, err := ada.begin(t, query("other", "request_uri", uri))
	refused(t, err, HeadingExpired)
	w.pass(pushedLifetime - time.Second)
	begun := ada.at(t, StepSignIn, query("app", "request_uri", uri))
	w.pass(time.Second)
	_, err = ada.begin(t, query("app", "request_uri", uri))
	r := refused(t, err, HeadingExpired)
	check(t, r.Code == oauth.InvalidRequestURI && r.ClientID == "app", "%+v", r)
	// Who came in time may take the time of a sealed request, sweeps or not.
	w.pass(28 * time.Minute)
	_, err = w.store.SweepExpired(t.Context(), 100, 0, 0)
	must(t, err)
	ada.signIn(t, "ada")
	ada.issue(t, ada.resume(t, StepIssue, begun))
}

func TestAFaultInAPushedRequestIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	w.app(t, "two", func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback, callback + "2"} })
	w.app(t, "confidential", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = oauth.AuthPost })
	for name, c := range map[string]struct {
		q    url.Values
		want oauth.Code
	}{
		"request_uri":           {query("app", "request_uri", requestURIPrefix+"x"), oauth.InvalidRequest},
		"request":               {query("app", "request", "e30.e30."), oauth.RequestNotSupported},
		"no redirect_uri":       {query("app", "redirect_uri", "", "scope", "notes"), oauth.InvalidRequest},
		"another redirect_uri":  {query("app", "redirect_uri", "https://evil.example"), oauth.InvalidRequest},
		"no PKCE":               {query("app", "code_challenge", "", "code_challenge_method", ""), oauth.InvalidRequest},
		"plain PKCE":            {query("app", "code_challenge_method", "plain"), oauth.InvalidRequest},
		"response_type":         {query("app", "response_type", "code id_token"), oauth.UnsupportedResponseType},
		"response_mode":         {query("app", "response_mode", "jwt"), oauth.InvalidRequest},
		"scope":                 {query("app", "scope", "admin"), oauth.InvalidScope},
		"resource":              {query("app", "resource", "https://other.example"), oauth.InvalidTarget},
		"too large":             {query("app", "state", strings.Repeat("s", maxRequest)), oauth.InvalidRequest},
		"too much":              {query("app", "login_hint", strings.Repeat("s", maxPushed)), oauth.InvalidRequest},
		"no client":             {query("app", "client_id", ""), oauth.InvalidClient},
		"unknown client":        {query("nobody"), oauth.InvalidClient},
		"without its secret":    {query("confidential"), oauth.InvalidClient},
		"with a wrong secret":   {query("confidential", "client_secret", "wrong"), oauth.InvalidClient},
		"a secret of a public":  {query("app", "client_secret", "any"), oauth.InvalidClient},
		"response type missing": {query("two", "response_type", ""), oauth.InvalidRequest},
	} {
		_, _, err := post(t, w.Push, c.q)
		e := oauth.As(err)
		check(t, e != nil && e.Code == c.want && (e.HTTPStatus() == 400 || e.Code == oauth.InvalidClient && e.HTTPStatus() == 401),
			"%s: %v, want %s", name, err, c.want)
		var kept *client.Refused
		check(t, errors.As(err, &kept) == (name != "no client"), "%s: kept for its operator: %v", name, err)
		if kept != nil {
			check(t, kept.About.Endpoint == "par" && kept.About.ClientID == c.q.Get("client_id") && kept.About.Code == string(c.want), "%s: %+v", name, kept.About)
		}
	}
}

func TestAStrangerDoesNotFillTheStoreWithRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	c, secret, err := w.Clients.Create(t.Context(), storage.ClientMetadata{
		RedirectURIs: []string{callback}, TokenEndpointAuthMethod: oauth.AuthPost, GrantTypes: []string{oauth.GrantAuthorizationCode},
	}, "confidential", "cli")
	must(t, err)
	for range 120 {
		w.pushed(t, query("app"))
	}
	_, _, err = post(t, w.Push, query("app"))
	e := oauth.As(err)
	check(t, e != nil && e.Code == oauth.SlowDown && e.RetryAfter > 0 && !strings.Contains(e.Description, "failed"), "%v", err)
	w.pushed(t, query(c.ID, "client_secret", secret)) // who proves who it is counts for itself
	w.pass(time.Second)
	w.pushed(t, query("app"))
}
