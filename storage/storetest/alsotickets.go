package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// ticketAlsoVerbs are those that issue, withdraw and redeem tickets.
func ticketAlsoVerbs() []alsoVerb {
	aUser := func(t *testing.T, s *subject) { s.user(t, 1) }
	issue := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.IssueTicket(t.Context(), bareTicket(20, storage.TicketReset, 1), 0, time.Hour, a)
		return err
	}
	withdraw := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.WithdrawTickets(t.Context(), id(1), storage.TicketReset, a)
		return err
	}
	aTicket := func(t *testing.T, s *subject) {
		s.user(t, 1)
		s.issue(t, bareTicket(20, storage.TicketReset, 1))
	}
	// Withdrawing cannot fail by itself; an event that cannot be stored makes it, where there is a ticket.
	withdrawTwice := func(t *testing.T, s *subject, a storage.Also) error {
		aTicket(t, s)
		a.Events = append(a.Events, a.Events[0])
		err := withdraw(t, s, a)
		same(t, []int{20}, s.tickets(t, 20))
		ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
		return err
	}
	verbs := []alsoVerb{
		{"IssueTicket", aUser, issue, issue},
		{"WithdrawTickets", aTicket, withdraw, withdrawTwice},
	}
	for _, r := range redemptions()[2:] { // Join once
		buy := func(t *testing.T, s *subject, a storage.Also) error { return r.buy(t.Context(), s, id(20), a) }
		stage := func(t *testing.T, s *subject) {
			s.user(t, 1)
			s.issue(t, ownTicket(20, r.kind))
		}
		// An act that succeeds but for its Also is undone with it, and its ticket serves still.
		fail := func(t *testing.T, s *subject, a storage.Also) error {
			stage(t, s)
			a.Events = append(a.Events, a.Events[0])
			before := s.signIn(t, id(1))
			err := buy(t, s, a)
			same(t, before, s.signIn(t, id(1)))
			same(t, []int{20}, s.tickets(t, 20))
			s.sweepAll(t)
			return err
		}
		verbs = append(verbs, alsoVerb{r.verb, stage, buy, fail})
	}
	return verbs
}

// sweepAll removes user 1 and every ticket, whosever it is, and leaves the clock as it was.
func (s *subject) sweepAll(t *testing.T) {
	t.Helper()
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	s.clock.Advance(24 * time.Hour)
	_, err := s.SweepExpired(t.Context(), 100, 0, 0)
	ok(t, err)
	s.clock.Advance(-24 * time.Hour)
}

// callTickets calls the methods that issue, read, withdraw and redeem tickets.
func callTickets(ctx context.Context, s storage.Store, each func(method string, err error)) {
	_, err := s.IssueTicket(ctx, bareTicket(20, storage.TicketReset, 0), 0, time.Hour, storage.Also{})
	each("IssueTicket", err)
	_, _, err = s.FindTicket(ctx, id(20))
	each("FindTicket", err)
	_, _, err = s.FindInvitation(ctx, "a")
	each("FindInvitation", err)
	_, _, err = s.ListTickets(ctx, id(1))
	each("ListTickets", err)
	_, err = s.WithdrawTickets(ctx, id(1), storage.TicketReset, storage.Also{})
	each("WithdrawTickets", err)
	_, err = s.RipeTickets(ctx, storage.TicketDeletion, 10)
	each("RipeTickets", err)
	for _, r := range redemptions() {
		each(r.verb, r.buy(ctx, s, id(21), storage.Also{}))
	}
}
