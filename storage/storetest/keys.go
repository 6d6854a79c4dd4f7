package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func keyPromises() []promise {
	return []promise{
		{"EstablishKeysKeepsEveryField", establishKeepsFields},
		{"EstablishKeysStoresNothingWhereThereIsAKey", establishOnce},
		{"AnEmptyStoreHasNoKeys", noKeys},
		{"ChangeKeysMovesAndStampsAndAdds", changeMoves},
		{"ChangeKeysHappensAsAWholeOrNotAtAll", changeWhole},
		{"ChangeKeysDemandsTheStateAndItsAge", changeConditions},
		{"AKeyThatIsRemovedOrRevokedLosesItsSecretAlone", changeErases},
		{"EachLineHasOnePendingAndOneActiveKey", changeOneOfALine},
		{"ANameOfAKeyNeverComesBack", changeNamesOnce},
		{"AHandleKeyStaysWhileAGrantBelowLives", changeKeepsHeld},
		{"ResealKeyReplacesWhatIsStillOld", resealKey},
		{"StaleSeedsAreThoseUnderAnotherKey", staleSeeds},
		{"ResealSeedReplacesWhatIsStillOld", resealSeed},
	}
}

func keyRaces() []race {
	return []race{
		{"AKeyIsMovedOnce", "ChangeKeys", raceMoveKey},
		{"OfManyKeysThatWouldBeNextOneIs", "ChangeKeys", raceAddKey},
		{"ASealIsReplacedOnce", "ResealKey", raceResealKey},
		{"ASeedIsResealedOnce", "ResealSeed", raceResealSeed},
	}
}

// madeKeys are a signing and a handle key as one node would make them; the JWK's text is kept as it is given.
func madeKeys(node string) []storage.Key {
	return []storage.Key{
		{
			ID: "sig " + node, Use: storage.KeySigning, Algorithm: "ES256", State: storage.KeyActive,
			Public: []byte(`{"kty":"EC","crv":"P-256", "alg":"ES256","x":"` + node + `"}`), Sealed: []byte{0, 0xff, 1},
		},
		{ID: "handle-1", Use: storage.KeyHandle, Number: 1<<16 - 1, State: storage.KeyActive, Sealed: []byte(node)},
	}
}

// stamped are keys as the store returns them.
func stamped(keys []storage.Key, at time.Time) []storage.Key {
	out := slices.Clone(keys)
	for i := range out {
		out[i].CreatedAt, out[i].ChangedAt = at, at
	}
	return byID(out)
}

func byID(keys []storage.Key) []storage.Key {
	return slices.SortedFunc(slices.Values(keys), func(a, b storage.Key) int { return cmp.Compare(a.ID, b.ID) })
}

func establishKeepsFields(t *testing.T, s *subject) {
	made := madeKeys("a")
	want := stamped(made, start)
	wholeRecord(t, want[1], "Number")
	got, err := s.EstablishKeys(t.Context(), made)
	ok(t, err)
	same(t, want, byID(got))
	s.clock.Advance(time.Second)
	listed, now, err := s.ListKeys(t.Context())
	ok(t, err)
	same(t, want, byID(listed))
	same(t, s.clock.Now(), now)
}

func establishOnce(t *testing.T, s *subject) {
	_, err := s.EstablishKeys(t.Context(), madeKeys("a"))
	ok(t, err)
	s.clock.Advance(time.Second)
	got, err := s.EstablishKeys(t.Context(), madeKeys("b"))
	ok(t, err)
	same(t, stamped(madeKeys("a"), start), byID(got))
	listed, _, err := s.ListKeys(t.Context())
	ok(t, err)
	same(t, got, listed)
}

func noKeys(t *testing.T, s *subject) {
	keys, now, err := s.ListKeys(t.Context())
	ok(t, err)
	same(t, start, now)
	if len(keys) != 0 {
		t.Fatalf("an empty store has keys: %v", keys)
	}
}
