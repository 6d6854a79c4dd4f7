package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/account"
)

func TestThePagesOfMailedLinksCarryTheirHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, page := range map[string][2]string{
		"/recover": {"Forgot your password?", ""}, "/recover?sent=1": {"Look into your mail", ""}, "/setup": {"A link is needed here", "same-origin"},
	} {
		w.visit(path)
		w.on(page[0], http.StatusOK)
		w.guarded(policyOf("", "", ""), page[1])
	}
	w.visit("/signup")
	w.on("New accounts cannot be made here", http.StatusForbidden)
	w.guarded(policyOf("", "", ""), "")
	w.visit("/recover?link=sml_nonsense")
	w.on("This link does not work any more", http.StatusGone)
	w.guarded(policyOf("", "", ""), "")

	link, _, err := w.provider.People().SetupLink(w.Context(), account.By{Actor: "cli"})
	w.must(err)
	landed := w.ask(http.MethodGet, link, nil)
	if landed.status != http.StatusSeeOther || !strings.HasPrefix(landed.location, "/setup?pass=stx_") ||
		landed.header.Get("Referrer-Policy") != "no-referrer" || landed.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the link is answered with %d to %s, %v", landed.status, landed.location, landed.header)
	}
	w.follow(landed)
	w.on("Set up this server", http.StatusOK)
	w.guarded(policyOf("", "", ""), "same-origin")
	w.visit(request(w.app()))
	w.visit("/recover?tx=" + w.shown.fields.Get("tx"))
	w.on("Forgot your password?", http.StatusOK)
	w.guarded(policyOf(" https://cdn.example", " https://app.example", ""), "")
}

func TestWhatASignInPageSaysWasDoneIsOursAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.visit(request(w.app()))
	tx := w.shown.fields.Get("tx")
	for done, says := range map[string]bool{"reset": true, "<b>Call 555</b>": false, "password": false} {
		w.visit("/login?tx=" + tx + "&done=" + done)
		if got := strings.Contains(w.shown.raw, `role="status"`); got != says || strings.Contains(w.shown.raw, "555") {
			t.Errorf("%s: %v", done, got)
		}
	}
}
