package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

func newClientApply(a *app) *cobra.Command {
	var files []string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Make clients what files say: create, update, leave alone", Args: cobra.NoArgs,
		Long: `Make clients what files say. A file is YAML or JSON with one member, clients: a list of clients
with the members that 'signet client show -o json' has. client_id is of your choice. A member
that a file leaves out gets its default, as in 'signet client create'; disabled alone stays as it
is. Clients that no file names are left alone, and applying twice changes nothing.

All files are checked before anything is written; then each client is one write. The secret of a
new client is made here and shown once; the secrets of others stay.

` + clientFileExample,
		Example: `  signet client apply -f clients.yaml --dry-run
  signet client apply -f clients.yaml -f partners.yaml
  signet client export | signet client apply -f - --dry-run -o json`,
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "`file` with clients, - for stdin (repeatable)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, and write nothing")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(files) == 0 {
			return fail(exitUsage, "name at least one file with -f, or - for stdin; see 'signet client apply --help'")
		}
		read := newClientReader()
		for _, name := range files {
			read.open(cmd.Context(), name, a.stdin)
		}
		if len(read.clients) == 0 && len(read.problems) > 0 { // nothing to ask a database about
			return fail(exitFailed, "%w", errors.Join(read.problems...))
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			if err := read.check(o.Clients()); err != nil {
				a.hint("Nothing was written: every file must be right first.")
				return err
			}
			run := applying{app: a, dryRun: dryRun, registry: o.Clients(), counts: map[string]int{}, outcomes: []applied{}}
			return run.all(ctx, read.clients)
		})
	}
	return cmd
}

const clientFileExample = `  clients:
    - client_id: shop
      client_name: Shop
      redirect_uris:
        - https://shop.example/callback
      grant_types: [authorization_code, refresh_token]
      scope: openid profile email`

// What becomes of a client, in the words of people and of -o json.
const (
	actCreate    = "create"
	actUpdate    = "update"
	actUnchanged = "unchanged"
	actFailed    = "failed"
	actSkipped   = "skipped"
)

// applied is what became of one client.
type applied struct {
	ClientID              string          `json:"client_id"`
	Action                string          `json:"action"`
	ClientSecret          string          `json:"client_secret,omitempty"`
	ClientSecretExpiresAt *int64          `json:"client_secret_expires_at,omitempty"`
	Changes               []client.Change `json:"changes,omitempty"`
	Error                 string          `json:"error,omitempty"`
}

// applying is one run of apply.
type applying struct {
	*app
	dryRun   bool
	registry *client.Registry
	outcomes []applied
	counts   map[string]int
	secrets  bool // whether one was made
}

// all does each client by itself, and tells what became of each whatever became of the others. Where the database is gone the rest is
// not tried.
func (r *applying) all(ctx context.Context, clients []declared) error {
	var failures []error
	for i, d := range clients {
		step, err := r.one(ctx, d.Declaration)
		if err == nil {
			if err := r.tell(step); err != nil {
				return err
			}
			continue
		}
		err = applyFault(d.ClientID, err)
		failures = append(failures, err, r.record(applied{ClientID: d.ClientID, Action: actFailed, Error: err.Error()}))
		if exitCode(err) == exitDatabase || ctx.Err() != nil {
			for _, rest := range clients[i+1:] {
				failures = append(failures, r.record(applied{ClientID: rest.ClientID, Action: actSkipped}))
			}
			break
		}
	}
	if r.output == "json" {
		failures = append(failures, printJSON(r.stdout, r.outcomes))
	}
	r.summarize()
	return errors.Join(failures...)
}

func (r *applying) one(ctx context.Context, d client.Declaration) (client.Step, error) {
	if r.dryRun {
		return r.registry.Plan(ctx, d)
	}
	return r.registry.Apply(ctx, d, actorCLI)
}

// tell says what became of a client as soon as it is known: a secret that waited for the other clients could be lost with them.
func (r *applying) tell(step client.Step) error {
	after := client.Registration(step.After, step.Secret)
	outcome := applied{
		ClientID: after.ClientID, Action: actUpdate, ClientSecret: after.ClientSecret,
		ClientSecretExpiresAt: after.ClientSecretExpiresAt, Changes: step.Changes,
	}
	switch {
	case len(step.Changes) == 0:
		outcome.Action = actUnchanged
	case step.Creates():
		outcome.Action = actCreate
	case client.HoldsSecret(step.After) && len(step.After.Secrets) == 0:
		r.hint("%s has no client_secret yet: signet client rotate-secret %s", after.ClientID, after.ClientID)
	case len(step.Before.Secrets) > 0 && len(step.After.Secrets) == 0:
		r.hint("%s has no client_secret any more after this: it authenticates by %s.", after.ClientID, after.TokenEndpointAuthMethod)
	}
	r.secrets = r.secrets || step.Secret != ""
	return r.record(outcome)
}

func (r *applying) record(outcome applied) error {
	r.outcomes = append(r.outcomes, outcome)
	r.counts[outcome.Action]++
	if r.output == "json" { // one array, at the end
		return nil
	}
	if _, err := fmt.Fprint(r.stdout, describe(outcome)); err != nil {
		return fmt.Errorf("client %q: what became of it cannot be printed: %w", outcome.ClientID, err)
	}
	return nil
}

// describe is an outcome as people read it: the client, and each member that changes, old → new.
func describe(outcome applied) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-9s  %s\n", outcome.Action, outcome.ClientID)
	for _, change := range outcome.Changes {
		switch {
		case outcome.Action == actCreate:
			fmt.Fprintf(&text, "  %s: %s\n", change.Member, change.Is)
		default:
			fmt.Fprintf(&text, "  %s: %s → %s\n", change.Member, orUnset(change.Was), orUnset(change.Is))
		}
	}
	if outcome.ClientSecret != "" {
		fmt.Fprintf(&text, "  client_secret: %s\n", outcome.ClientSecret)
	}
	return text.String()
}

func orUnset(value []byte) string {
	if value == nil {
		return "unset"
	}
	return string(value)
}

func (r *applying) summarize() {
	var parts []string
	for _, action := range []string{actCreate, actUpdate, actUnchanged, actFailed, actSkipped} {
		if n := r.counts[action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", action, n))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no clients"}
	}
	if r.dryRun {
		r.hint("Nothing was written; apply would: %s.", strings.Join(parts, ", "))
		return
	}
	r.hint("Applied: %s.", strings.Join(parts, ", "))
	if r.secrets {
		r.hint("Each client_secret is shown this once: store it now. A new one: signet client rotate-secret ID")
	}
}

// applyFault says in words why a client is not what its file says, and what to do.
func applyFault(id string, err error) error {
	switch {
	case errors.Is(err, storage.ErrMoved):
		return fail(exitFailed, "client %q: somebody else keeps changing it, and nothing was written; apply again", id)
	case errors.Is(err, storage.ErrUnknown):
		return fmt.Errorf("client %q: nobody knows whether it was written; apply again, and if it was new: signet client rotate-secret %s: %w", id, id, err)
	}
	return fmt.Errorf("client %q: %w", id, clientFault(err))
}
