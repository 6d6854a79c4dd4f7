package issue

import (
	"crypto/rand"
	"time"

	"github.com/signet-idp/signet/storage"
)

// logoutLifetime is how long a logout token may be taken (OpenID Connect Back-Channel Logout §2.4 advises two minutes at most).
const logoutLifetime = 2 * time.Minute

// logoutEvent is the one member of a logout token's events.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// Logout are the claims of a logout token (OpenID Connect Back-Channel Logout §2.4). It never has a nonce.
type Logout struct {
	Issuer    string              `json:"iss"`
	Subject   string              `json:"sub"`
	Audience  string              `json:"aud"`
	IssuedAt  int64               `json:"iat"`
	Expires   int64               `json:"exp"`
	ID        string              `json:"jti"`
	SessionID string              `json:"sid,omitempty"`
	Events    map[string]struct{} `json:"events"`
}

// LogoutToken tells the client that a session of the user has ended, signed as its ID tokens are. Each call makes a new one, with a
// jti of its own, that is good for two minutes from now.
func (i *Issuer) LogoutToken(c storage.Client, userID, sessionID storage.ID, now time.Time) (string, error) {
	claims := Logout{
		Issuer: i.config.Issuer, Subject: i.Subject(c, userID), Audience: c.ID,
		IssuedAt: now.Unix(), Expires: now.Add(logoutLifetime).Unix(), ID: rand.Text(),
		Events: map[string]struct{}{logoutEvent: {}},
	}
	if !sessionID.IsZero() {
		claims.SessionID = i.Session(c, sessionID)
	}
	return i.ring.Sign(idAlgorithm(c.Metadata), TypeLogout, claims)
}
