package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func consentPromises() []promise {
	return []promise{
		{"RememberConsentKeepsEveryField", rememberConsentKeepsFields},
		{"RememberConsentAddsToWhatWasAllowedBefore", rememberConsentAdds},
		{"RememberConsentOfNobodyIsNotFound", rememberConsentNotFound},
		{"ConsentsAreComparedByteByByte", consentsExact},
		{"WithdrawConsentForgetsAndRevokesWhatIsBetweenTheTwo", withdrawConsent},
		{"WithdrawConsentReportsTheActEvenWhereThereWasNothing", withdrawNothing},
		{"ConsentsGoWithTheirUserAndTheirClient", consentsGo},
	}
}

func fullConsent(user int, client string) storage.Consent {
	return storage.Consent{
		UserID: id(user), ClientID: client, Scope: []string{"openid", "read:all", `a"b\c`}, Claims: []string{"email", "urn:é,{} "},
		Resources: []string{"https://api.example/a b", "urn:x,{}"}, GivenAt: start, CreatedAt: start,
	}
}

func (s *subject) consent(t *testing.T, c storage.Consent) {
	t.Helper()
	ok(t, s.RememberConsent(t.Context(), c, storage.Also{}))
}

func (s *subject) allowed(t *testing.T, user int, client string) storage.Consent {
	t.Helper()
	c, err := s.FindConsent(t.Context(), id(user), client)
	ok(t, err)
	return c
}

func (s *subject) clients(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		ok(t, s.CreateClient(t.Context(), bareClient(name), storage.Also{}))
	}
}

func rememberConsentKeepsFields(t *testing.T, s *subject) {
	s.user(t, 1)
	s.clients(t, `Client %_' "x" `, "bare")
	full := fullConsent(1, `Client %_' "x" `)
	wholeRecord(t, full)
	bare := storage.Consent{UserID: id(1), ClientID: "bare"}
	for _, want := range []storage.Consent{full, bare} {
		given := want
		given.GivenAt, given.CreatedAt = start.Add(time.Hour), start.Add(2*time.Hour) // the store's to say
		s.consent(t, given)
		want.GivenAt, want.CreatedAt = start, start
		same(t, want, s.allowed(t, 1, want.ClientID))
	}
	_, err := s.FindConsent(t.Context(), id(2), "bare")
	fails(t, err, storage.ErrNotFound)
}

func rememberConsentAdds(t *testing.T, s *subject) {
	s.user(t, 1)
	s.clients(t, "c")
	give := func(scope, claims, resources []string) {
		t.Helper()
		s.consent(t, storage.Consent{UserID: id(1), ClientID: "c", Scope: scope, Claims: claims, Resources: resources})
		s.clock.Advance(time.Minute)
	}
	give([]string{"openid", "openid", "email"}, nil, []string{"urn:b"})
	give([]string{"read", "email"}, []string{"name"}, []string{"urn:a", "urn:b"})
	give(nil, []string{"NAME"}, nil)
	got := s.allowed(t, 1, "c")
	for _, list := range [][]string{got.Scope, got.Claims, got.Resources} {
		slices.Sort(list) // they are sets
	}
	same(t, storage.Consent{
		UserID: id(1), ClientID: "c", Scope: []string{"email", "openid", "read"}, Claims: []string{"NAME", "name"},
		Resources: []string{"urn:a", "urn:b"}, CreatedAt: start, GivenAt: start.Add(2 * time.Minute),
	}, got)
}

func rememberConsentNotFound(t *testing.T, s *subject) {
	s.user(t, 1)
	s.clients(t, "c")
	for _, c := range []storage.Consent{fullConsent(2, "c"), fullConsent(1, "C"), fullConsent(1, ""), fullConsent(1, "a\x00b")} {
		fails(t, s.RememberConsent(t.Context(), c, storage.Also{}), storage.ErrNotFound)
		_, err := s.FindConsent(t.Context(), c.UserID, c.ClientID)
		fails(t, err, storage.ErrNotFound)
	}
}

func consentsExact(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.clients(t, oddNames...)
	for _, name := range oddNames {
		c := storage.Consent{UserID: id(1), ClientID: name, Scope: []string{name}}
		_, err := s.FindConsent(t.Context(), id(1), name)
		fails(t, err, storage.ErrNotFound)
		s.consent(t, c)
	}
	s.consent(t, storage.Consent{UserID: id(2), ClientID: "demo"})
	listed, err := s.ListConsents(t.Context(), id(1))
	ok(t, err)
	var names []string
	for _, c := range listed {
		names = append(names, c.ClientID)
		same(t, []string{c.ClientID}, c.Scope)
		same(t, c, s.allowed(t, 1, c.ClientID))
	}
	same(t, slices.Sorted(slices.Values(oddNames)), names)
	listed, err = s.ListConsents(t.Context(), id(3))
	ok(t, err)
	if len(listed) != 0 {
		t.Fatalf("consents of nobody: %+v", listed)
	}
}

func withdrawConsent(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.clients(t, "c", "C")
	for n := 1; n <= 2; n++ {
		s.consent(t, fullConsent(n, "c"))
		s.consent(t, fullConsent(n, "C"))
	}
	s.given(t, 10, 70, "c", nil)
	s.given(t, 11, 70, "c", offline)
	s.given(t, 12, 70, "c", pending)
	s.given(t, 13, 70, "C", nil)
	s.given(t, 14, 70, "c", func(g *storage.Grant) { g.UserID = id(2) })
	s.given(t, 15, 70, "c", func(g *storage.Grant) {
		g.State, g.RevokedAt, g.RevokedReason = storage.Revoked, start, storage.ReasonReuse
	})
	for _, none := range []storage.Consent{{UserID: id(3), ClientID: "c"}, {UserID: id(1)}, {ClientID: "c"}, {}} {
		n, err := s.WithdrawConsent(t.Context(), none.UserID, none.ClientID, storage.Also{})
		ok(t, err)
		if n != 0 {
			t.Fatalf("%d grants revoked between user %q and client %q", n, none.UserID, none.ClientID)
		}
	}
	n, err := s.WithdrawConsent(t.Context(), id(1), "c", storage.Also{})
	ok(t, err)
	if n != 3 {
		t.Fatalf("%d grants revoked, want 3", n)
	}
	active, over := storage.Active, storage.Revoked
	same(t, []storage.State{over, over, over, active, active, over}, s.states(t, 10, 11, 12, 13, 14, 15))
	for n, want := range map[int]storage.Reason{10: storage.ReasonUser, 12: storage.ReasonUser, 15: storage.ReasonReuse} {
		if got := s.grant(t, id(n)).RevokedReason; got != want {
			t.Fatalf("grant %d was revoked for %q, want %q", n, got, want)
		}
	}
	_, err = s.FindConsent(t.Context(), id(1), "c")
	fails(t, err, storage.ErrNotFound)
	s.allowed(t, 1, "C")
	s.allowed(t, 2, "c")
	s.nothingDue(t)
}

func withdrawNothing(t *testing.T, s *subject) {
	_, err := s.WithdrawConsent(t.Context(), id(1), "c", storage.Also{
		Events: []storage.Event{{Kind: "a"}}, Letters: []storage.Letter{{Kind: "a"}},
	})
	ok(t, err)
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
	s.claimOne(t, time.Minute)
}

func consentsGo(t *testing.T, s *subject) {
	s.clients(t, "c", "d")
	for n := 1; n <= 2; n++ {
		s.user(t, n)
		s.consent(t, fullConsent(n, "c"))
		s.consent(t, fullConsent(n, "d"))
	}
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	ok(t, s.DeleteClient(t.Context(), "c", storage.Also{}))
	for n, want := range map[int]int{1: 0, 2: 1} {
		listed, err := s.ListConsents(t.Context(), id(n))
		ok(t, err)
		if len(listed) != want {
			t.Fatalf("user %d has consents %+v", n, listed)
		}
	}
	s.clients(t, "c")
	_, err := s.FindConsent(t.Context(), id(2), "c")
	fails(t, err, storage.ErrNotFound)
}
