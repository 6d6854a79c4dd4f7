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
	args := []any{limit}
	var where []string
	match := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if !of.UserID.IsZero() {
		match("user_id = $%d", of.UserID[:])
	}
	if of.ClientID != "" {
		match("client_id = $%d", of.ClientID)
	}
	if len(where) == 0 {
		return nil, time.Time{}, fmt.Errorf("list grants: %w: neither user nor client selects them", errFault)
	}
	if !of.Except.IsZero() {
		match("id <> $%d", of.Except[:])
	}
	if !before.IsZero() {
		match("id < $%d", before[:])
	}
	query := `SELECT ` + grantFields + `, id FROM grants WHERE ` + strings.Join(where, ` AND `) + ` ORDER BY id DESC LIMIT $1`
	return read(ctx, s, "list grants", func(c *session) ([]storage.Grant, error) {
		return collect(c, scanGrant, query, args...)
	})
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
		&g.RevokedReason, intoTime(&g.CreatedAt), intoID(&g.ID),
	}
}
