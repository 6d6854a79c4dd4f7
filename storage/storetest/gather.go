package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// Engines may gather the calls of many callers into one statement and one commit. Nobody may notice.
func gatherPromises() []promise {
	return []promise{
		{"AThousandConcurrentFindGrantsGetTheirOwnAnswers", gatherFindGrant},
		{"AThousandConcurrentFindClientsGetTheirOwnAnswers", gatherFindClient},
		{"OfManyRotationsOneThatMovedFailsAlone", gatherOneMoved},
		{"DifferentVerbsAtOnceGetTheirOwnAnswers", gatherVerbs},
		{"ACancelledCallerHarmsNoNeighbour", gatherCancelled},
	}
}

func gatherFindGrant(t *testing.T, s *subject) {
	for n := range 50 {
		g := fullGrant(n)
		g.Nonce = fmt.Sprint("nonce ", n)
		s.create(t, g)
		ok(t, s.DenyToken(t.Context(), storage.Denial{GrantID: id(n), Serial: int64(n), ExpiresAt: start.Add(time.Hour)}))
	}
	errs := together(t, 1000, nil, func(i int) error {
		n := i % 100 // each known one ten times, and as many unknown
		standing, err := s.FindGrant(t.Context(), id(n))
		switch {
		case n >= 50 && is(err, storage.ErrNotFound):
			return nil
		case n >= 50 || err != nil:
			return fmt.Errorf("grant %d: %w", n, err)
		case standing.Grant.ID != id(n) || standing.Grant.Nonce != fmt.Sprint("nonce ", n) || !standing.Now.Equal(start) ||
			len(standing.Denied) != 1 || standing.Denied[0] != int64(n):
			return fmt.Errorf("asked for grant %d, got %+v", n, standing)
		}
		return nil
	})
	allOK(t, errs)
}

func gatherFindClient(t *testing.T, s *subject) {
	for n := range 50 {
		ok(t, s.CreateClient(t.Context(), fullClient(fmt.Sprint("client ", n)), storage.Also{}))
	}
	errs := together(t, 1000, nil, func(i int) error {
		n := i % 100
		name := fmt.Sprint("client ", n)
		c, now, err := s.FindClient(t.Context(), name)
		switch {
		case n >= 50 && is(err, storage.ErrNotFound):
			return nil
		case n >= 50 || err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case c.ID != name || !now.Equal(start):
			return fmt.Errorf("asked for %s, got %+v at %v", name, c, now)
		}
		return nil
	})
	allOK(t, errs)
}

func gatherOneMoved(t *testing.T, s *subject) {
	const grants, moved = 256, 77
	for n := range grants {
		s.create(t, bareGrant(n))
	}
	ok(t, s.RotateGrant(t.Context(), stepTo(moved, 1, 1)))
	errs := together(t, grants, func(i int) error { _, err := s.FindGrant(t.Context(), id(i)); return err }, func(i int) error {
		return s.RotateGrant(t.Context(), stepTo(i, 1, 5))
	})
	for n, err := range errs {
		if n == moved {
			fails(t, err, storage.ErrMoved)
			continue
		}
		ok(t, err)
	}
	for n := range grants {
		if want, got := stepTo(n, 1, 5), s.grant(t, id(n)); n != moved && !want.CarriedBy(got) {
			t.Fatalf("grant %d does not carry its step: %+v", n, got)
		}
	}
}

func gatherVerbs(t *testing.T, s *subject) {
	s.user(t, 1)
	s.create(t, bareGrant(1000))
	ctx := t.Context()
	errs := together(t, 120, nil, func(i int) error {
		switch i % 6 {
		case 0:
			return s.CreateGrant(ctx, bareGrant(i), storage.Spend{}, storage.Also{Events: []storage.Event{{Kind: "x"}}})
		case 1:
			if err := s.CreateGrant(ctx, bareGrant(1000), storage.Spend{}, storage.Also{}); !is(err, storage.ErrTaken) {
				return fmt.Errorf("creating twice: %w", err)
			}
		case 2:
			if err := s.RotateGrant(ctx, stepTo(1000, 7, 7)); !is(err, storage.ErrMoved) {
				return fmt.Errorf("rotating a moved grant: %w", err)
			}
		case 3:
			return s.CreateClient(ctx, bareClient(fmt.Sprint(i)), storage.Also{})
		case 4:
			if err := s.SetPassword(ctx, id(99), 0, "h", storage.Also{}); !is(err, storage.ErrNotFound) {
				return fmt.Errorf("password of nobody: %w", err)
			}
		case 5:
			if wait, err := s.TakeAttempts(ctx, []storage.Take{bucket(fmt.Sprint(i), 1, time.Hour)}); err != nil || wait != 0 {
				return fmt.Errorf("wait %v: %w", wait, err)
			}
		}
		return nil
	})
	allOK(t, errs)
	for i := 0; i < 120; i += 6 {
		s.grant(t, id(i))
		s.client(t, fmt.Sprint(i+3))
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 20 {
		t.Fatalf("%d events, want 20", n)
	}
}

// gatherCancelled: ctx bounds the caller's wait and never the write. Half of the callers give up at some moment; the others must
// succeed, and those that gave up must have been told the truth.
func gatherCancelled(t *testing.T, s *subject) {
	const callers = 128
	errs := together(t, callers, nil, func(i int) error {
		ctx := t.Context()
		if i%2 == 1 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			go cancel()
		}
		return s.CreateGrant(ctx, bareGrant(i), storage.Spend{}, storage.Also{})
	})
	// A write of ours that comes after: whatever was still under way is settled for readers now or was never done.
	s.create(t, bareGrant(callers))
	for i, err := range errs {
		_, found := s.FindGrant(t.Context(), id(i))
		switch {
		case i%2 == 0 && err != nil:
			t.Fatalf("a cancelled neighbour failed caller %d: %v", i, err)
		case err == nil && found != nil:
			t.Fatalf("caller %d was told that its grant is stored: %v", i, found)
		case is(err, storage.ErrUnavailable) && !is(found, storage.ErrNotFound):
			t.Fatalf("caller %d was told that nothing was written, and finds %v", i, found)
		case err != nil && !is(err, storage.ErrUnavailable) && !is(err, storage.ErrUnknown):
			t.Fatalf("caller %d: %v, want ErrUnknown or ErrUnavailable", i, err)
		}
	}
}

func allOK(t *testing.T, errs []error) {
	t.Helper()
	for _, err := range errs {
		ok(t, err)
	}
}
