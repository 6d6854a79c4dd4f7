package pages

import (
	"html/template"
	"net/http"
	"net/url"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
)

// formPostPage carries an authorization response to the app by POST (OAuth 2.0 Form Post Response Mode). Its script sends it at once,
// its button does without.
type formPostPage struct {
	Action template.URL // the redirect URI: proven, and perhaps of an app's own scheme
	Host   string
	Fields [][2]string
}

func (formPostPage) template() string { return "formpost" }

// give sends an authorization response to the app.
func (x *exchange) give(r *authorize.Returned) error {
	if r.Mode() != oauth.ModeFormPost {
		x.redirect(r.Location())
		return nil
	}
	x.policy.forms = r.Origin()
	host := r.Action()
	if u, err := url.Parse(host); err == nil && u.Host != "" {
		host = u.Host
	}
	return x.show(http.StatusOK, formPostPage{Action: proven(r.Action()), Host: host, Fields: r.Fields()})
}

// proven is a registered URI that html/template need not judge again: it knows no schemes of apps. What a browser would run instead
// of visiting is never one.
func proven(uri string) template.URL {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Scheme == "javascript" || u.Scheme == "data" || u.Scheme == "vbscript" {
		return ""
	}
	return template.URL(uri)
}
