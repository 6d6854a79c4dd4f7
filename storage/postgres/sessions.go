package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
)

// StartSession implements storage.Sessions. The user's row is locked as one that changes: of several sign-ins of one person each
// counts the sessions of those before it. Where there are too many all of them are locked, so that none is used any more while
// the oldest are chosen.
func (s *Store) StartSession(ctx context.Context, in storage.Session, most int, spend storage.Spend, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE`, uid(in.UserID))
		s.pay(b, spend)
		b.Queue(`INSERT INTO sessions (id, digest, user_id, revision, password_at, factor_at, auth_time, acr, amr, chosen_at,
				created_at, used_at, expires_at, seen)
			VALUES ($2, $3, $4, 1, $5, $6, $7, $8, $9, $10, coalesce($11::timestamptz, `+clockNow+`), $12, $13, $14)`,
			s.now(), uid(in.ID), in.Digest[:], uid(in.UserID), stamp(in.PasswordAt), stamp(in.FactorAt), stamp(in.AuthTime), in.ACR,
			list(in.AMR), stamp(in.ChosenAt), stamp(in.CreatedAt), stamp(in.UsedAt), stamp(in.ExpiresAt), record(in.Seen))
		b.Queue(`SELECT FROM sessions WHERE user_id = $1 AND (SELECT count(*) FROM sessions WHERE user_id = $1) > $2
			ORDER BY id FOR UPDATE`, uid(in.UserID), most)
		s.endSessions(b, chosen{`s.id IN (SELECT id FROM sessions WHERE user_id = $%[1]d AND id <> $%[2]d
			ORDER BY used_at DESC NULLS LAST, id DESC OFFSET $%[3]d)`, []any{uid(in.UserID), uid(in.ID), max(most-1, 0)}},
			storage.ReasonLogout, nil)
		s.report(b, also)
	})
}

// FindSessions implements storage.Sessions.
func (s *Store) FindSessions(ctx context.Context, digests []storage.Digest) ([]storage.SessionStanding, time.Time, error) {
	return readAt(ctx, s, `SELECT clock.now, `+sessionColumns+`,
			EXISTS (SELECT FROM totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL)
				OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id), `+userColumns+`
		FROM (SELECT `+clockNow+` AS now) AS clock LEFT JOIN (unnest($2::bytea[]) WITH ORDINALITY AS asked (digest, n)
			JOIN sessions s ON s.digest = asked.digest JOIN users u ON u.id = s.user_id) ON true
		ORDER BY asked.n`, func(st *storage.SessionStanding) []any {
		return append(append(intoSession(&st.Session), &st.HasFactor), intoUser(&st.User)...)
	}, hashes(digests))
}

// ChangeSession implements storage.Sessions. Its row is locked as one that changes before pay locks it as one that may not.
func (s *Store) ChangeSession(ctx context.Context, to storage.Session, spend storage.Spend, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		trust(b, spend)
		b.Queue(`SELECT revision FROM sessions WHERE id = $1 FOR UPDATE`, uid(to.ID)).QueryRow(at(to.Revision))
		s.pay(b, spend)
		b.Queue(`UPDATE sessions SET revision = revision + 1, digest = $2, password_at = $3, factor_at = $4, auth_time = $5, acr = $6,
				amr = $7, chosen_at = $8, used_at = $9, expires_at = $10, seen = $11 WHERE id = $1`,
			uid(to.ID), to.Digest[:], stamp(to.PasswordAt), stamp(to.FactorAt), stamp(to.AuthTime), to.ACR, list(to.AMR),
			stamp(to.ChosenAt), stamp(to.UsedAt), stamp(to.ExpiresAt), record(to.Seen))
		s.report(b, also)
	})
}

// TouchSession implements storage.Sessions.
func (s *Store) TouchSession(ctx context.Context, id storage.ID, seen storage.Seen) error {
	return s.one(ctx, nil, `UPDATE sessions SET used_at = `+clockNow+`, seen = $3 WHERE id = $2`, s.now(), uid(id), record(seen))
}

// EndSessions implements storage.Sessions. While all of a user end none begins: see StartSession.
func (s *Store) EndSessions(ctx context.Context, of storage.SessionsOf, reason storage.Reason, also storage.Also) ([]storage.EndedSession, error) {
	which := ofUser(of.UserID)
	switch {
	case !of.ID.IsZero() && !of.UserID.IsZero():
		which = chosen{`s.id = $%[1]d AND s.user_id = $%[2]d`, []any{uid(of.ID), uid(of.UserID)}}
	case !of.ID.IsZero():
		which = chosen{`s.id = $%[1]d`, []any{uid(of.ID)}}
	case of.UserID.IsZero():
		return nil, errors.New("postgres: EndSessions selects by session or by user; neither is set")
	case !of.Except.IsZero():
		which = chosen{`s.user_id = $%[1]d AND s.id <> $%[2]d`, []any{uid(of.UserID), uid(of.Except)}}
	}
	return act(ctx, s, func(b *pgx.Batch, ended *[]storage.EndedSession) {
		if of.ID.IsZero() {
			b.Queue(`SELECT FROM users WHERE id = $1 FOR SHARE`, uid(of.UserID))
		}
		s.endSessions(b, which, reason, ended)
		s.report(b, also)
	})
}

// chosen are the sessions s of which condition holds. It names its arguments by their places in args.
type chosen struct {
	condition string
	args      []any
}

func ofUser(id storage.ID) chosen { return chosen{`s.user_id = $%[1]d`, []any{uid(id)}} }

// after is the condition and all arguments of a statement whose own ones are first.
func (c chosen) after(first ...any) (string, []any) {
	places := make([]any, len(c.args))
	for i := range c.args {
		places[i] = len(first) + i + 1
	}
	return fmt.Sprintf(c.condition, places...), append(first, c.args...)
}

// endSessions ends sessions and what was granted in them. Each statement sees what was committed while the one before waited for a
// lock: so no grant escapes whose pay had locked its session first, and pay finds no session where it comes later.
func (s *Store) endSessions(b *pgx.Batch, which chosen, reason storage.Reason, ended *[]storage.EndedSession) {
	lockSessions(b, which)
	where, args := which.after(s.now(), string(reason))
	b.Queue(revokingThose(`g.session_id IN (SELECT s.id FROM sessions s WHERE `+where+`)
		AND (g.state = 'pending' OR g.state = 'active' AND NOT g.offline)`), args...)
	s.dropSessions(b, which, ended)
}

// lockSessions locks in the order of the ids, so that two of its kind never wait for each other in a circle.
func lockSessions(b *pgx.Batch, which chosen) {
	where, args := which.after()
	b.Queue(`SELECT FROM sessions s WHERE `+where+` ORDER BY s.id FOR UPDATE`, args...)
}

// dropSessions removes sessions that were locked and leaves their letters. Letters have IDs of version 7 too (RFC 9562 §5.7): the
// milliseconds go over the first 48 random bits, and two bits make a 7 of the 4.
func (s *Store) dropSessions(b *pgx.Batch, which chosen, ended *[]storage.EndedSession) {
	where, args := which.after(s.now(), storage.LetterSessionEnded)
	b.Queue(`WITH dropped AS (DELETE FROM sessions s WHERE `+where+` RETURNING s.*),
		ended AS MATERIALIZED (SELECT s.*, ARRAY(
				SELECT DISTINCT g.client_id FROM grants g WHERE g.session_id = s.id ORDER BY g.client_id) AS client_ids FROM dropped s),
		letters AS (INSERT INTO outbox (id, kind, user_id, data, attempt, due_at, created_at)
			SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
					substring(int8send((extract(epoch FROM now) * 1000)::bigint) FROM 3) FROM 1), 52, 1), 53, 1), 'hex')::uuid,
				$2, user_id, json_build_object('session_id', id, 'client_ids', array_to_string(client_ids, ' ')), 0, now, now
			FROM ended, (SELECT `+clockNow+` AS now) AS clock WHERE cardinality(client_ids) > 0)
		SELECT `+sessionColumns+`, s.client_ids FROM ended s ORDER BY s.id`, args...).Query(func(rows pgx.Rows) (err error) {
		all, err := rowsOf(rows, nil, func(e *storage.EndedSession) []any { return append(intoSession(&e.Session), &e.ClientIDs) })
		if ended != nil {
			*ended = all
		}
		return err
	})
}

// ListSessions implements storage.Sessions.
func (s *Store) ListSessions(ctx context.Context, userID storage.ID) ([]storage.Session, time.Time, error) {
	return readAt(ctx, s, `SELECT clock.now, `+sessionColumns+`
		FROM (SELECT `+clockNow+` AS now) AS clock LEFT JOIN sessions s ON s.user_id = $2
		ORDER BY s.used_at DESC NULLS LAST, s.id DESC`, intoSession, uid(userID))
}
