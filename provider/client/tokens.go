package client

import (
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of what a client may choose about its tokens, in seconds.
const (
	minAccessTokenLifetime  = 10
	maxAccessTokenLifetime  = 24 * 60 * 60
	maxRefreshTokenLifetime = 10 * 365 * 24 * 60 * 60
	maxRefreshGrace         = 300
)

func checkTokens(m *storage.ClientMetadata, c Config) error {
	if err := checkFormat(m.AccessTokenFormat); err != nil {
		return err
	}
	if err := checkAlgorithm("id_token_signed_response_alg", m.IDTokenSignedAlg, c); err != nil {
		return err
	}
	if err := checkAlgorithm("access_token_signed_response_alg", m.AccessTokenSignedAlg, c); err != nil {
		return err
	}
	if err := checkAlgorithm("userinfo_signed_response_alg", m.UserinfoSignedAlg, c); err != nil {
		return err
	}
	switch m.RefreshRotation {
	case "", storage.Balanced, storage.Strict:
	case storage.Static:
		if m.TokenEndpointAuthMethod == oauth.AuthNone {
			return metadataError("refresh_rotation must not be static in a public client (token_endpoint_auth_method none): " +
				"choose balanced or strict")
		}
	default:
		return metadataError("refresh_rotation must be %s, %s or %s", storage.Balanced, storage.Strict, storage.Static)
	}
	return nil
}

func checkFormat(format string) error {
	switch format {
	case "", oauth.FormatJWT, oauth.FormatOpaque:
		return nil
	}
	return metadataError("access_token_format must be %s or %s", oauth.FormatJWT, oauth.FormatOpaque)
}

func checkAlgorithm(member, algorithm string, c Config) error {
	switch {
	case algorithm == "" || slices.Contains(c.Algorithms, algorithm):
		return nil
	case len(c.Algorithms) == 0:
		return metadataError("%s cannot be chosen at this server: leave it out", member)
	}
	return metadataError("%s must be one of %s", member, strings.Join(c.Algorithms, ", "))
}

func checkLifetimes(m *storage.ClientMetadata, c Config) error {
	bounds := []struct {
		member             string
		value, least, most int64
	}{
		{"access_token_lifetime", m.AccessTokenLifetime, minAccessTokenLifetime, maxAccessTokenLifetime},
		{"refresh_token_lifetime", m.RefreshTokenLifetime, 1, maxRefreshTokenLifetime},
		{"refresh_token_idle_lifetime", m.RefreshTokenIdleLifetime, 1, maxRefreshTokenLifetime},
		{"refresh_grace", m.RefreshGrace, 1, maxRefreshGrace},
	}
	for _, b := range bounds {
		if b.value != 0 && (b.value < b.least || b.value > b.most) {
			return metadataError("%s must be between %d and %d seconds, or 0 for the default of the server", b.member, b.least, b.most)
		}
	}
	if whole := seconds(m.RefreshTokenLifetime, c.RefreshTokenLifetime); seconds(m.RefreshTokenIdleLifetime, 0) > whole {
		return metadataError("refresh_token_idle_lifetime must not exceed refresh_token_lifetime, which is %d seconds", whole/time.Second)
	}
	return nil
}
