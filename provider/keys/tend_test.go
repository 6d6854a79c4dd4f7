package keys

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

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
	// Killed half-way: three of seven are sealed anew. A node with both keys reads all, before and after.
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
	if done, left, err := again.Reseal(t.Context()); done != 4 || left != 0 || err != nil {
		t.Errorf("%d done and %d left, want the 4 that were not: %v", done, left, err)
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
