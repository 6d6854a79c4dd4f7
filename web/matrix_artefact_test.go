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
	recovery []string
	mint     *handle.Mint
	front    *porch
}

// disguised is the authentic handle of kind with what the handle text of another kind holds.
func (s *stage) disguised(kind, of handle.Kind, text string) string {
	s.Helper()
	h, err := s.mint.Parse(of, text)
	s.must(err)
	h.Generation = max(h.Generation, 1)
	other, err := s.mint.Handle(kind, h)
	s.must(err)
	return other
}

// artefact is something that one could present, and where it is good.
type artefact struct {
	name string
	make func(s *stage) string
	good []string // places; no other place takes it

	spoilt bool // by being refused: presenting a retired token ends its grant
}

func artefacts() []artefact {
	const access = "introspect revoke header body"
	refresh := func(s *stage) string { return s.login(s.client, "ada").refresh() }
	return append(doorArtefacts(), []artefact{
		{name: "refresh token", make: refresh, good: []string{"refresh_token", "introspect", "revoke"}},
		{name: "retired refresh token", spoilt: true, good: []string{"revoke"}, make: func(s *stage) string {
			first := s.login(s.client, "ada").refresh()
			s.want(s.refreshWith(s.client, first), http.StatusOK, "")
			return first
		}},
		{name: "mfa_token", make: func(s *stage) string { return s.half(s.client, "grace") }, good: []string{"mfa_token"}},
		{name: "authentic refresh handle of a pending grant", make: func(s *stage) string {
			return s.disguised(handle.Refresh, handle.MFA, s.half(s.client, "grace"))
		}},
		{name: "authentic mfa handle of an active grant", make: func(s *stage) string { return s.disguised(handle.MFA, handle.Refresh, refresh(s)) }},
		{name: "authentic code handle of an active grant", make: func(s *stage) string { return s.disguised(handle.Code, handle.Refresh, refresh(s)) }},
		{name: "authentic device handle of an active grant", make: func(s *stage) string { return s.disguised(handle.Device, handle.Refresh, refresh(s)) }},
		{name: "forged code", make: func(s *stage) string { return "sac_" + refresh(s)[4:] }},
		{name: "access JWT", make: func(s *stage) string { return s.login(s.client, "ada").access() }, good: strings.Fields(access)},
		{name: "opaque access token", make: func(s *stage) string {
			s.client = s.sat
			return s.login(s.client, "ada").access()
		}, good: strings.Fields(access)},
		{name: "client-credentials JWT", make: func(s *stage) string {
			a := s.token(s.client, "grant_type", "client_credentials")
			s.want(a, http.StatusOK, "")
			return a.access()
		}, good: []string{"introspect", "revoke"}},
		{
			name: "ID token", good: []string{"id_token_hint", "id_token_hint of logout"},
			make: func(s *stage) string { return s.login(s.client, "ada").text("id_token") },
		},
		{name: "jti", make: func(s *stage) string {
			return s.post("/oauth2/introspect", s.client, form("token", s.login(s.client, "ada").access())).text("jti")
		}},
		{name: "client secret", make: func(s *stage) string { return s.client.secret }, good: []string{"client_secret"}},
		{name: "client_id", make: func(s *stage) string { return s.client.id }},
		{name: "recovery code", make: func(s *stage) string {
			next := s.recovery[0]
			s.recovery = s.recovery[1:]
			return next
		}, good: []string{"recovery_code"}},
		{name: "one-time code", make: func(s *stage) string { return s.code(s.seed) }, good: []string{"otp"}},
		{name: "TOTP secret", make: func(s *stage) string { return s.seed }},
		{name: "password", make: func(*stage) string { return password }, good: []string{"password"}},
	}...)
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
	return append(doorPlaces(), []place{
		{name: "refresh_token", took: func(s *stage, text string) bool {
			return refused(s, s.refreshWith(s.client, text), http.StatusBadRequest, "invalid_grant")
		}},
		{name: "mfa_token", took: func(s *stage, text string) bool {
			return refused(s, s.redeem(s.client, text, s.code(s.seed)), http.StatusBadRequest, "invalid_grant")
		}},
		{name: "introspect", took: func(s *stage, text string) bool { return s.active(s.client, text) }},
		{name: "revoke", took: func(s *stage, text string) bool {
			before := s.revocations()
			s.want(s.post("/oauth2/revoke", s.client, form("token", text)), http.StatusOK, "")
			return s.revocations() != before
		}},
		{name: "header", took: func(s *stage, text string) bool { return opened(s, s.userinfo(text)) }},
		{name: "body", took: func(s *stage, text string) bool {
			return opened(s, s.send(http.MethodPost, "/userinfo", nil, form("access_token", text).Encode()))
		}},
		{name: "client_secret", took: func(s *stage, text string) bool {
			as := app{id: s.client.id, secret: text, post: true}
			return refused(s, s.token(as, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		}},
		{"otp", factor("otp")},
		{"recovery_code", factor("recovery_code")},
		{name: "password", took: func(s *stage, text string) bool {
			a := s.token(s.client, "grant_type", "password", "username", "ada", "password", text)
			return refused(s, a, http.StatusBadRequest, "invalid_grant")
		}},
	}...)
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
		s := &stage{world: w, jwt: w.confidential(posts, atTheDoor), sat: w.confidential(posts, atTheDoor, opaque), mint: w.mint()}
		w.user("ada")
		s.seed, s.recovery = w.enrol(w.user("grace"))
		for _, a := range artefacts() {
			s.client = s.jwt
			s.presentEverywhere(a)
			// One code a step, and the buckets of failed attempts fill again.
			w.clock.Advance(5 * time.Minute)
		}
	})
}

// presentEverywhere takes one artefact to every place that is not its own, then to its own, where it must be none the worse for
// it; and a new one to each further place of its own.
func (s *stage) presentEverywhere(a artefact) {
	s.Helper()
	text := a.make(s)
	var own []place
	for _, p := range places() {
		switch {
		case slices.Contains(a.good, p.name):
			own = append(own, p)
		case p.took(s, text):
			s.Errorf("%s is taken at %s", a.name, p.name)
		}
	}
	for i, p := range own {
		if i > 0 || a.spoilt {
			s.clock.Advance(61 * time.Second)
			text = a.make(s)
		}
		if !p.took(s, text) {
			s.Errorf("%s is refused at %s", a.name, p.name)
		}
	}
}
