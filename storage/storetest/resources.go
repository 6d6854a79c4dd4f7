package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func resourcePromises() []promise {
	return []promise{
		{"CreateResourceKeepsEveryField", createResourceKeepsFields},
		{"CreateResourceRefusesAnIdentifierThatExists", createResourceTaken},
		{"FindResourcesFindsThoseThereAreByteByByte", findResourcesExact},
		{"ListResourcesPagesInByteOrder", listResourcesPages},
		{"UpdateResourceReplacesWhatItSays", updateResourceReplaces},
		{"UpdateResourceGoesByTheRevision", updateResourceRevision},
		{"DeleteResourceTakesNoOther", deleteResource},
	}
}

func resourceRaces() []race {
	return []race{
		{"AnAssertionIsSpentOnce", "SpendAssertion", raceSpendAssertion},
		{"OneIdentifierMakesOneResource", "CreateResource", raceCreateResource},
		{"OfManyUpdatesOfOneResourceOneWins", "UpdateResource", raceUpdateResource},
		{"AResourceIsDeletedOnce", "DeleteResource", raceDeleteResource},
	}
}

// resource reads the one that is there.
func (s *subject) resource(t *testing.T, name string) storage.Resource {
	t.Helper()
	found, err := s.FindResources(t.Context(), []string{name})
	ok(t, err)
	if len(found) != 1 {
		t.Fatalf("%d resources are named %q", len(found), name)
	}
	return found[0]
}

func createResourceKeepsFields(t *testing.T, s *subject) {
	full := fullResource("urn:full")
	wholeRecord(t, full, "Revision", "CreatedAt", "UpdatedAt")
	for _, r := range []storage.Resource{full, bareResource("urn:bare")} {
		given := r
		given.Revision, given.CreatedAt, given.UpdatedAt = 42, start.Add(time.Hour), start.Add(time.Hour) // the store's to say
		ok(t, s.CreateResource(t.Context(), given, storage.Also{}))
		r.Revision, r.CreatedAt, r.UpdatedAt = 1, s.clock.Now(), s.clock.Now()
		same(t, r, s.resource(t, r.Identifier))
		s.clock.Advance(time.Microsecond)
	}
}

func createResourceTaken(t *testing.T, s *subject) {
	ok(t, s.CreateResource(t.Context(), fullResource("urn:r"), storage.Also{}))
	before := s.resource(t, "urn:r")
	s.clock.Advance(time.Second)
	fails(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}), storage.ErrTaken)
	same(t, before, s.resource(t, "urn:r"))
}

func findResourcesExact(t *testing.T, s *subject) {
	ctx := t.Context()
	for _, name := range oddNames {
		r := bareResource(name)
		r.Metadata.Name = name
		ok(t, s.CreateResource(ctx, r, storage.Also{}))
	}
	for _, name := range oddNames {
		if r := s.resource(t, name); r.Identifier != name || r.Metadata.Name != name {
			t.Fatalf("asked for %q, got %q named %q", name, r.Identifier, r.Metadata.Name)
		}
	}
	found, err := s.FindResources(ctx, append([]string{"nobody", "demo\x00", ""}, oddNames...))
	ok(t, err)
	same(t, slices.Sorted(slices.Values(oddNames)), names(found))
	found, err = s.FindResources(ctx, []string{"demo", "demo", "Demo"})
	ok(t, err)
	same(t, []string{"Demo", "demo"}, names(found))
	for _, none := range [][]string{nil, {}, {"nobody"}, {"demo\x00"}} {
		found, err = s.FindResources(ctx, none)
		ok(t, err)
		if len(found) != 0 {
			t.Fatalf("%q found %q", none, names(found))
		}
	}
}

func names(of []storage.Resource) (names []string) {
	for _, r := range of {
		names = append(names, r.Identifier)
	}
	return names
}

func listResourcesPages(t *testing.T, s *subject) {
	for _, name := range oddNames {
		ok(t, s.CreateResource(t.Context(), fullResource(name), storage.Also{}))
	}
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		page, err := s.ListResources(t.Context(), after, 7)
		ok(t, err)
		if len(page) == 0 {
			break
		}
		if len(page) > 7 {
			t.Fatalf("a page of %d, limit 7", len(page))
		}
		for _, r := range page {
			same(t, s.resource(t, r.Identifier), r)
		}
		got = append(got, names(page)...)
	}
	same(t, slices.Sorted(slices.Values(oddNames)), got)
}

func updateResourceReplaces(t *testing.T, s *subject) {
	ok(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}))
	for revision, r := range []storage.Resource{fullResource("urn:r"), bareResource("urn:r")} {
		s.clock.Advance(time.Hour)
		r.Revision, r.CreatedAt, r.UpdatedAt = int64(revision+1), start.Add(99*time.Hour), start.Add(99*time.Hour)
		ok(t, s.UpdateResource(t.Context(), r, storage.Also{}))
		r.Revision, r.CreatedAt, r.UpdatedAt = int64(revision+2), start, s.clock.Now()
		same(t, r, s.resource(t, "urn:r"))
	}
}

func updateResourceRevision(t *testing.T, s *subject) {
	ok(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}))
	before := s.resource(t, "urn:r")
	s.clock.Advance(time.Hour)
	for _, revision := range []int64{0, 2} {
		r := fullResource("urn:r")
		r.Revision = revision
		fails(t, s.UpdateResource(t.Context(), r, storage.Also{}), storage.ErrMoved)
		same(t, before, s.resource(t, "urn:r"))
	}
	for _, nobody := range []string{"urn:R", "urn:r\x00"} {
		r := fullResource(nobody)
		r.Revision = 1
		fails(t, s.UpdateResource(t.Context(), r, storage.Also{}), storage.ErrNotFound)
	}
}

func deleteResource(t *testing.T, s *subject) {
	for _, name := range []string{"demo", "Demo", "dem_"} {
		ok(t, s.CreateResource(t.Context(), bareResource(name), storage.Also{}))
	}
	ok(t, s.DeleteResource(t.Context(), "dem_", storage.Also{}))
	for _, nobody := range []string{"dem_", "demo\x00"} {
		fails(t, s.DeleteResource(t.Context(), nobody, storage.Also{}), storage.ErrNotFound)
	}
	listed, err := s.ListResources(t.Context(), "", 10)
	ok(t, err)
	same(t, []string{"Demo", "demo"}, names(listed))
}

func raceCreateResource(t *testing.T, s *subject) {
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		r := bareResource("urn:r")
		r.Metadata.Name = fmt.Sprint(i)
		return s.CreateResource(t.Context(), r, storage.Also{Events: []storage.Event{{Kind: "resource.created"}}})
	})
	if got := s.resource(t, "urn:r").Metadata.Name; got != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the row is %s's", won, got)
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
}

func raceUpdateResource(t *testing.T, s *subject) {
	ok(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}))
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		r := storage.Resource{Identifier: "urn:r", Revision: 1}
		r.Metadata.Name = fmt.Sprint(i)
		return s.UpdateResource(t.Context(), r, storage.Also{})
	})
	if r := s.resource(t, "urn:r"); r.Metadata.Name != fmt.Sprint(won) || r.Revision != 2 {
		t.Fatalf("contender %d won, and the row is %+v", won, r)
	}
}

func raceDeleteResource(t *testing.T, s *subject) {
	ok(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}))
	s.oneWins(t, storage.ErrNotFound, func(int) error { return s.DeleteResource(t.Context(), "urn:r", storage.Also{}) })
}
