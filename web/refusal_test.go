package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// upkeep runs the provider's upkeep for as long as it takes to do what it does when it ends.
func (w *world) upkeep() {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	w.provider.Run(ctx)
}

// explained reads what is kept of an answer. ok is false where nothing is.
func (w *world) explained(a answer) (r storage.RefusedRequest, ok bool) {
	w.Helper()
	r, err := w.store.FindRefusal(w.Context(), a.header.Get("X-Request-Id"))
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		w.Fatal(err)
	}
	return r, err == nil
}

func TestARefusalOfAClientIsKeptWithItsReason(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.user("ada")
		c := w.confidential(strict)
		first := w.login(c, "ada")
		w.clock.Advance(time.Minute)
		w.want(w.refreshWith(c, first.refresh()), http.StatusOK, "")
		rotated := w.clock.Now()
		w.clock.Advance(time.Hour)
		type kept struct{ endpoint, grantType, code, cause, became string }
		for name, v := range map[string]struct {
			answer answer
			want   kept
		}{
			"wrong password": {
				w.token(c, "grant_type", "password", "username", "ada", "password", "MARKED-password"), kept{"token", "password", "invalid_grant", "wrong", ""},
			},
			"reuse": {
				w.refreshWith(c, first.refresh()),
				kept{"token", "refresh_token", "invalid_grant", "reuse", "it was rotated at " + rotated.Format(time.RFC3339) + " from the same address"},
			},
			"forged": {w.refreshWith(c, "srt_MARKED-refresh"), kept{"token", "refresh_token", "invalid_grant", "forged", ""}},
			"wrong secret": {
				w.token(app{id: c.id, secret: "MARKED-secret"}, "grant_type", "client_credentials"),
				kept{"token", "client_credentials", "invalid_client", "secret", ""},
			},
			"wrong secret in the body": {
				w.post("/oauth2/revoke", app{id: c.id, secret: "MARKED-secret", post: true}, form("token", "MARKED-token")),
				kept{"revoke", "", "invalid_client", "secret", ""},
			},
			"scope":         {w.token(c, "grant_type", "client_credentials", "scope", "api:delete"), kept{"token", "client_credentials", "invalid_scope", "api:delete", ""}},
			"unknown grant": {w.token(c, "grant_type", "implicit", "client_id", c.id), kept{"token", "", "unsupported_grant_type", "no grant type", ""}},
			"introspect":    {w.post("/oauth2/introspect", c, form("hint", "MARKED-hint")), kept{"introspect", "", "invalid_request", "", ""}},
		} {
			w.upkeep()
			r, ok := w.explained(v.answer)
			if !ok {
				t.Errorf("%s: nothing is kept of %d %s", name, v.answer.status, v.answer.raw)
				continue
			}
			if got := (kept{r.Endpoint, r.GrantType, r.Code, r.Cause, r.Token}); got.endpoint != v.want.endpoint || got.grantType != v.want.grantType ||
				got.code != v.want.code || !strings.Contains(got.cause, v.want.cause) || got.became != v.want.became {
				t.Errorf("%s: kept %+v, want %+v", name, got, v.want)
			}
			if r.ClientID != c.id || r.Description != v.answer.text("error_description") || r.Seen.Address == "" || strings.Contains(fmt.Sprint(r), "MARKED") {
				t.Errorf("%s: kept %+v", name, r)
			}
			if grant := !r.GrantID.IsZero(); grant != (name == "reuse") {
				t.Errorf("%s: the grant is named: %v", name, grant)
			}
		}
	})
}

func TestNothingIsKeptOfStrangersAndOfWhatIsNoRefusal(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		c := w.confidential()
		w.enrol(w.user("ada"))
		for name, a := range map[string]answer{
			"success":        w.token(c, "grant_type", "client_credentials"),
			"mfa_required":   w.token(c, "grant_type", "password", "username", "ada", "password", password),
			"unknown client": w.token(app{id: "nobody", secret: "x"}, "grant_type", "client_credentials"),
			"nobody":         w.token(app{}, "grant_type", "client_credentials"),
			"long name":      w.token(app{id: strings.Repeat("x", 5000)}, "grant_type", "client_credentials"),
		} {
			w.upkeep()
			if r, ok := w.explained(a); ok {
				t.Errorf("%s: kept %+v", name, r)
			}
		}
	})
}

func TestAFloodOfRefusalsIsDroppedAndCounted(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w := newWorld(t, "sqlite", engines["sqlite"](t, c.Now), c)
	owner := w.confidential()
	const flood = 500
	var answers []answer
	for range flood {
		answers = append(answers, w.token(app{id: owner.id, secret: "wrong"}, "grant_type", "client_credentials"))
	}
	w.upkeep()
	kept := 0
	for _, a := range answers {
		if _, ok := w.explained(a); ok {
			kept++
		}
	}
	dropped := w.provider.RefusalsDropped()
	if kept == 0 || kept == flood || dropped != int64(flood-kept) {
		t.Errorf("of %d refusals %d are kept and %d were counted as dropped", flood, kept, dropped)
	}
	c.Advance(24*time.Hour + time.Minute)
	if n, err := w.store.SweepRefusals(t.Context(), flood, 24*time.Hour); err != nil || n != kept {
		t.Errorf("%d swept after a day, %v", n, err)
	}
}

func TestARefusalIsKeptOfAClientThatNamesItselfByItsAssertionAlone(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		c, k := w.confidential(byKeys), keyPairs()["ES256"]
		for name, a := range map[string]answer{
			"good assertion": w.assert("/oauth2/token", k.sign(k.header(), w.claims(c, "one", nil)), "grant_type", "refresh_token", "refresh_token", "srt_x"),
			"late assertion": w.assert("/oauth2/token", k.sign(k.header(), w.claims(c, "two", map[string]any{"exp": 1})), "grant_type", "client_credentials"),
		} {
			w.upkeep()
			if r, ok := w.explained(a); !ok || r.ClientID != c.id || r.Cause == "" {
				t.Errorf("%s: kept %v %+v of %s", name, ok, r, a.raw)
			}
		}
		for _, junk := range []string{"", ".", "..", "a.b.c", "a.e30.c", "a.bnVsbA.c", strings.Repeat("a", 9000)} {
			w.assert("/oauth2/token", junk, "grant_type", "client_credentials")
		}
	})
}
