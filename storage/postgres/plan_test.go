package postgres_test

import (
	"context"
	"errors"
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
	run(t, conn, `INSERT INTO users (id, revision, username, email, email_verified, phone, phone_verified, profile, admin, password_hash,
			created_at, updated_at)
		SELECT gen_random_uuid(), 1, '', '', false, '', false, '{}', false, '', now(), now() FROM generate_series(1, 10000)`)
	run(t, conn, `INSERT INTO sessions (id, digest, user_id, revision, acr, amr, created_at, used_at, expires_at, seen)
		SELECT gen_random_uuid(), uuid_send(gen_random_uuid()), id, 1, '', '{}', now(), now(), now() + interval '1 day', '{}'
		FROM users, generate_series(1, 2)`)
	run(t, conn, `INSERT INTO grants (id, client_id, user_id, session_id, scope, audience, acr, amr, nonce, state, revision, generation,
			fork, parent_fork, key_id, retired, seen, secret_hash, expires_at, created_at, sender, revoked_reason)
		SELECT gen_random_uuid(), 'client' || i % 50, gen_random_uuid(), gen_random_uuid(), '{}', '{}', '', '{}', '', 'active', 1, 1,
			0, 0, 1, '{}', '{}', '', now() + interval '1 day', now(), '', '' FROM generate_series(1, 20000) AS i`)
	run(t, conn, "ANALYZE")
	s := open(t, postgres.Options{URL: url, MaxConns: 1})
	ids := grantsIn(t, s, 20)
	did := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 12
	people := make([]*person, rounds)
	for i := range people {
		people[i] = personIn(t, s, 2)
	}
	for r := range int64(rounds) {
		for id, answer := range rotateAllFrom(s, ids, r+1) {
			did(id, <-answer)
		}
		did(s.FindGrant(ctx, ids[0]))
		did(s.RevokeGrants(ctx, storage.GrantsOf{UserID: storage.ID(uuid.New())}, storage.Revocation{Reason: storage.ReasonUser}))
		did(s.RevokeGrants(ctx, storage.GrantsOf{ClientID: "nobody"}, storage.Revocation{Reason: storage.ReasonClient}))
		page, _, err := s.ListGrants(ctx, storage.GrantsOf{UserID: storage.ID(uuid.New())}, storage.ID{}, 10)
		did(page, err)
		did(s.SweepExpired(ctx, 10, time.Hour, time.Hour))
		did(s.DropGrants(ctx, []storage.GrantAge{{ID: ids[1], Revision: 99}}))
		did(s.RevokeGrants(ctx, storage.GrantsOf{SessionID: newID()}, storage.Revocation{Reason: storage.ReasonUser}))
		p := people[r]
		in := p.sessions[0]
		found, _, err := s.FindSessions(ctx, []storage.Digest{in.Digest, digestOf(newID())})
		did(found, err)
		listed, _, err := s.ListSessions(ctx, p.id)
		did(listed, err)
		did(nil, s.CreateGrant(ctx, p.code(in), p.in(in), storage.Also{}))
		did(nil, s.ChangeSession(ctx, in, p.in(in), storage.Also{}))
		did(nil, s.TouchSession(ctx, in.ID, storage.Seen{}))
		did(nil, p.end(storage.SessionsOf{ID: p.sessions[1].ID}))
		did(nil, p.start())
		did(nil, p.end(storage.SessionsOf{UserID: p.id, Except: in.ID}))
		did(nil, p.endAll())
		did(s.WithdrawConsent(ctx, p.id, p.client, storage.Also{}))
		if _, err := s.FindUserCode(ctx, digestOf(newID())); !errors.Is(err, storage.ErrNotFound) {
			t.Fatal(err)
		}
		walked, _, err := s.WalkGrants(ctx, ids[0], 10)
		did(walked, err)
	}
	_ = s.Close()
	for table, reads := range map[string]int{"grants": rounds * len(ids), "sessions": 10 * rounds} {
		var whole, byIndex int
		for deadline := time.Now().Add(30 * time.Second); byIndex < reads && time.Now().Before(deadline); {
			// Making an index has read the table once.
			must(t, conn.QueryRow(ctx, `SELECT seq_scan - (SELECT count(*) FROM pg_index WHERE indrelid = relid), idx_scan
				FROM pg_stat_user_tables WHERE relname = $1`, table).Scan(&whole, &byIndex))
		}
		if whole > 0 || byIndex < reads {
			t.Errorf("all %s were read %d times, some by index %d times", table, whole, byIndex)
		}
	}
}
