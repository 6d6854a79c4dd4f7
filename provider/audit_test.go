package provider

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// record writes n events, one a second.
func (h *house) record(n int) {
	h.Helper()
	for i := range n {
		h.advance(time.Second)
		h.must(h.store.RecordEvents(h.Context(), []storage.Event{{
			Kind: "test.event", Actor: "test", UserID: h.user, Seen: storage.Seen{Address: "192.0.2.1", Agent: "agent"},
			Detail: map[string]string{"number": fmt.Sprint(i), "and": "more"},
		}}))
	}
}

func (h *house) verify(node *Provider, expectSeq int64, expected string) AuditReport {
	h.Helper()
	report, err := node.VerifyAudit(h.Context(), expectSeq, expected)
	h.must(err)
	return report
}

func TestTheChainStandsWhileItGrowsAndIsSwept(t *testing.T) {
	each(t, func(h *house) {
		chain, other := &chainer{p: h.nodes[0]}, &chainer{p: h.nodes[1]}
		for range 4 {
			h.record(30)
			h.must(chain.round(h.Context()))
			h.must(other.round(h.Context())) // another node: it has nothing to do
			h.advance(30 * day)
		}
		before := h.verify(h.nodes[1], 0, "")
		if len(before.Findings) > 0 || before.First != 1 || before.Events != before.Last || before.Waiting != 0 || before.Checkpoints < 4 {
			t.Fatalf("an honest log: %+v", before)
		}
		h.record(3)
		h.must(chain.round(h.Context()))
		if r := h.verify(h.nodes[0], before.Last, before.Head); len(r.Findings) > 0 || r.Last != before.Last+3 {
			t.Errorf("after three more: %+v", r)
		}
		h.must((&grantWalk{p: h.nodes[0]}).sweep(h.Context())) // 90 days are kept
		after := h.verify(h.nodes[0], before.Last, before.Head)
		if len(after.Findings) > 0 || after.First == 1 || after.Last != before.Last+3 {
			t.Errorf("after a sweep: %+v", after)
		}
		h.advance(400 * day)
		h.must((&grantWalk{p: h.nodes[0]}).sweep(h.Context()))
		h.record(2)
		h.must(chain.round(h.Context()))
		if r := h.verify(h.nodes[0], 0, ""); len(r.Findings) > 0 || r.Last != after.Last+2 {
			t.Errorf("after all was swept: %+v", r)
		}
	})
}

func TestWhoeverEditsTheLogIsFound(t *testing.T) {
	t.Parallel()
	h, db := newHouseOnFile(t)
	honest := h.chainThree()
	for name, edit := range map[string]struct {
		sql  []string
		says string
	}{
		"the time":        {[]string{`UPDATE audit_events SET at = at + 1 WHERE seq = 20`}, "at place 20 is not what was written"},
		"the kind":        {[]string{`UPDATE audit_events SET kind = 'other' WHERE seq = 20`}, "at place 20 is not what was written"},
		"the actor":       {[]string{`UPDATE audit_events SET actor = 'eve' WHERE seq = 20`}, "at place 20 is not what was written"},
		"the user":        {[]string{`UPDATE audit_events SET user_id = NULL WHERE seq = 20`}, "at place 20 is not what was written"},
		"the client":      {[]string{`UPDATE audit_events SET client_id = 'c' WHERE seq = 20`}, "at place 20 is not what was written"},
		"the grant":       {[]string{`UPDATE audit_events SET grant_id = id WHERE seq = 20`}, "at place 20 is not what was written"},
		"who was seen":    {[]string{`UPDATE audit_events SET seen = '{}' WHERE seq = 20`}, "at place 20 is not what was written"},
		"the detail":      {[]string{`UPDATE audit_events SET detail = '{"number":"20"}' WHERE seq = 20`}, "at place 20 is not what was written"},
		"the hash":        {[]string{`UPDATE audit_events SET hash = zeroblob(32) WHERE seq = 20`}, "at place 20 is not what was written"},
		"one in between":  {[]string{`DELETE FROM audit_events WHERE seq = 20`}, "from place 20 to 20 were removed"},
		"the beginning":   {[]string{`DELETE FROM audit_events WHERE seq < 20`}, "the events before place 20 were removed, and not by the server"},
		"an early part":   {[]string{`DELETE FROM audit_events WHERE seq <= (SELECT min(seq) FROM audit_checkpoints)`}, "were removed before their time"},
		"the end":         {[]string{`DELETE FROM audit_events WHERE seq > 50`}, "from place 51 to"},
		"two exchanged":   {[]string{`UPDATE audit_events SET seq = -1 WHERE seq = 20`, `UPDATE audit_events SET seq = 20 WHERE seq = 21`, `UPDATE audit_events SET seq = 21 WHERE seq = -1`}, "at place 20 is not what was written"},
		"a checkpoint":    {[]string{`UPDATE audit_checkpoints SET sealed = zeroblob(60) WHERE seq = (SELECT max(seq) FROM audit_checkpoints)`}, "was not made here"},
		"one from before": {[]string{`UPDATE audit_checkpoints SET sealed = (SELECT sealed FROM audit_checkpoints ORDER BY seq LIMIT 1) WHERE seq = (SELECT max(seq) FROM audit_checkpoints)`}, "was not made here"},
		"its place":       {[]string{`DELETE FROM audit_events WHERE seq > 50`, `DELETE FROM audit_checkpoints WHERE seq > 50`}, "the log ends before place"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, db := h.copied(t, db)
			for _, statement := range edit.sql {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			report, err := node.VerifyAudit(t.Context(), honest.Last, honest.Head)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(report.Findings, "\n"), edit.says) {
				t.Errorf("it found %q, and not %q", report.Findings, edit.says)
			}
		})
	}
}

// Whoever writes all hashes anew after an edit is found by the checkpoints, which need the secret key.
func TestWhoeverWritesTheChainAnewIsFound(t *testing.T) {
	t.Parallel()
	h, db := newHouseOnFile(t)
	h.chainThree()
	if _, err := db.Exec(`UPDATE audit_events SET actor = 'eve' WHERE seq = 20`); err != nil {
		t.Fatal(err)
	}
	events, err := h.store.ChainedEvents(h.Context(), 0, 1000)
	h.must(err)
	var before storage.Digest
	for _, c := range events {
		before = chained(before, c.Event)
		if _, err := db.Exec(`UPDATE audit_events SET hash = ? WHERE seq = ?`, before[:], c.Link.Seq); err != nil {
			t.Fatal(err)
		}
	}
	report := h.verify(h.nodes[0], 0, "")
	if len(report.Findings) == 0 || !strings.Contains(report.Findings[0], "written anew") {
		t.Errorf("it found %q", report.Findings)
	}
}

func TestCheckpointsFollowTheSecretKey(t *testing.T) {
	each(t, func(h *house) {
		h.chainThree()
		next := keys.GenerateSecretKey()
		second, err := keys.ParseSecretKeys(next)
		h.must(err)
		both, err := keys.ParseSecretKeys(next + "," + h.secret)
		h.must(err)
		node, err := New(h.Context(), Config{Issuer: "https://id.example.com", AuditRetention: 90 * day, Clock: h.clock}, h.store, both)
		h.must(err)
		if n, err := node.StillOlder(h.Context()); err != nil || n < 3 {
			t.Fatalf("%d values are counted under the older key: %v", n, err)
		}
		sealed, err := node.Reseal(h.Context())
		if err != nil || sealed.Left != 0 {
			t.Fatalf("left under the older key: %+v, %v", sealed, err)
		}
		alone, err := New(h.Context(), Config{Issuer: "https://id.example.com", AuditRetention: 90 * day, Clock: h.clock}, h.store, second)
		h.must(err)
		if r := h.verify(alone, 0, ""); len(r.Findings) > 0 || r.Checkpoints == 0 {
			t.Errorf("under the new key alone: %+v", r)
		}
	})
}

// chainThree writes three stretches of events, each with its checkpoint.
func (h *house) chainThree() AuditReport {
	h.Helper()
	chain := &chainer{p: h.nodes[0]}
	for range 3 {
		h.record(20)
		h.must(chain.round(h.Context()))
		h.advance(vouchEvery)
	}
	report := h.verify(h.nodes[0], 0, "")
	if len(report.Findings) > 0 || report.Checkpoints != 3 {
		h.Fatalf("before anything was edited: %+v", report)
	}
	return report
}

// copied is a copy of the log, what reads it, and the way into its file.
func (h *house) copied(t *testing.T, from *sql.DB) (*Provider, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if _, err := from.Exec(`VACUUM INTO ?`, path); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Clock: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &Provider{config: h.nodes[0].config, store: store, sealer: h.nodes[0].sealer}, openFile(t, path)
}

func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// newHouseOnFile is a house on SQLite with a way around it into the file.
func newHouseOnFile(t *testing.T) (*house, *sql.DB) {
	t.Helper()
	h, path := newHouse(t), filepath.Join(t.TempDir(), "signet.db")
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Clock: h.clock})
	h.must(err)
	h.furnish(store)
	return h, openFile(t, path)
}
