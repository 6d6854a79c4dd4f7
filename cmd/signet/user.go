package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// userRecord is a user as the commands show it: the standard claims by their names, and Signet's own.
type userRecord struct {
	ID            storage.ID `json:"id"`
	Username      string     `json:"username"`
	Email         string     `json:"email,omitempty"`
	EmailVerified bool       `json:"email_verified,omitempty"`
	Phone         string     `json:"phone_number,omitempty"`
	PhoneVerified bool       `json:"phone_number_verified,omitempty"`
	storage.Profile
	Admin     bool      `json:"admin"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Password  string    `json:"password,omitempty"` // only when it was just made
}

// userDetails is userRecord with what can be used to sign in.
type userDetails struct {
	userRecord
	HasPassword    bool `json:"has_password"`
	Authenticators int  `json:"authenticators"`
	RecoveryCodes  int  `json:"recovery_codes_left"`
}

func recordOf(u storage.User, password string) userRecord {
	return userRecord{
		ID: u.ID, Username: u.Username, Email: u.Email, EmailVerified: u.EmailVerified, Phone: u.Phone, PhoneVerified: u.PhoneVerified,
		Profile: u.Profile, Admin: u.Admin, Disabled: !u.DisabledAt.IsZero(), CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Password: password,
	}
}

func newUserCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "user", RunE: help, Short: "Manage the people who sign in",
		Long: "Manage the people who sign in. NAME is a username, an e-mail address or a user's ID.",
	}
	cmd.AddCommand(
		newUserCreate(a), newUserList(a), newUserShow(a), newUserUpdate(a), newUserSetPassword(a),
		newUserAct(a, "disable", "Keep a user from signing in, and end every session at once", (*account.People).Disable),
		newUserAct(a, "enable", "Let a disabled user sign in again", (*account.People).Enable),
		newUserInvite(a), newUserDelete(a), newUserResetFactors(a), newUserTOTP(a),
	)
	return cmd
}

// claimFlags are what create and update have in common.
type claimFlags struct {
	email, name          string
	admin, emailVerified bool
	claims               []string
}

func (c *claimFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.email, "email", "", "e-mail address; it also serves to sign in")
	cmd.Flags().BoolVar(&c.emailVerified, "email-verified", false, "the address is known to be the user's")
	cmd.Flags().StringVar(&c.name, "name", "", "full name")
	cmd.Flags().BoolVar(&c.admin, "admin", false, "may administer this server")
	cmd.Flags().StringArrayVar(&c.claims, "claim", nil, "standard claim as NAME=VALUE, such as given_name=Ada; an empty value removes it (repeatable)")
}

// apply changes u by the flags that were given. Marks such as email_verified go last: a new value takes its mark away.
func (c *claimFlags) apply(cmd *cobra.Command, u *storage.User) error {
	var values, marks [][2]string
	for _, flag := range []struct{ flag, claim, value string }{{"email", "email", c.email}, {"name", "name", c.name}} {
		if cmd.Flags().Changed(flag.flag) {
			values = append(values, [2]string{flag.claim, flag.value})
		}
	}
	for _, claim := range c.claims {
		name, value, ok := strings.Cut(claim, "=")
		if !ok || name == "" {
			return fail(exitUsage, "--claim must have the form NAME=VALUE, such as given_name=Ada")
		}
		if strings.HasSuffix(name, "_verified") {
			marks = append(marks, [2]string{name, value})
		} else {
			values = append(values, [2]string{name, value})
		}
	}
	for _, claim := range append(values, marks...) {
		if err := account.SetClaim(u, claim[0], claim[1]); err != nil {
			return err
		}
	}
	if cmd.Flags().Changed("email-verified") {
		u.EmailVerified = c.emailVerified
	}
	if cmd.Flags().Changed("admin") {
		u.Admin = c.admin
	}
	return nil
}

func newUserCreate(a *app) *cobra.Command {
	var password passwordFlags
	var claims claimFlags
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a user", Args: cobra.ExactArgs(1),
		Example: `  signet user create ada --email ada@example.com --name "Ada Lovelace" --generate-password
  printf %s "$PASSWORD" | signet user create ada --password-stdin --claim given_name=Ada -o json`,
	}
	password.register(cmd)
	claims.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		u := storage.User{Username: args[0]}
		if err := password.check(); err != nil {
			return err
		}
		if err := claims.apply(cmd, &u); err != nil {
			return err
		}
		secret, shown, err := password.read(cmd.Context(), a)
		if err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			created, err := o.People().Create(ctx, u, secret, byCLI())
			if err != nil {
				return err
			}
			if err := a.show(recordOf(created, shown)); err != nil {
				return err
			}
			if shown != "" {
				a.hint("The password is shown this once: hand it over now.")
			}
			password.hintWeak(a, o.People(), secret, created)
			return nil
		})
	}
	return cmd
}

func newUserList(a *app) *cobra.Command {
	var pages pageFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List users, oldest first", Args: cobra.NoArgs,
		Example: "  signet user list\n  signet user list --limit 1000 -o json",
	}
	pages.register(cmd, "user's ID")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := pages.check(); err != nil {
			return err
		}
		var after storage.ID
		if pages.after != "" {
			id, err := storage.ParseID(pages.after)
			if err != nil {
				return fail(exitUsage, "--after must be a user's ID")
			}
			after = id
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			users, err := o.People().List(ctx, after, pages.limit+1)
			if err != nil {
				return err
			}
			users = page(a, pages, users, "signet user list", func(u storage.User) string { return u.ID.String() })
			var records []userRecord
			for _, u := range users {
				records = append(records, recordOf(u, ""))
			}
			return list(a, records, []string{"ID", "USERNAME", "EMAIL", "ADMIN", "STATE"}, func(r userRecord) []string {
				return []string{r.ID.String(), r.Username, r.Email, yesNo(r.Admin), state(r.Disabled)}
			})
		})
	}
	return cmd
}

func newUserShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a user", Args: cobra.ExactArgs(1), Example: "  signet user show ada@example.com",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withUser(cmd, args[0], func(_ context.Context, _ *opened, found storage.SignIn) error {
			return a.show(userDetails{
				recordOf(found.User, ""), found.PasswordHash != "", len(found.Factors), found.RecoveryCodes,
			})
		})
	}
	return cmd
}

func newUserUpdate(a *app) *cobra.Command {
	var claims claimFlags
	var username string
	cmd := &cobra.Command{
		Use: "update NAME", Short: "Change what is known about a user", Args: cobra.ExactArgs(1),
		Example: "  signet user update ada --claim family_name=King --email-verified\n  signet user update ada --admin=false",
	}
	claims.register(cmd)
	cmd.Flags().StringVar(&username, "username", "", "new username")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.ContainsFunc([]string{"username", "email", "email-verified", "name", "admin", "claim"}, cmd.Flags().Changed) {
			return fail(exitUsage, "nothing to change: give at least one of them; see 'signet user update --help'")
		}
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			u := found.User
			if cmd.Flags().Changed("username") {
				u.Username = username
			}
			if err := claims.apply(cmd, &u); err != nil {
				return err
			}
			updated, err := o.People().Update(ctx, u, byCLI())
			if err != nil {
				return err
			}
			return a.show(recordOf(updated, ""))
		})
	}
	return cmd
}

func newUserSetPassword(a *app) *cobra.Command {
	var password passwordFlags
	cmd := &cobra.Command{
		Use: "set-password NAME", Short: "Replace a user's password, and end every session at once", Args: cobra.ExactArgs(1),
		Example: "  signet user set-password ada --generate-password\n  printf %s \"$PASSWORD\" | signet user set-password ada --password-stdin",
	}
	password.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := password.check(); err != nil {
			return err
		}
		secret, shown, err := password.read(cmd.Context(), a)
		if err != nil {
			return err
		}
		return a.withUser(cmd, args[0], func(ctx context.Context, o *opened, found storage.SignIn) error {
			if err := o.People().SetPassword(ctx, found.User.ID, secret, byCLI()); err != nil {
				return err
			}
			if err := a.show(recordOf(found.User, shown)); err != nil {
				return err
			}
			a.hint("Everything that was signed in as %s has been signed out.", found.User.Username)
			password.hintWeak(a, o.People(), secret, found.User)
			return nil
		})
	}
	return cmd
}
