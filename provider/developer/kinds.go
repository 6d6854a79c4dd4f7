package developer

import (
	"slices"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Kind is what sort of app it is, for people: what of the protocol it takes follows from that. It is not kept.
type Kind string

// The kinds.
const (
	KindWeb     Kind = "web"     // runs on a server, and keeps a secret there
	KindSPA     Kind = "spa"     // runs in the browser
	KindNative  Kind = "native"  // runs on a person's device
	KindMachine Kind = "machine" // acts for itself, without a person
	KindAgent   Kind = "agent"   // runs on a person's device and acts for them, such as an MCP client
)

// Kinds are all kinds, in the order in which they are offered.
func Kinds() []Kind { return []Kind{KindWeb, KindSPA, KindNative, KindMachine, KindAgent} }

const (
	applicationWeb    = "web"
	applicationNative = "native"
)

// agentRedirect is taken at any port (RFC 8252 §7.3), which an agent chooses when it listens.
const agentRedirect = "http://127.0.0.1/callback"

// Defaults are what an app of the kind begins with, without a name and redirect URIs of its own; of no kind, those of KindWeb. A public
// client has no secret and must use PKCE, as every client must; how refresh tokens rotate is left to the server, which forgives public
// clients what networks do to them, and confidential ones nothing.
func Defaults(k Kind) storage.ClientMetadata {
	m := storage.ClientMetadata{
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, ResponseTypes: []string{oauth.ResponseTypeCode},
		Scope:                   oauth.JoinScope([]string{oauth.ScopeOpenID, oauth.ScopeProfile, oauth.ScopeEmail}),
		TokenEndpointAuthMethod: oauth.AuthBasic, ApplicationType: applicationWeb,
	}
	switch k {
	case KindSPA:
		m.TokenEndpointAuthMethod = oauth.AuthNone
	case KindNative:
		m.TokenEndpointAuthMethod, m.ApplicationType = oauth.AuthNone, applicationNative
		m.Scope += " " + oauth.ScopeOfflineAccess
	case KindMachine:
		m.GrantTypes, m.ResponseTypes, m.Scope = []string{oauth.GrantClientCredentials}, nil, ""
	case KindAgent:
		m.TokenEndpointAuthMethod, m.ApplicationType = oauth.AuthNone, applicationNative
		m.GrantTypes, m.RedirectURIs = append(m.GrantTypes, oauth.GrantDeviceCode), []string{agentRedirect}
		m.Scope += " " + oauth.ScopeOfflineAccess
	}
	return m
}

// KindOf is the kind that a registration comes nearest to.
func KindOf(m storage.ClientMetadata) Kind {
	has := func(grant string) bool { return slices.Contains(m.GrantTypes, grant) }
	public := m.TokenEndpointAuthMethod == oauth.AuthNone
	switch {
	case has(oauth.GrantClientCredentials) && !has(oauth.GrantAuthorizationCode) && !has(oauth.GrantDeviceCode):
		return KindMachine
	case public && has(oauth.GrantDeviceCode):
		return KindAgent
	case m.ApplicationType == applicationNative:
		return KindNative
	case public:
		return KindSPA
	}
	return KindWeb
}
