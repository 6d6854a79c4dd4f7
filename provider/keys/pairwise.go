package keys

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/signet-idp/signet/storage"
)

const (
	pairwiseID   = "pairwise" // of the one row
	pairwiseRow  = "keys/pairwise"
	pairwiseSize = 32
)

// ErrForever says that a key is never rotated and never revoked.
var ErrForever = errors.New("keys: the key of pairwise subjects is never changed, or every such subject would be another")

// Pairwise is the subject by which the sector knows the user (OpenID Connect Core §8.1): 43 characters of base64url, of
// HMAC-SHA-256(key, sector ‖ 0 ‖ user's 16 bytes). It is the same on every node and for ever, and says nothing of the user to who lacks
// the key. No sector has a 0 in it.
func (r *Ring) Pairwise(sector string, user storage.ID) string {
	h := hmac.New(sha256.New, r.set.Load().pairwise)
	h.Write([]byte(sector))
	h.Write([]byte{0})
	h.Write(user[:])
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// makePairwise makes the key of pairwise subjects.
func makePairwise(sealer *Sealer) (storage.Key, error) {
	secret := make([]byte, pairwiseSize)
	rand.Read(secret)
	sealed, err := sealer.Seal(secret, pairwiseRow)
	return storage.Key{ID: pairwiseID, Use: storage.KeyPairwise, State: storage.KeyActive, Sealed: sealed}, err
}

// addPairwise makes the key where keys are there and it is not: the database is from before there was one. Of several nodes one succeeds,
// and it is everybody's.
func (r *Ring) addPairwise(ctx context.Context, rows []storage.Key) error {
	if slices.ContainsFunc(rows, func(k storage.Key) bool { return k.Use == storage.KeyPairwise }) {
		return nil
	}
	made, err := makePairwise(r.sealer)
	if err != nil {
		return fmt.Errorf("make the key of pairwise subjects: %w", err)
	}
	event := line{use: storage.KeyPairwise}.event("key.created", made.ID, actorServer)
	err = r.store.ChangeKeys(ctx, storage.KeyChange{Add: []storage.Key{made}, Also: storage.Also{Events: []storage.Event{event}}})
	if err != nil && !errors.Is(err, storage.ErrTaken) {
		return fmt.Errorf("keep the key of pairwise subjects: %w", err)
	}
	return nil
}

// openPairwise opens the key, or takes it from the set before: it never changes.
func (r *Ring) openPairwise(row storage.Key) ([]byte, error) {
	if before := r.set.Load(); before != nil && before.pairwise != nil {
		return before.pairwise, nil
	}
	secret, err := r.sealer.Open(row.Sealed, pairwiseRow)
	if err == nil && len(secret) != pairwiseSize {
		return nil, fmt.Errorf("it has %d bytes, not %d", len(secret), pairwiseSize)
	}
	return secret, err
}
