package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// cookieName begins with __Host-, so that the browser takes it from this host alone, over TLS alone, for all paths.
const cookieName = "__Host-session"

const (
	sessionLifetime = 12 * time.Hour
	maxSessions     = 100_000
	early           = 30 * time.Second // how long before its end an access token is exchanged
)

// session is one person's tokens. They never leave this program but to Signet and the API.
type session struct {
	username string
	ends     time.Time
	mu       sync.Mutex // one exchange at a time: a refresh token is good for one
	tokens   tokens
}

// accessToken returns an access token that is good for a while yet. The error is a
// *refusal with invalid_grant where Signet has ended the grant: then the person must sign in again.
func (s *session) accessToken(ctx context.Context, from issuer) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Until(s.tokens.expires) < early {
		// Who leaves must not lose the answer: the next refresh token is in it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		next, err := from.refresh(ctx, s.tokens.Refresh)
		if err != nil {
			return "", err
		}
		s.tokens = next
	}
	return s.tokens.Access, nil
}

// sessions are kept in memory: a restart signs everybody out. Several processes need a store that they share, and a client whose
// refresh_rotation is balanced.
type sessions struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*session // by the cookie's hash: who reads memory dumps does not get cookies
}

func newSessions() *sessions { return &sessions{known: map[[sha256.Size]byte]*session{}} }

// add keeps s and returns the cookie's value; false where there are too many.
func (ss *sessions) add(s *session) (value string, ok bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if len(ss.known) >= maxSessions {
		for name, old := range ss.known {
			if time.Now().After(old.ends) {
				delete(ss.known, name)
			}
		}
		if len(ss.known) >= maxSessions {
			return "", false
		}
	}
	value = rand.Text() + rand.Text()
	ss.known[sha256.Sum256([]byte(value))] = s
	return value, true
}

func (ss *sessions) find(value string) (*session, bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s, ok := ss.known[sha256.Sum256([]byte(value))]
	return s, ok && time.Now().Before(s.ends)
}

func (ss *sessions) remove(value string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.known, sha256.Sum256([]byte(value)))
}

func (b *backend) session(r *http.Request) (*session, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, false
	}
	return b.sessions.find(cookie.Value)
}

// login takes {"username", "password"} and, for people with a second factor, "otp" besides.
func (b *backend) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ Username, Password, OTP string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&given); err != nil || given.Username == "" || given.Password == "" {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	got, err := b.issuer.password(r.Context(), given.Username, given.Password, given.OTP)
	if err != nil {
		failed(w, err)
		return
	}
	b.end(r) // a cookie that was there before gets no more than it had
	value, ok := b.sessions.add(&session{username: given.Username, tokens: got, ends: time.Now().Add(sessionLifetime)})
	if !ok {
		refuse(w, http.StatusServiceUnavailable, "unavailable")
		return
	}
	http.SetCookie(w, cookie(value, int(sessionLifetime/time.Second)))
	answer(w, map[string]string{"username": given.Username})
}

func (b *backend) whoami(w http.ResponseWriter, r *http.Request) {
	s, ok := b.session(r)
	if !ok {
		refuse(w, http.StatusUnauthorized, "signed_out")
		return
	}
	answer(w, map[string]string{"username": s.username})
}

func (b *backend) logout(w http.ResponseWriter, r *http.Request) {
	b.end(r)
	http.SetCookie(w, cookie("", -1))
	w.WriteHeader(http.StatusNoContent)
}

// end forgets the request's session and tells Signet, which ends the grant and all its tokens.
func (b *backend) end(r *http.Request) {
	s, ok := b.session(r)
	if !ok {
		return
	}
	if c, err := r.Cookie(cookieName); err == nil {
		b.sessions.remove(c.Value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := b.issuer.revoke(context.WithoutCancel(r.Context()), s.tokens.Refresh); err != nil {
		slog.Warn("a grant could not be revoked; it ends when nobody uses it", "error", err)
	}
}

func cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// failed tells the page what to do next: ask again, for a code, or later.
func failed(w http.ResponseWriter, err error) {
	var refusal *refusal
	switch {
	case !errors.As(err, &refusal) || refusal.status >= http.StatusInternalServerError:
		slog.Warn("Signet did not answer", "error", err)
		refuse(w, http.StatusServiceUnavailable, "unavailable")
	case refusal.Code == "invalid_grant":
		refuse(w, http.StatusUnauthorized, "invalid_grant")
	case refusal.Code == "mfa_required":
		refuse(w, http.StatusUnauthorized, "mfa_required")
	case refusal.status == http.StatusTooManyRequests:
		refuse(w, http.StatusTooManyRequests, "slow_down")
	default:
		slog.Error("Signet refused this program", "error", err)
		refuse(w, http.StatusInternalServerError, "misconfigured")
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
