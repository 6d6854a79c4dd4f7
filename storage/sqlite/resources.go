package sqlite

import (
	"context"

	"github.com/signet-idp/signet/storage"
)

const resourceColumns = `identifier, revision, metadata, created_at, updated_at`

// CreateResource implements storage.Resources.
func (s *Store) CreateResource(ctx context.Context, r storage.Resource, also storage.Also) error {
	return s.write(ctx, "create resource", func(t *tx) error {
		err := t.hit(storage.ErrTaken, `INSERT INTO resources (`+resourceColumns+`) VALUES ($1, 1, $2, $3, $3)
			ON CONFLICT (identifier) DO NOTHING`, r.Identifier, record{r.Metadata}, micros(t.now))
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// FindResources implements storage.Resources.
func (s *Store) FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error) {
	if len(identifiers) == 0 {
		return nil, nil
	}
	found, _, err := read(ctx, s, "find resources", func(c *session) ([]storage.Resource, error) {
		return collect(c, scanResource, `SELECT `+resourceColumns+` FROM resources
			WHERE identifier IN (SELECT value FROM json_each($1)) ORDER BY identifier`, record{identifiers})
	})
	return found, err
}

// ListResources implements storage.Resources.
func (s *Store) ListResources(ctx context.Context, after string, limit int) ([]storage.Resource, error) {
	page, _, err := read(ctx, s, "list resources", func(c *session) ([]storage.Resource, error) {
		return collect(c, scanResource, `SELECT `+resourceColumns+` FROM resources WHERE identifier > $1 ORDER BY identifier LIMIT $2`,
			after, limit)
	})
	return page, err
}

// UpdateResource implements storage.Resources.
func (s *Store) UpdateResource(ctx context.Context, r storage.Resource, also storage.Also) error {
	return s.write(ctx, "update resource", func(t *tx) error {
		n, err := t.exec(`UPDATE resources SET revision = revision + 1, metadata = $3, updated_at = $4
			WHERE identifier = $1 AND revision = $2`, r.Identifier, r.Revision, record{r.Metadata}, micros(t.now))
		if err != nil {
			return err
		}
		if n == 0 {
			return t.movedOrGone(`SELECT 1 FROM resources WHERE identifier = $1`, r.Identifier)
		}
		return t.also(also)
	})
}

// DeleteResource implements storage.Resources.
func (s *Store) DeleteResource(ctx context.Context, identifier string, also storage.Also) error {
	return s.write(ctx, "delete resource", func(t *tx) error {
		if err := t.hit(storage.ErrNotFound, `DELETE FROM resources WHERE identifier = $1`, identifier); err != nil {
			return err
		}
		return t.also(also)
	})
}

func scanResource(r row) (found storage.Resource, err error) {
	err = r.Scan(&found.Identifier, &found.Revision, intoRecord(&found.Metadata), intoTime(&found.CreatedAt), intoTime(&found.UpdatedAt))
	return found, err
}
