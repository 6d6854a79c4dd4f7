package token

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Introspection is an answer of RFC 7662 §2.2. Of a token that is not active, or not the caller's to know, active is all there is.
type Introspection struct {
	Active    bool           `json:"active"`
	Scope     string         `json:"scope,omitempty"`
	ClientID  string         `json:"client_id,omitempty"`
	Username  string         `json:"username,omitempty"`
	TokenType string         `json:"token_type,omitempty"`
	Expires   int64          `json:"exp,omitempty"`
	IssuedAt  int64          `json:"iat,omitempty"`
	Subject   string         `json:"sub,omitempty"`
	Audience  issue.Audience `json:"aud,omitempty"`
	Issuer    string         `json:"iss,omitempty"`
	ID        string         `json:"jti,omitempty"`
	AuthTime  int64          `json:"auth_time,omitempty"`
	ACR       string         `json:"acr,omitempty"`
	AMR       []string       `json:"amr,omitempty"`
}

// Introspect is POST /oauth2/introspect (RFC 7662): only for clients that prove who they are, and only about tokens that they
// own, are the audience of, or serve a resource of. User, client and grant are looked at anew each time.
func (e *Endpoint) Introspect(w http.ResponseWriter, r *http.Request) error {
	a := asked{request: r, endpoint: "introspect"}
	return a.refused(e.serveIntrospection(w, &a))
}

func (e *Endpoint) serveIntrospection(w http.ResponseWriter, a *asked) error {
	caller, err := e.identify(a)
	if err != nil {
		return err
	}
	if !caller.Authenticated {
		return e.Clients.Refuse()
	}
	text, err := a.params.Need("token")
	if err != nil {
		return err
	}
	ctx := a.request.Context()
	var answer Introspection
	if handle.PrefixOf(text) == string(handle.Refresh) {
		answer, err = e.introspectRefresh(ctx, caller.Client, text)
	} else {
		answer, err = e.introspectAccess(ctx, caller.Client, text)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, answer)
}

func (e *Endpoint) introspectAccess(ctx context.Context, caller storage.Client, text string) (Introspection, error) {
	read, err := e.Issuer.ReadAccess(text)
	if err != nil {
		return Introspection{}, nil // not ours: inactive, whatever is wrong with it
	}
	resources, err := e.resources(ctx, read.Audience)
	if err != nil {
		return Introspection{}, err
	}
	if read.ClientID != caller.ID && !slices.Contains(read.Audience, caller.ID) && !serves(caller.ID, resources) {
		return Introspection{}, nil
	}
	standing, alive, err := e.alive(ctx, read)
	if err != nil || !alive {
		return Introspection{}, err
	}
	owner, err := e.owner(ctx, read, caller)
	if err != nil {
		return Introspection{}, err
	}
	reach := client.Registered(owner.Metadata, e.IssuerURL)
	if read.OfGrant {
		reach = reach.With(resources)
	}
	scope := client.Defined(reach.Scope(strings.Fields(read.Scope), read.Audience), read.Audience, resources, e.IssuerURL)
	return Introspection{
		Active: true, Scope: oauth.JoinScope(scope), ClientID: read.ClientID, Username: told(owner, standing.User), TokenType: "Bearer",
		Expires: read.Expires, IssuedAt: read.IssuedAt, Subject: read.Subject, Audience: read.Audience, Issuer: read.Issuer,
		ID: read.ID, AuthTime: read.AuthTime, ACR: read.ACR, AMR: read.AMR,
	}, nil
}

// told is the username that answers about the client's tokens name. With pairwise subjects they name none: it is the same everywhere.
func told(c storage.Client, u storage.UserStanding) string {
	if _, pairwise := client.Sector(c.Metadata); pairwise {
		return ""
	}
	return u.Username
}

// alive looks at everything that an access token stands on: its time, its grant, its user and client, and whether it was revoked
// by itself. The standing is that of its grant, empty for a client's own token.
func (e *Endpoint) alive(ctx context.Context, read issue.Read) (s storage.Standing, alive bool, err error) {
	if !read.OfGrant {
		alive, err = e.clientTokenAlive(ctx, read)
		return storage.Standing{}, alive, err
	}
	s, err = e.Store.FindGrant(ctx, read.GrantID)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Standing{}, false, nil
	}
	if err != nil {
		return storage.Standing{}, false, err
	}
	dead := expired(read, s.Now) || s.Grant.ClientID != read.ClientID || s.Refused() != storage.Admissible ||
		slices.Contains(s.Denied, read.Serial)
	return s, !dead, nil
}

// owner is the client that the token was made for: caller, who asks, mostly is. What its registration lost, its tokens have lost at
// once; one that is gone has nothing.
func (e *Endpoint) owner(ctx context.Context, read issue.Read, caller storage.Client) (storage.Client, error) {
	if caller.ID == read.ClientID {
		return caller, nil
	}
	owner, _, err := e.Store.FindClient(ctx, read.ClientID)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Client{}, nil
	}
	return owner, err
}

// clientTokenAlive is alive for client credentials, whose tokens have no row.
func (e *Endpoint) clientTokenAlive(ctx context.Context, read issue.Read) (bool, error) {
	denied, now, err := e.Store.TokenDenied(ctx, read.GrantID, read.Serial)
	if err != nil || denied || expired(read, now) {
		return false, err
	}
	c, _, err := e.Store.FindClient(ctx, read.ClientID)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil && c.DisabledAt.IsZero(), err
}

func expired(read issue.Read, now time.Time) bool { return now.Unix() >= read.Expires }

// introspectRefresh answers about a refresh token: whether it would be taken now. Of the grant's other tokens it says nothing.
func (e *Endpoint) introspectRefresh(ctx context.Context, c storage.Client, text string) (Introspection, error) {
	h, err := e.Mint.Parse(handle.Refresh, text)
	if err != nil {
		return Introspection{}, nil
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, err
	}
	policy := e.Clients.Policy(c)
	if !slices.Contains(c.Metadata.GrantTypes, oauth.GrantRefreshToken) || unfit(s, h, c.ID, policy) != "" {
		return Introspection{}, nil
	}
	presented := storage.Presented{Generation: h.Generation, Fork: h.Fork, KeyID: h.Key}
	if storage.Present(s.Grant, presented, policy, h.Key, s.Now).Outcome == storage.Reuse {
		return Introspection{}, nil
	}
	expires := s.Grant.ExpiresAt
	if idle := s.Grant.IssuedAt.Add(policy.Idle); policy.Idle > 0 && idle.Before(expires) {
		expires = idle
	}
	g := s.Grant
	reach, err := e.reach(ctx, c, g)
	if err != nil {
		return Introspection{}, err
	}
	scope := reach.Scope(g.Scope, reach.Audience(g.Audience))
	return Introspection{
		Active: true, Scope: oauth.JoinScope(scope), ClientID: g.ClientID, Username: told(c, s.User), Expires: expires.Unix(),
		IssuedAt: g.IssuedAt.Unix(), Subject: e.Issuer.Subject(c, g.UserID), Audience: g.Audience, Issuer: e.IssuerURL,
		AuthTime: g.AuthTime.Unix(), ACR: g.ACR, AMR: g.AMR,
	}, nil
}
