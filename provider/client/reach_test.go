package client_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

const (
	openAPI   = "https://open.example/mcp"
	otherAPI  = "https://other.example/mcp"
	closedAPI = "https://closed.example"
	bareAPI   = "urn:example:bare" // a name that nobody registered
	self      = "https://id.example"
)

func rules(identifier, scope string, anyClient bool) storage.Resource {
	return storage.Resource{Identifier: identifier, Metadata: storage.ResourceMetadata{Scope: scope, AnyClient: anyClient}}
}

// TestAClientReachesWhatItIsRegisteredForAndWhatIsOpenToAll: a scope is lent by the resource that defines it, in a token that no
// other resource would believe it in.
func TestAClientReachesWhatItIsRegisteredForAndWhatIsOpenToAll(t *testing.T) {
	t.Parallel()
	m := storage.ClientMetadata{Scope: "openid stock", Resources: []string{closedAPI, bareAPI}}
	reach := client.Registered(m, self).With([]storage.Resource{
		rules(openAPI, "tools admin", true), rules(otherAPI, "notes", true), rules(closedAPI, "stock admin", false),
		rules("https://free.example", "", true), rules("https://shut.example", "secret", false),
	})
	for _, c := range []struct{ audience, reached, scope, all string }{
		{"", "", "openid stock", "openid stock"},
		{self, self, "openid stock", "openid stock"},
		{openAPI, openAPI, "openid stock tools admin", "openid stock tools admin"},
		{openAPI + " " + self, openAPI + " " + self, "openid stock tools admin", "openid stock tools admin"},
		{openAPI + " " + otherAPI, openAPI + " " + otherAPI, "openid stock tools admin notes", "openid stock tools admin notes"},
		{otherAPI, otherAPI, "openid stock notes", "openid stock notes"},
		{openAPI + " " + closedAPI, openAPI + " " + closedAPI, "openid stock tools", "openid stock tools"}, // admin is the closed one's as well
		{openAPI + " " + bareAPI, openAPI + " " + bareAPI, "openid stock", "openid stock"},                 // it would believe any scope
		{openAPI + " https://free.example", openAPI + " https://free.example", "openid stock", "openid stock"},
		{"https://free.example", "https://free.example", "openid stock", "openid stock"},
		{"https://shut.example", "", "openid stock", "openid stock"},
		{"https://unknown.example", "", "openid stock", "openid stock"},
	} {
		audience := strings.Fields(c.audience)
		if got := reach.Audience(audience); !slices.Equal(got, strings.Fields(c.reached)) {
			t.Errorf("%q: reaches %v, want %q", c.audience, got, c.reached)
		}
		asked := []string{"openid", "email", "stock", "tools", "admin", "notes", "secret"}
		if got := reach.Scope(asked, audience); !slices.Equal(got, strings.Fields(c.scope)) {
			t.Errorf("%q: scope %v, want %q", c.audience, got, c.scope)
		}
		if got := reach.All(audience); !slices.Equal(got, strings.Fields(c.all)) {
			t.Errorf("%q: all is %v, want %q", c.audience, got, c.all)
		}
	}
	alone := client.Registered(m, self)
	if got := alone.Audience([]string{openAPI, closedAPI, self}); !slices.Equal(got, []string{closedAPI, self}) {
		t.Errorf("where no person is asked it reaches %v", got)
	}
	if got := alone.Scope([]string{"tools", "stock"}, []string{openAPI}); !slices.Equal(got, []string{"stock"}) {
		t.Errorf("where no person is asked its scope is %v", got)
	}
}

// counted is a store that writes down what it is asked.
type counted struct {
	storage.Store
	asked []string
}

func (s *counted) FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error) {
	s.asked = append(s.asked, identifiers...)
	return s.Store.FindResources(ctx, identifiers)
}

// TestTheStoreIsAskedOnlyAboutWhatGoesBeyondTheRegistration, and about no more than can be meant.
func TestTheStoreIsAskedOnlyAboutWhatGoesBeyondTheRegistration(t *testing.T) {
	t.Parallel()
	m := storage.ClientMetadata{Scope: "openid stock", Resources: []string{closedAPI}}
	_, store, _ := open(t)
	if err := store.CreateResource(t.Context(), rules(openAPI, "tools", true), storage.Also{}); err != nil {
		t.Fatal(err)
	}
	many := []string{closedAPI}
	for i := range 17 {
		many = append(many, "urn:example:"+strconv.Itoa(i))
	}
	for _, c := range []struct {
		name             string
		resources, scope []string
		want             []string // nil: nothing is asked
	}{
		{"nothing", nil, nil, nil},
		{"the issuer", []string{self}, []string{"stock"}, nil},
		{"what is registered", []string{closedAPI, self}, []string{"stock", "openid"}, nil},
		{"a scope alone", nil, []string{"tools"}, nil},
		{"what is no resource", []string{"relative", openAPI + "#x", "%", ""}, []string{"tools"}, nil},
		{"more than anybody means", many, nil, nil},
		{"a resource beyond", []string{closedAPI, openAPI, self, openAPI}, nil, []string{closedAPI, openAPI}},
		{"a scope beyond, of a resource that is registered", []string{closedAPI}, []string{"tools"}, []string{closedAPI}},
	} {
		s := counted{Store: store}
		reach, err := client.AskingPeople(t.Context(), &s, m, self, c.resources, c.scope)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.asked, c.want) {
			t.Errorf("%s: asked about %v, want %v", c.name, s.asked, c.want)
		}
		if _, known := reach.Read(c.resources); known != (c.want != nil) {
			t.Errorf("%s: known without another question: %v", c.name, known)
		}
	}
}
