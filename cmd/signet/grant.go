package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

func newGrantCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "grant", RunE: help, Short: "See and revoke what users gave to clients",
		Long: `A grant is one login of a user at a client: the one row that all its refresh and access tokens hang on.
Revoking it ends them all, on every node, at once.`,
	}
	cmd.AddCommand(newGrantList(a), newGrantRevoke(a))
	return cmd
}

// grantRecord is a grant as commands tell it. Times are seconds since the epoch; 0 means never.
type grantRecord struct {
	ID       string        `json:"id"`
	ClientID string        `json:"client_id"`
	UserID   string        `json:"user_id"`
	Scope    string        `json:"scope"`
	State    storage.State `json:"state"` // expired, where only its end has passed
	Created  int64         `json:"created_at"`
	LastUsed int64         `json:"last_used_at"` // when its newest refresh token was issued
	Expires  int64         `json:"expires_at"`
	Revoked  int64         `json:"revoked_at,omitempty"`
	Reason   string        `json:"revoked_reason,omitempty"`
	Address  string        `json:"last_address,omitempty"`
	Agent    string        `json:"last_agent,omitempty"`
}

// stateExpired is how a list calls a grant that nobody ended and whose time is over.
const stateExpired storage.State = "expired"

func grantRecordOf(g storage.Grant, now time.Time) grantRecord {
	r := grantRecord{
		ID: g.ID.String(), ClientID: g.ClientID, UserID: g.UserID.String(), Scope: strings.Join(g.Scope, " "), State: g.State,
		Created: seconds(g.CreatedAt), LastUsed: seconds(g.IssuedAt), Expires: seconds(g.ExpiresAt),
		Revoked: seconds(g.RevokedAt), Reason: string(g.RevokedReason), Address: g.Seen.Address, Agent: g.Seen.Agent,
	}
	if g.State != storage.Revoked && !now.Before(g.ExpiresAt) {
		r.State = stateExpired
	}
	return r
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// whoFlags select grants or events by whom they concern.
type whoFlags struct{ user, client string }

func (w *whoFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.user, "user", "", "of this `user`: ID, username or e-mail address")
	cmd.Flags().StringVar(&w.client, "client", "", "of this `client_id`")
}

// find resolves the names. What does not exist is an error, so that a slip of the pen does not pass for "nothing there". A user
// who was deleted is still found by ID.
func (w *whoFlags) find(ctx context.Context, o *opened) (of storage.GrantsOf, err error) {
	if w.user != "" {
		found, err := o.People().Find(ctx, w.user)
		switch {
		case err == nil:
			of.UserID = found.User.ID
		case errors.Is(err, account.ErrNotFound):
			if of.UserID, err = storage.ParseID(w.user); err != nil {
				return of, fail(exitNotFound, "there is no user %q; 'signet user list' shows all", w.user)
			}
		default:
			return of, err
		}
	}
	of.ClientID = w.client
	return of, nil
}

func newGrantList(a *app) *cobra.Command {
	var who whoFlags
	var before string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the grants of a user or a client, newest first", Args: cobra.NoArgs,
		Example: "  signet grant list --user ada\n  signet grant list --client shop -o json",
	}
	who.register(cmd)
	cmd.Flags().StringVar(&before, "before", "", "start behind this grant")
	cmd.Flags().IntVar(&limit, "limit", 100, "show at most this many, up to 1000")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if who == (whoFlags{}) {
			return fail(exitUsage, "say whose grants: --user, --client or both")
		}
		if err := checkLimit(limit); err != nil {
			return err
		}
		from, err := optionalID("--before", before)
		if err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			of, err := who.find(ctx, o)
			if err != nil {
				return err
			}
			grants, now, err := o.store.ListGrants(ctx, of, from, limit+1)
			if err != nil {
				return err
			}
			if len(grants) > limit {
				grants = grants[:limit]
				a.hint("There are more: the same with --before %s", grants[limit-1].ID)
			}
			var records []grantRecord
			for _, g := range grants {
				records = append(records, grantRecordOf(g, now))
			}
			head := []string{"ID", "CLIENT_ID", "USER_ID", "SCOPE", "CREATED", "LAST_USED", "STATE", "REASON", "EXPIRES"}
			return list(a, records, head, func(r grantRecord) []string {
				return []string{
					r.ID, r.ClientID, r.UserID, r.Scope, moment(r.Created), moment(r.LastUsed), string(r.State), r.Reason, moment(r.Expires),
				}
			})
		})
	}
	return cmd
}

func checkLimit(limit int) error {
	if limit < 1 || limit > 1000 {
		return fail(exitUsage, "--limit must be between 1 and 1000")
	}
	return nil
}

func optionalID(flag, text string) (storage.ID, error) {
	if text == "" {
		return storage.ID{}, nil
	}
	id, err := storage.ParseID(text)
	if err != nil {
		return id, fail(exitUsage, "%s must be an ID such as 019ced4b-9a57-7000-8000-000000000001", flag)
	}
	return id, nil
}

// revocation answers grant revoke.
type revocation struct {
	ID       string `json:"id,omitempty"`
	UserID   string `json:"user_id,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Revoked  int    `json:"revoked"` // how many this command ended; those that had ended before do not count
}

func newGrantRevoke(a *app) *cobra.Command {
	var who whoFlags
	cmd := &cobra.Command{
		Use: "revoke [ID]", Short: "End a grant, or all of a user or a client, with every token of theirs", Args: cobra.MaximumNArgs(1),
		Example: "  signet grant revoke 019ced4b-9a57-7000-8000-000000000001\n  signet grant revoke --user ada\n" +
			"  signet grant revoke --user ada --client shop",
	}
	who.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) == 1) == (who != whoFlags{}) {
			return fail(exitUsage, "say which: the ID of one grant, or --user, --client or both")
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			act := revokeMany
			if len(args) == 1 {
				act = func(ctx context.Context, o *opened, _ whoFlags) (revocation, error) {
					return revokeOne(ctx, o, args[0])
				}
			}
			done, err := act(ctx, o, who)
			if err != nil {
				return err
			}
			return a.show(done)
		})
	}
	return cmd
}

func revokeOne(ctx context.Context, o *opened, text string) (revocation, error) {
	id, err := optionalID("the grant", text)
	if err != nil {
		return revocation{}, err
	}
	standing, err := o.store.FindGrant(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return revocation{}, fail(exitNotFound, "there is no grant %s; 'signet grant list --user NAME' shows a user's", id)
	}
	if err != nil {
		return revocation{}, err
	}
	g := standing.Grant
	first, err := o.store.RevokeGrant(ctx, storage.Revocation{ID: id, Reason: storage.ReasonAdmin, Also: storage.Also{Events: []storage.Event{{
		Kind: "grant.revoked", Actor: actorCLI, UserID: g.UserID, ClientID: g.ClientID, GrantID: g.ID,
	}}}})
	done := revocation{ID: id.String(), UserID: g.UserID.String(), ClientID: g.ClientID}
	if first {
		done.Revoked = 1
	}
	return done, err
}

func revokeMany(ctx context.Context, o *opened, who whoFlags) (revocation, error) {
	of, err := who.find(ctx, o)
	if err != nil {
		return revocation{}, err
	}
	n, err := o.store.RevokeGrants(ctx, of, storage.Revocation{Reason: storage.ReasonAdmin, Also: storage.Also{Events: []storage.Event{{
		Kind: "grants.revoked", Actor: actorCLI, UserID: of.UserID, ClientID: of.ClientID,
	}}}})
	return revocation{UserID: of.UserID.String(), ClientID: of.ClientID, Revoked: n}, err
}
