package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signet-idp/signet/storage"
)

// ListGrants implements storage.GrantList.
func (s *Store) ListGrants(ctx context.Context, of storage.GrantsOf, before storage.ID, limit int) ([]storage.Grant, time.Time, error) {
	where, args, err := grantsOf(of, limit)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list grants: %w", err)
	}
	if !before.IsZero() {
		args = append(args, before[:])
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	query := `SELECT ` + grantFields + `, id FROM grants WHERE ` + where + ` ORDER BY id DESC LIMIT $1`
	return read(ctx, s, "list grants", func(c *session) ([]storage.Grant, error) {
		return collect(c, scanGrant, query, args...)
	})
}

// grantsOf is what of selects as a condition, and its values behind args. The narrowest column that selects goes by its index; a
// plus keeps the others from theirs, since without statistics SQLite may well prefer all grants of a client to those of a user.
func grantsOf(of storage.GrantsOf, args ...any) (string, []any, error) {
	var where []string
	match := func(column, operator string, arg any) {
		if len(where) > 0 {
			column = `+` + column
		}
		args = append(args, arg)
		where = append(where, fmt.Sprintf(`%s %s $%d`, column, operator, len(args)))
	}
	if !of.SessionID.IsZero() {
		match(`session_id`, `=`, of.SessionID[:])
	}
	if !of.UserID.IsZero() {
		match(`user_id`, `=`, of.UserID[:])
	}
	if of.ClientID != "" {
		match(`client_id`, `=`, of.ClientID)
	}
	if len(where) == 0 {
		return "", nil, fmt.Errorf("%w: neither user nor client nor session selects the grants", errFault)
	}
	if !of.Except.IsZero() {
		match(`id`, `<>`, of.Except[:])
	}
	return strings.Join(where, ` AND `), args, nil
}

func scanGrant(r row) (g storage.Grant, err error) {
	err = r.Scan(intoGrant(&g)...)
	return g, err
}

// intoGrant are the targets of grantFields and id.
func intoGrant(g *storage.Grant) []any {
	return []any{
		&g.ClientID, intoID(&g.UserID), intoID(&g.SessionID), intoRecord(&g.Scope), intoRecord(&g.Audience), &g.ACR,
		intoRecord(&g.AMR), intoTime(&g.AuthTime), &g.Nonce, &g.State, &g.Revision, intoRecord(&g.Pending), &g.Generation,
		&g.Fork, &g.ParentFork, &g.KeyID, intoTime(&g.IssuedAt), intoTimes(&g.Retired), intoTime(&g.SharedAt),
		intoRecord(&g.Seen), intoDigest(&g.SecretHash), intoTime(&g.ExpiresAt), &g.Sender, intoTime(&g.RevokedAt),
		&g.RevokedReason, intoTime(&g.CreatedAt), &g.Offline, intoRecord(&g.Claims), intoDigest(&g.CodeHash),
		intoDigest(&g.UserCode), intoID(&g.ID),
	}
}
