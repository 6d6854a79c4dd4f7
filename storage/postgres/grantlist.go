package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// ListGrants implements storage.GrantList.
func (s *Store) ListGrants(ctx context.Context, of storage.GrantsOf, before storage.ID, limit int) ([]storage.Grant, time.Time, error) {
	if nobody(of) {
		return nil, time.Time{}, errors.New("postgres: ListGrants selects by user, client or session; none is set")
	}
	if !keepable(of.ClientID) {
		now, err := s.Ping(ctx)
		return nil, now, err
	}
	where, args := selecting(of, nil, []any{limit})
	if !before.IsZero() {
		args = append(args, uid(before))
		where += fmt.Sprintf(" AND g.id < $%d", len(args))
	}
	text := `SELECT g.id, g.created_at, ` + grantColumns + ` FROM grants g WHERE ` + where + ` ORDER BY g.id DESC LIMIT $1`
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
