package pages

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/logout"
	"github.com/signet-idp/signet/provider/oauth"
)

// refusalPage tells why it does not go on. Headings do not change: people and tests know them.
type refusalPage struct {
	Heading     string // message
	Text        string // message
	Wait        string // how long to wait; "" nothing is said
	Continue    string // address to go on at; "" none
	Code        string
	Description string
	Client      string
	Parameter   string // of which what was received is shown beside what is registered; "" none
	Received    *compared
	Registered  []compared
	ID          string // of the request, for its log line and signet explain
}

func (refusalPage) template() string { return "refusal" }

// compared is a text up to where it differs from another, and the rest.
type compared struct{ Same, Rest string }

// fault is a request of a page that comes to nothing by what is wrong with it, not with what it asks.
type fault struct {
	status  int
	heading string // of the messages refusal.*
	tx      string // the request that it may go on with; "" none
	again   string // address of the page that it may be begun at again; "" none
	cause   error
}

// Error implements error: the text for logs.
func (f *fault) Error() string {
	text := "page: " + f.heading
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (f *fault) Unwrap() error { return f.cause }

// fail answers an error: to the app where it may travel, else on our own page.
func (x *exchange) fail(err error) {
	var returned *authorize.Returned
	var refusal *authorize.Refusal
	var left *logout.Refusal
	var own *fault
	switch tx := x.params.Get("tx"); {
	case errors.As(err, &returned):
		x.last(x.giveRefusal(returned))
	case errors.Is(err, account.ErrLink):
		x.last(x.lapsed())
	case errors.Is(err, authorize.ErrAgain) && tx != "":
		x.redirect(x.hubAddress(tx))
	case errors.As(err, &refusal):
		x.refuse(statusOf(refusal, refusal.Status()), x.refusal(refusal))
	case errors.As(err, &left):
		page := refusalPage{Heading: "refusal." + string(left.Heading), Code: string(left.Code), Description: left.Description, Client: left.ClientID}
		if left.Heading == logout.HeadingTargetMismatch {
			page.compare("post_logout_redirect_uri", left.Received, left.Registered)
		}
		x.refuse(statusOf(left, left.Status()), page)
	case errors.As(err, &own):
		page := refusalPage{Heading: "refusal." + own.heading, Continue: own.again}
		if own.tx != "" {
			page.Continue = x.hubAddress(own.tx)
		}
		x.refuse(own.status, page)
	default:
		x.failOtherwise(provider.Translate(err))
	}
}

// failOtherwise answers what no page has a place for: outages, and what asks too often.
func (x *exchange) failOtherwise(e *oauth.Error) {
	page := refusalPage{Heading: "refusal.invalid_request", Code: string(e.Code), Description: e.Description}
	switch e.Code {
	case oauth.SlowDown:
		page.Heading, page.Wait = "refusal.throttled", x.wait(e.RetryAfter)
	case oauth.TemporarilyUnavailable:
		page.Heading = "refusal.unavailable"
		x.retryAfter(e.RetryAfter)
	case oauth.ServerError:
		page.Heading = "refusal.server_error"
	}
	x.refuse(e.HTTPStatus(), page)
}

// wait says how long to wait, to the browser and to the person.
func (x *exchange) wait(d time.Duration) string {
	id, n := "wait.seconds", x.retryAfter(d)
	if n > 90 {
		id, n = "wait.minutes", (n+59)/60
	}
	text, err := x.render.tongues.each[x.tongue].count(id, n)
	if err != nil {
		return ""
	}
	return text
}

// statusOf is that of a request which could not be read at all (oauth.ParseForm), or else status.
func statusOf(err error, status int) int {
	if e := oauth.As(err); e != nil && e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError {
		return e.Status
	}
	return status
}

func (x *exchange) refuse(status int, p refusalPage) {
	p.ID, p.Text = x.c.Writer.Header().Get("X-Request-Id"), p.Heading+".text"
	x.last(x.show(status, p))
}

// last answers where not even a page could be made.
func (x *exchange) last(err error) {
	if err != nil {
		_ = x.c.Error(err)
		oauth.WriteError(x.c.Writer, provider.Translate(err))
	}
}

// refusal is the page of a refusal of the front door.
func (x *exchange) refusal(r *authorize.Refusal) refusalPage {
	p := refusalPage{Heading: "refusal." + string(r.Heading), Code: string(r.Code), Description: r.Description, Client: r.ClientID}
	if r.Heading == authorize.HeadingTargetMismatch || r.Heading == authorize.HeadingTargetMissing {
		p.compare("redirect_uri", r.Received, r.Registered)
	}
	return p
}

// compare puts what was received beside what is registered.
func (p *refusalPage) compare(parameter, received string, registered []string) {
	p.Parameter = parameter
	longest := 0
	for _, one := range registered {
		n := shared(received, one)
		longest = max(longest, n)
		p.Registered = append(p.Registered, compared{one[:n], one[n:]})
	}
	if received != "" {
		p.Received = &compared{received[:longest], received[longest:]}
	}
}

// shared is how many bytes two texts begin with alike, in whole characters.
func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return len(strings.ToValidUTF8(a[:n], ""))
}
