package outbound

import "strings"

// inside is the corpus: addresses that only this machine, its network or nobody answers at, with PORT for the canary's port. Each host is
// asked over https, at the canary's port and the standard one, and over http. Every path to the outside is driven with all of it.
func inside(port string) []string {
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
		"cname.test", "many.test", "shared.test", "zero.test", "broadcast.test", "nat64.test", "tunnel.test",
	}
	var all []string
	for _, h := range hosts {
		all = append(all, "https://"+h+":PORT/", "https://"+h+"/", "http://"+h+":PORT/")
	}
	all = append(all,
		"https://ada@127.0.0.1:PORT/", "https://ada:word@127.0.0.1:PORT/", "https://example.com@127.0.0.1:PORT/", "https://@127.0.0.1:PORT/",
		"https://127.0.0.1:PORT@169.254.169.254/", "https://example.com#@127.0.0.1:PORT/", "https://example.com\\@127.0.0.1:PORT/",
		"https:127.0.0.1:PORT", "https:/127.0.0.1:PORT", "https:///127.0.0.1:PORT", "//127.0.0.1:PORT/", "127.0.0.1:PORT", "/etc/passwd", "", "https://",
		"https://:PORT/", "https://[::1/", "https://[]:PORT/", "https://127.0.0.1:PORT:PORT/", "https://127.0.0.1:99999/",
		"file:///etc/passwd", "file://127.0.0.1:PORT/", "gopher://127.0.0.1:PORT/_x", "ftp://127.0.0.1:PORT/", "dict://127.0.0.1:PORT/", "data:text/plain,x",
		"unix:///run/docker.sock", "http+unix://%2frun%2fdocker.sock/", "ldap://127.0.0.1:PORT/", "ws://127.0.0.1:PORT/", "javascript:alert(1)", "about:blank",
		"HTTP://127.0.0.1:PORT/", "https\n://127.0.0.1:PORT/", " https://127.0.0.1:PORT/", "https://127.0.0.1:PORT\r\nHost: x/", "https://127.0.0.1 :PORT/",
		"https://127.0.0.1\t:PORT/",
		// names that lead into the world first, or as well: at no port that is reached there
		"https://rebinding.test:PORT/", "http://rebinding.test:PORT/", "https://mixed.test:PORT/", "http://mixed.test:PORT/",
		// services that speak otherwise
		"https://127.0.0.1:22/", "https://127.0.0.1:25/", "https://127.0.0.1:53/", "https://127.0.0.1:2375/", "https://127.0.0.1:5432/", "https://127.0.0.1:6379/",
		"https://127.0.0.1:9000/", "https://127.0.0.1:11211/", "https://127.0.0.1:27017/", "http://127.0.0.1:80/", "https://[::1]:6443/", "https://10.96.0.1:443/",
		// what must not be smuggled into another protocol
		"https://127.0.0.1:PORT/%0d%0aSET%20a%20b", "https://127.0.0.1:PORT/?a=\r\nHost:%20x", "https://localhost%0d%0a:PORT/", "https://127.0.0.1%0d%0a:PORT/",
		"https://127.0.0.1:PORT/latest/meta-data/", "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "http://metadata.google.internal/computeMetadata/v1/",
		"https://0.0.0.0:PORT/jwks.json", "https://[::ffff:127.0.0.1]:PORT/.well-known/jwks.json", "https://127.0.0.1:PORT/a.json?jwks=1",
	)
	for i, address := range all {
		all[i] = strings.ReplaceAll(address, "PORT", port)
	}
	return all
}

// insideNames are what the names of the corpus lead to: at each question of a name the next list, and the last one ever after.
func insideNames() map[string][][]string {
	return map[string][][]string{
		"private.test": {{"10.0.0.1", "192.168.1.1"}}, "linklocal.test": {{"169.254.1.1"}}, "metadata.test": {{"169.254.169.254", "fd00:ec2::254"}},
		"mapped.test": {{"::ffff:127.0.0.1"}}, "six.test": {{"::1"}}, "both.test": {{"127.0.0.1", "::1"}},
		"moving.test":    {{"10.0.0.1"}, {"127.0.0.1"}, {"169.254.169.254"}, {"127.0.0.1"}},
		"cname.test":     {{"127.0.0.1", "::1"}},
		"many.test":      {{"192.0.2.1", "198.51.100.1", "203.0.113.1", "127.0.0.1", "::1"}},
		"shared.test":    {{"100.64.0.1"}},
		"zero.test":      {{"0.0.0.0", "::"}},
		"broadcast.test": {{"255.255.255.255", "ff02::1"}},
		"nat64.test":     {{"64:ff9b::7f00:1", "64:ff9b:1::7f00:1"}},
		"tunnel.test":    {{"2002:7f00:1::", "2001:0:7f00:1::"}},
		"rebinding.test": {{"93.184.215.14"}, {"127.0.0.1"}},
		"mixed.test":     {{"93.184.215.14", "127.0.0.1", "::1"}},
	}
}
