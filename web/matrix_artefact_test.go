package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

// stage has everything that an artefact may be made of: ada has a password, grace a second factor besides.
type stage struct {
	*world
	client   app // the artefact's owner
	jwt, sat app // clients whose access tokens are signed, or sealed
	seed     string
	recovery []string // one for each place
}

// artefact is something that one could present, and where it is good.
type artefact struct {
	name string
	make func(s *stage) string
	good []string // places; no other place takes it
}

func artefacts() []artefact {
	const access = "introspect revoke header body"
	refresh := func(s *stage) string { return s.login(s.client, "ada").refresh() }
	return []artefact{
		{"refresh token", refresh, []string{"refresh_token", "introspect", "revoke"}},
		{"retired refresh token", func(s *stage) string {
			first := s.login(s.client, "ada").refresh()
			s.want(s.refreshWith(s.client, first), http.StatusOK, "")
			return first
		}, []string{"revoke"}},
		{"mfa_token", func(s *stage) string { return s.half(s.client, "grace") }, []string{"mfa_token"}},
		{"authentic refresh handle of a pending grant", func(s *stage) string {
			return s.disguised(handle.Refresh, handle.MFA, s.half(s.client, "grace"))
		}, nil},
		{"authentic mfa handle of an active grant", func(s *stage) string { return s.disguised(handle.MFA, handle.Refresh, refresh(s)) }, nil},
		{"authentic code handle of an active grant", func(s *stage) string { return s.disguised(handle.Code, handle.Refresh, refresh(s)) }, nil},
		{"authentic device handle of an active grant", func(s *stage) string { return s.disguised(handle.Device, handle.Refresh, refresh(s)) }, nil},
		{"forged code", func(s *stage) string { return "sac_" + refresh(s)[4:] }, nil},
		{"access JWT", func(s *stage) string { return s.login(s.client, "ada").access() }, strings.Fields(access)},
		{"opaque access token", func(s *stage) string {
			s.client = s.sat
			return s.login(s.client, "ada").access()
		}, strings.Fields(access)},
		{"client-credentials JWT", func(s *stage) string {
			a := s.token(s.client, "grant_type", "client_credentials")
			s.want(a, http.StatusOK, "")
			return a.access()
		}, []string{"introspect", "revoke"}},
		{"ID token", func(s *stage) string { return s.login(s.client, "ada").text("id_token") }, nil},
		{"jti", func(s *stage) string {
			return s.post("/oauth2/introspect", s.client, form("token", s.login(s.client, "ada").access())).text("jti")
		}, nil},
		{"client secret", func(s *stage) string { return s.client.secret }, []string{"client_secret"}},
		{"client_id", func(s *stage) string { return s.client.id }, nil},
		{"recovery code", func(s *stage) string {
			next := s.recovery[0]
			s.recovery = s.recovery[1:]
			return next
		}, []string{"recovery_code"}},
		{"one-time code", func(s *stage) string { return s.code(s.seed) }, []string{"otp"}},
		{"TOTP secret", func(s *stage) string { return s.seed }, nil},
		{"password", func(*stage) string { return password }, []string{"password"}},
	}
}

// place is somewhere that takes an artefact; it reports whether this one did anything there.
type place struct {
	name string
	took func(s *stage, text string) bool
}

func places() []place {
	refused := func(s *stage, a answer, status int, code string) bool {
		s.Helper()
		if a.status == http.StatusOK {
			return true
		}
		s.want(a, status, code)
		return false
	}
	factor := func(parameter string) func(*stage, string) bool {
		return func(s *stage, text string) bool {
			a := s.token(s.client, "grant_type", mfaGrant, "mfa_token", s.half(s.client, "grace"), parameter, text)
			return refused(s, a, http.StatusBadRequest, "invalid_grant")
		}
	}
	opened := func(s *stage, a answer) bool {
		if a.text("error") == "insufficient_scope" { // known, and speaks of nobody
			return refused(s, a, http.StatusForbidden, "insufficient_scope")
		}
		return refused(s, a, http.StatusUnauthorized, "invalid_token")
	}
	return []place{
		{"refresh_token", func(s *stage, text string) bool {
			return refused(s, s.refreshWith(s.client, text), http.StatusBadRequest, "invalid_grant")
		}},
		{"mfa_token", func(s *stage, text string) bool {
			return refused(s, s.redeem(s.client, text, s.code(s.seed)), http.StatusBadRequest, "invalid_grant")
		}},
		{"introspect", func(s *stage, text string) bool { return s.active(s.client, text) }},
		{"revoke", func(s *stage, text string) bool {
			before := s.revocations()
			s.want(s.post("/oauth2/revoke", s.client, form("token", text)), http.StatusOK, "")
			return s.revocations() != before
		}},
		{"header", func(s *stage, text string) bool { return opened(s, s.userinfo(text)) }},
		{"body", func(s *stage, text string) bool {
			return opened(s, s.send(http.MethodPost, "/userinfo", nil, form("access_token", text).Encode()))
		}},
		{"client_secret", func(s *stage, text string) bool {
			as := app{id: s.client.id, secret: text, post: true}
			return refused(s, s.token(as, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		}},
		{"otp", factor("otp")},
		{"recovery_code", factor("recovery_code")},
		{"password", func(s *stage, text string) bool {
			a := s.token(s.client, "grant_type", "password", "username", "ada", "password", text)
			return refused(s, a, http.StatusBadRequest, "invalid_grant")
		}},
	}
}

// revocations is the newest word of the audit log about a revocation that a client asked for.
func (s *stage) revocations() (newest [2]storage.ID) {
	s.Helper()
	for i, kind := range []string{"grant.revoked", "token.revoked"} {
		events, err := s.store.ListEvents(s.Context(), storage.EventFilter{Kind: kind, Limit: 1})
		s.must(err)
		if len(events) > 0 {
			newest[i] = events[0].ID
		}
	}
	return newest
}

func TestEveryArtefactIsGoodAtItsOwnPlaceAlone(t *testing.T) {
	each(t, func(w *world) {
		s := &stage{world: w, jwt: w.confidential(posts), sat: w.confidential(posts, opaque)}
		w.user("ada")
		s.seed, s.recovery = w.enrol(w.user("grace"))
		doors := places()
		for _, a := range artefacts() {
			for _, p := range doors {
				s.client = s.jwt
				text := a.make(s)
				want := slices.Contains(a.good, p.name)
				if took := p.took(s, text); took != want {
					t.Errorf("%s at %s: taken %v, want %v", a.name, p.name, took, want)
				}
				// What was refused elsewhere is none the worse for it, but for a retired token, whose use ends its grant.
				reused := a.name == "retired refresh token" && p.name == "refresh_token"
				if !want && len(a.good) > 0 && !reused {
					own := doors[slices.IndexFunc(doors, func(p place) bool { return p.name == a.good[0] })]
					if !own.took(s, text) {
						t.Errorf("%s is dead at %s after it was refused at %s", a.name, own.name, p.name)
					}
				}
				// One code a step, and the buckets of failed attempts fill again.
				w.clock.Advance(61 * time.Second)
			}
		}
	})
}
