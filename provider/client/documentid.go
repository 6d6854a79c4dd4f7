package client

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/throttle"
)

// DocumentPolicy says whose client id documents are read (draft-ietf-oauth-client-id-metadata-document). The zero value: nobody's.
type DocumentPolicy struct {
	On    bool
	Allow []string // hosts, exact or *.example.com (CheckDocumentHost); empty: every host
	Deny  []string // likewise; it wins over Allow

	Limiter *throttle.Limiter // bounds how many are read; required where On
}

// What can be wrong with a client_id that is an address: texts that follow it.
const (
	faultDocumentScheme = "must begin with https://"
	faultDocumentPath   = "must have a path after the host, and not / alone"
	faultDocumentHost   = "must have a domain name as its host, and no IP address"
	faultDocumentOff    = "is an address, and this server reads no client id documents"
	faultDocumentDenied = "is at a host whose client id documents this server does not read"
)

// Why an operator's word stands against a document: for the log.
var (
	errDocumentOff    = errors.New("SIGNET_CLIENT_ID_DOCUMENTS is off")
	errDocumentDenied = errors.New("SIGNET_CLIENT_ID_DOCUMENT_DENY has the host, or SIGNET_CLIENT_ID_DOCUMENT_ALLOW has not")
)

// refuse is documentFault as Arrive returns it, nil for nothing.
func (p DocumentPolicy) refuse(id string) *DocumentFault {
	fault := p.documentFault(id)
	if fault == "" {
		return nil
	}
	f := &DocumentFault{Description: "client_id " + fault}
	switch fault {
	case faultDocumentOff:
		f.cause = errDocumentOff
	case faultDocumentDenied:
		f.cause = errDocumentDenied
	}
	return f
}

// DocumentHost is the host, with its port if any, that publishes the document of a client whose ID is its address; "" for other IDs.
func DocumentHost(id string) string {
	if !addressed(id) {
		return ""
	}
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	return u.Host
}

// addressed reports whether a client_id is an address. CheckID lets nobody choose such an ID, and none is drawn.
func addressed(id string) bool { return strings.Contains(id, "://") }

// documentFault says why no document is read for the id, "" for nothing. It is compared byte by byte ever after, so whatever two
// readers might take for the same is refused.
func (p DocumentPolicy) documentFault(id string) string {
	if !p.On {
		return faultDocumentOff
	}
	u, fault := parseURI(id)
	switch {
	case fault != "":
		return fault
	case u.Scheme != "https":
		return faultDocumentScheme
	case strings.Contains(id, "#"):
		return faultFragment
	}
	if fault := webFault(id, u); fault != "" {
		return fault
	}
	if u.Path == "" || u.Path == "/" {
		return faultDocumentPath
	}
	// This machine is a matter of what the outbound client may reach, which is nothing of it unless an operator says so.
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil && !ip.IsLoopback() {
		return faultDocumentHost
	}
	if matchesHost(p.Deny, host) || len(p.Allow) > 0 && !matchesHost(p.Allow, host) {
		return faultDocumentDenied
	}
	return ""
}

// matchesHost reports whether one of the patterns is the host, or *. and a domain that it is under.
func matchesHost(patterns []string, host string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		if domain, ok := strings.CutPrefix(pattern, "*"); ok {
			return strings.HasSuffix(host, domain) && len(host) > len(domain)
		}
		return host == pattern
	})
}

// ErrDocumentHost is what is wrong with a host of DocumentPolicy.
var ErrDocumentHost = errors.New("must be hosts such as app.example.com, or *.example.com for all under a domain, without scheme, port and path")

// CheckDocumentHost checks a host of DocumentPolicy. The error is ErrDocumentHost.
func CheckDocumentHost(pattern string) error {
	name := strings.TrimPrefix(pattern, "*.")
	if !validName(name) {
		return ErrDocumentHost
	}
	return nil
}
