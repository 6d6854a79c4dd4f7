package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// passwordFlags are the two ways to give a password; a flag's value is none of them, since others can read it.
type passwordFlags struct{ stdin, generate bool }

func (p *passwordFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.stdin, "password-stdin", false, "read the password from stdin")
	cmd.Flags().BoolVar(&p.generate, "generate-password", false, "make a password and show it once")
}

// check is called before the database is opened.
func (p *passwordFlags) check() error {
	if p.stdin == p.generate {
		return fail(exitUsage, "give exactly one of --password-stdin and --generate-password")
	}
	return nil
}

// read returns the password, and its text where it was made here and must be shown.
func (p *passwordFlags) read(ctx context.Context, a *app) (password storage.Secret, shown string, err error) {
	if p.generate {
		password = account.GeneratePassword()
		return password, string(password.Reveal()), nil
	}
	line, err := a.readLine(ctx, "the password")
	return storage.NewSecret([]byte(line)), "", err
}

// hintWeak says that people would not be allowed to choose the password for themselves.
func (p *passwordFlags) hintWeak(a *app, people *account.People, password storage.Secret, u storage.User) {
	if people.Weak(password, u) {
		a.hint("This password is easy to guess: %s could not choose it (SIGNET_PASSWORD_MIN_SCORE). --generate-password makes one that is not.", u.Username)
	}
}

// secondsFlag is a lifetime on the command line: 15m, 12h, 30d, or a number of seconds as in the registration's JSON.
type secondsFlag struct{ seconds *int64 }

// String implements pflag.Value.
func (s secondsFlag) String() string {
	if s.seconds == nil || *s.seconds == 0 {
		return ""
	}
	return (time.Duration(*s.seconds) * time.Second).String()
}

// Type implements pflag.Value: what --help shows for the value.
func (secondsFlag) Type() string { return "duration" }

// Set implements pflag.Value.
func (s secondsFlag) Set(text string) error {
	n, err := parseSeconds(text)
	if err == nil {
		*s.seconds = n
	}
	return err
}

func parseSeconds(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	d, err := parseDuration(text)
	if err != nil || d%time.Second != 0 {
		return 0, errors.New("must be a duration such as 30s, 15m, 12h or 30d, or a number of seconds")
	}
	return int64(d / time.Second), nil
}

// pageFlags select one page of a list.
type pageFlags struct {
	after string
	limit int
}

func (p *pageFlags) register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&p.after, "after", "", "start behind this "+what)
	cmd.Flags().IntVar(&p.limit, "limit", 100, "show at most this many, up to 1000")
}

func (p *pageFlags) check() error {
	if p.limit < 1 || p.limit > 1000 {
		return fail(exitUsage, "--limit must be between 1 and 1000")
	}
	return nil
}

// page cuts what was read with one more than the limit, and says where the next page begins.
func page[T any](a *app, p pageFlags, read []T, command string, id func(T) string) []T {
	if len(read) <= p.limit {
		return read
	}
	a.hint("There are more: %s --after %s", command, id(read[p.limit-1]))
	return read[:p.limit]
}
