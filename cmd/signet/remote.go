package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// remote is a running issuer, seen as a client sees it.
type remote struct {
	issuer       string
	clientID     string
	clientSecret string // "" for a public client
	method       string // client_secret_basic or client_secret_post
	http         *http.Client
}

func newRemote(issuer, clientID, clientSecret string) *remote {
	return &remote{
		issuer: issuer, clientID: clientID, clientSecret: clientSecret, method: "client_secret_basic",
		http: &http.Client{
			Timeout:       20 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// endpoint finds an address in the issuer's metadata (RFC 8414 §3).
func (r *remote) endpoint(ctx context.Context, member string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return "", fail(exitUsage, "--issuer must be a URL such as http://localhost:8080")
	}
	answer, err := r.http.Do(request)
	if err != nil {
		return "", fail(exitFailed, "the issuer %s does not answer: is it running?", r.issuer)
	}
	defer answer.Body.Close()
	var metadata map[string]any
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&metadata); err != nil || answer.StatusCode != http.StatusOK {
		return "", fail(exitFailed, "the issuer %s did not answer with its metadata (status %d)", r.issuer, answer.StatusCode)
	}
	if metadata["issuer"] != r.issuer {
		return "", fail(exitFailed, "the server at %s says that its issuer is %v: use that one", r.issuer, metadata["issuer"])
	}
	address, _ := metadata[member].(string)
	if address == "" {
		return "", fail(exitFailed, "the issuer %s has no %s", r.issuer, member)
	}
	return address, nil
}

// post sends a form as the client and returns the answer's JSON. A refusal is an error as well as an answer.
func (r *remote) post(ctx context.Context, member string, form url.Values) (map[string]any, error) {
	address, err := r.endpoint(ctx, member)
	if err != nil {
		return nil, err
	}
	if r.clientSecret == "" || r.method == "client_secret_post" {
		form.Set("client_id", r.clientID)
	}
	if r.clientSecret != "" && r.method == "client_secret_post" {
		form.Set("client_secret", r.clientSecret)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.clientSecret != "" && r.method == "client_secret_basic" {
		request.SetBasicAuth(url.QueryEscape(r.clientID), url.QueryEscape(r.clientSecret))
	}
	response, err := r.http.Do(request)
	if err != nil {
		return nil, fail(exitFailed, "the issuer %s does not answer", r.issuer)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, fail(exitFailed, "the issuer %s did not answer with JSON (status %d)", r.issuer, response.StatusCode)
		}
	}
	if response.StatusCode != http.StatusOK {
		return answer, refusalOf(response, answer)
	}
	return answer, nil
}

// refusalOf makes an error of an OAuth error answer, with the exit code it calls for.
func refusalOf(response *http.Response, answer map[string]any) error {
	text := fmt.Sprintf("%v: %v (status %d, request id %s)", answer["error"], answer["error_description"], response.StatusCode,
		response.Header.Get("X-Request-Id"))
	switch {
	case response.StatusCode == http.StatusUnauthorized, answer["error"] == "invalid_grant", answer["error"] == "mfa_required":
		return &exit{exitForbidden, errors.New(text)}
	}
	return &exit{exitFailed, errors.New(text)}
}
