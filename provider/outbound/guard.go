package outbound

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// The ports of the public Internet that may be reached: those of HTTPS.
const (
	portHTTPS    = 443
	portHTTPSAlt = 8443
)

// check reads an address that somebody registered. What it leads to is judged by guard.
func check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the address cannot be read", ErrRefused)
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.Fragment != "":
		return nil, fmt.Errorf("%w: the address must have a host, and neither a user nor a fragment", ErrRefused)
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, fmt.Errorf("%w: the address must use https; http is for 127.0.0.1, [::1] and localhost alone", ErrRefused)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// guard judges the address that a socket is about to take.
type guard struct {
	allow  []Network
	plain  bool // without TLS: only to this machine, and only where that is allowed
	public *ssrf.Guardian
}

func newGuard(allow []Network, plain bool) guard {
	return guard{slices.Clone(allow), plain, ssrf.New(ssrf.WithPorts(portHTTPS, portHTTPSAlt))}
}

// control is a net.Dialer's Control: it is called for each address that is tried, after every lookup, before the connection.
func (g guard) control(network, address string, conn syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if g.plain && !to.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%w: %s is not this machine, and the address has no TLS", ErrRefused, to)
	}
	if slices.ContainsFunc(g.allow, func(n Network) bool { return n.Contains(to) }) {
		return nil
	}
	if err := g.public.Safe(network, address, conn); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}
