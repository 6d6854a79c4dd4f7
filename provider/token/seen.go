package token

import (
	"net/http"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// seenBy is who makes the request.
func seenBy(r *http.Request) storage.Seen {
	address, agent := oauth.Peer(r)
	return storage.Seen{Address: address, Agent: agent}
}
