package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	clientColumns = `id, revision, metadata, secrets, disabled_at, created_at, updated_at, origin, owner_id, disabled_for, registration,
		used_at, used_by`

	insertClient = `INSERT INTO clients (id, revision, metadata, secrets, disabled_at, created_at, updated_at, origin, owner_id, disabled_for,
			registration)
		VALUES ($1, 1, $2, $3, $4, $5, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`
	updateClient = `UPDATE clients SET revision = revision + 1, metadata = $3, secrets = $4, disabled_at = $5, updated_at = $6, owner_id = $7,
			disabled_for = $8, registration = $9
		WHERE id = $1 AND revision = $2`
)

// CreateClient implements storage.Clients.
func (s *Store) CreateClient(ctx context.Context, c storage.Client, also storage.Also) error {
	return s.write(ctx, "create client", func(t *tx) error {
		if err := t.createClient(c); err != nil {
			return err
		}
		return t.also(also)
	})
}

func (t *tx) createClient(c storage.Client) error {
	if c.Origin == "" {
		c.Origin = storage.OriginOperator
	}
	return t.hit(storage.ErrTaken, insertClient, c.ID, record{c.Metadata}, record{c.Secrets}, micros(c.DisabledAt), micros(t.now),
		string(c.Origin), optional(c.OwnerID), string(c.DisabledFor), optionalDigest(c.Registration))
}

// FindClient implements storage.Clients.
func (s *Store) FindClient(ctx context.Context, id string) (c storage.Client, now time.Time, err error) {
	return read(ctx, s, "find client", func(c *session) (storage.Client, error) {
		return one(c, scanClient, `SELECT `+clientColumns+` FROM clients WHERE id = $1`, id)
	})
}

// ListClients implements storage.Clients.
func (s *Store) ListClients(ctx context.Context, after string, limit int) ([]storage.Client, error) {
	clients, _, err := read(ctx, s, "list clients", func(c *session) ([]storage.Client, error) {
		return collect(c, scanClient, `SELECT `+clientColumns+` FROM clients WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	})
	return clients, err
}

// UpdateClient implements storage.Clients.
func (s *Store) UpdateClient(ctx context.Context, c storage.Client, also storage.Also) error {
	return s.write(ctx, "update client", func(t *tx) error {
		n, err := t.exec(updateClient, c.ID, c.Revision, record{c.Metadata}, record{c.Secrets}, micros(c.DisabledAt), micros(t.now),
			optional(c.OwnerID), string(c.DisabledFor), optionalDigest(c.Registration))
		if err != nil {
			return err
		}
		if n == 0 {
			return t.movedOrGone(`SELECT 1 FROM clients WHERE id = $1`, c.ID)
		}
		return t.also(also)
	})
}

// DeleteClient implements storage.Clients.
func (s *Store) DeleteClient(ctx context.Context, id string, also storage.Also) error {
	return s.write(ctx, "delete client", func(t *tx) error {
		if err := t.deleteClient(id); err != nil {
			return err
		}
		return t.also(also)
	})
}

// deleteClient removes the row, and by their foreign keys consents, pushed requests and usage.
func (t *tx) deleteClient(id string) error {
	if err := t.hit(storage.ErrNotFound, `DELETE FROM clients WHERE id = $1`, id); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM grants WHERE client_id = $1`, id)
	return err
}

// movedOrGone says why a conditional write hit no row: ErrMoved where exists finds the row, else ErrNotFound.
func (t *tx) movedOrGone(exists string, id any) error {
	var one int
	if err := t.scan(exists, []any{id}, &one); err != nil {
		return err
	}
	return storage.ErrMoved
}

func scanClient(r row) (c storage.Client, err error) {
	err = r.Scan(&c.ID, &c.Revision, intoRecord(&c.Metadata), intoRecord(&c.Secrets), intoTime(&c.DisabledAt),
		intoTime(&c.CreatedAt), intoTime(&c.UpdatedAt), &c.Origin, intoID(&c.OwnerID), &c.DisabledFor, intoDigest(&c.Registration),
		intoTime(&c.UsedAt), intoID(&c.UsedBy))
	return c, err
}
