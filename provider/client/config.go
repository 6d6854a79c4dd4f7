package client

import (
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// The defaults of Config.
const (
	DefaultAccessTokenLifetime      = 15 * time.Minute
	DefaultRefreshTokenIdleLifetime = 30 * 24 * time.Hour
	DefaultRefreshTokenLifetime     = 365 * 24 * time.Hour
	DefaultGrace                    = 30 * time.Second
	DefaultUnusedClients            = 10_000
)

// Config is what the server supports and what clients get that did not choose. Zero values are usable.
type Config struct {
	Issuer        string   // names the realm in challenges, and is the audience of client assertions
	TokenEndpoint string   // the other audience that client assertions may have; "": none
	GrantTypes    []string // that a client may register; nil: all that the token endpoint knows
	Algorithms    []string // JWS algorithms that a client may choose; nil: none, every client gets the server's default

	Rotation                 storage.Rotation // "": strict for confidential clients, balanced for public ones
	Grace                    time.Duration    // W of docs/grants.md
	AccessTokenLifetime      time.Duration
	RefreshTokenIdleLifetime time.Duration
	RefreshTokenLifetime     time.Duration

	Outbound *outbound.Client // fetches the keys of clients with a jwks_uri; nil: they cannot prove who they are

	Sealer *keys.Sealer // seals the secrets of client_secret_jwt; nil: no client may have that method

	UnusedClients int // how many clients made by machines that never obtained a token are kept; 0: 10,000

	Documents DocumentPolicy // whose client id documents are read (Arrive)

	Clock func() time.Time // stamps a secret that is made with its client; nil: time.Now
}

func (c Config) withDefaults() Config {
	if c.GrantTypes == nil {
		c.GrantTypes = []string{
			oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode, oauth.GrantClientCredentials, oauth.GrantPassword,
		}
	}
	orDuration(&c.Grace, DefaultGrace)
	orDuration(&c.AccessTokenLifetime, DefaultAccessTokenLifetime)
	orDuration(&c.RefreshTokenIdleLifetime, DefaultRefreshTokenIdleLifetime)
	orDuration(&c.RefreshTokenLifetime, DefaultRefreshTokenLifetime)
	if c.UnusedClients == 0 {
		c.UnusedClients = DefaultUnusedClients
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

func orDuration(d *time.Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = otherwise
	}
}

// Methods are the ways in which a client may prove who it is, in the order of metadata; none, which proves nothing, is not
// among them.
func Methods() []string {
	return []string{oauth.AuthBasic, oauth.AuthPost, oauth.AuthSecretJWT, oauth.AuthPrivateKeyJWT}
}

// HoldsSecret reports whether the client authenticates with a secret that is made here.
func HoldsSecret(c storage.Client) bool {
	method := c.Metadata.TokenEndpointAuthMethod
	return method == oauth.AuthBasic || method == oauth.AuthPost || method == oauth.AuthSecretJWT
}

// asserts reports whether the client proves itself by what it signs.
func asserts(c storage.Client) bool {
	method := c.Metadata.TokenEndpointAuthMethod
	return method == oauth.AuthSecretJWT || method == oauth.AuthPrivateKeyJWT
}

// Public reports whether the client has no credentials (RFC 6749 §2.1).
func Public(c storage.Client) bool { return c.Metadata.TokenEndpointAuthMethod == oauth.AuthNone }

// Policy resolves what the rotation rule goes by: the client's own choice, else the server's, else that of its kind.
func (r *Registry) Policy(c storage.Client) storage.Policy {
	rotation := c.Metadata.RefreshRotation
	if rotation == "" {
		rotation = r.config.Rotation
	}
	if rotation == "" {
		rotation = storage.Strict
		if Public(c) {
			rotation = storage.Balanced
		}
	}
	if rotation == storage.Static && Public(c) { // a default is not licence for what a registration may not ask
		rotation = storage.Balanced
	}
	return storage.Policy{
		Rotation: rotation,
		Grace:    seconds(c.Metadata.RefreshGrace, r.config.Grace),
		Idle:     min(seconds(c.Metadata.RefreshTokenIdleLifetime, r.config.RefreshTokenIdleLifetime), r.RefreshTokenLifetime(c)),
	}
}

// AccessTokenLifetime is how long the client's access tokens live.
func (r *Registry) AccessTokenLifetime(c storage.Client) time.Duration {
	return seconds(c.Metadata.AccessTokenLifetime, r.config.AccessTokenLifetime)
}

// RefreshTokenLifetime is how long the client's grants live, however often they are refreshed.
func (r *Registry) RefreshTokenLifetime(c storage.Client) time.Duration {
	return seconds(c.Metadata.RefreshTokenLifetime, r.config.RefreshTokenLifetime)
}

func seconds(n int64, otherwise time.Duration) time.Duration {
	if n == 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}
