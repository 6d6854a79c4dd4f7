package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
)

// register stores a client that software made, where no more than unused may be there.
func register(s *postgres.Store, id string, unused int) error {
	return s.RegisterClient(context.Background(), storage.Client{ID: id, Origin: storage.OriginSoftware}, storage.Registration{Unused: unused},
		storage.Also{})
}

func clientsIn(t testing.TB, s *postgres.Store) []string {
	t.Helper()
	listed, err := s.ListClients(context.Background(), "", 1000)
	must(t, err)
	var ids []string
	for _, c := range listed {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestNodesThatRegisterTogetherNeverShowMoreThanTheBound(t *testing.T) {
	t.Parallel()
	const most = 10
	url := migrated(t)
	var group sync.WaitGroup
	for node := range 2 {
		s := patient(t, url, nil)
		for worker := range 4 {
			group.Go(func() {
				for n := range 10 {
					if err := register(s, fmt.Sprint(node, worker, n), most); err != nil {
						t.Error(err)
					}
					if there, err := s.ListClients(context.Background(), "", 1000); err != nil || len(there) > most {
						t.Errorf("%d unused clients are there, %v; at most %d may be", len(there), err, most)
					}
				}
			})
		}
	}
	group.Wait()
	if there := clientsIn(t, patient(t, url, nil)); len(there) != most {
		t.Errorf("%d clients are left, want %d", len(there), most)
	}
}

func TestAClientThatIsBeingUsedMakesNoRoom(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s := patient(t, url, nil)
	for _, id := range []string{"used", "redeemed"} {
		must(t, register(s, id, 0))
	}
	g := storage.Grant{
		ID: newID(), ClientID: "redeemed", UserID: newID(), State: storage.Pending, Pending: &storage.Waiting{Kind: storage.WaitingCode},
		ExpiresAt: time.Now().Add(time.Hour),
	}
	must(t, s.CreateGrant(t.Context(), g, storage.Spend{}, storage.Also{}))
	for _, c := range []struct{ newest, use string }{
		{"new1", `UPDATE clients SET used_at = now() WHERE id = 'used'`},
		{"new2", `UPDATE grants SET state = 'active', revision = 2, pending = NULL`},
	} {
		h := holding(t, url, c.use)
		registering := begun(func() error { return register(s, c.newest, 2) })
		h.waiters(t, 1)
		run(t, h.Conn, `COMMIT`)
		must(t, <-registering)
	}
	if got, want := fmt.Sprint(clientsIn(t, s)), "[new1 new2 redeemed used]"; got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
	if got := state(t, s, g.ID); got != storage.Active {
		t.Errorf("the grant is %s", got)
	}
}

func TestACodeOfAClientThatMakesRoomIsNotRedeemed(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s := patient(t, url, nil)
	must(t, register(s, "old", 0))
	g := storage.Grant{
		ID: newID(), ClientID: "old", UserID: newID(), State: storage.Pending, Pending: &storage.Waiting{Kind: storage.WaitingCode},
		ExpiresAt: time.Now().Add(time.Hour),
	}
	must(t, s.CreateGrant(t.Context(), g, storage.Spend{}, storage.Also{}))
	h := holding(t, url, `SELECT FROM grants FOR UPDATE`)
	registering := begun(func() error { return register(s, "new", 1) })
	h.waiters(t, 1)
	g.State, g.Pending = storage.Active, nil
	redeeming := begun(func() error { return s.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: 1}) })
	h.waiters(t, 2)
	h.release(t)
	must(t, <-registering)
	err := <-redeeming
	there := fmt.Sprint(clientsIn(t, s))
	if lost := errors.Is(err, storage.ErrMoved) && there == "[new]"; !lost && (err != nil || there != "[new old]") {
		t.Errorf("redeemed: %v, and there are %s", err, there)
	}
}

func TestWhoeverDeletesAUserWaitsForNobodyInACircle(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := migrated(t)
	s := patient(t, url, nil)
	t.Cleanup(func() { noCircle(t, s, url) })
	owner, user := newID(), newID()
	must(t, s.CreateUser(ctx, storage.User{ID: owner}, "", storage.Also{}))
	must(t, s.CreateUser(ctx, storage.User{ID: user}, "", storage.Also{}))
	for _, id := range []string{"a", "b", "c"} {
		must(t, s.CreateClient(ctx, storage.Client{ID: id, OwnerID: owner}, storage.Also{}))
		must(t, s.RememberConsent(ctx, storage.Consent{UserID: owner, ClientID: id}, storage.Also{}))
	}

	// It has no consent yet, for which whoever deletes a client would wait.
	h := holding(t, url, `SELECT FROM clients WHERE id = 'b' FOR UPDATE`)
	deleting := begun(func() error { return s.DeleteUser(ctx, owner, storage.Also{}) })
	h.waiters(t, 1)
	must(t, s.DeleteClient(ctx, "c", storage.Also{}))
	h.release(t)
	must(t, <-deleting)

	// Whoever counts has the users before the clients.
	h = holding(t, url, `SELECT FROM clients WHERE id = 'b' FOR UPDATE`)
	counting := begun(func() error {
		return s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "b", Tokens: 1, By: user}, {ClientID: "a", Tokens: 1, By: user}})
	})
	h.waiters(t, 1)
	deleting = begun(func() error { return s.DeleteUser(ctx, user, storage.Also{}) })
	h.waiters(t, 2)
	h.release(t)
	must(t, <-counting)
	must(t, <-deleting)
	for _, id := range []string{"a", "b"} {
		c, _, err := s.FindClient(ctx, id)
		if err != nil || !c.OwnerID.IsZero() || !c.UsedBy.IsZero() || c.UsedAt.IsZero() {
			t.Errorf("client %s is %s's, used at %v by %s, %v", id, c.OwnerID, c.UsedAt, c.UsedBy, err)
		}
	}
}

// Few clients have nearly all grants: a plan that goes by their average would read them all to find those of one that has none.
func TestNoRegistrationReadsAllGrants(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := migrated(t)
	conn := session(t, url)
	run(t, conn, `INSERT INTO grants (id, client_id, user_id, scope, audience, acr, amr, nonce, state, revision, generation,
			fork, parent_fork, key_id, retired, seen, secret_hash, expires_at, created_at, sender, revoked_reason)
		SELECT gen_random_uuid(), 'client' || i % 3, gen_random_uuid(), '{}', '{}', '', '{}', '', 'active', 1, 1,
			0, 0, 1, '{}', '{}', '', now() + interval '1 day', now(), '', '' FROM generate_series(1, 20000) AS i`)
	run(t, conn, `INSERT INTO clients (id, revision, metadata, secrets, created_at, updated_at, origin)
		SELECT 'unused' || i, 1, '{}', '[]', now() - interval '1 day', now(), 'software' FROM generate_series(1, 500) AS i`)
	run(t, conn, "ANALYZE")
	s := open(t, postgres.Options{URL: url, MaxConns: 1})
	const rounds = 20
	for n := range rounds {
		must(t, register(s, fmt.Sprint(n), 450))
		swept, err := s.SweepUnused(ctx, 5, time.Hour)
		if err != nil || swept != 5 {
			t.Fatalf("%d swept, %v", swept, err)
		}
		must(t, s.CountUsage(ctx, []storage.ClientUsage{{ClientID: fmt.Sprint(n), Tokens: 1}}))
	}
	_ = s.Close()
	var whole, byIndex int
	for deadline := time.Now().Add(30 * time.Second); byIndex < rounds && time.Now().Before(deadline); {
		must(t, conn.QueryRow(ctx, `SELECT seq_scan - (SELECT count(*) FROM pg_index WHERE indrelid = relid), idx_scan
			FROM pg_stat_user_tables WHERE relname = 'grants'`).Scan(&whole, &byIndex))
	}
	if whole > 0 || byIndex < rounds {
		t.Errorf("all grants were read %d times, some by index %d times", whole, byIndex)
	}
}
