package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// TestNoVerbOfSessionsReadsAWholeTable: what a verb costs must not grow with the number of people. It asks SQLite for the plan of
// every statement that the verbs have prepared.
func TestNoVerbOfSessionsReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	id, secret := grantID(1), storage.NewSecret([]byte("a")).Digest("test")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.CreateUser(ctx, storage.User{ID: id}, "", storage.Also{}))
	must(s.CreateClient(ctx, storage.Client{ID: "c"}, storage.Also{}))
	browser := storage.Session{ID: id, Digest: secret, UserID: id, Revision: 1, ExpiresAt: time.Now()}
	spend := storage.Spend{UserID: id, UserRevision: 1, SessionID: id, SessionRevision: 1, Pushed: secret}
	must(s.StartSession(ctx, browser, 1, storage.Spend{}, storage.Also{}))
	must(s.PushRequest(ctx, storage.PushedRequest{Digest: secret, ClientID: "c", ExpiresAt: time.Now()}))
	must(s.ChangeSession(ctx, browser, spend, storage.Also{}))
	must(s.TouchSession(ctx, id, storage.Seen{}))
	must(s.RememberDevice(ctx, storage.RememberedDevice{ID: id, Digest: secret, UserID: id, ExpiresAt: time.Now()}, 1, storage.Also{}))
	must(s.RememberConsent(ctx, storage.Consent{UserID: id, ClientID: "c"}, storage.Also{}))
	of := storage.GrantsOf{UserID: id, ClientID: "c", SessionID: id}
	for _, act := range []func() error{
		func() error { _, _, err := s.FindSessions(ctx, []storage.Digest{secret}); return err },
		func() error { _, _, err := s.ListSessions(ctx, id); return err },
		func() error { _, _, err := s.FindDevices(ctx, []storage.Digest{secret}); return err },
		func() error { _, err := s.ListDevices(ctx, id); return err },
		func() error { _, err := s.FindConsent(ctx, id, "c"); return err },
		func() error { _, err := s.ListConsents(ctx, id); return err },
		func() error { _, _, err := s.ListGrants(ctx, of, storage.ID{}, 1); return err },
		func() error { _, err := s.ForgetDevices(ctx, id, id, storage.Also{}); return err },
		func() error { _, err := s.WithdrawConsent(ctx, id, "c", storage.Also{}); return err },
		func() error { _, err := s.RevokeGrants(ctx, of, storage.Revocation{}); return err },
		func() error {
			_, err := s.EndSessions(ctx, storage.SessionsOf{UserID: id}, storage.ReasonLogout, storage.Also{})
			return err
		},
		func() error { _, err := s.SweepExpired(ctx, 1, 0, time.Hour); return err },
		func() error { return s.SetPassword(ctx, id, 0, "new", storage.Also{}) },
	} {
		must(act())
	}
	queries := prepared(t, s)
	queries[selectStanding+`user_code = $1`+withStanding] = true
	noScan(t, s, queries)
	if len(queries) < 40 {
		t.Errorf("%d statements were looked at, want all of the verbs'", len(queries))
	}
}

// prepared are the statements that the store's verbs have used.
func prepared(t *testing.T, s *Store) map[string]bool {
	t.Helper()
	queries := map[string]bool{}
	if err := s.write(t.Context(), "collect", func(tx *tx) error {
		for query := range tx.stmts {
			queries[query] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for range maxReaders {
		c := <-s.idle
		defer func() { s.idle <- c }()
		for query := range c.stmts {
			queries[query] = true
		}
	}
	return queries
}

// noScan asserts that none of the queries reads a whole table.
func noScan(t *testing.T, s *Store, queries map[string]bool) {
	t.Helper()
	plain := <-s.idle // the pool has no connection beside those of the readers
	defer func() { s.idle <- plain }()
	for query := range queries {
		for _, step := range planOf(t, plain, query) {
			if strings.HasPrefix(step, "SCAN") && !strings.HasPrefix(step, "SCAN asked") && !strings.HasPrefix(step, "SCAN CONSTANT") {
				t.Errorf("%s\n%s", step, query)
			}
		}
	}
}

// planOf are the steps of a statement; one that is no query has none.
func planOf(t *testing.T, c *session, query string) (steps []string) {
	t.Helper()
	stmt, err := c.prepare(`EXPLAIN QUERY PLAN ` + query)
	if err != nil {
		return nil
	}
	args := make([]any, 0, 40)
	for {
		rows, err := stmt.QueryContext(context.Background(), args...)
		if err != nil {
			if len(args) == cap(args) {
				t.Fatal(err)
			}
			args = append(args, nil)
			continue
		}
		defer rows.Close()
		for rows.Next() {
			var n [3]int
			var detail string
			if err := rows.Scan(&n[0], &n[1], &n[2], &detail); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, detail)
		}
		return steps
	}
}
