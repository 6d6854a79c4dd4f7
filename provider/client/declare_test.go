package client_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// apply makes the client what d says and returns the step with the names of the members that changed.
func apply(t *testing.T, r *client.Registry, d client.Declaration) (client.Step, string) {
	t.Helper()
	plan, err := r.Plan(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	step, err := r.Apply(t.Context(), d, "cli")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan.Changes, step.Changes); diff != "" || plan.Secret != "" {
		t.Errorf("the plan was another: %s", diff)
	}
	var names []string
	for _, change := range step.Changes {
		names = append(names, change.Member)
	}
	return step, strings.Join(names, " ")
}

func kinds(t *testing.T, store storage.Store) string {
	t.Helper()
	events, err := store.ListEvents(t.Context(), storage.EventFilter{ClientID: "shop", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range events {
		names = append(names, strings.TrimSpace(e.Kind+" "+e.Detail["changed"]))
	}
	return strings.Join(names, ", ")
}

func TestADeclarationIsMadeTrueOnceAndKeepsSecrets(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	d := client.Declaration{ClientID: "shop", ClientMetadata: confidential}
	made, names := apply(t, r, d)
	if !made.Creates() || !strings.HasPrefix(made.Secret, client.SecretPrefix) || names != "client_name grant_types scope token_endpoint_auth_method application_type" {
		t.Fatalf("got %+v", made)
	}
	again, names := apply(t, r, d)
	if again.Creates() || again.Secret != "" || names != "" || again.After.Revision != 1 {
		t.Errorf("the second time: %+v", again)
	}
	if got := kinds(t, store); got != "client.created" {
		t.Errorf("events: %s", got)
	}

	d.Name, d.Scope = "", "openid email"
	changed, names := apply(t, r, d)
	if names != "client_name scope" || changed.After.Revision != 2 || string(changed.Changes[0].Was) != `"Shop"` || changed.Changes[0].Is != nil {
		t.Errorf("got %+v", changed)
	}
	accepts(t, r, map[string]bool{made.Secret: true})
	if got := kinds(t, store); got != "client.updated client_name scope, client.created" {
		t.Errorf("events: %s", got)
	}

	d.TokenEndpointAuthMethod = "none"
	if public, _ := apply(t, r, d); len(public.After.Secrets) != 0 {
		t.Errorf("a public client has secrets: %+v", public.After)
	}
	d.TokenEndpointAuthMethod = ""
	if back, _ := apply(t, r, d); len(back.After.Secrets) != 0 || back.Secret != "" {
		t.Errorf("a secret was made for a client that was there: %+v", back)
	}
}

func TestADeclarationThatDoesNotSayLeavesAClientDisabled(t *testing.T) {
	t.Parallel()
	r, store, clock := open(t)
	d := client.Declaration{ClientID: "shop", Disabled: new(true), ClientMetadata: confidential}
	if made, _ := apply(t, r, d); !made.After.DisabledAt.Equal(clock.Now()) {
		t.Errorf("got %+v", made.After)
	}
	d.Disabled = nil
	if same, names := apply(t, r, d); names != "" || same.After.DisabledAt.IsZero() {
		t.Errorf("got %+v", same)
	}
	if got := client.Declare(mustFind(t, r)); got.Disabled == nil || !*got.Disabled {
		t.Errorf("a disabled client is declared as %+v", got)
	}
	d.Disabled, d.Name = new(false), "Shop 2"
	if enabled, names := apply(t, r, d); names != "client_name disabled" || !enabled.After.DisabledAt.IsZero() || enabled.After.Revision != 2 {
		t.Errorf("got %+v", enabled)
	}
	if got := client.Declare(mustFind(t, r)); got.Disabled != nil {
		t.Errorf("an enabled client is declared as %+v", got)
	}
	if got := kinds(t, store); got != "client.enabled, client.updated client_name, client.disabled, client.created" {
		t.Errorf("events: %s", got)
	}
}

func mustFind(t *testing.T, r *client.Registry) storage.Client {
	t.Helper()
	c, err := r.Find(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOfConcurrentApplicationsOneMakesTheClient: the others find it made, and nobody is handed a secret that does not work.
func TestOfConcurrentApplicationsOneMakesTheClient(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	var group sync.WaitGroup
	secrets := make([]string, 3) // as many as the loops of one call can lose to
	for i := range secrets {
		group.Go(func() {
			step, err := r.Apply(t.Context(), client.Declaration{ClientID: "shop", ClientMetadata: confidential}, "cli")
			if err != nil {
				t.Error(err)
			}
			secrets[i] = step.Secret
		})
	}
	group.Wait()
	made := strings.Join(secrets, "")
	if strings.Count(made, client.SecretPrefix) != 1 {
		t.Fatalf("secrets: %q", secrets)
	}
	accepts(t, r, map[string]bool{made: true})
	if got := kinds(t, store); got != "client.created" {
		t.Errorf("events: %s", got)
	}
}

func TestCheckFindsWhatIsWrongInEachPartAtOnce(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	d := client.Declaration{ClientID: "a b", ClientMetadata: storage.ClientMetadata{
		GrantTypes: []string{"implicit"}, ApplicationType: "desktop", Scope: `"`, AccessTokenFormat: "xml", RefreshGrace: 301,
	}}
	_, faults := r.Check(d)
	var got []string
	for _, fault := range faults {
		member, _, _ := strings.Cut(strings.TrimSuffix(oauth.As(fault).Description, ":"), " ")
		got = append(got, strings.TrimSuffix(member, ":"))
	}
	if diff := cmp.Diff([]string{"client_id", "grant_types", "application_type", "scope", "access_token_format", "refresh_grace"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := r.Apply(t.Context(), d, "cli"); oauth.As(err) == nil {
		t.Errorf("it was applied: %v", err)
	}
}
