package web_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

// intruder is somebody who holds what was given to another client, and what each endpoint answers: status and error.
type intruder struct {
	name                      string
	app                       app
	token, introspect, revoke reply
}

type reply struct {
	status int
	code   string
}

func intruders(w *world, owner app) []intruder {
	w.Helper()
	none := reply{http.StatusOK, ""}
	grant := reply{http.StatusBadRequest, "invalid_grant"}
	client := reply{http.StatusUnauthorized, "invalid_client"}
	off := w.confidential()
	_, err := w.provider.Clients().Disable(w.Context(), off.id, "test")
	w.must(err)
	wrong := app{id: owner.id, secret: "scs_" + owner.id, post: owner.post}
	all := []intruder{
		{"another public client", w.public(), grant, client, none},
		{"another confidential client", w.confidential(), grant, none, none},
		{"another static client", w.confidential(static), grant, none, none},
		{"nobody", app{}, client, client, client},
		{"the owner with a wrong secret", wrong, client, client, client},
		{"a disabled client", off, client, client, client},
		{"an unknown client", app{id: "nobody-knows", secret: "scs_x"}, client, client, client},
	}
	if owner.secret != "" {
		all = append(all, intruder{"the owner without its secret", app{id: owner.id}, client, client, client})
	}
	return all
}

// loot is what the intruder holds.
type loot struct{ refresh, access, mfa string }

func TestAWrongClientLearnsNothingAndHarmsNobody(t *testing.T) {
	each(t, func(w *world) {
		mint := w.mint()
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		owners := map[string]app{
			"confidential": w.confidential(), "confidential opaque": w.confidential(opaque, posts), "public": w.public(),
			"public opaque": w.public(opaque),
		}
		for kind, owner := range owners {
			issued := w.login(owner, "ada")
			held := loot{issued.refresh(), issued.access(), w.half(owner, "grace")}
			grants := w.behind(mint, held)
			for _, in := range intruders(w, owner) {
				before := w.rows(grants)
				for door, try := range map[string]func() (answer, reply){
					"refresh": func() (answer, reply) { return w.refreshWith(in.app, held.refresh), in.token },
					"mfa":     func() (answer, reply) { return w.redeem(in.app, held.mfa, w.code(seed)), in.token },
					"introspect refresh": func() (answer, reply) {
						return w.post("/oauth2/introspect", in.app, form("token", held.refresh)), in.introspect
					},
					"introspect access": func() (answer, reply) {
						return w.post("/oauth2/introspect", in.app, form("token", held.access)), in.introspect
					},
					"revoke refresh": func() (answer, reply) {
						return w.post("/oauth2/revoke", in.app, form("token", held.refresh)), in.revoke
					},
					"revoke access": func() (answer, reply) { return w.post("/oauth2/revoke", in.app, form("token", held.access)), in.revoke },
				} {
					a, want := try()
					if a.status != want.status || a.text("error") != want.code {
						t.Errorf("%s client's, %s by %s: %d %s, want %+v", kind, door, in.name, a.status, a.raw, want)
					}
					if a.status == http.StatusOK && a.raw != "" && a.raw != `{"active":false}` {
						t.Errorf("%s client's, %s by %s: it learnt %s", kind, door, in.name, a.raw)
					}
					if a.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") == "" {
						t.Errorf("%s by %s: 401 without a challenge", door, in.name)
					}
				}
				if after := w.rows(grants); !reflect.DeepEqual(before, after) {
					t.Errorf("%s client's rows after %s:\n%+v\nwere\n%+v", kind, in.name, after, before)
				}
			}
			w.want(w.userinfo(held.access), http.StatusOK, "")
			w.want(w.refreshWith(owner, held.refresh), http.StatusOK, "")
			w.want(w.redeem(owner, held.mfa, w.code(seed)), http.StatusOK, "")
			w.clock.Advance(30 * time.Second)
		}
	})
}

// behind are the grants that what the intruder holds leads to.
func (w *world) behind(mint *handle.Mint, held loot) (ids []storage.ID) {
	w.Helper()
	for kind, text := range map[handle.Kind]string{handle.Refresh: held.refresh, handle.MFA: held.mfa} {
		h, err := mint.Parse(kind, text)
		w.must(err)
		ids = append(ids, h.Grant)
	}
	return ids
}

// rows are the grants as they stand, with the access tokens that were denied.
func (w *world) rows(ids []storage.ID) (rows []storage.Standing) {
	w.Helper()
	for _, id := range ids {
		s, err := w.store.FindGrant(w.Context(), id)
		w.must(err)
		rows = append(rows, s)
	}
	return rows
}
