package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
)

// passkeysOf are the passkeys of a user u, oldest first, as one JSON value: so a sign-in is still read by one statement. The keys are
// the fields of storage.Passkey.
const passkeysOf = `(SELECT json_agg(json_build_object('ID', p.id, 'UserID', p.user_id, 'Name', p.name,
		'CredentialID', encode(p.credential_id, 'base64'), 'PublicKey', encode(p.public_key, 'base64'), 'AAGUID', p.aaguid,
		'Transports', p.transports, 'SignCount', p.sign_count, 'BackupEligible', p.backup_eligible, 'BackedUp', p.backed_up,
		'CreatedAt', p.created_at, 'UsedAt', p.used_at) ORDER BY p.created_at, p.id)
	FROM passkeys p WHERE p.user_id = u.id)`

// tidyPasskeys gives passkeys that were scanned the form in which they were given.
func tidyPasskeys(of []storage.Passkey) {
	for i := range of {
		p := &of[i]
		p.Transports, p.CreatedAt, p.UsedAt = orNil(p.Transports), p.CreatedAt.UTC(), p.UsedAt.UTC()
	}
}

// hasFactor is whether the user $1 has one of any kind.
const hasFactor = `(EXISTS (SELECT FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL)
	OR EXISTS (SELECT FROM passkeys WHERE user_id = $1))`

// AddPasskey implements storage.Passkeys.
func (s *Store) AddPasskey(ctx context.Context, p storage.Passkey, revision int64, codes []storage.Digest, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		raiseAt(b, p.UserID, revision)
		b.Queue(`INSERT INTO passkeys (id, user_id, name, credential_id, public_key, aaguid, transports, sign_count, backup_eligible,
				backed_up, created_at)
			VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, `+clockNow+`) ON CONFLICT DO NOTHING`,
			s.now(), uid(p.ID), uid(p.UserID), p.Name, blob(p.CredentialID), blob(p.PublicKey), uid(p.AAGUID), list(p.Transports),
			int64(p.SignCount), p.BackupEligible, p.BackedUp).Exec(must(storage.ErrTaken))
		if len(codes) > 0 {
			replaceCodes(b, p.UserID, codes)
		}
		forgetDevices(b, p.UserID)
		s.report(b, also)
	})
}

// FindPasskey implements storage.Passkeys.
func (s *Store) FindPasskey(ctx context.Context, credentialID []byte) (storage.SignIn, error) {
	return s.signIn(ctx, `u.id = (SELECT user_id FROM passkeys WHERE credential_id = $2)`, blob(credentialID))
}

// RenamePasskey implements storage.Passkeys.
func (s *Store) RenamePasskey(ctx context.Context, userID, id storage.ID, name string) error {
	return s.one(ctx, storage.ErrNotFound, `UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2`, uid(id), uid(userID), name)
}

// RemovePasskey implements storage.Passkeys.
func (s *Store) RemovePasskey(ctx context.Context, userID, id storage.ID, revision int64, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		raiseAt(b, userID, revision)
		b.Queue(`DELETE FROM passkeys WHERE id = $1 AND user_id = $2`, uid(id), uid(userID)).Exec(must(storage.ErrNotFound))
		afterFactor(b, userID)
		s.report(b, also)
	})
}

// afterFactor follows the removal of a factor: with the last one the recovery codes go, and with each the remembered devices.
func afterFactor(b *pgx.Batch, userID storage.ID) {
	b.Queue(`DELETE FROM recovery_codes WHERE user_id = $1 AND NOT `+hasFactor, uid(userID))
	forgetDevices(b, userID)
}

// payPasskey is the part of pay for what a passkey has signed. Challenges stand among the assertions: both serve once, and their
// digests are of different domains.
func (s *Store) payPasskey(b *pgx.Batch, spend storage.Spend) {
	if !spend.PasskeyID.IsZero() {
		b.Queue(`UPDATE passkeys SET sign_count = $4, backed_up = $5, used_at = `+clockNow+`
			WHERE id = $2 AND user_id = $3 AND ($4 > sign_count OR $4 = 0 AND sign_count = 0)`,
			s.now(), uid(spend.PasskeyID), uid(spend.UserID), int64(spend.SignCount), spend.BackedUp).Exec(must(storage.ErrSpent))
	}
	if !spend.Challenge.IsZero() {
		b.Queue(spendAssertion, spend.Challenge[:], stamp(spend.ChallengeEnds)).Exec(must(storage.ErrSpent))
	}
}
