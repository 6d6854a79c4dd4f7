package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func ticketPromises() []promise {
	return []promise{
		{"IssueTicketKeepsEveryFieldAndStampsItsTimes", issueKeepsFields},
		{"ATicketsIDIsTakenOnce", issueTaken},
		{"NobodyWhoIsGoneGetsATicket", issueNotFound},
		{"OfAKindThatRipensAUserHasOneTicket", issueSingle},
		{"AnExpiredTicketIsReplacedInTheSameCommit", issueReplaces},
		{"FindInvitationFindsTheNewestOfTheAddress", findInvitation},
		{"InvitationsAreFoundByteByByte", invitationsExact},
		{"ListTicketsShowsWhatHasNotExpiredNewestFirst", listTickets},
		{"WithdrawTicketsTakesThoseOfTheKindAlone", withdrawTickets},
		{"RipeTicketsAreThoseThatServeNow", ripeTickets},
		{"SweepRemovesTicketsPastTheirEnd", sweepTickets},
		{"ANewPasswordTakesTheTicketsButThatOfADeletion", setPasswordDropsTickets},
		{"DeleteUserTakesTheTickets", deleteUserTakesTickets},
	}
}

// ticketKinds are all kinds of ticket.
var ticketKinds = []storage.TicketKind{
	storage.TicketSetup, storage.TicketSignUp, storage.TicketInvitation, storage.TicketReset, storage.TicketEmail,
	storage.TicketRecovery, storage.TicketDeletion,
}

// bareTicket is a ticket of the user, or with user 0 nobody's.
func bareTicket(n int, kind storage.TicketKind, user int) storage.Ticket {
	t := storage.Ticket{ID: id(n), Kind: kind}
	if user != 0 {
		t.UserID = id(user)
	}
	return t
}

// ticketTo is nobody's ticket to an address.
func ticketTo(n int, kind storage.TicketKind, login string) storage.Ticket {
	t := bareTicket(n, kind, 0)
	t.Email, t.Login = login, login
	return t
}

func fullTicket(n int) storage.Ticket {
	return storage.Ticket{
		ID: id(n), Kind: storage.TicketEmail, UserID: id(1), Email: "Ada.O'Neil+%_@Example.org ", Login: "ada.o'neil+%_@example.org",
		Data: map[string]string{"request": "A & <b>", "": " ", "ключ": "🔑"}, Seen: storage.Seen{Address: "192.0.2.1", Agent: "Agent/1.0 (é)"},
	}
}

// issue stores tickets that serve from now on for an hour.
func (s *subject) issue(t *testing.T, tickets ...storage.Ticket) {
	t.Helper()
	for _, k := range tickets {
		_, err := s.IssueTicket(t.Context(), k, 0, time.Hour, storage.Also{})
		ok(t, err)
	}
}

// tickets are those of the given that are there.
func (s *subject) tickets(t *testing.T, of ...int) (there []int) {
	t.Helper()
	for _, n := range of {
		_, _, err := s.FindTicket(t.Context(), id(n))
		if err == nil {
			there = append(there, n)
			continue
		}
		fails(t, err, storage.ErrNotFound)
	}
	return there
}

func issueKeepsFields(t *testing.T, s *subject) {
	s.user(t, 1)
	wholeRecord(t, fullTicket(20), "CreatedAt", "RipeAt", "ExpiresAt")
	for i, k := range []storage.Ticket{fullTicket(20), bareTicket(21, storage.TicketReset, 0)} {
		wait := time.Duration(i) * (72*time.Hour + time.Microsecond)
		given := k
		given.CreatedAt, given.RipeAt, given.ExpiresAt = start.Add(-time.Hour), start.Add(-time.Hour), start.Add(99*time.Hour) // the store's to say
		issued, err := s.IssueTicket(t.Context(), given, wait, 30*time.Minute+time.Microsecond, storage.Also{})
		ok(t, err)
		k.CreatedAt, k.RipeAt, k.ExpiresAt = s.clock.Now(), s.clock.Now().Add(wait), s.clock.Now().Add(wait+30*time.Minute+time.Microsecond)
		same(t, k, issued)
		for _, at := range []time.Duration{0, 100 * time.Hour} { // unripe, and expired
			s.clock.Advance(at)
			found, now, err := s.FindTicket(t.Context(), k.ID)
			ok(t, err)
			same(t, k, found)
			same(t, s.clock.Now(), now)
		}
	}
	_, _, err := s.FindTicket(t.Context(), id(22))
	fails(t, err, storage.ErrNotFound)
}

func issueTaken(t *testing.T, s *subject) {
	s.user(t, 1)
	first := fullTicket(20)
	s.issue(t, first)
	for _, kind := range ticketKinds {
		_, err := s.IssueTicket(t.Context(), bareTicket(20, kind, 1), 0, time.Hour, storage.Also{})
		fails(t, err, storage.ErrTaken)
	}
	found, _, err := s.FindTicket(t.Context(), id(20))
	ok(t, err)
	first.CreatedAt, first.RipeAt, first.ExpiresAt = start, start, start.Add(time.Hour)
	same(t, first, found)
}

func issueNotFound(t *testing.T, s *subject) {
	s.user(t, 1)
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	for n, kind := range ticketKinds {
		_, err := s.IssueTicket(t.Context(), bareTicket(20+n, kind, 1), 0, time.Hour, storage.Also{})
		fails(t, err, storage.ErrNotFound)
		same(t, []int(nil), s.tickets(t, 20+n))
		s.issue(t, bareTicket(20+n, kind, 0))
	}
}

func issueSingle(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	for n, kind := range ticketKinds {
		issue := func(n, user int) error {
			_, err := s.IssueTicket(t.Context(), bareTicket(n, kind, user), time.Hour, time.Hour, storage.Also{})
			return err
		}
		n = 20 + 10*n
		ok(t, issue(n, 1))
		ok(t, issue(n+1, 2))
		var want error
		if kind.Single() {
			want = storage.ErrTaken
		}
		if err := issue(n+2, 1); !is(err, want) {
			t.Fatalf("a second one to %s: %v, want %v", kind, err, want)
		}
		s.clock.Advance(2*time.Hour - time.Microsecond)
		if err := issue(n+3, 1); !is(err, want) {
			t.Fatalf("a second one to %s while the first serves: %v, want %v", kind, err, want)
		}
		s.clock.Advance(time.Microsecond)
		ok(t, issue(n+4, 1))
		left := []int{n, n + 1, n + 2, n + 3, n + 4}
		if kind.Single() {
			left = []int{n + 1, n + 4} // another's is not touched, although it has expired too
		}
		same(t, left, s.tickets(t, n, n+1, n+2, n+3, n+4))
	}
}

func issueReplaces(t *testing.T, s *subject) {
	s.user(t, 1)
	s.issue(t, bareTicket(20, storage.TicketDeletion, 1), bareTicket(21, storage.TicketRecovery, 1))
	s.clock.Advance(time.Hour)
	_, err := s.IssueTicket(t.Context(), bareTicket(21, storage.TicketDeletion, 1), 0, time.Hour, storage.Also{})
	fails(t, err, storage.ErrTaken)
	same(t, []int{20, 21}, s.tickets(t, 20, 21))
	s.issue(t, bareTicket(20, storage.TicketDeletion, 1)) // even under the old ID
	same(t, []int{20, 21}, s.tickets(t, 20, 21))
}

func withdrawTickets(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.issue(t, bareTicket(20, storage.TicketReset, 1), bareTicket(21, storage.TicketReset, 1), bareTicket(22, storage.TicketReset, 2),
		bareTicket(23, storage.TicketEmail, 1), bareTicket(24, storage.TicketReset, 0), bareTicket(25, storage.TicketRecovery, 1))
	s.clock.Advance(time.Hour) // all have expired, and go all the same
	also := storage.Also{Events: []storage.Event{{Kind: "a"}}, Letters: []storage.Letter{{Kind: "a"}}}
	for _, c := range []struct {
		user storage.ID
		kind storage.TicketKind
		want int
	}{
		{id(3), storage.TicketReset, 0},
		{storage.ID{}, storage.TicketReset, 0},
		{id(1), storage.TicketDeletion, 0},
		{id(1), storage.TicketReset, 2},
		{id(1), storage.TicketReset, 0},
		{id(1), storage.TicketRecovery, 1},
	} {
		before := len(s.events(t, storage.EventFilter{}))
		n, err := s.WithdrawTickets(ctx, c.user, c.kind, also)
		ok(t, err)
		events := len(s.events(t, storage.EventFilter{})) - before
		if letters := len(s.claim(t, 10, time.Minute)); n != c.want || events != min(n, 1) || letters != events {
			t.Fatalf("%d tickets, %d events and %d letters, want %d and of these one each, if any: %+v", n, events, letters, c.want, c)
		}
	}
	same(t, []int{22, 23, 24}, s.tickets(t, 20, 21, 22, 23, 24, 25))
}

func sweepTickets(t *testing.T, s *subject) {
	s.user(t, 1)
	s.issue(t, bareTicket(20, storage.TicketReset, 1), bareTicket(21, storage.TicketSetup, 0), bareTicket(22, storage.TicketDeletion, 1))
	_, err := s.IssueTicket(t.Context(), bareTicket(23, storage.TicketRecovery, 1), time.Microsecond, time.Hour, storage.Also{})
	ok(t, err)
	s.clock.Advance(time.Hour + time.Minute)
	s.sweeps(t, 0, 10, time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	s.sweeps(t, 2, 2, time.Minute, 0)
	s.sweeps(t, 1, 2, time.Minute, 0)
	s.sweeps(t, 0, 2, time.Minute, 0)
	same(t, []int{23}, s.tickets(t, 20, 21, 22, 23))
}

// everyTicket gives users 1 and 2 one ticket of every kind each: 20 … 26, and 30 … 36.
func (s *subject) everyTicket(t *testing.T) {
	t.Helper()
	for n, kind := range ticketKinds {
		s.issue(t, bareTicket(20+n, kind, 1), bareTicket(30+n, kind, 2))
	}
}

func setPasswordDropsTickets(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.everyTicket(t)
	fails(t, s.SetPassword(t.Context(), id(1), 99, "new", storage.Also{}), storage.ErrMoved)
	same(t, []int{20, 21, 22, 23, 24, 25, 26}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
	ok(t, s.SetPassword(t.Context(), id(1), 1, "new", storage.Also{}))
	same(t, []int{26}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
	same(t, []int{30, 31, 32, 33, 34, 35, 36}, s.tickets(t, 30, 31, 32, 33, 34, 35, 36))
}

func deleteUserTakesTickets(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.everyTicket(t)
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	same(t, []int(nil), s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
	same(t, []int{30, 31, 32, 33, 34, 35, 36}, s.tickets(t, 30, 31, 32, 33, 34, 35, 36))
}
