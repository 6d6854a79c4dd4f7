package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
)

func TestNothingInsideIsReached(t *testing.T) {
	t.Parallel()
	trap := newCanary(t)
	dns := &names{by: insideNames()}
	// Two clients, each with its own count of the hosts that give no answer.
	c, get := New(Config{Resolver: dns.resolver()}), New(Config{Resolver: dns.resolver()})
	addresses := inside(trap.port)
	for _, address := range addresses {
		status, err := c.PostForm(context.Background(), address, url.Values{"logout_token": {"x"}})
		if status != 0 || !errors.Is(err, ErrRefused) && !leadsNowhere(err) {
			t.Errorf("%q: status %d, %v, want ErrRefused", address, status, err)
		}
		if d, err := get.Get(context.Background(), address, "application/json"); d.Body != nil || !errors.Is(err, ErrRefused) && !leadsNowhere(err) {
			t.Errorf("%q: document %q, %v, want ErrRefused", address, d.Body, err)
		}
	}
	if n := trap.reached.Load(); n != 0 || len(addresses) < 120 {
		t.Errorf("%d connections by %d addresses, want none by 120 and more", n, len(addresses))
	}
}

// leadsNowhere reports whether not even a resolver was asked: to Go a name that ends in a number, and a port beyond the last, are none.
func leadsNowhere(err error) bool {
	var name *net.DNSError
	var port *net.AddrError
	return errors.As(err, &name) && name.IsNotFound || errors.As(err, &port)
}

// TestOfThePublicInternetThePortsOfHTTPSAreReached asks the guard alone: a test sends nothing into the world.
func TestOfThePublicInternetThePortsOfHTTPSAreReached(t *testing.T) {
	t.Parallel()
	tls, plain := newGuard(nil, false), newGuard([]Network{network(t, "10.0.0.0/8")}, true)
	for _, c := range []struct {
		network, address string
		reached          bool
	}{
		{"tcp4", "1.1.1.1:443", true},
		{"tcp4", "8.8.8.8:8443", true},
		{"tcp6", "[2606:4700::1111]:443", true},
		{"tcp4", "1.1.1.1:22", false},
		{"tcp4", "1.1.1.1:25", false},
		{"tcp4", "1.1.1.1:80", false},
		{"tcp4", "1.1.1.1:6379", false},
		{"tcp4", "1.1.1.1:9000", false},
		{"tcp4", "1.1.1.1:0", false},
		{"udp4", "1.1.1.1:443", false},
		{"unix", "/run/docker.sock", false},
		{"tcp6", "[::ffff:1.1.1.1]:443", false},
		{"tcp4", "name:443", false},
		{"tcp4", "10.0.0.1:443", false},
	} {
		if err := tls.control(c.network, c.address, nil); (err == nil) != c.reached || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want reached %v", c.address, err, c.reached)
		}
		if err := plain.control(c.network, c.address, nil); !errors.Is(err, ErrRefused) {
			t.Errorf("%s without TLS: %v, want ErrRefused", c.address, err)
		}
	}
}

func TestTheListOfAllowedNetworksCountsByAddressAndPort(t *testing.T) {
	t.Parallel()
	trap := newCanary(t)
	server := serve(t, false, func(http.ResponseWriter, *http.Request) {})
	dns := &names{by: map[string][][]string{"app.test": {{"127.0.0.1"}}}}
	there := "http://127.0.0.1:" + portOf(server) + "/"
	for _, c := range []struct {
		allow   string
		address string
		reached bool
	}{
		{"127.0.0.1/32", there, true},
		{"127.0.0.0/8", there, true},
		{"127.0.0.1/32:" + portOf(server), there, true},
		{"::ffff:127.0.0.1/128", there, true},
		{"127.0.0.1/32", "http://localhost:" + portOf(server) + "/", true},
		{"127.0.0.1/32:" + trap.port, there, false},
		{"127.0.0.2/32", there, false},
		{"::1/128", there, false},
		{"10.0.0.0/8", there, false},
		// Without TLS to this machine alone, and by a name that says so.
		{"127.0.0.1/32", "http://app.test:" + portOf(server) + "/", false},
		{"127.0.0.1/32", "http://127.1:" + portOf(server) + "/", false},
		{"10.0.0.0/8", "http://10.0.0.1/", false},
		{"127.0.0.1/32:" + portOf(server), "http://127.0.0.1:" + trap.port + "/", false},
		{"127.0.0.1/32:" + portOf(server), "http://[::1]:" + trap.port + "/", false},
	} {
		client := New(Config{Allow: []Network{network(t, c.allow)}, Resolver: dns.resolver()})
		status, err := client.PostForm(context.Background(), c.address, nil)
		if c.reached != (status == http.StatusOK && err == nil) || !c.reached && !errors.Is(err, ErrRefused) {
			t.Errorf("%s where %s is allowed: %d, %v, want reached %v", c.address, c.allow, status, err, c.reached)
		}
	}
	if n := trap.reached.Load(); n != 0 {
		t.Errorf("%d connections to what is not allowed", n)
	}
}

// TestANameThatMovesIsJudgedWhereItLeads: what a name was at an earlier lookup counts for nothing.
func TestANameThatMovesIsJudgedWhereItLeads(t *testing.T) {
	t.Parallel()
	trap := newCanary(t)
	dns := &names{by: map[string][][]string{"app.test": {{"127.0.0.2"}, {"127.0.0.1"}}}}
	c := New(Config{Allow: []Network{network(t, "127.0.0.2/32")}, Resolver: dns.resolver()})
	address := "https://app.test:" + trap.port + "/"
	if _, err := c.PostForm(context.Background(), address, nil); !errors.Is(err, ErrUnreachable) {
		t.Fatalf("at the allowed address, where nobody listens: %v, want ErrUnreachable", err)
	}
	for range 3 {
		if _, err := c.PostForm(context.Background(), address, nil); !errors.Is(err, ErrRefused) {
			t.Fatalf("after it moved: %v, want ErrRefused", err)
		}
	}
	if n := trap.reached.Load(); n != 0 {
		t.Errorf("%d connections to where the name moved", n)
	}
}

func TestNetworksAreReadStrictly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "10.0.0.7/32:8443": "10.0.0.7/32:8443", "fd00::/8": "fd00::/8",
		"fd00::7/128:8443": "fd00::7/128:8443", "::1/128": "::1/128", "::ffff:10.0.0.0/104": "10.0.0.0/8", "127.0.0.1/32:1": "127.0.0.1/32:1",
		"127.0.0.1/32:65535": "127.0.0.1/32:65535",
	} {
		n, err := ParseNetwork(text)
		if err != nil || n.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, n, err, want)
		}
		if again, err := ParseNetwork(n.String()); err != nil || again != n {
			t.Errorf("%s is read back as %s, %v", n, again, err)
		}
	}
	for text, want := range map[string]error{
		"": ErrNetwork, "10.0.0.1": ErrNetwork, "localhost": ErrNetwork, "10.0.0.0/8:": ErrNetwork, "10.0.0.0/8:0": ErrNetwork, "10.0.0.0/8:65536": ErrNetwork,
		"10.0.0.0/8:+443": ErrNetwork, "10.0.0.0/8:0443": ErrNetwork, "10.0.0.0/33": ErrNetwork, "10.0.0.0:443/8": ErrNetwork, "10.0.0.0/8/8": ErrNetwork,
		" 10.0.0.0/8": ErrNetwork, "[fd00::]/8": ErrNetwork, "fe80::1%lo/64": ErrNetwork, "::ffff:10.0.0.0/90": ErrNetwork,
		"0.0.0.0/0": ErrEveryone, "::/0": ErrEveryone, "10.0.0.0/0": ErrEveryone, "0.0.0.0/0:443": ErrEveryone, "::ffff:0.0.0.0/96": ErrEveryone,
	} {
		if n, err := ParseNetwork(text); !errors.Is(err, want) || n != (Network{}) {
			t.Errorf("%q: %s, %v, want %v", text, n, err, want)
		}
	}
}
