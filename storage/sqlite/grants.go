package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signet-idp/signet/storage"
)

// grantFields are the columns that redeeming writes anew: all but id. grantArgs has their order.
const grantFields = `client_id, user_id, session_id, scope, audience, acr, amr, auth_time, nonce, state, revision, pending,
	generation, fork, parent_fork, key_id, issued_at, retired, shared_at, seen, secret_hash, expires_at, sender, revoked_at,
	revoked_reason, created_at`

const grantParams = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
	$24, $25, $26`

const (
	insertGrant = `INSERT INTO grants (` + grantFields + `, id) VALUES (` + grantParams + `, $27)
		ON CONFLICT (id) DO NOTHING`

	redeemGrant = `UPDATE grants SET (` + grantFields + `) = (` + grantParams + `)
		WHERE id = $27 AND state = 'pending' AND revision = $28`

	selectStanding = `SELECT g.*, u.id IS NOT NULL, u.disabled_at IS NOT NULL, coalesce(u.username, ''),
			c.id IS NOT NULL, c.disabled_at IS NOT NULL, coalesce(c.revision, 0),
			(SELECT json_group_array(serial) FROM denied_tokens WHERE grant_id = g.id)
		FROM (SELECT ` + grantFields + `, id FROM grants WHERE id = $1) g
		LEFT JOIN users u ON u.id = g.user_id
		LEFT JOIN clients c ON c.id = g.client_id`

	rotateGrant = `UPDATE grants SET revision = revision + 1, generation = $3, fork = $4, parent_fork = $5, key_id = $6,
			issued_at = $7, retired = $8, shared_at = $9, seen = $10
		WHERE id = $1 AND revision = $2 AND state = 'active'`

	revoke = `UPDATE grants SET state = 'revoked', revision = revision + 1, pending = NULL, revoked_at = $1, revoked_reason = $2
		WHERE state <> 'revoked' AND `
	revokeOne          = revoke + `id = $3 AND ($4 = 0 OR revision = $4)`
	revokeOfUser       = revoke + `user_id = $3 AND id <> $4`
	revokeOfClient     = revoke + `client_id = $3 AND id <> $4`
	revokeOfUserClient = revoke + `user_id = $3 AND id <> $4 AND client_id = $5`
)

// CreateGrant implements storage.Grants. A zero CreatedAt is stamped. ErrTaken: the ID exists.
func (s *Store) CreateGrant(ctx context.Context, g storage.Grant, spend storage.Spend, also storage.Also) error {
	return s.write(ctx, "create grant", func(t *tx) error {
		if g.CreatedAt.IsZero() {
			g.CreatedAt = t.now
		}
		args := append(grantArgs(g, 1), g.ID[:])
		if err := t.hit(storage.ErrTaken, insertGrant, args...); err != nil {
			return err
		}
		if err := t.spend(spend); err != nil {
			return err
		}
		return t.also(also)
	})
}

// RedeemGrant implements storage.Grants.
func (s *Store) RedeemGrant(ctx context.Context, r storage.Redemption) error {
	return s.write(ctx, "redeem grant", func(t *tx) error {
		args := append(grantArgs(r.Grant, r.Revision+1), r.Grant.ID[:], r.Revision)
		if err := t.hit(storage.ErrMoved, redeemGrant, args...); err != nil {
			return err
		}
		if err := t.spend(r.Spend); err != nil {
			return err
		}
		return t.also(r.Also)
	})
}

// FindGrant implements storage.Grants: one statement, and so one snapshot.
func (s *Store) FindGrant(ctx context.Context, id storage.ID) (storage.Standing, error) {
	standing, now, err := read(ctx, s, "find grant", func(c *session) (st storage.Standing, err error) {
		err = c.scan(selectStanding, []any{id[:]}, append(intoGrant(&st.Grant),
			&st.User.Exists, &st.User.Disabled, &st.User.Username, &st.Client.Exists, &st.Client.Disabled, &st.Client.Revision,
			intoRecord(&st.Denied))...)
		return st, err
	})
	if err != nil {
		return storage.Standing{}, err
	}
	standing.Now = now
	return standing, nil
}

// RotateGrant implements storage.Grants. It is the busiest write: its columns are encoded before it queues.
func (s *Store) RotateGrant(ctx context.Context, step storage.Step) error {
	seen, err := json.Marshal(step.Seen)
	if err != nil {
		return fmt.Errorf("rotate grant: %w: %w", errFault, err)
	}
	args := []any{
		step.ID[:], step.Revision, int64(step.Generation), int64(step.Fork), int64(step.ParentFork), int64(step.KeyID),
		micros(step.IssuedAt), timesText(step.Retired), micros(step.SharedAt), string(seen),
	}
	return s.write(ctx, "rotate grant", func(t *tx) error {
		if err := t.hit(storage.ErrMoved, rotateGrant, args...); err != nil {
			return err
		}
		return t.also(step.Also)
	})
}

// RevokeGrant implements storage.Grants. That the grant is revoked already outranks that its revision has moved.
func (s *Store) RevokeGrant(ctx context.Context, r storage.Revocation) (first bool, err error) {
	return writeFor(ctx, s, "revoke grant", func(t *tx) (bool, error) {
		n, err := t.exec(revokeOne, micros(t.now), string(r.Reason), r.ID[:], r.Revision)
		if err != nil {
			return false, err
		}
		if n == 1 {
			return true, t.also(r.Also)
		}
		var state storage.State
		if err := t.scan(`SELECT state FROM grants WHERE id = $1`, []any{r.ID[:]}, &state); err != nil {
			return false, err
		}
		if state != storage.Revoked {
			return false, storage.ErrMoved
		}
		return false, nil
	})
}

// RevokeGrants implements storage.Grants. A selection without user and client is the caller's fault.
func (s *Store) RevokeGrants(ctx context.Context, of storage.GrantsOf, r storage.Revocation) (n int, err error) {
	return writeFor(ctx, s, "revoke grants", func(t *tx) (int, error) {
		n, err := t.revokeGrants(of, r.Reason)
		if err != nil {
			return 0, err
		}
		return n, t.also(r.Also)
	})
}

func (t *tx) revokeGrants(of storage.GrantsOf, reason storage.Reason) (int, error) {
	query, args := "", []any{micros(t.now), string(reason)}
	switch user, client := !of.UserID.IsZero(), of.ClientID != ""; {
	case user && client:
		query, args = revokeOfUserClient, append(args, of.UserID[:], of.Except[:], of.ClientID)
	case user:
		query, args = revokeOfUser, append(args, of.UserID[:], of.Except[:])
	case client:
		query, args = revokeOfClient, append(args, of.ClientID, of.Except[:])
	default:
		return 0, fmt.Errorf("%w: neither user nor client selects the grants to revoke", errFault)
	}
	n, err := t.exec(query, args...)
	return int(n), err
}

// spend checks what a sign-in relies on and uses it up.
func (t *tx) spend(p storage.Spend) error {
	if p == (storage.Spend{}) {
		return nil
	}
	var current bool
	err := t.scan(`SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND revision = $2 AND disabled_at IS NULL)`,
		[]any{p.UserID[:], p.UserRevision}, &current)
	if err != nil {
		return err
	}
	if !current {
		return storage.ErrMoved
	}
	if !p.FactorID.IsZero() {
		err := t.hit(storage.ErrSpent, `UPDATE totp SET last_step = $3
			WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL AND last_step < $3`, p.FactorID[:], p.UserID[:], p.Step)
		if err != nil {
			return err
		}
	}
	if p.RecoveryCode.IsZero() {
		return nil
	}
	return t.hit(storage.ErrSpent, `DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2`,
		p.UserID[:], p.RecoveryCode[:])
}

// grantArgs are the values of grantFields.
func grantArgs(g storage.Grant, revision int64) []any {
	var pending any
	if g.Pending != nil {
		pending = record{g.Pending}
	}
	return []any{
		g.ClientID, g.UserID[:], optional(g.SessionID),
		record{g.Scope},
		record{g.Audience},
		g.ACR,
		record{g.AMR},
		micros(g.AuthTime), g.Nonce, string(g.State), revision, pending, int64(g.Generation), int64(g.Fork), int64(g.ParentFork),
		int64(g.KeyID), micros(g.IssuedAt), timesText(g.Retired), micros(g.SharedAt),
		record{g.Seen},
		g.SecretHash[:],
		micros(g.ExpiresAt), g.Sender, micros(g.RevokedAt), string(g.RevokedReason), micros(g.CreatedAt),
	}
}
