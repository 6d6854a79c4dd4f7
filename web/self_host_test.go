package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAHostThatARequestMakesUpIsInNoMailAndNoAddress, in Host and in every header that proxies are known to take it from.
func TestAHostThatARequestMakesUpIsInNoMailAndNoAddress(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		evil := func(r *http.Request) {
			r.Host = "evil.example"
			for _, name := range []string{"X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server", "X-HTTP-Host-Override"} {
				r.Header.Set(name, "evil.example")
			}
			r.Header.Set("Forwarded", `for=192.0.2.1;host="evil.example";proto=gopher`)
			r.Header.Set("X-Forwarded-Proto", "gopher")
		}
		for path, pair := range map[string][2]string{"/signup": {"email", "grace@example.org"}, "/recover": {"username", "ada"}} {
			w.clock.Advance(time.Hour)
			b := w.near()
			b.page = b.once(path, nil, evil)
			action, values := b.fields(pair[0], pair[1])
			sent := b.once(action, values, evil)
			if sent.status != http.StatusSeeOther || !strings.HasPrefix(sent.location(), path) {
				w.Fatalf("%s: %d, Location %q", path, sent.status, sent.location())
			}
			mails := w.mails()
			if len(mails) != 1 {
				w.Fatalf("%s: %d mails", path, len(mails))
			}
			link := w.linkIn(mails[0])
			opened := b.once(strings.TrimPrefix(link, issuerURL), nil, evil)
			for what, text := range map[string]string{"page": b.page.raw, "mail": mails[0].Text + mails[0].HTML, "address": sent.location() + opened.location()} {
				if strings.Contains(text, "evil") || strings.Contains(text, "gopher") {
					w.Errorf("%s: the %s has it:\n%s", path, what, text)
				}
			}
		}
	}, openToAll)
}
