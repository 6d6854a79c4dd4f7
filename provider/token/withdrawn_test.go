package token_test

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// TestWhatWasWithdrawnSinceTheApprovalGivesNoTokens: the person, the client or the session ended, or what the client is registered
// for shrank, between the approval and its redemption, by code and by device.
func TestWhatWasWithdrawnSinceTheApprovalGivesNoTokens(t *testing.T) {
	t.Parallel()
	changeUser := func(w *world, revoke storage.Reason) {
		found, err := w.store.FindUser(w.t.Context(), w.user)
		w.must(err)
		found.User.DisabledAt = w.clock.Now()
		w.must(w.store.UpdateUser(w.t.Context(), found.User, revoke, storage.Also{}))
	}
	for _, c := range []struct {
		name     string
		withdraw func(w *world, session storage.ID)
		want     oauth.Code
	}{
		{"user disabled", func(w *world, _ storage.ID) { changeUser(w, "") }, oauth.InvalidGrant},
		{"user disabled, grants revoked", func(w *world, _ storage.ID) { changeUser(w, storage.ReasonAdmin) }, oauth.InvalidGrant},
		{"user deleted", func(w *world, _ storage.ID) {
			w.must(w.store.DeleteUser(w.t.Context(), w.user, storage.Also{}))
		}, oauth.InvalidGrant},
		{"password changed", func(w *world, _ storage.ID) {
			w.must(w.store.SetPassword(w.t.Context(), w.user, 0, "another", storage.Also{}))
		}, oauth.InvalidGrant},
		{"session ended", func(w *world, session storage.ID) {
			_, err := w.store.EndSessions(w.t.Context(), storage.SessionsOf{ID: session}, storage.ReasonLogout, storage.Also{})
			w.must(err)
		}, oauth.InvalidGrant},
		{"client disabled", func(w *world, _ storage.ID) {
			_, err := w.clients.Disable(w.t.Context(), "shop", "test")
			w.must(err)
		}, oauth.InvalidClient},
		{"client deleted", func(w *world, _ storage.ID) {
			w.must(w.clients.Delete(w.t.Context(), "shop", "test"))
		}, oauth.InvalidClient},
		{"grant type taken away", func(w *world, _ storage.ID) {
			w.update("shop", func(m *storage.ClientMetadata) {
				m.GrantTypes, m.ResponseTypes, m.RedirectURIs = []string{oauth.GrantClientCredentials}, nil, nil
			})
		}, oauth.UnauthorizedClient},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			session := w.session(time.Hour)
			given := func(g *storage.Grant) { g.SessionID, g.Pending.SessionEnds = session, w.clock.Now().Add(time.Hour) }
			code, _ := w.code(given)
			device, _ := w.device(func(g *storage.Grant) { approvedBy(w.user)(g); given(g) })
			c.withdraw(w, session)
			for _, a := range []answer{w.redeem("shop", code), w.poll("shop", device)} {
				if a.text("error") != string(c.want) || a.body["access_token"] != nil {
					t.Errorf("%d %s, want %s", a.status, a.raw, c.want)
				}
			}
		})
	}
}

// TestScopeThatWasTakenFromTheClientIsInNoToken of a code or device that was approved before.
func TestScopeThatWasTakenFromTheClientIsInNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, id := w.code(nil)
	device, _ := w.device(approvedBy(w.user))
	w.update("shop", func(m *storage.ClientMetadata) { m.Scope = "openid" })
	for _, a := range []answer{w.granted(w.redeem("shop", code)), w.granted(w.poll("shop", device))} {
		if a.text("scope") != "openid" {
			t.Errorf("scope %s", a.text("scope"))
		}
	}
	if scope := w.grant(id).Scope; len(scope) != 1 {
		t.Errorf("the grant has %v", scope)
	}
}
