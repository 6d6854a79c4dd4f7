package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func redemptionPromises() []promise {
	return []promise{
		{"ATicketThatDoesNotServeBuysNothing", ticketMustServe},
		{"ATicketOfAnotherKindBuysNothing", ticketMustBeOfTheKind},
		{"ATicketOfAnotherOrOfNobodyBuysNothing", ticketMustBeTheirs},
		{"AnActThatFailsSpendsNoTicket", failedActSpendsNoTicket},
		{"JoinMakesTheUserAndTakesTheTicketsOfTheAddress", joinTakesTickets},
		{"JoinWithATicketToSetUpTakesAllOfThem", joinTakesSetups},
		{"ATicketToSetUpServesWhileThereIsNoAdministrator", setupNeedsNoAdmin},
		{"ResetPasswordDoesWhatSetPasswordDoesAndSpendsTheProof", resetSetsPassword},
		{"ResetPasswordWantsTheUserAsTheyWereRead", resetMoved},
		{"ChangeEmailUpdatesTheUserAndTakesTheTicketsForAddresses", changeEmailUpdates},
		{"RecoverFactorsRemovesThemAtTheRevisionAlone", recoverRemoves},
		{"EraseUserTakesAllThatWasTheirs", eraseTakesAll},
	}
}

// redemption is a verb with a kind of ticket that it takes. buy calls it by a ticket of user 1 at their first revision; it succeeds
// where the ticket serves.
type redemption struct {
	verb string
	kind storage.TicketKind
	buy  func(ctx context.Context, s storage.Store, ticket storage.ID, also storage.Also) error
}

func redemptions() []redemption {
	join := func(ctx context.Context, s storage.Store, ticket storage.ID, also storage.Also) error {
		return s.Join(ctx, ticket, bareUser(9), "hash", also)
	}
	return []redemption{
		{"Join", storage.TicketSetup, join},
		{"Join", storage.TicketSignUp, join},
		{"Join", storage.TicketInvitation, join},
		{"ResetPassword", storage.TicketReset, func(ctx context.Context, s storage.Store, ticket storage.ID, also storage.Also) error {
			return s.ResetPassword(ctx, ticket, "new", storage.Spend{UserID: id(1), UserRevision: 1}, also)
		}},
		{"ChangeEmail", storage.TicketEmail, func(ctx context.Context, s storage.Store, ticket storage.ID, also storage.Also) error {
			return s.ChangeEmail(ctx, ticket, storage.User{ID: id(1), Revision: 1, Email: "new"}, also)
		}},
		{"RecoverFactors", storage.TicketRecovery, func(ctx context.Context, s storage.Store, ticket storage.ID, also storage.Also) error {
			return s.RecoverFactors(ctx, ticket, 1, also)
		}},
		{"EraseUser", storage.TicketDeletion, func(ctx context.Context, s storage.Store, ticket storage.ID, also storage.Also) error {
			return s.EraseUser(ctx, ticket, also)
		}},
	}
}

// ownTicket is the ticket n that a redemption of the kind takes: user 1's, or for those who have no account yet nobody's.
func ownTicket(n int, kind storage.TicketKind) storage.Ticket {
	if slices.Contains(ticketKinds[:3], kind) {
		return ticketTo(n, kind, "new@example.org")
	}
	return bareTicket(n, kind, 1)
}

// spent asserts that the ticket buys nothing, and changes nothing.
func (s *subject) spent(t *testing.T, r redemption, ticket int) {
	t.Helper()
	before, there := s.signIn(t, id(1)), s.tickets(t, ticket)
	also := storage.Also{Events: []storage.Event{{Kind: "a"}}}
	if err := r.buy(t.Context(), s, id(ticket), also); !is(err, storage.ErrSpent) {
		t.Fatalf("%s by ticket %d: %v, want ErrSpent", r.verb, ticket, err)
	}
	same(t, before, s.signIn(t, id(1)))
	same(t, there, s.tickets(t, ticket))
	users, err := s.ListUsers(t.Context(), storage.ID{}, 10)
	ok(t, err)
	if slices.ContainsFunc(users, func(u storage.User) bool { return u.ID == id(9) }) || len(s.events(t, storage.EventFilter{})) != 0 {
		t.Fatalf("%s failed and left something", r.verb)
	}
}

func ticketMustServe(t *testing.T, s *subject) {
	wait, life := 72*time.Hour, time.Hour
	for i, r := range redemptions() {
		s.user(t, 1)
		early, late := 20+2*i, 21+2*i
		at := s.clock.Now()
		s.spent(t, r, early)
		_, err := s.IssueTicket(t.Context(), ownTicket(early, r.kind), wait, life, storage.Also{})
		ok(t, err)
		s.spent(t, r, early)
		s.clock.Set(at.Add(wait - time.Microsecond))
		s.spent(t, r, early)
		s.clock.Set(at.Add(wait + life))
		s.spent(t, r, early)

		at = s.clock.Now()
		_, err = s.IssueTicket(t.Context(), ownTicket(late, r.kind), wait, life, storage.Also{})
		ok(t, err)
		s.clock.Set(at.Add(wait + time.Duration(i%2)*(life-time.Microsecond))) // its first instant, or its last
		ok(t, r.buy(t.Context(), s, id(late), storage.Also{}))
		same(t, []int(nil), s.tickets(t, late))
		if err := r.buy(t.Context(), s, id(late), storage.Also{}); !is(err, storage.ErrSpent) {
			t.Fatalf("%s by a ticket that served: %v, want ErrSpent", r.verb, err)
		}
		for _, user := range []int{1, 9} {
			if err := s.DeleteUser(t.Context(), id(user), storage.Also{}); !is(err, nil) {
				fails(t, err, storage.ErrNotFound)
			}
		}
	}
}

func ticketMustBeOfTheKind(t *testing.T, s *subject) {
	s.user(t, 1)
	for n, kind := range ticketKinds {
		s.issue(t, bareTicket(20+n, kind, 1))
	}
	taken := map[string][]storage.TicketKind{}
	for _, r := range redemptions() {
		taken[r.verb] = append(taken[r.verb], r.kind)
	}
	for _, r := range redemptions() {
		for n, kind := range ticketKinds {
			if !slices.Contains(taken[r.verb], kind) {
				s.spent(t, r, 20+n)
			}
		}
	}
}

func ticketMustBeTheirs(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	for n, r := range redemptions()[3:] {
		s.issue(t, bareTicket(20+n, r.kind, 0))
		s.spent(t, r, 20+n)
	}
	s.issue(t, bareTicket(30, storage.TicketReset, 2), bareTicket(31, storage.TicketEmail, 2))
	s.spent(t, redemption{"ResetPassword", storage.TicketReset, redemptions()[3].buy}, 30)
	s.spent(t, redemption{"ChangeEmail", storage.TicketEmail, redemptions()[4].buy}, 31)
	for _, ticket := range []int{20, 30} { // of nobody to nobody's, and to somebody's
		fails(t, s.ResetPassword(ctx, id(ticket), "new", storage.Spend{}, storage.Also{}), storage.ErrSpent)
		fails(t, s.ChangeEmail(ctx, id(ticket+1), storage.User{}, storage.Also{}), storage.ErrSpent)
	}
	if in := s.signIn(t, id(2)); in.PasswordHash != "hash" || in.User.Revision != 1 {
		t.Fatalf("another user changed: %+v", in)
	}
}

// failedActSpendsNoTicket: what else may be wrong is told of a ticket that serves, and of no other.
func failedActSpendsNoTicket(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	for n, kind := range ticketKinds {
		s.issue(t, ownTicket(20+n, kind))
	}
	before := s.signIn(t, id(1))
	moved := storage.User{ID: id(1), Revision: 1}
	thief := storage.User{ID: id(1), Revision: before.User.Revision, Logins: s.signIn(t, id(2)).User.Logins}
	heir := storage.User{ID: id(9), Logins: thief.Logins}
	used := s.proof(t, 1)
	used.FactorID, used.Step = id(5), 100
	for _, c := range []struct {
		ticket int
		want   error
		buy    func(ticket storage.ID) error
	}{
		{20, storage.ErrTaken, func(k storage.ID) error { return s.Join(ctx, k, heir, "", storage.Also{}) }},
		{21, storage.ErrTaken, func(k storage.ID) error { return s.Join(ctx, k, heir, "", storage.Also{}) }},
		{22, storage.ErrTaken, func(k storage.ID) error { return s.Join(ctx, k, bareUser(2), "", storage.Also{}) }},
		{23, storage.ErrMoved, func(k storage.ID) error {
			return s.ResetPassword(ctx, k, "new", storage.Spend{UserID: id(1), UserRevision: 1}, storage.Also{})
		}},
		{23, storage.ErrSpent, func(k storage.ID) error { return s.ResetPassword(ctx, k, "new", used, storage.Also{}) }},
		{24, storage.ErrMoved, func(k storage.ID) error { return s.ChangeEmail(ctx, k, moved, storage.Also{}) }},
		{24, storage.ErrTaken, func(k storage.ID) error { return s.ChangeEmail(ctx, k, thief, storage.Also{}) }},
		{25, storage.ErrMoved, func(k storage.ID) error { return s.RecoverFactors(ctx, k, 1, storage.Also{}) }},
	} {
		if err := c.buy(id(c.ticket)); !is(err, c.want) {
			t.Fatalf("ticket %d: %v, want %v", c.ticket, err, c.want)
		}
		fails(t, c.buy(id(99)), storage.ErrSpent)
	}
	same(t, before, s.signIn(t, id(1)))
	same(t, []int{20, 21, 22, 23, 24, 25, 26}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
}
