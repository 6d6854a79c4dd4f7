package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/signet-idp/signet/storage"
)

// grantFields are the columns that redeeming writes anew: all but id. grantArgs has their order.
const grantFields = `client_id, user_id, session_id, scope, audience, acr, amr, auth_time, nonce, state, revision, pending,
	generation, fork, parent_fork, key_id, issued_at, retired, shared_at, seen, secret_hash, expires_at, sender, revoked_at,
	revoked_reason, created_at, offline, claims, code_hash, user_code`

const grantParams = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
	$24, $25, $26, $27, $28, $29, $30`

const (
	insertGrant = `INSERT INTO grants (` + grantFields + `, id) VALUES (` + grantParams + `, $31)`

	redeemGrant = `UPDATE grants SET (` + grantFields + `) = (` + grantParams + `)
		WHERE id = $31 AND state = 'pending' AND revision = $32`

	// One statement, and so one snapshot: the grant that is chosen in the middle, with what decides about it.
	selectStanding = `SELECT g.*, u.id IS NOT NULL, u.disabled_at IS NOT NULL, coalesce(u.username, ''),
			c.id IS NOT NULL, c.disabled_at IS NOT NULL, coalesce(c.revision, 0),
			(SELECT json_group_array(serial) FROM denied_tokens WHERE grant_id = g.id)
		FROM (SELECT ` + grantFields + `, id FROM grants WHERE `
	withStanding = `) g
		LEFT JOIN users u ON u.id = g.user_id
		LEFT JOIN clients c ON c.id = g.client_id`

	rotateGrant = `UPDATE grants SET revision = revision + 1, generation = $3, fork = $4, parent_fork = $5, key_id = $6,
			issued_at = $7, retired = $8, shared_at = $9, seen = $10
		WHERE id = $1 AND revision = $2 AND state = 'active'`

	revoke = `UPDATE grants SET state = 'revoked', revision = revision + 1, pending = NULL, user_code = NULL, revoked_at = $1,
			revoked_reason = $2
		WHERE state <> 'revoked' AND `
	revokeOne = revoke + `id = $3 AND ($4 = 0 OR revision = $4)`
)

// CreateGrant implements storage.Grants.
func (s *Store) CreateGrant(ctx context.Context, g storage.Grant, spend storage.Spend, also storage.Also) error {
	return s.write(ctx, "create grant", func(t *tx) error {
		if g.CreatedAt.IsZero() {
			g.CreatedAt = t.now
		}
		args := append(grantArgs(g, 1), g.ID[:])
		if _, err := t.exec(insertGrant, args...); err != nil {
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

// FindGrant implements storage.Grants.
func (s *Store) FindGrant(ctx context.Context, id storage.ID) (storage.Standing, error) {
	return s.findStanding(ctx, "find grant", selectStanding+`id = $1`+withStanding, id[:])
}

func (s *Store) findStanding(ctx context.Context, what, query string, arg any) (storage.Standing, error) {
	standing, now, err := read(ctx, s, what, func(c *session) (st storage.Standing, err error) {
		err = c.scan(query, []any{arg}, append(intoGrant(&st.Grant),
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

// RevokeGrants implements storage.Grants. A selection of nothing is the caller's fault.
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
	where, args, err := grantsOf(of, micros(t.now), string(reason))
	if err != nil {
		return 0, err
	}
	n, err := t.exec(revoke+where, args...)
	return int(n), err
}

// spend checks what an act relies on and uses it up.
func (t *tx) spend(p storage.Spend) error {
	if !p.UserID.IsZero() {
		err := t.stands(`SELECT 1 FROM users WHERE id = $1 AND revision = $2 AND disabled_at IS NULL`, p.UserID[:], p.UserRevision)
		if err != nil {
			return err
		}
	}
	if !p.SessionID.IsZero() {
		err := t.stands(`SELECT 1 FROM sessions WHERE id = $1 AND revision = $2`, p.SessionID[:], p.SessionRevision)
		if err != nil {
			return err
		}
	}
	if !p.FactorID.IsZero() {
		err := t.hit(storage.ErrSpent, `UPDATE totp SET last_step = $3
			WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL AND last_step < $3`, p.FactorID[:], p.UserID[:], p.Step)
		if err != nil {
			return err
		}
	}
	if !p.RecoveryCode.IsZero() {
		err := t.hit(storage.ErrSpent, `DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2`,
			p.UserID[:], p.RecoveryCode[:])
		if err != nil {
			return err
		}
	}
	if err := t.spendPasskey(p); err != nil {
		return err
	}
	if p.Pushed.IsZero() {
		return nil
	}
	return t.hit(storage.ErrSpent, `DELETE FROM pushed_requests WHERE digest = $1`, p.Pushed[:])
}

// stands is ErrMoved where query finds no row.
func (t *tx) stands(query string, args ...any) error {
	var one int
	err := t.scan(query, args, &one)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.ErrMoved
	}
	return err
}

// grantArgs are the values of grantFields. Its user code belongs to a grant while it is pending.
func grantArgs(g storage.Grant, revision int64) []any {
	var claims, userCode any
	if g.Claims != nil {
		claims = record{g.Claims}
	}
	if g.State == storage.Pending {
		userCode = optionalDigest(g.UserCode)
	}
	return []any{
		g.ClientID, g.UserID[:], optional(g.SessionID),
		record{g.Scope},
		record{g.Audience},
		g.ACR,
		record{g.AMR},
		micros(g.AuthTime), g.Nonce, string(g.State), revision, waiting(g.Pending), int64(g.Generation), int64(g.Fork), int64(g.ParentFork),
		int64(g.KeyID), micros(g.IssuedAt), timesText(g.Retired), micros(g.SharedAt),
		record{g.Seen},
		g.SecretHash[:],
		micros(g.ExpiresAt), g.Sender, micros(g.RevokedAt), string(g.RevokedReason), micros(g.CreatedAt),
		g.Offline, claims, optionalDigest(g.CodeHash), userCode,
	}
}
