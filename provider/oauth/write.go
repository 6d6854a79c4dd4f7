package oauth

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// WriteError answers e as every OAuth endpoint does (RFC 6749 §5.2): JSON, never cached, with its challenge and how long to
// wait. It is the one error writer.
func WriteError(w http.ResponseWriter, e *Error) {
	members := map[string]any{"error": e.Code}
	if e.Description != "" {
		members["error_description"] = e.Description
	}
	maps.Copy(members, e.Extra)
	body, err := json.Marshal(members)
	if err != nil { // Extra is ours: this cannot happen with values that encode
		body = []byte(`{"error":"server_error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Del("ETag")
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", e.Challenge)
	}
	status := e.HTTPStatus()
	if wait := e.RetryAfter; wait > 0 || status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
