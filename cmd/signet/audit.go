package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/storage"
)

func newAuditCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", RunE: help, Short: "Read and verify the log of security events",
		Long: "Read and verify the log of security events: who signed in, what was refused, changed and revoked, by whom and from where.",
	}
	cmd.AddCommand(newAuditList(a), newAuditVerify(a))
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
	who                        whoFlags
	kind, actor, grant, before string
	since, until               string
	limit                      int
	export                     bool
}

func (f *auditFlags) register(cmd *cobra.Command) {
	f.who.register(cmd)
	cmd.Flags().StringVar(&f.kind, "kind", "", "of this `kind`, such as grant.reuse; with * at its end all that begin so, such as 'user.*'")
	cmd.Flags().StringVar(&f.actor, "actor", "", "done by this `actor`: a user's ID, a client_id, cli or server")
	cmd.Flags().StringVar(&f.grant, "grant", "", "of this grant's `ID`")
	cmd.Flags().StringVar(&f.since, "since", "", "not older than this `time`: 2026-11-22T12:00:00Z, 2026-11-22, or 30m, 24h, 7d ago")
	cmd.Flags().StringVar(&f.until, "until", "", "older than this `time`, written likewise")
	cmd.Flags().StringVar(&f.before, "before", "", "start behind this event's `ID`")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "show at most this many, up to 1000")
	cmd.Flags().BoolVar(&f.export, "export", false, "write every event that is selected, one JSON object a line")
}

// filter is what the flags select, but for the user and the times, which only the database can tell.
func (f *auditFlags) filter(cmd *cobra.Command) (of storage.EventFilter, err error) {
	if err := checkLimit(f.limit); err != nil {
		return of, err
	}
	if f.export && (cmd.Flags().Changed("limit") || cmd.Flags().Changed("output")) {
		return of, fail(exitUsage, "--export writes all of them, as JSON: leave --limit and --output out")
	}
	if strings.Contains(strings.TrimSuffix(f.kind, "*"), "*") {
		return of, fail(exitUsage, "--kind may have one *, at its end: 'user.*'")
	}
	if of.GrantID, err = optionalID("--grant", f.grant); err != nil {
		return of, err
	}
	if of.Before, err = optionalID("--before", f.before); err != nil {
		return of, err
	}
	of.Kind, of.Actor = f.kind, f.actor
	return of, f.between(&of, time.Time{})
}

// between sets the times: "24h ago" by the clock that stamped the events.
func (f *auditFlags) between(of *storage.EventFilter, now time.Time) (err error) {
	if of.Since, err = momentOf("--since", f.since, now); err != nil {
		return err
	}
	if of.Until, err = momentOf("--until", f.until, now); err != nil {
		return err
	}
	if !now.IsZero() && f.since != "" && f.until != "" && !of.Since.Before(of.Until) {
		return fail(exitUsage, "--since must be before --until: no event is both")
	}
	return nil
}

func newAuditList(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List events, newest first", Args: cobra.NoArgs,
		Example: "  signet audit list --since 24h\n  signet audit list --user ada --kind signin.failed\n" +
			"  signet audit list --kind 'user.*' --actor cli --since 2026-11-01 --until 2026-12-01 -o json\n" +
			"  signet audit list --since 1d --export > events.jsonl",
	}
	f.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		of, err := f.filter(cmd)
		if err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			who, err := f.who.find(ctx, o)
			if err != nil {
				return err
			}
			now, err := o.store.Ping(ctx)
			if err != nil {
				return err
			}
			if err := f.between(&of, now); err != nil {
				return err
			}
			of.UserID, of.ClientID = who.UserID, who.ClientID
			if f.export {
				return a.exportEvents(ctx, o.store, of)
			}
			of.Limit = f.limit + 1
			events, err := o.store.ListEvents(ctx, of)
			if err != nil {
				return err
			}
			return a.listEvents(events, f.limit)
		})
	}
	return cmd
}

func (a *app) listEvents(events []storage.Event, limit int) error {
	var records []eventRecord
	for _, e := range events {
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

// exportPage is how many events are read at once.
const exportPage = 1000

// exportEvents writes all of them, newest first, one JSON object a line: a line is whole or not there.
func (a *app) exportEvents(ctx context.Context, store storage.Audit, of storage.EventFilter) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	of.Limit = exportPage
	for {
		events, err := store.ListEvents(ctx, of)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := encoder.Encode(eventRecordOf(e)); err != nil {
				return fail(exitFailed, "the events could not be written: %w", err)
			}
			of.Before = e.ID
		}
		if len(events) < exportPage {
			return nil
		}
	}
}

// momentOf reads a moment, or how long before now it was. "" is no moment at all.
func momentOf(flag, text string, now time.Time) (time.Time, error) {
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
		return time.Time{}, fail(exitUsage, "%s must be a time such as 2026-11-22T12:00:00Z or 2026-11-22, or how long ago: 30m, 24h, 7d", flag)
	}
	return now.Add(-d), nil
}
