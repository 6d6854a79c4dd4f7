package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// formulaSubject was computed elsewhere.
const formulaSubject = "Bnvmr8FCGQAcg8QKEhm2caW_7icP9L6axH1gShY7ZUk"

// TestAPairwiseSubjectIsItsFormula: OpenID Connect Core §8.1.
func TestAPairwiseSubjectIsItsFormula(t *testing.T) {
	t.Parallel()
	r := &Ring{}
	r.set.Store(&keySet{pairwise: bytes.Repeat([]byte{7}, pairwiseSize)})
	user := storage.ID{0x01, 0x90, 15: 0x71}
	if got := r.Pairwise("shop.example", user); got != formulaSubject {
		t.Errorf("%s, want %s", got, formulaSubject)
	}
	for _, other := range []string{r.Pairwise("shop.exampl", user), r.Pairwise("", user), r.Pairwise("shop.example", storage.ID{15: 1})} {
		if raw, err := base64.RawURLEncoding.DecodeString(other); err != nil || len(raw) != 32 || other == formulaSubject {
			t.Errorf("%q, %v", other, err)
		}
	}
}

// TestPairwiseSubjectsAreThoseOfEveryNodeForEver: through starts at once, restarts, rotations of all that rotates, and another secret key.
func TestPairwiseSubjectsAreThoseOfEveryNodeForEver(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	user := storage.ID{15: 1}
	var start, done sync.WaitGroup
	start.Add(1)
	subjects := make([]string, 3)
	for i := range subjects {
		store := openStore(t, path)
		done.Go(func() {
			start.Wait()
			r, err := OpenRing(t.Context(), store, sealer(t, secretText(1)), issuer, Life{})
			if err != nil {
				t.Error(err)
				return
			}
			subjects[i] = r.Pairwise("a.example", user)
		})
	}
	start.Done()
	done.Wait()
	want := subjects[0]
	if len(want) != 43 || slices.ContainsFunc(subjects, func(s string) bool { return s != want }) {
		t.Fatalf("%q", subjects)
	}
	store := openStore(t, path)
	both := ring(t, store, secretText(2)+","+secretText(1))
	for _, algorithm := range []string{"", Handles} {
		if err := both.Rotate(t.Context(), algorithm, true, "cli"); err != nil {
			t.Fatal(err)
		}
	}
	if _, left, err := both.Reseal(t.Context()); left != 0 || err != nil {
		t.Fatalf("%d left, %v", left, err)
	}
	last := ring(t, openStore(t, path), secretText(2))
	if err := last.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Ring{both, last} {
		if got := r.Pairwise("a.example", user); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if _, err := OpenRing(t.Context(), store, sealer(t, secretText(1)), issuer, Life{}); !errors.Is(err, ErrWrongKey) {
		t.Errorf("with the old secret key alone: %v", err)
	}
}

// TestADatabaseFromBeforeGetsTheKeyOnce: several nodes of the new version start on keys of the old one.
func TestADatabaseFromBeforeGetsTheKeyOnce(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	rows, err := madeOnce()
	if err != nil {
		t.Fatal(err)
	}
	old := slices.DeleteFunc(slices.Clone(rows), func(k storage.Key) bool { return k.Use == storage.KeyPairwise })
	if len(old) != len(rows)-1 {
		t.Fatalf("%d keys of %d are not for pairwise subjects", len(old), len(rows))
	}
	if _, err := openStore(t, path).EstablishKeys(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	rings := make([]*Ring, 4)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range rings {
		store := openStore(t, path)
		done.Go(func() {
			start.Wait()
			r, err := OpenRing(t.Context(), store, sealer(t, secretText(1)), issuer, Life{})
			if err != nil {
				t.Error(err)
			}
			rings[i] = r
		})
	}
	start.Done()
	done.Wait()
	if t.Failed() {
		return
	}
	for _, r := range rings {
		if a, b := r.Pairwise("a.example", storage.ID{}), rings[0].Pairwise("a.example", storage.ID{}); a != b {
			t.Errorf("%s and %s", a, b)
		}
	}
}

// TestTheKeyOfPairwiseSubjectsIsNeverChangedNorPublished: by no command and at no age.
func TestTheKeyOfPairwiseSubjectsIsNeverChangedNorPublished(t *testing.T) {
	t.Parallel()
	store := openStore(t, newPath(t))
	r := ring(t, store, secretText(1))
	if err := r.Revoke(t.Context(), pairwiseID, "cli"); !errors.Is(err, ErrForever) {
		t.Errorf("revoked: %v", err)
	}
	if err := r.Rotate(t.Context(), pairwiseID, true, "cli"); !errors.Is(err, ErrNoLine) {
		t.Errorf("rotated: %v", err)
	}
	if strings.Contains(string(r.JWKS()), pairwiseID) {
		t.Errorf("published: %s", r.JWKS())
	}
	rows, now, err := store.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range due(rows, now.Add(100*365*24*time.Hour), r.life) {
		if s.use == storage.KeyPairwise || slices.ContainsFunc(s.moves, func(m storage.KeyMove) bool { return m.ID == pairwiseID }) {
			t.Errorf("after a century: %+v", s)
		}
	}
}

func TestWithoutTheKeyOfPairwiseSubjectsNothingIsLoaded(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	for what, edit := range map[string]func(*storage.Key){
		"gone":             func(k *storage.Key) { k.State, k.Sealed = storage.KeyRemoved, nil },
		"another's":        func(k *storage.Key) { k.Sealed = nil },
		"of another place": nil,
	} {
		_, err := fixed(t, at, func(rows []storage.Key) []storage.Key {
			for i := range rows {
				if rows[i].Use != storage.KeyPairwise {
					continue
				}
				if edit != nil {
					edit(&rows[i])
					continue
				}
				sealed, err := sealer(t, secretText(1)).Seal(make([]byte, pairwiseSize), handleRow(1))
				if err != nil {
					t.Fatal(err)
				}
				rows[i].Sealed = sealed
			}
			return rows
		})
		if err == nil || !strings.Contains(err.Error(), "restore the keys from a backup") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
