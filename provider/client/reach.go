package client

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// maxBeyond is how many resources beyond its registration a client may name in one request.
const maxBeyond = 16

// Reach is what a client may ask for: what it is registered for, and the issuer, which is in everybody's reach. Where a person is
// asked, those resources besides that take any client (storage.ResourceMetadata.AnyClient), each with its own scope: a scope that is
// borrowed so is good in a token for that resource, and means nothing without it.
type Reach struct {
	scope     []string
	resources []string
	issuer    string
	looked    bool               // into the store
	read      []storage.Resource // the rules of what was named
}

// ResourceFinder is what AskingPeople needs of the store.
type ResourceFinder interface {
	FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error)
}

// Registered is the reach of a client for itself, or with the password of a person who is not asked.
func Registered(m storage.ClientMetadata, issuer string) Reach {
	return Reach{scope: strings.Fields(m.Scope), resources: m.Resources, issuer: issuer}
}

// AskingPeople is the reach of a client that names resources and scope in a request about which a person is asked, or was. The store
// is read where one of them goes beyond the registration.
func AskingPeople(ctx context.Context, store ResourceFinder, m storage.ClientMetadata, issuer string, resources, scope []string) (Reach, error) {
	r := Registered(m, issuer)
	var named []string
	beyond := 0
	for _, resource := range resources {
		if resource == issuer || !targetable(resource) || slices.Contains(named, resource) {
			continue
		}
		named = append(named, resource)
		if !slices.Contains(r.resources, resource) {
			beyond++
		}
	}
	if len(named) == 0 || beyond > maxBeyond || beyond == 0 && oauth.Within(scope, r.scope) {
		return r, nil
	}
	found, err := store.FindResources(ctx, named)
	return r.With(found), err
}

// With is the reach where a person is asked, over resources that were read.
func (r Reach) With(read []storage.Resource) Reach {
	r.looked, r.read = true, read
	return r
}

// Read returns those of the identifiers that are registered, where AskingPeople has read them; ok is false where it had not to.
func (r Reach) Read(identifiers []string) (resources []storage.Resource, ok bool) {
	if !r.looked {
		return nil, false
	}
	for _, known := range r.read {
		if slices.Contains(identifiers, known.Identifier) {
			resources = append(resources, known)
		}
	}
	return resources, true
}

// Audience is what of the resources is within reach.
func (r Reach) Audience(resources []string) []string {
	return keep(resources, func(resource string) bool {
		return resource == r.issuer || slices.Contains(r.resources, resource) || r.open(resource)
	})
}

// Scope is what of scope the client may have in a token for audience.
func (r Reach) Scope(scope, audience []string) []string {
	return keep(scope, func(s string) bool { return slices.Contains(r.scope, s) || r.lent(s, audience) })
}

// All is the scope of a request for audience that names none: all that the client is registered for, and all that is lent to it.
func (r Reach) All(audience []string) []string {
	all := slices.Clone(r.scope)
	for _, resource := range r.read {
		for s := range strings.FieldsSeq(resource.Metadata.Scope) {
			if !slices.Contains(all, s) && r.lent(s, audience) {
				all = append(all, s)
			}
		}
	}
	return all
}

// open reports whether the resource takes any client.
func (r Reach) open(resource string) bool {
	return slices.ContainsFunc(r.read, func(known storage.Resource) bool { return known.Identifier == resource && known.Metadata.AnyClient })
}

// lent reports whether a scope that the client is not registered for is good in a token for audience. A resource in it that takes any
// client defines the scope, and there is none in it that would take the scope from a client without having opened itself: neither one
// that defines the same name, nor one that defines none and so believes all.
func (r Reach) lent(s string, audience []string) (lent bool) {
	for _, resource := range audience {
		if resource == r.issuer {
			continue
		}
		i := slices.IndexFunc(r.read, func(known storage.Resource) bool { return known.Identifier == resource })
		if i < 0 {
			return false
		}
		m := r.read[i].Metadata
		defined := slices.Contains(strings.Fields(m.Scope), s)
		if m.Scope == "" || defined && !m.AnyClient {
			return false
		}
		lent = lent || defined
	}
	return lent
}

// targetable reports whether the text can name a resource: an absolute URI without a fragment (RFC 8707 §2).
func targetable(resource string) bool {
	u, err := url.Parse(resource)
	return err == nil && u.IsAbs() && !strings.Contains(resource, "#")
}

// keep are the elements of all that pass, in their order.
func keep(all []string, passes func(string) bool) []string {
	kept := make([]string, 0, len(all))
	for _, s := range all {
		if passes(s) {
			kept = append(kept, s)
		}
	}
	return kept
}
