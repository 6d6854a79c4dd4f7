package keys

import (
	"encoding/binary"
	"time"

	"github.com/signet-idp/signet/storage"
)

// Never as an interval of a Life says that it does not happen by itself.
const Never = time.Duration(-1)

// Life says how long the stages of a key's life are. All nodes of one database should have the same; its zero value is what
// docs/keys.md describes.
type Life struct {
	// Rotation is how long a signing key is active before the next one is; 0: 90 days.
	Rotation time.Duration
	// HandleRotation is the same for handle keys; 0: 365 days.
	HandleRotation time.Duration
	// Publication is how long a key is pending: longer than verifiers keep a key set, with what nodes need to read the keys and
	// an outage in between; 0: an hour.
	Publication time.Duration
	// Retention is how long a key is retiring: longer than anything lives that was made with it; 0: 25 hours, for access tokens
	// of 24.
	Retention time.Duration
	// Lag is how old a ring may be that work is done with, and so how long every node waits with a key that has become active; 0:
	// a minute.
	Lag time.Duration
	// Clock measures how old a ring is, and nothing else: no key is judged by a node's clock; nil: time.Now.
	Clock func() time.Time
}

func (l Life) withDefaults() Life {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&l.Rotation, 90 * 24 * time.Hour},
		{&l.HandleRotation, 365 * 24 * time.Hour},
		{&l.Publication, time.Hour},
		{&l.Retention, 25 * time.Hour},
		{&l.Lag, time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if l.Clock == nil {
		l.Clock = time.Now
	}
	return l
}

// line is the keys that follow one another.
type line struct {
	use       storage.KeyUse
	algorithm string
}

// standing is where a line stands.
type standing struct {
	line
	pending, active *storage.Key
	retiring        []storage.Key // newest first
}

// standings sorts rows, oldest first, into lines: those of the algorithms offered and of the handle keys, in this order.
func standings(rows []storage.Key) []*standing {
	var all []*standing
	find := map[line]*standing{}
	for _, l := range lines() {
		s := &standing{line: l}
		all, find[l] = append(all, s), s
	}
	for i := range rows {
		s := find[line{rows[i].Use, rows[i].Algorithm}]
		if s == nil {
			continue
		}
		switch rows[i].State {
		case storage.KeyPending:
			s.pending = &rows[i]
		case storage.KeyActive:
			s.active = &rows[i]
		case storage.KeyRetiring:
			s.retiring = append([]storage.Key{rows[i]}, s.retiring...)
		}
	}
	return all
}

func lines() []line {
	var all []line
	for _, alg := range offered() {
		all = append(all, line{storage.KeySigning, alg})
	}
	return append(all, line{use: storage.KeyHandle})
}

// inUse is the key that makes what is new, nil where there is none. One that has just become active waits until every node that
// works has seen it so; the one before it serves on, unless that was revoked.
func (s *standing) inUse(now time.Time, lag time.Duration) *storage.Key {
	if s.active == nil || now.Sub(s.active.ChangedAt) >= lag || len(s.retiring) == 0 {
		return s.active
	}
	before := &s.retiring[0]
	for i := range s.retiring {
		if s.retiring[i].ChangedAt.After(before.ChangedAt) {
			before = &s.retiring[i]
		}
	}
	if s.active.ChangedAt.Sub(before.ChangedAt) >= lag {
		return s.active
	}
	return before
}

// step is something that is due. A key is to be made where makes is set; it is added in that state.
type step struct {
	line
	makes storage.KeyState
	moves []storage.KeyMove
}

// due is what is to be done with the rows at the instant now. The store asks each condition again when it is done.
func due(rows []storage.Key, now time.Time, life Life) []step {
	var steps []step
	for _, s := range standings(rows) {
		switch {
		case s.active == nil && s.pending == nil:
			steps = append(steps, step{line: s.line, makes: storage.KeyActive})
		case s.active == nil:
			steps = append(steps, s.promote(0))
		case s.pending != nil && now.Sub(s.pending.ChangedAt) >= life.Publication:
			steps = append(steps, s.promote(life.Publication))
		case s.pending == nil && s.outlived(now, life):
			steps = append(steps, s.announce())
		}
		for _, k := range s.retiring {
			if now.Sub(k.ChangedAt) >= life.Retention {
				steps = append(steps, step{line: s.line, moves: []storage.KeyMove{remove(k, life)}})
			}
		}
	}
	return steps
}

// outlived reports whether the next key should be published now, to be active when its time comes.
func (s *standing) outlived(now time.Time, life Life) bool {
	rotation := life.Rotation
	if s.use == storage.KeyHandle {
		rotation = life.HandleRotation
	}
	return rotation > 0 && now.Sub(s.active.ChangedAt) >= rotation-life.Publication
}

// announce makes the next key, as long as the active one is that which was seen.
func (s *standing) announce() step {
	return step{line: s.line, makes: storage.KeyPending, moves: []storage.KeyMove{
		{ID: s.active.ID, From: storage.KeyActive, To: storage.KeyActive},
	}}
}

// promote makes the pending key active, once it has been pending for age.
func (s *standing) promote(age time.Duration) step {
	return step{line: s.line, moves: append(s.retire(storage.KeyRetiring),
		storage.KeyMove{ID: s.pending.ID, From: storage.KeyPending, To: storage.KeyActive, Age: age})}
}

// retire takes the active key, where there is one, to the state end.
func (s *standing) retire(end storage.KeyState) []storage.KeyMove {
	if s.active == nil {
		return nil
	}
	return []storage.KeyMove{{ID: s.active.ID, From: storage.KeyActive, To: end}}
}

// remove ends a retiring key. A handle key stays, besides, as long as any grant lives that was made before it was out of use: the
// handles that its holder kept may be under it, and each must go on to be told from a forgery.
func remove(k storage.Key, life Life) storage.KeyMove {
	m := storage.KeyMove{ID: k.ID, From: storage.KeyRetiring, To: storage.KeyRemoved, Age: life.Retention}
	if k.Use == storage.KeyHandle {
		m.NoGrantBelow = firstID(k.ChangedAt.Add(life.Lag + life.Publication))
	}
	return m
}

// firstID is below every UUID of version 7 (RFC 9562 §5.7) that was made at the instant or later.
func firstID(at time.Time) (id storage.ID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(at.UnixMilli(), 0)))
	copy(id[:6], ms[2:])
	return id
}
