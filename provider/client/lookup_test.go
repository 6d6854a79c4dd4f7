package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestWhatCanBeNoClientIsLookedUpNowhere(t *testing.T) {
	t.Parallel()
	r, store, clock := open(t)
	if _, _, err := r.Create(t.Context(), confidential, "shop", "cli"); err != nil {
		t.Fatal(err)
	}
	c, now, err := r.Lookup(t.Context(), "shop")
	if err != nil || c.ID != "shop" || !now.Equal(clock.Now()) {
		t.Errorf("%s at %v, %v", c.ID, now, err)
	}
	if _, _, err := r.Lookup(t.Context(), "nobody"); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "a\x00b", "a\nb", "\xff", strings.Repeat("x", 257)} {
		if _, _, err := r.Lookup(t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%.10q: %v", id, err)
		}
	}
	if _, _, err := r.Lookup(t.Context(), "shop"); !errors.Is(err, storage.ErrUnavailable) {
		t.Error(err)
	}
}
