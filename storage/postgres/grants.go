package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// CreateGrant implements storage.Grants.
func (s *Store) CreateGrant(ctx context.Context, g storage.Grant, spend storage.Spend, also storage.Also) error {
	g.Revision = 1
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.pay(b, spend)
		b.Queue(`INSERT INTO grants (`+grantBody+`, id, created_at)
			VALUES (`+grantPlaces+`, $30, coalesce($31::timestamptz, $32::timestamptz, clock_timestamp()))`,
			append(bodyOf(g), uid(g.ID), stamp(g.CreatedAt), s.now())...)
		s.report(b, also)
	})
}

// pay checks and spends what a sign-in relies on. The rows of the user and the session are locked against change until the commit:
// whoever changes a password, disables a user or ends a session changes that row first, and revokes in a later statement, which
// then sees the new grant. All verbs lock in one order: users, tickets, sessions, registration tokens,
// the advisory lock of the unused clients, clients, consents, pushed requests, grants.
func (s *Store) pay(b *pgx.Batch, spend storage.Spend) {
	trust(b, spend)
	if !spend.SessionID.IsZero() {
		b.Queue(`SELECT FROM sessions WHERE id = $1 AND revision = $2 FOR SHARE`, uid(spend.SessionID), spend.SessionRevision).
			Exec(must(storage.ErrMoved))
	}
	if !spend.FactorID.IsZero() {
		b.Queue(`UPDATE totp SET last_step = $3 WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL AND last_step < $3`,
			uid(spend.FactorID), uid(spend.UserID), spend.Step).Exec(must(storage.ErrSpent))
	}
	if !spend.RecoveryCode.IsZero() {
		b.Queue(`DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2`,
			uid(spend.UserID), spend.RecoveryCode[:]).Exec(must(storage.ErrSpent))
	}
	s.payPasskey(b, spend)
	if !spend.Pushed.IsZero() {
		b.Queue(`DELETE FROM pushed_requests WHERE digest = $1`, spend.Pushed[:]).Exec(must(storage.ErrSpent))
	}
}

// trust checks the user of a spend, where it has one.
func trust(b *pgx.Batch, spend storage.Spend) {
	if !spend.UserID.IsZero() {
		b.Queue(`SELECT FROM users WHERE id = $1 AND revision = $2 AND disabled_at IS NULL FOR SHARE`,
			uid(spend.UserID), spend.UserRevision).Exec(must(storage.ErrMoved))
	}
}

// FindGrant implements storage.Grants.
func (s *Store) FindGrant(ctx context.Context, id storage.ID) (storage.Standing, error) {
	return s.grants.do(ctx, storage.ErrUnavailable, id)
}

// The columns of a standing and where they come from, after a row asked of (id, n); $1 is the clock.
const (
	standingColumns = `asked.n, g.id, g.created_at, ` + grantColumns + `,
		u.id IS NOT NULL, u.disabled_at IS NOT NULL, coalesce(u.username, ''),
		c.id IS NOT NULL, c.disabled_at IS NOT NULL, coalesce(c.revision, 0),
		ARRAY(SELECT d.serial FROM denied_tokens d WHERE d.grant_id = g.id ORDER BY d.serial), ` + clockNow
	standingOf = ` JOIN grants g ON g.id = asked.id
		LEFT JOIN users u ON u.id = g.user_id
		LEFT JOIN clients c ON c.id = g.client_id`
)

// intoStanding scans a row of standingColumns.
func intoStanding(row pgx.Row, n *int, st *storage.Standing) error {
	err := row.Scan(append(append([]any{n}, intoGrant(&st.Grant)...),
		&st.User.Exists, &st.User.Disabled, &st.User.Username, &st.Client.Exists, &st.Client.Disabled, &st.Client.Revision,
		&st.Denied, when{&st.Now})...)
	tidy(&st.Grant)
	st.Denied = orNil(st.Denied)
	return err
}

// findGrants reads a batch of grants at one instant. One that is asked for twice is read twice, so that no two callers share
// memory.
func (s *Store) findGrants(ctx context.Context, batch []*call[storage.ID, storage.Standing]) {
	ids := uids(batch, func(c *call[storage.ID, storage.Standing]) storage.ID { return c.query })
	found, err := attempt(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]*storage.Standing, error) {
		rows, err := c.Query(ctx, `SELECT `+standingColumns+`
			FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (id, n)`+standingOf, s.now(), ids)
		if err != nil {
			return nil, err
		}
		found := make([]*storage.Standing, len(batch))
		defer rows.Close()
		for rows.Next() {
			n, standing := 0, &storage.Standing{}
			if err := intoStanding(rows, &n, standing); err != nil {
				return nil, err
			}
			found[n-1] = standing
		}
		return found, rows.Err()
	})
	answer(batch, found, err)
}

// RedeemGrant implements storage.Grants.
func (s *Store) RedeemGrant(ctx context.Context, r storage.Redemption) error {
	g := r.Grant
	g.Revision = r.Revision + 1
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.pay(b, r.Spend)
		b.Queue(`UPDATE grants SET (`+grantBody+`) = (`+grantPlaces+`) WHERE id = $30 AND revision = $31 AND state = 'pending'`,
			append(bodyOf(g), uid(g.ID), r.Revision)...).Exec(must(storage.ErrMoved))
		s.report(b, r.Also)
	})
}

// revoking is how a grant ends; $1 is the clock and $2 the reason.
const revoking = `state = 'revoked', revision = g.revision + 1, pending = NULL, user_code = NULL, revoked_at = ` + clockNow + `, revoked_reason = $2`

// RevokeGrant implements storage.Grants.
func (s *Store) RevokeGrant(ctx context.Context, r storage.Revocation) (bool, error) {
	err := s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT state, revision FROM grants WHERE id = $1 FOR NO KEY UPDATE`, uid(r.ID)).QueryRow(func(row pgx.Row) error {
			var state storage.State
			var revision int64
			switch err := row.Scan(&state, &revision); {
			case err != nil:
				return err
			case state == storage.Revoked:
				return errAlready
			case r.Revision != 0 && r.Revision != revision:
				return storage.ErrMoved
			}
			return nil
		})
		b.Queue(`UPDATE grants g SET `+revoking+` WHERE id = $3 AND state <> 'revoked'`, s.now(), string(r.Reason), uid(r.ID))
		s.report(b, r.Also)
	})
	if errors.Is(err, errAlready) {
		return false, nil
	}
	return err == nil, err
}

// RevokeGrants implements storage.Grants.
func (s *Store) RevokeGrants(ctx context.Context, of storage.GrantsOf, r storage.Revocation) (int, error) {
	if nobody(of) {
		return 0, errors.New("postgres: RevokeGrants selects by user, client or session; none is set")
	}
	if !keepable(of.ClientID) {
		return 0, s.actOnly(ctx, func(b *pgx.Batch) { s.report(b, r.Also) })
	}
	return act(ctx, s, func(b *pgx.Batch, n *int) {
		s.revokeAll(b, of, r.Reason).Exec(changed(n))
		s.report(b, r.Also)
	})
}

// revokeAll locks in the order of the ids, so that two of its kind never wait for each other in a circle.
func (s *Store) revokeAll(b *pgx.Batch, of storage.GrantsOf, reason storage.Reason) *pgx.QueuedQuery {
	where, args := selecting(of, []string{"g.state <> 'revoked'"}, []any{s.now(), string(reason)})
	if nobody(of) {
		where += " AND false" // of nobody: not of everybody
	}
	return b.Queue(revokingThose(where), args...)
}

// revokingThose ends the grants g of which where holds.
func revokingThose(where string) string {
	return `WITH chosen AS MATERIALIZED (SELECT g.id FROM grants g WHERE ` + where + ` ORDER BY g.id FOR NO KEY UPDATE)
		UPDATE grants g SET ` + revoking + ` FROM chosen WHERE g.id = chosen.id AND g.state <> 'revoked'`
}

// nobody reports whether of selects nothing.
func nobody(of storage.GrantsOf) bool {
	return of.UserID.IsZero() && of.ClientID == "" && of.SessionID.IsZero()
}

// selecting adds the conditions of of to where and their values to args. The text names only the columns that select, so that
// their indexes are used.
func selecting(of storage.GrantsOf, where []string, args []any) (string, []any) {
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if !of.UserID.IsZero() {
		add("g.user_id = $%d", uid(of.UserID))
	}
	if of.ClientID != "" {
		add("g.client_id = $%d", of.ClientID)
	}
	if !of.SessionID.IsZero() {
		add("g.session_id = $%d", uid(of.SessionID))
	}
	if !of.Except.IsZero() {
		add("g.id <> $%d", uid(of.Except))
	}
	return strings.Join(where, " AND "), args
}

// answer gives each call of a gathered read its row; one without a row is not found.
func answer[Q, R any](batch []*call[Q, R], found []*R, err error) {
	for i, c := range batch {
		var none R
		switch {
		case err != nil:
			c.finish(none, err)
		case found[i] == nil:
			c.finish(none, storage.ErrNotFound)
		default:
			c.finish(*found[i], nil)
		}
	}
}
