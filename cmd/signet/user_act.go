package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// removal answers a command that took something away.
type removal struct {
	ID       string `json:"id"`
	Username string `json:"username,omitempty"`
	Removed  int    `json:"removed"`
}

// newUserAct makes disable and enable.
func newUserAct(a *app, verb, short string, act func(*account.People, context.Context, storage.ID, account.By) error) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1), Example: "  signet user " + verb + " ada"}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			if err := act(o.People(), ctx, found.User.ID, byCLI()); err != nil {
				return err
			}
			now, err := o.People().Find(ctx, found.User.ID.String())
			if err != nil {
				return err
			}
			return a.show(recordOf(now.User, ""))
		})
	}
	return cmd
}

func newUserDelete(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a user with everything that hangs on it; there is no way back", Args: cobra.ExactArgs(1),
		Example: "  signet user delete ada",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			if err := o.People().Delete(ctx, found.User.ID, byCLI()); err != nil {
				return err
			}
			return a.show(removal{found.User.ID.String(), found.User.Username, 1})
		})
	}
	return cmd
}

func newUserResetFactors(a *app) *cobra.Command {
	return factorRemoval(a, "reset-2fa NAME", "Remove a user's authenticators and recovery codes", "  signet user reset-2fa ada")
}

// factorRemoval makes reset-2fa and totp remove: with one-time codes as the only second factor they are the same act.
func factorRemoval(a *app, use, short, example string) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), Example: example}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			n, err := o.People().RemoveFactors(ctx, found.User.ID, byCLI())
			if err != nil {
				return err
			}
			if err := a.show(removal{found.User.ID.String(), found.User.Username, n}); err != nil {
				return err
			}
			a.hint("%s signs in with the password alone now. Enroll anew: signet user totp enroll %[1]s", found.User.Username)
			return nil
		})
	}
	return cmd
}

func newUserTOTP(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "totp", RunE: help, Short: "Manage a user's authenticators (one-time codes, RFC 6238)"}
	cmd.AddCommand(
		newTOTPEnroll(a), newTOTPConfirm(a),
		factorRemoval(a, "remove NAME", "Remove a user's authenticators and recovery codes", "  signet user totp remove ada"),
	)
	return cmd
}

// enrollment answers totp enroll, once.
type enrollment struct {
	Secret string `json:"secret"` // base32
	URI    string `json:"otpauth_uri"`
}

func newTOTPEnroll(a *app) *cobra.Command {
	var device string
	cmd := &cobra.Command{
		Use: "enroll NAME", Short: "Give a user an authenticator; it counts once its first code has confirmed it", Args: cobra.ExactArgs(1),
		Example: "  signet user totp enroll ada\n  signet user totp enroll ada --name phone -o json",
	}
	cmd.Flags().StringVar(&device, "name", "", "tells the user's devices apart")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			secret, uri, err := o.People().EnrollTOTP(ctx, found.User.ID, device, byCLI())
			if err != nil {
				return err
			}
			if err := a.show(enrollment{secret, uri}); err != nil {
				return err
			}
			a.hint("The secret is shown this once. Put it into the authenticator, then confirm with its code:\n"+
				"  printf %%s CODE | signet user totp confirm %s --otp-stdin", found.User.Username)
			return nil
		})
	}
	return cmd
}

// confirmation answers totp confirm. The codes are shown once; there are none where the user has some left.
type confirmation struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

func newTOTPConfirm(a *app) *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "confirm NAME --otp-stdin", Short: "Make an enrolled authenticator good by its first code", Args: cobra.ExactArgs(1),
		Example: "  printf %s 123456 | signet user totp confirm ada --otp-stdin",
	}
	cmd.Flags().BoolVar(&fromStdin, "otp-stdin", false, "read the code from stdin")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !fromStdin {
			return fail(exitUsage, "pipe the code into this command and give --otp-stdin")
		}
		code, err := a.readLine(cmd.Context(), "the code")
		if err != nil {
			return err
		}
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			codes, err := o.People().ConfirmTOTP(ctx, found.User.ID, code, byCLI())
			if errors.Is(err, account.ErrWrong) {
				return fail(exitForbidden, "the code is not the one that the authenticator shows now: "+
					"check the clocks of device and server, and try the next code")
			}
			if err != nil {
				return err
			}
			if err := a.show(confirmation{append([]string{}, codes...)}); err != nil {
				return err
			}
			if len(codes) > 0 {
				a.hint("The recovery codes are shown this once: hand them over now. Each signs in once in place of a code.")
			}
			return nil
		})
	}
	return cmd
}
