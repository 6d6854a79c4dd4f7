package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// retryAfter is what a caller is told to wait when the database did not answer.
const retryAfter = 2 * time.Second

// Caller is the client that makes a request.
type Caller struct {
	Client        storage.Client
	Now           time.Time // the store's clock when the client was read
	Authenticated bool      // a confidential client that proved itself; false: a public one, which only said its name
	SecretMade    time.Time // when the secret that proved it was made (storage.ClientSecret.CreatedAt); zero: none did
}

// Why an authentication failed: for the log alone, the caller hears one answer for all.
var (
	errMissing       = errors.New("no client_id and no Authorization header")
	errAssertionType = errors.New("client_assertion_type is not that of RFC 7523")
	errNoAssertion   = errors.New("client_assertion_type without client_assertion")
	errScheme        = errors.New("the Authorization header is not Basic")
	errBasic         = errors.New("malformed Basic credentials")
	errOtherID       = errors.New("client_id parameter differs from the Basic credentials")
	errMalformed     = errors.New("malformed client_id")
	errUnknown       = errors.New("unknown client")
	errPublic        = errors.New("public client")
	errNoneLive      = errors.New("the client has no live secret of client_secret_jwt: rotate-secret makes one")
)

// credentials are what a request says about its client.
type credentials struct {
	method, id, secret string
	assertion          *keys.Assertion // where it proves itself by what it signs; method is not known then
}

// Authenticate says who is calling (RFC 6749 §2.3, §3.2.1): authorization are all Authorization headers of the request, p its
// form. Only the method that the client is registered for is accepted. Errors are *oauth.Error: invalid_client with 401 and a
// Basic challenge, invalid_request where two methods are used at once, temporarily_unavailable where the store failed.
func (r *Registry) Authenticate(ctx context.Context, authorization []string, p oauth.Params) (Caller, error) {
	given, err := r.read(authorization, p)
	if err != nil {
		return Caller{}, err
	}
	if !presentable(given.id) {
		return Caller{}, r.failed(errMalformed)
	}
	c, now, err := r.store.FindClient(ctx, given.id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return Caller{}, unavailable(err)
	}
	if given.assertion != nil {
		return r.authenticateByAssertion(ctx, given, c, now)
	}
	known := err == nil
	secret := match(given.secret, c.Secrets, now) // for unknown clients too: they cost the same
	switch {
	case !known:
		return Caller{}, r.failed(errUnknown)
	case asserts(c):
		return Caller{}, r.failed(otherThan(given.method, c))
	case Public(c) != (given.method == oauth.AuthNone):
		return Caller{}, r.failed(otherThan(given.method, c))
	case !Public(c) && secret.live.IsZero():
		return Caller{}, r.failed(wrongSecret(c, secret, now))
	case !c.DisabledAt.IsZero():
		return Caller{}, r.failed(Disabled(c))
	case given.method != c.Metadata.TokenEndpointAuthMethod:
		return Caller{}, r.otherMethod(given.method, c)
	}
	return Caller{Client: c, Now: now, Authenticated: !Public(c), SecretMade: secret.live}, nil
}

// authenticateByAssertion goes on with a client assertion; c is empty where there is no such client.
func (r *Registry) authenticateByAssertion(ctx context.Context, given credentials, c storage.Client, now time.Time) (Caller, error) {
	switch {
	case c.ID == "":
		return Caller{}, r.failed(errUnknown)
	case !asserts(c):
		return Caller{}, r.failed(otherThan("client_assertion", c))
	case !c.DisabledAt.IsZero():
		return Caller{}, r.failed(Disabled(c))
	}
	made, err := r.prove(ctx, c, given.assertion, now)
	if err != nil {
		return Caller{}, err
	}
	return Caller{Client: c, Now: now, Authenticated: true, SecretMade: made}, nil
}

// read takes the credentials from the request, whoever they name. An empty secret is no secret (RFC 6749 §2.3.1), also in Basic.
func (r *Registry) read(authorization []string, p oauth.Params) (credentials, error) {
	secret, assertion := p.Get("client_secret"), p.Get("client_assertion") != "" || p.Get("client_assertion_type") != ""
	switch {
	case len(authorization) > 1:
		return credentials{}, oauth.Errorf(oauth.InvalidRequest, "there must not be more than one Authorization header")
	case len(authorization) == 1 && (secret != "" || assertion), secret != "" && assertion:
		return credentials{}, oauth.Errorf(oauth.InvalidRequest, "the client must not authenticate in more than one way in one request")
	case assertion:
		return r.readAssertion(p)
	case len(authorization) == 1:
		return r.readBasic(authorization[0], p.Get("client_id"))
	case p.Get("client_id") == "":
		return credentials{}, r.challenge("the client is not named: send client_id, or credentials with HTTP Basic", errMissing)
	case secret != "":
		return credentials{method: oauth.AuthPost, id: p.Get("client_id"), secret: secret}, nil
	}
	return credentials{method: oauth.AuthNone, id: p.Get("client_id")}, nil
}

func (r *Registry) readBasic(header, clientID string) (credentials, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, r.challenge("clients authenticate here with the Authorization scheme Basic, or in the body", errScheme)
	}
	id, secret, ok := parseBasic(token)
	if !ok {
		return credentials{}, r.challenge("the Basic credentials are malformed: form-url-encode client_id and client_secret, "+
			"join them with a colon and encode that with base64 (RFC 6749 section 2.3.1)", errBasic)
	}
	if clientID != "" && clientID != id {
		return credentials{}, r.challenge("client_id must be the client that the Authorization header names", errOtherID)
	}
	if secret == "" {
		return credentials{method: oauth.AuthNone, id: id}, nil
	}
	return credentials{method: oauth.AuthBasic, id: id, secret: secret}, nil
}

// failed is the one answer to everything that would tell a stranger about a client.
func (r *Registry) failed(cause error) error {
	return r.challenge("client authentication failed: unknown client, wrong secret or assertion, or not the method that the client is registered for", cause)
}

// otherMethod names the registered method, to a caller that proved to know the secret.
func (r *Registry) otherMethod(sent string, c storage.Client) error {
	description := "this client is registered for client_secret_basic: send the credentials with HTTP Basic"
	if c.Metadata.TokenEndpointAuthMethod == oauth.AuthPost {
		description = "this client is registered for client_secret_post: send client_id and client_secret in the body"
	}
	return r.challenge(description, otherThan(sent, c))
}

// challenge makes the 401 that every failed authentication is (RFC 6749 §5.2), with the challenge that every 401 carries.
func (r *Registry) challenge(description string, cause error) error {
	realm := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(r.config.Issuer)
	e := &oauth.Error{Code: oauth.InvalidClient, Description: description, Challenge: `Basic realm="` + realm + `", charset="UTF-8"`}
	return e.Because(cause)
}

func unavailable(cause error) error {
	e := &oauth.Error{
		Code: oauth.TemporarilyUnavailable, RetryAfter: retryAfter,
		Description: "the server cannot look up the client at the moment: try again shortly",
	}
	return e.Because(cause)
}

// Refuse answers a public client that asks for what only clients that prove themselves may have (RFC 7662 §2.1).
func (r *Registry) Refuse() error {
	return r.challenge("a public client may not do this: only clients that prove who they are may", errPublic)
}
