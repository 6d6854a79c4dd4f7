package client_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

var agent = storage.ClientMetadata{Name: "Agent", RedirectURIs: []string{"https://app.example/cb"}, TokenEndpointAuthMethod: "client_secret_basic"}

func TestANewcomerIsStoredWithWhoMadeIt(t *testing.T) {
	t.Parallel()
	r, store, clock := open(t)
	made, err := r.Register(t.Context(), client.Newcomer{
		Origin: storage.OriginSoftware, Managed: true, Metadata: agent, Actor: "somebody", Seen: storage.Seen{Address: "192.0.2.1", Agent: "agent/1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := store.FindClient(t.Context(), made.Client.ID)
	if err != nil || c.Origin != storage.OriginSoftware || !c.DisabledAt.IsZero() || len(c.Secrets) != 1 || c.Registration.IsZero() || !c.CreatedAt.Equal(clock.Now()) {
		t.Fatalf("stored %+v, %v", c, err)
	}
	if row, err := json.Marshal(c); err != nil || strings.Contains(string(row), made.AccessToken[4:]) || strings.Contains(string(row), made.Secret[4:]) {
		t.Errorf("the row holds a secret: %s, %v", row, err)
	}
	events, err := store.ListEvents(t.Context(), storage.EventFilter{Kind: "client.registered", Limit: 2})
	if err != nil || len(events) != 1 || events[0].ClientID != c.ID || events[0].Actor != "somebody" || events[0].Seen.Agent != "agent/1" {
		t.Errorf("events %+v, %v", events, err)
	}
	if _, err := r.Register(t.Context(), client.Newcomer{ID: c.ID, Origin: storage.OriginSoftware, Metadata: agent}); !errors.Is(err, storage.ErrTaken) {
		t.Errorf("a client_id that is taken: %v", err)
	}
	plain, err := r.Register(t.Context(), client.Newcomer{Origin: storage.OriginPerson, Metadata: agent})
	if err != nil || plain.AccessToken != "" || !plain.Client.Registration.IsZero() {
		t.Errorf("one that is not managed: %+v, %v", plain, err)
	}
}

// TestAHeldNewcomerWaitsForAnAdministrator: and enabling lets it in.
func TestAHeldNewcomerWaitsForAnAdministrator(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	made, err := r.Register(t.Context(), client.Newcomer{Origin: storage.OriginPerson, Held: true, Metadata: agent})
	if err != nil || made.Client.DisabledAt.IsZero() || made.Client.DisabledFor != storage.DisabledUnapproved {
		t.Fatalf("made %+v, %v", made.Client, err)
	}
	waiting, err := store.ListAwaiting(t.Context(), 5)
	if err != nil || len(waiting) != 1 {
		t.Errorf("waiting %+v, %v", waiting, err)
	}
	c, err := r.Enable(t.Context(), made.Client.ID, "cli")
	if err != nil || !c.DisabledAt.IsZero() || c.DisabledFor != "" {
		t.Errorf("enabled %+v, %v", c, err)
	}
}

// TestWhoDisabledAClientIsKept: an operator's word stands over an owner's, and not the other way round.
func TestWhoDisabledAClientIsKept(t *testing.T) {
	t.Parallel()
	r, _, clock := open(t)
	made, err := r.Register(t.Context(), client.Newcomer{Origin: storage.OriginPerson, Metadata: agent})
	if err != nil {
		t.Fatal(err)
	}
	since := clock.Now()
	for _, step := range []struct{ by, want storage.DisabledFor }{
		{storage.DisabledByOwner, storage.DisabledByOwner},
		{storage.DisabledUnapproved, storage.DisabledByOwner},
		{storage.DisabledByOperator, storage.DisabledByOperator},
		{storage.DisabledByOwner, storage.DisabledByOperator},
		{storage.DisabledByOperator, storage.DisabledByOperator},
	} {
		c, err := r.DisableFor(t.Context(), made.Client.ID, step.by, "x")
		if err != nil || c.DisabledFor != step.want || !c.DisabledAt.Equal(since) {
			t.Errorf("disabled by %s: %+v, %v", step.by, c, err)
		}
		clock.advance(1e9)
	}
	if c, err := r.Disable(t.Context(), made.Client.ID, "cli"); err != nil || c.DisabledFor != storage.DisabledByOperator {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestWhatOperatorsMakeSaysSo: created, applied and disabled by file.
func TestWhatOperatorsMakeSaysSo(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	if c, _, err := r.Create(t.Context(), agent, "one", "cli"); err != nil || c.Origin != storage.OriginOperator || c.ByMachine() {
		t.Errorf("created %+v, %v", c, err)
	}
	d := client.Declaration{ClientID: "two", Disabled: new(true), ClientMetadata: agent}
	if _, err := r.Apply(t.Context(), d, "cli"); err != nil {
		t.Fatal(err)
	}
	c, _, err := store.FindClient(t.Context(), "two")
	if err != nil || c.Origin != storage.OriginOperator || c.DisabledFor != storage.DisabledByOperator {
		t.Errorf("applied %+v, %v", c, err)
	}
	d.Disabled = new(false)
	if step, err := r.Apply(t.Context(), d, "cli"); err != nil || step.After.DisabledFor != "" {
		t.Errorf("enabled %+v, %v", step.After, err)
	}
}

// TestAnInitialTokenIsShownOnceAndKeptAsADigest: and found by its text as long as it is good.
func TestAnInitialTokenIsShownOnceAndKeptAsADigest(t *testing.T) {
	t.Parallel()
	_, store, clock := open(t)
	tokens := client.NewInitialTokens(store, client.Config{Clock: clock.Now})
	text, made, err := tokens.Create(t.Context(), storage.RegistrationToken{Name: "CI"}, 60e9, "cli", storage.Seen{})
	if err != nil || !strings.HasPrefix(text, "sit_") || len(text) != 4+43 {
		t.Fatalf("%q, %v", text, err)
	}
	listed, _, err := tokens.List(t.Context(), storage.ID{}, 5)
	if err != nil || len(listed) != 1 || listed[0].ID != made.ID || listed[0].CreatedBy != "cli" {
		t.Fatalf("listed %+v, %v", listed, err)
	}
	if row, err := json.Marshal(listed[0]); err != nil || strings.Contains(string(row), text[4:]) {
		t.Errorf("the row holds it: %s, %v", row, err)
	}
	if found, err := tokens.Find(t.Context(), text); err != nil || found.ID != made.ID {
		t.Errorf("found %+v, %v", found, err)
	}
	for _, other := range []string{"", "sit_", text[4:], "sra_" + text[4:], text + "A", text[:46] + "="} {
		if _, err := tokens.Find(t.Context(), other); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%q: %v", other, err)
		}
	}
	clock.advance(60e9)
	if _, err := tokens.Find(t.Context(), text); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("expired: %v", err)
	}
}
