package sqlite

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestNoVerbOfRegistrationsOrUsageReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s, ctx, id := newStore(t), t.Context(), grantID(1)
	digest := storage.NewSecret([]byte("a")).Digest("test")
	all := storage.Registration{TokenID: id, Unused: 1, Owned: 10}
	for _, act := range []func() error{
		func() error { return s.CreateUser(ctx, storage.User{ID: id}, "", storage.Also{}) },
		func() error {
			return s.CreateRegistrationToken(ctx, storage.RegistrationToken{ID: id, Digest: digest}, storage.Also{})
		},
		func() error {
			return s.RegisterClient(ctx, storage.Client{ID: "a", Origin: storage.OriginSoftware, OwnerID: id}, all, storage.Also{})
		},
		func() error {
			return s.RegisterClient(ctx, storage.Client{ID: "b", Origin: storage.OriginSoftware, OwnerID: id}, all, storage.Also{})
		},
		func() error { _, err := s.ListOwnClients(ctx, id); return err },
		func() error { _, _, err := s.FindRegistrationToken(ctx, digest); return err },
		func() error { _, _, err := s.ListRegistrationTokens(ctx, id, 1); return err },
		func() error { return s.RevokeRegistrationToken(ctx, id, storage.Also{}) },
		func() error {
			return s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "b", Tokens: 1, By: id, Secrets: []time.Time{time.Now()}}})
		},
		func() error { _, err := s.ListUsage(ctx, "b", 1); return err },
		func() error { _, err := s.ListSecretUses(ctx, "b"); return err },
		func() error { _, err := s.SweepUsage(ctx, 1, 0); return err },
		func() error { _, err := s.SweepUnused(ctx, 1, 0); return err },
		func() error { _, err := s.ListRefusals(ctx, "b", "a", 1); return err },
		func() error { return s.DeleteUser(ctx, id, storage.Also{}) },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	queries := prepared(t, s)
	for _, bounded := range []string{countUnused, oldestUnused} { // by the bound itself, and by how many are too many
		if !queries[bounded] {
			t.Errorf("no verb used %s", bounded)
		}
		delete(queries, bounded)
	}
	noScan(t, s, queries)
	if len(queries) < 20 {
		t.Errorf("%d statements were looked at, want all of the verbs'", len(queries))
	}
	c := <-s.idle
	defer func() { s.idle <- c }()
	if plan := planOf(t, c, countUnused); !slices.Equal(plan, []string{"SCAN clients USING COVERING INDEX clients_unused"}) {
		t.Errorf("unused clients are counted by %q, want the rows of their index alone", plan)
	}
}
