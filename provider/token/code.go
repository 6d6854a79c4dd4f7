package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-idp/signet/provider/client"
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
		return nil, deadCode(deadToken{cause: forged(handle.Code, text)})
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, deadCode(dead(h.Grant, whyGone))
	}
	if err != nil {
		return nil, err
	}
	g := s.Grant
	if g.ClientID != q.caller.Client.ID {
		return nil, deadCode(dead(g.ID, whyForeign))
	}
	if g.State != storage.Pending {
		return nil, e.usedCode(ctx, q, g, h)
	}
	if why := codeUnfit(s, h); why != nil {
		return nil, deadCode(deadToken{cause: why, grant: g.ID})
	}
	registered := q.caller.Client.Metadata.RedirectURIs
	if _, ok := oauth.Match(registered, g.Pending.RedirectURI); !ok && g.Pending.RedirectURI != "" {
		return nil, deadCode(deadToken{cause: client.Strayed("redirect_uri, which is registered no more,", registered, g.Pending.RedirectURI), grant: g.ID})
	}
	if fault := matchesRequest(q, *g.Pending); fault != nil {
		return nil, fault
	}
	// Codes travel through address bars: the grant's own secret is drawn anew.
	return e.approved(ctx, q, s, handle.NewSecret())
}

// codeUnfit says what speaks against the code of a pending grant, nil for nothing.
func codeUnfit(s storage.Standing, h handle.Handle) *client.Cause {
	g := s.Grant
	switch {
	case g.Pending == nil || g.Pending.Kind != storage.WaitingCode || !g.SecretHash.Equal(handle.SecretDigest(h.Secret)):
		return client.Because("grant does not wait for this code")
	case !s.Now.Before(g.ExpiresAt):
		return client.Because(fmt.Sprintf("code has expired: it was good until %s, and came %s later; a code must be redeemed at once",
			client.Instant(g.ExpiresAt), s.Now.Sub(g.ExpiresAt).Round(time.Second)),
			client.DetailIssuedAt, client.Instant(g.CreatedAt), client.DetailExpiresAt, client.Instant(g.ExpiresAt), client.DetailNow, client.Instant(s.Now))
	}
	return sessionOrPeople(s)
}

// sessionOrPeople says what was withdrawn between a person's approval and its redemption, nil for nothing.
func sessionOrPeople(s storage.Standing) *client.Cause {
	if ends := s.Grant.Pending.SessionEnds; !s.Grant.Offline && !ends.IsZero() && !s.Now.Before(ends) {
		return client.Because("the browser session that it was given in has ended", client.DetailExpiresAt, client.Instant(ends), client.DetailNow, client.Instant(s.Now))
	}
	if why := s.Withdrawn(); why != storage.Admissible {
		return client.Because(string(why))
	}
	return nil
}

// matchesRequest holds the redemption to the authorization request: the same redirect_uri, where that named one (RFC 6749 §4.1.3),
// and the verifier of its challenge. Without a challenge there must be no verifier, else somebody has cut the challenge out of the
// request (RFC 9700 §4.8.2).
func matchesRequest(q *request, w storage.Waiting) *oauth.Error {
	if sent := q.params.Get("redirect_uri"); sent != w.RedirectURI {
		if w.RedirectURI == "" {
			return oauth.Errorf(oauth.InvalidGrant, "redirect_uri must be left out: the authorization request had none").
				Because(client.Because("the authorization request had no redirect_uri", client.DetailReceived, oauth.Redact(sent)))
		}
		return oauth.Errorf(oauth.InvalidGrant, "redirect_uri must be the one of the authorization request, byte for byte").
			Because(client.Strayed("redirect_uri", []string{w.RedirectURI}, sent))
	}
	verifier := q.params.Get("code_verifier")
	switch {
	case w.Challenge == "" && !q.caller.Authenticated:
		return oauth.Errorf(oauth.InvalidGrant, "the authorization request had no code_challenge, which a public client must send").
			Because(client.Because("PKCE: the authorization request had no code_challenge", "code_challenge", "absent", "code_verifier", sentOrNot(verifier)))
	case w.Challenge == "" && verifier != "":
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier was sent, and the authorization request had no code_challenge").
			Because(client.Because("PKCE: the code_challenge was left out of the authorization request, or somebody cut it out on the way",
				"code_challenge", "absent", "code_verifier", sentOrNot(verifier)))
	case w.Challenge == "":
		return nil
	case verifier == "":
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier is missing: the authorization request had a code_challenge").
			Because(client.Because("PKCE: no code_verifier came", "code_challenge", "sent", "code_verifier", sentOrNot(verifier)))
	}
	challenge, ok := oauth.Challenge(verifier)
	if !ok {
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier must have 43 to 128 characters of A-Z a-z 0-9 - . _ ~").
			Because(client.Because(fmt.Sprintf("PKCE: the code_verifier has %d characters, or some that are not allowed", len(verifier)),
				"code_verifier_length", fmt.Sprint(len(verifier))))
	}
	if challenge != w.Challenge {
		return oauth.Errorf(oauth.InvalidGrant, "code_verifier does not fit the code_challenge of the authorization request").
			Because(unproven(verifier, challenge, w))
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
		return deadCode(usedBefore(q, g, "code was used, and the verifier is not its own"))
	case g.State == storage.Revoked:
		return deadCode(usedBefore(q, g, "code was used, and its grant is revoked: "+revokedBy(g.RevokedReason),
			client.DetailRevokedAt, client.Instant(g.RevokedAt), client.DetailReason, string(g.RevokedReason)))
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
	return deadCode(usedBefore(q, g, "code was used a second time: the grant was revoked"))
}

// deadCode is one answer for every code that does not work; cause is for the log. A wrong client learns nothing.
func deadCode(cause deadToken) error {
	return oauth.Errorf(oauth.InvalidGrant, "the code is not valid, was used before, or has expired; start again").Because(&cause)
}

// usedBefore is the cause for a code that was redeemed, and where that happened.
func usedBefore(q *request, g storage.Grant, why string, pairs ...string) deadToken {
	pairs = append(pairs, "redeemed_from", whence(g, q.seen), client.DetailIssuedAt, client.Instant(g.CreatedAt))
	if g.Generation == 1 && len(g.Retired) == 0 { // later, and without refresh tokens, the row does not tell
		pairs = append(pairs, "redeemed_at", client.Instant(g.IssuedAt))
	}
	return dead(g.ID, why, pairs...)
}

// sentOrNot says whether a parameter came, whose value is nobody's to know.
func sentOrNot(value string) string {
	if value == "" {
		return "absent"
	}
	return "sent"
}
