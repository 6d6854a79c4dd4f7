package sqlite

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// BenchmarkRotateGrant is one refresh's write, durable, for one, 16 and 64 callers at once, each with a grant of its own.
func BenchmarkRotateGrant(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := benchStore(b, callers)
			before := s.writer.commits.Load()
			var turn atomic.Int64
			var done sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for n := range callers {
				done.Go(func() {
					step := storage.Step{ID: grantID(n), Revision: 1, IssuedAt: instantOfTests, Retired: make([]time.Time, 2)}
					for turn.Add(1) <= int64(b.N) {
						if err := s.RotateGrant(b.Context(), step); err != nil {
							b.Error(err)
							return
						}
						step.Revision++
					}
				})
			}
			done.Wait()
			b.ReportMetric(float64(s.writer.commits.Load()-before)/float64(b.N), "commits/op")
		})
	}
}

// BenchmarkFindGrant is the read of a refresh, an introspection or a userinfo request.
func BenchmarkFindGrant(b *testing.B) {
	s := benchStore(b, 64)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if _, err := s.FindGrant(b.Context(), grantID(n%64)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchStore(b *testing.B, grants int) *Store {
	s, err := Open(b.Context(), Options{Path: filepath.Join(b.TempDir(), "signet.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	for n := range grants {
		if err := s.CreateGrant(b.Context(), grantOf(n), storage.Spend{}, storage.Also{}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// instantOfTests is where clocks of tests stand.
var instantOfTests = time.Date(2026, time.March, 14, 15, 9, 26, 535_897_000, time.UTC)

func grantID(n int) (id storage.ID) {
	id[0] = 1
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func grantOf(n int) storage.Grant {
	return storage.Grant{
		ID: grantID(n), ClientID: "demo", UserID: grantID(1), Scope: []string{"openid", "profile"}, AMR: []string{"pwd"},
		State: storage.Active, Generation: 1, KeyID: 1, IssuedAt: instantOfTests, ExpiresAt: instantOfTests.AddDate(1, 0, 0),
		CreatedAt: instantOfTests, Seen: storage.Seen{Address: "192.0.2.1", Agent: "curl/8.14"},
	}
}
