package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/storage"
)

const (
	eventColumns = `id, at, kind, actor, user_id, client_id, grant_id, seen, detail`
	insertEvent  = `INSERT INTO audit_events (` + eventColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
)

// RecordEvents implements storage.Audit. An event without an ID gets one.
func (s *Store) RecordEvents(ctx context.Context, events []storage.Event) error {
	return s.write(ctx, "record events", func(t *tx) error { return t.also(storage.Also{Events: events}) })
}

// ListEvents implements storage.Audit: newest first is the order of the IDs. Limit 0: all.
func (s *Store) ListEvents(ctx context.Context, f storage.EventFilter) ([]storage.Event, error) {
	var where []string
	var args []any
	match := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if begins, all := strings.CutSuffix(f.Kind, "*"); all {
		match("substr(CAST(kind AS BLOB), 1, length($%[1]d)) = $%[1]d", []byte(begins))
	} else if f.Kind != "" {
		match("kind = $%d", f.Kind)
	}
	if f.Actor != "" {
		match("actor = $%d", f.Actor)
	}
	if !f.UserID.IsZero() {
		match("user_id = $%d", f.UserID[:])
	}
	if f.ClientID != "" {
		match("client_id = $%d", f.ClientID)
	}
	if !f.GrantID.IsZero() {
		match("grant_id = $%d", f.GrantID[:])
	}
	if !f.Since.IsZero() {
		match("at >= $%d", micros(f.Since))
	}
	if !f.Until.IsZero() {
		match("at < $%d", micros(f.Until))
	}
	if !f.Before.IsZero() {
		match("id < $%d", f.Before[:])
	}
	query := `SELECT ` + eventColumns + ` FROM audit_events`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	query += ` ORDER BY id DESC`
	if f.Limit > 0 {
		args = append(args, f.Limit)
		query += fmt.Sprintf(` LIMIT $%d`, len(args))
	}
	events, _, err := read(ctx, s, "list events", func(c *session) ([]storage.Event, error) {
		return collect(c, scanEvent, query, args...)
	})
	return events, err
}

// also writes what an act commits with itself, and stamps it.
func (t *tx) also(a storage.Also) error {
	for _, e := range a.Events {
		id, err := named(e.ID)
		if err != nil {
			return err
		}
		_, err = t.exec(insertEvent, id[:], micros(t.now), e.Kind, e.Actor, optional(e.UserID), e.ClientID, optional(e.GrantID),
			record{e.Seen}, record{e.Detail})
		if err != nil {
			return err
		}
	}
	for _, l := range a.Letters {
		id, err := named(l.ID)
		if err != nil {
			return err
		}
		if _, err := t.exec(insertLetter, id[:], l.Kind, optional(l.UserID), record{l.Data}, micros(t.now)); err != nil {
			return err
		}
	}
	return nil
}

// named returns id, or a new one where it is zero.
func named(id storage.ID) (storage.ID, error) {
	if !id.IsZero() {
		return id, nil
	}
	made, err := uuid.NewV7()
	return storage.ID(made), err
}

func scanEvent(r row) (e storage.Event, err error) {
	err = r.Scan(intoEvent(&e)...)
	return e, err
}

// intoEvent are the targets of eventColumns.
func intoEvent(e *storage.Event) []any {
	return []any{
		intoID(&e.ID), intoTime(&e.At), &e.Kind, &e.Actor, intoID(&e.UserID), &e.ClientID, intoID(&e.GrantID),
		intoRecord(&e.Seen), intoRecord(&e.Detail),
	}
}
