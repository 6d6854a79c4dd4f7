package client

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestWhatIsKeptOfPublishedKeysIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := newKeySets(Config{Clock: func() time.Time { return now }})
	for i := range 3 * maxKeySets {
		now = now.Add(time.Millisecond)
		if _, _, err := s.find(t.Context(), fmt.Sprint("https://a.example/", i), 0); !errors.Is(err, errNoOutbound) {
			t.Fatal(err)
		}
	}
	if len(s.by) != maxKeySets || s.by[fmt.Sprint("https://a.example/", 3*maxKeySets-1)] == nil {
		t.Errorf("%d addresses are kept", len(s.by))
	}
	for _, k := range s.by { // as if each had published as much as it may
		k.set = make([]byte, 64<<10)
		s.bytes += len(k.set)
	}
	last := s.entry("https://b.example/", now.Add(time.Second))
	s.forget(last)
	sum := 0
	for _, k := range s.by {
		sum += len(k.set)
	}
	if s.bytes != sum || sum > maxKeySetBytes || s.by["https://b.example/"] != last {
		t.Errorf("%d bytes are kept, and %d counted", sum, s.bytes)
	}
}
