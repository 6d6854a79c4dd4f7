package authorize

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Heading says in one word what a refusal is about. Pages have a text for each; the words do not change.
type Heading string

// The headings.
const (
	HeadingUnknownClient  Heading = "unknown_client"
	HeadingClientDisabled Heading = "client_disabled"
	HeadingTargetMismatch Heading = "redirect_uri_mismatch"
	HeadingTargetMissing  Heading = "redirect_uri_missing"
	HeadingInvalid        Heading = "invalid_request"
	HeadingExpired        Heading = "request_expired"
	HeadingOtherBrowser   Heading = "other_browser"
	HeadingUsed           Heading = "request_used"
)

// Headings are all headings, for the pages' texts.
func Headings() []Heading {
	return []Heading{
		HeadingUnknownClient, HeadingClientDisabled, HeadingTargetMismatch, HeadingTargetMissing, HeadingInvalid, HeadingExpired,
		HeadingOtherBrowser, HeadingUsed,
	}
}

// Refusal is a request that is answered on our own page and nowhere else: there is no proven address that it could be sent to, or it
// is not the client's to hear of. Code and Description are constant text of ours.
type Refusal struct {
	Code        oauth.Code
	Heading     Heading
	Description string
	ClientID    string   // of a client that is registered; ""
	Received    string   // the redirect_uri that was sent: input, to be shown as such
	Registered  []string // the client's redirect URIs, beside it
	cause       error
}

// Error implements error: the text for logs.
func (r *Refusal) Error() string {
	text := string(r.Code) + ": " + r.Description
	if r.cause != nil {
		text += ": " + r.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.cause }

// Status is the HTTP status of the page.
func (r *Refusal) Status() int {
	if r.Heading == HeadingOtherBrowser {
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

func refuse(h Heading, code oauth.Code, description string) *Refusal {
	return &Refusal{Code: code, Heading: h, Description: description}
}

// Malformed is the refusal of a request that could not be read at all, of the *oauth.Error of oauth.ParseParams or oauth.ParseForm.
func Malformed(err error) *Refusal {
	r := refuse(HeadingInvalid, oauth.InvalidRequest, "the request could not be read")
	if e := oauth.As(err); e != nil {
		r.Description = e.Description
	}
	r.cause = err
	return r
}

// mismatch refuses a redirect URI that c has not registered.
func mismatch(c storage.Client, received string) *Refusal {
	r := refuse(HeadingTargetMismatch, oauth.InvalidRequest, "redirect_uri is not one of those that the application registered")
	r.ClientID, r.Received, r.Registered = c.ID, received, c.Metadata.RedirectURIs
	r.cause = client.Strayed("redirect_uri", c.Metadata.RedirectURIs, received)
	return r
}

// unsealed tells why a sealed request is not gone on with. Other errors pass.
func unsealed(err error) error {
	switch {
	case errors.Is(err, browser.ErrExpired):
		r := refuse(HeadingExpired, oauth.InvalidRequest, "this request is too old: go back to the application and begin again")
		r.cause = err
		return r
	case errors.Is(err, browser.ErrForeign):
		r := refuse(HeadingOtherBrowser, oauth.AccessDenied, "this request began in another browser, or its cookies were deleted since")
		r.cause = err
		return r
	case errors.Is(err, browser.ErrForged):
		r := refuse(HeadingInvalid, oauth.InvalidRequest, "this address is incomplete or damaged: go back to the application and begin again")
		r.cause = err
		return r
	}
	return err
}

// report counts what became of a request, and makes a Refused of a refusal that names a client. What prompt=none and a person's no
// are answered with is no fault of anybody's, and is not kept.
func (d *Door) report(endpoint, clientID string, seen storage.Seen, err error) error {
	about := storage.RefusedRequest{Endpoint: endpoint, ClientID: clientID, Seen: seen}
	var shown *Refusal
	var sent *Returned
	var cause error
	if errors.As(err, &shown) {
		about.Code, about.Description, cause = string(shown.Code), shown.Description, shown.cause
	} else if errors.As(err, &sent) && sent.err != nil {
		about.Code, about.Description, cause = string(sent.err.Code), sent.err.Description, sent.err.Unwrap()
	} else if e := oauth.As(err); e != nil {
		about.Code, about.Description, cause = string(e.Code), e.Description, e.Unwrap()
	}
	switch {
	case err == nil || errors.Is(err, ErrAgain):
		return err
	case about.Code == "": // an outage
		about.Code = string(oauth.TemporarilyUnavailable)
	}
	d.Observer.FrontDoor(endpoint, oauth.Code(about.Code))
	if clientID == "" || len(clientID) > maxClientID || !worthKeeping(oauth.Code(about.Code)) {
		return err
	}
	return client.Explain(about, cause, err)
}

func worthKeeping(code oauth.Code) bool {
	switch code {
	case oauth.AccessDenied, oauth.TemporarilyUnavailable, oauth.ServerError:
		return false
	}
	return !silent(code)
}

// Observer hears what becomes of requests, for metrics. Its method is called by many goroutines at once and must return at once. The
// words it is given come from short lists of ours.
type Observer interface {
	// FrontDoor reports how a request to authorize, par or device_authorization ended: the error code, "" where it was granted. A
	// request that waits for a person is not reported yet.
	FrontDoor(endpoint string, code oauth.Code)
}

// Silent is an Observer that nobody listens to.
type Silent struct{}

// FrontDoor implements Observer.
func (Silent) FrontDoor(string, oauth.Code) {}
