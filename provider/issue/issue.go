// Package issue turns a grant into tokens: access tokens (RFC 9068, or sealed), ID tokens (OpenID Connect Core §2), the
// subject and the times in them. It stores nothing and sends nothing; what it makes means something only once the caller has
// committed the grant behind it.
package issue

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The typ headers of what Signet signs (RFC 9068 §2.1, RFC 7519 §5.1, OpenID Connect Back-Channel Logout §2.4).
const (
	TypeAccess = "at+jwt"
	TypeID     = "JWT"
	TypeLogout = "logout+jwt"
)

// Config is what tokens are made by.
type Config struct {
	Issuer     string // iss, byte for byte
	SigningAlg string // of access tokens where the client names none
}

// Issuer makes tokens and reads back its own.
type Issuer struct {
	config Config
	ring   *keys.Ring
	mint   *handle.Mint
}

// New makes an Issuer that signs with ring and seals with mint.
func New(c Config, ring *keys.Ring, mint *handle.Mint) *Issuer {
	return &Issuer{config: c, ring: ring, mint: mint}
}

// Access are the claims of an access token (RFC 9068 §2.2), the same whether they travel signed or sealed.
type Access struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience Audience `json:"aud"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope,omitempty"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	ID       string   `json:"jti"`
	AuthTime int64    `json:"auth_time,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
}

// Audience is the aud claim: one string alone, or several as an array (RFC 7519 §4.1.3).
type Audience []string

// MarshalJSON implements json.Marshaler.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *Audience) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*a = Audience{""}
		return json.Unmarshal(text, &(*a)[0])
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// Order says which access token to make.
type Order struct {
	Client   storage.Client
	Grant    *storage.Grant // nil for client credentials, whose tokens have no row
	TokenID  storage.ID     // without a grant: drawn for this token alone
	Serial   int64          // tells this grant's access tokens apart
	Scope    []string
	Audience []string
	Now      time.Time // the store's clock
	Form     client.TokenForm
}

// Access makes an access token and says when it ends. It never outlives its grant.
func (i *Issuer) Access(o Order) (token string, claims Access, err error) {
	expires := o.Now.Add(o.Form.Lifetime)
	claims = Access{
		Issuer: i.config.Issuer, Subject: o.Client.ID, Audience: o.Audience, ClientID: o.Client.ID, Scope: oauth.JoinScope(o.Scope),
	}
	if g := o.Grant; g != nil {
		if g.ExpiresAt.Before(expires) {
			expires = g.ExpiresAt
		}
		claims.Subject, claims.ACR, claims.AMR = i.Subject(o.Client, g.UserID), g.ACR, g.AMR
		claims.AuthTime = unix(g.AuthTime)
		claims.ID = i.mint.JTI(g.ID, true, o.Serial)
	} else {
		claims.ID = i.mint.JTI(o.TokenID, false, o.Serial)
	}
	claims.IssuedAt, claims.Expires = o.Now.Unix(), expires.Unix()
	if o.Form.Format == oauth.FormatOpaque {
		body, err := json.Marshal(claims)
		if err != nil {
			return "", Access{}, fmt.Errorf("encode access token: %w", err)
		}
		token, err = i.mint.SealAccess(body)
		return token, claims, err
	}
	alg := o.Form.Algorithm
	if alg == "" {
		alg = i.config.SigningAlg
	}
	token, err = i.ring.Sign(alg, TypeAccess, claims)
	return token, claims, err
}

// ErrNotOurs says that a text is no token of this issuer, or not of the kind that it is read as.
var ErrNotOurs = errors.New("issue: not such a token of this issuer")

// Read is an access token that was read back: authentic, but not yet judged by time, audience or its grant.
type Read struct {
	Access
	GrantID storage.ID // for tokens without a grant row: the ID drawn for the token alone
	OfGrant bool
	Serial  int64
}

// ReadAccess opens an access token of either format. The error is ErrNotOurs for everything that this issuer did not make,
// including ID tokens and every other artefact.
func (i *Issuer) ReadAccess(text string) (Read, error) {
	var body []byte
	var err error
	if handle.PrefixOf(text) != "" {
		body, err = i.mint.OpenAccess(text)
	} else {
		body, err = i.ring.Verify(text, TypeAccess)
	}
	if err != nil {
		return Read{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	var r Read
	if err := json.Unmarshal(body, &r.Access); err != nil || r.Issuer != i.config.Issuer {
		return Read{}, ErrNotOurs
	}
	if r.GrantID, r.OfGrant, r.Serial, err = i.mint.ParseJTI(r.ID); err != nil {
		return Read{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	return r, nil
}

// unix is a NumericDate (RFC 7519 §2); a time that never was is 0 and stays out.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
