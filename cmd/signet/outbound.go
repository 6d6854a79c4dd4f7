package main

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/signet-idp/signet/provider/outbound"
)

// networks are what SIGNET_OUTBOUND_ALLOW names, comma separated.
type networks []outbound.Network

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *networks) UnmarshalText(text []byte) error {
	*n = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		network, err := outbound.ParseNetwork(part)
		if err != nil {
			return err
		}
		*n = append(*n, network)
	}
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler: a file may hold a list of them as well as the text.
func (n *networks) UnmarshalYAML(node ast.Node) error {
	list, is := node.(*ast.SequenceNode)
	if !is {
		return placed(node, n)
	}
	*n = nil
	for _, value := range list.Values {
		var one networks
		if err := placed(value, &one); err != nil {
			return err
		}
		*n = append(*n, one...)
	}
	return nil
}

// outboundRoots are the system's authorities and those of SIGNET_OUTBOUND_CA_FILE; nil where that is not set: the system's.
func (s settings) outboundRoots() (*x509.CertPool, error) {
	if s.OutboundCAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.OutboundCAFile)
	if err != nil {
		return nil, fmt.Errorf("SIGNET_OUTBOUND_CA_FILE: the file cannot be read: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("SIGNET_OUTBOUND_CA_FILE must hold certificates in PEM, and %s holds none", s.OutboundCAFile)
	}
	return pool, nil
}

// checkOutbound judges SIGNET_OUTBOUND_ALLOW by who may register an address: with an issuer that others reach, anybody's application
// may name one.
func (d *doctor) checkOutbound() {
	const allow = "SIGNET_OUTBOUND_ALLOW has "
	for _, n := range d.settings.OutboundAllow {
		switch {
		case !strings.HasPrefix(d.settings.IssuerURL, "https:"):
		case within(n, "127.0.0.0/8", "::1/128"):
			d.warn("outbound", allow+n.String()+", which is this machine, and others can reach the issuer",
				"who may register an application can make the server send requests to whatever listens here", "let applications have addresses of their own")
			return
		case within(n, "169.254.0.0/16", "fe80::/10"):
			d.warn("outbound", allow+n.String()+", where clouds have their metadata services",
				"who may register an application can make the server send requests to them", "take it out")
			return
		case n.Port == 0 && within(n, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"):
			d.warn("outbound", allow+n.String()+", a private network with every port",
				"who may register an application can make the server send requests to any service there",
				"name the address and port of each application, such as 10.0.0.7/32:8443")
			return
		}
	}
	if len(d.settings.OutboundAllow) == 0 {
		d.ok("outbound", "requests to applications reach the public Internet alone")
		return
	}
	d.ok("outbound", "requests to applications reach the public Internet and %d networks", len(d.settings.OutboundAllow))
}

func within(n outbound.Network, prefixes ...string) bool {
	for _, text := range prefixes {
		if n.Prefix.Overlaps(netip.MustParsePrefix(text)) {
			return true
		}
	}
	return false
}
