package logout

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

// The headings; those that the front door has too mean the same.
const (
	HeadingInvalid        Heading = "invalid_request"
	HeadingTargetMismatch Heading = "post_logout_redirect_uri_mismatch"
	HeadingExpired        Heading = "request_expired"
	HeadingOtherBrowser   Heading = "other_browser"
)

// Refusal is a request to log out that is answered on our own page; nobody was signed out. Code and Description are constant text of
// ours.
type Refusal struct {
	Code        oauth.Code
	Heading     Heading
	Description string
	ClientID    string   // of the client that the hint proved; ""
	Received    string   // the post_logout_redirect_uri that was sent: input, to be shown as such
	Registered  []string // the client's post_logout_redirect_uris, beside it
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

func refuse(h Heading, description string, cause error) *Refusal {
	return &Refusal{Code: oauth.InvalidRequest, Heading: h, Description: description, cause: cause}
}

// unsealed tells why a sealed request is not gone on with. Other errors pass.
func unsealed(err error) error {
	switch {
	case errors.Is(err, browser.ErrExpired):
		return refuse(HeadingExpired, "this request to sign out is too old: begin again", err)
	case errors.Is(err, browser.ErrForeign):
		r := refuse(HeadingOtherBrowser, "this request to sign out began in another browser, or its cookies were deleted since", err)
		r.Code = oauth.AccessDenied
		return r
	case errors.Is(err, browser.ErrForged):
		return refuse(HeadingInvalid, "this address is incomplete or damaged: begin again", err)
	case errors.Is(err, browser.ErrTooLarge):
		return refuse(HeadingInvalid, "the request is too large: send a shorter state", err)
	}
	return err
}

// report makes a Refused of a refusal of a client's.
func report(v *browser.Visit, err error) error {
	var r *Refusal
	if !errors.As(err, &r) || r.ClientID == "" {
		return err
	}
	about := storage.RefusedRequest{
		Endpoint: "logout", ClientID: r.ClientID, Code: string(r.Code), Description: r.Description, Seen: v.Seen,
	}
	return client.Explain(about, r.cause, err)
}
