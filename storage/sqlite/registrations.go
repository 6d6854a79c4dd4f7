package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	spendRegistrationToken = `UPDATE registration_tokens SET uses = uses + 1
		WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) AND (max_uses = 0 OR uses < max_uses)`

	// The words of the index clients_unused, which holds these clients and no others.
	unused   = `used_at IS NULL AND disabled_at IS NULL AND origin IN ('software', 'document')`
	inactive = `NOT EXISTS (SELECT 1 FROM grants WHERE client_id = clients.id AND state = 'active')`

	countUnused  = `SELECT count(*) FROM clients WHERE ` + unused
	oldestUnused = `SELECT id FROM
		(SELECT id FROM clients WHERE ` + unused + ` AND id <> $1 ORDER BY created_at, id LIMIT $2) AS clients WHERE ` + inactive
	expiredUnused = `SELECT id FROM clients WHERE ` + unused + ` AND created_at < $1 AND ` + inactive + ` ORDER BY created_at, id LIMIT $2`
)

// RegisterClient implements storage.Registrations. ErrNotFound: the owner is gone.
func (s *Store) RegisterClient(ctx context.Context, c storage.Client, r storage.Registration, also storage.Also) error {
	return s.write(ctx, "register client", func(t *tx) error {
		if err := t.createClient(c); err != nil {
			return err
		}
		if err := t.spendRegistration(c, r); err != nil {
			return err
		}
		return t.also(also)
	})
}

func (t *tx) spendRegistration(c storage.Client, r storage.Registration) error {
	if !r.TokenID.IsZero() {
		if err := t.hit(storage.ErrSpent, spendRegistrationToken, r.TokenID[:], micros(t.now)); err != nil {
			return err
		}
	}
	if r.Owned > 0 {
		var owned int
		if err := t.scan(`SELECT count(*) FROM clients WHERE owner_id = $1`, []any{optional(c.OwnerID)}, &owned); err != nil {
			return err
		}
		if owned > r.Owned {
			return storage.ErrSpent
		}
	}
	if r.Unused > 0 {
		return t.evictUnused(c.ID, r.Unused)
	}
	return nil
}

// evictUnused lets no more than most unused clients stay. It looks at as many of the oldest as there are too many, and passes over
// those with an active grant, whose use is about to be counted: each of them is one that need not go, so that what stays is never
// more than most, and a registration costs the same however many there are to choose from.
func (t *tx) evictUnused(made string, most int) error {
	var there int
	if err := t.scan(countUnused, nil, &there); err != nil || there <= most {
		return err
	}
	_, err := t.deleteClients(oldestUnused, made, there-most)
	return err
}

// ListOwnClients implements storage.Registrations.
func (s *Store) ListOwnClients(ctx context.Context, owner storage.ID) ([]storage.Client, error) {
	clients, _, err := read(ctx, s, "list own clients", func(c *session) ([]storage.Client, error) {
		return collect(c, scanClient, `SELECT `+clientColumns+` FROM clients WHERE owner_id = $1 ORDER BY created_at DESC, id DESC`, owner[:])
	})
	return clients, err
}

// ListAwaiting implements storage.Registrations.
func (s *Store) ListAwaiting(ctx context.Context, limit int) ([]storage.Client, error) {
	clients, _, err := read(ctx, s, "list awaiting clients", func(c *session) ([]storage.Client, error) {
		return collect(c, scanClient, `SELECT `+clientColumns+` FROM clients WHERE disabled_for = 'approval'
			ORDER BY created_at, id LIMIT $1`, limit)
	})
	return clients, err
}

// SweepUnused implements storage.Registrations.
func (s *Store) SweepUnused(ctx context.Context, limit int, keep time.Duration) (n int, err error) {
	return writeFor(ctx, s, "sweep unused clients", func(t *tx) (int, error) {
		return t.deleteClients(expiredUnused, micros(t.now.Add(-keep)), limit)
	})
}

// deleteClients removes the clients that query names, with all that is theirs, and returns how many went.
func (t *tx) deleteClients(query string, args ...any) (int, error) {
	gone, err := collect(t.session, func(r row) (id string, err error) { return id, r.Scan(&id) }, query, args...)
	if err != nil {
		return 0, err
	}
	for _, id := range gone {
		if err := t.deleteClient(id); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}
