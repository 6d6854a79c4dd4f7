package sqlite

import (
	"context"

	"github.com/signet-idp/signet/storage"
)

const selectPasskeys = `SELECT id, user_id, name, credential_id, public_key, aaguid, transports, sign_count, backup_eligible, backed_up,
	created_at, used_at FROM passkeys`

// hasFactor is whether the user $1 has one of any kind.
const hasFactor = `(EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL)
	OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1))`

// AddPasskey implements storage.Passkeys.
func (s *Store) AddPasskey(ctx context.Context, p storage.Passkey, revision int64, codes []storage.Digest, also storage.Also) error {
	return s.write(ctx, "add passkey", func(t *tx) error {
		if err := t.raiseAt(p.UserID, revision); err != nil {
			return err
		}
		err := t.hit(storage.ErrTaken, `INSERT INTO passkeys (id, user_id, name, credential_id, public_key, aaguid, transports,
				sign_count, backup_eligible, backed_up, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
			p.ID[:], p.UserID[:], p.Name, blob(p.CredentialID), blob(p.PublicKey), optional(p.AAGUID),
			record{p.Transports},
			int64(p.SignCount), p.BackupEligible, p.BackedUp, micros(t.now))
		if err != nil {
			return err
		}
		if len(codes) > 0 {
			if err := t.replaceCodes(p.UserID, codes); err != nil {
				return err
			}
		}
		if err := t.forgetDevices(p.UserID); err != nil {
			return err
		}
		return t.also(also)
	})
}

// FindPasskey implements storage.Passkeys.
func (s *Store) FindPasskey(ctx context.Context, credentialID []byte) (storage.SignIn, error) {
	return s.findSignIn(ctx, "find passkey", selectUsers+` WHERE id = (SELECT user_id FROM passkeys WHERE credential_id = $1)`,
		blob(credentialID))
}

// RenamePasskey implements storage.Passkeys.
func (s *Store) RenamePasskey(ctx context.Context, userID, id storage.ID, name string) error {
	return s.write(ctx, "rename passkey", func(t *tx) error {
		return t.hit(storage.ErrNotFound, `UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2`, id[:], userID[:], name)
	})
}

// RemovePasskey implements storage.Passkeys.
func (s *Store) RemovePasskey(ctx context.Context, userID, id storage.ID, revision int64, also storage.Also) error {
	return s.write(ctx, "remove passkey", func(t *tx) error {
		if err := t.raiseAt(userID, revision); err != nil {
			return err
		}
		if err := t.hit(storage.ErrNotFound, `DELETE FROM passkeys WHERE id = $1 AND user_id = $2`, id[:], userID[:]); err != nil {
			return err
		}
		if err := t.afterFactor(userID); err != nil {
			return err
		}
		return t.also(also)
	})
}

// afterFactor follows the removal of a factor: with the last one the recovery codes go, and with each the remembered devices.
func (t *tx) afterFactor(userID storage.ID) error {
	if _, err := t.exec(`DELETE FROM recovery_codes WHERE user_id = $1 AND NOT `+hasFactor, userID[:]); err != nil {
		return err
	}
	return t.forgetDevices(userID)
}

// spendPasskey is the part of spend for what a passkey has signed. Challenges stand among the assertions: both serve once, and
// their digests are of different domains.
func (t *tx) spendPasskey(p storage.Spend) error {
	if !p.PasskeyID.IsZero() {
		err := t.hit(storage.ErrSpent, `UPDATE passkeys SET sign_count = $3, backed_up = $4, used_at = $5
			WHERE id = $1 AND user_id = $2 AND ($3 > sign_count OR $3 = 0 AND sign_count = 0)`,
			p.PasskeyID[:], p.UserID[:], int64(p.SignCount), p.BackedUp, micros(t.now))
		if err != nil {
			return err
		}
	}
	if p.Challenge.IsZero() {
		return nil
	}
	return t.hit(storage.ErrSpent, spendAssertion, p.Challenge[:], micros(p.ChallengeEnds))
}

func scanPasskey(r row) (p storage.Passkey, err error) {
	err = r.Scan(intoID(&p.ID), intoID(&p.UserID), &p.Name, &p.CredentialID, &p.PublicKey, intoID(&p.AAGUID), intoRecord(&p.Transports),
		&p.SignCount, &p.BackupEligible, &p.BackedUp, intoTime(&p.CreatedAt), intoTime(&p.UsedAt))
	return p, err
}
