package pages

import (
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
)

// developerRedirects tells whether a redirect URI is one of the app's, and why not.
type developerRedirects struct {
	ofApp
	Settings   string // address at which they are changed
	Registered []string
	URI        string // that was tried
	Trial      *trialView
}

func (developerRedirects) template() string { return "developer_redirects" }

// trialView is what became of it. Heading names a message.
type trialView struct {
	Matches        bool
	Heading        string
	Tried, Nearest *compared
}

func showRedirects(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperRedirects)
	if p == nil || err != nil {
		return err
	}
	return x.showRedirects(p, app, "", nil)
}

func (x *exchange) showRedirects(p *authorize.Passage, app developer.App, uri string, trial *trialView) error {
	page := developerRedirects{
		Settings: x.appAddress(authorize.DeveloperSettings, app.Client.ID), Registered: app.Client.Metadata.RedirectURIs, URI: uri, Trial: trial,
	}
	var err error
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperRedirects); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// tryRedirect is a POST though it changes nothing: what people paste may have a code in it, which belongs in no address.
func tryRedirect(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperRedirects)
	if p == nil || err != nil {
		return err
	}
	uri := x.params.Get("uri")
	if uri == "" {
		return x.showRedirects(p, app, "", nil)
	}
	return x.showRedirects(p, app, uri, tried(developer.Try(app.Client, uri), uri))
}

func tried(t developer.Trial, uri string) *trialView {
	if t.Matches {
		return &trialView{Matches: true, Heading: "developer.redirects.matches"}
	}
	v := &trialView{Heading: parted(t.Part)}
	if t.Nearest != "" {
		n := min(len(strings.ToValidUTF8(uri[:min(t.At, len(uri))], "")), len(t.Nearest))
		v.Tried, v.Nearest = &compared{uri[:n], uri[n:]}, &compared{t.Nearest[:n], t.Nearest[n:]}
	}
	return v
}

// parted is the message that says in what two redirect URIs differ.
func parted(at oauth.PartedAt) string {
	switch at {
	case oauth.PartedNone:
		return "developer.parted.none"
	case oauth.PartedSpace:
		return "developer.parted.space"
	case oauth.PartedCase:
		return "developer.parted.case"
	case oauth.PartedScheme:
		return "developer.parted.scheme"
	case oauth.PartedUser:
		return "developer.parted.user"
	case oauth.PartedHost:
		return "developer.parted.host"
	case oauth.PartedPort:
		return "developer.parted.port"
	case oauth.PartedSlash:
		return "developer.parted.slash"
	case oauth.PartedEncoding:
		return "developer.parted.encoding"
	case oauth.PartedQuery:
		return "developer.parted.query"
	case oauth.PartedFragment:
		return "developer.parted.fragment"
	}
	return "developer.parted.path"
}
