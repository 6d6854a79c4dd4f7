package postgres

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/signet-idp/signet/storage"
)

// uid is an ID as a parameter: NULL for the zero one.
func uid(id storage.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: !id.IsZero()} }

func uids[T any](of []T, id func(T) storage.ID) []pgtype.UUID {
	ids := make([]pgtype.UUID, len(of))
	for i, v := range of {
		ids[i] = uid(id(v))
	}
	return ids
}

// newID is id, or a new one where id is zero.
func newID(id storage.ID) storage.ID {
	if id.IsZero() {
		return storage.ID(uuid.Must(uuid.NewV7()))
	}
	return id
}

// stamp is a time as a parameter: NULL for the zero one.
func stamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

// record is a json parameter. Go's encoder replaces what is not UTF-8; json keeps everything else, U+0000 included.
func record(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("postgres: a record of package storage has no JSON form: " + err.Error())
	}
	return string(text)
}

// recordOf is record of what v points to: NULL for nothing.
func recordOf[T any](v *T) *string {
	if v == nil {
		return nil
	}
	text := record(v)
	return &text
}

// hash is a digest as a parameter: NULL for the zero one.
func hash(d storage.Digest) []byte {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

func hashes(of []storage.Digest) [][]byte {
	bytes := make([][]byte, len(of))
	for i := range of {
		bytes[i] = of[i][:]
	}
	return bytes
}

// list and blob are parameters for columns that know no NULL.
func list(of []string) []string { return append([]string{}, of...) }
func blob(b []byte) []byte      { return append([]byte{}, b...) }

// keepable reports whether PostgreSQL's text can hold s. No row is named by a string that it cannot.
func keepable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// legible is s as text that can be kept: what goes into the audit log must never fail the act that it reports.
func legible(s string) string {
	if keepable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// The targets of Scan: each turns NULL into the zero value.
type (
	idOf   struct{ *storage.ID }
	when   struct{ *time.Time }
	digest struct{ *storage.Digest }
)

// ScanUUID implements pgtype.UUIDScanner.
func (t idOf) ScanUUID(v pgtype.UUID) error { *t.ID = v.Bytes; return nil }

// ScanTimestamptz implements pgtype.TimestamptzScanner.
func (t when) ScanTimestamptz(v pgtype.Timestamptz) error {
	*t.Time = time.Time{}
	if v.Valid {
		*t.Time = v.Time.UTC()
	}
	return nil
}

// ScanBytes implements pgtype.BytesScanner.
func (t digest) ScanBytes(v []byte) error { copy(t.Digest[:], v); return nil }

// grantBody are the columns of a grant between its id and created_at, grantPlaces their parameters and bodyOf their
// values; grantColumns are the same ones where other tables stand beside.
const (
	grantBody = `client_id, user_id, session_id, offline, scope, audience, acr, amr, auth_time, nonce, claims, state, revision, pending,
		generation, fork, parent_fork, key_id, issued_at, retired, shared_at, seen, code_hash, user_code, secret_hash, expires_at, sender,
		revoked_at, revoked_reason`
	grantColumns = `g.client_id, g.user_id, g.session_id, g.offline, g.scope, g.audience, g.acr, g.amr, g.auth_time, g.nonce, g.claims,
		g.state, g.revision, g.pending, g.generation, g.fork, g.parent_fork, g.key_id, g.issued_at, g.retired, g.shared_at, g.seen,
		g.code_hash, g.user_code, g.secret_hash, g.expires_at, g.sender, g.revoked_at, g.revoked_reason`
	grantPlaces = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
		$26, $27, $28, $29`
)

// bodyOf keeps a user code only while the grant is pending: then it is free for another.
func bodyOf(g storage.Grant) []any {
	retired := make([]pgtype.Timestamptz, len(g.Retired))
	for i, t := range g.Retired {
		retired[i] = stamp(t)
	}
	if g.State != storage.Pending {
		g.UserCode = storage.Digest{}
	}
	return []any{
		g.ClientID, uid(g.UserID), uid(g.SessionID), g.Offline, list(g.Scope), list(g.Audience), g.ACR, list(g.AMR), stamp(g.AuthTime),
		g.Nonce, recordOf(g.Claims), string(g.State), g.Revision, recordOf(waiting(g.Pending)), int64(g.Generation), int32(g.Fork),
		int32(g.ParentFork), int32(g.KeyID), stamp(g.IssuedAt), retired, stamp(g.SharedAt), record(g.Seen), hash(g.CodeHash),
		hash(g.UserCode), g.SecretHash[:], stamp(g.ExpiresAt), g.Sender, stamp(g.RevokedAt), string(g.RevokedReason),
	}
}

// waiting is w with its times as columns keep them.
func waiting(w *storage.Waiting) *storage.Waiting {
	if w == nil {
		return nil
	}
	kept := *w
	kept.SessionEnds, kept.PolledAt = w.SessionEnds.UTC().Truncate(time.Microsecond), w.PolledAt.UTC().Truncate(time.Microsecond)
	return &kept
}

// intoGrant are the targets of id, created_at and grantBody.
func intoGrant(g *storage.Grant) []any {
	return []any{
		idOf{&g.ID},
		when{&g.CreatedAt},
		&g.ClientID,
		idOf{&g.UserID},
		idOf{&g.SessionID},
		&g.Offline, &g.Scope, &g.Audience, &g.ACR, &g.AMR,
		when{&g.AuthTime},
		&g.Nonce,
		&g.Claims,
		&g.State, &g.Revision, &g.Pending, &g.Generation, &g.Fork, &g.ParentFork, &g.KeyID,
		when{&g.IssuedAt},
		&g.Retired,
		when{&g.SharedAt},
		&g.Seen,
		digest{&g.CodeHash},
		digest{&g.UserCode},
		digest{&g.SecretHash},
		when{&g.ExpiresAt},
		&g.Sender,
		when{&g.RevokedAt},
		&g.RevokedReason,
	}
}

// tidy gives a grant that was scanned the form in which it was given: no empty lists, all times in UTC.
func tidy(g *storage.Grant) {
	g.Scope, g.Audience, g.AMR = orNil(g.Scope), orNil(g.Audience), orNil(g.AMR)
	g.Retired = orNil(g.Retired)
	for i, t := range g.Retired {
		g.Retired[i] = t.UTC()
	}
}

func orNil[T any](of []T) []T {
	if len(of) == 0 {
		return nil
	}
	return of
}

const clientColumns = `c.id, c.revision, c.metadata, c.secrets, c.disabled_at, c.created_at, c.updated_at, c.origin,
	c.owner_id, c.disabled_for, c.registration, c.used_at, c.used_by`

func intoClient(c *storage.Client) []any {
	return []any{
		&c.ID, &c.Revision, &c.Metadata, &c.Secrets,
		when{&c.DisabledAt},
		when{&c.CreatedAt},
		when{&c.UpdatedAt},
		&c.Origin,
		idOf{&c.OwnerID},
		&c.DisabledFor,
		digest{&c.Registration},
		when{&c.UsedAt},
		idOf{&c.UsedBy},
	}
}

// sessionColumns are those of a session s.
const sessionColumns = `s.id, s.digest, s.user_id, s.revision, s.password_at, s.factor_at, s.auth_time, s.acr, s.amr, s.chosen_at,
	s.created_at, s.used_at, s.expires_at, s.seen`

func intoSession(s *storage.Session) []any {
	return []any{
		idOf{&s.ID},
		digest{&s.Digest},
		idOf{&s.UserID},
		&s.Revision,
		when{&s.PasswordAt},
		when{&s.FactorAt},
		when{&s.AuthTime},
		&s.ACR, &s.AMR,
		when{&s.ChosenAt},
		when{&s.CreatedAt},
		when{&s.UsedAt},
		when{&s.ExpiresAt},
		&s.Seen,
	}
}

const userColumns = `u.id, u.revision, u.username, u.email, u.email_verified, u.phone, u.phone_verified, u.profile, u.admin,
	ARRAY(SELECT login FROM logins l WHERE l.user_id = u.id ORDER BY login), u.disabled_at, u.created_at, u.updated_at`

func intoUser(u *storage.User) []any {
	return []any{
		idOf{&u.ID},
		&u.Revision, &u.Username, &u.Email, &u.EmailVerified, &u.Phone, &u.PhoneVerified, &u.Profile, &u.Admin,
		&u.Logins,
		when{&u.DisabledAt},
		when{&u.CreatedAt},
		when{&u.UpdatedAt},
	}
}

// rowsOf collects what each row is scanned into by into.
func rowsOf[T any](rows pgx.Rows, err error, into func(*T) []any) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (v T, err error) {
		err = row.Scan(into(&v)...)
		return v, err
	})
}

// rowsAt collects, as rowsOf does, what a statement finds beside its first column, the clock. Where it finds nothing there is one row
// all the same, with nothing in it but the clock: so both are of one instant.
func rowsAt[T any](rows pgx.Rows, err error, into func(*T) []any) (of []T, now time.Time, _ error) {
	if err != nil {
		return nil, now, err
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		targets := append([]any{when{&now}}, into(&v)...)
		empty := rows.RawValues()[1] == nil
		if empty {
			clear(targets[1:]) // pgx passes over a column without a target
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, now, err
		}
		if !empty {
			of = append(of, v)
		}
	}
	return of, now, rows.Err()
}
