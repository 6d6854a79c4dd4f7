package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/storage"
)

// Ring is every key of the database, opened. It is safe for concurrent use, and what it signs with and verifies by changes
// only when the database is read.
type Ring struct {
	store  storage.Keys
	sealer *Sealer
	issuer string
	life   Life
	set    atomic.Pointer[keySet]

	freshening sync.Mutex // guards failure
	failure    error      // of the newest reading that Freshen did
	readings   atomic.Int64
}

// keySet is what a Ring holds at one time. It never changes.
type keySet struct {
	readAt     time.Time // by Life.Clock, before the reading began
	jwks       []byte
	algorithms []string
	accepted   []jose.SignatureAlgorithm
	byKID      map[string]*signingKey
	signing    map[string]*signingKey // by algorithm: the one that signs now
	handles    map[uint16]HandleKey
	current    HandleKey
	pairwise   []byte // makes pairwise subjects
}

// OpenRing opens the keys in store, and makes them where there are none at all: one signing key for each algorithm, one
// handle key and the one of pairwise subjects, which a database from before there was any gets as well. Several nodes may do so at once and get the same keys. Handles are bound to issuer. Keys live as life says.
//
// Errors: ErrWrongKey where the keys were sealed under a secret key that sealer lacks; ErrTampered; those of storage.Keys.
// Keys that cannot be opened are never replaced.
func OpenRing(ctx context.Context, store storage.Keys, sealer *Sealer, issuer string, life Life) (*Ring, error) {
	r := &Ring{store: store, sealer: sealer, issuer: issuer, life: life.withDefaults()}
	rows, _, err := store.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	if len(rows) == 0 {
		made, err := makeKeys(sealer)
		if err != nil {
			return nil, fmt.Errorf("make keys: %w", err)
		}
		if _, err := store.EstablishKeys(ctx, made); err != nil {
			return nil, fmt.Errorf("establish keys: %w", err)
		}
	} else if err := r.addPairwise(ctx, rows); err != nil {
		return nil, err
	}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the keys again, so that a node learns of keys that another one made. All change at once, or, with an error as
// of OpenRing, nothing does.
func (r *Ring) Reload(ctx context.Context) error {
	at := r.life.Clock()
	rows, now, err := r.store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	return r.load(rows, now, at)
}

// load makes rows, read at the store's instant now, the ring's. at is the node's before the reading: of two readings at once the
// one that began later stays.
func (r *Ring) load(rows []storage.Key, now, at time.Time) error {
	set, err := r.open(rows, now)
	if err != nil {
		return err
	}
	set.readAt = at
	for {
		before := r.set.Load()
		if before != nil && before.readAt.After(at) || r.set.CompareAndSwap(before, set) {
			return nil
		}
	}
}

// JWKS is the public key set (RFC 7517 §5) as JSON: every signing key that is or was or will be used, in an order that changes only with the keys. The caller
// must not change it.
func (r *Ring) JWKS() []byte { return r.set.Load().jwks }

// Algorithms are those that there are signing keys for, in the order in which metadata lists them.
func (r *Ring) Algorithms() []string { return slices.Clone(r.set.Load().algorithms) }

// Current is the handle key that new handles are made under.
func (r *Ring) Current() HandleKey { return r.set.Load().current }

// HandleKey finds a handle key by its number.
func (r *Ring) HandleKey(number uint16) (HandleKey, bool) {
	key, ok := r.set.Load().handles[number]
	return key, ok
}

func (r *Ring) open(rows []storage.Key, now time.Time) (*keySet, error) {
	set := &keySet{byKID: map[string]*signingKey{}, signing: map[string]*signingKey{}, handles: map[uint16]HandleKey{}}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b storage.Key) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
	})
	using := map[string]bool{}
	for _, line := range standings(rows) {
		if key := line.inUse(now, r.life.Lag); key != nil {
			using[key.ID] = true
		}
	}
	for _, row := range rows {
		switch row.State {
		case storage.KeyRemoved, storage.KeyRevoked:
			continue
		case storage.KeyPending, storage.KeyActive, storage.KeyRetiring:
		default:
			return nil, fmt.Errorf("key %s is in the state %q, which this program does not know: start a newer one", row.ID, row.State)
		}
		if err := r.add(set, row, using[row.ID]); err != nil {
			return nil, explain(row, err)
		}
	}
	if len(set.signing) == 0 || set.current.handleSecrets == nil {
		return nil, errors.New("there are keys in this database, but not both a signing key and a handle key in use: restore the keys from a backup")
	}
	if set.pairwise == nil {
		return nil, errors.New("there are keys in this database, but not the one that pairwise subjects are made with: restore the keys from a backup")
	}
	return set, set.publish()
}

// add puts an opened row into set; inUse: it makes what is new.
func (r *Ring) add(set *keySet, row storage.Key, inUse bool) error {
	switch row.Use {
	case storage.KeySigning:
		key, err := r.openSigning(row)
		if err != nil {
			return err
		}
		set.byKID[key.kid] = key
		if inUse {
			set.signing[key.alg] = key
		}
	case storage.KeyHandle:
		key, err := r.openHandle(row)
		if err != nil {
			return err
		}
		set.handles[key.Number] = key
		if inUse {
			set.current = key
		}
	case storage.KeyPairwise:
		key, err := r.openPairwise(row)
		if err != nil {
			return err
		}
		set.pairwise = key
	default:
		return fmt.Errorf("its use %q is not known to this program: start a newer one", row.Use)
	}
	return nil
}

// openHandle opens a handle key, or takes it from the set before: a number never means two.
func (r *Ring) openHandle(row storage.Key) (HandleKey, error) {
	if before := r.set.Load(); before != nil {
		if key, ok := before.handles[row.Number]; ok {
			return key, nil
		}
	}
	root, err := r.sealer.Open(row.Sealed, handleRow(row.Number))
	if err != nil {
		return HandleKey{}, err
	}
	return NewHandleKey(row.Number, root, r.issuer)
}

// openSigning opens a signing key, or takes it from the set before: its name is its thumbprint, so it is the same key.
func (r *Ring) openSigning(row storage.Key) (*signingKey, error) {
	if before := r.set.Load(); before != nil {
		if key, ok := before.byKID[row.ID]; ok && key.alg == row.Algorithm {
			return key, nil
		}
	}
	private, err := r.sealer.Open(row.Sealed, privateRow(row.ID))
	if err != nil {
		return nil, err
	}
	return parseSigningKey(row.Algorithm, row.ID, private)
}

// explain makes the one line that an operator reads.
func explain(row storage.Key, err error) error {
	if errors.Is(err, ErrWrongKey) {
		return fmt.Errorf("the secret key does not open the signing keys in this database: %w: "+
			"set SIGNET_SECRET_KEY (or SIGNET_SECRET_KEY_FILE) to the secret key that this database was made with", err)
	}
	return fmt.Errorf("the key %s in this database cannot be used: %w: restore the keys from a backup", row.ID, err)
}

// privateRow and handleRow name the places of sealed keys.
func privateRow(kid string) string   { return "keys/private/" + kid }
func handleRow(number uint16) string { return fmt.Sprintf("keys/handle/%d", number) }
