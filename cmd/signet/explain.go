package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

// explanation is a refused request as signet explain tells it.
type explanation struct {
	ID          string       `json:"request_id"`
	At          int64        `json:"refused_at"`
	Endpoint    string       `json:"endpoint"`
	ClientID    string       `json:"client_id"`
	GrantType   string       `json:"grant_type,omitempty"`
	Code        string       `json:"error"`
	Description string       `json:"error_description,omitempty"`
	Cause       string       `json:"cause,omitempty"`       // why, which the client was not told
	Detail      details      `json:"detail,omitempty"`      // what was sent beside what is registered, and what else the cause is about
	Token       string       `json:"what_became,omitempty"` // of the token that was presented, as it stood then
	Address     string       `json:"address,omitempty"`     // who asked
	Agent       string       `json:"agent,omitempty"`
	GrantID     string       `json:"grant_id,omitempty"`
	Grant       *grantRecord `json:"grant_now,omitempty"`   // as it stands now; absent where it is gone
	Events      string       `json:"more_events,omitempty"` // where to read on
}

func newExplainCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain ERROR-ID", Short: "Say why a request was refused", Args: cobra.ExactArgs(1),
		Long: `Say why a request of a client was refused: what the client was told, what it was not told, what it
sent beside what is registered, and what had become of the token. ERROR-ID is the X-Request-Id header
of the answer, which stands on the error page and in the server's log as request_id too. Refusals are
kept for 24 hours.`,
		Example: "  signet explain ZMP3VZJRJ3S5JYWFPRY2NBJQN4\n  signet explain ZMP3VZJRJ3S5JYWFPRY2NBJQN4 -o json",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			r, err := o.store.FindRefusal(ctx, args[0])
			if errors.Is(err, storage.ErrNotFound) {
				return fail(exitNotFound, "nothing is kept about %q: refusals of registered clients are, for 24 hours and within a second; "+
					"outages and successes are in the server's log under request_id", args[0])
			}
			if err != nil {
				return err
			}
			e := explain(r)
			if e.Grant, err = grantNow(ctx, o, r.GrantID); err != nil {
				return err
			}
			return a.tell(e)
		})
	}
	return cmd
}

func explain(r storage.RefusedRequest) explanation {
	e := explanation{
		ID: r.ID, At: seconds(r.At), Endpoint: r.Endpoint, ClientID: r.ClientID, GrantType: r.GrantType, Code: r.Code,
		Description: r.Description, Cause: r.Cause, Detail: r.Detail, Token: r.Token, Address: r.Seen.Address, Agent: r.Seen.Agent, GrantID: r.GrantID.String(),
	}
	if !r.GrantID.IsZero() {
		e.Events = "signet audit list --grant " + r.GrantID.String()
	}
	return e
}

// details are those of storage.RefusedRequest.
type details map[string]string

// rows are the details one a line: received and registered below each other, with a mark under the character at which they part, and
// then the others by name.
func (d details) rows() (rows [][]string) {
	for _, name := range []string{client.DetailReceived, client.DetailRegistered} {
		if d[name] != "" {
			rows = append(rows, []string{name, d[name]})
		}
	}
	if at, err := strconv.Atoi(d[client.DetailAt]); err == nil && at >= 0 && len(rows) == 2 && at <= len(d[client.DetailReceived]) {
		rows = append(rows, []string{"", strings.Repeat(" ", utf8.RuneCountInString(d[client.DetailReceived][:at])) + "^"})
	}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if name != client.DetailReceived && name != client.DetailRegistered && name != client.DetailAt {
			rows = append(rows, []string{name, d[name]})
		}
	}
	return rows
}

// tell answers with an explanation: its JSON, or a table with the details in their place.
func (a *app) tell(e explanation) error {
	if a.output == "json" {
		return a.show(e)
	}
	members, err := membersOf(e)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, row := range members {
		if row[0] != "detail" {
			rows = append(rows, row)
			continue
		}
		for _, line := range e.Detail.rows() {
			rows = append(rows, []string{strings.TrimRight("  "+line[0], " "), line[1]})
		}
	}
	return writeTable(a.stdout, rows)
}

// grantNow is nil where no grant is named or it is gone.
func grantNow(ctx context.Context, o *opened, id storage.ID) (*grantRecord, error) {
	if id.IsZero() {
		return nil, nil
	}
	standing, err := o.store.FindGrant(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	record := grantRecordOf(standing.Grant, standing.Now)
	return &record, nil
}
