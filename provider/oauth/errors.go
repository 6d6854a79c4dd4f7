package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code is an error code as clients read it.
type Code string

// The codes (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8628 §3.5, RFC 8707 §2, RFC 9126 §2, OpenID Connect
// Core §3.1.2.6) and Signet's mfa_required (docs/contract.md).
const (
	InvalidRequest        Code = "invalid_request"
	InvalidClient         Code = "invalid_client"
	InvalidGrant          Code = "invalid_grant"
	UnauthorizedClient    Code = "unauthorized_client"
	UnsupportedGrantType  Code = "unsupported_grant_type"
	UnsupportedTokenType  Code = "unsupported_token_type"
	InvalidScope          Code = "invalid_scope"
	InvalidTarget         Code = "invalid_target"
	InvalidToken          Code = "invalid_token"
	InsufficientScope     Code = "insufficient_scope"
	InvalidClientMetadata Code = "invalid_client_metadata"
	InvalidRedirectURI    Code = "invalid_redirect_uri"

	InvalidSoftwareStatement    Code = "invalid_software_statement"    // RFC 7591 §3.2.2
	UnapprovedSoftwareStatement Code = "unapproved_software_statement" // as well

	MFARequired Code = "mfa_required"

	AccessDenied             Code = "access_denied"
	UnsupportedResponseType  Code = "unsupported_response_type"
	InteractionRequired      Code = "interaction_required"
	LoginRequired            Code = "login_required"
	AccountSelectionRequired Code = "account_selection_required"
	ConsentRequired          Code = "consent_required"
	RequestNotSupported      Code = "request_not_supported"
	RequestURINotSupported   Code = "request_uri_not_supported"
	InvalidRequestURI        Code = "invalid_request_uri"
	UnmetAuthentication      Code = "unmet_authentication_requirements" // OpenID Connect Core Unmet Authentication Requirements 1.0
	AuthorizationPending     Code = "authorization_pending"
	ExpiredToken             Code = "expired_token"

	SlowDown               Code = "slow_down"
	TemporarilyUnavailable Code = "temporarily_unavailable"
	ServerError            Code = "server_error"
	NotFound               Code = "not_found" // of ours: there is nothing at this address
)

// Error is what a client hears. Code and Description are constant text of ours, never input: the description is printable
// ASCII without " and \ (RFC 6749 §5.2) and says what to mend. Its cause, if any, goes to the log alone.
type Error struct {
	Code        Code
	Description string
	Status      int            // HTTP status; 0: what the code calls for, see HTTPStatus
	RetryAfter  time.Duration  // how long to wait; 0: says nothing
	Challenge   string         // WWW-Authenticate; "" none
	Extra       map[string]any // further members of the JSON answer
	cause       error
}

// Errorf makes an error. The description's arguments must be constants of ours (a parameter's name, a limit), never input.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Description: fmt.Sprintf(format, args...)}
}

// Because returns a copy of e with a cause for the log.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.cause = cause
	return &with
}

// Error implements error: the text for logs, with the cause.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Description
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// HTTPStatus returns Status, or else the status that the code calls for.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	switch e.Code {
	case InvalidClient, InvalidToken:
		return http.StatusUnauthorized
	case InsufficientScope:
		return http.StatusForbidden
	case SlowDown:
		return http.StatusTooManyRequests
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	case ServerError:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// As returns the *Error in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
