package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/developer"
)

// TestAFormMakesOneSecretHoweverOftenItIsSent: to reload the page that shows a secret sends its form again. A second secret would end
// the one that is in use, at once.
func TestAFormMakesOneSecretHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		inUse := b.register(developer.KindMachine)
		b.atApp("secrets", inUse.id)
		action, filled := b.fields("overlap", "7", "lifetime", "0")
		shown := b.made(b.send(action, filled))
		for range 2 {
			p := b.shows(b.send(action, filled), http.StatusConflict, "Secrets")
			if !p.says("No secret was made") || p.says("scs_") || strings.Count(p.raw, `name="remove"`) != 2 {
				t.Errorf("sent again, it shows\n%s", p.raw)
			}
		}
		for what, c := range map[string]app{"in use": inUse, "shown": shown} {
			if a := w.token(c, "grant_type", "client_credentials"); a.status != http.StatusOK {
				t.Errorf("the secret %s is answered %d", what, a.status)
			}
		}
		again := b.made(b.submit("overlap", "0", "lifetime", "0"))
		if a := w.token(again, "grant_type", "client_credentials"); a.status != http.StatusOK || again.secret == shown.secret {
			t.Errorf("asked for again, it is answered %d", a.status)
		}
	})
}

// TestASecretThatIsGoneIsRemovedInPeace: a form that was open in another window names a secret that is there no more.
func TestASecretThatIsGoneIsRemovedInPeace(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindMachine)
		name := shownMade.FindStringSubmatch(b.atApp("secrets", made.id).raw)[1]
		action, filled := b.fields("remove", name)
		b.send(action, filled)
		if p := b.shows(b.send(action, filled), http.StatusOK, "Secrets"); !p.says("There is no secret") || p.url.Query().Get("id") != made.id {
			t.Errorf("%s shows\n%s", p.url, p.raw)
		}
	})
}
