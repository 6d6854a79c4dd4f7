package bearer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Token is what a checked access token says. It does not hold the token itself, so that it can be logged.
type Token struct {
	Issuer   string
	Subject  string // sub: the user, or the client where it acts for itself
	ClientID string
	Username string // from introspection alone
	ID       string // jti
	Audience []string
	Scope    []string
	ACR      string
	AMR      []string
	Expires  time.Time
	IssuedAt time.Time
	AuthTime time.Time // zero: the token speaks of no sign-in
	claims   map[string]json.RawMessage
}

// HasScope reports whether the token has all of scope.
func (t Token) HasScope(scope ...string) bool {
	for _, s := range scope {
		if !slices.Contains(t.Scope, s) {
			return false
		}
	}
	return true
}

// RequireScope returns nil, or an *Error insufficient_scope where the token does not have all of scope.
func (t Token) RequireScope(scope ...string) error {
	if t.HasScope(scope...) {
		return nil
	}
	return &Error{Code: InsufficientScope, Description: "the access token does not have the scope that this needs", Scope: scope}
}

// Claim decodes the claim of that name into into, as json.Unmarshal does, and reports whether it is there.
func (t Token) Claim(name string, into any) (bool, error) {
	raw, ok := t.claims[name]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return true, fmt.Errorf("bearer: the claim %s is of another type", name)
	}
	return true, nil
}

// errClaims is the cause where a claim is of another type than its RFC says. What it holds is not repeated.
var errClaims = errors.New("a claim is of the wrong type")

// parseToken reads the claims of a token or of an answer about one. Names are compared byte for byte, as the RFCs do and Go's
// decoder of structs does not.
func parseToken(text []byte) (Token, error) {
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(text, &claims); err != nil || claims == nil {
		return Token{}, errClaims
	}
	t := Token{claims: claims}
	var scope string
	var expires, issuedAt, authTime numericDate
	for name, into := range map[string]any{
		"iss": &t.Issuer, "sub": &t.Subject, "client_id": &t.ClientID, "username": &t.Username, "jti": &t.ID, "acr": &t.ACR,
		"amr": &t.AMR, "aud": (*audience)(&t.Audience), "scope": &scope, "exp": &expires, "iat": &issuedAt, "auth_time": &authTime,
	} {
		if raw, ok := claims[name]; ok && json.Unmarshal(raw, into) != nil {
			return Token{}, errClaims
		}
	}
	t.Scope = strings.Fields(scope)
	t.Expires, t.IssuedAt, t.AuthTime = expires.Time, issuedAt.Time, authTime.Time
	return t, nil
}

// current reports whether the token may be used at now: exp must be there (RFC 9068 §2.2), nbf need not.
func (t Token) current(now time.Time, skew time.Duration) *Error {
	var notBefore numericDate
	if raw, ok := t.claims["nbf"]; ok && json.Unmarshal(raw, &notBefore) != nil {
		return invalid("the access token is not one of this issuer's", errClaims)
	}
	switch {
	case t.Expires.IsZero():
		return invalid("the access token does not say when it expires", nil)
	case !now.Before(t.Expires.Add(skew)):
		return invalid("the access token has expired", nil)
	case now.Before(notBefore.Add(-skew)):
		return invalid("the access token is not valid yet", nil)
	}
	return nil
}

// bound reports whether the token is good only with a proof by its sender (RFC 7800 §3.1).
func (t Token) bound() bool { _, ok := t.claims["cnf"]; return ok }

// audience is aud: one string, or several as an array (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*a = audience{""}
		return json.Unmarshal(text, &(*a)[0])
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// numericDate is seconds since 1970 in UTC, perhaps with a fraction (RFC 7519 §2). Zero, and what lies before, is the zero Time.
type numericDate struct{ time.Time }

// maxDate is the end of the year 9999: a time beyond it is a mistake, and would overflow when skew is added.
const maxDate = 253402300799

// UnmarshalJSON implements json.Unmarshaler.
func (d *numericDate) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return err
	}
	if seconds > maxDate {
		return errClaims
	}
	if seconds > 0 {
		whole := int64(seconds)
		d.Time = time.Unix(whole, int64((seconds-float64(whole))*1e9)).UTC()
	}
	return nil
}
