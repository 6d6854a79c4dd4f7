package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// issuer is Signet, and who we are there: a confidential client of the operator's own.
type issuer struct {
	url, clientID, clientSecret string
	resource                    string // the API that tokens are for (RFC 8707)
	http                        *http.Client
}

// tokens are a token answer (RFC 6749 §5.1).
type tokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int64  `json:"expires_in"`
	expires   time.Time
}

// refusal is an OAuth error (RFC 6749 §5.2).
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	status      int
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.Code, r.Description) }

func (i issuer) password(ctx context.Context, username, password, otp string) (tokens, error) {
	form := url.Values{"grant_type": {"password"}, "username": {username}, "password": {password}, "resource": {i.resource}}
	if otp != "" {
		form.Set("otp", otp)
	}
	return i.token(ctx, form)
}

func (i issuer) refresh(ctx context.Context, token string) (tokens, error) {
	return i.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (i issuer) token(ctx context.Context, form url.Values) (tokens, error) {
	var t tokens
	asked := time.Now()
	text, err := i.post(ctx, "/oauth2/token", form)
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(text, &t); err != nil || t.Access == "" || t.Refresh == "" {
		return t, fmt.Errorf("the token answer has no access token and refresh token")
	}
	t.expires = asked.Add(time.Duration(t.ExpiresIn) * time.Second)
	return t, nil
}

func (i issuer) revoke(ctx context.Context, token string) error {
	_, err := i.post(ctx, "/oauth2/revoke", url.Values{"token": {token}})
	return err
}

// post sends a form with our credentials. The error is a *refusal where Signet says no.
func (i issuer) post(ctx context.Context, path string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(i.clientID), url.QueryEscape(i.clientSecret))
	resp, err := i.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		no := &refusal{status: resp.StatusCode}
		_ = json.Unmarshal(text, no) // a proxy's answer may be anything: then the status speaks
		return nil, no
	}
	return text, nil
}
