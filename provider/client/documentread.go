package client

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// readDocument reads the client id document that was found at the address id. It is written for every server at once: what it asks for
// and this server does not have is left out. Errors are *oauth.Error. told reports that the document names the address as its own:
// what is wrong with such a one may be told to whoever asks, since it is public and says itself that it is there.
func readDocument(id string, text []byte) (m storage.ClientMetadata, told bool, err error) {
	m, rest, err := ReadMetadata(text)
	if err != nil {
		return m, false, err
	}
	var named string
	if json.Unmarshal(rest["client_id"], &named) != nil || named != id {
		return m, false, metadataError("client_id must be there, and be the address of the document byte by byte")
	}
	for _, member := range []string{"client_secret", "client_secret_expires_at"} {
		if _, there := rest[member]; there {
			return m, true, metadataError("%s must not be in a client id document: it is public", member)
		}
	}
	for _, check := range []func(*storage.ClientMetadata) error{narrowDocument, checkDocumentMethod} {
		if err := check(&m); err != nil {
			return m, true, err
		}
	}
	return m, true, checkDocumentOrigin(id, &m)
}

// narrowDocument leaves out what is for other servers. One that has nothing for this one is refused: what nobody chose is given to those
// alone who say nothing.
func narrowDocument(m *storage.ClientMetadata) error {
	m.RequirePKCE = nil
	allowed := softwareGrants()
	grants := keep(m.GrantTypes, func(grant string) bool { return slices.Contains(allowed, grant) })
	if len(m.GrantTypes) > 0 && len(grants) == 0 {
		return metadataError("grant_types must have one of %s in a client id document", strings.Join(allowed, ", "))
	}
	m.GrantTypes = grants
	if len(grants) > 0 && !slices.Contains(grants, oauth.GrantAuthorizationCode) {
		m.ResponseTypes = nil
		return nil
	}
	kinds := keep(m.ResponseTypes, func(kind string) bool { return kind == responseTypeCode })
	if len(m.ResponseTypes) > 0 && len(kinds) == 0 {
		return metadataError("response_types must have code")
	}
	m.ResponseTypes = kinds
	return nil
}

// checkDocumentMethod lets a client prove itself with keys or not at all: there is no way to give it a secret. One that does not say has
// none.
func checkDocumentMethod(m *storage.ClientMetadata) error {
	switch m.TokenEndpointAuthMethod {
	case "":
		m.TokenEndpointAuthMethod = oauth.AuthNone
	case oauth.AuthNone, oauth.AuthPrivateKeyJWT:
	default:
		return metadataError("token_endpoint_auth_method must be none or private_key_jwt in a client id document")
	}
	return nil
}

// checkDocumentOrigin holds a document to its origin: who can publish it there can have what is sent there anyway. Pages and pictures
// elsewhere are left out, for they would lend another's name; everything else elsewhere is refused.
func checkDocumentOrigin(id string, m *storage.ClientMetadata) error {
	for _, page := range []*string{&m.ClientURI, &m.LogoURI, &m.PolicyURI, &m.TOSURI} {
		if !sameOrigin(id, *page) {
			*page = ""
		}
	}
	for _, list := range []struct {
		member string
		uris   []string
	}{{"redirect_uris", m.RedirectURIs}, {"post_logout_redirect_uris", m.PostLogoutRedirectURIs}} {
		for i, uri := range list.uris {
			if !sameOrigin(id, uri) && !atLoopback(uri) {
				return oauth.Errorf(faultCode(list.member), "%s[%d] must have the scheme, host and port of the client_id, or be http at 127.0.0.1, [::1] or localhost", list.member, i)
			}
		}
	}
	for _, link := range []struct{ member, uri string }{
		{"jwks_uri", m.JWKSURI},
		{"backchannel_logout_uri", m.BackchannelLogoutURI},
		{"frontchannel_logout_uri", m.FrontchannelLogoutURI},
		{"initiate_login_uri", m.InitiateLoginURI},
		{"sector_identifier_uri", m.SectorIdentifierURI},
	} {
		if link.uri != "" && !sameOrigin(id, link.uri) {
			return metadataError("%s must have the scheme, host and port of the client_id", link.member)
		}
	}
	return nil
}

func faultCode(member string) oauth.Code {
	if member == "redirect_uris" {
		return oauth.InvalidRedirectURI
	}
	return oauth.InvalidClientMetadata
}

// atLoopback reports whether a redirect URI leads to a program on the person's own device (RFC 8252 §7.3).
func atLoopback(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && u.User == nil && slices.Contains(loopbackHosts, strings.TrimSuffix(u.Host, ":"+u.Port()))
}
