package client

import (
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// checkKeys looks at what a client proves itself with. Its key set is kept in our own writing, so that every reader of it reads
// the same keys.
func checkKeys(m *storage.ClientMetadata, _ Config) error {
	if m.JWKSURI != "" {
		return metadataError("jwks_uri is not supported yet: register the public keys themselves in jwks")
	}
	if len(m.JWKS) > 0 {
		set, err := keys.ClientKeySet(m.JWKS)
		if err != nil {
			return metadataError("%v", err)
		}
		m.JWKS = set
	}
	byKey := m.TokenEndpointAuthMethod == oauth.AuthPrivateKeyJWT
	if byKey && len(m.JWKS) == 0 {
		return metadataError("jwks must hold the client's public keys where token_endpoint_auth_method is private_key_jwt")
	}
	if alg := m.TokenEndpointAuthAlg; alg != "" {
		if known := keys.AssertionAlgorithms(); !slices.Contains(known, alg) {
			return metadataError("token_endpoint_auth_signing_alg must be one of %s", strings.Join(known, ", "))
		}
		if byKey && !keys.SetAllows(m.JWKS, alg) {
			return metadataError("token_endpoint_auth_signing_alg is %s, and no key in jwks can sign with it", alg)
		}
	}
	if a := m.AssertionAudience; a != "" && a != audienceIssuer {
		return metadataError("client_assertion_audience must be issuer, or left out: then the token endpoint is taken too")
	}
	if m.RequirePKCE != nil && !*m.RequirePKCE && m.TokenEndpointAuthMethod == oauth.AuthNone {
		return metadataError("require_pkce must not be false in a public client (token_endpoint_auth_method none)")
	}
	return nil
}
