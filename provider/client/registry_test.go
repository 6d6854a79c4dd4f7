package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

var (
	confidential = storage.ClientMetadata{Name: "Shop", GrantTypes: []string{"password", "refresh_token"}, Scope: "openid"}
	public       = storage.ClientMetadata{GrantTypes: []string{"password"}, TokenEndpointAuthMethod: "none"}
)

func TestASecretIsShownOnceAndKeptAsADigest(t *testing.T) {
	t.Parallel()
	r, store, clock := open(t)
	c, secret, err := r.Create(t.Context(), confidential, "", "cli")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, "scs_") || len(secret) != 4+43 {
		t.Errorf("the secret is %q", secret)
	}
	if !c.CreatedAt.Equal(clock.Now()) || c.Revision != 1 || client.CheckID(c.ID) != nil {
		t.Errorf("got %+v", c)
	}
	kept, _, err := store.FindClient(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	row, err := json.Marshal(kept)
	if err != nil || bytes.Contains(row, []byte(secret[4:])) || len(kept.Secrets) != 1 {
		t.Errorf("the row holds the secret: %s, %v", row, err)
	}
	if diff := cmp.Diff(kept, c); diff != "" {
		t.Errorf("what Create returned is not what is stored: %s", diff)
	}
	info, err := json.Marshal(client.Registration(c, ""))
	if err != nil || bytes.Contains(info, []byte("client_secret\"")) || bytes.Contains(info, []byte("client_secret_expires_at")) {
		t.Errorf("a later answer: %s, %v", info, err)
	}
}

func TestRegistrationHasTheNamesOfRFC7591(t *testing.T) {
	t.Parallel()
	r, _, clock := open(t)
	c, secret, err := r.Create(t.Context(), confidential, "shop", "cli")
	if err != nil {
		t.Fatal(err)
	}
	got, want := decode(t, client.Registration(c, secret)), map[string]any{
		"client_id": "shop", "client_secret": secret, "client_secret_expires_at": 0.0, "client_id_issued_at": float64(clock.Now().Unix()),
		"client_name": "Shop", "grant_types": []any{"password", "refresh_token"}, "scope": "openid",
		"token_endpoint_auth_method": "client_secret_basic", "application_type": "web",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p, secret, err := r.Create(t.Context(), public, "spa", "cli")
	if err != nil || secret != "" || len(p.Secrets) != 0 {
		t.Errorf("a public client got a secret: %q, %+v, %v", secret, p, err)
	}
}

func decode(t *testing.T, v any) (members map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(encoded, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	return members
}

func TestAClientIDIsGivenOnce(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	if _, _, err := r.Create(t.Context(), confidential, "shop", "cli"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Create(t.Context(), confidential, "shop", "cli"); !errors.Is(err, storage.ErrTaken) {
		t.Errorf("the second client with the id: %v", err)
	}
	if _, _, err := r.Create(t.Context(), confidential, "0190a5b7-c3d8-7e0f-9a1b-2c3d4e5f6071", "cli"); oauth.As(err) == nil {
		t.Errorf("an id of the form of a subject: %v", err)
	}
}

func TestRotationKeepsTheOldSecretForTheOverlapAndNoLonger(t *testing.T) {
	t.Parallel()
	r, _, clock := open(t)
	_, first, err := r.Create(t.Context(), confidential, "shop", "cli")
	if err != nil {
		t.Fatal(err)
	}
	second := rotate(t, r, time.Hour)
	accepts(t, r, map[string]bool{first: true, second: true})
	clock.advance(time.Hour - time.Microsecond)
	accepts(t, r, map[string]bool{first: true, second: true})
	clock.advance(time.Microsecond)
	accepts(t, r, map[string]bool{first: false, second: true})

	third := rotate(t, r, time.Hour)
	fourth := rotate(t, r, 2*time.Hour)
	accepts(t, r, map[string]bool{second: false, third: true, fourth: true}) // two live at most
	fifth := rotate(t, r, 0)
	accepts(t, r, map[string]bool{third: false, fourth: false, fifth: true})
	for _, overlap := range []time.Duration{-1, client.MaxOverlap + 1} {
		if _, _, err := r.RotateSecret(t.Context(), "shop", overlap, "cli"); oauth.As(err) == nil {
			t.Errorf("overlap %v: %v", overlap, err)
		}
	}
}

func rotate(t *testing.T, r *client.Registry, overlap time.Duration) string {
	t.Helper()
	secret, c, err := r.RotateSecret(t.Context(), "shop", overlap, "cli")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Secrets) > 2 {
		t.Errorf("%d secrets are kept", len(c.Secrets))
	}
	return secret
}

func accepts(t *testing.T, r *client.Registry, secrets map[string]bool) {
	t.Helper()
	for secret, want := range secrets {
		if _, err := r.Authenticate(t.Context(), []string{basic("shop", secret)}, oauth.Params{}); (err == nil) != want {
			t.Errorf("%s: %v, want accepted %v", secret, err, want)
		}
	}
}

func TestConcurrentRotationsAllSucceedAndTwoSecretsLive(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	if _, _, err := r.Create(t.Context(), confidential, "shop", "cli"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	secrets := make([]string, 3) // as many as the loops of one call can lose to
	for i := range secrets {
		group.Go(func() {
			secret, _, err := r.RotateSecret(t.Context(), "shop", time.Hour, "cli")
			if err != nil {
				t.Error(err)
			}
			secrets[i] = secret
		})
	}
	group.Wait()
	alive := 0
	for _, secret := range secrets {
		if _, err := r.Authenticate(t.Context(), []string{basic("shop", secret)}, oauth.Params{}); err == nil {
			alive++
		}
	}
	if alive != 2 {
		t.Errorf("%d of the secrets live", alive)
	}
}

func TestUpdateIsConditionalOnWhatWasRead(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	read, _, err := r.Create(t.Context(), confidential, "shop", "cli")
	if err != nil {
		t.Fatal(err)
	}
	m := read.Metadata
	m.Name = "Shop 2"
	now, err := r.Update(t.Context(), read, m, "cli")
	if err != nil || now.Revision != 2 || now.Metadata.Name != "Shop 2" || len(now.Secrets) != 1 {
		t.Fatalf("got %+v, %v", now, err)
	}
	if _, err := r.Update(t.Context(), read, m, "cli"); !errors.Is(err, storage.ErrMoved) {
		t.Errorf("an update of what was read before: %v", err)
	}
	m.Scope = `"`
	if _, err := r.Update(t.Context(), now, m, "cli"); oauth.As(err) == nil {
		t.Errorf("an invalid update: %v", err)
	}
}

func TestAClientThatBecomesPublicLosesItsSecrets(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	c, secret, err := r.Create(t.Context(), confidential, "shop", "cli")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Metadata
	m.TokenEndpointAuthMethod = "none"
	if c, err = r.Update(t.Context(), c, m, "cli"); err != nil || len(c.Secrets) != 0 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if _, _, err := r.RotateSecret(t.Context(), "shop", 0, "cli"); oauth.As(err) == nil {
		t.Errorf("a public client got a secret: %v", err)
	}
	m.TokenEndpointAuthMethod = "client_secret_basic"
	if _, err = r.Update(t.Context(), c, m, "cli"); err != nil {
		t.Fatal(err)
	}
	accepts(t, r, map[string]bool{secret: false, "": false})
	accepts(t, r, map[string]bool{rotate(t, r, time.Hour): true})
}

func TestEveryChangeIsAuditedWithoutSecrets(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	ctx := t.Context()
	c, secret, err := r.Create(ctx, confidential, "shop", "cli")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Metadata
	m.Name, m.Scope = "", "openid email"
	_, err = r.Update(ctx, c, m, "alice")
	for _, act := range []func(context.Context, string, string) (storage.Client, error){r.Disable, r.Disable, r.Enable, r.Enable} {
		if err == nil {
			_, err = act(ctx, "shop", "cli")
		}
	}
	rotated := ""
	if err == nil {
		rotated, _, err = r.RotateSecret(ctx, "shop", 0, "cli")
	}
	if err == nil {
		err = r.Delete(ctx, "shop", "cli")
	}
	if err != nil {
		t.Fatal(err)
	}
	events, err := store.ListEvents(ctx, storage.EventFilter{ClientID: "shop", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
		if e.Kind == "client.updated" && (e.Actor != "alice" || e.Detail["changed"] != "client_name scope") {
			t.Errorf("got %+v", e)
		}
	}
	want := []string{"client.deleted", "client.secret_rotated", "client.enabled", "client.disabled", "client.updated", "client.created"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	if log, _ := json.Marshal(events); bytes.Contains(log, []byte(secret)) || bytes.Contains(log, []byte(rotated)) {
		t.Errorf("the audit log holds a secret: %s", log)
	}
	if _, err := r.Find(ctx, "shop"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the deleted client: %v", err)
	}
}

func TestPolicyIsTheClientsElseTheServersElseItsKinds(t *testing.T) {
	t.Parallel()
	kind := func(m storage.ClientMetadata) storage.Client { return storage.Client{Metadata: m} }
	for name, test := range map[string]struct {
		config client.Config
		m      storage.ClientMetadata
		want   storage.Policy
	}{
		"confidential": {client.Config{}, confidential, storage.Policy{Rotation: storage.Strict, Grace: 30 * time.Second, Idle: 30 * 24 * time.Hour}},
		"public":       {client.Config{}, public, storage.Policy{Rotation: storage.Balanced, Grace: 30 * time.Second, Idle: 30 * 24 * time.Hour}},
		"server": {
			client.Config{Rotation: storage.Balanced, Grace: time.Minute, RefreshTokenIdleLifetime: time.Hour},
			confidential,
			storage.Policy{Rotation: storage.Balanced, Grace: time.Minute, Idle: time.Hour},
		},
		"public is never static": {client.Config{Rotation: storage.Static}, public, storage.Policy{Rotation: storage.Balanced, Grace: 30 * time.Second, Idle: 30 * 24 * time.Hour}},
		"own": {
			client.Config{Rotation: storage.Balanced, Grace: time.Minute},
			storage.ClientMetadata{RefreshRotation: storage.Strict, RefreshGrace: 5, RefreshTokenIdleLifetime: 7},
			storage.Policy{Rotation: storage.Strict, Grace: 5 * time.Second, Idle: 7 * time.Second},
		},
		"idle within life": {client.Config{}, storage.ClientMetadata{RefreshTokenLifetime: 60}, storage.Policy{Rotation: storage.Strict, Grace: 30 * time.Second, Idle: time.Minute}},
	} {
		if got := client.New(nil, test.config).Policy(kind(test.m)); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	r := client.New(nil, client.Config{})
	if a, b := r.AccessTokenLifetime(kind(confidential)), r.RefreshTokenLifetime(kind(confidential)); a != 15*time.Minute || b != 365*24*time.Hour {
		t.Errorf("got %v, %v", a, b)
	}
	if a := r.AccessTokenLifetime(kind(storage.ClientMetadata{AccessTokenLifetime: 60})); a != time.Minute {
		t.Errorf("got %v", a)
	}
}
