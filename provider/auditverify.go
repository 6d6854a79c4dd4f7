package provider

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/signet-idp/signet/storage"
)

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Events      int64    // that have a place and were looked at
	Checkpoints int64    // that vouch for them
	First, Last int64    // places of the oldest and the newest event; 0: there is none
	Head        string   // hash of the newest place, in hex: noted elsewhere, it shows later that nothing before it was taken away
	Waiting     int      // events that have no place yet, up to a thousand: the server gives it within seconds
	Findings    []string // what does not fit; none: all is as it was written
}

// maxFindings bounds a report: where more is wrong, more is not of help.
const maxFindings = 20

// auditWalk compares the log with its chain, from the oldest place to the newest.
type auditWalk struct {
	p         *Provider
	report    AuditReport
	points    map[int64]voucher
	newest    int64 // place of the newest checkpoint
	before    storage.Digest
	expectSeq int64
	expected  string
}

// VerifyAudit looks for events that were edited, added or removed by anybody but the server's own sweep. It reads all of the log.
// expectSeq and expected are a place and its hash as an earlier report told them (0, "": none). Errors are the store's.
//
// What somebody did who had the secret key besides the database cannot be seen; nor can the removal of what no checkpoint vouches
// for yet, or of a whole end together with its checkpoints, unless expected says that it was there.
func (p *Provider) VerifyAudit(ctx context.Context, expectSeq int64, expected string) (AuditReport, error) {
	w := &auditWalk{p: p, points: map[int64]voucher{}, expectSeq: expectSeq, expected: expected}
	now, err := w.readPoints(ctx)
	if err != nil {
		return w.report, err
	}
	if err := w.walk(ctx, now); err != nil {
		return w.report, err
	}
	waiting, _, err := p.store.UnchainedEvents(ctx, 1000)
	w.report.Waiting = len(waiting)
	return w.report, err
}

func (w *auditWalk) find(format string, args ...any) {
	if len(w.report.Findings) < maxFindings {
		w.report.Findings = append(w.report.Findings, fmt.Sprintf(format, args...))
	}
}

func (w *auditWalk) readPoints(ctx context.Context) (now time.Time, err error) {
	for after := int64(0); ; {
		page, at, err := w.p.store.ListCheckpoints(ctx, after, chainBatch)
		if err != nil {
			return now, err
		}
		now = at
		for _, c := range page {
			after, w.newest = c.Seq, c.Seq
			v, err := w.p.vouched(c)
			if err != nil {
				w.find("checkpoint %d was not made here, or the secret key that it is sealed under is not among SIGNET_SECRET_KEY", c.Seq)
				continue
			}
			w.points[c.Seq] = v
			w.report.Checkpoints++
		}
		if len(page) < chainBatch {
			return now, nil
		}
	}
}

func (w *auditWalk) walk(ctx context.Context, now time.Time) error {
	for {
		page, err := w.p.store.ChainedEvents(ctx, w.report.Last, chainBatch)
		if err != nil {
			return err
		}
		for _, c := range page {
			if w.report.First == 0 {
				w.begin(c.Link.Seq, now)
			}
			w.step(c)
		}
		if len(page) < chainBatch {
			break
		}
	}
	if w.report.First == 0 && w.newest > 0 {
		w.begin(w.newest+1, now) // all was swept, or taken away
		w.report.First = 0
	} else if w.newest > w.report.Last {
		w.find("the events from place %d to %d at least were removed: checkpoint %d vouches that they were there", w.report.Last+1, w.newest, w.newest)
	}
	if w.expectSeq > w.report.Last {
		w.find("the log ends before place %d, which is expected", w.expectSeq)
	}
	return nil
}

// begin judges what is missing before the first event that is there: the sweep takes whole beginnings, up to a checkpoint, and only
// what is older than the retention.
func (w *auditWalk) begin(first int64, now time.Time) {
	w.report.First, w.report.Last = first, first-1
	if first == 1 {
		return
	}
	v, there := w.points[first-1]
	if !there {
		w.find("the events before place %d were removed, and not by the server: no checkpoint stands there", first)
		return
	}
	copyHash(&w.before, v.Hash)
	if keep := w.p.config.AuditRetention; now.Sub(v.At) < keep { // by the same clock that swept
		w.find("the events up to place %d were removed before their time: the newest was written %s ago, and SIGNET_AUDIT_RETENTION is %s (was it raised since?)",
			first-1, now.Sub(v.At).Round(time.Second), keep)
	}
}

func (w *auditWalk) step(c storage.ChainedEvent) {
	seq := c.Link.Seq
	switch {
	case seq != w.report.Last+1:
		w.find("the events from place %d to %d were removed", w.report.Last+1, seq-1)
	case chained(w.before, c.Event) != c.Link.Hash && seq == w.report.First && seq > 1 && w.before == storage.Digest{}: // said by begin
	case chained(w.before, c.Event) != c.Link.Hash:
		w.find("event %s at place %d is not what was written", c.Event.ID, seq)
	}
	w.report.Events, w.report.Last, w.before = w.report.Events+1, seq, c.Link.Hash
	w.report.Head = hex.EncodeToString(c.Link.Hash[:])
	if v, there := w.points[seq]; there && v.Hash != w.report.Head {
		w.find("the events up to place %d were written anew: checkpoint %d vouches for others", seq, seq)
	}
	if seq == w.expectSeq && w.expected != w.report.Head {
		w.find("place %d has another hash than is expected: the events up to it were written anew", seq)
	}
}

func copyHash(to *storage.Digest, from string) {
	raw, err := hex.DecodeString(from)
	if err == nil && len(raw) == len(to) {
		copy(to[:], raw)
	}
}
