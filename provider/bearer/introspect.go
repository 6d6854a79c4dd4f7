package bearer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxAnswers bounds how many answers are remembered.
const maxAnswers = 10_000

var (
	errInactive   = errors.New("the issuer says that it is not active")
	errTokenType  = errors.New("it is another kind of token")
	errNoEndpoint = errors.New("the issuer's metadata has no introspection_endpoint")
	errRefused    = errors.New("the issuer refused this API's own credentials: check Introspection.ClientID and ClientSecret")
	errAnswer     = errors.New("the answer to the introspection is not the JSON object of RFC 7662 section 2.2")
)

// introspect asks the issuer about a token (RFC 7662 §2). Errors are *Error.
func (v *Verifier) introspect(ctx context.Context, token string) (Token, error) {
	now := v.config.Clock()
	if t, ok := v.answers.find(token, now); ok {
		return t, v.judge(t)
	}
	text, err := v.question(ctx, token)
	if err != nil {
		v.config.Logger.Warn("an access token could not be introspected", "issuer", v.config.Issuer, "error", err)
		return Token{}, asError(err)
	}
	t, err := v.readAnswer(text)
	if err != nil {
		return Token{}, err
	}
	v.answers.keep(token, t, now)
	return t, nil
}

// question returns the issuer's answer. Every error is an outage: none says anything about the token.
func (v *Verifier) question(ctx context.Context, token string) ([]byte, error) {
	k, err := v.issuer.current(ctx)
	if err != nil {
		return nil, err
	}
	if k.introspection == "" {
		return nil, errNoEndpoint
	}
	ctx, cancel := context.WithTimeout(ctx, requestDeadline)
	defer cancel()
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.introspection, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	// RFC 6749 §2.3.1: form-encoded before they are joined.
	req.SetBasicAuth(url.QueryEscape(v.config.Introspection.ClientID), url.QueryEscape(v.config.Introspection.ClientSecret))
	resp, err := v.config.HTTPClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return nil, errRefused
	}
	return readAll(resp)
}

// readAnswer judges the answer. A refresh token is active, too, and has no token_type: it is refused here.
func (v *Verifier) readAnswer(text []byte) (Token, error) {
	t, err := parseToken(text)
	if err != nil {
		return Token{}, unavailable(errAnswer)
	}
	var active bool
	if json.Unmarshal(t.claims["active"], &active) != nil {
		return Token{}, unavailable(errAnswer)
	}
	if !active {
		return Token{}, invalid("the access token is expired, revoked, or not for this API", errInactive)
	}
	var kind string
	if json.Unmarshal(t.claims["token_type"], &kind) != nil || !strings.EqualFold(kind, "Bearer") {
		return Token{}, invalid(notOurs, errTokenType)
	}
	if _, there := t.claims["iss"]; !there { // optional here: we asked the issuer itself
		t.Issuer = v.config.Issuer
	}
	if err := v.judge(t); err != nil {
		return Token{}, err
	}
	return t, nil
}

// answers remembers active answers for a short while, by the tokens' hashes. A nil one remembers nothing.
type answers struct {
	lifetime time.Duration
	mu       sync.Mutex
	known    map[[sha256.Size]byte]remembered
}

type remembered struct {
	token Token
	until time.Time
}

func newAnswers(lifetime time.Duration) *answers {
	return &answers{lifetime: lifetime, known: map[[sha256.Size]byte]remembered{}}
}

func (a *answers) find(token string, now time.Time) (Token, bool) {
	if a == nil {
		return Token{}, false
	}
	name := sha256.Sum256([]byte(token))
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.known[name]
	if !ok {
		return Token{}, false
	}
	// A clock that was put back does not lengthen it.
	if left := found.until.Sub(now); left <= 0 || left > a.lifetime {
		delete(a.known, name)
		return Token{}, false
	}
	return found.token, true
}

func (a *answers) keep(token string, t Token, now time.Time) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.known {
		if len(a.known) < maxAnswers {
			break
		}
		delete(a.known, name) // any: what is asked for again comes back
	}
	a.known[sha256.Sum256([]byte(token))] = remembered{t, now.Add(a.lifetime)}
}
