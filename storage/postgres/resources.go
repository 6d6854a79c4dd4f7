package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const resourceColumns = `r.identifier, r.revision, r.metadata, r.created_at, r.updated_at`

func intoResource(r *storage.Resource) []any {
	return []any{&r.Identifier, &r.Revision, &r.Metadata, when{&r.CreatedAt}, when{&r.UpdatedAt}}
}

// CreateResource implements storage.Resources.
func (s *Store) CreateResource(ctx context.Context, r storage.Resource, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO resources (identifier, revision, metadata, created_at, updated_at)
			SELECT $2, 1, $3, now, now FROM (SELECT `+clockNow+` AS now) AS clock`, s.now(), r.Identifier, record(r.Metadata))
		s.report(b, also)
	})
}

// FindResources implements storage.Resources.
func (s *Store) FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error) {
	identifiers = slices.DeleteFunc(slices.Clone(identifiers), func(i string) bool { return !keepable(i) })
	if len(identifiers) == 0 {
		return nil, nil
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Resource, error) {
		rows, err := c.Query(ctx, `SELECT `+resourceColumns+` FROM resources r WHERE r.identifier = ANY ($1::text[]) ORDER BY r.identifier`,
			identifiers)
		return rowsOf(rows, err, intoResource)
	})
}

// ListResources implements storage.Resources.
func (s *Store) ListResources(ctx context.Context, after string, limit int) ([]storage.Resource, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Resource, error) {
		rows, err := c.Query(ctx, `SELECT `+resourceColumns+` FROM resources r WHERE r.identifier > $1 ORDER BY r.identifier LIMIT $2`,
			after, limit)
		return rowsOf(rows, err, intoResource)
	})
}

// UpdateResource implements storage.Resources.
func (s *Store) UpdateResource(ctx context.Context, r storage.Resource, also storage.Also) error {
	if !keepable(r.Identifier) {
		return storage.ErrNotFound
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT revision FROM resources WHERE identifier = $1 FOR NO KEY UPDATE`, r.Identifier).QueryRow(at(r.Revision))
		b.Queue(`UPDATE resources SET revision = revision + 1, metadata = $3, updated_at = `+clockNow+` WHERE identifier = $2`,
			s.now(), r.Identifier, record(r.Metadata))
		s.report(b, also)
	})
}

// DeleteResource implements storage.Resources.
func (s *Store) DeleteResource(ctx context.Context, identifier string, also storage.Also) error {
	if !keepable(identifier) {
		return storage.ErrNotFound
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM resources WHERE identifier = $1`, identifier).Exec(must(storage.ErrNotFound))
		s.report(b, also)
	})
}
