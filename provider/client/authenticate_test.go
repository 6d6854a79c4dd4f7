package client_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func form(t *testing.T, pairs ...string) oauth.Params {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	p, err := oauth.ParseParams(values.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// callers are one client of each method, and a disabled one.
type callers struct{ basic, post, disabled string }

func register(t *testing.T, r *client.Registry) (secrets callers) {
	t.Helper()
	create := func(id, method string) string {
		_, secret, err := r.Create(t.Context(), storage.ClientMetadata{GrantTypes: []string{"password"}, TokenEndpointAuthMethod: method}, id, "cli")
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	secrets = callers{create("basic", oauth.AuthBasic), create("post", oauth.AuthPost), create("disabled", oauth.AuthBasic)}
	create("public", oauth.AuthNone)
	create("disabled-public", oauth.AuthNone)
	for _, id := range []string{"disabled", "disabled-public"} {
		if _, err := r.Disable(t.Context(), id, "cli"); err != nil {
			t.Fatal(err)
		}
	}
	return secrets
}

func TestTheRegisteredMethodProvesTheClient(t *testing.T) {
	t.Parallel()
	r, _, clock := open(t)
	secret := register(t, r)
	for name, test := range map[string]struct {
		headers       []string
		p             oauth.Params
		id            string
		authenticated bool
	}{
		"basic":                          {[]string{basic("basic", secret.basic)}, form(t), "basic", true},
		"basic, scheme in other case":    {[]string{"bAsIc" + basic("basic", secret.basic)[5:]}, form(t), "basic", true},
		"basic with equal client_id":     {[]string{basic("basic", secret.basic)}, form(t, "client_id", "basic"), "basic", true},
		"basic with empty client_secret": {[]string{basic("basic", secret.basic)}, form(t, "client_id", "", "client_secret", ""), "basic", true},
		"post":                           {nil, form(t, "client_id", "post", "client_secret", secret.post), "post", true},
		"none":                           {nil, form(t, "client_id", "public"), "public", false},
		"none with empty secret":         {nil, form(t, "client_id", "public", "client_secret", ""), "public", false},
		"none, as libraries send it":     {[]string{basic("public", "")}, form(t), "public", false},
	} {
		caller, err := r.Authenticate(t.Context(), test.headers, test.p)
		if err != nil || caller.Client.ID != test.id || caller.Authenticated != test.authenticated || !caller.Now.Equal(clock.Now()) {
			t.Errorf("%s: %+v, %v", name, caller, err)
		}
	}
}

// TestFailuresLookAlike: whoever does not know a client's secret learns nothing about it.
func TestFailuresLookAlike(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	secret := register(t, r)
	var first *oauth.Error
	causes := map[string]bool{}
	for name, test := range map[string]struct {
		headers []string
		p       oauth.Params
	}{
		"unknown, basic":          {[]string{basic("nobody", secret.basic)}, form(t)},
		"unknown, post":           {nil, form(t, "client_id", "nobody", "client_secret", "x")},
		"unknown, none":           {nil, form(t, "client_id", "nobody")},
		"id in other case":        {[]string{basic("BASIC", secret.basic)}, form(t)},
		"wrong secret, basic":     {[]string{basic("basic", secret.post)}, form(t)},
		"wrong secret, post":      {nil, form(t, "client_id", "post", "client_secret", secret.basic)},
		"secret cut":              {[]string{basic("basic", secret.basic[:len(secret.basic)-1])}, form(t)},
		"secret and more":         {[]string{basic("basic", secret.basic+"a")}, form(t)},
		"wrong secret and method": {nil, form(t, "client_id", "basic", "client_secret", "x")},
		"confidential by name":    {nil, form(t, "client_id", "basic")},
		"empty secret":            {[]string{basic("basic", "")}, form(t)},
		"public with a secret":    {nil, form(t, "client_id", "public", "client_secret", "x")},
		"public with basic":       {[]string{basic("public", "x")}, form(t)},
		"disabled":                {[]string{basic("disabled", secret.disabled)}, form(t)},
		"disabled, wrong secret":  {[]string{basic("disabled", "x")}, form(t)},
		"disabled public":         {nil, form(t, "client_id", "disabled-public")},
		"long id":                 {nil, form(t, "client_id", strings.Repeat("a", 257))},
		"control character":       {nil, form(t, "client_id", "basic\x00")},
	} {
		_, err := r.Authenticate(t.Context(), test.headers, test.p)
		e := oauth.As(err)
		if e == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if e.Unwrap() == nil {
			t.Errorf("%s: no cause for the log", name)
		} else {
			causes[e.Unwrap().Error()] = true
		}
		if first == nil {
			first = e
		}
		if e.Code != oauth.InvalidClient || e.HTTPStatus() != 401 || e.Description != first.Description || e.Challenge != first.Challenge || len(e.Extra) > 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if first.Challenge != `Basic realm="https://id.example", charset="UTF-8"` {
		t.Errorf("the challenge is %s", first.Challenge)
	}
	if len(causes) != 7 {
		t.Errorf("the log is told %v", causes)
	}
}

func TestTheOtherMethodIsRefusedWithAdviceForWhoKnowsTheSecret(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	secret := register(t, r)
	_, err := r.Authenticate(t.Context(), nil, form(t, "client_id", "basic", "client_secret", secret.basic))
	if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClient || e.Challenge == "" || !strings.Contains(e.Description, "client_secret_basic") {
		t.Errorf("post for basic: %v", err)
	}
	_, err = r.Authenticate(t.Context(), []string{basic("post", secret.post)}, form(t))
	if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClient || e.Challenge == "" || !strings.Contains(e.Description, "client_secret_post") {
		t.Errorf("basic for post: %v", err)
	}
}

func TestMalformedAuthenticationIsToldWhatToMend(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	secret := register(t, r)
	good := basic("basic", secret.basic)
	for name, test := range map[string]struct {
		headers []string
		p       oauth.Params
		code    oauth.Code
		says    string
	}{
		"nothing":                  {nil, form(t), oauth.InvalidClient, "not named"},
		"secret without id":        {nil, form(t, "client_secret", "x"), oauth.InvalidClient, "not named"},
		"two headers":              {[]string{good, good}, form(t), oauth.InvalidRequest, "more than one Authorization header"},
		"two methods":              {[]string{good}, form(t, "client_id", "basic", "client_secret", secret.basic), oauth.InvalidRequest, "more than one way"},
		"basic and assertion":      {[]string{good}, form(t, "client_assertion", "x"), oauth.InvalidRequest, "more than one way"},
		"post and assertion":       {nil, form(t, "client_id", "post", "client_secret", secret.post, "client_assertion_type", "x"), oauth.InvalidRequest, "more than one way"},
		"assertion":                {nil, form(t, "client_id", "basic", "client_assertion", "x"), oauth.InvalidClient, "client_assertion_type must be"},
		"bearer":                   {[]string{"Bearer x"}, form(t), oauth.InvalidClient, "scheme Basic"},
		"empty header":             {[]string{""}, form(t, "client_id", "public"), oauth.InvalidClient, "scheme Basic"},
		"basic without more":       {[]string{"Basic"}, form(t), oauth.InvalidClient, "malformed"},
		"bad base64":               {[]string{"Basic %%%"}, form(t), oauth.InvalidClient, "malformed"},
		"bad percent-encoding":     {[]string{"Basic " + base64.StdEncoding.EncodeToString([]byte("basic:%zz"))}, form(t), oauth.InvalidClient, "malformed"},
		"client_id is another one": {[]string{good}, form(t, "client_id", "post"), oauth.InvalidClient, "client_id must be"},
	} {
		_, err := r.Authenticate(t.Context(), test.headers, test.p)
		e := oauth.As(err)
		if e == nil || e.Code != test.code || !strings.Contains(e.Description, test.says) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (e.HTTPStatus() == http.StatusUnauthorized) != (e.Challenge != "") || (e.Code == oauth.InvalidClient) != (e.HTTPStatus() == 401) {
			t.Errorf("%s: status %d, challenge %q", name, e.HTTPStatus(), e.Challenge)
		}
		if strings.ContainsAny(e.Description, "\"\\\n") {
			t.Errorf("%s: %s", name, e.Description)
		}
	}
}

func TestAStoreThatFailsIsNotTheClientsFault(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	secret := register(t, r)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Authenticate(t.Context(), []string{basic("basic", secret.basic)}, form(t))
	e := oauth.As(err)
	if e == nil || e.Code != oauth.TemporarilyUnavailable || e.HTTPStatus() != 503 || e.RetryAfter <= 0 || e.Unwrap() == nil {
		t.Errorf("got %+v", e)
	}
}
