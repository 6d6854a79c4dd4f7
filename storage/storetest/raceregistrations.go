package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func registrationRaces() []race {
	return []race{
		{"OneClientIDIsRegisteredOnce", "RegisterClient", raceRegister},
		{"ATokenRegistersNoMoreThanItsUses", "RegisterClient RevokeRegistrationToken", raceTokenUses},
		{"ClientsThatRegisterTogetherKeepTheBound", "RegisterClient", raceUnused},
		{"AnOwnerGetsNoMoreThanTheirQuota", "RegisterClient", raceOwned},
		{"NoClientIsSomebodysWhoIsGone", "RegisterClient DeleteUser", raceOwnerGone},
		{"EachUnusedClientIsSweptOnce", "SweepUnused", raceSweepUnused},
		{"OneDigestMakesOneRegistrationToken", "CreateRegistrationToken", raceCreateToken},
		{"ARegistrationTokenIsRevokedOnce", "RevokeRegistrationToken", raceRevokeToken},
		{"NodesThatCountTogetherLoseNothing", "CountUsage", raceCount},
	}
}

func raceRegister(t *testing.T, s *subject) {
	s.token(t, bareToken(30))
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		c := madeBy(storage.OriginSoftware, "demo")
		c.Metadata.Name = fmt.Sprint(i)
		return s.RegisterClient(t.Context(), c, storage.Registration{TokenID: id(30), Unused: 5}, storage.Also{Events: []storage.Event{{Kind: "registered"}}})
	})
	if got := s.client(t, "demo").Metadata.Name; got != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the row is %s's", won, got)
	}
	if uses, n := s.tokenAt(t, 30).Uses, len(s.events(t, storage.EventFilter{})); uses != 1 || n != 1 {
		t.Fatalf("%d uses, %d events, want one of each", uses, n)
	}
}

// registered races registrations among the contenders and returns how many succeeded; the others are refused.
func (s *subject) registered(t *testing.T, refused error, register func(i int) error) int {
	t.Helper()
	n := 0
	for _, err := range s.contend(t, register) {
		if err == nil {
			n++
		} else {
			fails(t, err, refused)
		}
	}
	listed, err := s.ListClients(t.Context(), "", 1000)
	ok(t, err)
	if len(listed) != n {
		t.Fatalf("%d registrations succeeded, and %d clients are there", n, len(listed))
	}
	return n
}

func raceTokenUses(t *testing.T, s *subject) {
	r := bareToken(30)
	r.MaxUses = 7
	s.token(t, r)
	n := s.registered(t, storage.ErrSpent, func(i int) error {
		return s.RegisterClient(t.Context(), bareClient(fmt.Sprint(i)), storage.Registration{TokenID: id(30)}, storage.Also{})
	})
	if uses := s.tokenAt(t, 30).Uses; n != 7 || uses != 7 {
		t.Fatalf("%d clients and %d uses of a token for 7", n, uses)
	}
	s.token(t, bareToken(31))
	var registered atomic.Int64
	for i, err := range s.contend(t, func(i int) error {
		if i%16 == 15 {
			return s.RevokeRegistrationToken(t.Context(), id(31), storage.Also{})
		}
		err := s.RegisterClient(t.Context(), bareClient(fmt.Sprint("revoked", i)), storage.Registration{TokenID: id(31)}, storage.Also{})
		if err == nil {
			registered.Add(1)
		}
		return err
	}) {
		if i%16 == 15 {
			ok(t, err)
		} else if err != nil {
			fails(t, err, storage.ErrSpent)
		}
	}
	if uses := s.tokenAt(t, 31).Uses; int64(uses) != registered.Load() {
		t.Fatalf("%d uses, and %d clients", uses, registered.Load())
	}
}

func raceUnused(t *testing.T, s *subject) {
	const most = 10
	for n := range most {
		s.register(t, fmt.Sprint("old", n), most)
	}
	s.belong(t, "old3", 100, storage.Active)
	allOK(t, s.contend(t, func(i int) error {
		return s.RegisterClient(t.Context(), madeBy(storage.OriginSoftware, fmt.Sprint("new", i)), storage.Registration{Unused: most}, storage.Also{})
	}))
	s.client(t, "old3")
	listed, err := s.ListClients(t.Context(), "", 1000)
	ok(t, err)
	if n := len(listed) - 1; n != most {
		t.Fatalf("%d unused clients without a grant, want %d", n, most)
	}
	s.grant(t, id(100))
}

func raceOwned(t *testing.T, s *subject) {
	s.user(t, 1)
	n := s.registered(t, storage.ErrSpent, func(i int) error {
		c := madeBy(storage.OriginPerson, fmt.Sprint(i))
		c.OwnerID = id(1)
		return s.RegisterClient(t.Context(), c, storage.Registration{Owned: 5}, storage.Also{})
	})
	if n != 5 {
		t.Fatalf("%d clients of an owner who may have 5", n)
	}
}

func raceOwnerGone(t *testing.T, s *subject) {
	s.user(t, 1)
	for i, err := range s.contend(t, func(i int) error {
		if i == contenders/2 {
			return s.DeleteUser(t.Context(), id(1), storage.Also{})
		}
		c := madeBy(storage.OriginPerson, fmt.Sprint(i))
		c.OwnerID = id(1)
		return s.RegisterClient(t.Context(), c, storage.Registration{Owned: 1000}, storage.Also{})
	}) {
		switch {
		case err == nil && i != contenders/2:
			if owner := s.client(t, fmt.Sprint(i)).OwnerID; !owner.IsZero() {
				t.Fatalf("client %d is %s's, who is gone", i, owner)
			}
		case err != nil:
			fails(t, err, storage.ErrNotFound)
		}
	}
}

func raceSweepUnused(t *testing.T, s *subject) {
	const clients = 100
	for n := range clients {
		s.register(t, fmt.Sprint(n), 0)
	}
	s.clock.Advance(2 * time.Hour)
	var swept atomic.Int64
	sweep := func(int) error {
		for range clients {
			n, err := s.SweepUnused(t.Context(), 7, time.Hour)
			swept.Add(int64(n))
			if err != nil || n == 0 {
				return err
			}
		}
		return nil
	}
	allOK(t, together(t, 8, nil, sweep))
	ok(t, sweep(0)) // an engine may pass over a row that another sweep holds at this moment
	if swept.Load() != clients {
		t.Fatalf("%d clients swept, want %d", swept.Load(), clients)
	}
	s.there(t)
}

func raceCreateToken(t *testing.T, s *subject) {
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		r := bareToken(30 + i)
		r.Digest = bareToken(30).Digest
		return s.CreateRegistrationToken(t.Context(), r, storage.Also{})
	})
	if got := s.tokenAt(t, 30).ID; got != id(30+won) {
		t.Fatalf("contender %d won, and the row is %s", won, got)
	}
}

func raceRevokeToken(t *testing.T, s *subject) {
	s.token(t, bareToken(30))
	allOK(t, s.contend(t, func(int) error {
		return s.RevokeRegistrationToken(t.Context(), id(30), storage.Also{Events: []storage.Event{{Kind: "revoked"}}})
	}))
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events of one revocation", n)
	}
}

// raceCount: the clients come in any order, so that a store that takes its rows as they come would lock itself.
func raceCount(t *testing.T, s *subject) {
	names := []string{"a", "b", "c"}
	s.user(t, 1)
	for _, name := range names {
		ok(t, s.CreateClient(t.Context(), bareClient(name), storage.Also{}))
	}
	allOK(t, s.contend(t, func(i int) error {
		var counted []storage.ClientUsage
		for n := range names {
			counted = append(counted, storage.ClientUsage{
				ClientID: names[(n*(1+i%2)+i)%len(names)], SignIns: 1, Tokens: 2, Failures: 3, By: id(1),
				Secrets: []time.Time{start.Add(time.Duration(i+n) % 2 * time.Second), start.Add(time.Duration(i+n+1) % 2 * time.Second)},
			})
		}
		return s.CountUsage(t.Context(), counted)
	}))
	for _, name := range names {
		s.usage(t, name, 0, storage.ClientUsage{ClientID: name, Day: today, SignIns: contenders, Tokens: 2 * contenders, Failures: 3 * contenders})
		s.secretUses(t, name, storage.SecretUse{CreatedAt: start.Add(time.Second), UsedAt: start}, storage.SecretUse{CreatedAt: start, UsedAt: start})
		if c := s.client(t, name); c.UsedBy != id(1) || !c.UsedAt.Equal(start) {
			t.Fatalf("client %s was used first at %v by %s", name, c.UsedAt, c.UsedBy)
		}
	}
}
