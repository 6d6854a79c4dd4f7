package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// ListGrants implements storage.GrantList. The text names only the columns that select, so that their indexes are used.
func (s *Store) ListGrants(ctx context.Context, of storage.GrantsOf, before storage.ID, limit int) ([]storage.Grant, time.Time, error) {
	if of.UserID.IsZero() && of.ClientID == "" {
		return nil, time.Time{}, errors.New("postgres: ListGrants selects by user, by client or by both; neither is set")
	}
	if !keepable(of.ClientID) {
		now, err := s.Ping(ctx)
		return nil, now, err
	}
	args := []any{limit}
	var where []string
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
	if !of.Except.IsZero() {
		add("g.id <> $%d", uid(of.Except))
	}
	if !before.IsZero() {
		add("g.id < $%d", uid(before))
	}
	text := `SELECT g.id, g.created_at, ` + grantColumns + ` FROM grants g
		WHERE ` + strings.Join(where, " AND ") + ` ORDER BY g.id DESC LIMIT $1`
	type answer struct {
		grants []storage.Grant
		now    time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		rows, err := c.Query(ctx, text, args...)
		if a.grants, err = rowsOf(rows, err, intoGrant); err != nil {
			return a, err
		}
		for i := range a.grants {
			tidy(&a.grants[i])
		}
		return a, c.QueryRow(ctx, `SELECT `+clockNow, s.now()).Scan(when{&a.now})
	})
	return a.grants, a.now, err
}
