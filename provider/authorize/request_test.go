package authorize

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestARequestIsReadInFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	q := query("app", "scope", "email openid unknown offline_access", "nonce", "n-0S6/+ _%", "prompt", "login consent", "max_age", "0",
		"acr_values", "1 urn:signet:acr:mfa urn:signet:acr:password", "response_mode", "form_post", "login_hint", "ada@example.org",
		"ui_locales", "se de", "claims_locales", "se", "display", "popup", "extra", "foobar", "resource", "https://api.example",
		"claims", `{"userinfo":{"name":{"essential":true},"unknown":null},"id_token":{"email":null,"auth_time":{"essential":true}}}`)
	p := w.browser().at(t, StepSignIn, q)
	r := p.Request
	want := Request{
		Kind: KindAuthorize, ClientID: "app", RedirectURI: callback, Target: callback, State: "s t/a+te&", Nonce: "n-0S6/+ _%",
		Scope: []string{"email", "openid", "offline_access"}, Prompt: []string{"login", "consent"}, MaxAge: seconds(0),
		ACRValues:    []string{oauth.ACRMFA, oauth.ACRPassword},
		Claims:       &storage.RequestedClaims{IDToken: []string{"email"}, UserInfo: []string{"name"}},
		ResponseMode: "form_post", Challenge: challenge, LoginHint: "ada@example.org", UILocales: "se de",
		Resources: []string{"https://api.example"}, StartedAt: w.time(),
	}
	got, err := json.Marshal(r)
	must(t, err)
	wanted, err := json.Marshal(want)
	must(t, err)
	check(t, string(got) == string(wanted), "read   %s\nwanted %s", got, wanted)
	check(t, slices.Equal(p.Asked.Claims, []string{"name"}), "single claims %q: email is told by the scope", p.Asked.Claims)
}

func TestWhatAClientSentWrongIsReturnedToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	w.app(t, "pushes", func(m *storage.ClientMetadata) { m.RequirePAR = true })
	w.app(t, "device", func(m *storage.ClientMetadata) {
		m.GrantTypes = []string{oauth.GrantDeviceCode}
	})
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		client string
		pairs  []string
		want   oauth.Code
	}{
		"no response_type":              {"app", []string{"response_type", ""}, oauth.InvalidRequest},
		"token":                         {"app", []string{"response_type", "token"}, oauth.UnsupportedResponseType},
		"hybrid":                        {"app", []string{"response_type", "code id_token"}, oauth.UnsupportedResponseType},
		"unknown response_type":         {"app", []string{"response_type", "Code"}, oauth.UnsupportedResponseType},
		"unknown response_mode":         {"app", []string{"response_mode", "web_message"}, oauth.InvalidRequest},
		"request":                       {"app", []string{"request", "e30.e30."}, oauth.RequestNotSupported},
		"request_uri":                   {"app", []string{"request_uri", "https://app.example/request.jwt"}, oauth.RequestURINotSupported},
		"no scope that it may have":     {"app", []string{"scope", "admin"}, oauth.InvalidScope},
		"malformed scope":               {"app", []string{"scope", `openid "`}, oauth.InvalidScope},
		"resource of others":            {"app", []string{"resource", "https://other.example"}, oauth.InvalidTarget},
		"malformed resource":            {"app", []string{"resource", "https://api.example#f"}, oauth.InvalidTarget},
		"no challenge":                  {"app", []string{"code_challenge", "", "code_challenge_method", ""}, oauth.InvalidRequest},
		"method alone":                  {"app", []string{"code_challenge", ""}, oauth.InvalidRequest},
		"challenge without method":      {"app", []string{"code_challenge_method", ""}, oauth.InvalidRequest},
		"plain":                         {"app", []string{"code_challenge_method", "plain"}, oauth.InvalidRequest},
		"padded challenge":              {"app", []string{"code_challenge", challenge + "="}, oauth.InvalidRequest},
		"short challenge":               {"app", []string{"code_challenge", challenge[1:]}, oauth.InvalidRequest},
		"unknown prompt":                {"app", []string{"prompt", "login often"}, oauth.InvalidRequest},
		"none and another":              {"app", []string{"prompt", "none login"}, oauth.InvalidRequest},
		"negative max_age":              {"app", []string{"max_age", "-1"}, oauth.InvalidRequest},
		"max_age that is none":          {"app", []string{"max_age", "1.5"}, oauth.InvalidRequest},
		"nonce with a zero byte":        {"app", []string{"nonce", "a\x00"}, oauth.InvalidRequest},
		"long nonce":                    {"app", []string{"nonce", strings.Repeat("n", maxNonce+1)}, oauth.InvalidRequest},
		"claims that are no JSON":       {"app", []string{"claims", "name"}, oauth.InvalidRequest},
		"long hint":                     {"app", []string{"id_token_hint", strings.Repeat("x", 9<<10)}, oauth.InvalidRequest},
		"too large":                     {"app", []string{"state", strings.Repeat(long, 14)}, oauth.InvalidRequest},
		"not pushed":                    {"pushes", nil, oauth.InvalidRequest},
		"not registered for the grant":  {"device", nil, oauth.UnauthorizedClient},
		"prompt=none and nobody there":  {"app", []string{"prompt", "none"}, oauth.LoginRequired},
		"an unmet class of sign-in":     {"app", []string{"claims", `{"id_token":{"acr":{"essential":true,"values":["urn:other"]}}}`}, oauth.UnmetAuthentication},
		"a sub that nobody ever had":    {"app", []string{"claims", `{"id_token":{"sub":{"value":"ada"}}}`}, oauth.InvalidRequest},
		"two people":                    {"app", []string{"claims", `{"id_token":{"sub":{"values":["00000000-0000-7000-8000-000000000001","00000000-0000-7000-8000-000000000002"]}}}`}, oauth.InvalidRequest},
		"duplicate member in claims":    {"app", []string{"claims", `{"id_token":{"email":null},"id_token":{}}`}, oauth.InvalidRequest},
		"acr that asks for no text":     {"app", []string{"claims", `{"id_token":{"acr":{"value":7}}}`}, oauth.InvalidRequest},
		"claims that are nested deeply": {"app", []string{"claims", strings.Repeat(`{"userinfo":`, 9) + "1" + strings.Repeat("}", 9)}, oauth.InvalidRequest},
	} {
		for _, mode := range []string{"", "query", "fragment", "form_post"} {
			pairs := c.pairs
			if mode != "" && name != "unknown response_mode" {
				pairs = append(slices.Clone(pairs), "response_mode", mode)
			}
			_, err := w.browser().begin(t, query(c.client, pairs...))
			r := returned(t, err, c.want)
			if mode == "" || name == "unknown response_mode" {
				mode = "query"
			}
			check(t, r.Mode() == mode, "%s: returned as %s, want %s", name, r.Mode(), mode)
			if name != "too large" {
				check(t, field(r, "state") == "s t/a+te&", "%s: state %q", name, field(r, "state"))
			}
			description := field(r, "error_description")
			check(t, description != "" && !strings.ContainsFunc(description, func(c rune) bool { return c < 0x20 || c > 0x7e || c == '"' || c == '\\' }),
				"%s: description %q", name, description)
			for i := 1; i < len(c.pairs); i += 2 {
				check(t, len(c.pairs[i]) < 7 || !strings.Contains(description, c.pairs[i]), "%s: the description has input: %q", name, description)
			}
		}
	}
	_, err := w.browser().begin(t, query("app", "state", "a\x07"))
	r := returned(t, err, oauth.InvalidRequest)
	check(t, field(r, "state") == "", "a state with a control character travels")
	_, err = w.browser().begin(t, query("app", "state", "", "prompt", "none"))
	r = returned(t, err, oauth.LoginRequired)
	check(t, !slices.ContainsFunc(r.Fields(), func(f [2]string) bool { return f[0] == "state" }), "no state was sent, and one is returned")
}

func TestWhatOnlyHelpsNeverHarms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	for _, pairs := range [][]string{
		{"login_hint", strings.Repeat("x", 60_000)},
		{"login_hint", "a\x00b"},
		{"ui_locales", strings.Repeat("x", 60_000)},
		{"claims_locales", "se"},
		{"display", "wap"},
		{"display", "unknown"},
		{"acr_values", "1 2"},
		{"max_age", "2147483647"},
		{"max_age", "99999999999999"},
		{"nonce", ""},
		{"nonce", strings.Repeat("n", 384)},
		{"state", strings.Repeat("s", 1000)},
		{"response_mode", "query"},
		{"claims", `{}`},
		{"claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null}},"name#ja":null},"other":[1,2]}`},
		{"claims", `{"id_token":{"acr":null,"auth_time":null,"sub":null},"userinfo":null}`},
		{"registration", "{}"},
	} {
		w.browser().at(t, StepSignIn, query("app", pairs...))
	}
	without := w.browser().at(t, StepSignIn, query("app", "scope", "profile", "claims", `not read without openid`))
	check(t, without.Request.Claims == nil, "claims mean something without openid")
	all := w.browser().at(t, StepSignIn, query("app", "scope", ""))
	check(t, oauth.JoinScope(all.Request.Scope) == "openid profile email offline_access notes", "no scope is %q", all.Request.Scope)
}

func TestARegistrationsDefaultsAreThoseOfItsRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", func(m *storage.ClientMetadata) {
		m.DefaultMaxAge, m.DefaultACRValues = seconds(60), []string{oauth.ACRMFA}
		m.GrantTypes = []string{oauth.GrantAuthorizationCode}
	})
	r := w.browser().at(t, StepSignIn, query("app", "scope", "openid offline_access")).Request
	check(t, *r.MaxAge == 60 && slices.Equal(r.ACRValues, []string{oauth.ACRMFA}) && !r.EssentialACR, "defaults: %+v", r)
	check(t, !r.Offline(), "offline_access of a client that gets no refresh tokens")
	r = w.browser().at(t, StepSignIn, query("app", "max_age", "5", "acr_values", oauth.ACRPassword)).Request
	check(t, *r.MaxAge == 5 && slices.Equal(r.ACRValues, []string{oauth.ACRPassword}), "the request's own: %+v", r)
	claims := `{"id_token":{"acr":{"essential":true,"value":"urn:signet:acr:mfa"}}}`
	r = w.browser().at(t, StepSignIn, query("app", "claims", claims, "acr_values", oauth.ACRPassword)).Request
	check(t, r.EssentialACR && slices.Equal(r.ACRValues, []string{oauth.ACRMFA}), "the claims parameter says more: %+v", r)
}

func TestOnlyAConfidentialClientMayBeSparedPKCE(t *testing.T) {
	t.Parallel()
	no, yes := false, true
	for id, c := range map[string]struct {
		method  string
		require *bool
		spared  bool
	}{
		"public": {oauth.AuthNone, nil, false}, "public-no": {oauth.AuthNone, &no, false}, "confidential": {oauth.AuthBasic, nil, false},
		"confidential-yes": {oauth.AuthBasic, &yes, false}, "confidential-no": {oauth.AuthBasic, &no, true},
	} {
		m := storage.Client{ID: id, Metadata: storage.ClientMetadata{TokenEndpointAuthMethod: c.method, RequirePKCE: c.require}}
		var r Request
		fault := parsePKCE(&r, m, params(t, url.Values{}))
		check(t, (fault == nil) == c.spared, "%s: %v", id, fault)
		fault = parsePKCE(&r, m, params(t, url.Values{"code_challenge": {challenge}, "code_challenge_method": {"S256"}}))
		check(t, fault == nil && r.Challenge == challenge, "%s with a challenge: %v", id, fault)
	}
}

// TestNothingTravelsToAnAddressThatWasNotProven tries every fault of a client or an address together with every other fault.
func TestNothingTravelsToAnAddressThatWasNotProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	w.app(t, "two", func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback, "https://app.example/2"} })
	w.app(t, "plain", func(m *storage.ClientMetadata) { m.Scope = "notes" })
	w.app(t, "off", nil)
	_, err := w.Clients.Disable(t.Context(), "off", "cli")
	must(t, err)
	roots := map[string]struct {
		client  string
		pairs   []string
		heading Heading
	}{
		"no client":           {"", []string{"client_id", ""}, HeadingUnknownClient},
		"unknown client":      {"nobody", nil, HeadingUnknownClient},
		"impossible client":   {"a\x00b", nil, HeadingUnknownClient},
		"long client":         {strings.Repeat("x", 5000), nil, HeadingUnknownClient},
		"disabled client":     {"off", nil, HeadingClientDisabled},
		"missing, two":        {"two", []string{"redirect_uri", "", "scope", "notes"}, HeadingTargetMissing},
		"missing, openid":     {"app", []string{"redirect_uri", ""}, HeadingTargetMissing},
		"other host":          {"app", []string{"redirect_uri", "https://evil.example/cb?keep=1"}, HeadingTargetMismatch},
		"without the query":   {"app", []string{"redirect_uri", "https://app.example/cb"}, HeadingTargetMismatch},
		"more query":          {"app", []string{"redirect_uri", callback + "&more=1"}, HeadingTargetMismatch},
		"another case":        {"app", []string{"redirect_uri", "https://app.example/CB?keep=1"}, HeadingTargetMismatch},
		"user before host":    {"app", []string{"redirect_uri", "https://app.example@evil.example/cb?keep=1"}, HeadingTargetMismatch},
		"script":              {"app", []string{"redirect_uri", "javascript:alert(1)"}, HeadingTargetMismatch},
		"request_uri of ours": {"app", []string{"request_uri", requestURIPrefix + strings.Repeat("A", 43)}, HeadingExpired},
		"request_uri broken":  {"app", []string{"request_uri", requestURIPrefix + "?"}, HeadingExpired},
	}
	faults := [][]string{
		nil,
		{"response_type", "token"},
		{"response_type", ""},
		{"response_mode", "form_post"},
		{"response_mode", "fragment"},
		{"response_mode", "nonsense"},
		{"prompt", "none"},
		{"prompt", "none login"},
		{"request", "e30.e30."},
		{"scope", "openid admin"},
		{"resource", "https://other.example"},
		{"code_challenge", ""},
		{"max_age", "x"},
		{"claims", "{"},
		{"state", "\x00"},
		{"nonce", "\x00"},
		{"id_token_hint", "x.y.z"},
		{"request_uri", "https://app.example/r"},
	}
	for name, root := range roots {
		for _, fault := range faults {
			q := query(root.client, append(slices.Clone(fault), root.pairs...)...)
			_, err := w.browser().begin(t, q)
			r := refused(t, err, root.heading)
			check(t, r.Status() == 400 && r.Code != "" && r.Description != "", "%s: %+v", name, r)
			if root.heading == HeadingTargetMismatch {
				check(t, r.Received == q.Get("redirect_uri") && slices.Equal(r.Registered, []string{callback}), "%s: %+v", name, r)
			}
			var kept *client.Refused
			known := root.client == "app" || root.client == "two" || root.client == "off" || root.client == "nobody" || root.client == "a\x00b"
			check(t, errors.As(err, &kept) == known, "%s: kept for its operator: %v", name, err)
		}
	}
	p := w.browser().at(t, StepSignIn, query("plain", "scope", "notes", "redirect_uri", ""))
	check(t, p.Target.String() == callback && p.Request.RedirectURI == "", "the one that is registered is taken without OpenID Connect")
}

func TestTheRegistrationDecidesAsItIsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app(t, "app", nil)
	ada := w.browser()
	change := func(edit func(*storage.ClientMetadata)) {
		m := c.Metadata
		edit(&m)
		var err error
		c, err = w.Clients.Update(t.Context(), c, m, "cli")
		must(t, err)
	}
	begun := ada.at(t, StepSignIn, query("app", "scope", "openid email notes", "resource", "https://api.example"))
	resume := func() (*Passage, error) { return w.Resume(t.Context(), ada.visit(t), begun.Sealed) }
	change(func(m *storage.ClientMetadata) { m.Scope = "openid notes" })
	_, err := resume() // nobody is asked about less than is allowed
	returned(t, err, oauth.InvalidScope)
	change(func(m *storage.ClientMetadata) { m.Scope = "openid email notes more" })
	p, err := resume()
	must(t, err)
	check(t, oauth.JoinScope(p.Asked.Scope) == "openid email notes", "asked %q", p.Asked.Scope)
	change(func(m *storage.ClientMetadata) { m.Resources = nil })
	_, err = resume()
	returned(t, err, oauth.InvalidTarget)
	change(func(m *storage.ClientMetadata) {
		m.GrantTypes, m.ResponseTypes = []string{oauth.GrantDeviceCode}, nil
	})
	_, err = resume()
	returned(t, err, oauth.UnauthorizedClient)
	change(func(m *storage.ClientMetadata) { m.RedirectURIs = []string{"https://app.example/other"} })
	_, err = resume()
	refused(t, err, HeadingTargetMismatch)
	must(t, w.Clients.Delete(t.Context(), "app", "cli"))
	_, err = resume()
	refused(t, err, HeadingUnknownClient)
}

func TestASealedRequestIsGoodInItsBrowserForItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	ada := w.browser()
	begun := ada.at(t, StepSignIn, query("app"))
	_, err := w.Resume(t.Context(), w.browser().visit(t), begun.Sealed)
	r := refused(t, err, HeadingOtherBrowser)
	check(t, r.Status() == 403, "status %d", r.Status())
	_, err = w.Resume(t.Context(), ada.visit(t), begun.Sealed[:len(begun.Sealed)-1])
	refused(t, err, HeadingInvalid)
	_, err = w.Resume(t.Context(), ada.visit(t), "")
	refused(t, err, HeadingInvalid)
	device, err := w.SealDevice(ada.visit(t), &DeviceRequest{UserCode: "BCDF-GHJK"})
	must(t, err)
	_, err = w.Resume(t.Context(), ada.visit(t), device)
	refused(t, err, HeadingInvalid)
	w.pass(31 * 60e9)
	_, err = w.Resume(t.Context(), ada.visit(t), begun.Sealed)
	refused(t, err, HeadingExpired)
}

func TestTheLargestRequestFitsIntoAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	size := func(n int) error {
		_, err := w.browser().begin(t, query("app", "state", strings.Repeat("&", n)))
		return err
	}
	least, most := 0, maxRequest
	for least+1 < most {
		if middle := (least + most) / 2; size(middle) == nil {
			least = middle
		} else {
			most = middle
		}
	}
	err := size(most)
	returned(t, err, oauth.InvalidRequest)
	check(t, !errors.Is(err, browser.ErrTooLarge), "the limit is the seal's: %v", err)
	check(t, least > 3000, "a state of %d characters is too large already", most)
}
