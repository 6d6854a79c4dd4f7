package oauth

import (
	"net/netip"
	"net/url"
	"strings"
)

// Target is a redirect URI that was proven against a registration. Only Match makes one, so that nothing can be sent to an address
// that nobody registered. The zero Target is none.
type Target struct{ uri string }

// Match proves uri against the registered ones: byte for byte, without any normalisation, but for the port of a loopback address,
// which native apps choose when they listen (RFC 8252 §7.3): http://127.0.0.1/cb and http://[::1]/cb match every port, localhost
// and everything else none but their own.
func Match(registered []string, uri string) (Target, bool) {
	for _, known := range registered {
		if known == uri || loopbackEqual(known, uri) {
			return Target{uri}, uri != ""
		}
	}
	return Target{}, false
}

// loopbackEqual reports whether two URIs differ in nothing but the port after one and the same loopback address literal.
func loopbackEqual(known, uri string) bool {
	for _, origin := range []string{"http://127.0.0.1", "http://[::1]"} {
		path, ok := strings.CutPrefix(known, origin)
		rest, same := strings.CutPrefix(uri, origin)
		if !ok || !same {
			continue
		}
		path, knownGood := cutPort(path)
		rest, good := cutPort(rest)
		return knownGood && good && path == rest
	}
	return false
}

// cutPort takes a port off the front of what follows a host. ok is false where what follows is neither a port, a path nor a query.
func cutPort(rest string) (after string, ok bool) {
	if digits, found := strings.CutPrefix(rest, ":"); found {
		end := strings.IndexAny(digits, "/?#")
		if end < 0 {
			end = len(digits)
		}
		if _, err := netip.ParseAddrPort("127.0.0.1:" + digits[:end]); err != nil || digits[0] == '0' {
			return "", false
		}
		rest = digits[end:]
	}
	return rest, rest == "" || rest[0] == '/' || rest[0] == '?'
}

// IsZero reports whether there is no target.
func (t Target) IsZero() bool { return t.uri == "" }

// String is the redirect URI, byte for byte.
func (t Target) String() string { return t.uri }

// Origin is what a Content Security Policy names to allow the redirect (form-action): scheme://host:port of a web address, scheme:
// of an app's own. "" where there is none.
func (t Target) Origin() string {
	u, err := url.Parse(t.uri)
	switch {
	case err != nil || u.Scheme == "":
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":"
}

// Host is what a person is told about where they return: host and port of a web address, the scheme of an app's own.
func (t Target) Host() string {
	u, err := url.Parse(t.uri)
	switch {
	case err != nil:
		return ""
	case u.Host != "":
		return u.Host
	}
	return u.Scheme + ":"
}

// WithQuery is the redirect URI with parameters added in the form encoding; a query that was registered is kept (RFC 6749 §3.1.2).
func (t Target) WithQuery(encoded string) string {
	switch {
	case encoded == "":
		return t.uri
	case !strings.Contains(t.uri, "?"):
		return t.uri + "?" + encoded
	case strings.HasSuffix(t.uri, "?"), strings.HasSuffix(t.uri, "&"):
		return t.uri + encoded
	}
	return t.uri + "&" + encoded
}

// WithFragment is the redirect URI with parameters in its fragment.
func (t Target) WithFragment(encoded string) string { return t.uri + "#" + encoded }
