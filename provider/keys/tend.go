package keys

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signet-idp/signet/storage"
)

// actorServer is who did what is due, in the audit log.
const actorServer = "server"

// ErrEnded says that a key is removed or revoked already.
var ErrEnded = errors.New("keys: the key is out of use already")

// ErrNoLine says that there are no keys for an algorithm.
var ErrNoLine = errors.New("keys: there are no keys for this algorithm")

// Tend takes the keys through what is due in their life, and reads them. Any node may do so, and several at once: each step
// happens once. Errors: as Reload's.
func (r *Ring) Tend(ctx context.Context) error {
	at := r.life.Clock()
	rows, now, err := r.store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	steps := due(rows, now, r.life)
	if len(steps) == 0 {
		return r.load(rows, now, at)
	}
	var failed error
	for _, s := range steps {
		if err := r.take(ctx, rows, s, actorServer); err != nil && !lost(err) {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, r.Reload(ctx))
}

// lost reports whether somebody else has done it, or its condition does not hold yet.
func lost(err error) bool {
	return errors.Is(err, storage.ErrMoved) || errors.Is(err, storage.ErrTaken)
}

// take does one step, with its audit events. rows are the keys that there are.
func (r *Ring) take(ctx context.Context, rows []storage.Key, s step, actor string) error {
	change := storage.KeyChange{Moves: s.moves}
	if s.makes != "" {
		made, err := makeKey(r.sealer, s.line, nextNumber(rows), s.makes)
		if err != nil {
			return fmt.Errorf("make the next %s: %w", s.line, err)
		}
		change.Add = []storage.Key{made}
		change.Also.Events = append(change.Also.Events, s.event("key.created", made.ID, actor))
	}
	for _, m := range s.moves {
		kind := map[storage.KeyState]string{
			storage.KeyActive: "key.activated", storage.KeyRemoved: "key.removed", storage.KeyRevoked: "key.revoked",
		}[m.To]
		if m.From != m.To && kind != "" {
			change.Also.Events = append(change.Also.Events, s.event(kind, m.ID, actor))
		}
	}
	if err := r.store.ChangeKeys(ctx, change); err != nil {
		return fmt.Errorf("change the keys: %w", err)
	}
	return nil
}

func (l line) event(kind, kid, actor string) storage.Event {
	return storage.Event{Kind: kind, Actor: actor, Detail: map[string]string{"kid": kid, "use": string(l.use), "alg": l.algorithm}}
}

// String names the line for people.
func (l line) String() string {
	if l.use == storage.KeyHandle {
		return "handle key"
	}
	return l.algorithm + " key"
}

// Handles is the algorithm of Rotate that stands for handle keys.
const Handles = "handle"

// Rotate brings the next key of an algorithm ("": of each that signs; Handles: of the handle keys): it is published at once, and
// active when it was for as long as a key must. With immediately it is active at once, and used as soon as every node has read it;
// verifiers that keep a key set longer than that meet an unknown kid until they fetch it again. A next key that is there already is
// the one. Errors: ErrNoLine; ErrMoved where somebody else is changing the keys as well.
func (r *Ring) Rotate(ctx context.Context, algorithm string, immediately bool, actor string) error {
	rows, _, err := r.store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	found := false
	for _, s := range standings(rows) {
		if name := s.name(); algorithm != name && (algorithm != "" || name == Handles) {
			continue
		}
		found = true
		next := step{line: s.line, makes: storage.KeyActive, moves: s.retire(storage.KeyRetiring)}
		switch {
		case s.pending != nil && !immediately && s.active != nil:
			continue
		case s.pending != nil:
			next = s.promote(0)
		case s.active != nil && !immediately:
			next = s.announce()
		}
		if err := r.take(ctx, rows, next, actor); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%w: %q", ErrNoLine, algorithm)
	}
	return r.Reload(ctx)
}

func (s *standing) name() string {
	if s.use == storage.KeyHandle {
		return Handles
	}
	return s.algorithm
}

// Revoke ends a key at once and for cause: it is unpublished, its secret is erased, and nothing that was made with it is good any
// more. Where it was active the next one takes its place in the same commit. Errors: ErrNotFound; ErrEnded; ErrForever; ErrMoved where somebody
// else is changing the keys as well.
func (r *Ring) Revoke(ctx context.Context, kid, actor string) error {
	rows, _, err := r.store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	if slices.ContainsFunc(rows, func(k storage.Key) bool { return k.ID == kid && k.Use == storage.KeyPairwise }) {
		return ErrForever
	}
	for _, s := range standings(rows) {
		for _, k := range rows {
			if k.ID != kid || (line{k.Use, k.Algorithm}) != s.line {
				continue
			}
			next := step{line: s.line, moves: []storage.KeyMove{{ID: kid, From: k.State, To: storage.KeyRevoked}}}
			switch {
			case k.State == storage.KeyRemoved || k.State == storage.KeyRevoked:
				return fmt.Errorf("%w: it is %s", ErrEnded, k.State)
			case k.State == storage.KeyActive && s.pending != nil:
				next.moves = append(next.moves, storage.KeyMove{ID: s.pending.ID, From: storage.KeyPending, To: storage.KeyActive})
			case k.State == storage.KeyActive:
				next.makes = storage.KeyActive
			}
			if err := r.take(ctx, rows, next, actor); err != nil {
				return err
			}
			return r.Reload(ctx)
		}
	}
	return fmt.Errorf("%w: key %q", storage.ErrNotFound, kid)
}

// List returns every key that there is or was, oldest first. Their secrets are sealed.
func (r *Ring) List(ctx context.Context) ([]storage.Key, error) {
	rows, _, err := r.store.ListKeys(ctx)
	return rows, err
}

// Reseal puts every key that is sealed under an older secret key under the newest one, and returns how many could not be. Each is
// one write of its own, so that it may end anywhere. Errors: those of storage.Keys.
func (r *Ring) Reseal(ctx context.Context) (done, left int, err error) {
	rows, _, err := r.store.ListKeys(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("list keys: %w", err)
	}
	for _, k := range rows {
		if !r.sealer.Stale(k.Sealed) {
			continue
		}
		sealed, err := r.sealer.Reseal(k.Sealed, rowOf(k))
		if err == nil {
			err = r.store.ResealKey(ctx, k.ID, k.Sealed, sealed)
		}
		switch {
		case err == nil:
			done++
		case errors.Is(err, ErrWrongKey) || errors.Is(err, ErrTampered):
			left++
		case !errors.Is(err, storage.ErrMoved): // another node was faster
			return done, left, fmt.Errorf("reseal key %s: %w", k.ID, err)
		}
	}
	return done, left, nil
}

func makeKeys(sealer *Sealer) ([]storage.Key, error) {
	var rows []storage.Key
	for _, l := range lines() {
		row, err := makeKey(sealer, l, 1, storage.KeyActive)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	row, err := makePairwise(sealer)
	return append(rows, row), err
}

// makeKey makes a key of the line; number is for handle keys.
func makeKey(sealer *Sealer, l line, number int, state storage.KeyState) (storage.Key, error) {
	row := storage.Key{Use: l.use, Algorithm: l.algorithm, State: state}
	var secret []byte
	if l.use == storage.KeyHandle {
		if number > 1<<16-1 {
			return storage.Key{}, errors.New("there have been 65535 handle keys, and a handle has room for no other number")
		}
		row.Number, row.ID = uint16(number), fmt.Sprintf("handle-%d", number)
		secret = make([]byte, handleRootSize)
		rand.Read(secret)
	} else {
		private, err := generate(l.algorithm)
		if err != nil {
			return storage.Key{}, err
		}
		if secret, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
			return storage.Key{}, err
		}
		key, err := newSigningKey(l.algorithm, private)
		if err != nil {
			return storage.Key{}, err
		}
		if row.Public, err = key.jwk().MarshalJSON(); err != nil {
			return storage.Key{}, err
		}
		row.ID = key.kid
	}
	var err error
	row.Sealed, err = sealer.Seal(secret, rowOf(row))
	return row, err
}

// nextNumber is that of the handle key after all that there have been.
func nextNumber(rows []storage.Key) int {
	next := 1
	for _, k := range rows {
		next = max(next, int(k.Number)+1)
	}
	return next
}

// rowOf names the place of a sealed key.
func rowOf(k storage.Key) string {
	switch k.Use {
	case storage.KeyHandle:
		return handleRow(k.Number)
	case storage.KeyPairwise:
		return pairwiseRow
	}
	return privateRow(k.ID)
}

// freshenTimeout bounds the reading that a request waits for; it goes on when that request ends, for the others.
const freshenTimeout = 3 * time.Second

// Freshen reads the keys anew where the ring is older than work may be done with. Requests that make or read a token come through
// here first; those that come at once share one reading. Errors: as Reload's.
func (r *Ring) Freshen(ctx context.Context) error {
	if r.age() <= r.life.Lag {
		return nil
	}
	seen := r.readings.Load()
	r.freshening.Lock()
	defer r.freshening.Unlock()
	if r.age() <= r.life.Lag {
		return nil
	}
	if r.readings.Load() != seen {
		return r.failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), freshenTimeout)
	defer cancel()
	r.failure = r.Reload(ctx)
	r.readings.Add(1)
	return r.failure
}

// Publishable reports whether the key set may be handed out although it could not be read anew: a key that is missing in it
// will not sign for as long as verifiers keep it.
func (r *Ring) Publishable() bool { return r.age() <= r.life.Publication/2 }

func (r *Ring) age() time.Duration { return r.life.Clock().Sub(r.set.Load().readAt) }
