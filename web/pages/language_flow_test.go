package pages_test

import (
	"net/http"
	"testing"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

func TestAPersonIsSpokenToInTheirOwnLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ uiLocales, locale, accept, signIn, consent string }{
		{"", "", "", "Sign in", "Allow access?"},
		{"", "", "de-AT,de;q=0.9,en;q=0.8", "Anmelden", "Zugriff erlauben?"},
		{"", "de-AT", "", "Sign in", "Zugriff erlauben?"}, // nobody is known yet where they sign in
		{"", "de_AT", "ar", "تسجيل الدخول", "Zugriff erlauben?"},
		{"ar", "de-AT", "en", "تسجيل الدخول", "السماح بالوصول؟"},
		{"", "fr", "ar-EG", "تسجيل الدخول", "السماح بالوصول؟"},
	} {
		w := newWorld(t)
		_, err := w.provider.People().Create(t.Context(), storage.User{
			Username: "ada", Email: "ada@example.com", EmailVerified: true, Profile: storage.Profile{Locale: c.locale},
		}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
		w.must(err)
		w.client.Transport = preferring{w.client.Transport, c.accept}
		w.visit(request(w.app(), "ui_locales", c.uiLocales))
		w.on(c.signIn, http.StatusOK)
		w.submit("username", "ada", "password", "wrong")
		w.on(c.signIn, http.StatusUnprocessableEntity)
		w.signIn("ada")
		w.on(c.consent, http.StatusOK)
		w.submit("decision", "deny")
		if got, want := w.visit("/consent").h1, w.said(c.consent); c.uiLocales == "" && got != want {
			t.Errorf("%v: a page without a request says %q, want %q", c, got, want)
		}
	}
}

// said is "There is nothing to do here" in the language of the consent page's heading.
func (w *world) said(consent string) string {
	w.Helper()
	text, ok := map[string]string{
		"Allow access?": "There is nothing to do here", "Zugriff erlauben?": "Hier ist nichts zu tun", "السماح بالوصول؟": "لا يوجد ما يمكن فعله هنا",
	}[consent]
	if !ok {
		w.Fatalf("no language has the heading %q", consent)
	}
	return text
}

// preferring is a browser that prefers languages.
type preferring struct {
	http.RoundTripper
	accept string
}

func (p preferring) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.accept != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Accept-Language", p.accept)
	}
	return p.RoundTripper.RoundTrip(r)
}
