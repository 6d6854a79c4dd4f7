package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func clientPromises() []promise {
	return []promise{
		{"CreateClientKeepsEveryField", createClientKeepsFields},
		{"CreateClientRefusesAnIDThatExists", createClientTaken},
		{"ClientIDsAreComparedByteByByte", clientIDsExact},
		{"FindClientTellsTheStoresClock", findClientClock},
		{"ListClientsPagesInByteOrder", listClientsPages},
		{"UpdateClientReplacesWhatItSays", updateClientReplaces},
		{"UpdateClientGoesByTheRevision", updateClientRevision},
		{"DeleteClientTakesItsGrantsAndNoOthers", deleteClientGrants},
	}
}

func createClientKeepsFields(t *testing.T, s *subject) {
	full, bare := fullClient("full"), bareClient("bare")
	wholeRecord(t, full, "Revision", "CreatedAt", "UpdatedAt", "OwnerID", "UsedAt", "UsedBy")
	wholeRecord(t, full.Secrets[0])
	s.user(t, 1)
	full.OwnerID = id(1)
	for _, c := range []storage.Client{full, bare} {
		given := c
		given.Revision, given.CreatedAt, given.UpdatedAt = 42, start.Add(time.Hour), start.Add(time.Hour) // the store's to say
		given.UsedAt, given.UsedBy = start.Add(time.Hour), id(1)
		ok(t, s.CreateClient(t.Context(), given, storage.Also{}))
		c.Revision, c.CreatedAt, c.UpdatedAt = 1, s.clock.Now(), s.clock.Now()
		same(t, c, s.client(t, c.ID))
		s.clock.Advance(time.Microsecond)
	}
	ok(t, s.CreateClient(t.Context(), storage.Client{ID: "nobody's"}, storage.Also{}))
	if origin := s.client(t, "nobody's").Origin; origin != storage.OriginOperator {
		t.Fatalf("a client of no origin is stored as made by %q", origin)
	}
}

func createClientTaken(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), fullClient("demo"), storage.Also{}))
	before := s.client(t, "demo")
	s.clock.Advance(time.Second)
	fails(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}), storage.ErrTaken)
	same(t, before, s.client(t, "demo"))
}

func clientIDsExact(t *testing.T, s *subject) {
	ctx := t.Context()
	for _, name := range oddNames {
		_, _, err := s.FindClient(ctx, name)
		fails(t, err, storage.ErrNotFound)
		c := bareClient(name)
		c.Metadata.Name = name
		ok(t, s.CreateClient(ctx, c, storage.Also{}))
	}
	for _, name := range oddNames {
		if c := s.client(t, name); c.ID != name || c.Metadata.Name != name {
			t.Fatalf("asked for %q, got %q named %q", name, c.ID, c.Metadata.Name)
		}
	}
	ok(t, s.DeleteClient(ctx, "dem_", storage.Also{}))
	for _, name := range oddNames {
		if _, _, err := s.FindClient(ctx, name); name != "dem_" && err != nil {
			t.Fatalf("deleting %q took %q with it: %v", "dem_", name, err)
		}
	}
	_, _, err := s.FindClient(ctx, "")
	fails(t, err, storage.ErrNotFound)
}

func findClientClock(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	s.clock.Advance(3*time.Hour + time.Microsecond)
	_, now, err := s.FindClient(t.Context(), "demo")
	ok(t, err)
	same(t, s.clock.Now(), now)
}

func listClientsPages(t *testing.T, s *subject) {
	for _, name := range oddNames {
		ok(t, s.CreateClient(t.Context(), fullClient(name), storage.Also{}))
	}
	want := slices.Sorted(slices.Values(oddNames))
	var got []string
	for after := ""; ; {
		page, err := s.ListClients(t.Context(), after, 7)
		ok(t, err)
		if len(page) == 0 {
			break
		}
		if len(page) > 7 {
			t.Fatalf("a page of %d, limit 7", len(page))
		}
		for _, c := range page {
			same(t, s.client(t, c.ID), c)
			got = append(got, c.ID)
		}
		after = got[len(got)-1]
	}
	same(t, want, got)
}

func updateClientReplaces(t *testing.T, s *subject) {
	s.user(t, 1)
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	owners := []storage.ID{id(1), {}}
	for revision, c := range []storage.Client{fullClient("demo"), bareClient("demo")} {
		s.clock.Advance(time.Hour)
		c.Revision, c.CreatedAt, c.UpdatedAt = int64(revision+1), start.Add(99*time.Hour), start.Add(99*time.Hour)
		c.Origin, c.UsedAt, c.UsedBy, c.OwnerID = storage.OriginDocument, start.Add(99*time.Hour), id(1), owners[revision]
		ok(t, s.UpdateClient(t.Context(), c, storage.Also{}))
		c.Revision, c.CreatedAt, c.UpdatedAt = int64(revision+2), start, s.clock.Now()
		c.Origin, c.UsedAt, c.UsedBy = storage.OriginOperator, time.Time{}, storage.ID{} // an update says nothing of these
		same(t, c, s.client(t, "demo"))
	}
}

func updateClientRevision(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	before := s.client(t, "demo")
	s.clock.Advance(time.Hour)
	for _, revision := range []int64{0, 2} {
		c := fullClient("demo")
		c.Revision = revision
		fails(t, s.UpdateClient(t.Context(), c, storage.Also{}), storage.ErrMoved)
		same(t, before, s.client(t, "demo"))
	}
	c := fullClient("Demo")
	c.Revision = 1
	fails(t, s.UpdateClient(t.Context(), c, storage.Also{}), storage.ErrNotFound)
}

func deleteClientGrants(t *testing.T, s *subject) {
	ctx := t.Context()
	for i, name := range []string{"demo", "Demo", "dem_"} {
		ok(t, s.CreateClient(ctx, bareClient(name), storage.Also{}))
		for j, g := range []storage.Grant{bareGrant(10 * i), waitingGrant(10*i + 1), bareGrant(10*i + 2)} {
			g.ClientID, g.UserID = name, id(100+j)
			s.create(t, g)
		}
	}
	ok(t, s.DeleteClient(ctx, "dem_", storage.Also{}))
	fails(t, s.DeleteClient(ctx, "dem_", storage.Also{}), storage.ErrNotFound)
	_, _, err := s.FindClient(ctx, "dem_")
	fails(t, err, storage.ErrNotFound)
	for n := range 3 {
		s.absent(t, 20+n)
		s.grant(t, id(n))
		s.grant(t, id(10+n))
	}
}
