package client_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestAFormIsTheClientsElseTheResourcesElseTheServers(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	wish := func(format, alg string, lifetime int64) storage.Resource {
		return storage.Resource{Metadata: storage.ResourceMetadata{AccessTokenFormat: format, AccessTokenSignedAlg: alg, AccessTokenLifetime: lifetime}}
	}
	own := storage.ClientMetadata{AccessTokenFormat: "jwt", AccessTokenSignedAlg: "RS256", AccessTokenLifetime: 30}
	for name, test := range map[string]struct {
		client    storage.ClientMetadata
		resources []storage.Resource
		want      client.TokenForm // zero: invalid_target
	}{
		"nobody wishes":          {storage.ClientMetadata{}, nil, client.TokenForm{"jwt", "", 15 * time.Minute}},
		"no wish of a resource":  {storage.ClientMetadata{}, []storage.Resource{wish("", "", 0)}, client.TokenForm{"jwt", "", 15 * time.Minute}},
		"a resource":             {storage.ClientMetadata{}, []storage.Resource{wish("opaque", "", 60)}, client.TokenForm{"opaque", "", time.Minute}},
		"two of one mind":        {storage.ClientMetadata{}, []storage.Resource{wish("jwt", "ES256", 90), wish("jwt", "ES256", 60)}, client.TokenForm{"jwt", "ES256", time.Minute}},
		"two formats":            {storage.ClientMetadata{}, []storage.Resource{wish("jwt", "", 0), wish("opaque", "", 0)}, client.TokenForm{}},
		"two algorithms":         {storage.ClientMetadata{}, []storage.Resource{wish("", "ES256", 0), wish("", "EdDSA", 0)}, client.TokenForm{}},
		"the client has its own": {own, []storage.Resource{wish("opaque", "ES256", 60), wish("jwt", "EdDSA", 10)}, client.TokenForm{"jwt", "RS256", 30 * time.Second}},
		"longer than default":    {storage.ClientMetadata{}, []storage.Resource{wish("", "", 3600)}, client.TokenForm{"jwt", "", time.Hour}},
	} {
		got, err := r.Form(storage.Client{Metadata: test.client}, test.resources)
		if refused := oauth.As(err); test.want == (client.TokenForm{}) {
			if refused == nil || refused.Code != oauth.InvalidTarget {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

func TestAResourceIsCheckedWhenItIsWritten(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	register(t, r)
	resources := client.NewResources(store, client.Config{Issuer: issuer, Algorithms: []string{"ES256"}})
	if _, err := resources.Create(t.Context(), "urn:a", storage.ResourceMetadata{
		Name: "API", Scope: " read  write read", AccessTokenFormat: "jwt", AccessTokenSignedAlg: "ES256", AccessTokenLifetime: 60, ClientIDs: []string{"basic"},
	}, "cli"); err != nil {
		t.Fatal(err)
	}
	found, err := resources.Find(t.Context(), "urn:a")
	if err != nil || found.Metadata.Scope != "read write" || found.Revision != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	for says, spoil := range map[string]func(*storage.ResourceMetadata){
		"resource_name":                              func(m *storage.ResourceMetadata) { m.Name = "a\nb" },
		"scope: ":                                    func(m *storage.ResourceMetadata) { m.Scope = `a"b` },
		"scope must not have":                        func(m *storage.ResourceMetadata) { m.Scope = "read offline_access" },
		"access_token_format":                        func(m *storage.ResourceMetadata) { m.AccessTokenFormat = "JWT" },
		"access_token_signed_response_alg":           func(m *storage.ResourceMetadata) { m.AccessTokenSignedAlg = "HS256" },
		"access_token_lifetime":                      func(m *storage.ResourceMetadata) { m.AccessTokenLifetime = 9 },
		"client_ids must not":                        func(m *storage.ResourceMetadata) { m.ClientIDs = make([]string, 65) },
		"client_ids[1] is there twice":               func(m *storage.ResourceMetadata) { m.ClientIDs = []string{"post", "post"} },
		"client_ids[0] is not a registered client":   func(m *storage.ResourceMetadata) { m.ClientIDs = []string{"nobody"} },
		"client_ids[1] is a public client, and thos": func(m *storage.ResourceMetadata) { m.ClientIDs = []string{"post", "public"} },
	} {
		m := found.Metadata
		spoil(&m)
		if _, err := resources.Update(t.Context(), found, m, "cli"); oauth.As(err) == nil || !strings.HasPrefix(oauth.As(err).Description, says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	for _, identifier := range []string{"", "api", "https://api.example#x", "https://api.example/#", issuer, "HTTPS://api.example", "https://u@api.example"} {
		if _, err := resources.Create(t.Context(), identifier, storage.ResourceMetadata{}, "cli"); oauth.As(err) == nil || !strings.HasPrefix(oauth.As(err).Description, "resource must ") {
			t.Errorf("%q: %v", identifier, err)
		}
	}
}

func TestAResourceIsChangedByWhoReadItLastAndAudited(t *testing.T) {
	t.Parallel()
	r, store, _ := open(t)
	register(t, r)
	resources := client.NewResources(store, client.Config{Issuer: issuer})
	found, err := resources.Create(t.Context(), "urn:a", storage.ResourceMetadata{ClientIDs: []string{"basic"}}, "cli")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := resources.Create(t.Context(), "urn:a", storage.ResourceMetadata{}, "cli"); !errors.Is(err, storage.ErrTaken) {
		t.Errorf("created twice: %v", err)
	}
	if err := r.Delete(t.Context(), "basic", "cli"); err != nil {
		t.Fatal(err)
	}
	m := found.Metadata
	m.Name = "API 2"
	if _, err := resources.Update(t.Context(), found, m, "cli"); err != nil {
		t.Errorf("a client that is gone stands in the way of an update: %v", err)
	}
	if _, err := resources.Update(t.Context(), found, m, "cli"); !errors.Is(err, storage.ErrMoved) {
		t.Errorf("updated from an old reading: %v", err)
	}
	if err := resources.Delete(t.Context(), "urn:a", "cli"); err != nil {
		t.Error(err)
	}
	if _, err := resources.Find(t.Context(), "urn:a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("found after deletion: %v", err)
	}
	events, err := store.ListEvents(t.Context(), storage.EventFilter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	kinds := ""
	for _, e := range events {
		if e.Detail["resource"] == "urn:a" && e.Actor == "cli" {
			kinds += e.Kind + " "
		}
	}
	if kinds != "resource.deleted resource.updated resource.created " {
		t.Errorf("the audit log has %q", kinds)
	}
}
