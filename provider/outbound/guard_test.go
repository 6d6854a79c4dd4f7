package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// inside are addresses that only this machine, its network or nobody answers at; PORT is the canary's. Each is asked over https and,
// where that says so, http.
func inside() []string {
	hosts := []string{
		// this machine, in every spelling that some resolver or parser follows
		"127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "0.0.0.1", "2130706433", "017700000001", "0177.0.0.1",
		"0177.0.0.01", "0x7f.1", "0x7f000001", "0x7f.0x0.0x0.0x1", "0X7F.0.0.1", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain",
		"ip6-localhost", "127.0.0.1.nip.io", "127-0-0-1.sslip.io", "localtest.me", "www.internal", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]",
		"[0000:0000:0000:0000:0000:ffff:7f00:0001]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
		"[2002:7f00:0001::1]", "[2001:0:7f00:1::]", "[2001::80ff:fffe]", "[fe80::1%25lo]", "[::1%25lo]",
		"127。0。0。1", "127．0．0．1", "①②⑦.⓪.⓪.①", "ⓛocalhost", "%6cocalhost", "127.0.0.1%00.example.com", "127.0.0.1%2eexample.com",
		// private networks
		"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.254", "[::ffff:10.0.0.1]", "[::ffff:192.168.1.1]",
		"[fc00::1]", "[fd00::1]", "[fdff:ffff::1]", "[fec0::1]", "[64:ff9b::10.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::a00:1]", "[2002:a00:1::1]",
		"[2002:c0a8:101::1]", "[2001:0:a00:1::1]", "167772161", "0xa000001", "012.0.0.1", "3232235777",
		// the services of clouds
		"169.254.169.254", "169.254.170.2", "169.254.0.1", "[::ffff:169.254.169.254]", "[fe80::a9fe:a9fe]", "[fd00:ec2::254]", "[fd20:ce::254]",
		"[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "metadata.google.internal", "100.100.100.200",
		"192.0.0.192", "metadata", "instance-data", "kubernetes.default.svc",
		// shared, reserved, documentation, benchmarks, multicast, broadcast, nobody's
		"100.64.0.1", "100.127.255.254", "192.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.254", "192.88.99.1",
		"192.31.196.1", "192.52.193.1", "192.175.48.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "255.255.255.254",
		"[ff02::1]", "[ff05::2]", "[ff0e::1]", "[100::1]", "[2001:db8::1]", "[2001:10::1]", "[2001:20::1]", "[3fff::1]", "[4000::1]", "[5f00::1]", "[::2]",
		// names that lead there
		"private.test", "linklocal.test", "metadata.test", "mapped.test", "six.test", "both.test", "moving.test",
	}
	var all []string
	for _, h := range hosts {
		all = append(all, "https://"+h+":PORT/", "https://"+h+"/", "http://"+h+":PORT/")
	}
	return append(all,
		"https://ada@127.0.0.1:PORT/", "https://ada:word@127.0.0.1:PORT/", "https://example.com@127.0.0.1:PORT/", "https://@127.0.0.1:PORT/",
		"https://127.0.0.1:PORT@169.254.169.254/", "https://example.com#@127.0.0.1:PORT/", "https://example.com\\@127.0.0.1:PORT/",
		"https:127.0.0.1:PORT", "https:/127.0.0.1:PORT", "https:///127.0.0.1:PORT", "//127.0.0.1:PORT/", "127.0.0.1:PORT", "/etc/passwd", "", "https://",
		"https://:PORT/", "https://[::1/", "https://[]:PORT/", "https://127.0.0.1:PORT:PORT/", "https://127.0.0.1:99999/",
		"file:///etc/passwd", "file://127.0.0.1:PORT/", "gopher://127.0.0.1:PORT/_x", "ftp://127.0.0.1:PORT/", "dict://127.0.0.1:PORT/", "data:text/plain,x",
		"unix:///run/docker.sock", "http+unix://%2frun%2fdocker.sock/", "ldap://127.0.0.1:PORT/", "ws://127.0.0.1:PORT/", "javascript:alert(1)", "about:blank",
		"HTTP://127.0.0.1:PORT/", "https\n://127.0.0.1:PORT/", " https://127.0.0.1:PORT/", "https://127.0.0.1:PORT\r\nHost: x/", "https://127.0.0.1 :PORT/",
		"https://127.0.0.1\t:PORT/",
	)
}

func TestNothingInsideIsReached(t *testing.T) {
	t.Parallel()
	trap := newCanary(t)
	dns := &names{by: map[string][][]string{
		"private.test": {{"10.0.0.1", "192.168.1.1"}}, "linklocal.test": {{"169.254.1.1"}}, "metadata.test": {{"169.254.169.254", "fd00:ec2::254"}},
		"mapped.test": {{"::ffff:127.0.0.1"}}, "six.test": {{"::1"}}, "both.test": {{"127.0.0.1", "::1"}},
		"moving.test": {{"10.0.0.1"}, {"127.0.0.1"}, {"169.254.169.254"}, {"127.0.0.1"}},
	}}
	// Two clients, each with its own count of the hosts that give no answer.
	c, get := New(Config{Resolver: dns.resolver()}), New(Config{Resolver: dns.resolver()})
	addresses := inside()
	for _, address := range addresses {
		address = strings.ReplaceAll(address, "PORT", trap.port)
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
