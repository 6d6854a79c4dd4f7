package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// What each redemption does where its ticket serves.

func joinTakesTickets(t *testing.T, s *subject) {
	for i, kind := range []storage.TicketKind{storage.TicketSignUp, storage.TicketInvitation} {
		login, n := []string{"ada@example.org", "eve@example.org"}[i], 20+20*i
		s.issue(t, ticketTo(n, kind, login), ticketTo(n+1, storage.TicketSetup, login), ticketTo(n+2, storage.TicketSignUp, login),
			ticketTo(n+3, storage.TicketInvitation, login), ticketTo(n+4, storage.TicketReset, login), bareTicket(n+5, storage.TicketSetup, 0),
			ticketTo(n+6, storage.TicketSignUp, login+" "), bareTicket(n+7, storage.TicketInvitation, 0))
		full := fullUser(n + 1)
		full.Logins = []string{login}
		given := full
		given.Revision = 42
		s.clock.Advance(time.Minute)
		ok(t, s.Join(t.Context(), id(n), given, "hash", storage.Also{}))
		full.Revision, full.CreatedAt, full.UpdatedAt = 1, s.clock.Now(), s.clock.Now()
		found, err := s.FindLogin(t.Context(), login)
		ok(t, err)
		sameUser(t, full, found.User)
		if found.PasswordHash != "hash" {
			t.Fatalf("hash %q", found.PasswordHash)
		}
		same(t, []int{n + 4, n + 5, n + 6, n + 7}, s.tickets(t, n, n+1, n+2, n+3, n+4, n+5, n+6, n+7))

		other := bareUser(n + 2) // a ticket without an address takes no other with it
		s.issue(t, bareTicket(n+8, storage.TicketInvitation, 0))
		ok(t, s.Join(t.Context(), id(n+7), other, "", storage.Also{}))
		same(t, []int{n + 5, n + 8}, s.tickets(t, n+5, n+7, n+8))
	}
}

func joinTakesSetups(t *testing.T, s *subject) {
	s.issue(t, bareTicket(20, storage.TicketSetup, 0), bareTicket(21, storage.TicketSetup, 0), ticketTo(22, storage.TicketSetup, "a"),
		ticketTo(23, storage.TicketSignUp, "a"), bareTicket(24, storage.TicketInvitation, 0), ticketTo(25, storage.TicketSignUp, "b"),
		ticketTo(26, storage.TicketInvitation, "a"), ticketTo(27, storage.TicketReset, "a"))
	ok(t, s.Join(t.Context(), id(22), bareUser(1), "", storage.Also{}))
	same(t, []int{24, 25, 27}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26, 27))
	s.issue(t, bareTicket(20, storage.TicketSetup, 0), bareTicket(21, storage.TicketSetup, 0))
	ok(t, s.Join(t.Context(), id(21), bareUser(2), "", storage.Also{}))
	same(t, []int{24, 25, 27}, s.tickets(t, 20, 21, 24, 25, 27))
}

func setupNeedsNoAdmin(t *testing.T, s *subject) {
	ctx := t.Context()
	admin := func(n int) storage.User { return storage.User{ID: id(n), Admin: true} }
	s.user(t, 1)
	s.issue(t, bareTicket(20, storage.TicketSetup, 0))
	ok(t, s.Join(ctx, id(20), admin(2), "", storage.Also{}))

	s.issue(t, bareTicket(20, storage.TicketSetup, 0), ticketTo(21, storage.TicketSignUp, "a"))
	fails(t, s.Join(ctx, id(20), admin(3), "", storage.Also{}), storage.ErrSpent)
	disabled := s.signIn(t, id(2)).User
	disabled.DisabledAt = start
	ok(t, s.UpdateUser(ctx, disabled, "", storage.Also{}))
	fails(t, s.Join(ctx, id(20), admin(3), "", storage.Also{}), storage.ErrSpent)
	_, err := s.FindUser(ctx, id(3))
	fails(t, err, storage.ErrNotFound)
	same(t, []int{20, 21}, s.tickets(t, 20, 21))
	ok(t, s.Join(ctx, id(21), bareUser(4), "", storage.Also{})) // the other kinds do not ask
	disabled = s.signIn(t, id(2)).User
	disabled.Admin = false
	ok(t, s.UpdateUser(ctx, disabled, "", storage.Also{}))
	ok(t, s.Join(ctx, id(20), admin(3), "", storage.Also{}))
}

func resetSetsPassword(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"), digest("b"))
	for i, proof := range []func(*storage.Spend){
		func(*storage.Spend) {},
		func(p *storage.Spend) { p.FactorID, p.Step = id(5), 101 },
		func(p *storage.Spend) { p.RecoveryCode = digest("a") },
	} {
		n := 100 * (i + 1)
		s.everyTicket(t)
		spend := s.proof(t, 1)
		proof(&spend)
		s.create(t, bareGrant(n))
		s.session(t, bareSession(n+1, 1))
		device := fullDevice(n+2, 1)
		ok(t, s.RememberDevice(ctx, device, spend.UserRevision, storage.Also{}))
		ok(t, s.ResetPassword(ctx, id(23), "new", spend, storage.Also{}))

		in := s.signIn(t, id(1))
		if in.PasswordHash != "new" || in.User.Revision != spend.UserRevision+1 || in.Factors[0].LastStep != int64(100+min(i, 1)) ||
			in.RecoveryCodes != 2-i/2 {
			t.Fatalf("reset with proof %d: %+v", i, in)
		}
		if g := s.grant(t, id(n)); g.State != storage.Revoked || g.RevokedReason != storage.ReasonPasswordChanged {
			t.Fatalf("a grant is %s", g.State)
		}
		sessions, _, err := s.ListSessions(ctx, id(1))
		ok(t, err)
		devices, err := s.ListDevices(ctx, id(1))
		ok(t, err)
		if len(sessions)+len(devices) != 0 {
			t.Fatalf("%d sessions and %d devices are left", len(sessions), len(devices))
		}
		same(t, []int{26}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
		same(t, []int{30, 31, 32, 33, 34, 35, 36}, s.tickets(t, 30, 31, 32, 33, 34, 35, 36))
		for _, kind := range ticketKinds {
			for user := 1; user <= 2; user++ {
				_, err := s.WithdrawTickets(ctx, id(user), kind, storage.Also{})
				ok(t, err)
			}
		}
	}
	if in := s.signIn(t, id(2)); in.PasswordHash != "hash" || in.User.Revision != 1 {
		t.Fatalf("another user changed: %+v", in)
	}
}

func resetMoved(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.issue(t, bareTicket(20, storage.TicketReset, 1), bareTicket(21, storage.TicketDeletion, 1))
	for _, revision := range []int64{0, 2, -1} {
		spend := storage.Spend{UserID: id(1), UserRevision: revision}
		fails(t, s.ResetPassword(ctx, id(20), "new", spend, storage.Also{}), storage.ErrMoved)
	}
	disabled := s.signIn(t, id(1)).User
	disabled.DisabledAt = start
	ok(t, s.UpdateUser(ctx, disabled, "", storage.Also{}))
	fails(t, s.ResetPassword(ctx, id(20), "new", s.proof(t, 1), storage.Also{}), storage.ErrMoved)
	if in := s.signIn(t, id(1)); in.PasswordHash != "hash" {
		t.Fatal("a reset that failed set the password")
	}
	same(t, []int{20, 21}, s.tickets(t, 20, 21))
}

func changeEmailUpdates(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.everyTicket(t)
	s.issue(t, bareTicket(40, storage.TicketEmail, 1))
	s.create(t, bareGrant(10))
	s.clock.Advance(time.Minute)
	u := fullUser(1)
	u.Revision = 1
	ok(t, s.ChangeEmail(t.Context(), id(24), u, storage.Also{}))
	u.Revision, u.CreatedAt, u.UpdatedAt = 2, start, s.clock.Now()
	in := s.signIn(t, id(1))
	sameUser(t, u, in.User)
	if in.PasswordHash != "hash" || s.grant(t, id(10)).State != storage.Active {
		t.Fatal("another address changed the password or ended a grant")
	}
	same(t, []int{20, 21, 22, 25, 26}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26, 40))
	same(t, []int{30, 31, 32, 33, 34, 35, 36}, s.tickets(t, 30, 31, 32, 33, 34, 35, 36))
}

func recoverRemoves(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	s.factor(t, 2, 6, 100, digest("a"))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(7, 1), storage.Also{}))
	ok(t, s.AddPasskey(ctx, storage.Passkey{ID: id(8), UserID: id(1), CredentialID: []byte("a")}, 2, nil, storage.Also{}))
	now := s.signIn(t, id(1)).User.Revision
	ok(t, s.RememberDevice(ctx, fullDevice(60, 1), now, storage.Also{}))
	s.everyTicket(t)
	s.create(t, bareGrant(10))
	fails(t, s.RecoverFactors(ctx, id(25), now-1, storage.Also{}), storage.ErrMoved)
	ok(t, s.RecoverFactors(ctx, id(25), now, storage.Also{}))
	in := s.signIn(t, id(1))
	if in.HasFactor() || in.RecoveryCodes != 0 || in.User.Revision != now+1 || in.PasswordHash != "hash" {
		t.Fatalf("left: %+v", in)
	}
	_, _, err := s.FindEnrollment(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	devices, err := s.ListDevices(ctx, id(1))
	ok(t, err)
	if len(devices) != 0 || s.grant(t, id(10)).State != storage.Active {
		t.Fatalf("%d devices are remembered, and the grant is %s", len(devices), s.grant(t, id(10)).State)
	}
	same(t, []int{20, 21, 22, 23, 24, 26}, s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
	if in := s.signIn(t, id(2)); len(in.Factors) != 1 || in.RecoveryCodes != 1 {
		t.Fatalf("another user's factors went: %+v", in)
	}
}

func eraseTakesAll(t *testing.T, s *subject) {
	ctx := t.Context()
	for n := 1; n <= 2; n++ {
		s.user(t, n)
		s.factor(t, n, 4+n, 100, digest("a"))
		g := bareGrant(10 * n)
		g.UserID = id(n)
		s.create(t, g)
		s.session(t, bareSession(100*n, n))
	}
	login := s.signIn(t, id(1)).User.Logins[0]
	s.everyTicket(t)
	ok(t, s.EraseUser(ctx, id(26), storage.Also{}))
	_, err := s.FindUser(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	_, err = s.FindLogin(ctx, login)
	fails(t, err, storage.ErrNotFound)
	s.absent(t, 10)
	sessions, _, err := s.ListSessions(ctx, id(1))
	ok(t, err)
	same(t, 0, len(sessions))
	same(t, []int(nil), s.tickets(t, 20, 21, 22, 23, 24, 25, 26))
	same(t, []int{30, 31, 32, 33, 34, 35, 36}, s.tickets(t, 30, 31, 32, 33, 34, 35, 36))
	if in := s.signIn(t, id(2)); !in.HasFactor() || s.grant(t, id(20)).State != storage.Active {
		t.Fatalf("another user lost something: %+v", in)
	}
}
