package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const eventColumns = `id, at, kind, actor, user_id, client_id, grant_id, seen, detail`

func intoEvent(e *storage.Event) []any {
	return []any{
		idOf{&e.ID}, when{&e.At}, &e.Kind, &e.Actor, idOf{&e.UserID}, &e.ClientID, idOf{&e.GrantID}, &e.Seen, &e.Detail,
	}
}

// report queues what an act commits with itself.
func (s *Store) report(b *pgx.Batch, also storage.Also) {
	for _, e := range also.Events {
		b.Queue(`INSERT INTO audit_events (`+eventColumns+`)
			VALUES ($2, `+clockNow+`, $3, $4, $5, $6, $7, $8, $9)`,
			s.now(), uid(newID(e.ID)), legible(e.Kind), legible(e.Actor), uid(e.UserID), legible(e.ClientID), uid(e.GrantID),
			record(e.Seen), record(e.Detail))
	}
	for _, l := range also.Letters {
		b.Queue(`INSERT INTO outbox (id, kind, user_id, data, attempt, due_at, created_at)
			SELECT $2, $3, $4, $5, 0, now, now FROM (SELECT `+clockNow+` AS now) AS clock`,
			s.now(), uid(newID(l.ID)), legible(l.Kind), uid(l.UserID), record(l.Data))
	}
}

// RecordEvents implements storage.Audit.
func (s *Store) RecordEvents(ctx context.Context, events []storage.Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.actOnly(ctx, func(b *pgx.Batch) { s.report(b, storage.Also{Events: events}) })
}

// ListEvents implements storage.Audit. The text names only the columns that select, so that their indexes are used.
func (s *Store) ListEvents(ctx context.Context, f storage.EventFilter) ([]storage.Event, error) {
	if !keepable(f.Kind) || !keepable(f.Actor) || !keepable(f.ClientID) {
		return nil, nil
	}
	var args []any
	where := []string{"true"}
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if begins, all := strings.CutSuffix(f.Kind, "*"); all {
		add("starts_with(kind, $%d)", begins)
	} else if f.Kind != "" {
		add("kind = $%d", f.Kind)
	}
	if f.Actor != "" {
		add("actor = $%d", f.Actor)
	}
	if !f.UserID.IsZero() {
		add("user_id = $%d", uid(f.UserID))
	}
	if f.ClientID != "" {
		add("client_id = $%d", f.ClientID)
	}
	if !f.GrantID.IsZero() {
		add("grant_id = $%d", uid(f.GrantID))
	}
	if !f.Since.IsZero() {
		add("at >= $%d", stamp(f.Since))
	}
	if !f.Until.IsZero() {
		add("at < $%d", stamp(f.Until))
	}
	if !f.Before.IsZero() {
		add("(at, id) < (SELECT at, id FROM audit_events WHERE id = $%d)", uid(f.Before))
	}
	text := `SELECT ` + eventColumns + ` FROM audit_events
		WHERE ` + strings.Join(where, " AND ") + ` ORDER BY at DESC, id DESC`
	if f.Limit > 0 {
		args = append(args, f.Limit)
		text += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Event, error) {
		rows, err := c.Query(ctx, text, args...)
		return rowsOf(rows, err, intoEvent)
	})
}
