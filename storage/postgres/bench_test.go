package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

// each runs b.N operations by callers at once, each on a grant of its own, on a cluster that writes to disk.
func each(b *testing.B, operation func(s *postgres.Store, id storage.ID, n int64) error) {
	cluster := pgtest.NewCluster(b)
	if _, err := postgres.Migrate(context.Background(), cluster.URL()); err != nil {
		b.Fatal(err)
	}
	s := open(b, postgres.Options{URL: cluster.URL()})
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%dCallers", callers), func(b *testing.B) {
			ids := grantsIn(b, s, callers)
			b.ResetTimer()
			var group sync.WaitGroup
			for i, id := range ids {
				group.Go(func() {
					for n := range (b.N + callers - 1 - i) / callers {
						if err := operation(s, id, int64(n)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
		})
	}
}

func BenchmarkRotateGrant(b *testing.B) {
	each(b, func(s *postgres.Store, id storage.ID, n int64) error {
		return s.RotateGrant(context.Background(), stepFrom(id, n+1))
	})
}

func BenchmarkFindGrant(b *testing.B) {
	each(b, func(s *postgres.Store, id storage.ID, _ int64) error {
		_, err := s.FindGrant(context.Background(), id)
		return err
	})
}
