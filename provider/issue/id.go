package issue

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// maxIDTokenLifetime bounds how long an ID token speaks of a sign-in.
const maxIDTokenLifetime = time.Hour

// ID are the claims of an ID token (OpenID Connect Core §2, §3.1.3.6). Claims about the person stay at userinfo (§5.4), but for
// the single ones that the claims parameter asked for here (§5.5).
type ID struct {
	Issuer    string         `json:"iss"`
	Subject   string         `json:"sub"`
	Audience  string         `json:"aud"`
	Expires   int64          `json:"exp"`
	IssuedAt  int64          `json:"iat"`
	AuthTime  int64          `json:"auth_time,omitempty"`
	Nonce     string         `json:"nonce,omitempty"`
	ACR       string         `json:"acr,omitempty"`
	AMR       []string       `json:"amr,omitempty"`
	AtHash    string         `json:"at_hash,omitempty"`
	SessionID string         `json:"sid,omitempty"` // OpenID Connect Back-Channel Logout §2.1
	Person    map[string]any `json:"-"`             // claims about the person, by name
}

// reserved are the claims that say what a token is. No claim about a person takes their place, be it there or not.
func reserved() []string {
	return []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "s_hash", "sid",
		"cnf", "act", "may_act", "events", "client_id", "scope",
	}
}

// MarshalJSON implements json.Marshaler: one object, the person's claims beside the others.
func (c ID) MarshalJSON() ([]byte, error) {
	type plain ID
	body, err := json.Marshal(plain(c))
	if err != nil {
		return nil, err
	}
	beside := map[string]any{}
	for name, value := range c.Person {
		if !slices.Contains(reserved(), name) {
			beside[name] = value
		}
	}
	if len(beside) == 0 {
		return body, nil
	}
	more, err := json.Marshal(beside)
	if err != nil {
		return nil, err
	}
	return append(append(body[:len(body)-1], ','), more[1:]...), nil
}

// ID makes an ID token for the grant's client that names accessToken. It never outlives its grant. A refreshed one has no nonce
// (Core §12.2): the caller takes it from g. person are the claims about the person that were asked for in it; mostly nil.
func (i *Issuer) ID(
	c storage.Client, g storage.Grant, person map[string]any, accessToken string, now time.Time, lifetime time.Duration,
) (string, error) {
	alg := idAlgorithm(c.Metadata)
	atHash, err := keys.HashHalf(alg, accessToken)
	if err != nil {
		return "", err
	}
	expires := now.Add(min(lifetime, maxIDTokenLifetime))
	if g.ExpiresAt.Before(expires) {
		expires = g.ExpiresAt
	}
	claims := ID{
		Issuer: i.config.Issuer, Subject: i.Subject(c, g.UserID), Audience: g.ClientID,
		Expires: expires.Unix(), IssuedAt: now.Unix(),
		AuthTime: unix(g.AuthTime), Nonce: g.Nonce, ACR: g.ACR, AMR: g.AMR, AtHash: atHash, Person: person,
	}
	if !g.SessionID.IsZero() {
		claims.SessionID = i.Session(c, g.SessionID)
	}
	return i.ring.Sign(alg, TypeID, claims)
}

// ReadIDToken reads back an ID token of this issuer that somebody presents as a hint (id_token_hint). It may have expired, and any
// key that is still published may have signed it; whom it is for and whom it speaks of is the caller's to judge. The error is
// ErrNotOurs for everything else, other tokens of this issuer included.
func (i *Issuer) ReadIDToken(text string) (ID, error) {
	body, err := i.ring.Verify(text, TypeID)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	var claims ID
	// A signed userinfo answer has the same typ, and neither of the times.
	if err := json.Unmarshal(body, &claims); err != nil || claims.Issuer != i.config.Issuer || claims.Expires == 0 || claims.IssuedAt == 0 {
		return ID{}, ErrNotOurs
	}
	return claims, nil
}

// idAlgorithm is what the client's ID tokens and logout tokens are signed with.
func idAlgorithm(c storage.ClientMetadata) string {
	if c.IDTokenSignedAlg == "" {
		return keys.DefaultIDTokenAlg
	}
	return c.IDTokenSignedAlg
}
