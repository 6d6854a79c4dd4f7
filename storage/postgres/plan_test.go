package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
)

// What a verb costs must not grow with the number of grants: with the plan for known values (the first five calls of a
// session) and with the general one (the later calls).
func TestNoVerbReadsAllGrants(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	conn := session(t, url)
	run(t, conn, `INSERT INTO grants (id, client_id, user_id, scope, audience, acr, amr, nonce, state, revision, generation, fork,
			parent_fork, key_id, retired, seen, secret_hash, expires_at, created_at, sender, revoked_reason)
		SELECT gen_random_uuid(), 'client' || i % 50, gen_random_uuid(), '{}', '{}', '', '{}', '', 'active', 1, 1, 0,
			0, 1, '{}', '{}', '', now() + interval '1 day', now(), '', '' FROM generate_series(1, 20000) AS i`)
	run(t, conn, "ANALYZE")
	s := open(t, postgres.Options{URL: url, MaxConns: 1})
	ids := grantsIn(t, s, 20)
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 12
	for r := range int64(rounds) {
		for id, answer := range rotateAllFrom(s, ids, r+1) {
			must(id, <-answer)
		}
		must(s.FindGrant(ctx, ids[0]))
		must(s.RevokeGrants(ctx, storage.GrantsOf{UserID: storage.ID(uuid.New())}, storage.Revocation{Reason: storage.ReasonUser}))
		must(s.RevokeGrants(ctx, storage.GrantsOf{ClientID: "nobody"}, storage.Revocation{Reason: storage.ReasonClient}))
		page, _, err := s.ListGrants(ctx, storage.GrantsOf{UserID: storage.ID(uuid.New())}, storage.ID{}, 10)
		must(page, err)
		must(s.SweepExpired(ctx, 10, time.Hour, time.Hour))
		must(s.DropGrants(ctx, []storage.GrantAge{{ID: ids[1], Revision: 99}}))
		walked, _, err := s.WalkGrants(ctx, ids[0], 10)
		must(walked, err)
	}
	_ = s.Close()
	var whole, byIndex int
	for deadline := time.Now().Add(30 * time.Second); byIndex < rounds*len(ids) && time.Now().Before(deadline); {
		// Making an index has read the table once.
		if err := conn.QueryRow(ctx, `SELECT seq_scan - (SELECT count(*) FROM pg_index WHERE indrelid = relid), idx_scan
			FROM pg_stat_user_tables WHERE relname = 'grants'`).Scan(&whole, &byIndex); err != nil {
			t.Fatal(err)
		}
	}
	if whole > 0 || byIndex == 0 {
		t.Errorf("the whole table was read %d times, by index %d times", whole, byIndex)
	}
}
