package token

import (
	"net"
	"net/http"
	"strings"
	"unicode"

	"github.com/signet-idp/signet/storage"
)

// maxAgent bounds what a request may make us keep of its User-Agent.
const maxAgent = 256

// seenBy is who makes the request, as far as the server can tell. The address is the connection's; a proxy in front that is
// trusted has been resolved before (web).
func seenBy(r *http.Request) storage.Seen {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	agent := strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, r.UserAgent())
	if len(agent) > maxAgent {
		agent = strings.ToValidUTF8(agent[:maxAgent], "")
	}
	return storage.Seen{Address: address, Agent: agent}
}
