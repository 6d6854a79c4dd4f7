package web_test

import (
	"net/http"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestConsentIsGivenForWhatWasShownAndNothingElse(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		c, b := w.relying(), w.browser()
		b.through(c, "ada", "", "scope", "openid email")
		b.visit(authorize(c, "scope", "openid email phone")) // asks for phone alone
		if !b.page.offers("decision", "allow") {
			w.Fatalf("no consent page: %d %v", b.page.status, b.page.left)
		}
		_, err := w.store.WithdrawConsent(w.Context(), u.ID, c.id, storage.Also{}) // in another tab, say
		w.must(err)
		if p := b.submit("decision", "allow"); p.status != http.StatusForbidden || p.left != nil {
			w.Errorf("an answer to another question was taken: %d %v", p.status, p.left)
		}
		if _, err := w.store.FindConsent(w.Context(), u.ID, c.id); err == nil {
			w.Error("what was withdrawn is allowed again")
		}
	})
}
