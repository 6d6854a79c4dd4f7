package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/storage"
)

// verdict is how a check of signet doctor ended.
type verdict string

const (
	verdictOK   verdict = "ok"
	verdictWarn verdict = "warn"
	verdictFail verdict = "fail"
)

// finding is one thing that signet doctor looked at.
type finding struct {
	Status verdict `json:"status"`
	Check  string  `json:"check"`
	What   string  `json:"what"`
	Why    string  `json:"why,omitempty"`  // why it matters; "" where all is well
	Mend   string  `json:"mend,omitempty"` // what to do
}

// doctor gathers findings.
type doctor struct {
	app      *app
	settings settings
	findings []finding
}

func (d *doctor) ok(check, format string, args ...any) {
	d.findings = append(d.findings, finding{Status: verdictOK, Check: check, What: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, what, why, mend string) {
	d.findings = append(d.findings, finding{verdictWarn, check, what, why, mend})
}

func (d *doctor) fail(check, what, why, mend string) {
	d.findings = append(d.findings, finding{verdictFail, check, what, why, mend})
}

func newDoctorCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong, or will be", Args: cobra.NoArgs,
		Long: `Look at the settings, the issuer as clients reach it, the mail server, the database and its
clock, the keys, the files and the registered clients, and say of each fault why it matters and how to mend it.
Nothing is changed. Exit code 1: something is wrong; warnings alone are 0.`,
		Example: "  signet doctor\n  signet doctor -o json",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d := &doctor{app: a}
		d.examine(cmd.Context())
		if err := d.tell(); err != nil {
			return err
		}
		failed := 0
		for _, f := range d.findings {
			if f.Status == verdictFail {
				failed++
			}
		}
		if failed > 0 {
			return fail(exitFailed, "%d of %d checks failed", failed, len(d.findings))
		}
		return nil
	}
	return cmd
}

func (d *doctor) tell() error {
	if d.app.output == "json" {
		return printJSON(d.app.stdout, d.findings)
	}
	for _, f := range d.findings {
		text := fmt.Sprintf("%-4s  %-10s  %s\n", f.Status, f.Check, f.What)
		if f.Status != verdictOK {
			text += fmt.Sprintf("                  why:  %s\n                  mend: %s\n", f.Why, f.Mend)
		}
		if _, err := fmt.Fprint(d.app.stdout, text); err != nil {
			return err
		}
	}
	return nil
}

// examine looks at everything that it can reach.
func (d *doctor) examine(ctx context.Context) {
	var err error
	if d.settings, err = d.app.load(nil); err != nil {
		for _, problem := range problems(err) {
			d.fail("settings", problem, "no command starts with it", "set it as the line says; docs/configuration.md has every setting")
		}
		return
	}
	d.ok("settings", "every setting has a usable value")
	d.checkLog()
	d.checkProxy()
	d.checkTLS()
	d.checkOutbound()
	d.checkMail(ctx)
	d.checkAccounts()
	d.checkIssuer(ctx)
	d.checkFiles()
	store := d.openDatabase(ctx)
	if store == nil {
		return
	}
	defer store.Close()
	d.checkClock(ctx, store)
	d.checkKeys(ctx, store)
	d.checkClients(ctx, store)
	d.checkUndelivered(ctx, store)
	d.checkAudit(ctx, store)
}

// openDatabase opens the database as it is: a file that is not there is not made, and a schema that is old stays old.
func (d *doctor) openDatabase(ctx context.Context) storage.Store {
	store, err := openAsItIs(ctx, d.settings)
	switch {
	case err == nil:
		d.ok("database", "it answers, and its schema is the one of this program")
		return store
	case errors.Is(err, storage.ErrSchema):
		d.fail("database", oneLine(err), "the server does not start on a schema that it does not know", "where migrations are pending: signet migrate up")
	default:
		d.fail("database", oneLine(err), "the server answers 503 to everything without it",
			"see that the database of SIGNET_DATABASE_URL is up and reachable from here; the first `signet serve` makes a SQLite file")
	}
	return nil
}

func oneLine(err error) string { return strings.Join(problems(err), " ") }

// The bounds of a clock that differs from the store's.
const (
	clockWarn = 2 * time.Second
	clockFail = 30 * time.Second
)

// checkClock compares this machine's clock with the store's, as one-time codes and TLS go by the one and rows by the other.
func (d *doctor) checkClock(ctx context.Context, store storage.Store) {
	before := time.Now()
	now, err := store.Ping(ctx)
	if err != nil {
		d.fail("clock", oneLine(err), "the database went away during the check", "run this again")
		return
	}
	middle := before.Add(time.Since(before) / 2)
	apart := now.Sub(middle).Abs()
	what := fmt.Sprintf("this machine's clock and the database's differ by %s", apart.Round(time.Millisecond))
	why := "grants go by the database's clock, one-time codes and client assertions by this machine's"
	mend := "let both keep time by NTP"
	switch {
	case apart > clockFail:
		d.fail("clock", what, why+": codes from people's authenticators are refused", mend)
	case apart > clockWarn:
		d.warn("clock", what, why, mend)
	default:
		d.ok("clock", "%s", what)
	}
}
