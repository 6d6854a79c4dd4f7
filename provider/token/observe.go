package token

import (
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

// Silent is an Observer that nobody listens to.
type Silent struct{}

// TokenRequest implements Observer.
func (Silent) TokenRequest(string, oauth.Code) {}

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
