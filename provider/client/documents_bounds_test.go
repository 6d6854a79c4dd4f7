package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestWhatIsKeptOfDocumentsIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := newDocuments(Config{Clock: func() time.Time { return now }})
	free := func() error { return nil }
	for i := range 3 * maxDocuments {
		now = now.Add(time.Millisecond)
		_, _, err := d.find(t.Context(), fmt.Sprint(i), free, func(context.Context) (storage.ClientMetadata, time.Duration, int, error) {
			if i%3 == 0 {
				return storage.ClientMetadata{}, 0, 0, &unread{errors.New("none")}
			}
			return storage.ClientMetadata{}, 0, 1 + i%MaxMetadata*16, nil
		})
		if err != nil || len(d.by) > maxDocuments || d.bytes > maxDocumentBytes {
			t.Fatalf("%d documents of %d bytes, %v", len(d.by), d.bytes, err)
		}
	}
	sum := 0
	for _, e := range d.by {
		sum += e.size
	}
	if sum != d.bytes || len(d.by) == 0 {
		t.Errorf("%d documents of %d bytes, counted as %d", len(d.by), sum, d.bytes)
	}
	// What could not begin leaves nothing.
	before := len(d.by)
	_, _, err := d.find(t.Context(), "slowed", func() error { return storage.ErrUnavailable }, nil)
	if !errors.Is(err, storage.ErrUnavailable) || len(d.by) != before {
		t.Errorf("%v, %d documents, want %d", err, len(d.by), before)
	}
}

// TestADocumentThatTakesAllTheTimeThereIsCountsAsNotThere: whoever publishes it, or the document of its sector, is not asked again at once.
func TestADocumentThatTakesAllTheTimeThereIsCountsAsNotThere(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := newDocuments(Config{Clock: func() time.Time { return now }})
	looks := 0
	slow := func(context.Context) (storage.ClientMetadata, time.Duration, int, error) {
		looks++
		return storage.ClientMetadata{}, 0, 0, context.DeadlineExceeded
	}
	for range 3 {
		f, _, err := d.find(t.Context(), "https://slow.example/a", func() error { return nil }, slow)
		if err != nil || f.err == nil || looks != 1 {
			t.Fatalf("%+v, %v after %d looks", f, err, looks)
		}
	}
	now = now.Add(documentEvery)
	if _, _, err := d.find(t.Context(), "https://slow.example/a", func() error { return nil }, slow); err != nil || looks != 2 {
		t.Errorf("%v after %d looks", err, looks)
	}
}
