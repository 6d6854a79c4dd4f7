package storage

import (
	"context"
	"time"
)

// Link is the place of an event in the audit chain.
type Link struct {
	Seq     int64 // 1, 2, 3, …
	EventID ID
	Hash    Digest // over the hash before and the event
}

// ChainedEvent is an event with its place.
type ChainedEvent struct {
	Event Event
	Link  Link
}

// Checkpoint vouches for the chain up to a link. Its seal opens under the secret key alone, which no database holds.
type Checkpoint struct {
	Seq       int64
	Hash      Digest // of the link Seq
	Sealed    []byte
	CreatedAt time.Time // stamped by the store
}

// AuditChain makes the audit log a chain of hashes, after the fact and in batches: writing an event waits for nobody. What every
// method promises stands in store.go.
type AuditChain interface {
	// UnchainedEvents returns at most limit events that have no place yet, in the order of their IDs, and the newest link (Seq 0 where
	// there is none; its EventID is zero where the sweep took the event, and left the checkpoint).
	UnchainedEvents(ctx context.Context, limit int) (events []Event, head Link, err error)
	// ChainEvents gives events their places and stores c (nil: none), in one commit. ErrMoved: head is not the newest Seq any more, one of
	// the events has a place already or is gone, or there is a checkpoint of c's Seq.
	ChainEvents(ctx context.Context, head int64, links []Link, c *Checkpoint) error
	// ChainedEvents returns at most limit events with a Seq greater than after, in that order.
	ChainedEvents(ctx context.Context, after int64, limit int) ([]ChainedEvent, error)
	// ListCheckpoints returns at most limit checkpoints with a Seq greater than after, in that order, and the store's clock.
	ListCheckpoints(ctx context.Context, after int64, limit int) (found []Checkpoint, now time.Time, err error)
	// StaleCheckpoints returns at most limit checkpoints with a Seq greater than after, in that order, whose seal does not begin with
	// current, and how many such there are in all.
	StaleCheckpoints(ctx context.Context, current []byte, after int64, limit int) (page []Checkpoint, left int, err error)
	// ResealCheckpoint replaces a checkpoint's seal where it is still old: else ErrMoved.
	ResealCheckpoint(ctx context.Context, seq int64, old, sealed []byte) error
}
