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

// footing is what one user gave one client, and what may be taken away from under it.
type footing struct {
	*world
	user     storage.User
	client   app
	seed     string
	issued   answer
	mfaToken string
}

func (w *world) footing(name string, edit ...func(*storage.ClientMetadata)) *footing {
	w.Helper()
	f := &footing{world: w, user: w.user(name), client: w.confidential(edit...)}
	f.seed, _ = w.enrol(f.user)
	f.issued = w.login(f.client, name, "otp", w.code(f.seed))
	w.clock.Advance(30 * time.Second)
	f.mfaToken = w.half(f.client, name)
	return f
}

// register changes the client's registration.
func (f *footing) register(edit func(*storage.ClientMetadata)) {
	f.Helper()
	c, err := f.provider.Clients().Find(f.Context(), f.client.id)
	f.must(err)
	m := c.Metadata
	edit(&m)
	_, err = f.provider.Clients().Update(f.Context(), c, m, "test")
	f.must(err)
}

func (f *footing) revoke(token string) {
	f.Helper()
	f.want(f.post("/oauth2/revoke", f.client, form("token", token)), http.StatusOK, "")
}

// standing are the paths that still let somebody through. What changes nothing is asked first.
func (f *footing) standing() (open []string) {
	f.Helper()
	seen := func(token string) bool {
		return f.post("/oauth2/introspect", f.client, form("token", token)).body["active"] == true
	}
	for _, path := range []struct {
		name string
		open func() bool
	}{
		{"access", func() bool { return seen(f.issued.access()) }},
		{"refresh-seen", func() bool { return seen(f.issued.refresh()) }},
		{"userinfo", func() bool { return f.userinfo(f.issued.access()).status == http.StatusOK }},
		{"refresh", func() bool { return f.refreshWith(f.client, f.issued.refresh()).status == http.StatusOK }},
		{"mfa", func() bool { return f.redeem(f.client, f.mfaToken, f.code(f.seed)).status == http.StatusOK }},
	} {
		if path.open() {
			open = append(open, path.name)
		}
	}
	return open
}

// change is something that happens to the footing, and what still stands after it.
type change struct {
	name   string
	happen func(f *footing)
	stands string
}

func changes() []change {
	by := account.By{Actor: "test"}
	grants := func(list ...string) func(f *footing) {
		return func(f *footing) { f.register(func(m *storage.ClientMetadata) { m.GrantTypes = list }) }
	}
	later := func(d time.Duration) func(f *footing) { return func(f *footing) { f.clock.Advance(d) } }
	return []change{
		{"nothing", func(*footing) {}, "access refresh-seen userinfo refresh mfa"},
		{"user disabled", func(f *footing) { f.must(f.provider.People().Disable(f.Context(), f.user.ID, by)) }, ""},
		{"user disabled and enabled", func(f *footing) {
			f.must(f.provider.People().Disable(f.Context(), f.user.ID, by))
			f.must(f.provider.People().Enable(f.Context(), f.user.ID, by))
		}, ""},
		{"user deleted", func(f *footing) { f.must(f.provider.People().Delete(f.Context(), f.user.ID, by)) }, ""},
		{"password changed", func(f *footing) {
			f.must(f.provider.People().SetPassword(f.Context(), f.user.ID, storage.NewSecret([]byte("another, longer secret 42")), by))
		}, ""},
		{"second factor removed", func(f *footing) {
			_, err := f.provider.People().RemoveFactors(f.Context(), f.user.ID, by)
			f.must(err)
		}, "access refresh-seen userinfo refresh"},
		{"client disabled", func(f *footing) {
			_, err := f.provider.Clients().Disable(f.Context(), f.client.id, "test")
			f.must(err)
		}, ""},
		{"client disabled and enabled", func(f *footing) {
			_, err := f.provider.Clients().Disable(f.Context(), f.client.id, "test")
			f.must(err)
			_, err = f.provider.Clients().Enable(f.Context(), f.client.id, "test")
			f.must(err)
		}, "access refresh-seen userinfo refresh mfa"},
		{"client deleted", func(f *footing) { f.must(f.provider.Clients().Delete(f.Context(), f.client.id, "test")) }, ""},
		{"refresh grant unregistered", grants("password"), "access userinfo mfa"},
		{"password grant unregistered", grants("client_credentials"), "access userinfo"},
		{"openid unregistered", func(f *footing) {
			f.register(func(m *storage.ClientMetadata) { m.Scope = "email api:read" })
		}, "access refresh-seen refresh mfa"},
		{"grant revoked by its client", func(f *footing) { f.revoke(f.issued.refresh()) }, "mfa"},
		{"all grants revoked", func(f *footing) {
			_, err := f.store.RevokeGrants(f.Context(), storage.GrantsOf{UserID: f.user.ID}, storage.Revocation{Reason: storage.ReasonAdmin})
			f.must(err)
		}, ""},
		{"access token revoked", func(f *footing) { f.revoke(f.issued.access()) }, "refresh-seen refresh mfa"},
		{"mfa token expired, grant idle", later(5 * time.Minute), "access userinfo"},
		{"access token expired", later(15 * time.Minute), ""},
		{"grant expired", later(20 * time.Minute), ""},
	}
}

func TestWhatWasWithdrawnIsDeadAtOnceOnEveryPath(t *testing.T) {
	each(t, func(w *world) {
		short := func(m *storage.ClientMetadata) { m.RefreshTokenLifetime, m.RefreshTokenIdleLifetime = 20*60, 5*60 }
		for format, formatted := range map[string]func(*storage.ClientMetadata){"jwt": func(*storage.ClientMetadata) {}, "opaque": opaque} {
			for i, c := range changes() {
				f := w.footing("u"+format+string(rune('a'+i)), formatted, short)
				c.happen(f)
				if got, want := f.standing(), strings.Fields(c.stands); !slices.Equal(got, want) {
					t.Errorf("%s, %s: %v stands, want %v", format, c.name, got, want)
				}
			}
		}
	})
}

func TestTokensLiveToTheirEndAndNotASecondLonger(t *testing.T) {
	each(t, func(w *world) {
		for format, formatted := range map[string]func(*storage.ClientMetadata){"jwt": func(*storage.ClientMetadata) {}, "opaque": opaque} {
			c := w.confidential(formatted, func(m *storage.ClientMetadata) {
				m.AccessTokenLifetime, m.RefreshTokenLifetime, m.RefreshTokenIdleLifetime = 100, 1000, 500
			})
			w.user("z" + format)
			a := w.login(c, "z"+format)
			steps := []struct {
				after           time.Duration
				access, refresh bool
			}{{99 * time.Second, true, true}, {time.Second, false, true}, {400 * time.Second, false, true}, {time.Second, false, false}}
			for _, step := range steps {
				w.clock.Advance(step.after)
				if got := w.active(c, a.access()); got != step.access {
					t.Errorf("%s: access token active %v after another %v", format, got, step.after)
				}
				if got := w.userinfo(a.access()).status == http.StatusOK; got != step.access {
					t.Errorf("%s: access token opens userinfo %v after another %v", format, got, step.after)
				}
				if got := w.active(c, a.refresh()); got != step.refresh {
					t.Errorf("%s: refresh token active %v after another %v", format, got, step.after)
				}
			}
			w.want(w.refreshWith(c, a.refresh()), http.StatusBadRequest, "invalid_grant")
			b := w.login(c, "z"+format)
			for range 2 { // each exchange winds the idle clock, and none the grant's end
				w.clock.Advance(499 * time.Second)
				b = w.refreshWith(c, b.refresh())
				w.want(b, http.StatusOK, "")
			}
			if b.body["expires_in"] != 2.0 {
				t.Errorf("%s: an access token for %v s, two seconds before its grant's end", format, b.body["expires_in"])
			}
			w.clock.Advance(2 * time.Second)
			w.want(w.refreshWith(c, b.refresh()), http.StatusBadRequest, "invalid_grant")
		}
	})
}

func TestRevokingOneAccessTokenLeavesItsSiblings(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		for _, c := range []app{w.confidential(), w.confidential(opaque)} {
			first := w.login(c, "ada")
			second := w.refreshWith(c, first.refresh())
			w.want(w.post("/oauth2/revoke", c, form("token", first.access(), "token_type_hint", "refresh_token")), http.StatusOK, "")
			if w.active(c, first.access()) || w.userinfo(first.access()).status == http.StatusOK {
				t.Error("the revoked access token is alive")
			}
			if !w.active(c, second.access()) || w.userinfo(second.access()).status != http.StatusOK {
				t.Error("its sibling is dead")
			}
			w.want(w.refreshWith(c, second.refresh()), http.StatusOK, "")
		}
	})
}

func TestAnUnregisteredScopeIsGoneFromEveryAnswer(t *testing.T) {
	each(t, func(w *world) {
		for name, format := range map[string]func(*storage.ClientMetadata){"ada": func(*storage.ClientMetadata) {}, "bob": opaque} {
			f := w.footing(name, format)
			f.register(func(m *storage.ClientMetadata) { m.Scope = "openid api:read" })
			for name, a := range map[string]answer{
				"introspection of the access token":  f.post("/oauth2/introspect", f.client, form("token", f.issued.access())),
				"introspection of the refresh token": f.post("/oauth2/introspect", f.client, form("token", f.issued.refresh())),
				"refresh":                            f.refreshWith(f.client, f.issued.refresh()),
				"second factor":                      f.redeem(f.client, f.mfaToken, f.code(f.seed)),
			} {
				if got := a.text("scope"); got != "openid api:read" {
					t.Errorf("%s: %d, scope %q", name, a.status, got)
				}
			}
			if a := f.userinfo(f.issued.access()); a.status != http.StatusOK || a.text("email") != "" || a.text("name") != "" {
				t.Errorf("userinfo: %s", a.raw)
			}
		}
	})
}
