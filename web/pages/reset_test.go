package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// resetLink is the link of the newest letter that brings one to choose a new password.
func (w *world) resetLink(of string) string {
	w.Helper()
	w.visit("/recover")
	w.submit("username", of)
	w.on("Look into your mail", http.StatusOK)
	letters, err := w.store.ClaimLetters(w.Context(), 50, 1e9)
	w.must(err)
	for _, l := range letters {
		if l.Kind == "reset" {
			id, err := storage.ParseID(l.Data[storage.LetterTicket])
			w.must(err)
			link, err := w.provider.People().MailLink(w.Context(), id)
			w.must(err)
			return link
		}
	}
	w.Fatalf("no letter among %d brings a link", len(letters))
	return ""
}

func TestAForgottenPasswordIsChosenAnewWithAPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.user("ada")
	w.visit("/account/passkeys")
	w.signIn("ada")
	d := w.passkey(ada)
	other := newDevice(ada)
	w.client = w.browser()
	link := w.resetLink("ada")
	w.follow(w.ask(http.MethodGet, link, nil))
	w.on("Choose a new password", http.StatusOK)
	if strings.Contains(w.shown.raw, `name="otp"`) || !strings.Contains(w.shown.raw, `name="recovery_code"`) {
		t.Error("who has a passkey alone is asked for the code of an app, or for no recovery code")
	}
	const fresh = "quince ladder umbrella 5 violins"
	send := func(pairs ...string) shown {
		t.Helper()
		return w.submit(append([]string{"pass", w.shown.fields.Get("pass"), "password", fresh, "again", fresh}, pairs...)...)
	}
	send("ceremony", w.shown.fields.Get("ceremony"), "passkey", "", "recovery_code", "")
	w.on("Choose a new password", http.StatusUnprocessableEntity)
	w.shows("A second factor protects this account")
	send(w.answers(other)...)
	w.on("Choose a new password", http.StatusUnprocessableEntity)
	w.shows("That passkey did not prove that it is you")
	answer := w.answers(d)
	w.submit(append([]string{"pass", w.shown.fields.Get("pass"), "password", "password1", "again", "password1"}, answer...)...)
	w.on("Choose a new password", http.StatusUnprocessableEntity)
	w.shows("Many people have that password")
	send(w.answers(d)...)
	w.on("Sign in", http.StatusOK)
	w.shows("Your password is changed. Sign in with the new one.")
	found, err := w.provider.People().Find(w.Context(), ada.ID.String())
	w.must(err)
	if len(found.Passkeys) != 1 || found.RecoveryCodes != 10 || found.Passkeys[0].UsedAt.IsZero() {
		t.Errorf("of the factors is left %+v", found)
	}
	w.submit("username", "ada", "password", fresh)
	w.on("Use your passkey", http.StatusOK)
}
