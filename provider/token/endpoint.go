package token

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// maxRaces bounds how often a request that lost the race for its row reads again. A second loop is rare, a fourth an outage;
// the storm of one token presented by everybody at once is settled by the second.
const maxRaces = 8

// Store is what the token rooms need of the store.
type Store interface {
	storage.Grants
	storage.Denials
	storage.Audit
	TryGrant(ctx context.Context, id storage.ID, revision int64) error
	FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error)
	FindClient(ctx context.Context, id string) (storage.Client, time.Time, error)
	FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error)
}

// Endpoint answers at the token, introspection, revocation and userinfo endpoints.
type Endpoint struct {
	Store        Store
	Clients      *client.Registry
	People       *account.People
	Limiter      *throttle.Limiter
	Mint         *handle.Mint
	Issuer       *issue.Issuer
	IssuerURL    string
	AboutURL     string // the document about userinfo as a resource (RFC 9728), which its challenges name; "": none
	SecondFactor account.SecondFactor
	Observer     Observer
	Counter      Counter
}

// request is one token request after the client was authenticated.
type request struct {
	params oauth.Params
	caller client.Caller
	seen   storage.Seen
}

// plan is what a grant decided in step 5: what to mint, and the one write that makes it so.
type plan struct {
	order   issue.Order
	refresh *handle.Handle // the refresh token of the answer; nil: none
	idToken bool
	signIn  bool                        // a grant becomes active
	person  map[string]any              // claims about the person that were asked for in the ID token
	settle  func(context.Context) error // nil: there is nothing to write
}

// grantType is what differs between grants: steps 5 and 7.
type grantType func(context.Context, *request) (*plan, error)

// Answer is a successful token response (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
type Answer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope"` // always, even where it is what was asked for: oauthlib raises when it changes silently
}

// Grants are the grant types that this endpoint serves and a client may register for.
func Grants() []string {
	return []string{
		oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode, oauth.GrantClientCredentials, oauth.GrantPassword,
	}
}

func (e *Endpoint) grant(name string) grantType {
	switch name {
	case oauth.GrantAuthorizationCode:
		return e.authorizationCode
	case oauth.GrantDeviceCode:
		return e.device
	case oauth.GrantPassword:
		return e.password
	case oauth.GrantMFAOTP:
		return e.mfa
	case oauth.GrantRefreshToken:
		return e.refresh
	case oauth.GrantClientCredentials:
		return e.clientCredentials
	}
	return nil
}

// Token is POST /oauth2/token (RFC 6749 §3.2).
func (e *Endpoint) Token(w http.ResponseWriter, r *http.Request) error {
	a := asked{request: r, endpoint: "token"}
	err := e.serveToken(w, &a)
	e.Observer.TokenRequest(a.grantType, codeOf(err))
	return a.refused(err)
}

func (e *Endpoint) serveToken(w http.ResponseWriter, a *asked) (err error) {
	r := a.request
	if a.params, err = oauth.ParseForm(r); err != nil {
		return err
	}
	name, err := a.params.Need("grant_type")
	if err != nil {
		return err
	}
	grant := e.grant(name)
	if grant == nil {
		return oauth.Errorf(oauth.UnsupportedGrantType, "this server does not support this grant_type; its metadata lists those it does").
			Because(client.Because("no grant type of this server has this name", client.DetailReceived, name, client.DetailRegistered, strings.Join(Grants(), " ")))
	}
	a.grantType = name
	ctx := r.Context()
	caller, err := e.Clients.Authenticate(ctx, r.Header.Values("Authorization"), a.params)
	if err != nil {
		return err
	}
	a.proven = caller.Client.ID
	if registered := registrationOf(name); !slices.Contains(caller.Client.Metadata.GrantTypes, registered) {
		return oauth.Errorf(oauth.UnauthorizedClient, "this client is not registered for the %s grant", registered).
			Because(client.Because("the grant type is not among the client's grant_types",
				client.DetailReceived, name, client.DetailRegistered, strings.Join(caller.Client.Metadata.GrantTypes, " ")))
	}
	answer, done, err := e.run(ctx, grant, &request{params: a.params, caller: caller, seen: seenBy(r)})
	if err != nil {
		return err
	}
	e.count(caller, done)
	return writeJSON(w, answer)
}

// identify reads the form of a request and says who sends it, for the endpoints that every grant shares.
func (e *Endpoint) identify(a *asked) (caller client.Caller, err error) {
	if a.params, err = oauth.ParseForm(a.request); err != nil {
		return client.Caller{}, err
	}
	if caller, err = e.Clients.Authenticate(a.request.Context(), a.request.Header.Values("Authorization"), a.params); err == nil {
		a.proven = caller.Client.ID
	}
	return caller, err
}

// registrationOf is the grant_types entry that a grant_type needs: the second step of the password grant has none of its own.
func registrationOf(name string) string {
	if name == oauth.GrantMFAOTP {
		return oauth.GrantPassword
	}
	return name
}

// run takes steps 5 to 7, again where the row moved in between.
func (e *Endpoint) run(ctx context.Context, grant grantType, q *request) (Answer, *plan, error) {
	for range maxRaces {
		p, err := grant(ctx, q)
		if errors.Is(err, storage.ErrMoved) {
			continue
		}
		if err != nil {
			return Answer{}, nil, err
		}
		answer, err := e.mintAll(p)
		if err != nil {
			return Answer{}, nil, err
		}
		if p.settle == nil {
			return answer, p, nil
		}
		switch err := p.settle(ctx); {
		case err == nil:
			return answer, p, nil
		case !errors.Is(err, storage.ErrMoved):
			return Answer{}, nil, err
		}
	}
	return Answer{}, nil, &oauth.Error{
		Code: oauth.TemporarilyUnavailable, Description: "too many requests use this grant at once; try again", RetryAfter: time.Second,
	}
}

func (e *Endpoint) mintAll(p *plan) (Answer, error) {
	o := p.order
	serial, err := newSerial()
	if err != nil {
		return Answer{}, err
	}
	o.Serial = serial
	access, claims, err := e.Issuer.Access(o)
	if err != nil {
		return Answer{}, tooLong(err)
	}
	answer := Answer{
		AccessToken: access, TokenType: "Bearer", ExpiresIn: claims.Expires - claims.IssuedAt, Scope: claims.Scope,
	}
	if p.idToken {
		if answer.IDToken, err = e.Issuer.ID(o.Client, *o.Grant, p.person, access, o.Now, o.Form.Lifetime); err != nil {
			return Answer{}, err
		}
	}
	if p.refresh != nil {
		if answer.RefreshToken, err = e.Mint.Handle(handle.Refresh, *p.refresh); err != nil {
			return Answer{}, err
		}
	}
	return answer, nil
}

// tooLong tells the client of a token that it asked to be too long, since that is for the client to mend.
func tooLong(err error) error {
	if errors.Is(err, keys.ErrTooLong) || errors.Is(err, handle.ErrTooLong) {
		return oauth.Errorf(oauth.InvalidRequest, "the access token would be too long: ask for fewer resources or scopes").Because(err)
	}
	return err
}

// newSerial draws the number that tells one access token of a grant from the others.
func newSerial() (int64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b[:]) >> 1), nil
}

// newID draws the ID of a grant.
func newID() (storage.ID, error) {
	id, err := uuid.NewV7()
	return storage.ID(id), err
}

func writeJSON(w http.ResponseWriter, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a client that went away is no error of ours
	return nil
}
