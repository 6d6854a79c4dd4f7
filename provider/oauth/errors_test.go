package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestACodeCallsForItsStatus(t *testing.T) {
	for code, want := range map[Code]int{
		InvalidRequest: 400, InvalidGrant: 400, UnauthorizedClient: 400, UnsupportedGrantType: 400, UnsupportedTokenType: 400, InvalidScope: 400,
		InvalidTarget: 400, InvalidClientMetadata: 400, InvalidRedirectURI: 400, MFARequired: 400, InvalidClient: 401, InvalidToken: 401,
		InsufficientScope: 403, SlowDown: 429, ServerError: 500, TemporarilyUnavailable: 503,
	} {
		if got := (&Error{Code: code}).HTTPStatus(); got != want {
			t.Errorf("%s is %d, want %d", code, got, want)
		}
		if got := (&Error{Code: code, Status: 418}).HTTPStatus(); got != 418 {
			t.Errorf("%s with a status of its own is %d", code, got)
		}
	}
}

func TestACauseGoesToTheLogAndNotToTheClient(t *testing.T) {
	cause := errors.New("dial tcp 192.0.2.7:5432: password=hunter2")
	plain := Errorf(InvalidGrant, "at most %d", 5)
	with := plain.Because(cause)
	if plain.Unwrap() != nil {
		t.Error("Because changed the error that it was called on")
	}
	if !errors.Is(with, cause) || !strings.Contains(with.Error(), "hunter2") || with.Description != "at most 5" {
		t.Errorf("error %v", with)
	}
	wrapped := fmt.Errorf("outer: %w", with)
	if As(wrapped) != with || As(cause) != nil || As(nil) != nil {
		t.Error("As does not find it, or finds what is not there")
	}
	recorder := httptest.NewRecorder()
	WriteError(recorder, with)
	if body := recorder.Body.String(); body != `{"error":"invalid_grant","error_description":"at most 5"}` {
		t.Errorf("body %s", body)
	}
}

func TestAnErrorIsAnsweredAsRFC6749Asks(t *testing.T) {
	for name, v := range map[string]struct {
		err    *Error
		status int
		header map[string]string
		body   map[string]any
	}{
		"plain": {
			&Error{Code: InvalidScope}, 400, map[string]string{"Retry-After": "", "WWW-Authenticate": ""}, map[string]any{"error": "invalid_scope"},
		},
		"challenge": {
			&Error{Code: InvalidClient, Description: "no", Challenge: `Basic realm="x"`}, 401,
			map[string]string{"WWW-Authenticate": `Basic realm="x"`},
			map[string]any{"error": "invalid_client", "error_description": "no"},
		},
		"part of a second":      {&Error{Code: SlowDown, RetryAfter: time.Millisecond}, 429, map[string]string{"Retry-After": "1"}, nil},
		"seconds":               {&Error{Code: SlowDown, RetryAfter: 61*time.Second + 1}, 429, map[string]string{"Retry-After": "62"}, nil},
		"outage without a wait": {&Error{Code: TemporarilyUnavailable}, 503, map[string]string{"Retry-After": "1"}, nil},
		"more members": {
			&Error{Code: MFARequired, Extra: map[string]any{"mfa_token": "smf_x"}}, 400, nil, map[string]any{"error": "mfa_required", "mfa_token": "smf_x"},
		},
		"what does not encode": {
			&Error{Code: MFARequired, Extra: map[string]any{"x": func() {}}}, 400, nil, map[string]any{"error": "server_error"},
		},
	} {
		recorder := httptest.NewRecorder()
		recorder.Header().Set("ETag", `"of a good answer"`)
		recorder.Header().Set("Cache-Control", "public")
		WriteError(recorder, v.err)
		for header, want := range map[string]string{
			"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache", "ETag": "",
		} {
			if got := recorder.Header().Get(header); got != want {
				t.Errorf("%s: %s %q, want %q", name, header, got, want)
			}
		}
		for header, want := range v.header {
			if got := recorder.Header().Get(header); got != want {
				t.Errorf("%s: %s %q, want %q", name, header, got, want)
			}
		}
		var body map[string]any
		if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil || recorder.Code != v.status {
			t.Errorf("%s: %d %s", name, recorder.Code, recorder.Body)
		}
		if v.body != nil && fmt.Sprint(body) != fmt.Sprint(v.body) {
			t.Errorf("%s: body %v, want %v", name, body, v.body)
		}
	}
}
