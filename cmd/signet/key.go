package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// keyRecord is a key as commands show it. Times are seconds since the epoch.
type keyRecord struct {
	KID       string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg,omitempty"`
	State     string `json:"state"`
	ChangedAt int64  `json:"changed_at"` // since when it is in its state
	CreatedAt int64  `json:"created_at"`
}

// keyList answers key list.
type keyList struct {
	Keys  []keyRecord `json:"keys"`
	Older int         `json:"sealed_under_older_secret_key"` // keys, seeds of authenticators and audit checkpoints
}

func newKeyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "key", RunE: help, Short: "Show, rotate and revoke signing keys and handle keys",
		Long: "Show, rotate and revoke signing keys and handle keys. Keys rotate by themselves (SIGNET_KEY_ROTATION_INTERVAL), and a\n" +
			"running server notices within 10 seconds what is done here. A key is pending (published, not in use), active,\n" +
			"retiring (published, no longer in use), and at last removed; or revoked, at once. The key of pairwise subjects alone\n" +
			"never changes.",
	}
	cmd.AddCommand(newKeyList(a), newKeyRotate(a), newKeyRevoke(a))
	return cmd
}

func newKeyList(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "Show the keys, and how much is still sealed under an older secret key", Args: cobra.NoArgs,
		Example: "  signet key list\n  signet key list --all -o json",
	}
	cmd.Flags().BoolVar(&all, "all", false, "show removed and revoked keys too")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error { return a.showKeys(ctx, o, all) })
	}
	return cmd
}

func newKeyRotate(a *app) *cobra.Command {
	var algorithm string
	var now bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Bring the next signing keys", Args: cobra.NoArgs,
		Long: "Bring the next signing keys ahead of their time. They are published at once and used an hour later, when every verifier\n" +
			"has fetched them: nobody notices. With --now they are used a minute later; verifiers that keep a key set for longer,\n" +
			"as they are told to for 5 minutes, meet keys that they do not know until they fetch the set again.",
		Example: "  signet key rotate\n  signet key rotate --algorithm ES256 --now\n  signet key rotate --algorithm handle",
	}
	cmd.Flags().StringVar(&algorithm, "algorithm", "", "RS256, PS256, ES256, ES384 or EdDSA; handle: the key of refresh tokens and codes; empty: all that sign")
	cmd.Flags().BoolVar(&now, "now", false, "use the new keys as soon as every node has read them")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			if err := o.Keys().Rotate(ctx, algorithm, now, actorCLI); errors.Is(err, keys.ErrNoLine) {
				return fail(exitUsage, "--algorithm must be RS256, PS256, ES256, ES384, EdDSA or handle")
			} else if err != nil {
				return keyMoved(err)
			}
			if err := a.showKeys(ctx, o, false); err != nil {
				return err
			}
			if now {
				a.hint("The new keys are used in a minute. Restart verifiers that keep a key set for long, or wait until they fetch it.")
			} else {
				a.hint("The new keys are published, and used an hour after that, while a server runs.")
			}
			return nil
		})
	}
	return cmd
}

func newKeyRevoke(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke KID", Short: "End a key at once, and with it all that was made with it; there is no way back", Args: cobra.ExactArgs(1),
		Long: "End a key at once: it is no longer published, its secret part is erased, and introspection and userinfo refuse what it\n" +
			"signed. Resource servers that verify by themselves go on until they fetch the key set again (5 minutes). An active\n" +
			"key is replaced in the same moment. Revoking a handle key ends every session whose refresh token it made. A KID that\n" +
			"begins with a hyphen goes behind --.",
		Example: "  signet key list\n  signet key revoke NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			err := o.Keys().Revoke(ctx, args[0], actorCLI)
			switch {
			case errors.Is(err, storage.ErrNotFound):
				return fail(exitNotFound, "there is no key %q; 'signet key list --all' shows all", args[0])
			case errors.Is(err, keys.ErrForever):
				return fail(exitFailed, "the key %s cannot be revoked: it makes the subjects of clients with subject_type pairwise, and with another key all those "+
					"clients would take everybody for somebody new", args[0])
			case errors.Is(err, keys.ErrEnded):
				return fail(exitFailed, "the key %s is removed or revoked already; 'signet key list --all' shows since when", args[0])
			case err != nil:
				return keyMoved(err)
			}
			return a.showKeys(ctx, o, true)
		})
	}
	return cmd
}

// keyMoved says what to do where a server took a step in the life of the keys at the same moment.
func keyMoved(err error) error {
	if errors.Is(err, storage.ErrMoved) || errors.Is(err, storage.ErrTaken) {
		return fail(exitFailed, "a server changed the keys at the same moment, and not all was done: look at 'signet key list', and run this again")
	}
	return err
}

func (a *app) showKeys(ctx context.Context, o *opened, all bool) error {
	rows, err := o.Keys().List(ctx)
	if err != nil {
		return err
	}
	answer := keyList{Keys: []keyRecord{}}
	for _, k := range rows {
		if !all && (k.State == storage.KeyRemoved || k.State == storage.KeyRevoked) {
			continue
		}
		answer.Keys = append(answer.Keys, keyRecord{k.ID, string(k.Use), k.Algorithm, string(k.State), k.ChangedAt.Unix(), k.CreatedAt.Unix()})
	}
	if answer.Older, err = o.StillOlder(ctx); err != nil {
		return err
	}
	if a.output == "json" {
		return a.show(answer)
	}
	err = list(a, answer.Keys, []string{"KID", "USE", "ALG", "STATE", "SINCE", "CREATED"}, func(k keyRecord) []string {
		return []string{k.KID, k.Use, k.Algorithm, k.State, moment(k.ChangedAt), moment(k.CreatedAt)}
	})
	if err == nil && answer.Older > 0 {
		_, err = fmt.Fprintf(a.stdout, "\n%d values are still sealed under an older secret key: keep it in SIGNET_SECRET_KEY until there is none.\n", answer.Older)
	}
	return err
}
