package authorize

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The limits of a request, in bytes. What is within them fits, sealed, into an address.
const (
	maxRequest  = 4 << 10
	maxNonce    = 1 << 10
	maxIdle     = 256 // of a parameter that only helps: one that is longer is ignored
	maxClientID = 256

	maxSeconds = 1 << 31 // of a max_age: what is longer asks for nothing
)

// Kind says what a sealed request is.
type Kind string

// The kinds.
const (
	KindAuthorize Kind = "authorize" // an authorization request
	KindDevice    Kind = "device"    // a person who has a device's user code to enter
	KindAccount   Kind = "account"   // a person who looks after their own account
)

// Request is a request as it was when it came. It is sealed, travels with the browser, and never changes; progress is not in it.
// Where a client's registration has defaults, they are in it.
type Request struct {
	Kind         Kind                     `json:"kind"`
	ClientID     string                   `json:"client_id,omitempty"`
	RedirectURI  string                   `json:"redirect_uri,omitempty"` // as it was sent; "": it was not
	Target       string                   `json:"target,omitempty"`       // where it returns: proven, and proven again at Resume
	State        string                   `json:"state,omitempty"`        // byte for byte; "": none was sent
	Nonce        string                   `json:"nonce,omitempty"`
	Scope        []string                 `json:"scope,omitempty"`
	Prompt       []string                 `json:"prompt,omitempty"`
	MaxAge       *int64                   `json:"max_age,omitempty"`    // seconds
	ACRValues    []string                 `json:"acr_values,omitempty"` // those known here, in the order of preference
	EssentialACR bool                     `json:"essential_acr,omitempty"`
	Claims       *storage.RequestedClaims `json:"claims,omitempty"`
	Resources    []string                 `json:"resource,omitempty"`
	AtIssuer     bool                     `json:"at_issuer,omitempty"` // the issuer is asked for as a resource, too: no person is asked about it
	ResponseMode string                   `json:"response_mode,omitempty"`
	Challenge    string                   `json:"code_challenge,omitempty"`
	LoginHint    string                   `json:"login_hint,omitempty"`
	UILocales    string                   `json:"ui_locales,omitempty"`
	Subject      string                   `json:"sub,omitempty"` // who alone will do, as the client knows them (id_token_hint, or the claim sub); "": anybody
	Pushed       storage.Digest           `json:"pushed,omitzero"`
	UserCode     string                   `json:"user_code,omitempty"` // of KindDevice: to fill the form in with
	Strong       bool                     `json:"strong,omitempty"`    // of KindDevice: the device's client demands a second factor
	Page         AccountPage              `json:"page,omitempty"`      // of KindAccount: where it leads
	Pass         string                   `json:"pass,omitempty"`      // of KindAccount: what the page needs again: a mailed link, sealed, or which app it is about
	StartedAt    time.Time                `json:"started_at"`          // the store's clock
}

// prompts are the values of prompt that are understood.
func prompts() []string {
	return []string{oauth.PromptNone, oauth.PromptLogin, oauth.PromptConsent, oauth.PromptSelectAccount, oauth.PromptCreate}
}

// acrValues are the classes that a sign-in here may reach.
func acrValues() []string { return []string{oauth.ACRPassword, oauth.ACRMFA} }

// Prompts reports whether the request has this value of prompt.
func (r Request) Prompts(value string) bool { return slices.Contains(r.Prompt, value) }

// OpenID reports whether it is a request of OpenID Connect: one that ends with an ID token.
func (r Request) OpenID() bool { return slices.Contains(r.Scope, oauth.ScopeOpenID) }

// Offline reports whether what is granted shall outlive the session (OpenID Connect Core §11).
func (r Request) Offline() bool { return slices.Contains(r.Scope, oauth.ScopeOfflineAccess) }

// size is the length of r as it is sealed.
func (r Request) size() int {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil { // strings, numbers and times
		return maxRequest + 1
	}
	return text.Len()
}

// proveTarget is the redirect URI of p, proven against the registration of c. The error is *Refusal: nothing may be sent anywhere.
// One that is missing is taken from the registration only where that leaves no choice, and never for OpenID Connect (Core §3.1.2.1).
func proveTarget(c storage.Client, p oauth.Params) (oauth.Target, error) {
	uri, registered := p.Get("redirect_uri"), c.Metadata.RedirectURIs
	if uri == "" {
		if len(registered) != 1 || contains(strings.Fields(cmp.Or(p.Get("scope"), c.Metadata.Scope)), oauth.ScopeOpenID) {
			r := refuse(HeadingTargetMissing, oauth.InvalidRequest, "the parameter redirect_uri is missing")
			r.ClientID, r.Registered, r.cause = c.ID, registered, absentTarget(c)
			return oauth.Target{}, r
		}
		uri = registered[0]
	}
	target, ok := oauth.Match(registered, uri)
	if !ok {
		return oauth.Target{}, mismatch(c, uri)
	}
	return target, nil
}

// parse reads an authorization request of c whose target is proven. With an error, ResponseMode and State are there still: they say
// how it is sent. pushed: it was left here by its client, and not brought by the browser alone.
func (d *Door) parse(c storage.Client, reach client.Reach, p oauth.Params, pushed bool) (Request, *oauth.Error) {
	r := Request{RedirectURI: p.Get("redirect_uri"), ResponseMode: oauth.ModeQuery}
	switch mode := p.Get("response_mode"); mode {
	case "":
	case oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost:
		r.ResponseMode = mode
	default:
		r.State = harmlessState(p)
		return r, told(oauth.Errorf(oauth.InvalidRequest, "response_mode must be %s, %s or %s", oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost),
			c, p, "response_mode")
	}
	if r.State = harmlessState(p); r.State != p.Get("state") {
		return r, told(oauth.Errorf(oauth.InvalidRequest, "state must not have control characters"), c, p, "state")
	}
	scoped := func(r *Request, c storage.Client, p oauth.Params) *oauth.Error { return d.parseScope(r, c, reach, p) }
	for _, step := range []struct {
		read  func(*Request, storage.Client, oauth.Params) *oauth.Error
		about []string
	}{
		{checkKind, []string{"response_type", "request", "request_uri"}},
		{scoped, []string{"scope", "resource"}},
		{parsePKCE, []string{"code_challenge", "code_challenge_method"}},
		{parsePrompt, []string{"prompt"}},
		{parseMaxAge, []string{"max_age"}},
		{parseNonce, []string{"nonce"}},
		{parseACR, nil},
		{parseClaims, []string{"claims"}},
		{d.parseHint, []string{"id_token_hint", "claims"}},
	} {
		if fault := step.read(&r, c, p); fault != nil {
			return r, told(fault, c, p, step.about...)
		}
	}
	if c.Metadata.RequirePAR && !pushed {
		return r, told(oauth.Errorf(oauth.InvalidRequest, "this client must push its requests to the pushed_authorization_request_endpoint first (RFC 9126)"),
			c, p, "request_uri")
	}
	r.LoginHint, r.UILocales = helpful(p.Get("login_hint")), helpful(p.Get("ui_locales"))
	return r, nil
}

// checkKind refuses what is no request for a code, by a client that may ask for one.
func checkKind(_ *Request, c storage.Client, p oauth.Params) *oauth.Error {
	switch {
	case p.Get("request") != "":
		return oauth.Errorf(oauth.RequestNotSupported, "request objects are not supported: send the parameters as they are, or push them (RFC 9126)")
	case p.Get("request_uri") != "":
		return oauth.Errorf(oauth.RequestURINotSupported, "request_uri must be one that the pushed_authorization_request_endpoint returned (RFC 9126)")
	case p.Get("response_type") == "":
		return oauth.Errorf(oauth.InvalidRequest, "the parameter response_type is missing: it must be code")
	case p.Get("response_type") != oauth.ResponseTypeCode:
		return oauth.Errorf(oauth.UnsupportedResponseType, "response_type must be code")
	case !slices.Contains(c.Metadata.GrantTypes, oauth.GrantAuthorizationCode):
		return errNoGrant(c, oauth.GrantAuthorizationCode)
	}
	return nil
}

// parsePKCE reads the code_challenge (RFC 7636 §4.3). A challenge without a method would be plain, which is not taken.
func parsePKCE(r *Request, c storage.Client, p oauth.Params) *oauth.Error {
	challenge, method := p.Get("code_challenge"), p.Get("code_challenge_method")
	switch {
	case challenge == "" && method != "":
		return oauth.Errorf(oauth.InvalidRequest, "code_challenge_method was sent without code_challenge")
	case challenge == "" && (client.Public(c) || c.Metadata.RequirePKCE == nil || *c.Metadata.RequirePKCE):
		return oauth.Errorf(oauth.InvalidRequest, "the parameter code_challenge is missing: this client must use PKCE (RFC 7636) with S256")
	case challenge == "":
		return nil
	case method != oauth.ChallengeS256:
		return oauth.Errorf(oauth.InvalidRequest, "code_challenge_method must be S256: no other transform algorithm is supported")
	case !oauth.ValidChallenge(challenge):
		return oauth.Errorf(oauth.InvalidRequest, "code_challenge must be 43 characters of base64url without padding: the SHA-256 of the code_verifier")
	}
	r.Challenge = challenge
	return nil
}

func parsePrompt(r *Request, _ storage.Client, p oauth.Params) *oauth.Error {
	for _, value := range strings.Fields(p.Get("prompt")) {
		if !contains(prompts(), value) {
			return oauth.Errorf(oauth.InvalidRequest, "prompt has a value that is not supported: it may be %s", strings.Join(prompts(), ", "))
		}
		if !r.Prompts(value) {
			r.Prompt = append(r.Prompt, value)
		}
	}
	if r.Prompts(oauth.PromptNone) && len(r.Prompt) > 1 {
		return oauth.Errorf(oauth.InvalidRequest, "prompt must not have none together with another value")
	}
	return nil
}

func parseMaxAge(r *Request, c storage.Client, p oauth.Params) *oauth.Error {
	text := p.Get("max_age")
	if text == "" && c.Metadata.DefaultMaxAge == nil {
		return nil
	}
	var age int64
	if text == "" {
		age = *c.Metadata.DefaultMaxAge
	} else if seconds, err := strconv.ParseUint(text, 10, 62); err == nil {
		age = int64(seconds)
	} else {
		return oauth.Errorf(oauth.InvalidRequest, "max_age must be a number of seconds")
	}
	age = min(age, maxSeconds)
	r.MaxAge = &age
	return nil
}

func parseNonce(r *Request, _ storage.Client, p oauth.Params) *oauth.Error {
	r.Nonce = p.Get("nonce")
	if len(r.Nonce) > maxNonce || strings.ContainsFunc(r.Nonce, unicode.IsControl) {
		return oauth.Errorf(oauth.InvalidRequest, "nonce must have at most %d bytes and no control characters", maxNonce)
	}
	return nil
}

// parseACR reads acr_values, which are wishes: what is not known here is no error (Core §3.1.2.1).
func parseACR(r *Request, c storage.Client, p oauth.Params) *oauth.Error {
	values := strings.Fields(p.Get("acr_values"))
	if len(values) == 0 {
		values = c.Metadata.DefaultACRValues
	}
	r.ACRValues = knownACR(values)
	return nil
}

// knownACR are those of values that are known here, each once, in their order.
func knownACR(values []string) []string {
	var known []string
	for _, value := range values {
		if contains(acrValues(), value) && !contains(known, value) {
			known = append(known, value)
		}
	}
	return known
}

// harmlessState is state, or "" where it could not be echoed in every response mode.
func harmlessState(p oauth.Params) string {
	if state := p.Get("state"); !strings.ContainsFunc(state, unicode.IsControl) {
		return state
	}
	return ""
}

// helpful is a parameter that only helps, "" where it is of no use.
func helpful(text string) string {
	if len(text) > maxIdle || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return ""
	}
	return text
}

func contains(all []string, s string) bool { return slices.Contains(all, s) }

func errNoGrant(c storage.Client, grant string) *oauth.Error {
	return oauth.Errorf(oauth.UnauthorizedClient, "this client is not registered for the %s grant", grant).
		Because(client.Because("the grant type is not among the client's grant_types",
			client.DetailReceived, grant, client.DetailRegistered, strings.Join(c.Metadata.GrantTypes, " ")))
}

func errTooLarge(size int) *oauth.Error {
	return oauth.Errorf(oauth.InvalidRequest, "the request is too large: it must not exceed %d KiB; shorten state, nonce, claims or resource", maxRequest>>10).
		Because(client.Because("the request takes "+strconv.Itoa(size)+" bytes", client.DetailReceived, strconv.Itoa(size), "most", strconv.Itoa(maxRequest)))
}
