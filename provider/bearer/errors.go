package bearer

import (
	"errors"
	"net/http"
	"time"
)

// The codes of refusals (RFC 6750 §3.1), and what an outage is called.
const (
	InvalidRequest         = "invalid_request"
	InvalidToken           = "invalid_token"
	InsufficientScope      = "insufficient_scope"
	TemporarilyUnavailable = "temporarily_unavailable"
)

// Error is why a request is not let in. Code and Description are constant text of this package, fit for clients; the cause, if
// any, is for the log. None of them holds a token.
type Error struct {
	Code        string   // "" where the request brought no token: it is asked for one, without an error (RFC 6750 §3.1)
	Description string   // printable ASCII without " and \
	Scope       []string // what the request needs, where that is known
	cause       error
}

// Error implements error: the text for logs, with the cause.
func (e *Error) Error() string {
	text := "bearer: "
	if e.Code != "" {
		text += e.Code + ": "
	}
	text += e.Description
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// HTTPStatus is the status of the answer: 400, 401, 403, or 503 where nothing is known to be wrong with the token.
func (e *Error) HTTPStatus() int {
	switch e.Code {
	case InvalidRequest:
		return http.StatusBadRequest
	case InsufficientScope:
		return http.StatusForbidden
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}

// outageWait is what a client is told to wait when the issuer cannot be asked.
const outageWait = 2 * time.Second

func noToken() *Error { return &Error{Description: "send an access token in the Authorization header"} }

func malformed(description string) *Error {
	return &Error{Code: InvalidRequest, Description: description}
}

func invalid(description string, cause error) *Error {
	return &Error{Code: InvalidToken, Description: description, cause: cause}
}

func unavailable(cause error) *Error {
	return &Error{
		Code: TemporarilyUnavailable, cause: cause,
		Description: "the access token cannot be checked at the moment; nothing is known to be wrong with it, try again",
	}
}

// asError returns the *Error in err's chain; what is none is an outage.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return unavailable(err)
}
