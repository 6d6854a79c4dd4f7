package oauth

import (
	"net"
	"net/http"
	"strings"
	"unicode"
)

// maxAgent bounds, in bytes, what a request may make us keep of its User-Agent.
const maxAgent = 256

// Peer is who makes the request, as far as the server can tell. The address is the connection's; a proxy in front that is trusted
// has been resolved before (web). agent is the printable part of the User-Agent.
func Peer(r *http.Request) (address, agent string) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	agent = strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, r.UserAgent())
	if len(agent) > maxAgent {
		agent = strings.ToValidUTF8(agent[:maxAgent], "")
	}
	return address, agent
}
