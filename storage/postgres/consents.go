package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const consentColumns = `c.user_id, c.client_id, c.scope, c.claims, c.resources, c.given_at, c.created_at`

func intoConsent(c *storage.Consent) []any {
	return []any{idOf{&c.UserID}, &c.ClientID, &c.Scope, &c.Claims, &c.Resources, when{&c.GivenAt}, when{&c.CreatedAt}}
}

// RememberConsent implements storage.Consents. What is new comes after what was allowed before.
func (s *Store) RememberConsent(ctx context.Context, c storage.Consent, also storage.Also) error {
	if !keepable(c.ClientID) {
		return storage.ErrNotFound
	}
	const more = `c.%[1]s || ARRAY(SELECT name FROM unnest(excluded.%[1]s) WITH ORDINALITY AS new (name, n)
		WHERE name <> ALL (c.%[1]s) ORDER BY n)`
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO consents AS c (user_id, client_id, scope, claims, resources, given_at, created_at)
			SELECT $2::uuid, $3::text, $4::text[], $5::text[], $6::text[], now, now FROM (SELECT `+clockNow+` AS now) AS clock
			ON CONFLICT (user_id, client_id) DO UPDATE SET given_at = excluded.given_at, scope = `+fmt.Sprintf(more, "scope")+`,
				claims = `+fmt.Sprintf(more, "claims")+`, resources = `+fmt.Sprintf(more, "resources"),
			s.now(), uid(c.UserID), c.ClientID, distinct(c.Scope), distinct(c.Claims), distinct(c.Resources))
		s.report(b, also)
	})
}

// distinct is a list parameter with each name once, where it comes first.
func distinct(of []string) []string {
	names := []string{}
	for _, name := range of {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// FindConsent implements storage.Consents.
func (s *Store) FindConsent(ctx context.Context, userID storage.ID, clientID string) (storage.Consent, error) {
	if !keepable(clientID) {
		return storage.Consent{}, storage.ErrNotFound
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (found storage.Consent, err error) {
		err = c.QueryRow(ctx, `SELECT `+consentColumns+` FROM consents c WHERE c.user_id = $1 AND c.client_id = $2`,
			uid(userID), clientID).Scan(intoConsent(&found)...)
		return found, err
	})
}

// ListConsents implements storage.Consents.
func (s *Store) ListConsents(ctx context.Context, userID storage.ID) ([]storage.Consent, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Consent, error) {
		rows, err := c.Query(ctx, `SELECT `+consentColumns+` FROM consents c WHERE c.user_id = $1 ORDER BY c.client_id`, uid(userID))
		return rowsOf(rows, err, intoConsent)
	})
}

// WithdrawConsent implements storage.Consents. Nobody's consent, or one to no client, is none: not everybody's.
func (s *Store) WithdrawConsent(ctx context.Context, userID storage.ID, clientID string, also storage.Also) (int, error) {
	return act(ctx, s, func(b *pgx.Batch, n *int) {
		if !userID.IsZero() && clientID != "" && keepable(clientID) {
			b.Queue(`DELETE FROM consents WHERE user_id = $1 AND client_id = $2`, uid(userID), clientID)
			s.revokeAll(b, storage.GrantsOf{UserID: userID, ClientID: clientID}, storage.ReasonUser).Exec(changed(n))
		}
		s.report(b, also)
	})
}
