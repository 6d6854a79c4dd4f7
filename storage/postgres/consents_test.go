package postgres_test

import (
	"context"
	"testing"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
)

// What selects nobody must not select everybody, whichever part of the selection is missing.
func TestWhoNamesNobodyTakesNothingFromAnybody(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, postgres.Options{URL: migrated(t)})
	p := personIn(t, s, 1)
	code := p.code(p.sessions[0])
	must(t, s.CreateGrant(ctx, code, p.in(p.sessions[0]), storage.Also{}))
	for _, of := range []storage.GrantsOf{{UserID: p.id}, {ClientID: p.client}, {}, {UserID: p.id, ClientID: "a\x00"}, {UserID: newID(), ClientID: p.client}} {
		if n, err := s.WithdrawConsent(ctx, of.UserID, of.ClientID, storage.Also{}); n != 0 || err != nil {
			t.Errorf("WithdrawConsent of %+v: %d, %v", of, n, err)
		}
	}
	for _, of := range []storage.SessionsOf{{}, {Except: newID()}, {ID: p.sessions[0].ID, UserID: newID()}, {UserID: p.id, Except: p.sessions[0].ID}} {
		if ended, err := s.EndSessions(ctx, of, storage.ReasonUser, storage.Also{}); len(ended) != 0 || (err == nil) == (of.ID.IsZero() && of.UserID.IsZero()) {
			t.Errorf("EndSessions of %+v: %d, %v", of, len(ended), err)
		}
	}
	if got := state(t, s, code.ID); got != storage.Pending {
		t.Errorf("the grant is %s", got)
	}
}
