package authorize

import (
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Halted returns the client of a refusal that must not send the browser on by itself (RFC 9700 §4.11.2): the page says who sent the
// person here, and Location, or the form of form_post, is theirs to follow.
func (r *Returned) Halted() (storage.Client, bool) {
	if r.halted == nil {
		return storage.Client{}, false
	}
	return *r.halted, true
}

// halts reports whether a refusal with this code stops on our page: where nobody here vouches for the client, nobody ever got
// anything by it, and nobody is signed in at the browser, whoever made the client would have our address lead wherever they like.
func halts(c storage.Client, accounts []browser.Account, now time.Time, code oauth.Code) bool {
	if !c.ByMachine() || !c.UsedAt.IsZero() || silent(code) {
		return false
	}
	return !slices.ContainsFunc(accounts, func(a browser.Account) bool { return usable(&a, now) && a.Session.SignedIn() })
}

// silent reports whether a refusal is one that prompt=none alone ends with: its client asks in a frame that nobody sees, or on the way
// through, and waits for the answer (OpenID Connect Core §3.1.2.6).
func silent(code oauth.Code) bool {
	switch code {
	case oauth.LoginRequired, oauth.ConsentRequired, oauth.InteractionRequired, oauth.AccountSelectionRequired:
		return true
	}
	return false
}
