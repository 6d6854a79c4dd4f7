package pages

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
)

// exchange is one request of a page and its answer. Not for concurrent use.
type exchange struct {
	*Set
	c      *gin.Context
	path   string // of the page
	params oauth.Params
	visit  *browser.Visit // nil until cookies are read
	tongue int            // the language it is answered in
	policy policy
}

// serve runs the page's action and answers what comes of it.
func (s *Set) serve(c *gin.Context, r provider.Route, a action) {
	x := &exchange{Set: s, c: c, path: r.Path, policy: policy{isolated: isolated(r.Page)}}
	x.speak("", "")
	if err := x.run(r, a); err != nil {
		_ = c.Error(err)
		s.refused(c.Writer.Header().Get("X-Request-Id"), err)
		x.fail(err)
	}
}

// isolated reports whether no app opens the page in a popup.
func isolated(page string) bool {
	return page == "device" || page == "setup" || strings.HasPrefix(page, "account") || strings.HasPrefix(page, "developer")
}

func (x *exchange) run(r provider.Route, a action) error {
	request := x.c.Request
	if !slices.Contains(r.Methods, request.Method) {
		x.c.Header("Allow", strings.Join(r.Methods, ", "))
		return &fault{status: http.StatusMethodNotAllowed, heading: "method"}
	}
	if request.Method == http.MethodHead && a.entry {
		x.c.Header("Cache-Control", "no-store") // an entry acts on GET, and HEAD must not (RFC 9110 §9.2.1)
		x.c.Status(http.StatusOK)
		return nil
	}
	if request.Method != http.MethodPost {
		var err error
		if x.params, err = oauth.ParseParams(request.URL.RawQuery); err != nil {
			return authorize.Malformed(err)
		}
		return x.act(a.get)
	}
	var sent bytes.Buffer
	request.Body = io.NopCloser(io.TeeReader(request.Body, &sent))
	var err error
	if x.params, err = oauth.ParseForm(request); err != nil {
		return authorize.Malformed(err)
	}
	if a.entry && (a.post == nil || !x.params.Has("tx")) {
		return x.enter(sent.String())
	}
	if err := x.sameOrigin(); err != nil {
		return &fault{status: http.StatusForbidden, heading: "cross_origin", cause: err}
	}
	return x.act(a.post)
}

var errSite = errors.New("Sec-Fetch-Site names another site")

// sameOrigin refuses a form that another site sent, by what the browser says of it. Where it says both, both must agree: the guard
// alone would take the issuer's own Origin for enough.
func (x *exchange) sameOrigin() error {
	if site := x.c.GetHeader("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return errSite
	}
	return x.guard.Check(x.c.Request)
}

// act reads the browser's cookies and does what the page is for.
func (x *exchange) act(do func(*exchange) error) error {
	x.speak(x.params.Get("ui_locales"), "")
	var err error
	if x.visit, err = x.browsers.Visit(x.c.Request); err != nil {
		return err
	}
	for _, a := range x.visit.Accounts {
		if a.Session.SignedIn() {
			x.speak(x.params.Get("ui_locales"), a.User.Profile.Locale)
			break
		}
	}
	return do(x)
}

// enter sends a POST from elsewhere on to GET with its parameters.
func (x *exchange) enter(form string) error {
	values, err := url.ParseQuery(form)
	if err != nil {
		return authorize.Malformed(err)
	}
	x.redirect(x.path + "?" + values.Encode())
	return nil
}

// speak chooses the language: by ui_locales of the request, the locale of the person that the page goes on with, and the browser.
func (x *exchange) speak(uiLocales, locale string) {
	x.tongue = x.render.tongues.choose(strings.Fields(uiLocales), locale, x.c.GetHeader("Accept-Language"))
}

// speakWith chooses the language of a page about a request: for the person whom it goes on with, if that is known.
func (x *exchange) speakWith(p *authorize.Passage) {
	locale := ""
	if p.Account != nil {
		locale = p.Account.User.Profile.Locale
	}
	x.speak(p.Request.UILocales, locale)
}

// text is a message in the language of the answer. A message that is missing is one that no test has seen: its name is shown.
func (x *exchange) text(id string, pairs ...any) string {
	text, err := x.render.tongues.each[x.tongue].text(id, pairs...)
	if err != nil {
		return id
	}
	return text
}

func (x *exchange) ctx() context.Context { return x.c.Request.Context() }

// address is that of one of our pages about the sealed request.
func (x *exchange) address(step authorize.Step, tx string) string {
	return x.base + "/" + string(step) + "?tx=" + url.QueryEscape(tx)
}

// hubAddress is where it is decided what comes next.
func (x *exchange) hubAddress(tx string) string { return x.address("oauth2/authorize", tx) }

// redirect sends the browser on, always to be read by GET (RFC 9700 §4.12).
func (x *exchange) redirect(location string) {
	x.cookies()
	h := x.c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Location", location)
	x.c.Status(http.StatusSeeOther)
	x.c.Writer.WriteHeaderNow()
}

func (x *exchange) cookies() {
	if x.visit != nil {
		x.visit.Cookies(x.c.Writer.Header())
	}
}

// show answers with a page.
func (x *exchange) show(status int, p page) error {
	html, err := x.render.html(x.tongue, p)
	if err != nil {
		return err
	}
	x.cookies()
	h := x.c.Writer.Header()
	x.policy.write(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", x.render.tongues.each[x.tongue].Tag)
	h.Set("Content-Length", strconv.Itoa(len(html)))
	x.c.Status(status)
	_, _ = x.c.Writer.Write(html)
	return nil
}

// retryAfter tells how long to wait, in whole seconds.
func (x *exchange) retryAfter(wait time.Duration) int {
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	x.c.Header("Retry-After", strconv.Itoa(seconds))
	return seconds
}
