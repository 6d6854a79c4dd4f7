package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	addUsage = `INSERT INTO client_usage (client_id, day, sign_ins, tokens, failures)
		SELECT id, $2, $3, $4, $5 FROM clients WHERE id = $1
		ON CONFLICT (client_id, day) DO UPDATE SET sign_ins = sign_ins + excluded.sign_ins, tokens = tokens + excluded.tokens,
			failures = failures + excluded.failures`
	stampUse = `UPDATE clients SET used_at = $2, used_by = (SELECT id FROM users WHERE id = $3) WHERE id = $1 AND used_at IS NULL`
	// Where the last use was noted by a clock that has been set back since, it stays the last.
	noteSecret = `INSERT INTO client_secret_uses (client_id, made_at, used_at) SELECT id, $2, $3 FROM clients WHERE id = $1
		ON CONFLICT (client_id, made_at) DO UPDATE SET used_at = max(used_at, excluded.used_at)`

	sweepUsage = `DELETE FROM client_usage WHERE (client_id, day) IN
		(SELECT client_id, day FROM client_usage WHERE day < $1 ORDER BY day LIMIT $2)`
	sweepSecretUses = `DELETE FROM client_secret_uses WHERE (client_id, made_at) IN
		(SELECT client_id, made_at FROM client_secret_uses WHERE used_at < $1 ORDER BY used_at LIMIT $2)`
)

// midnight is the first instant of the day (UTC).
func midnight(now time.Time) time.Time { return now.Truncate(24 * time.Hour) }

// CountUsage implements storage.Usage.
func (s *Store) CountUsage(ctx context.Context, counted []storage.ClientUsage) error {
	return s.write(ctx, "count usage", func(t *tx) error {
		for _, u := range counted {
			if err := t.countUsage(u); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) countUsage(u storage.ClientUsage) error {
	if u.SignIns != 0 || u.Tokens != 0 || u.Failures != 0 {
		if _, err := t.exec(addUsage, u.ClientID, micros(midnight(t.now)), u.SignIns, u.Tokens, u.Failures); err != nil {
			return err
		}
	}
	if u.Tokens > 0 {
		if _, err := t.exec(stampUse, u.ClientID, micros(t.now), optional(u.By)); err != nil {
			return err
		}
	}
	for _, made := range u.Secrets {
		if _, err := t.exec(noteSecret, u.ClientID, micros(made), micros(t.now)); err != nil {
			return err
		}
	}
	return nil
}

// ListUsage implements storage.Usage.
func (s *Store) ListUsage(ctx context.Context, clientID string, days int) ([]storage.ClientUsage, error) {
	listed, _, err := read(ctx, s, "list usage", func(c *session) ([]storage.ClientUsage, error) {
		return collect(c, scanUsage, `SELECT client_id, day, sign_ins, tokens, failures FROM client_usage
			WHERE client_id = $1 AND day >= $2 ORDER BY day DESC`, clientID, micros(midnight(s.now()).AddDate(0, 0, -days)))
	})
	return listed, err
}

// ListSecretUses implements storage.Usage.
func (s *Store) ListSecretUses(ctx context.Context, clientID string) ([]storage.SecretUse, error) {
	listed, _, err := read(ctx, s, "list uses of secrets", func(c *session) ([]storage.SecretUse, error) {
		return collect(c, scanSecretUse, `SELECT made_at, used_at FROM client_secret_uses WHERE client_id = $1 ORDER BY made_at DESC`, clientID)
	})
	return listed, err
}

// SweepUsage implements storage.Usage.
func (s *Store) SweepUsage(ctx context.Context, limit int, keep time.Duration) (n int, err error) {
	return writeFor(ctx, s, "sweep usage", func(t *tx) (int, error) {
		before := micros(t.now.Add(-keep))
		days, err := t.exec(sweepUsage, before, limit)
		if err != nil {
			return 0, err
		}
		uses, err := t.exec(sweepSecretUses, before, limit-int(days))
		return int(days + uses), err
	})
}

func scanUsage(from row) (u storage.ClientUsage, err error) {
	err = from.Scan(&u.ClientID, intoTime(&u.Day), &u.SignIns, &u.Tokens, &u.Failures)
	return u, err
}

func scanSecretUse(from row) (u storage.SecretUse, err error) {
	err = from.Scan(intoTime(&u.CreatedAt), intoTime(&u.UsedAt))
	return u, err
}
