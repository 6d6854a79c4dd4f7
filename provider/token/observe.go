package token

import (
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Observer hears what becomes of requests, for metrics. Its methods are called by many goroutines at once and must return at
// once. The words it is given come from short lists of ours, never from a request.
type Observer interface {
	// TokenRequest reports one request to the token endpoint: the grant_type, "" where it is none that is known here, and the
	// error code that was answered, "" where tokens were.
	TokenRequest(grantType string, code oauth.Code)
	// Rotation reports what the rotation rule decided about one refresh token.
	Rotation(outcome storage.Outcome)
}

// Counter hears what clients do, for their figures. As an Observer's, its method must return at once.
type Counter interface {
	// Answered reports tokens that were given out: to which client, for whom (zero: the client itself), whether a person came to it with
	// them, and when the secret that proved the client was made (zero: none did).
	Answered(clientID string, by storage.ID, signIn bool, secretMade time.Time)
}

// count tells the Counter what a request was answered with.
func (e *Endpoint) count(caller client.Caller, p *plan) {
	var by storage.ID
	if p.order.Grant != nil {
		by = p.order.Grant.UserID
	}
	e.Counter.Answered(caller.Client.ID, by, p.signIn, caller.SecretMade)
}

// Silent is an Observer and a Counter that nobody listens to.
type Silent struct{}

// TokenRequest implements Observer.
func (Silent) TokenRequest(string, oauth.Code) {}

// Answered implements Counter.
func (Silent) Answered(string, storage.ID, bool, time.Time) {}

// Rotation implements Observer.
func (Silent) Rotation(storage.Outcome) {}

// codeOf is the error code of an answer. What is no *oauth.Error is an outage to whoever counts.
func codeOf(err error) oauth.Code {
	if err == nil {
		return ""
	}
	if e := oauth.As(err); e != nil {
		return e.Code
	}
	return oauth.TemporarilyUnavailable
}
