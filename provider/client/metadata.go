package client

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of a registration.
const (
	maxRedirectURIs   = 32
	maxName           = 200 // characters
	maxContacts       = 16
	maxContact        = 254 // bytes: the longest address of RFC 5321
	maxResources      = 64
	responseTypeCode  = "code"
	applicationWeb    = "web"
	applicationNative = "native"
)

// Validate checks a registration (RFC 7591 §2, OpenID Connect Registration §2, RFC 8252) and returns it with the standards'
// defaults filled in; Signet's own members that are empty stay so and mean the server's default. Redirect URIs are kept byte for
// byte. Errors are *oauth.Error, invalid_redirect_uri or invalid_client_metadata, and name the member, its fault and what is
// allowed.
func Validate(m storage.ClientMetadata, c Config) (storage.ClientMetadata, error) {
	c = c.withDefaults()
	for _, check := range checks() {
		if err := check(&m, c); err != nil {
			return storage.ClientMetadata{}, err
		}
	}
	return m, nil
}

// checks are in the order in which each may rest on what those before it filled in.
func checks() []func(*storage.ClientMetadata, Config) error {
	return []func(*storage.ClientMetadata, Config) error{
		checkMethod, checkGrants, checkResponses, checkKind, checkRedirects, checkScope, checkTexts, checkLinks, checkTokens, checkLifetimes,
		checkKeys, checkSignIn, checkLogout, checkSubjects, checkInitiation, checkRequestObjects, checkSoftware,
	}
}

func checkMethod(m *storage.ClientMetadata, _ Config) error {
	switch m.TokenEndpointAuthMethod {
	case "":
		m.TokenEndpointAuthMethod = oauth.AuthBasic
	case oauth.AuthNone:
	default:
		if !slices.Contains(Methods(), m.TokenEndpointAuthMethod) {
			return metadataError("token_endpoint_auth_method must be %s or %s", strings.Join(Methods(), ", "), oauth.AuthNone)
		}
	}
	return nil
}

// checkGrants lets a client have what the server does. The password grant is never a default: who hands a user's password to a
// client shall have said so.
func checkGrants(m *storage.ClientMetadata, c Config) error {
	allowed := strings.Join(c.GrantTypes, ", ")
	if len(m.GrantTypes) == 0 {
		if !slices.Contains(c.GrantTypes, oauth.GrantAuthorizationCode) {
			return metadataError("grant_types must be given: this server supports %s", allowed)
		}
		m.GrantTypes = []string{oauth.GrantAuthorizationCode}
	}
	for i, grant := range m.GrantTypes {
		if !slices.Contains(c.GrantTypes, grant) {
			return metadataError("grant_types has a member that this server does not support: it supports %s", allowed)
		}
		if slices.Contains(m.GrantTypes[:i], grant) {
			return metadataError("grant_types must name each grant type once")
		}
	}
	if m.TokenEndpointAuthMethod == oauth.AuthNone && slices.Contains(m.GrantTypes, oauth.GrantClientCredentials) {
		return metadataError("grant_types must not have client_credentials in a public client (token_endpoint_auth_method none): " +
			"it has no credentials")
	}
	if slices.Contains(m.GrantTypes, oauth.GrantRefreshToken) && !slices.ContainsFunc(m.GrantTypes, forPeople) {
		return metadataError("grant_types has refresh_token but no grant type that gives a refresh token: " +
			"client_credentials does not, the others do")
	}
	return nil
}

// checkResponses holds grant types and response types together (RFC 7591 §2.1).
func checkResponses(m *storage.ClientMetadata, _ Config) error {
	if !slices.Contains(m.GrantTypes, oauth.GrantAuthorizationCode) {
		if len(m.ResponseTypes) > 0 {
			return metadataError("response_types must be empty where grant_types does not have authorization_code")
		}
		return nil
	}
	if len(m.ResponseTypes) == 0 {
		m.ResponseTypes = []string{responseTypeCode}
	}
	if len(m.ResponseTypes) != 1 || m.ResponseTypes[0] != responseTypeCode {
		return metadataError("response_types must be code: this server supports no other")
	}
	if len(m.RedirectURIs) == 0 {
		return redirectError("redirect_uris must have at least one member where grant_types has authorization_code")
	}
	return nil
}

func checkKind(m *storage.ClientMetadata, _ Config) error {
	switch m.ApplicationType {
	case "", applicationWeb, applicationNative:
		return nil
	}
	return metadataError("application_type must be web or native")
}

// checkRedirects takes a client with a private-use scheme for a native one unless it says otherwise: such clients often leave
// application_type out.
func checkRedirects(m *storage.ClientMetadata, _ Config) error {
	if len(m.RedirectURIs) > maxRedirectURIs {
		return redirectError("redirect_uris must not have more than %d members", maxRedirectURIs)
	}
	anyPrivate := false
	for i, uri := range m.RedirectURIs {
		fault, private := redirectFault(uri)
		if fault != "" {
			return redirectError("redirect_uris[%d] %s", i, fault)
		}
		if slices.Contains(m.RedirectURIs[:i], uri) {
			return redirectError("redirect_uris[%d] is there twice", i)
		}
		if private && m.ApplicationType == applicationWeb {
			return redirectError("redirect_uris[%d] has a private-use scheme: register application_type native for it", i)
		}
		anyPrivate = anyPrivate || private
	}
	if m.ApplicationType == "" {
		m.ApplicationType = applicationWeb
		if anyPrivate {
			m.ApplicationType = applicationNative
		}
	}
	return nil
}

// checkScope gives a client of people the standard scopes where it names none (RFC 7591 §2 leaves the default to the server):
// most relying parties that register without a scope then ask for these.
func checkScope(m *storage.ClientMetadata, _ Config) error {
	scope, err := oauth.ParseScope(m.Scope)
	if err != nil {
		return metadataError("scope: %s", oauth.As(err).Description)
	}
	if len(scope) == 0 && slices.ContainsFunc(m.GrantTypes, forPeople) {
		scope = oauth.UserScopes()
	}
	m.Scope = oauth.JoinScope(scope)
	return nil
}

// forPeople reports whether a grant type speaks for a person.
func forPeople(grant string) bool {
	return grant != oauth.GrantClientCredentials && grant != oauth.GrantRefreshToken
}

// checkTexts refuses what could mislead on a consent page or in a log.
func checkTexts(m *storage.ClientMetadata, _ Config) error {
	if utf8.RuneCountInString(m.Name) > maxName || !harmless(m.Name) || strings.TrimSpace(m.Name) != m.Name {
		return metadataError("client_name must have at most %d characters, no control or direction characters, and no space at its ends", maxName)
	}
	if len(m.Contacts) > maxContacts {
		return metadataError("contacts must not have more than %d members", maxContacts)
	}
	for i, contact := range m.Contacts {
		if contact == "" || len(contact) > maxContact || !harmless(contact) {
			return metadataError("contacts[%d] must have 1 to %d bytes and no control or direction characters", i, maxContact)
		}
	}
	return nil
}

func harmless(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	})
}

func checkLinks(m *storage.ClientMetadata, _ Config) error {
	links := []struct{ member, uri string }{
		{"client_uri", m.ClientURI}, {"logo_uri", m.LogoURI}, {"policy_uri", m.PolicyURI}, {"tos_uri", m.TOSURI},
	}
	for _, link := range links {
		if link.uri == "" {
			continue
		}
		if fault := linkFault(link.uri); fault != "" {
			return metadataError("%s %s", link.member, fault)
		}
	}
	if len(m.Resources) > maxResources {
		return metadataError("resources must not have more than %d members", maxResources)
	}
	for i, resource := range m.Resources {
		if fault := resourceFault(resource); fault != "" {
			return metadataError("resources[%d] %s", i, fault)
		}
		if slices.Contains(m.Resources[:i], resource) {
			return metadataError("resources[%d] is there twice", i)
		}
	}
	return nil
}

func redirectError(format string, args ...any) *oauth.Error {
	return oauth.Errorf(oauth.InvalidRedirectURI, format, args...)
}
