package token

import (
	"context"
	"errors"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// authorizationCode is the authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6). A code serves strictly once. A second use by
// the right client with the right verifier shows that the code is in two hands: the grant is revoked with all its tokens. Whoever
// is wrong in anything changes nothing, so that the code still serves the client that it is for.
func (e *Endpoint) authorizationCode(ctx context.Context, q *request) (*plan, error) {
	text, err := q.params.Need("code")
	if err != nil {
		return nil, err
	}
	h, err := e.Mint.Parse(handle.Code, text)
	if err != nil {
		return nil, deadCode(storage.ID{}, "forged")
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, deadCode(h.Grant, "grant is gone")
	}
	if err != nil {
		return nil, err
	}
	g := s.Grant
	if g.ClientID != q.caller.Client.ID {
		return nil, deadCode(g.ID, "another client's")
	}
	if g.State != storage.Pending {
		return nil, e.usedCode(ctx, q, g, h)
	}
	if why := codeUnfit(s, h); why != "" {
		return nil, deadCode(g.ID, why)
	}
	registered := q.caller.Client.Metadata.RedirectURIs
	if _, ok := oauth.Match(registered, g.Pending.RedirectURI); !ok && g.Pending.RedirectURI != "" {
		return nil, deadCode(g.ID, "its redirect_uri is registered no more")
	}
	if err := matchesRequest(q, *g.Pending); err != nil {
		return nil, err
	}
	// Codes travel through address bars: the grant's own secret is drawn anew.
	return e.approved(ctx, q, s, handle.NewSecret())
}

// codeUnfit says what speaks against the code of a pending grant, "" for nothing.
func codeUnfit(s storage.Standing, h handle.Handle) string {
	g := s.Grant
	switch {
	case g.Pending == nil || g.Pending.Kind != storage.WaitingCode || !g.SecretHash.Equal(handle.SecretDigest(h.Secret)):
		return "grant does not wait for this code"
	case !s.Now.Before(g.ExpiresAt):
		return "code has expired"
	}
	return sessionOrPeople(s)
}

// sessionOrPeople says what was withdrawn between a person's approval and its redemption, "" for nothing.
func sessionOrPeople(s storage.Standing) string {
	if ends := s.Grant.Pending.SessionEnds; !s.Grant.Offline && !ends.IsZero() && !s.Now.Before(ends) {
		return "the browser session that it was given in has ended"
	}
	return string(s.Withdrawn())
}

// matchesRequest holds the redemption to the authorization request: the same redirect_uri, where that named one (RFC 6749 §4.1.3),
// and the verifier of its challenge. Without a challenge there must be no verifier, else somebody has cut the challenge out of the
// request (RFC 9700 §4.8.2).
func matchesRequest(q *request, w storage.Waiting) error {
	if q.params.Get("redirect_uri") != w.RedirectURI {
		if w.RedirectURI == "" {
			return oauth.Errorf(oauth.InvalidGrant, "redirect_uri must be left out: the authorization request had none")
		}
		return oauth.Errorf(oauth.InvalidGrant, "redirect_uri must be the one of the authorization request, byte for byte")
	}
	verifier := q.params.Get("code_verifier")
	switch {
	case w.Challenge == "" && !q.caller.Authenticated:
		return oauth.Errorf(oauth.InvalidGrant, "the authorization request had no code_challenge, which a public client must send")
	case w.Challenge == "" && verifier != "":
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier was sent, and the authorization request had no code_challenge")
	case w.Challenge == "":
		return nil
	case verifier == "":
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier is missing: the authorization request had a code_challenge")
	}
	challenge, ok := oauth.Challenge(verifier)
	if !ok {
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier must have 43 to 128 characters of A-Z a-z 0-9 - . _ ~")
	}
	if challenge != w.Challenge {
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier does not fit the code_challenge of the authorization request")
	}
	return nil
}

// usedCode answers whoever comes with the code of a grant that waits no more. Who holds the code and its verifier is the client, or
// has all that the client has: the code leaked, and the grant ends. The revocation commits before the answer is given.
func (e *Endpoint) usedCode(ctx context.Context, q *request, g storage.Grant, h handle.Handle) error {
	challenge, wellFormed := "", true
	if verifier := q.params.Get("code_verifier"); verifier != "" {
		challenge, wellFormed = oauth.Challenge(verifier)
	}
	switch {
	case g.CodeHash.IsZero() || !wellFormed || !g.CodeHash.Equal(handle.CodeDigest(h.Secret, challenge)):
		return deadCode(g.ID, "code was used, and the verifier is not its own")
	case g.State == storage.Revoked:
		return deadCode(g.ID, "code was used, and its grant is revoked")
	}
	letter := storage.Letter{Kind: "code_replay", UserID: g.UserID, Data: map[string]string{
		"client_id": g.ClientID, "address": q.seen.Address,
	}}
	_, err := e.Store.RevokeGrant(ctx, storage.Revocation{
		ID: g.ID, Reason: storage.ReasonCodeReplay,
		Also: storage.Also{Events: []storage.Event{e.event(q, g, "grant.code_replay")}, Letters: []storage.Letter{letter}},
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return deadCode(g.ID, "code was used a second time: the grant was revoked")
}

// deadCode is one answer for every code that does not work; why is for the log. A wrong client learns nothing.
func deadCode(grant storage.ID, why string) error {
	return oauth.Errorf(oauth.InvalidGrant, "the code is not valid, was used before, or has expired; start again").
		Because(&deadToken{why: why, grant: grant})
}
