package client

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxURI = 2048

// loopbackHosts are the ones at which plain http stays on the machine (RFC 8252 §7.3), as they are written in a URI.
var loopbackHosts = []string{"127.0.0.1", "[::1]", "localhost"}

// What can be wrong with a URI: texts that follow the member's name.
const (
	faultLength     = "must have 1 to 2048 characters"
	faultCharacters = "must hold URI characters alone (RFC 3986): no spaces, control characters, quotes or backslashes, nothing beyond ASCII"
	faultForm       = "must be an absolute URI, such as https://app.example/callback"
	faultSchemeCase = "must have its scheme in lower case"
	faultFragment   = "must not have a fragment"
	faultWildcard   = "must not have an asterisk: it is compared byte by byte, without wildcards"
	faultUser       = "must not have a user or password"
	faultHost       = "must have a valid host: a name in ASCII, an IPv4 address, or an IPv6 address in brackets, and a port from 1 to 65535 if any"
	faultPath       = "must not have dot segments or encoded dots, slashes, backslashes, percent signs or control characters"
	faultPlain      = "must use https: http is for 127.0.0.1, [::1] and localhost alone"
	faultScheme     = "must use https, or http at 127.0.0.1, [::1] or localhost"
	faultPrivate    = "must use https, http at a loopback host, or a private-use scheme that is a reversed domain name, such as com.example.app:/callback"
)

// redirectFault says what is wrong with a redirect URI, "" for nothing: absolute, without fragment (RFC 6749 §3.1.2); https, http
// at loopback hosts, or a private-use scheme (RFC 8252 §7). The string is kept as it is, so whatever two parsers might read
// differently is refused here.
func redirectFault(raw string) (fault string, private bool) {
	u, fault := parseURI(raw)
	switch {
	case fault != "":
		return fault, false
	case strings.Contains(raw, "#"):
		return faultFragment, false
	case strings.Contains(raw, "*"):
		return faultWildcard, false
	case u.Scheme == "https" || u.Scheme == "http":
		return webFault(raw, u), false
	case !privateUse(u.Scheme) || !strings.HasPrefix(raw[len(u.Scheme):], ":/"):
		return faultPrivate, false
	case u.User != nil:
		return faultUser, false
	}
	return pathFault(u), true
}

// linkFault says what is wrong with the address of a page or picture of the client's, "" for nothing.
func linkFault(raw string) string {
	u, fault := parseURI(raw)
	switch {
	case fault != "":
		return fault
	case u.Scheme != "https" && u.Scheme != "http":
		return faultScheme
	}
	return webFault(raw, u)
}

// resourceFault says what is wrong with a resource indicator: an absolute URI without fragment (RFC 8707 §2). It is a name and
// never followed, so its scheme is free.
func resourceFault(raw string) string {
	u, fault := parseURI(raw)
	switch {
	case fault != "":
		return fault
	case strings.Contains(raw, "#"):
		return faultFragment
	case u.Scheme == "https" || u.Scheme == "http":
		return hostFault(raw, u)
	}
	return ""
}

// parseURI checks what holds for every URI here.
func parseURI(raw string) (u *url.URL, fault string) {
	if raw == "" || len(raw) > maxURI {
		return nil, faultLength
	}
	for i := range len(raw) {
		if c := raw[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return nil, faultCharacters
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || len(raw) == len(u.Scheme)+1 {
		return nil, faultForm
	}
	if !strings.HasPrefix(raw, u.Scheme+":") { // url.Parse lowers it
		return nil, faultSchemeCase
	}
	return u, ""
}

func webFault(raw string, u *url.URL) string {
	if fault := hostFault(raw, u); fault != "" {
		return fault
	}
	if u.Scheme == "http" && !slices.Contains(loopbackHosts, strings.TrimSuffix(u.Host, ":"+u.Port())) {
		return faultPlain
	}
	return pathFault(u)
}

// hostFault reads the authority by itself and demands that url.Parse read the same: two parsers that disagree about the host are
// how open redirects are made.
func hostFault(raw string, u *url.URL) string {
	rest, ok := strings.CutPrefix(raw, u.Scheme+"://")
	if !ok {
		return faultForm
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	if strings.Contains(authority, "@") {
		return faultUser
	}
	if authority != u.Host || !validAuthority(authority) {
		return faultHost
	}
	return ""
}

func validAuthority(authority string) bool {
	host, port, hasPort := authority, "", false
	if bracketed, ok := strings.CutPrefix(authority, "["); ok {
		address, rest, closed := strings.Cut(bracketed, "]")
		ip, err := netip.ParseAddr(address)
		if !closed || err != nil || !ip.Is6() || ip.Zone() != "" || (rest != "" && rest[0] != ':') {
			return false
		}
		return rest == "" || validPort(rest[1:])
	}
	host, port, hasPort = strings.Cut(authority, ":")
	return validName(host) && (!hasPort || validPort(port))
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

// validName takes a DNS name or a dotted IPv4 address. A name whose last label is a number is one of the odd spellings of an
// address (127.1, 0x7f.1, 2130706433) that some resolvers follow and some do not.
func validName(host string) bool {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if last == "" || last[0] >= '0' && last[0] <= '9' {
		ip, err := netip.ParseAddr(host)
		return err == nil && ip.Is4()
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, labelCharacters) != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(host) <= 253
}

const labelCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// pathFault refuses what a server or proxy on the way might resolve to another path, and encoded control characters anywhere.
func pathFault(u *url.URL) string {
	path := strings.ToLower(u.EscapedPath())
	for _, encoded := range []string{"%2e", "%2f", "%5c", "%25"} {
		if strings.Contains(path, encoded) {
			return faultPath
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment, _, _ = strings.Cut(segment, ";"); segment == "." || segment == ".." {
			return faultPath
		}
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return faultForm
	}
	if strings.ContainsFunc(u.Path+query, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return faultPath
	}
	return ""
}

// privateUse reports whether a scheme has the form of RFC 8252 §7.1: a domain name in reverse, so at least one dot.
func privateUse(scheme string) bool {
	labels := strings.Split(scheme, ".")
	return len(labels) > 1 && !slices.Contains(labels, "")
}
