package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
)

// What keeps the links of mails from programs that open them, from whoever sees an address bar, and from those who edit them.

// links is one link of every kind, with the page that tells how to get another, and the heading of the page that it leads to.
func (w *world) links() map[string][2]string {
	w.Helper()
	setup, _, err := w.provider.People().SetupLink(w.Context(), account.By{Actor: "cli"})
	w.must(err)
	all := map[string][2]string{setup: {"/setup", "Set up this server"}}
	b := w.browser()
	b.visit("/signup")
	b.submit("email", "grace@example.org")
	all[w.linkIn(w.mailTo("grace@example.org"))] = [2]string{"/signup", "Create your account"}
	_, _, err = w.provider.People().Invite(w.Context(), "joan@example.org", false, account.By{Actor: "cli"})
	w.must(err)
	all[w.linkIn(w.mailTo("joan@example.org"))] = [2]string{"/signup", "Create your account"}
	w.user("ada")
	b.visit("/recover")
	b.submit("username", "ada")
	all[w.linkIn(w.mailTo("ada@example.com"))] = [2]string{"/recover", "Choose a new password"}
	return all
}

func TestProgramsThatOpenLinksChangeNothing(t *testing.T) {
	eachSet(t, func(w *world) {
		links := w.links()
		before := w.written()
		for link := range links {
			for range 2 {
				scanner := w.browser()
				scanner.visit(link)
				for _, method := range []string{http.MethodHead, http.MethodGet} {
					scanner.once(link, nil, func(r *http.Request) { r.Method = method })
					scanner.once(scanner.page.location(), nil, func(r *http.Request) { r.Method = method })
				}
			}
		}
		if after := w.written(); after != before {
			w.Fatalf("something has changed:\n%s\n%s", before, after)
		}
		for link, leads := range links {
			b := w.browser()
			if p := b.open(link); p.h1 != leads[1] || p.status != http.StatusOK {
				w.Errorf("after that %s leads to %d %q", leads[0], p.status, p.h1)
			}
		}
	}, openToAll)
}

func TestALinkIsGoodAsItWasSentAndWhereItLeadsAlone(t *testing.T) {
	solo(t, func(w *world) {
		for link, leads := range w.links() {
			b := w.browser()
			address, text, _ := strings.Cut(link, "?link=")
			for name, bad := range map[string]string{
				"cut off": text[:len(text)-1], "longer": text + "A", "another letter": text[:20] + turned(text[20]) + text[21:], "of nothing": "sml_", "a tx": "stx_" + text[4:],
				"garbage": `"><script>alert(1)</script>`, "long": strings.Repeat("x", 7000),
			} {
				b.visit(address + "?link=" + url.QueryEscape(bad))
				b.lapsed(leads[0]+" "+name, leads[0])
			}
			for _, path := range []string{"/setup", "/signup", "/recover"} {
				if path != leads[0] {
					b.visit(path + "?link=" + text)
					b.lapsed(leads[0]+" at "+path, path)
				}
			}
			b.open(link)
			pass := b.page.url.Query().Get("pass")
			other := w.browser()
			other.visit(b.page.url.String())
			other.lapsed(leads[0]+" in another browser", leads[0])
			for _, bad := range []string{pass + "A", "stx_", strings.Repeat("x", 7000), "<script>"} {
				b.visit(leads[0] + "?pass=" + url.QueryEscape(bad))
				b.lapsed(leads[0]+" with another pass", leads[0])
			}
			w.clock.Advance(31 * time.Minute) // and a pass is good for as long as it was
			b.visit(leads[0] + "?pass=" + url.QueryEscape(pass))
			b.lapsed(leads[0]+" later", leads[0])
			w.clock.Advance(-31 * time.Minute)
		}
		b := w.home("ada", "")
		b.visit("/account/email?pass=" + strings.Repeat("x", 7000))
		b.lapsed("an address of one's own", "/account/email")
	}, openToAll)
}

// turned is another letter of base64url.
func turned(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestTheFormsOfLinksAreTakenFromTheirPagesAlone(t *testing.T) {
	solo(t, func(w *world) {
		links := w.links()
		before := w.written()
		for link, leads := range links {
			b := w.browser()
			b.open(link)
			action, good := b.fields(chosen(newPassword)...)
			for name, token := range map[string]string{"none": "", "garbage": "sft_x"} {
				if p := b.once(action, edited(good, "form_token", token)); p.status != http.StatusForbidden || p.h1 != "This form can no longer be sent" || !p.says(leads[0]+"?pass=stx_") {
					w.Errorf("%s, token %s: %d %q", leads[0], name, p.status, p.h1)
				}
			}
			if p := b.once(action, good, with("Sec-Fetch-Site", "cross-site")); p.status != http.StatusForbidden {
				w.Errorf("%s from another site: %d", leads[0], p.status)
			}
			if p := w.browser().once(action, good); p.status != http.StatusForbidden {
				w.Errorf("%s from another browser: %d", leads[0], p.status)
			}
			if p := b.once(action+"?"+good.Encode(), nil); p.status >= 500 {
				w.Errorf("%s by GET: %d", leads[0], p.status)
			}
		}
		for path, field := range map[string]string{"/signup": "email", "/recover": "username"} {
			b := w.browser()
			b.visit(path)
			_, good := b.fields(field, "ada@example.com")
			for name, p := range map[string]page{
				"no token": b.once(path, edited(good, "form_token", "")), "another site": b.once(path, good, with("Sec-Fetch-Site", "same-site")),
				"another browser": w.browser().once(path, good),
			} {
				if p.status != http.StatusForbidden {
					w.Errorf("%s, %s: %d", path, name, p.status)
				}
			}
		}
		if after := w.written(); after != before {
			w.Errorf("something has changed:\n%s\n%s", before, after)
		}
		if mails := w.mails(); len(mails) != 0 {
			w.Errorf("%d mails", len(mails))
		}
	}, openToAll)
}

func TestNothingThatARequestSaysOfItsHostIsInAMail(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		for path, pair := range map[string][2]string{"/signup": {"email", "grace@example.org"}, "/recover": {"username", "ada"}} {
			b := w.browser()
			b.visit(path)
			_, values := b.fields(pair[0], pair[1])
			p := b.once(path, values, func(r *http.Request) {
				r.Header.Set("X-Forwarded-Host", "evil.example")
				r.Header.Set("X-Forwarded-Proto", "gopher")
				r.Header.Set("Forwarded", "host=evil.example;proto=gopher")
				r.Header.Set("X-Original-URL", "https://evil.example/")
				r.Header.Set("Referer", issuerURL+path)
			})
			if p.status != http.StatusSeeOther {
				w.Errorf("%s: %d", path, p.status)
			}
			w.clock.Advance(time.Minute)
		}
		mails := w.mails()
		if len(mails) != 2 {
			w.Fatalf("%d mails", len(mails))
		}
		for _, m := range mails {
			if text := m.Text + m.HTML; strings.Contains(text, "evil") || strings.Contains(text, "gopher") {
				w.Errorf("the mail %q says\n%s", m.Subject, text)
			}
			w.linkIn(m)
		}
	}, openToAll)
}
