package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

var _ storage.FrontDoor = (*Store)(nil)

const pushedColumns = `digest, client_id, params, expires_at`

// PushRequest implements storage.FrontDoor.
func (s *Store) PushRequest(ctx context.Context, r storage.PushedRequest) error {
	return s.write(ctx, "push request", func(t *tx) error {
		_, err := t.exec(`INSERT INTO pushed_requests (`+pushedColumns+`) VALUES ($1, $2, $3, $4)`,
			r.Digest[:], r.ClientID, r.Params, micros(r.ExpiresAt))
		return err
	})
}

// FindPushed implements storage.FrontDoor.
func (s *Store) FindPushed(ctx context.Context, request storage.Digest) (r storage.PushedRequest, now time.Time, err error) {
	return read(ctx, s, "find pushed request", func(c *session) (r storage.PushedRequest, err error) {
		err = c.scan(`SELECT `+pushedColumns+` FROM pushed_requests WHERE digest = $1`, []any{request[:]},
			intoDigest(&r.Digest), &r.ClientID, &r.Params, intoTime(&r.ExpiresAt))
		return r, err
	})
}

// FindUserCode implements storage.FrontDoor.
func (s *Store) FindUserCode(ctx context.Context, code storage.Digest) (storage.Standing, error) {
	return s.findStanding(ctx, "find user code", selectStanding+`user_code = $1`+withStanding, code[:])
}
