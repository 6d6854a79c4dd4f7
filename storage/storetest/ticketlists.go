package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func (s *subject) invited(t *testing.T, login string, want int) {
	t.Helper()
	k, now, err := s.FindInvitation(t.Context(), login)
	if want == 0 {
		fails(t, err, storage.ErrNotFound)
		return
	}
	ok(t, err)
	same(t, id(want), k.ID)
	same(t, s.clock.Now(), now)
}

func findInvitation(t *testing.T, s *subject) {
	for n, kind := range ticketKinds {
		if kind != storage.TicketInvitation {
			s.issue(t, ticketTo(20+n, kind, "ada@example.org"))
		}
	}
	s.invited(t, "ada@example.org", 0)
	s.issue(t, bareTicket(30, storage.TicketInvitation, 0))
	s.invited(t, "", 0)
	s.issue(t, ticketTo(32, storage.TicketInvitation, "ada@example.org"))
	s.clock.Advance(30 * time.Minute)
	s.issue(t, ticketTo(31, storage.TicketInvitation, "ada@example.org"))
	s.invited(t, "ada@example.org", 31)
	_, err := s.IssueTicket(t.Context(), ticketTo(33, storage.TicketInvitation, "ada@example.org"), time.Hour, 1, storage.Also{})
	ok(t, err)
	s.invited(t, "ada@example.org", 33) // of one instant: the order of the IDs
	s.clock.Advance(time.Hour)
	s.invited(t, "ada@example.org", 0)
}

func invitationsExact(t *testing.T, s *subject) {
	for n, name := range oddNames {
		s.invited(t, name, 0)
		s.issue(t, ticketTo(20+n, storage.TicketInvitation, name))
	}
	for n, name := range oddNames {
		s.invited(t, name, 20+n)
	}
}

func listTickets(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	list := func(user int, want ...int) {
		t.Helper()
		found, now, err := s.ListTickets(t.Context(), id(user))
		ok(t, err)
		same(t, s.clock.Now(), now)
		var got []int
		for _, k := range found {
			same(t, id(user), k.UserID)
			got = append(got, int(k.ID[15]))
		}
		same(t, want, got)
	}
	list(1)
	s.issue(t, bareTicket(23, storage.TicketReset, 1), bareTicket(20, storage.TicketReset, 0), bareTicket(21, storage.TicketReset, 2))
	s.clock.Advance(30 * time.Minute)
	s.issue(t, bareTicket(22, storage.TicketReset, 1))
	_, err := s.IssueTicket(t.Context(), bareTicket(24, storage.TicketRecovery, 1), 72*time.Hour, time.Hour, storage.Also{})
	ok(t, err)
	list(1, 24, 22, 23)
	list(2, 21)
	list(3)
	s.clock.Advance(30 * time.Minute)
	list(1, 24, 22)
	list(2)
}

func ripeTickets(t *testing.T, s *subject) {
	ripe := func(kind storage.TicketKind, limit int, want ...int) {
		t.Helper()
		found, err := s.RipeTickets(t.Context(), kind, limit)
		ok(t, err)
		var got []int
		for _, k := range found {
			same(t, kind, k.Kind)
			got = append(got, int(k.ID[15]))
		}
		same(t, want, got)
	}
	for n, wait := range []time.Duration{3 * time.Hour, time.Hour, 2 * time.Hour, time.Hour} {
		s.user(t, 1+n)
		for m, kind := range []storage.TicketKind{storage.TicketDeletion, storage.TicketRecovery, storage.TicketReset} {
			_, err := s.IssueTicket(t.Context(), bareTicket(20+10*m+n, kind, 1+n), wait, 90*time.Minute, storage.Also{})
			ok(t, err)
		}
	}
	for m, kind := range []storage.TicketKind{storage.TicketDeletion, storage.TicketRecovery, storage.TicketReset} {
		n := 20 + 10*m
		s.clock.Set(start.Add(time.Hour - time.Microsecond))
		ripe(kind, 10)
		s.clock.Set(start.Add(time.Hour))
		ripe(kind, 10, n+1, n+3)
		ripe(kind, 1, n+1)
		s.clock.Set(start.Add(2 * time.Hour))
		ripe(kind, 10, n+1, n+3, n+2)
		ripe(kind, 2, n+1, n+3)
		s.clock.Set(start.Add(2*time.Hour + 30*time.Minute))
		ripe(kind, 10, n+2)
		s.clock.Set(start.Add(3 * time.Hour))
		ripe(kind, 10, n+2, n)
	}
	ripe(storage.TicketSetup, 10)
}
