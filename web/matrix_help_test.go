package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

const mfaGrant = "urn:signet:oauth:grant-type:mfa-otp"

// posts makes a client of client_secret_post.
func posts(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_post" }

// send makes any request: a form where body is not empty and header names no other type.
func (w *world) send(method, path string, header http.Header, body string) answer {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	w.must(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return w.do(r)
}

// userinfo presents an access token in the Authorization header.
func (w *world) userinfo(token string) answer {
	w.Helper()
	return w.send(http.MethodGet, "/userinfo", http.Header{"Authorization": {"Bearer " + token}}, "")
}

// half signs in with the password alone and returns the mfa_token.
func (w *world) half(c app, username string) string {
	w.Helper()
	a := w.token(c, "grant_type", "password", "username", username, "password", password)
	w.want(a, http.StatusBadRequest, "mfa_required")
	return a.text("mfa_token")
}

// redeem presents an mfa_token with a one-time code.
func (w *world) redeem(c app, mfaToken, otp string) answer {
	w.Helper()
	return w.token(c, "grant_type", mfaGrant, "mfa_token", mfaToken, "otp", otp)
}

// mint opens the handle keys as the server has them, so that a test reads handles and makes authentic ones of the wrong kind.
func (w *world) mint() *handle.Mint {
	w.Helper()
	sealer, err := keys.ParseSecretKeys(madeKeys.text)
	w.must(err)
	ring, err := keys.OpenRing(w.Context(), w.store, sealer, issuerURL, keys.Life{})
	w.must(err)
	return handle.New(ring)
}

// atOnce does n things at once and returns their answers.
func atOnce(n int, do func(i int) answer) []answer {
	answers := make([]answer, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			answers[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return answers
}

// tally is the real store, with every call that a request may make counted by name.
type tally struct {
	storage.Store
	mu    sync.Mutex
	calls map[string]int
}

// eachCounted is each, over a counted store.
func eachCounted(t *testing.T, test func(w *world, s *tally)) {
	t.Helper()
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
			s := &tally{Store: open(t, c.Now), calls: map[string]int{}}
			test(newWorld(t, engine, s, c), s)
		})
	}
}

func (s *tally) note(call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call]++
}

// taken returns what was counted since it was asked last.
func (s *tally) taken() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = map[string]int{}
	return calls
}

func (s *tally) CreateGrant(ctx context.Context, g storage.Grant, spend storage.Spend, also storage.Also) error {
	s.note("CreateGrant")
	return s.Store.CreateGrant(ctx, g, spend, also)
}

func (s *tally) FindGrant(ctx context.Context, id storage.ID) (storage.Standing, error) {
	s.note("FindGrant")
	return s.Store.FindGrant(ctx, id)
}

func (s *tally) RedeemGrant(ctx context.Context, r storage.Redemption) error {
	s.note("RedeemGrant")
	return s.Store.RedeemGrant(ctx, r)
}

func (s *tally) RotateGrant(ctx context.Context, step storage.Step) error {
	s.note("RotateGrant")
	return s.Store.RotateGrant(ctx, step)
}

func (s *tally) RevokeGrant(ctx context.Context, r storage.Revocation) (bool, error) {
	s.note("RevokeGrant")
	return s.Store.RevokeGrant(ctx, r)
}

func (s *tally) RevokeGrants(ctx context.Context, of storage.GrantsOf, r storage.Revocation) (int, error) {
	s.note("RevokeGrants")
	return s.Store.RevokeGrants(ctx, of, r)
}

func (s *tally) TakeAttempts(ctx context.Context, takes []storage.Take) (time.Duration, error) {
	s.note("TakeAttempts")
	return s.Store.TakeAttempts(ctx, takes)
}

func (s *tally) ReturnAttempts(ctx context.Context, takes []storage.Take) error {
	s.note("ReturnAttempts")
	return s.Store.ReturnAttempts(ctx, takes)
}

func (s *tally) TryGrant(ctx context.Context, id storage.ID, revision int64) error {
	s.note("TryGrant")
	return s.Store.TryGrant(ctx, id, revision)
}

func (s *tally) DenyToken(ctx context.Context, d storage.Denial) error {
	s.note("DenyToken")
	return s.Store.DenyToken(ctx, d)
}

func (s *tally) TokenDenied(ctx context.Context, id storage.ID, serial int64) (bool, time.Time, error) {
	s.note("TokenDenied")
	return s.Store.TokenDenied(ctx, id, serial)
}

func (s *tally) FindClient(ctx context.Context, id string) (storage.Client, time.Time, error) {
	s.note("FindClient")
	return s.Store.FindClient(ctx, id)
}

func (s *tally) FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error) {
	s.note("FindUser")
	return s.Store.FindUser(ctx, id)
}

func (s *tally) FindLogin(ctx context.Context, login string) (storage.SignIn, error) {
	s.note("FindLogin")
	return s.Store.FindLogin(ctx, login)
}

func (s *tally) RaiseHash(ctx context.Context, id storage.ID, old, hash string) error {
	s.note("RaiseHash")
	return s.Store.RaiseHash(ctx, id, old, hash)
}

func (s *tally) RecordEvents(ctx context.Context, events []storage.Event) error {
	s.note("RecordEvents")
	return s.Store.RecordEvents(ctx, events)
}
