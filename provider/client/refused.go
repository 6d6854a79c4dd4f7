package client

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of what is kept of one refused request: in bytes, but for maxDetails.
const (
	maxCause     = 512
	maxDetails   = 16
	maxDetail    = 256
	maxAssertion = 8 << 10
)

// Refused is an error with what the operator of its client is told about it later (signet explain). It reads and answers as the error
// itself.
type Refused struct {
	About storage.RefusedRequest // all but ID and At
	Err   error
}

// Error implements error.
func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap returns the error itself.
func (r *Refused) Unwrap() error { return r.Err }

// Explain makes a Refused of err: about, with what the *oauth.Error or other cause says of why, bounded. cause may be nil.
func Explain(about storage.RefusedRequest, cause, err error) *Refused {
	if cause != nil {
		about.Cause = harmlessCut(cause.Error(), maxCause)
	}
	if why := (*Cause)(nil); errors.As(cause, &why) && len(why.detail) > 0 {
		about.Detail = map[string]string{}
		for key, value := range why.detail {
			if len(about.Detail) < maxDetails {
				about.Detail[key] = harmlessCut(value, maxDetail)
			}
		}
	}
	return &Refused{About: about, Err: err}
}

// harmlessCut is text in at most length bytes, without what could do harm where it is shown.
func harmlessCut(text string, length int) string {
	if len(text) > length {
		text = text[:length]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// Named is the client that a request names, by client_id, by Basic credentials or by its assertion, whether it is that client or not: it
// says whose operator is to be told. "" where it names none. authorization are all Authorization headers of the request, p its form.
func Named(authorization []string, p oauth.Params) string {
	id := p.Get("client_id")
	if len(authorization) == 1 && id == "" {
		if scheme, token, _ := strings.Cut(authorization[0], " "); strings.EqualFold(scheme, "Basic") {
			id, _, _ = parseBasic(token)
		}
	}
	if id == "" {
		id = subjectOf(p.Get("client_assertion"))
	}
	if !presentable(id) {
		return ""
	}
	return id
}

// subjectOf is the client that an assertion names (RFC 7523 §3), "" where it is none that can be read. Nothing is verified.
func subjectOf(assertion string) string {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || len(assertion) > maxAssertion {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Subject
}
