package token

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// asked is what a request said of itself before anything was decided.
type asked struct {
	request   *http.Request
	endpoint  string
	grantType string // where it is one of ours
	params    oauth.Params
	proven    string // the client that authenticated; "" where none did
}

// refused makes a Refused of a refusal that names a client. Outages are no refusals, and neither is what a request goes on from:
// mfa_required, and a device that is told to ask again.
func (a *asked) refused(err error) error {
	e := oauth.As(err)
	if e == nil || e.HTTPStatus() >= http.StatusInternalServerError || e.Code == oauth.MFARequired || e.Code == oauth.AuthorizationPending ||
		e.Code == oauth.SlowDown && a.grantType == oauth.GrantDeviceCode {
		return err
	}
	who := a.clientID()
	if who == "" {
		return err
	}
	about := storage.RefusedRequest{
		Endpoint: a.endpoint, ClientID: who, GrantType: a.grantType, Code: string(e.Code), Description: e.Description, Seen: seenBy(a.request),
	}
	if gone := (*deadToken)(nil); errors.As(err, &gone) {
		about.GrantID, about.Token = gone.grant, gone.became
	}
	return client.Explain(about, e.Unwrap(), err)
}

// clientID is whom the request comes from, or else whom it names and could not prove to be.
func (a *asked) clientID() string {
	if a.proven != "" {
		return a.proven
	}
	return client.Named(a.request.Header.Values("Authorization"), a.params)
}
