package throttle

import (
	"context"
	"net/netip"
	"time"
)

// The buckets of registration. Services that register for thousands of people share few addresses, so that one of these is wide; what
// all of them leave together is what the sweep and the cap of unused clients can keep up with.
const (
	registerBurst, registerEvery = 60, time.Second             // registrations from one network
	siteBurst, siteEvery         = 120, 500 * time.Millisecond // of them that bring no token, from one site
	newcomerBurst, newcomerEvery = 300, 200 * time.Millisecond // of all that bring no token
)

// Register takes one attempt to register a client, or to change a registration. known is whether it brings a token that whoever
// checks it next will believe or refuse: then it does not count among those that anybody may make. Errors are those of SignIn.
func (l *Limiter) Register(ctx context.Context, caller Caller, known bool) error {
	network := bucket("register network", Network(caller.Address), Limit{registerBurst, registerEvery})
	if known {
		_, err := l.take(ctx, network)
		return manyRequests(err)
	}
	_, err := l.take(ctx, network, bucket("register site", site(caller.Address), Limit{siteBurst, siteEvery}),
		bucket("register all", "", Limit{newcomerBurst, newcomerEvery}))
	return manyRequests(err)
}

// site is the part of an address that is handed out to anybody who asks for several networks: the /48 of an IPv6 one, which is 65,536 of
// them and must not be all that everybody may do together; of an IPv4 one the whole.
func site(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Unmap().Is4() {
		return Network(address)
	}
	return netip.PrefixFrom(addr.WithZone(""), 48).Masked().String()
}
