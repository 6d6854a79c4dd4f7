package keys

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// house is one database and the nodes on it. Its clock is the store's; each node's own may be wrong.
type house struct {
	*testing.T
	path string
	now  *movable
	life Life
}

// movable is a clock that the test moves.
type movable struct {
	mu  sync.Mutex
	now time.Time
}

func (m *movable) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *movable) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// newHouse has the keys of madeOnce: making RSA keys is slow.
func newHouse(t *testing.T, life Life) *house {
	t.Helper()
	h := &house{T: t, path: newPath(t), now: &movable{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}, life: life}
	rows, err := madeOnce()
	h.must(err)
	_, err = h.open().EstablishKeys(t.Context(), rows)
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) open() storage.Store {
	h.Helper()
	store, err := sqlite.Open(h.Context(), sqlite.Options{Path: h.path, Clock: h.now.Now})
	h.must(err)
	h.Cleanup(func() { h.must(store.Close()) })
	return store
}

// node is one more ring on the database, whose clock is off by skew.
func (h *house) node(skew time.Duration) *Ring {
	h.Helper()
	life := h.life
	life.Clock = func() time.Time { return h.now.Now().Add(skew) }
	r, err := OpenRing(h.Context(), h.open(), sealer(h, secretText(1)), issuer, life)
	h.must(err)
	return r
}

// keys are those of ES256 and the handles by their state, oldest first.
func (h *house) keys(r *Ring, use storage.KeyUse, state storage.KeyState) []string {
	h.Helper()
	rows, err := r.List(h.Context())
	h.must(err)
	var ids []string
	for _, k := range rows {
		if k.Use == use && k.State == state && (k.Algorithm == ES256 || use == storage.KeyHandle) {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

func (h *house) signer(r *Ring) string {
	h.Helper()
	token, err := r.Sign(ES256, "JWT", struct{}{})
	h.must(err)
	return headerOf(h, token)["kid"].(string)
}

func (h *house) tend(rings ...*Ring) {
	h.Helper()
	for _, r := range rings {
		h.must(r.Tend(h.Context()))
	}
}

func publishes(r *Ring, kid string) bool { return strings.Contains(string(r.JWKS()), kid) }

func (h *house) rotate(r *Ring, algorithm string, now bool) {
	h.Helper()
	h.must(r.Rotate(h.Context(), algorithm, now, "test"))
}

func TestAKeyLivesThroughItsStates(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{Rotation: Never})
	a, b := h.node(0), h.node(0)
	old := h.signer(a)
	token, err := a.Sign(ES256, "JWT", struct{}{})
	h.must(err)

	h.rotate(a, ES256, false)
	next := h.keys(a, storage.KeySigning, storage.KeyPending)[0]
	h.tend(b)
	if !publishes(b, next) || h.signer(b) != old || h.signer(a) != old {
		t.Fatal("a pending key must be published, and sign nothing")
	}
	h.now.Advance(time.Hour - time.Microsecond)
	h.tend(a, b)
	if h.signer(a) != old {
		t.Fatal("a key signs before it was published for an hour")
	}
	h.now.Advance(time.Microsecond)
	h.tend(a, b)
	if got := h.keys(a, storage.KeySigning, storage.KeyActive); !slices.Equal(got, []string{next}) {
		t.Fatalf("active are %v, want %v", got, next)
	}
	if h.signer(a) != old || h.signer(b) != old {
		t.Fatal("a key signs before every node can know that it is active")
	}
	h.now.Advance(time.Minute)
	h.tend(a, b)
	if h.signer(a) != next || h.signer(b) != next {
		t.Fatal("the active key does not sign")
	}
	retired := 25*time.Hour - time.Minute
	h.now.Advance(retired - time.Microsecond)
	h.tend(a, b)
	if _, err := b.Verify(token, "JWT"); err != nil || !publishes(b, old) {
		t.Fatalf("a retiring key must verify until it is removed: %v", err)
	}
	h.now.Advance(time.Microsecond)
	h.tend(b, a)
	if _, err := a.Verify(token, "JWT"); !errors.Is(err, ErrUnverified) || publishes(a, old) {
		t.Fatalf("a removed key verifies: %v", err)
	}
	rows, err := a.List(t.Context())
	h.must(err)
	for _, k := range rows {
		if k.ID == old && (k.State != storage.KeyRemoved || len(k.Sealed) > 0 || len(k.Public) == 0) {
			t.Fatalf("a removed key keeps its secret, or loses its public part: %+v", k)
		}
	}
}

func TestKeysRotateByThemselvesAndEveryAlgorithmOnItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{})
	a := h.node(0)
	h.now.Advance(10 * 24 * time.Hour)
	h.rotate(a, ES256, true)
	h.now.Advance(80*24*time.Hour - time.Hour - time.Microsecond)
	h.tend(a)
	rows, err := a.List(t.Context())
	h.must(err)
	if slices.ContainsFunc(rows, func(k storage.Key) bool { return k.State == storage.KeyPending }) {
		t.Fatal("a key was made before its time")
	}
	h.now.Advance(time.Microsecond)
	h.tend(a)
	pending := map[string]bool{}
	rows, err = a.List(t.Context())
	h.must(err)
	for _, k := range rows {
		if k.State == storage.KeyPending {
			pending[k.Algorithm] = true
		}
	}
	for alg, want := range map[string]bool{RS256: true, PS256: true, ES384: true, EdDSA: true, ES256: false, "": false} {
		if pending[alg] != want {
			t.Errorf("%q: the next key is published: %v, want %v", alg, pending[alg], want)
		}
	}
	h.now.Advance(275*24*time.Hour + time.Hour)
	h.tend(a)
	if got := h.keys(a, storage.KeyHandle, storage.KeyPending); !slices.Equal(got, []string{"handle-2"}) {
		t.Errorf("after a year the next handle key is %v", got)
	}
}

func TestWithRotationOffNothingRotates(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{Rotation: Never, HandleRotation: Never})
	a := h.node(0)
	h.now.Advance(5 * 365 * 24 * time.Hour)
	h.tend(a)
	rows, err := a.List(t.Context())
	h.must(err)
	if len(rows) != 7 {
		t.Errorf("there are %d keys, want the first 7", len(rows))
	}
}

func TestNodesThatTakeAStepAtOnceTakeItOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{Rotation: 24 * time.Hour, HandleRotation: Never})
	nodes := []*Ring{h.node(0), h.node(5 * time.Minute), h.node(-5 * time.Minute)}
	all := func() {
		var done sync.WaitGroup
		for _, n := range nodes {
			done.Go(func() {
				if err := n.Tend(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
	}
	h.now.Advance(23 * time.Hour)
	all()
	if got := h.keys(nodes[0], storage.KeySigning, storage.KeyPending); len(got) != 1 {
		t.Fatalf("pending are %v, want one", got)
	}
	h.now.Advance(time.Hour)
	all()
	active, retiring := h.keys(nodes[0], storage.KeySigning, storage.KeyActive), h.keys(nodes[0], storage.KeySigning, storage.KeyRetiring)
	if len(active) != 1 || len(retiring) != 1 {
		t.Fatalf("active are %v and retiring %v, want one each", active, retiring)
	}
	h.now.Advance(time.Minute)
	all()
	for _, n := range nodes {
		if h.signer(n) != active[0] {
			t.Error("a node whose clock is wrong signs with another key")
		}
	}
}

// A node that was cut off for ten minutes has missed a whole rotation. The moment that it is back it may be asked for a token.
func TestANodeThatWasCutOffSignsWithNoUnpublishedKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{
		Rotation: Never, HandleRotation: Never, Publication: time.Minute, Retention: 3 * time.Minute, Lag: 10 * time.Second,
	})
	a, cut := h.node(0), h.node(0)
	old := h.signer(cut)
	h.rotate(a, ES256, false)
	for range 60 {
		h.now.Advance(10 * time.Second)
		h.tend(a)
	}
	if publishes(a, old) || h.signer(a) == old {
		t.Fatal("the old key should be gone after ten minutes")
	}
	if cut.Publishable() {
		t.Error("a key set that was read ten minutes ago may be handed out")
	}
	h.must(cut.Freshen(t.Context()))
	if kid := h.signer(cut); !publishes(a, kid) {
		t.Errorf("it signs with %s, which nobody publishes", kid)
	}
}

func TestARingIsReadAnewOnlyOnceItIsOld(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{})
	a, b := h.node(0), h.node(0)
	h.rotate(a, ES256, false)
	next := h.keys(a, storage.KeySigning, storage.KeyPending)[0]
	h.now.Advance(time.Minute)
	h.must(b.Freshen(t.Context()))
	if publishes(b, next) {
		t.Error("a ring that is a minute old was read anew")
	}
	h.now.Advance(time.Microsecond)
	h.must(b.Freshen(t.Context()))
	if !publishes(b, next) {
		t.Error("a ring that is older than a minute was not read anew")
	}
}
