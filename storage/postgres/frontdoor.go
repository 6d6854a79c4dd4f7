package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// PushRequest implements storage.FrontDoor. The reference to the client is what finds out that there is none.
func (s *Store) PushRequest(ctx context.Context, r storage.PushedRequest) error {
	if !keepable(r.ClientID) {
		return storage.ErrNotFound
	}
	return s.one(ctx, nil, `INSERT INTO pushed_requests (digest, client_id, params, expires_at) VALUES ($1, $2, $3, $4)`,
		r.Digest[:], r.ClientID, r.Params, stamp(r.ExpiresAt))
}

// FindPushed implements storage.FrontDoor.
func (s *Store) FindPushed(ctx context.Context, request storage.Digest) (storage.PushedRequest, time.Time, error) {
	type answer struct {
		r   storage.PushedRequest
		now time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		err = c.QueryRow(ctx, `SELECT digest, client_id, params, expires_at, `+clockNow+` FROM pushed_requests WHERE digest = $2`,
			s.now(), request[:]).Scan(digest{&a.r.Digest}, &a.r.ClientID, &a.r.Params, when{&a.r.ExpiresAt}, when{&a.now})
		return a, err
	})
	return a.r, a.now, err
}

// FindUserCode implements storage.FrontDoor.
func (s *Store) FindUserCode(ctx context.Context, code storage.Digest) (storage.Standing, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (found storage.Standing, err error) {
		var n int
		err = intoStanding(c.QueryRow(ctx, `SELECT `+standingColumns+`
			FROM (SELECT id, 1 AS n FROM grants WHERE user_code = $2 AND state = 'pending') AS asked`+standingOf, s.now(), code[:]), &n, &found)
		return found, err
	})
}
