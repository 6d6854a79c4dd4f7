package issue

import (
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

// Subject is the sub by which the client knows the user, in every token and answer that it sees (OpenID Connect Core §8): the user's ID,
// or for pairwise subjects 43 characters that are the same in all of the client's sector and tell nobody else anything.
func (i *Issuer) Subject(c storage.Client, user storage.ID) string { return i.known(c, user) }

// Session is the sid by which the client knows the browser session (OpenID Connect Back-Channel Logout §2.1). Where subjects are pairwise
// it is so too: one name of the session for every client would bring together what the subjects keep apart.
func (i *Issuer) Session(c storage.Client, session storage.ID) string { return i.known(c, session) }

func (i *Issuer) known(c storage.Client, id storage.ID) string {
	if sector, pairwise := client.Sector(c.Metadata); pairwise && !id.IsZero() {
		return i.ring.Pairwise(sector, id)
	}
	return id.String()
}
