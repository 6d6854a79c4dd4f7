package sqlite

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestNoVerbOfPasskeysOrTheChainReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s, ctx, id := newStore(t), t.Context(), grantID(1)
	spend := storage.Spend{
		UserID: id, UserRevision: 2, PasskeyID: id,
		Challenge: storage.NewSecret([]byte("a")).Digest("test"), ChallengeEnds: time.Now(),
	}
	for _, act := range []func() error{
		func() error { return s.CreateUser(ctx, storage.User{ID: id}, "", storage.Also{}) },
		func() error { return s.AddPasskey(ctx, storage.Passkey{ID: id, UserID: id}, 1, nil, storage.Also{}) },
		func() error { _, err := s.FindPasskey(ctx, nil); return err },
		func() error { return s.RenamePasskey(ctx, id, id, "a") },
		func() error {
			return s.CreateGrant(ctx, storage.Grant{ID: id, State: storage.Active, ExpiresAt: time.Now()}, spend, storage.Also{})
		},
		func() error { return s.ReplaceRecoveryCodes(ctx, id, 2, nil, storage.Also{}) },
		func() error { return s.RemovePasskey(ctx, id, id, 3, storage.Also{}) },
		func() error { return s.RecordEvents(ctx, []storage.Event{{ID: id}}) },
		func() error { _, _, err := s.UnchainedEvents(ctx, 1); return err },
		func() error {
			return s.ChainEvents(ctx, 0, []storage.Link{{Seq: 1, EventID: id}}, &storage.Checkpoint{Seq: 1})
		},
		func() error { _, err := s.ChainedEvents(ctx, 0, 1); return err },
		func() error { _, _, err := s.ListCheckpoints(ctx, 0, 1); return err },
		func() error { return s.ResealCheckpoint(ctx, 1, nil, nil) },
		func() error { _, err := s.SweepExpired(ctx, 1, 0, time.Nanosecond); return err },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	queries := prepared(t, s)
	delete(queries, selectUnchained) // its index holds none but the rows that it looks for
	noScan(t, s, queries)
	if len(queries) < 20 {
		t.Errorf("%d statements were looked at, want all of the verbs'", len(queries))
	}
}
