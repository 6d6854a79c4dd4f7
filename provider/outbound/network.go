package outbound

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Network is a part of the world outside the public Internet that requests may reach all the same.
type Network struct {
	Prefix netip.Prefix
	Port   uint16 // 0: every port
}

// What can be wrong with the text of a Network.
var (
	ErrNetwork  = errors.New("must be CIDRs such as 10.0.0.0/8 or fd00::/8, each with a port if wanted (10.0.0.7/32:8443), comma separated")
	ErrEveryone = errors.New("must not allow every address (/0): name the networks of your applications")
)

// ParseNetwork reads ADDRESS/BITS or ADDRESS/BITS:PORT. An IPv4 address in IPv6 clothes is IPv4. Errors: ErrNetwork, ErrEveryone.
func ParseNetwork(text string) (Network, error) {
	address, rest, ok := strings.Cut(text, "/")
	bits, port, hasPort := strings.Cut(rest, ":")
	if !ok {
		return Network{}, ErrNetwork
	}
	prefix, err := netip.ParsePrefix(address + "/" + bits)
	if err != nil {
		return Network{}, ErrNetwork
	}
	if a := prefix.Addr(); a.Is4In6() {
		if prefix, err = a.Unmap().Prefix(prefix.Bits() - 96); err != nil {
			return Network{}, ErrNetwork
		}
	}
	if prefix.Bits() == 0 {
		return Network{}, ErrEveryone
	}
	n := Network{Prefix: prefix.Masked()}
	if hasPort {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || strconv.FormatUint(number, 10) != port {
			return Network{}, ErrNetwork
		}
		n.Port = uint16(number)
	}
	return n, nil
}

// String is what ParseNetwork reads.
func (n Network) String() string {
	if n.Port == 0 {
		return n.Prefix.String()
	}
	return n.Prefix.String() + ":" + strconv.Itoa(int(n.Port))
}

// Contains reports whether the network has the address and allows its port.
func (n Network) Contains(to netip.AddrPort) bool {
	return n.Prefix.Contains(to.Addr().Unmap()) && (n.Port == 0 || n.Port == to.Port())
}
