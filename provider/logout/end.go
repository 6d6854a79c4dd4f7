package logout

import (
	"context"
	"net/url"
	"slices"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Ended is what the last page shows and does.
type Ended struct {
	Frames  []string // frontchannel_logout_uris with iss and sid, each for a frame (Front-Channel Logout §3)
	Origins []string // theirs, each once, for a Content Security Policy (frame-src)
	Return  string   // where the browser goes then; "": it stays
}

// End signs the accounts of q out: the sessions end with every grant that was given in them, offline ones excepted, and the outbox
// tells the clients of it. The page has asked where q.Confirm says so. Without accounts nothing is left to do, and that is no error.
func (l *Logout) End(ctx context.Context, v *browser.Visit, q *Request) (*Ended, error) {
	e := &Ended{Return: q.Return}
	if len(q.Accounts) == 0 {
		return e, nil
	}
	var ids []storage.ID
	for _, a := range q.Accounts {
		ids = append(ids, a.Session.ID)
	}
	ended, err := l.browsers.SignOut(ctx, v, ids, storage.ReasonLogout, q.Accounts[0].User.ID.String())
	if err != nil {
		return nil, err
	}
	for _, one := range ended {
		for _, id := range one.ClientIDs {
			l.frame(ctx, e, id, one.Session.ID)
		}
	}
	return e, nil
}

// frame adds what the client registered for the person's browser. A client that cannot be read now is told by the back channel or not at
// all: the person is signed out already, and hears no error.
func (l *Logout) frame(ctx context.Context, e *Ended, clientID string, session storage.ID) {
	c, err := l.clients.Find(ctx, clientID)
	uri := c.Metadata.FrontchannelLogoutURI
	if err != nil || uri == "" || !c.DisabledAt.IsZero() {
		return
	}
	target, _ := oauth.Match([]string{uri}, uri)
	e.Frames = append(e.Frames, target.WithQuery(url.Values{"iss": {l.config.Issuer}, "sid": {l.issuer.Session(c, session)}}.Encode()))
	if origin := target.Origin(); !slices.Contains(e.Origins, origin) {
		e.Origins = append(e.Origins, origin)
	}
}
