package oauth

import (
	"net/http"
	"strings"
	"testing"
)

func TestPeerKeepsWhatMayBeShown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, sent, address, agent string }{
		{"192.0.2.1:4711", "Mozilla/5.0 (X11)", "192.0.2.1", "Mozilla/5.0 (X11)"},
		{"[2001:db8::1]:4711", "", "2001:db8::1", ""},
		{"@", "a\r\nb\x1b[31m\u202ec\xff", "@", "ab[31mc"},
		{"192.0.2.1:1", strings.Repeat("a", 255) + "é", "192.0.2.1", strings.Repeat("a", 255)},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"User-Agent": {c.sent}}}
		if address, agent := Peer(r); address != c.address || agent != c.agent {
			t.Errorf("%q, %q is kept as %q, %q", c.remote, c.sent, address, agent)
		}
	}
}
