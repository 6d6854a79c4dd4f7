package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// app is the outside of a command: what it reads, writes and is told.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        func() []string
	configFile     string
	output         string
	traces         *tracing // nil: nothing is traced
	mailbox        *mailbox // takes the place of a mail server; nil: nothing does
}

// The exit codes (docs/contract.md).
const (
	exitFailed    = 1
	exitUsage     = 2
	exitConfig    = 3
	exitDatabase  = 4
	exitNotFound  = 5
	exitForbidden = 6
)

// exit is an error with the exit code it calls for.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

func fail(code int, format string, args ...any) error {
	return &exit{code, fmt.Errorf(format, args...)}
}

// execute runs one command and returns its exit code. Whatever went wrong is said on stderr, one line a problem.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	for _, line := range problems(err) {
		fmt.Fprintln(a.stderr, "signet: "+line)
	}
	return exitCode(err)
}

// problems is one line for each problem. A database driver may need many lines for one; operators get it in one, with what to do.
func problems(err error) []string {
	if !errors.Is(err, storage.ErrUnavailable) {
		return strings.Split(err.Error(), "\n")
	}
	var parts []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line = strings.TrimSpace(line); !slices.Contains(parts, line) {
			parts = append(parts, line)
		}
	}
	return []string{strings.Join(parts, " ") + "; is the database of SIGNET_DATABASE_URL up, and reachable from here?"}
}

func exitCode(err error) int {
	var e *exit
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, keys.ErrWrongKey):
		return exitConfig
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrSchema), errors.Is(err, storage.ErrUnknown):
		return exitDatabase
	case errors.Is(err, storage.ErrNotFound):
		return exitNotFound
	}
	return exitFailed
}

// command builds the tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "signet",
		Short: "An OAuth 2.0 and OpenID Connect identity provider",
		Long: `Signet is an OAuth 2.0 / OpenID Connect identity provider in one binary, with an
embedded database by default and PostgreSQL when it grows.

  signet dev      try it: a server with demo users and clients, and a tour of its tokens
  signet serve    run it

Settings come from a YAML file (--config), then SIGNET_... environment variables, then
flags. Administrative commands open the database of SIGNET_DATABASE_URL directly; a
server may be running on it at the same time.`,
		Example:       "  signet dev\n  SIGNET_ISSUER_URL=https://id.example.com signet serve\n  signet user create ada --email ada@example.com --generate-password",
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fail(exitUsage, "%w; see '%s --help'", err, cmd.CommandPath())
	})
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "YAML `file` with settings")
	root.AddCommand(a.commands()...)
	strictArgs(root)
	return root
}

// strictArgs makes every wrong argument a usage error, with the way to help.
func strictArgs(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
	check := cmd.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if cmd.HasSubCommands() && len(args) > 0 {
			return fail(exitUsage, "unknown command %q for %q; see '%s --help'", args[0], cmd.CommandPath(), cmd.CommandPath())
		}
		if err := check(cmd, args); err != nil {
			return fail(exitUsage, "%w; see '%s --help'", err, cmd.CommandPath())
		}
		return nil
	}
}
