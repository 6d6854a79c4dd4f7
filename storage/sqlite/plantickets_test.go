package sqlite

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestNoVerbOfTicketsReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	id, issued := grantID(1), 100
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	issue := func(kind storage.TicketKind) storage.ID {
		t.Helper()
		issued++
		k := storage.Ticket{ID: grantID(issued), Kind: kind, UserID: id, Login: "a"}
		_, err := s.IssueTicket(ctx, k, 0, time.Hour, storage.Also{})
		must(err)
		return k.ID
	}
	must(s.CreateUser(ctx, storage.User{ID: id}, "", storage.Also{}))
	must(s.ChangeEmail(ctx, issue(storage.TicketEmail), storage.User{ID: id, Revision: 1}, storage.Also{}))
	must(s.RecoverFactors(ctx, issue(storage.TicketRecovery), 2, storage.Also{}))
	must(s.ResetPassword(ctx, issue(storage.TicketReset), "new", storage.Spend{UserID: id, UserRevision: 3}, storage.Also{}))
	invitation := issue(storage.TicketInvitation)
	_, _, err := s.FindTicket(ctx, invitation)
	must(err)
	_, _, err = s.FindInvitation(ctx, "a")
	must(err)
	_, _, err = s.ListTickets(ctx, id)
	must(err)
	must(s.Join(ctx, invitation, storage.User{ID: grantID(2)}, "", storage.Also{}))
	_, err = s.RipeTickets(ctx, storage.TicketDeletion, 1)
	must(err)
	_, err = s.WithdrawTickets(ctx, id, storage.TicketRecovery, storage.Also{})
	must(err)
	must(s.EraseUser(ctx, issue(storage.TicketDeletion), storage.Also{}))
	_, err = s.SweepExpired(ctx, 1, 0, time.Hour)
	must(err)
	queries := prepared(t, s)
	noScan(t, s, queries)
	if len(queries) < 30 {
		t.Errorf("%d statements were looked at, want all of the verbs'", len(queries))
	}
}
