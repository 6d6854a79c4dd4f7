package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// doorway is what one person gave one app through the front door, and all that is on its way there still.
type doorway struct {
	*world
	b             *browser
	user          storage.User
	client, other app    // one that asks for consent; one of the house, where the person is signed in by the session alone
	issued        answer // tokens by a code
	code, device  string // not redeemed yet
	tx            string // of a page that asks for consent
}

func (w *world) doorway(name, scope string) *doorway {
	w.Helper()
	d := &doorway{world: w, b: w.near(), user: w.user(name), other: w.relying(firstParty)}
	d.client = w.relying(func(m *storage.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, deviceGrant) })
	d.issued = w.exchange(d.client, d.b.through(d.client, name, "", "scope", scope, "prompt", "consent").Get("code"))
	w.want(d.issued, http.StatusOK, "")
	waiting := w.post("/oauth2/device_authorization", d.client, form("scope", scope))
	d.b.visit(waiting.text("verification_uri_complete"))
	d.b.submit()
	d.b.submit("decision", "allow")
	d.device = waiting.text("device_code")
	w.clock.Advance(time.Second)
	d.tx = d.b.visit(authorize(d.client, "scope", scope, "prompt", "consent")).tx()
	d.code = d.b.once(authorize(d.client, "scope", scope), nil).query().Get("code")
	return d
}

// stands are the ways that are open still. What changes nothing is asked first.
func (d *doorway) stands() (open []string) {
	d.Helper()
	for _, way := range []struct {
		name string
		open func() bool
	}{
		{"page", func() bool {
			return d.b.once("/consent?"+form("tx", d.tx).Encode(), nil).offers("decision", "allow")
		}},
		{"session", func() bool { return d.b.once(authorize(d.client, "prompt", "none"), nil).query().Has("code") }},
		{"elsewhere", func() bool { return d.b.once(authorize(d.other, "prompt", "none"), nil).query().Has("code") }},
		{"userinfo", func() bool { return d.userinfo(d.issued.access()).status == http.StatusOK }},
		{"code", func() bool { return d.exchange(d.client, d.code).status == http.StatusOK }},
		{"device", func() bool {
			return d.token(d.client, "grant_type", deviceGrant, "device_code", d.device).status == http.StatusOK
		}},
		{"refresh", func() bool { return d.refreshWith(d.client, d.issued.refresh()).status == http.StatusOK }},
	} {
		if way.open() {
			open = append(open, way.name)
		}
	}
	return open
}

// withdrawal is what happens to a doorway, and what stands after it.
type withdrawal struct {
	name   string
	happen func(d *doorway)
	stands string
}

func withdrawals() []withdrawal {
	by := account.By{Actor: "test"}
	register := func(edit func(*storage.ClientMetadata)) func(*doorway) {
		return func(d *doorway) { (&footing{world: d.world, client: d.client}).register(edit) }
	}
	grants := func(list ...string) func(*doorway) {
		return register(func(m *storage.ClientMetadata) {
			if m.GrantTypes = list; !slices.Contains(list, "authorization_code") {
				m.ResponseTypes, m.RedirectURIs = nil, nil
			}
		})
	}
	return []withdrawal{
		{"nothing", func(*doorway) {}, "page session elsewhere userinfo code device refresh"},
		{"user disabled", func(d *doorway) { d.must(d.provider.People().Disable(d.Context(), d.user.ID, by)) }, ""},
		{"user disabled and enabled", func(d *doorway) {
			d.must(d.provider.People().Disable(d.Context(), d.user.ID, by))
			d.must(d.provider.People().Enable(d.Context(), d.user.ID, by))
		}, ""},
		{"user deleted", func(d *doorway) { d.must(d.provider.People().Delete(d.Context(), d.user.ID, by)) }, ""},
		{"password changed", func(d *doorway) {
			d.must(d.provider.People().SetPassword(d.Context(), d.user.ID, storage.NewSecret([]byte("another, longer secret 42")), by))
		}, ""},
		{"consent withdrawn", func(d *doorway) {
			_, err := d.store.WithdrawConsent(d.Context(), d.user.ID, d.client.id, storage.Also{})
			d.must(err)
		}, "page elsewhere"},
		{"client disabled", func(d *doorway) {
			_, err := d.provider.Clients().Disable(d.Context(), d.client.id, "test")
			d.must(err)
		}, "elsewhere"},
		{"client deleted", func(d *doorway) { d.must(d.provider.Clients().Delete(d.Context(), d.client.id, "test")) }, "elsewhere"},
		{"code grant taken away", grants("refresh_token", deviceGrant), "elsewhere userinfo device refresh"},
		{"device grant taken away", grants("authorization_code", "refresh_token"), "page session elsewhere userinfo code refresh"},
		{"refresh grant taken away", grants("authorization_code", deviceGrant), "page session elsewhere userinfo code device"},
		{"redirect URI taken away", register(func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback + "/new"} }), "elsewhere userinfo device refresh"},
		{"signed out", func(d *doorway) {
			d.b.visit("/oauth2/logout")
			d.b.submit("decision", "yes")
		}, ""},
		{"session ended by somebody else", func(d *doorway) {
			_, err := d.store.EndSessions(d.Context(), storage.SessionsOf{UserID: d.user.ID}, storage.ReasonAdmin, storage.Also{})
			d.must(err)
		}, ""},
		{"code expired", func(d *doorway) { d.clock.Advance(time.Minute) }, "page session elsewhere userinfo device refresh"},
		{"device code and request expired", func(d *doorway) { d.clock.Advance(30*time.Minute + time.Second) }, "session elsewhere refresh"},
		{"session idle", func(d *doorway) { d.clock.Advance(24*time.Hour + time.Second) }, "refresh"},
	}
}

func TestWhatWasWithdrawnIsDeadAtOnceOnEveryWayThroughTheFrontDoor(t *testing.T) {
	each(t, func(w *world) {
		for i, c := range withdrawals() {
			for kind, scope := range map[string]string{"for the session": "openid email", "offline": "openid email offline_access"} {
				d := w.doorway(map[string]string{"offline": "o", "for the session": "s"}[kind]+string(rune('a'+i)), scope)
				c.happen(d)
				want := strings.Fields(c.stands)
				if kind == "offline" && (c.name == "signed out" || c.name == "session ended by somebody else") {
					want = []string{"userinfo", "refresh"} // it outlives the session; what was not taken up yet does not
				}
				if kind == "offline" && c.name == "refresh grant taken away" {
					want = want[1:] // offline_access is asked for, and means nothing to the app any more
				}
				if got := d.stands(); !slices.Equal(got, want) {
					t.Errorf("%s, %s: %v stand, want %v", c.name, kind, got, want)
				}
			}
		}
	})
}

func TestAScopeThatWasTakenFromTheClientComesThroughTheFrontDoorNoMore(t *testing.T) {
	each(t, func(w *world) {
		d := w.doorway("ada", "openid email")
		(&footing{world: w, client: d.client}).register(func(m *storage.ClientMetadata) { m.Scope = "openid profile" })
		again := d.b.once(authorize(d.client, "scope", "openid email", "prompt", "none"), nil).query().Get("code")
		for name, a := range map[string]answer{
			"a code of before": w.exchange(d.client, d.code), "a code of now": w.exchange(d.client, again),
			"a device": w.token(d.client, "grant_type", deviceGrant, "device_code", d.device), "a refresh": w.refreshWith(d.client, d.issued.refresh()),
		} {
			if w.want(a, http.StatusOK, ""); a.text("scope") != "openid" || w.userinfo(a.access()).text("email") != "" {
				t.Errorf("%s gives %s", name, a.text("scope"))
			}
		}
		if got := w.userinfo(d.issued.access()); got.text("email") != "" {
			t.Errorf("userinfo of before tells %s", got.raw)
		}
	})
}

func TestAfterSigningOutTheBackButtonShowsNothing(t *testing.T) {
	solo(t, func(w *world) {
		d := w.doorway("ada", "openid email profile")
		shown := d.b.visit("/consent?" + form("tx", d.tx).Encode())
		address, values := d.b.filledIn("decision", "allow")
		if !strings.Contains(shown.raw, "ada@example.com") || shown.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("the page for consent: %v\n%s", shown.header, shown.raw)
		}
		d.b.visit("/oauth2/logout")
		if d.b.submit("decision", "yes"); !strings.Contains(d.b.page.header.Get("Clear-Site-Data"), `"cache"`) {
			t.Errorf("Clear-Site-Data %q", d.b.page.header.Get("Clear-Site-Data"))
		}
		for _, path := range []string{"/oauth2/authorize", "/login", "/login/choose", "/mfa", "/mfa/enrol", "/mfa/lost", "/consent", "/device"} {
			if p := d.b.visit(path + "?" + form("tx", d.tx).Encode()); strings.Contains(p.raw, "ada") || p.left != nil {
				t.Errorf("%s shows %q, %v", path, p.h1, p.left)
			}
		}
		if p := d.b.send(address, values); p.left != nil || strings.Contains(p.raw, "ada") {
			t.Errorf("the form of before: %d %q %v", p.status, p.h1, p.left)
		}
		if p := d.b.visit("/oauth2/logout"); p.h1 != signedOut {
			t.Errorf("to sign out once more: %d %q", p.status, p.h1)
		}
	})
}
