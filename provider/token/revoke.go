package token

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

// Revoke is POST /oauth2/revoke (RFC 7009). A refresh token takes its whole grant with it, any authentic one, retired ones too;
// an access token goes alone. An unknown token, or another client's, is answered 200 and nothing happens (§2.2).
func (e *Endpoint) Revoke(w http.ResponseWriter, r *http.Request) error {
	a := asked{request: r, endpoint: "revoke"}
	return a.refused(e.serveRevocation(w, &a))
}

func (e *Endpoint) serveRevocation(w http.ResponseWriter, a *asked) error {
	caller, err := e.identify(a)
	if err != nil {
		return err
	}
	text, err := a.params.Need("token")
	if err != nil {
		return err
	}
	ctx := a.request.Context()
	q := &request{params: a.params, caller: caller, seen: seenBy(a.request)}
	if handle.PrefixOf(text) == string(handle.Refresh) {
		err = e.revokeGrant(ctx, q, text)
	} else {
		err = e.revokeAccess(ctx, q, text)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (e *Endpoint) revokeGrant(ctx context.Context, q *request, text string) error {
	h, err := e.Mint.Parse(handle.Refresh, text)
	if err != nil {
		return nil
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	g := s.Grant
	if g.ClientID != q.caller.Client.ID || !g.SecretHash.Equal(handle.SecretDigest(h.Secret)) || g.State != storage.Active {
		return nil
	}
	_, err = e.Store.RevokeGrant(ctx, storage.Revocation{
		ID: g.ID, Reason: storage.ReasonClient, Also: storage.Also{Events: []storage.Event{e.event(q, g, "grant.revoked")}},
	})
	if errors.Is(err, storage.ErrNotFound) { // swept meanwhile: as dead as it can be
		return nil
	}
	return err
}

func (e *Endpoint) revokeAccess(ctx context.Context, q *request, text string) error {
	read, err := e.Issuer.ReadAccess(text)
	if err != nil || read.ClientID != q.caller.Client.ID || expired(read, q.caller.Now) {
		return nil
	}
	event := storage.Event{
		Kind: "token.revoked", Actor: read.ClientID, ClientID: read.ClientID, Seen: q.seen, Detail: map[string]string{"jti": read.ID},
	}
	if read.OfGrant {
		event.GrantID = read.GrantID
	}
	return e.Store.DenyToken(ctx, storage.Denial{
		GrantID: read.GrantID, Serial: read.Serial, ExpiresAt: time.Unix(read.Expires, 0).UTC(),
		Also: storage.Also{Events: []storage.Event{event}},
	})
}
