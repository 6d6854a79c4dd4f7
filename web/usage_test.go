package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// TestWhatAClientDoesIsCountedByDay: sign-ins, tokens and failures, who was first, and which secret was used.
func TestWhatAClientDoesIsCountedByDay(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ada := w.user("ada")
		c, idle, spa := w.confidential(), w.confidential(), w.relying(func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "none" })
		first := w.login(c, "ada")
		w.want(w.refreshWith(c, first.refresh()), http.StatusOK, "")
		w.want(w.token(c, "grant_type", "client_credentials"), http.StatusOK, "")
		w.want(w.token(c, "grant_type", "password", "username", "ada", "password", "wrong"), http.StatusBadRequest, "invalid_grant")
		w.want(w.token(app{id: c.id, secret: "wrong"}, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		b := w.browser()
		b.visit(authorize(spa, "redirect_uri", "https://evil.example"))
		w.want(w.exchange(spa, b.through(spa, "ada", "").Get("code")), http.StatusOK, "")
		w.upkeep()
		figures := func(c app) (u storage.ClientUsage) {
			days, err := w.store.ListUsage(w.Context(), c.id, 7)
			w.must(err)
			if len(days) > 0 {
				u = days[0]
			}
			return u
		}
		for name, v := range map[string]struct {
			c                         app
			signIns, tokens, failures int64
		}{"confidential": {c, 1, 3, 2}, "spa": {spa, 1, 1, 1}, "idle": {idle, 0, 0, 0}} {
			if u := figures(v.c); u.SignIns != v.signIns || u.Tokens != v.tokens || u.Failures != v.failures {
				w.Errorf("%s: counted %+v", name, u)
			}
		}
		kept, err := w.provider.Clients().Find(w.Context(), c.id)
		w.must(err)
		uses, err := w.store.ListSecretUses(w.Context(), c.id)
		w.must(err)
		if kept.UsedBy != ada.ID || kept.UsedAt.IsZero() || len(uses) != 1 || !uses[0].CreatedAt.Equal(kept.Secrets[0].CreatedAt) {
			w.Errorf("used at %v by %v with %v", kept.UsedAt, kept.UsedBy, uses)
		}
		w.clock.Advance(24 * time.Hour)
		w.want(w.token(c, "grant_type", "client_credentials"), http.StatusOK, "")
		w.upkeep()
		if days, err := w.store.ListUsage(w.Context(), c.id, 7); err != nil || len(days) != 2 || days[0].Tokens != 1 {
			w.Errorf("counted %+v, %v", days, err)
		}
	})
}
