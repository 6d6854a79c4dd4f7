package pages

import (
	"html/template"
	"net/http"

	"github.com/signet-idp/signet/provider/logout"
)

// signOutPage asks whether to sign out.
type signOutPage struct {
	Client   string // the app that asks; "" nobody is known to
	Accounts []accountView
	Action   string
	Form     form
}

func (signOutPage) template() string { return "logout" }

// signedOutPage says that it is done, and takes the person back to the app.
type signedOutPage struct {
	Frames []string
	Return template.URL // the proven post_logout_redirect_uri; "": the person stays here
	Note   string       // why it is not followed, for the owner of the app
}

func (signedOutPage) template() string { return "signedout" }

// frameTime is how long the frames of other apps may take, in seconds, where no script sees that they are done.
const frameTime = "5"

// endSession is the end_session_endpoint (RP-Initiated Logout §2).
func endSession(x *exchange) error {
	q, err := x.logout.Begin(x.ctx(), x.visit, x.params)
	if err != nil {
		return err
	}
	if !q.Confirm {
		return x.end(q)
	}
	page := signOutPage{Action: x.path}
	if q.Client != nil {
		page.Client = clientName(*q.Client)
	}
	for _, a := range q.Accounts {
		page.Accounts = append(page.Accounts, viewOf(a))
	}
	if page.Form, err = x.form(q.Sealed); err != nil {
		return err
	}
	x.policy.forms = q.Origin
	return x.show(http.StatusOK, page)
}

// confirmEnd takes the answer. What it says is the answer to the POST itself: shown again, it ends nothing more.
func confirmEnd(x *exchange) error {
	tx := x.params.Get("tx")
	if tx == "" {
		return &fault{status: http.StatusBadRequest, heading: "no_request"}
	}
	if err := x.browsers.CheckForm(x.visit, x.about(tx), x.params.Get("form_token")); err != nil {
		return &fault{status: http.StatusForbidden, heading: "form", cause: err}
	}
	if x.params.Get("decision") != "yes" {
		return x.show(http.StatusOK, toldPage{"signout.stay_title", "signout.stay"})
	}
	q, err := x.logout.Resume(x.ctx(), x.visit, tx)
	if err != nil {
		return err
	}
	return x.end(q)
}

// end signs out. Apps that want to be told in the browser are told by frames of the last page; without any, the browser goes back at
// once.
func (x *exchange) end(q *logout.Request) error {
	ended, err := x.logout.End(x.ctx(), x.visit, q)
	if err != nil {
		return err
	}
	x.c.Header("Clear-Site-Data", `"cache"`)
	if len(ended.Frames) == 0 && ended.Return != "" {
		x.redirect(ended.Return)
		return nil
	}
	x.policy.frames = ended.Origins
	page := signedOutPage{Frames: ended.Frames, Return: proven(ended.Return), Note: q.Note}
	if page.Return != "" {
		x.c.Header("Refresh", frameTime+"; url="+ended.Return)
	}
	return x.show(http.StatusOK, page)
}
