package client

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// The bounds of what a client may choose about its sign-ins and sign-outs.
const (
	maxPostLogoutURIs = 32
	maxACRValues      = 16
	maxACRValue       = 255                  // bytes
	maxDefaultMaxAge  = 10 * 365 * 24 * 3600 // seconds
)

// checkSignIn looks at the defaults of a client's authorization requests (OpenID Connect Registration §2). An ACR that this server
// does not know is a wish that it cannot fulfil, and no fault.
func checkSignIn(m *storage.ClientMetadata, _ Config) error {
	if age := m.DefaultMaxAge; age != nil && (*age < 0 || *age > maxDefaultMaxAge) {
		return metadataError("default_max_age must be between 0 and %d seconds, or left out for none", maxDefaultMaxAge)
	}
	if len(m.DefaultACRValues) > maxACRValues {
		return metadataError("default_acr_values must not have more than %d members", maxACRValues)
	}
	for i, acr := range m.DefaultACRValues {
		if acr == "" || len(acr) > maxACRValue || strings.ContainsFunc(acr, func(r rune) bool { return r <= 0x20 || r >= 0x7f }) {
			return metadataError("default_acr_values[%d] must have 1 to %d characters of printable ASCII without spaces", i, maxACRValue)
		}
		if slices.Contains(m.DefaultACRValues[:i], acr) {
			return metadataError("default_acr_values[%d] is there twice", i)
		}
	}
	return nil
}

// checkLogout looks at where a sign-out leads people, and whom it tells.
func checkLogout(m *storage.ClientMetadata, _ Config) error {
	if len(m.PostLogoutRedirectURIs) > maxPostLogoutURIs {
		return metadataError("post_logout_redirect_uris must not have more than %d members", maxPostLogoutURIs)
	}
	for i, uri := range m.PostLogoutRedirectURIs {
		fault, private := redirectFault(uri)
		if fault != "" {
			return metadataError("post_logout_redirect_uris[%d] %s", i, fault)
		}
		if slices.Contains(m.PostLogoutRedirectURIs[:i], uri) {
			return metadataError("post_logout_redirect_uris[%d] is there twice", i)
		}
		if private && m.ApplicationType != applicationNative {
			return metadataError("post_logout_redirect_uris[%d] has a private-use scheme: register application_type native for it", i)
		}
	}
	for _, link := range []struct{ member, uri string }{
		{"backchannel_logout_uri", m.BackchannelLogoutURI}, {"frontchannel_logout_uri", m.FrontchannelLogoutURI},
	} {
		if link.uri == "" {
			continue
		}
		if fault := linkFault(link.uri); fault != "" {
			return metadataError("%s %s", link.member, fault)
		}
		if strings.Contains(link.uri, "#") {
			return metadataError("%s %s", link.member, faultFragment)
		}
	}
	// Every browser that signs out loads the front-channel page, with the session's ID: it stays with who gets the codes.
	if m.FrontchannelLogoutURI != "" && !slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return sameOrigin(uri, m.FrontchannelLogoutURI) }) {
		return metadataError("frontchannel_logout_uri must have the scheme, host and port of one of redirect_uris " +
			"(OpenID Connect Front-Channel Logout section 2)")
	}
	return nil
}

// sameOrigin compares scheme, host and port of two web addresses that were found valid.
func sameOrigin(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	if errA != nil || errB != nil || u.Host == "" {
		return false
	}
	return u.Scheme == v.Scheme && strings.EqualFold(u.Hostname(), v.Hostname()) && port(u) == port(v)
}

func port(u *url.URL) string {
	standard := "443"
	if u.Scheme == "http" {
		standard = "80"
	}
	return cmp.Or(u.Port(), standard)
}
