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
func checkKeys(m *storage.ClientMetadata, c Config) error {
	if err := checkPublishedKeys(*m); err != nil {
		return err
	}
	if len(m.JWKS) > 0 {
		set, err := keys.ClientKeySet(m.JWKS)
		if err != nil {
			return metadataError("%v", err)
		}
		m.JWKS = set
	}
	byKey := m.TokenEndpointAuthMethod == oauth.AuthPrivateKeyJWT
	if byKey && len(m.JWKS) == 0 && m.JWKSURI == "" {
		return metadataError("jwks must hold the client's public keys where token_endpoint_auth_method is private_key_jwt, or jwks_uri say where they are")
	}
	if m.TokenEndpointAuthMethod == oauth.AuthSecretJWT && c.Sealer == nil {
		return metadataError("token_endpoint_auth_method client_secret_jwt cannot be used at this server: it has no secret key to seal client secrets under")
	}
	if alg := m.TokenEndpointAuthAlg; alg != "" {
		if known := assertionAlgorithms(m.TokenEndpointAuthMethod); !slices.Contains(known, alg) {
			return metadataError("token_endpoint_auth_signing_alg must be one of %s where token_endpoint_auth_method is %s",
				strings.Join(known, ", "), m.TokenEndpointAuthMethod)
		}
		if byKey && m.JWKSURI == "" && !keys.SetAllows(m.JWKS, alg) {
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

// checkPublishedKeys looks at where a client publishes its keys. What is there is looked at when it is needed: a client may well be
// registered before it runs.
func checkPublishedKeys(m storage.ClientMetadata) error {
	if m.JWKSURI == "" {
		return nil
	}
	if fault := linkFault(m.JWKSURI); fault != "" {
		return metadataError("jwks_uri %s", fault)
	}
	if strings.Contains(m.JWKSURI, "#") {
		return metadataError("jwks_uri %s", faultFragment)
	}
	if len(m.JWKS) > 0 {
		return metadataError("jwks_uri must not be there beside jwks (RFC 7591 section 2): leave one of them out")
	}
	return nil
}

// assertionAlgorithms are those of a method; to one without assertions they mean nothing.
func assertionAlgorithms(method string) []string {
	switch method {
	case oauth.AuthPrivateKeyJWT:
		return keys.AssertionAlgorithms()
	case oauth.AuthSecretJWT:
		return keys.SecretAlgorithms()
	}
	return append(keys.AssertionAlgorithms(), keys.SecretAlgorithms()...)
}
