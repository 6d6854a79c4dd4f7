package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The limits of a form. A request that is over them is refused before anything else is looked at.
const (
	MaxBody       = 64 << 10
	MaxParameters = 100
)

// Params are a request's parameters, each given once (RFC 6749 §3.2): a repeated one refuses the request, save for those that
// the standards let repeat. An empty value counts as absent (§3.1).
type Params struct {
	values map[string]string
	many   map[string][]string
}

// repeatable are the parameters that may be given several times: resource (RFC 8707 §2).
var repeatable = map[string]bool{"resource": true}

// ParseForm reads the parameters of a POST body of type application/x-www-form-urlencoded. The query is not read: credentials in
// addresses end up in logs. Errors are *Error with code invalid_request.
func ParseForm(r *http.Request) (Params, error) {
	if r.Method != http.MethodPost {
		return Params{}, &Error{Code: InvalidRequest, Description: "use POST", Status: http.StatusMethodNotAllowed}
	}
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" || len(r.Header.Values("Content-Type")) > 1 {
		return Params{}, &Error{
			Code: InvalidRequest, Status: http.StatusUnsupportedMediaType,
			Description: "the Content-Type must be application/x-www-form-urlencoded",
		}
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return Params{}, Errorf(InvalidRequest, "the charset must be UTF-8")
	}
	if encoding := strings.Join(r.Header.Values("Content-Encoding"), ","); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return Params{}, &Error{
			Code: InvalidRequest, Status: http.StatusUnsupportedMediaType,
			Description: "the body must not be compressed",
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return Params{}, &Error{
				Code: InvalidRequest, Status: http.StatusRequestEntityTooLarge, Description: "the body must not exceed 64 KiB", cause: err,
			}
		}
		return Params{}, Errorf(InvalidRequest, "the body could not be read to its end").Because(err)
	}
	return ParseParams(string(body))
}

// ParseParams reads parameters in the form encoding. Errors are *Error with code invalid_request.
func ParseParams(encoded string) (Params, error) {
	p := Params{values: map[string]string{}}
	for count := 0; encoded != ""; {
		var pair string
		pair, encoded, _ = strings.Cut(encoded, "&")
		if pair == "" {
			continue
		}
		if count++; count > MaxParameters {
			return Params{}, Errorf(InvalidRequest, "there must not be more than %d parameters", MaxParameters)
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil {
			return Params{}, Errorf(InvalidRequest, "a parameter has a malformed percent-encoding")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return Params{}, Errorf(InvalidRequest, "parameters must be valid UTF-8")
		}
		if err := p.add(name, value); err != nil {
			return Params{}, err
		}
	}
	return p, nil
}

func (p *Params) add(name, value string) error {
	if repeatable[name] {
		if value != "" {
			if p.many == nil {
				p.many = map[string][]string{}
			}
			p.many[name] = append(p.many[name], value)
		}
		return nil
	}
	if _, again := p.values[name]; again {
		if known[name] {
			return Errorf(InvalidRequest, "the parameter %s was sent more than once", name)
		}
		return Errorf(InvalidRequest, "a parameter was sent more than once")
	}
	p.values[name] = value
	return nil
}

// known are the names that may stand in an error's description: an unknown name is input, and input is not echoed.
var known = map[string]bool{
	"grant_type": true, "client_id": true, "client_secret": true, "username": true, "password": true, "scope": true,
	"refresh_token": true, "otp": true, "recovery_code": true, "mfa_token": true, "token": true, "token_type_hint": true,
	"access_token": true, "client_assertion": true, "client_assertion_type": true, "response_type": true, "response_mode": true,
	"redirect_uri": true, "state": true, "nonce": true, "code": true, "code_challenge": true, "code_challenge_method": true,
	"code_verifier": true, "prompt": true, "max_age": true, "id_token_hint": true, "login_hint": true, "acr_values": true,
	"claims": true, "display": true, "ui_locales": true, "claims_locales": true, "request": true, "request_uri": true,
	"device_code": true, "user_code": true, "post_logout_redirect_uri": true, "logout_hint": true,
}

// Get returns the parameter's value, "" where it is absent or empty.
func (p Params) Get(name string) string { return p.values[name] }

// Has reports whether the parameter was sent at all, even empty.
func (p Params) Has(name string) bool { _, ok := p.values[name]; return ok || len(p.many[name]) > 0 }

// All returns every value of a repeatable parameter.
func (p Params) All(name string) []string { return p.many[name] }

// Need returns the parameter's value, or invalid_request where it is absent or empty.
func (p Params) Need(name string) (string, error) {
	if v := p.values[name]; v != "" {
		return v, nil
	}
	return "", Errorf(InvalidRequest, "the parameter %s is missing", name)
}
