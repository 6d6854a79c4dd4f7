package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func ticketRaces() []race {
	return []race{
		{"OneTicketServesOnce", "Join ResetPassword ChangeEmail RecoverFactors EraseUser", raceRedemptions},
		{"OfAKindThatRipensOneTicketIsIssued", "IssueTicket", raceIssue},
		{"ATicketIsWithdrawnOrServesAndNeverBoth", "WithdrawTickets EraseUser RecoverFactors", raceWithdrawTicket},
		{"OfManyTicketsToSetUpOneServes", "Join", raceSetup},
		{"OfManyTicketsToOneAddressOneServes", "Join", raceAddress},
		{"AResetAndAPasswordChangeAtOneRevisionExcludeEachOther", "ResetPassword SetPassword", raceResetSet},
		{"NoTicketOutlivesItsUser", "IssueTicket DeleteUser EraseUser", raceIssueErase},
	}
}

func raceRedemptions(t *testing.T, s *subject) {
	for n, r := range redemptions() {
		s.user(t, 1)
		s.issue(t, ownTicket(20+n, r.kind))
		s.oneWins(t, storage.ErrSpent, func(int) error {
			return r.buy(t.Context(), s, id(20+n), storage.Also{Events: []storage.Event{{Kind: fmt.Sprint(n)}}})
		})
		if events := len(s.events(t, storage.EventFilter{Kind: fmt.Sprint(n)})); events != 1 {
			t.Fatalf("%d events of one %s", events, r.verb)
		}
		for _, user := range []int{1, 9} {
			if err := s.DeleteUser(t.Context(), id(user), storage.Also{}); err != nil {
				fails(t, err, storage.ErrNotFound)
			}
		}
	}
}

// raceIssue: the one that has expired gives way to one.
func raceIssue(t *testing.T, s *subject) {
	s.user(t, 1)
	for round, kind := range []storage.TicketKind{storage.TicketRecovery, storage.TicketDeletion, storage.TicketRecovery} {
		won := s.oneWins(t, storage.ErrTaken, func(i int) error {
			_, err := s.IssueTicket(t.Context(), bareTicket(100*(round+1)+i, kind, 1), 0, time.Hour, storage.Also{})
			return err
		})
		found, _, err := s.ListTickets(t.Context(), id(1))
		ok(t, err)
		if len(found) != 1 || found[0].ID != id(100*(round+1)+won) {
			t.Fatalf("contender %d won, and there are %+v", won, found)
		}
		s.clock.Advance(time.Hour)
	}
}

func raceWithdrawTicket(t *testing.T, s *subject) {
	for round := 1; round <= 10; round++ {
		s.user(t, round)
		kind := []storage.TicketKind{storage.TicketRecovery, storage.TicketDeletion}[round%2]
		s.issue(t, bareTicket(20, kind, round))
		var withdrawn, served atomic.Int64
		allOK(t, together(t, 16, nil, func(i int) (err error) {
			if i%2 == 0 {
				n, err := s.WithdrawTickets(t.Context(), id(round), kind, storage.Also{})
				withdrawn.Add(int64(n))
				return err
			}
			if kind == storage.TicketDeletion {
				err = s.EraseUser(t.Context(), id(20), storage.Also{})
			} else {
				err = s.RecoverFactors(t.Context(), id(20), 1, storage.Also{})
			}
			if err == nil {
				served.Add(1)
			} else if !is(err, storage.ErrSpent) {
				return err
			}
			return nil
		}))
		if withdrawn.Load()+served.Load() != 1 {
			t.Fatalf("round %d: one ticket was withdrawn %d times and served %d times", round, withdrawn.Load(), served.Load())
		}
		_, err := s.FindUser(t.Context(), id(round))
		if gone := kind == storage.TicketDeletion && served.Load() == 1; gone != is(err, storage.ErrNotFound) {
			t.Fatalf("round %d: erased %v, and the user: %v", round, gone, err)
		}
	}
}

// raceSetup: whichever of them is used, there is one first administrator.
func raceSetup(t *testing.T, s *subject) {
	for n := range contenders {
		k := bareTicket(20+(37*n)%contenders, storage.TicketSetup, 0)
		k.Login = []string{"", "a", "b"}[n%3]
		s.issue(t, k)
	}
	won := s.oneWins(t, storage.ErrSpent, func(i int) error {
		u := storage.User{ID: id(200 + i), Admin: true, Logins: []string{fmt.Sprint(i)}}
		return s.Join(t.Context(), id(20+i), u, "hash", storage.Also{})
	})
	users, err := s.ListUsers(t.Context(), storage.ID{}, contenders)
	ok(t, err)
	if len(users) != 1 || users[0].ID != id(200+won) {
		t.Fatalf("contender %d won, and the users are %+v", won, users)
	}
	for n := range contenders {
		if len(s.tickets(t, 20+n)) != 0 {
			t.Fatalf("ticket %d is left", n)
		}
	}
}

func raceAddress(t *testing.T, s *subject) {
	for n := range contenders {
		s.issue(t, ticketTo(20+(37*n)%contenders, []storage.TicketKind{storage.TicketSignUp, storage.TicketInvitation}[n%2], "a"))
	}
	won := s.oneWins(t, storage.ErrSpent, func(i int) error {
		return s.Join(t.Context(), id(20+i), storage.User{ID: id(200 + i), Logins: []string{"a"}}, "hash", storage.Also{})
	})
	found, err := s.FindLogin(t.Context(), "a")
	ok(t, err)
	if found.User.ID != id(200+won) {
		t.Fatalf("contender %d won, and the login belongs to %s", won, found.User.ID)
	}
}

func raceResetSet(t *testing.T, s *subject) {
	for round := 1; round <= 10; round++ {
		s.user(t, round)
		s.issue(t, bareTicket(20, storage.TicketReset, round))
		won := -1
		for i, err := range together(t, 16, nil, func(i int) error {
			if i%2 == 0 {
				return s.SetPassword(t.Context(), id(round), 1, fmt.Sprint(i), storage.Also{})
			}
			spend := storage.Spend{UserID: id(round), UserRevision: 1}
			return s.ResetPassword(t.Context(), id(20), fmt.Sprint(i), spend, storage.Also{})
		}) {
			switch {
			case err == nil && won >= 0:
				t.Fatalf("round %d: %d and %d both set the password", round, won, i)
			case err == nil:
				won = i
			case i%2 == 0:
				fails(t, err, storage.ErrMoved)
			default:
				fails(t, err, storage.ErrSpent)
			}
		}
		if in := s.signIn(t, id(round)); in.PasswordHash != fmt.Sprint(won) || in.User.Revision != 2 {
			t.Fatalf("round %d: contender %d won, and the user is %+v", round, won, in)
		}
	}
}

func raceIssueErase(t *testing.T, s *subject) {
	for round := 1; round <= 10; round++ {
		s.user(t, round)
		s.issue(t, bareTicket(20, storage.TicketDeletion, round))
		for i, err := range together(t, 16, nil, func(i int) error {
			switch {
			case i == 8 && round%2 == 0:
				return s.DeleteUser(t.Context(), id(round), storage.Also{})
			case i == 8:
				return s.EraseUser(t.Context(), id(20), storage.Also{})
			}
			_, err := s.IssueTicket(t.Context(), bareTicket(100+i, ticketKinds[i%6], round), 0, time.Hour, storage.Also{})
			return err
		}) {
			switch {
			case i == 8 || err == nil:
				ok(t, err)
			case ticketKinds[i%6].Single():
				fails(t, err, storage.ErrNotFound, storage.ErrTaken)
			default:
				fails(t, err, storage.ErrNotFound)
			}
		}
		for i := range 16 {
			if len(s.tickets(t, 100+i)) != 0 {
				t.Fatalf("round %d: ticket %d outlived its user", round, i)
			}
		}
	}
}
