package token

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// deadToken says why a token is not taken, and what had become of it: for the log, signet explain and the owner of the client.
type deadToken struct {
	cause  *client.Cause
	grant  storage.ID
	became string
}

// dead is a token of grant that is not taken.
func dead(grant storage.ID, why string, pairs ...string) deadToken {
	return deadToken{cause: client.Because(why, pairs...), grant: grant}
}

func (d *deadToken) Error() string { return d.cause.Error() }

func (d *deadToken) Unwrap() error { return d.cause }

// The words for what every grant has.
const (
	whyGone    = "grant is gone: it ended long ago, or its person or client was deleted"
	whyForeign = "another client's: it was given to a client with another client_id"
)

// forged is a text that is no token of the kind: what it looks like, without any of it.
func forged(kind handle.Kind, text string) *client.Cause {
	like := "nothing that this server makes"
	switch prefix := handle.PrefixOf(text); {
	case prefix == string(kind):
		like = "one of this kind that was altered or cut, or that another server made"
	case prefix == string(handle.Refresh):
		like = "a refresh token"
	case prefix == string(handle.Code):
		like = "an authorization code"
	case prefix == string(handle.Device):
		like = "a device code"
	case prefix == string(handle.MFA):
		like = "an mfa_token"
	case prefix != "":
		like = "an access token"
	case strings.HasPrefix(text, "eyJ"):
		like = "a JWT, as ID tokens and access tokens are"
	}
	return client.Because("forged: it looks like "+like, "looks_like", like, "length", fmt.Sprint(len(text)))
}

// fate says what speaks against a grant, with when and by whom it came about. why is a storage.Refusal, or says itself what there is to say.
func fate(why string, s storage.Standing, idle time.Duration) *client.Cause {
	g, now := s.Grant, client.Instant(s.Now)
	switch storage.Refusal(why) {
	case storage.GrantRevoked:
		return client.Because(fmt.Sprintf("grant is revoked: %s at %s", revokedBy(g.RevokedReason), client.Instant(g.RevokedAt)),
			client.DetailRevokedAt, client.Instant(g.RevokedAt), client.DetailReason, string(g.RevokedReason))
	case storage.GrantExpired:
		return client.Because(fmt.Sprintf("grant has expired: it was to end at %s, however often it is refreshed", client.Instant(g.ExpiresAt)),
			client.DetailExpiresAt, client.Instant(g.ExpiresAt), client.DetailNow, now)
	case storage.GrantIdle:
		return client.Because(fmt.Sprintf("grant was idle too long: its newest refresh token was issued at %s and serves for %s without use",
			client.Instant(g.IssuedAt), idle), client.DetailIssuedAt, client.Instant(g.IssuedAt),
			client.DetailExpiresAt, client.Instant(g.IssuedAt.Add(idle)), client.DetailNow, now)
	}
	return client.Because(why)
}

// revokedBy says in words what a reason of a revocation means.
func revokedBy(r storage.Reason) string {
	switch r {
	case storage.ReasonLogout:
		return "the person signed out"
	case storage.ReasonUser:
		return "the person took it back"
	case storage.ReasonClient:
		return "the client revoked it"
	case storage.ReasonAdmin:
		return "an operator or administrator revoked it"
	case storage.ReasonReuse:
		return "a refresh token that had been rotated was used again"
	case storage.ReasonCodeReplay:
		return "its authorization code was used twice"
	case storage.ReasonPasswordChanged:
		return "the person's password changed"
	}
	return string(r)
}

// becameOf tells what had become of an authentic refresh token of g, for a person who was asked why it is dead. seen is who
// presents it now.
func becameOf(g storage.Grant, h handle.Handle, seen storage.Seen) string {
	switch {
	case h.Generation > g.Generation:
		return "it is newer than the grant's row: the database was restored to an earlier time"
	case h.Generation == g.Generation && h.Fork == g.Fork:
		return "it is the newest refresh token of its grant, issued at " + client.Instant(g.IssuedAt)
	case h.Generation == g.Generation:
		return "another token took its place, since its answer seemed lost; that one was issued at " + client.Instant(g.IssuedAt)
	}
	where := whence(g, seen)
	behind := g.Generation - 1 - h.Generation
	if behind == 0 && len(g.Retired) == 0 { // the device code before generation 1
		return fmt.Sprintf("it was exchanged at %s from %s", client.Instant(g.IssuedAt), where)
	}
	if behind == 0 {
		return fmt.Sprintf("it was rotated at %s from %s", client.Instant(g.Retired[0]), where)
	}
	rotated := "longer ago than the grant remembers"
	if at := rotatedAt(g, h); !at.IsZero() {
		rotated = "at " + client.Instant(at)
	}
	return fmt.Sprintf("it was rotated %s, and tokens that followed it %d times more, last at %s from %s",
		rotated, behind, client.Instant(g.IssuedAt), where)
}

// rotatedAt is when the token was exchanged for its successor; zero: it was not, or longer ago than the row remembers.
func rotatedAt(g storage.Grant, h handle.Handle) time.Time {
	if h.Generation >= g.Generation {
		return time.Time{}
	}
	if behind := g.Generation - 1 - h.Generation; uint64(behind) < uint64(len(g.Retired)) {
		return g.Retired[behind]
	}
	return time.Time{}
}

// whence is where the grant's last exchange came from, for who comes now.
func whence(g storage.Grant, seen storage.Seen) string {
	if g.Seen.Address != seen.Address {
		return "another address, " + cmp.Or(g.Seen.Address, "which is not known")
	}
	return "the same address"
}

// lineage is where the presented token stands among those of its grant, and who made the last exchange.
func lineage(g storage.Grant, h handle.Handle, seen storage.Seen) []string {
	agent := "the same"
	if g.Seen.Agent != seen.Agent {
		agent = cmp.Or(g.Seen.Agent, "not known")
	}
	return []string{
		"presented_generation", fmt.Sprint(h.Generation), "newest_generation", fmt.Sprint(g.Generation),
		client.DetailRotatedAt, client.Instant(rotatedAt(g, h)), "last_exchange_from", whence(g, seen), "last_exchange_agent", agent,
	}
}

// unproven is why the code_verifier does not fit the challenge of the authorization request. Neither it nor anything that is as good as
// it is told.
func unproven(verifier, challenge string, w storage.Waiting) *client.Cause {
	switch {
	case verifier == w.Challenge:
		return client.Because("the code_challenge was the code_verifier itself: with S256 it must be the base64url of the SHA-256 of the code_verifier, without padding",
			"code_challenge_method", oauth.ChallengeS256)
	case w.Challenge == doubled(challenge):
		return client.Because("the code_challenge was hashed twice", "code_challenge_method", oauth.ChallengeS256)
	}
	return client.Because("the code_verifier is another one's: a second sign-in in another tab may have overwritten it, or it was made anew after the redirect",
		"code_challenge_of_verifier", challenge, "code_challenge", w.Challenge)
}

// doubled is the challenge of a challenge.
func doubled(challenge string) string {
	twice, _ := oauth.Challenge(challenge)
	return twice
}
