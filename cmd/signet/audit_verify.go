package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider"
)

// auditRecord answers audit verify.
type auditRecord struct {
	Events      int64    `json:"events"`         // that were compared with the chain
	Checkpoints int64    `json:"checkpoints"`    // that vouch for it
	First       int64    `json:"first"`          // place of the oldest event; 0: there is none
	Last        int64    `json:"last"`           // place of the newest
	Head        string   `json:"head,omitempty"` // place and hash of the newest, to note elsewhere
	Waiting     int      `json:"waiting"`        // events that have no place yet, up to a thousand
	Findings    []string `json:"findings"`       // what does not fit; none: all is as it was written
}

func auditRecordOf(r provider.AuditReport) auditRecord {
	record := auditRecord{
		Events: r.Events, Checkpoints: r.Checkpoints, First: r.First, Last: r.Last, Waiting: r.Waiting, Findings: append([]string{}, r.Findings...),
	}
	if r.Head != "" {
		record.Head = fmt.Sprintf("%d:%s", r.Last, r.Head)
	}
	return record
}

func newAuditVerify(a *app) *cobra.Command {
	var expect string
	cmd := &cobra.Command{
		Use: "verify", Short: "Look for events that were edited, added or removed in the database", Args: cobra.NoArgs,
		Long: `Compare all events with their chain of hashes, and the chain with the checkpoints that the server
seals under the secret key. Exit code 1: something was edited, added or removed by other hands than the
server's own. Nothing is changed, and a server may be running.

Who can write to the database can also take away the newest events together with their checkpoints, or
what is younger than the newest checkpoint (5 minutes). So note the head elsewhere now and then, and ask
for it with --expect. Who has the secret key besides the database can forge all of it.`,
		Example: "  signet audit verify\n  signet audit verify -o json | jq -r .head\n" +
			"  signet audit verify --expect 4711:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	}
	cmd.Flags().StringVar(&expect, "expect", "", "`SEQ:HASH`, the head that an earlier run told: it must be there still")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		seq, hash, err := headOf(expect)
		if err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			report, err := o.VerifyAudit(ctx, seq, hash)
			if err != nil {
				return err
			}
			if err := a.showAudit(auditRecordOf(report)); err != nil {
				return err
			}
			if 0 < seq && seq < report.First {
				a.hint("Place %d is older than what is kept (SIGNET_AUDIT_RETENTION): it could not be compared.", seq)
			}
			if n := len(report.Findings); n > 0 {
				return fail(exitFailed, "the audit log is not as it was written (%d findings): docs/operating/audit.md says what each means and what to do", n)
			}
			if report.Head != "" {
				a.hint("All is as it was written. Note the head elsewhere, and give it to a later run with --expect.")
			}
			return nil
		})
	}
	return cmd
}

func (a *app) showAudit(r auditRecord) error {
	if a.output == "json" {
		return a.show(r)
	}
	findings := r.Findings
	r.Findings = nil
	rows, err := membersOf(r)
	if err != nil {
		return err
	}
	rows = rows[:len(rows)-1] // of the findings each has a line
	for _, f := range findings {
		rows = append(rows, []string{"finding", f})
	}
	return writeTable(a.stdout, rows)
}

// headOf reads SEQ:HASH; "" is none.
func headOf(text string) (seq int64, hash string, err error) {
	if text == "" {
		return 0, "", nil
	}
	place, hash, _ := strings.Cut(strings.ToLower(text), ":")
	seq, err = strconv.ParseInt(place, 10, 64)
	if raw, bad := hex.DecodeString(hash); err != nil || bad != nil || seq < 1 || len(raw) != 32 {
		return 0, "", fail(exitUsage, "--expect must be a head as 'signet audit verify' tells it: the place, a colon, and 64 hexadecimal digits")
	}
	return seq, hash, nil
}
