package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func registrationTokenPromises() []promise {
	return []promise{
		{"CreateRegistrationTokenKeepsEveryField", registrationTokenKeepsFields},
		{"CreateRegistrationTokenRefusesAnIDOrDigestThatExists", registrationTokenTaken},
		{"ListRegistrationTokensPagesInByteOrder", listRegistrationTokens},
		{"ARevokedRegistrationTokenStaysRevoked", revokeRegistrationToken},
	}
}

func bareToken(n int) storage.RegistrationToken {
	return storage.RegistrationToken{ID: id(n), Digest: digest(fmt.Sprint("registration token ", n))}
}

// token stores it.
func (s *subject) token(t *testing.T, r storage.RegistrationToken) {
	t.Helper()
	ok(t, s.CreateRegistrationToken(t.Context(), r, storage.Also{}))
}

// tokenAt reads it.
func (s *subject) tokenAt(t *testing.T, n int) storage.RegistrationToken {
	t.Helper()
	found, now, err := s.FindRegistrationToken(t.Context(), bareToken(n).Digest)
	ok(t, err)
	same(t, s.clock.Now(), now)
	return found
}

func registrationTokenKeepsFields(t *testing.T, s *subject) {
	full := bareToken(30)
	full.Name, full.CreatedBy, full.MaxUses, full.Scope = "Ün <b>token</b> ", "cli ", 1<<30, "openid read:all"
	full.GrantTypes, full.ExpiresAt = []string{"client_credentials", "authorization_code"}, start.Add(time.Hour+time.Microsecond)
	for _, r := range []storage.RegistrationToken{full, bareToken(31)} {
		given := r
		given.Uses, given.CreatedAt, given.RevokedAt = 7, start.Add(time.Hour), start.Add(time.Hour) // the store's to say
		s.token(t, given)
		r.CreatedAt = s.clock.Now()
		s.clock.Advance(time.Second)
		got, now, err := s.FindRegistrationToken(t.Context(), r.Digest)
		ok(t, err)
		same(t, r, got)
		same(t, s.clock.Now(), now)
	}
	full.CreatedAt = start
	wholeRecord(t, full, "Uses", "RevokedAt")
	_, _, err := s.FindRegistrationToken(t.Context(), digest("another"))
	fails(t, err, storage.ErrNotFound)
	_, _, err = s.FindRegistrationToken(t.Context(), storage.Digest{})
	fails(t, err, storage.ErrNotFound)
}

func registrationTokenTaken(t *testing.T, s *subject) {
	s.token(t, bareToken(30))
	before := s.tokenAt(t, 30)
	sameID, sameDigest := bareToken(31), bareToken(32)
	sameID.ID, sameDigest.Digest = id(30), bareToken(30).Digest
	for _, r := range []storage.RegistrationToken{sameID, sameDigest, bareToken(30)} {
		r.Name = "another"
		fails(t, s.CreateRegistrationToken(t.Context(), r, storage.Also{}), storage.ErrTaken)
		same(t, before, s.tokenAt(t, 30))
	}
	listed, _, err := s.ListRegistrationTokens(t.Context(), storage.ID{}, 10)
	ok(t, err)
	same(t, []storage.RegistrationToken{before}, listed)
}

func listRegistrationTokens(t *testing.T, s *subject) {
	var want []storage.RegistrationToken
	for _, n := range []int{3, 256, 1, 7, 2} {
		s.token(t, bareToken(n))
	}
	ok(t, s.RevokeRegistrationToken(t.Context(), id(7), storage.Also{}))
	for _, n := range []int{1, 2, 3, 7, 256} {
		want = append(want, s.tokenAt(t, n))
	}
	s.clock.Advance(time.Second)
	var got []storage.RegistrationToken
	for after := (storage.ID{}); ; after = got[len(got)-1].ID {
		page, now, err := s.ListRegistrationTokens(t.Context(), after, 2)
		ok(t, err)
		same(t, s.clock.Now(), now)
		if len(page) == 0 {
			break
		}
		if len(page) > 2 {
			t.Fatalf("a page of %d, limit 2", len(page))
		}
		got = append(got, page...)
	}
	same(t, want, got)
}

func revokeRegistrationToken(t *testing.T, s *subject) {
	ctx := t.Context()
	s.token(t, bareToken(30))
	s.token(t, bareToken(31))
	spends := storage.Registration{TokenID: id(30)}
	ok(t, s.RegisterClient(ctx, bareClient("before"), spends, storage.Also{}))
	s.clock.Advance(time.Second)
	for range 2 {
		ok(t, s.RevokeRegistrationToken(ctx, id(30), storage.Also{
			Events: []storage.Event{{Kind: "revoked"}}, Letters: []storage.Letter{{Kind: "revoked"}},
		}))
		if at := s.tokenAt(t, 30).RevokedAt; !at.Equal(start.Add(time.Second)) {
			t.Fatalf("revoked at %v, want the first time", at)
		}
		s.clock.Advance(time.Hour)
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events of one revocation", n)
	}
	s.claimOne(t, time.Minute)
	fails(t, s.RegisterClient(ctx, bareClient("after"), spends, storage.Also{}), storage.ErrSpent)
	s.client(t, "before")
	if !s.tokenAt(t, 31).RevokedAt.IsZero() || s.tokenAt(t, 30).Uses != 1 {
		t.Fatal("the revocation took more than the token")
	}
	fails(t, s.RevokeRegistrationToken(ctx, id(32), storage.Also{}), storage.ErrNotFound)
}
