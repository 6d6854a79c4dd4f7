package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/storage"
)

var _ storage.Sessions = (*Store)(nil)

// sessionFields are the columns that changing writes anew; sessionArgs has their order.
const sessionFields = `digest, revision, password_at, factor_at, auth_time, acr, amr, chosen_at, used_at, expires_at, seen`

const sessionParams = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11`

// sessionColumns are a session's row; intoSession has their order.
const sessionColumns = `id, user_id, created_at, ` + sessionFields

const (
	insertSession = `INSERT INTO sessions (` + sessionFields + `, id, user_id, created_at) VALUES (` + sessionParams + `, $12, $13, $14)`
	changeSession = `UPDATE sessions SET (` + sessionFields + `) = (` + sessionParams + `) WHERE id = $12`
	touchSession  = `UPDATE sessions SET used_at = $2, seen = $3 WHERE id = $1`
	listSessions  = `SELECT ` + sessionColumns + ` FROM sessions WHERE user_id = $1 ORDER BY used_at DESC, id DESC`

	// surplus are a user's sessions that are too many beside the one that has just begun.
	surplus = `SELECT id FROM sessions WHERE user_id = $1 AND id <> $2 ORDER BY used_at DESC, id DESC LIMIT -1 OFFSET $3`

	// One statement, and so one snapshot.
	findSessions = `SELECT s.*, u.*, EXISTS (SELECT 1 FROM totp WHERE user_id = s.user_id AND confirmed_at IS NOT NULL)
			OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = s.user_id)
		FROM json_each($1) asked
		CROSS JOIN (SELECT ` + sessionColumns + ` FROM sessions) s ON s.digest = unhex(asked.value)
		CROSS JOIN (SELECT ` + userColumns + ` FROM users) u ON u.id = s.user_id
		ORDER BY asked.key`
)

// StartSession implements storage.Sessions. The session that begins is never among those that end.
func (s *Store) StartSession(ctx context.Context, n storage.Session, most int, spend storage.Spend, also storage.Also) error {
	return s.write(ctx, "start session", func(t *tx) error {
		if err := t.spend(spend); err != nil {
			return err
		}
		if n.CreatedAt.IsZero() {
			n.CreatedAt = t.now
		}
		args := append(sessionArgs(n, 1), n.ID[:], n.UserID[:], micros(n.CreatedAt))
		if _, err := t.exec(insertSession, args...); err != nil {
			return err
		}
		surplus, err := collect(t.session, scanID, surplus, n.UserID[:], n.ID[:], max(most, 1)-1)
		if err != nil {
			return err
		}
		for _, id := range surplus {
			if _, err := t.endSessions(storage.SessionsOf{ID: id}, storage.ReasonLogout); err != nil {
				return err
			}
		}
		return t.also(also)
	})
}

// FindSessions implements storage.Sessions.
func (s *Store) FindSessions(ctx context.Context, digests []storage.Digest) ([]storage.SessionStanding, time.Time, error) {
	return read(ctx, s, "find sessions", func(c *session) ([]storage.SessionStanding, error) {
		return collect(c, func(r row) (st storage.SessionStanding, err error) {
			err = r.Scan(append(append(intoSession(&st.Session), intoUser(&st.User)...), &st.HasFactor)...)
			return st, err
		}, findSessions, digestList(digests))
	})
}

// ChangeSession implements storage.Sessions. What it relies on is checked first: it may be this session as it was.
func (s *Store) ChangeSession(ctx context.Context, n storage.Session, spend storage.Spend, also storage.Also) error {
	return s.write(ctx, "change session", func(t *tx) error {
		var revision int64
		if err := t.scan(`SELECT revision FROM sessions WHERE id = $1`, []any{n.ID[:]}, &revision); err != nil {
			return err
		}
		if revision != n.Revision {
			return storage.ErrMoved
		}
		if err := t.spend(spend); err != nil {
			return err
		}
		if _, err := t.exec(changeSession, append(sessionArgs(n, revision+1), n.ID[:])...); err != nil {
			return err
		}
		return t.also(also)
	})
}

// TouchSession implements storage.Sessions.
func (s *Store) TouchSession(ctx context.Context, id storage.ID, seen storage.Seen) error {
	return s.write(ctx, "touch session", func(t *tx) error {
		_, err := t.exec(touchSession, id[:], micros(t.now), record{seen})
		return err
	})
}

// EndSessions implements storage.Sessions.
func (s *Store) EndSessions(
	ctx context.Context, of storage.SessionsOf, reason storage.Reason, also storage.Also,
) ([]storage.EndedSession, error) {
	return writeFor(ctx, s, "end sessions", func(t *tx) ([]storage.EndedSession, error) {
		ended, err := t.endSessions(of, reason)
		if err != nil {
			return nil, err
		}
		return ended, t.also(also)
	})
}

// ListSessions implements storage.Sessions.
func (s *Store) ListSessions(ctx context.Context, userID storage.ID) ([]storage.Session, time.Time, error) {
	return read(ctx, s, "list sessions", func(c *session) ([]storage.Session, error) {
		return collect(c, scanSession, listSessions, userID[:])
	})
}

// endSessions ends the sessions that of selects, in the order of their IDs, with what was given in them, and leaves a letter for
// each that has applications to tell. A selection of nothing is the caller's fault.
func (t *tx) endSessions(of storage.SessionsOf, reason storage.Reason) ([]storage.EndedSession, error) {
	where, args := `user_id = $1 AND id <> $2`, []any{of.UserID[:], of.Except[:]}
	switch {
	case !of.ID.IsZero() && !of.UserID.IsZero():
		where, args = `id = $1 AND user_id = $2`, []any{of.ID[:], of.UserID[:]}
	case !of.ID.IsZero():
		where, args = `id = $1`, []any{of.ID[:]}
	case of.UserID.IsZero():
		return nil, fmt.Errorf("%w: neither session nor user selects the sessions to end", errFault)
	}
	sessions, err := collect(t.session, scanSession, `DELETE FROM sessions WHERE `+where+` RETURNING `+sessionColumns, args...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(sessions, func(a, b storage.Session) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	var ended []storage.EndedSession
	for _, gone := range sessions {
		_, err := t.exec(revoke+`session_id = $3 AND (state = 'pending' OR NOT offline)`, micros(t.now), string(reason), gone.ID[:])
		if err != nil {
			return nil, err
		}
		clients, err := collect(t.session, scanText, `SELECT DISTINCT client_id FROM grants WHERE session_id = $1 ORDER BY client_id`,
			gone.ID[:])
		if err != nil {
			return nil, err
		}
		ended = append(ended, storage.EndedSession{Session: gone, ClientIDs: clients})
		if len(clients) == 0 {
			continue
		}
		if err := t.also(storage.Also{Letters: []storage.Letter{{
			Kind: storage.LetterSessionEnded, UserID: gone.UserID,
			Data: map[string]string{"session_id": gone.ID.String(), "client_ids": strings.Join(clients, " ")},
		}}}); err != nil {
			return nil, err
		}
	}
	return ended, nil
}

// sessionArgs are the values of sessionFields.
func sessionArgs(s storage.Session, revision int64) []any {
	return []any{
		s.Digest[:], revision, micros(s.PasswordAt), micros(s.FactorAt), micros(s.AuthTime), s.ACR,
		record{s.AMR},
		micros(s.ChosenAt), micros(s.UsedAt), micros(s.ExpiresAt),
		record{s.Seen},
	}
}

func scanSession(r row) (s storage.Session, err error) {
	err = r.Scan(intoSession(&s)...)
	return s, err
}

// intoSession are the targets of sessionColumns.
func intoSession(s *storage.Session) []any {
	return []any{
		intoID(&s.ID), intoID(&s.UserID), intoTime(&s.CreatedAt), intoDigest(&s.Digest), &s.Revision, intoTime(&s.PasswordAt),
		intoTime(&s.FactorAt), intoTime(&s.AuthTime), &s.ACR, intoRecord(&s.AMR), intoTime(&s.ChosenAt), intoTime(&s.UsedAt),
		intoTime(&s.ExpiresAt), intoRecord(&s.Seen),
	}
}

func scanID(r row) (id storage.ID, err error) {
	err = r.Scan(intoID(&id))
	return id, err
}

func scanText(r row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
