package sqlite

import (
	"context"
	"errors"
	"slices"

	"github.com/signet-idp/signet/storage"
)

var _ storage.Consents = (*Store)(nil)

const consentColumns = `user_id, client_id, scope, claims, resources, given_at, created_at`

const (
	selectConsent = `SELECT ` + consentColumns + ` FROM consents WHERE user_id = $1`

	rememberConsent = `INSERT INTO consents (` + consentColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $6)
		ON CONFLICT (user_id, client_id) DO UPDATE
		SET scope = excluded.scope, claims = excluded.claims, resources = excluded.resources, given_at = excluded.given_at`
)

// RememberConsent implements storage.Consents: what was allowed before comes first.
func (s *Store) RememberConsent(ctx context.Context, c storage.Consent, also storage.Also) error {
	return s.write(ctx, "remember consent", func(t *tx) error {
		before, err := one(t.session, scanConsent, selectConsent+` AND client_id = $2`, c.UserID[:], c.ClientID)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		_, err = t.exec(rememberConsent, c.UserID[:], c.ClientID, record{union(before.Scope, c.Scope)},
			record{union(before.Claims, c.Claims)}, record{union(before.Resources, c.Resources)}, micros(t.now))
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// FindConsent implements storage.Consents.
func (s *Store) FindConsent(ctx context.Context, userID storage.ID, clientID string) (storage.Consent, error) {
	consent, _, err := read(ctx, s, "find consent", func(c *session) (storage.Consent, error) {
		return one(c, scanConsent, selectConsent+` AND client_id = $2`, userID[:], clientID)
	})
	return consent, err
}

// ListConsents implements storage.Consents.
func (s *Store) ListConsents(ctx context.Context, userID storage.ID) ([]storage.Consent, error) {
	consents, _, err := read(ctx, s, "list consents", func(c *session) ([]storage.Consent, error) {
		return collect(c, scanConsent, selectConsent+` ORDER BY client_id`, userID[:])
	})
	return consents, err
}

// WithdrawConsent implements storage.Consents.
func (s *Store) WithdrawConsent(ctx context.Context, userID storage.ID, clientID string, also storage.Also) (n int, err error) {
	return writeFor(ctx, s, "withdraw consent", func(t *tx) (int, error) {
		if _, err := t.exec(`DELETE FROM consents WHERE user_id = $1 AND client_id = $2`, userID[:], clientID); err != nil {
			return 0, err
		}
		// Not revokeGrants: there an empty ID selects more, here it selects nothing. The plus is as in grantsOf.
		n, err := t.exec(revoke+`user_id = $3 AND +client_id = $4`, micros(t.now), string(storage.ReasonUser), userID[:], clientID)
		if err != nil {
			return 0, err
		}
		return int(n), t.also(also)
	})
}

// union is a and behind it what b adds, each once.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

func scanConsent(r row) (c storage.Consent, err error) {
	err = r.Scan(intoID(&c.UserID), &c.ClientID, intoRecord(&c.Scope), intoRecord(&c.Claims), intoRecord(&c.Resources),
		intoTime(&c.GivenAt), intoTime(&c.CreatedAt))
	return c, err
}
