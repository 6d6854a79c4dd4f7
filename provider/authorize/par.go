package authorize

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

const (
	// requestURIPrefix is what our request URIs begin with (RFC 9126 §2.2); 256 random bits in base64url follow.
	requestURIPrefix = "urn:ietf:params:oauth:request_uri:"
	requestURISecret = 32
	// pushedLifetime is how long the browser may take to come with a request URI. It serves for as many visits, until one is completed.
	pushedLifetime = 90 * time.Second
	// pushedKeep is how long the row stays beyond that: a person who came in time has the lifetime of a sealed request to complete it,
	// and it is used up only then.
	pushedKeep = time.Hour
	// maxPushed bounds, in bytes, what a client may leave here.
	maxPushed = 16 << 10
)

// pushable are the parameters of an authorization request that are kept of a pushed one: those that are read. resource may be there
// several times, and credentials are never among them.
func pushable() []string {
	return []string{
		"response_type", "response_mode", "redirect_uri", "state", "nonce", "scope", "prompt", "max_age", "id_token_hint", "login_hint",
		"acr_values", "claims", "ui_locales", "code_challenge", "code_challenge_method",
	}
}

// Push is POST /oauth2/par (RFC 9126). The request is read in full, as authorize will read it once more; a fault is the client's to
// hear at once.
func (d *Door) Push(w http.ResponseWriter, r *http.Request) error {
	a, err := d.push(w, r)
	if err == nil {
		d.Observer.FrontDoor("par", "")
	}
	return d.report("par", a.clientID(), a.seen, err)
}

func (d *Door) push(w http.ResponseWriter, r *http.Request) (*call, error) {
	a, err := d.called(r)
	if err != nil {
		return a, err
	}
	c, p := a.caller.Client, a.params
	if !a.caller.Authenticated {
		if err := d.Limiter.Push(r.Context(), throttle.Caller{Address: a.seen.Address}); err != nil {
			return a, err
		}
	}
	switch {
	case p.Get("request_uri") != "":
		return a, oauth.Errorf(oauth.InvalidRequest, "request_uri must not be pushed (RFC 9126 section 2.1)")
	case p.Get("redirect_uri") == "":
		return a, oauth.Errorf(oauth.InvalidRequest, "the parameter redirect_uri is missing: a pushed request must name it")
	}
	target, ok := oauth.Match(c.Metadata.RedirectURIs, p.Get("redirect_uri"))
	if !ok {
		return a, oauth.Errorf(oauth.InvalidRequest, "redirect_uri is not one of those that the client registered").
			Because(client.Strayed("redirect_uri", c.Metadata.RedirectURIs, p.Get("redirect_uri")))
	}
	reach, err := d.asked(r.Context(), c, p)
	if err != nil {
		return a, err
	}
	q, fault := d.parse(c, reach, p, true)
	if fault != nil {
		return a, fault
	}
	// What is not known yet is as long as it will be.
	q.Kind, q.ClientID, q.Target, q.StartedAt, q.Pushed = KindAuthorize, c.ID, target.String(), a.caller.Now, longest()
	params := encodePushed(p)
	if q.size() > maxRequest || len(params) > maxPushed {
		return a, errTooLarge(q.size())
	}
	uri, digest := newRequestURI()
	err = d.Store.PushRequest(r.Context(), storage.PushedRequest{
		Digest: digest, ClientID: c.ID, Params: params, ExpiresAt: a.caller.Now.Add(pushedLifetime + pushedKeep),
	})
	if err != nil {
		return a, err
	}
	return a, writeJSON(w, http.StatusCreated, struct {
		RequestURI string `json:"request_uri"`
		ExpiresIn  int64  `json:"expires_in"`
	}{uri, int64(pushedLifetime / time.Second)})
}

// longest is a digest whose text is the longest there is.
func longest() (d storage.Digest) {
	for i := range d {
		d[i] = 0xff
	}
	return d
}

// encodePushed are the parameters that are kept, in the form encoding.
func encodePushed(p oauth.Params) string {
	kept := url.Values{}
	for _, name := range pushable() {
		if value := p.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	kept["resource"] = p.All("resource")
	return kept.Encode()
}

// newRequestURI draws a request URI; the store keeps the digest of its secret.
func newRequestURI() (uri string, digest storage.Digest) {
	secret := make([]byte, requestURISecret)
	rand.Read(secret)
	return requestURIPrefix + base64.RawURLEncoding.EncodeToString(secret), pushedDigest(secret)
}

func pushedDigest(secret []byte) storage.Digest {
	return storage.NewSecret(secret).Digest("signet/v1/pushed-request")
}

// pulled reads a pushed request of c by the secret in its request URI. It is not used up: a browser may fetch an address twice before the person has seen it once. One
// answer for unknown, expired, used and another client's (RFC 9126 §2.2); there is no proven address that it could be sent to.
func (d *Door) pulled(ctx context.Context, c storage.Client, text string) (oauth.Params, storage.Digest, error) {
	gone := func(cause string, pairs ...string) error {
		r := refuse(HeadingExpired, oauth.InvalidRequestURI, "this request is not known here, has expired or was completed already: go back to the application and begin again")
		r.ClientID, r.cause = c.ID, client.Because(cause, pairs...)
		return r
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(secret) != requestURISecret {
		return oauth.Params{}, storage.Digest{}, gone("request_uri is malformed")
	}
	digest := pushedDigest(secret)
	row, now, err := d.Store.FindPushed(ctx, digest)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return oauth.Params{}, digest, gone("request_uri was never given out, was completed, or expired long ago")
	case err != nil:
		return oauth.Params{}, digest, err
	case row.ClientID != c.ID:
		return oauth.Params{}, digest, gone("request_uri is another client's")
	case !now.Before(row.ExpiresAt.Add(-pushedKeep)):
		return oauth.Params{}, digest, gone("request_uri has expired: it is good for "+pushedLifetime.String(),
			client.DetailExpiresAt, client.Instant(row.ExpiresAt.Add(-pushedKeep)), client.DetailNow, client.Instant(now))
	}
	p, err := oauth.ParseParams(row.Params)
	return p, digest, err
}

// call is a request that a client itself makes.
type call struct {
	params oauth.Params
	caller client.Caller
	seen   storage.Seen
	named  string // whom the request names, where it could not prove that
}

// called reads the form and authenticates the client, as the token endpoint does. What it returns is there with an error too.
func (d *Door) called(r *http.Request) (*call, error) {
	a := &call{}
	a.seen.Address, a.seen.Agent = oauth.Peer(r)
	var err error
	if a.params, err = oauth.ParseForm(r); err != nil {
		return a, err
	}
	a.named = client.Named(r.Header.Values("Authorization"), a.params)
	a.caller, err = d.Clients.AuthenticateArriving(r.Context(), r.Header.Values("Authorization"), a.params, a.seen)
	return a, err
}

func (a *call) clientID() string {
	if a.caller.Client.ID != "" {
		return a.caller.Client.ID
	}
	return a.named
}

func writeJSON(w http.ResponseWriter, status int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no error of ours
	return nil
}
