package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestASecretFromBeforeASignInOpensNothingAfterIt(t *testing.T) {
	each(t, func(w *world) {
		ada, grace := w.user("ada"), w.user("grace")
		seed, _ := w.enrol(grace)
		c := w.relying(firstParty)
		evil := w.signedIn(c, "", "ada")
		victim := w.near()
		victim.plant("signet-sid", evil.cookies()["signet-sid"])
		w.clock.Advance(time.Second)
		victim.visit(authorize(c, "prompt", "login"))
		victim.plant("signet-pre", victim.cookies()["signet-pre"])
		known := victim.cookies()
		victim.submit("username", "grace", "password", password)
		half := victim.cookies()
		victim.submit("otp", w.code(seed))
		whole := victim.cookies()
		for name, was := range map[string]map[string]string{"planted": known, "of the password alone": half} {
			if was["signet-sid"] == "" || strings.Contains(whole["signet-sid"], strings.Split(was["signet-sid"], ".")[0]) && name != "planted" {
				t.Errorf("the session cookie %s is there after the sign-in: %s", name, whole["signet-sid"])
			}
			thief := w.near()
			for cookie, value := range was { // all that was known before, the pre-session too
				thief.plant(cookie, value)
			}
			sub := ""
			if thief.visit(authorize(c, "prompt", "none")); thief.page.left.Query().Has("code") {
				sub, _ = w.idToken(w.exchange(c, thief.page.left.Query().Get("code")))["sub"].(string)
			}
			if sub != ada.ID.String() { // the planted one is ada's still: it was hers
				t.Errorf("who has the session cookie %s is signed in as %q; grace is %s", name, sub, grace.ID)
			}
		}
		// A browser that lost its cookies is a new one: nothing of the session before comes back with another person.
		lost := w.near()
		if lost.through(c, "ada", ""); lost.cookies()["signet-sid"] == "" || strings.Contains(lost.cookies()["signet-sid"], whole["signet-sid"]) {
			t.Errorf("cookies %v", lost.cookies())
		}
	})
}

// plant gives the browser a cookie that it did not get from us.
func (b *browser) plant(name, value string) {
	b.Helper()
	u, err := url.Parse(issuerURL)
	b.must(err)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func TestCookiesThatANeighbourTossesInAreNone(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		w.user("eve")
		c := w.relying(firstParty)
		b, eve := w.signedIn(c, "", "ada"), w.signedIn(c, "", "eve")
		sid, evil := b.cookies()["signet-sid"], eve.cookies()["signet-sid"]
		ask := func(cookies string) *url.URL {
			to, err := url.Parse(w.near().once(authorize(c, "prompt", "none"), nil, with("Cookie", cookies)).location())
			w.must(err)
			return to
		}
		if !ask("signet-sid="+sid).Query().Has("code") || !ask("other=1; signet-sid="+sid+"; signet-device=x; signet-mfa=x").Query().Has("code") {
			t.Fatal("one session cookie is not taken")
		}
		for name, cookies := range map[string]string{
			"a second before": "signet-sid=" + evil + "; signet-sid=" + sid, "a second after": "signet-sid=" + sid + "; signet-sid=" + evil,
			"the same twice": "signet-sid=" + sid + "; signet-sid=" + sid, "an empty one beside it": "signet-sid=; signet-sid=" + sid,
			"both in one": "signet-sid=" + sid + "," + evil, "over 4 KiB": "signet-sid=" + sid + strings.Repeat("."+sid, 100), "another name": "Signet-sid=" + sid,
			"the prefix of https": "__Host-signet-sid=" + sid, "six sessions": "signet-sid=" + sid + strings.Repeat(".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 5),
		} {
			if to := ask(cookies); to.Query().Get("error") != "login_required" {
				t.Errorf("%s: %v", name, to)
			}
		}
		tx := b.visit(authorize(c, "prompt", "login")).tx()
		pre := b.cookies()["signet-pre"]
		for _, cookies := range []string{"signet-pre=" + pre + "; signet-pre=" + pre, "signet-pre=" + eve.cookies()["signet-pre"] + "; signet-pre=" + pre} {
			w.shown("two pre-sessions", w.near().once("/login?tx="+url.QueryEscape(tx), nil, with("Cookie", cookies)), http.StatusForbidden)
		}
	})
}

func TestWhereNoCookieIsReadASessionChangesNothing(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		b := w.signedIn(w.relying(firstParty), "", "ada")
		nobody := w.near()
		for _, r := range w.provider.Routes() {
			if r.Page != "" {
				continue
			}
			for _, values := range []url.Values{nil, form("client_id", "x"), form("token", "x"), form("grant_type", "authorization_code", "code", "sac_x")} {
				p, q := b.once(r.Path, values), nobody.once(r.Path, values)
				if p.status != q.status || p.raw != q.raw || len(p.header.Values("Set-Cookie")) > 0 {
					t.Errorf("%s: %d %s with a session, %d %s without", r.Path, p.status, p.raw, q.status, q.raw)
				}
			}
		}
	})
}
