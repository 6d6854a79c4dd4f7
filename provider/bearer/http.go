package bearer

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Authenticate checks the access token of a request, which must be in its one Authorization header. The error is an *Error, to be
// answered with Refuse.
func (v *Verifier) Authenticate(r *http.Request) (Token, error) {
	text, err := fromHeader(r.Header.Values("Authorization"))
	if err != nil {
		return Token{}, err
	}
	return v.Verify(r.Context(), text)
}

// Handler serves requests that bring an access token with all of scope, and hands the token to serve: what needs to know who is
// calling cannot be mounted without the check. All other requests are refused.
func (v *Verifier) Handler(serve func(http.ResponseWriter, *http.Request, Token), scope ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, err := v.Authenticate(r)
		if err == nil {
			err = t.RequireScope(scope...)
		}
		if err != nil {
			v.Refuse(w, needing(err, scope))
			return
		}
		serve(w, r, t)
	})
}

// needing has a refusal for want of a good token say what the next one must be able to do (RFC 6750 §3), so that a client need not
// ask for more.
func needing(err error, scope []string) error {
	e := *asError(err)
	if e.HTTPStatus() == http.StatusUnauthorized {
		e.Scope = scope
	}
	return &e
}

// RequireScope is Handler as a middleware, for handlers that need not know whose token it is. Without a scope it asks for a good
// token alone.
func (v *Verifier) RequireScope(scope ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return v.Handler(func(w http.ResponseWriter, r *http.Request, _ Token) { next.ServeHTTP(w, r) }, scope...)
	}
}

// Refuse answers with err as RFC 6750 §3 says: a challenge, and the same as JSON. What is not an *Error is answered as an outage.
func (v *Verifier) Refuse(w http.ResponseWriter, err error) {
	e := asError(err)
	members := map[string]string{"error_description": e.Description}
	if e.Code != "" {
		members["error"] = e.Code
	}
	body, _ := json.Marshal(members) // strings always encode
	status := e.HTTPStatus()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(outageWait/time.Second)))
	} else {
		h.Set("WWW-Authenticate", v.challenge(e))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (v *Verifier) challenge(e *Error) string {
	var attributes []string
	add := func(name, value string) {
		if value != "" && quotable(value) {
			attributes = append(attributes, name+`="`+value+`"`)
		}
	}
	add("realm", v.config.Realm)
	if e.Code != "" {
		add("error", e.Code)
		add("error_description", e.Description)
	}
	add("scope", strings.Join(slices.DeleteFunc(slices.Clone(e.Scope), func(s string) bool { return !quotable(s) }), " "))
	add("resource_metadata", v.about.address)
	if len(attributes) == 0 {
		return "Bearer"
	}
	return "Bearer " + strings.Join(attributes, ", ")
}
