package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/storage"
)

func newAuditCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", RunE: help, Short: "Read the log of security events",
		Long: "Read the log of security events: who signed in, what was refused, changed and revoked, by whom and from where.",
	}
	cmd.AddCommand(newAuditList(a))
	return cmd
}

// eventRecord is an audit event as commands tell it.
type eventRecord struct {
	ID       string            `json:"id"`
	At       int64             `json:"at"` // seconds since the epoch
	Kind     string            `json:"kind"`
	Actor    string            `json:"actor,omitempty"`
	UserID   string            `json:"user_id,omitempty"`
	ClientID string            `json:"client_id,omitempty"`
	GrantID  string            `json:"grant_id,omitempty"`
	Address  string            `json:"address,omitempty"`
	Agent    string            `json:"agent,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
}

func eventRecordOf(e storage.Event) eventRecord {
	return eventRecord{
		ID: e.ID.String(), At: seconds(e.At), Kind: e.Kind, Actor: e.Actor, UserID: e.UserID.String(), ClientID: e.ClientID,
		GrantID: e.GrantID.String(), Address: e.Seen.Address, Agent: e.Seen.Agent, Detail: e.Detail,
	}
}

// auditFlags are the filters of audit list.
type auditFlags struct {
	who                 whoFlags
	kind, grant, before string
	since               string
	limit               int
}

func (f *auditFlags) register(cmd *cobra.Command) {
	f.who.register(cmd)
	cmd.Flags().StringVar(&f.kind, "kind", "", "of this `kind`, such as grant.reuse")
	cmd.Flags().StringVar(&f.grant, "grant", "", "of this grant's `ID`")
	cmd.Flags().StringVar(&f.since, "since", "", "not older than this `time`: 2026-11-22T12:00:00Z, 2026-11-22, or 30m, 24h, 7d ago")
	cmd.Flags().StringVar(&f.before, "before", "", "start behind this event's `ID`")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "show at most this many, up to 1000")
}

func newAuditList(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List events, newest first", Args: cobra.NoArgs,
		Example: "  signet audit list --since 24h\n  signet audit list --user ada --kind signin.failed\n  signet audit list --kind grant.reuse -o json",
	}
	f.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkLimit(f.limit); err != nil {
			return err
		}
		grant, err := optionalID("--grant", f.grant)
		if err != nil {
			return err
		}
		before, err := optionalID("--before", f.before)
		if err != nil {
			return err
		}
		if _, err := sinceOf(f.since, time.Time{}); err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			of, err := f.who.find(ctx, o)
			if err != nil {
				return err
			}
			events, err := o.store.ListEvents(ctx, storage.EventFilter{
				Kind: f.kind, UserID: of.UserID, ClientID: of.ClientID, GrantID: grant, Before: before, Limit: f.limit + 1,
			})
			if err != nil {
				return err
			}
			now, err := o.store.Ping(ctx) // "24h ago" by the clock that stamped the events
			if err != nil {
				return err
			}
			since, _ := sinceOf(f.since, now)
			return a.listEvents(events, since, f.limit)
		})
	}
	return cmd
}

func (a *app) listEvents(events []storage.Event, since time.Time, limit int) error {
	var records []eventRecord
	for _, e := range events {
		if e.At.Before(since) {
			break
		}
		if len(records) == limit {
			a.hint("There are more: the same with --before %s", records[limit-1].ID)
			break
		}
		records = append(records, eventRecordOf(e))
	}
	head := []string{"AT", "KIND", "ACTOR", "USER_ID", "CLIENT_ID", "GRANT_ID", "ADDRESS"}
	return list(a, records, head, func(r eventRecord) []string {
		return []string{moment(r.At), r.Kind, r.Actor, r.UserID, r.ClientID, r.GrantID, r.Address}
	})
}

// sinceOf reads a moment, or how long before now it was. "" is the beginning of time.
func sinceOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	d, err := parseDuration(text)
	if err != nil || d < 0 {
		return time.Time{}, fail(exitUsage, "--since must be a time such as 2026-11-22T12:00:00Z or 2026-11-22, or how long ago: 30m, 24h, 7d")
	}
	return now.Add(-d), nil
}
