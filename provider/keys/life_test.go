package keys

import (
	"encoding/json"
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
	if len(rows) != 6 {
		t.Errorf("there are %d keys, want the first 6", len(rows))
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

func TestRotatingNowWaitsUntilEveryNodeHasReadTheKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{})
	a, b := h.node(0), h.node(0)
	old := h.signer(a)
	h.rotate(a, ES256, true)
	next := h.keys(a, storage.KeySigning, storage.KeyActive)[0]
	h.now.Advance(time.Minute - time.Microsecond)
	h.tend(a)
	if next == old || h.signer(a) != old {
		t.Fatal("it signs although a node may not have read it")
	}
	h.now.Advance(2 * time.Microsecond)
	h.tend(a)
	h.must(b.Freshen(t.Context()))
	if h.signer(a) != next || h.signer(b) != next {
		t.Error("it does not sign after a minute")
	}
	h.rotate(a, ES256, false)
	waiting := h.keys(a, storage.KeySigning, storage.KeyPending)
	h.rotate(a, ES256, false)
	h.rotate(a, ES256, true)
	if got := h.keys(a, storage.KeySigning, storage.KeyActive); !slices.Equal(got, waiting) {
		t.Errorf("rotating again made %v active, want the key that was waiting, %v", got, waiting)
	}
	if err := a.Rotate(t.Context(), "HS256", false, "test"); !errors.Is(err, ErrNoLine) {
		t.Errorf("rotating what nobody signs with: %v", err)
	}
}

func TestARevokedKeyIsGoneAtOnceAndReplaced(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{})
	a, b := h.node(0), h.node(0)
	old := h.signer(a)
	token, err := a.Sign(ES256, "JWT", struct{}{})
	h.must(err)
	h.now.Advance(time.Hour)
	h.must(a.Revoke(t.Context(), old, "test"))
	h.must(b.Reload(t.Context()))
	for _, r := range []*Ring{a, b} {
		if _, err := r.Verify(token, "JWT"); !errors.Is(err, ErrUnverified) || publishes(r, old) {
			t.Errorf("the revoked key verifies: %v", err)
		}
		if kid := h.signer(r); kid == old || !publishes(r, kid) {
			t.Error("nothing good takes its place")
		}
	}
	if err := a.Revoke(t.Context(), old, "test"); !errors.Is(err, ErrEnded) {
		t.Errorf("revoking it again: %v", err)
	}
	if err := a.Revoke(t.Context(), "nobody", "test"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("revoking a key that never was: %v", err)
	}
	h.rotate(a, ES256, false)
	next := h.keys(a, storage.KeySigning, storage.KeyPending)[0]
	h.must(a.Revoke(t.Context(), h.signer(a), "test"))
	if h.signer(a) != next {
		t.Error("the next key was published already, and does not take the place of the revoked one")
	}
	events, err := a.store.(storage.Store).ListEvents(t.Context(), storage.EventFilter{Kind: "key.revoked"})
	h.must(err)
	if len(events) != 2 || events[1].Detail["kid"] != old || events[1].Actor != "test" {
		t.Errorf("events %+v", events)
	}
}

func TestAHandleKeyStaysAsLongAsAGrantOfItsTimeLives(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{Rotation: Never})
	a := h.node(0)
	store := a.store.(storage.Store)
	grant := func(at time.Time, last time.Duration) {
		id := firstID(at)
		id[15] = 1
		h.must(store.CreateGrant(t.Context(), storage.Grant{
			ID: id, State: storage.Active, ExpiresAt: at.Add(last),
		}, storage.Spend{}, storage.Also{}))
	}
	grant(h.now.Now(), 300*24*time.Hour)
	h.rotate(a, Handles, false)
	if a.Current().Number != 1 {
		t.Fatal("a pending handle key mints")
	}
	if _, ok := a.HandleKey(2); !ok {
		t.Fatal("a pending handle key does not read")
	}
	h.now.Advance(time.Hour)
	h.tend(a)
	h.now.Advance(time.Minute)
	h.tend(a)
	if a.Current().Number != 2 {
		t.Fatal("the active handle key does not mint")
	}
	h.now.Advance(time.Hour)
	grant(h.now.Now(), 10*365*24*time.Hour) // was never under the old key
	h.now.Advance(299 * 24 * time.Hour)
	h.tend(a)
	if _, ok := a.HandleKey(1); !ok {
		t.Fatal("the handle key is gone while a grant of its time lives")
	}
	h.now.Advance(24 * time.Hour)
	h.tend(a)
	if _, ok := a.HandleKey(1); ok {
		t.Error("the handle key stays although no grant of its time lives")
	}
	if got := h.keys(a, storage.KeyHandle, storage.KeyRemoved); !slices.Equal(got, []string{"handle-1"}) {
		t.Errorf("removed are %v", got)
	}
	h.rotate(a, Handles, true)
	if got := h.keys(a, storage.KeyHandle, storage.KeyActive); !slices.Equal(got, []string{"handle-3"}) {
		t.Errorf("the next number is %v", got)
	}
}

func TestAnAlgorithmWithoutAKeyGetsOne(t *testing.T) {
	t.Parallel()
	h := &house{T: t, path: newPath(t), now: &movable{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}, life: Life{Rotation: Never}}
	rows, err := madeOnce()
	h.must(err)
	rows = slices.DeleteFunc(slices.Clone(rows), func(k storage.Key) bool { return k.Algorithm == EdDSA })
	_, err = h.open().EstablishKeys(t.Context(), rows)
	h.must(err)
	a := h.node(0)
	h.tend(a)
	if _, err := a.Sign(EdDSA, "JWT", struct{}{}); err != nil {
		t.Error(err)
	}
}

func TestFiveNodesThatStartAtOnceMakeOneSet(t *testing.T) {
	t.Parallel()
	h := &house{T: t, path: newPath(t), now: &movable{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}
	stores := make([]storage.Store, 5)
	for i := range stores {
		stores[i] = h.open()
	}
	sets := make([]string, len(stores))
	var done sync.WaitGroup
	for i, store := range stores {
		done.Go(func() {
			r, err := OpenRing(t.Context(), store, sealer(t, secretText(1)), issuer, Life{})
			if err == nil {
				err = r.Tend(t.Context())
			}
			if err != nil {
				t.Error(err)
				return
			}
			sets[i] = string(r.JWKS())
		})
	}
	done.Wait()
	var set struct{ Keys []any }
	h.must(json.Unmarshal([]byte(sets[0]), &set))
	if len(set.Keys) != 5 || len(slices.Compact(slices.Sorted(slices.Values(sets)))) != 1 {
		t.Errorf("%d keys, sets %v", len(set.Keys), sets)
	}
}

func TestResealingMovesEveryKeyToTheNewestSecretKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Life{})
	old := h.node(0)
	life := Life{Clock: h.now.Now}
	both, err := OpenRing(t.Context(), h.open(), sealer(t, secretText(2)+","+secretText(1)), issuer, life)
	h.must(err)
	// Killed half-way: three of six are sealed anew. A node with both keys reads all, before and after.
	rows, err := both.List(t.Context())
	h.must(err)
	for _, k := range rows[:3] {
		sealed, err := both.sealer.Reseal(k.Sealed, rowOf(k))
		h.must(err)
		h.must(both.store.ResealKey(t.Context(), k.ID, k.Sealed, sealed))
	}
	again, err := OpenRing(t.Context(), h.open(), sealer(t, secretText(2)+","+secretText(1)), issuer, life)
	h.must(err)
	if string(again.JWKS()) != string(both.JWKS()) {
		t.Error("half-way, the keys are others")
	}
	if done, left, err := again.Reseal(t.Context()); done != 3 || left != 0 || err != nil {
		t.Errorf("%d done and %d left, want the 3 that were not: %v", done, left, err)
	}
	if done, left, err := again.Reseal(t.Context()); done != 0 || left != 0 || err != nil {
		t.Errorf("a second time: %d done and %d left: %v", done, left, err)
	}
	alone, err := OpenRing(t.Context(), h.open(), sealer(t, secretText(2)), issuer, life)
	h.must(err)
	if string(alone.JWKS()) != string(both.JWKS()) || alone.Current().Tag("srt_", nil) != both.Current().Tag("srt_", nil) {
		t.Error("with the new secret key alone the keys are others")
	}
	h.must(old.Reload(t.Context())) // a node that was started with the old one goes on until it is restarted
	if _, err := OpenRing(t.Context(), h.open(), sealer(t, secretText(1)), issuer, life); !errors.Is(err, ErrWrongKey) {
		t.Errorf("the old secret key opens: %v", err)
	}
}
