package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	refusalColumns = `id, at, endpoint, client_id, grant_type, code, description, cause, grant_id, token, seen, detail`

	insertRefusal = `INSERT INTO refusals (` + refusalColumns + `)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE EXISTS (SELECT 1 FROM clients WHERE id = $4)
		ON CONFLICT DO NOTHING`

	// Where the request to begin before is not there, every one of the client's is older than the end of time.
	listRefusals = `SELECT ` + refusalColumns + ` FROM refusals
		WHERE client_id = $1 AND (at, id) <
			(coalesce((SELECT at FROM refusals WHERE id = $2 AND client_id = $1), 9223372036854775807), $2)
		ORDER BY at DESC, id DESC LIMIT $3`

	boundRefusals = `DELETE FROM refusals WHERE id IN
		(SELECT id FROM refusals ORDER BY at DESC, id DESC LIMIT -1 OFFSET $1)`
	boundRefusalsOfClient = `DELETE FROM refusals WHERE id IN
		(SELECT id FROM refusals WHERE client_id = $1 ORDER BY at DESC, id DESC LIMIT -1 OFFSET $2)`
	sweepRefusals = `DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE at < $1 ORDER BY at LIMIT $2)`
)

// RecordRefusals implements storage.Refusals.
func (s *Store) RecordRefusals(ctx context.Context, refused []storage.RefusedRequest, bound storage.RefusalBound) error {
	return s.write(ctx, "record refusals", func(t *tx) error {
		clients := map[string]bool{}
		for _, r := range refused {
			_, err := t.exec(insertRefusal, r.ID, micros(t.now), r.Endpoint, r.ClientID, r.GrantType, r.Code, r.Description, r.Cause,
				optional(r.GrantID), r.Token, record{r.Seen}, record{r.Detail})
			if err != nil {
				return err
			}
			clients[r.ClientID] = true
		}
		for id := range clients {
			if _, err := t.exec(boundRefusalsOfClient, id, bound.PerClient); err != nil {
				return err
			}
		}
		_, err := t.exec(boundRefusals, bound.All)
		return err
	})
}

// FindRefusal implements storage.Refusals.
func (s *Store) FindRefusal(ctx context.Context, id string) (storage.RefusedRequest, error) {
	r, _, err := read(ctx, s, "find refusal", func(c *session) (storage.RefusedRequest, error) {
		return one(c, scanRefusal, `SELECT `+refusalColumns+` FROM refusals WHERE id = $1`, id)
	})
	return r, err
}

// ListRefusals implements storage.RefusalList.
func (s *Store) ListRefusals(ctx context.Context, clientID, before string, limit int) ([]storage.RefusedRequest, error) {
	page, _, err := read(ctx, s, "list refusals", func(c *session) ([]storage.RefusedRequest, error) {
		return collect(c, scanRefusal, listRefusals, clientID, before, limit)
	})
	return page, err
}

// SweepRefusals implements storage.Refusals.
func (s *Store) SweepRefusals(ctx context.Context, limit int, keep time.Duration) (int, error) {
	return writeFor(ctx, s, "sweep refusals", func(t *tx) (int, error) {
		n, err := t.exec(sweepRefusals, micros(t.now.Add(-keep)), limit)
		return int(n), err
	})
}

func scanRefusal(from row) (r storage.RefusedRequest, err error) {
	err = from.Scan(&r.ID, intoTime(&r.At), &r.Endpoint, &r.ClientID, &r.GrantType, &r.Code, &r.Description, &r.Cause,
		intoID(&r.GrantID), &r.Token, intoRecord(&r.Seen), intoRecord(&r.Detail))
	return r, err
}
