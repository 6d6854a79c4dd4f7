package provider

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// The rhythm of the audit chain. What was written since the last checkpoint is the part of the log that could be taken away unseen by
// whoever writes to the database: a few minutes.
const (
	chainEvery   = 5 * time.Second
	chainLease   = time.Minute
	chainBatch   = 500
	chainMost    = 20 // batches in one round: the rest waits for the next
	vouchEvery   = 5 * time.Minute
	vouchedAfter = 1000 // events
)

// chainer gives events their places in the audit chain, one node at a time, and vouches for the chain now and then.
type chainer struct {
	p       *Provider
	vouched time.Time // when the newest checkpoint of this node was made; zero: not since it began
	since   int       // events that got a place since then
	newest  time.Time // the latest of their times
}

// round chains what was written since the last one.
func (c *chainer) round(ctx context.Context) error {
	mine, err := c.p.store.TakeLease(ctx, "audit", c.p.node, chainLease)
	if err != nil || !mine {
		c.vouched, c.since = time.Time{}, 0 // another node vouches meanwhile: begin anew
		return err
	}
	for range chainMost {
		more, err := c.batch(ctx)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (c *chainer) batch(ctx context.Context) (more bool, err error) {
	events, head, err := c.p.store.UnchainedEvents(ctx, chainBatch)
	if err != nil {
		return false, err
	}
	var links []storage.Link
	last := head
	for _, e := range events {
		last = storage.Link{Seq: last.Seq + 1, EventID: e.ID, Hash: chained(last.Hash, e)}
		if e.At.After(c.newest) {
			c.newest = e.At
		}
		links = append(links, last)
	}
	now := c.p.config.Clock()
	var point *storage.Checkpoint
	due := c.vouched.IsZero() || now.Sub(c.vouched) >= vouchEvery || c.since+len(links) >= vouchedAfter
	if due && c.since+len(links) > 0 {
		if point, err = c.p.vouch(last, c.newest); err != nil {
			return false, err
		}
	}
	if len(links) == 0 && point == nil {
		return false, nil
	}
	if err := c.p.store.ChainEvents(ctx, head.Seq, links, point); err != nil {
		if errors.Is(err, storage.ErrMoved) { // another node was faster, or a sweep: the next round sees
			err = nil
		}
		return false, err
	}
	c.since += len(links)
	if point != nil {
		c.vouched, c.since = now, 0
	}
	return len(events) == chainBatch, nil
}

// voucher is what a checkpoint seals.
type voucher struct {
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"`
	At   time.Time `json:"at"` // of the newest event up to Seq: how old what a sweep took must have been
}

func (p *Provider) vouch(l storage.Link, newest time.Time) (*storage.Checkpoint, error) {
	plain, err := json.Marshal(voucher{Seq: l.Seq, Hash: hex.EncodeToString(l.Hash[:]), At: newest})
	if err != nil {
		return nil, err
	}
	sealed, err := p.sealer.Seal(plain, checkpointRow(l.Seq))
	if err != nil {
		return nil, fmt.Errorf("seal the audit checkpoint: %w", err)
	}
	return &storage.Checkpoint{Seq: l.Seq, Hash: l.Hash, Sealed: sealed}, nil
}

// vouched reads what a checkpoint vouches for. Errors: keys.ErrWrongKey; keys.ErrTampered.
func (p *Provider) vouched(c storage.Checkpoint) (voucher, error) {
	plain, err := p.sealer.Open(c.Sealed, checkpointRow(c.Seq))
	if err != nil {
		return voucher{}, err
	}
	var v voucher
	if err := json.Unmarshal(plain, &v); err != nil || v.Seq != c.Seq {
		return voucher{}, keys.ErrTampered
	}
	return v, nil
}

// checkpointRow names the row that a checkpoint is sealed for.
func checkpointRow(seq int64) string { return "audit checkpoint " + strconv.FormatInt(seq, 10) }

// chained is the hash of e after before: SHA-256 over before and each field behind its length, so that no two events read alike.
func chained(before storage.Digest, e storage.Event) storage.Digest {
	h := sha256.New()
	h.Write(before[:])
	put(h, e.ID[:], binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())), []byte(e.Kind), []byte(e.Actor),
		e.UserID[:], []byte(e.ClientID), e.GrantID[:], []byte(e.Seen.Address), []byte(e.Seen.Agent))
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		put(h, []byte(name), []byte(e.Detail[name]))
	}
	return storage.Digest(h.Sum(nil))
}

func put(h hash.Hash, fields ...[]byte) {
	for _, f := range fields {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f))))
		h.Write(f)
	}
}
