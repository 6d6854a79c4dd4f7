package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// maxServers is how many clients may serve one resource.
const maxServers = 64

// ResourceStore is what Resources needs of the store.
type ResourceStore interface {
	storage.Resources
	FindClient(ctx context.Context, id string) (storage.Client, time.Time, error)
}

// Resources keeps the registered protected resources. What its methods return: *oauth.Error for what the caller can mend,
// otherwise one of storage's sentinels, wrapped.
type Resources struct {
	store  ResourceStore
	config Config
}

// NewResources makes a registry of resources over store.
func NewResources(store ResourceStore, c Config) *Resources {
	return &Resources{store: store, config: c.withDefaults()}
}

// ResourceInformation is a resource as its owner sees it. Times are seconds since the epoch.
type ResourceInformation struct {
	Resource  string `json:"resource"` // RFC 9728 §2
	CreatedAt int64  `json:"created_at"`
	storage.ResourceMetadata
}

// Information is r as its owner sees it.
func (*Resources) Information(r storage.Resource) ResourceInformation {
	return ResourceInformation{Resource: r.Identifier, CreatedAt: r.CreatedAt.Unix(), ResourceMetadata: r.Metadata}
}

// Create registers a resource under its identifier, an absolute URI without a fragment (RFC 8707 §2). storage.ErrTaken: it is
// registered. actor goes to the audit log.
func (r *Resources) Create(ctx context.Context, identifier string, m storage.ResourceMetadata, actor string) (storage.Resource, error) {
	if fault := resourceFault(identifier); fault != "" {
		return storage.Resource{}, metadataError("resource %s", fault)
	}
	if identifier == r.config.Issuer {
		return storage.Resource{}, metadataError("resource must not be the issuer: this server's own tokens are made by its settings")
	}
	m, err := r.validate(ctx, m, nil)
	if err != nil {
		return storage.Resource{}, err
	}
	if err := r.store.CreateResource(ctx, storage.Resource{Identifier: identifier, Metadata: m}, resourceEvent("resource.created", identifier, actor)); err != nil {
		return storage.Resource{}, err
	}
	return r.Find(ctx, identifier)
}

// Find reads one resource. storage.ErrNotFound.
func (r *Resources) Find(ctx context.Context, identifier string) (storage.Resource, error) {
	found, err := r.store.FindResources(ctx, []string{identifier})
	if err == nil && len(found) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return storage.Resource{}, err
	}
	return found[0], nil
}

// List returns at most limit resources whose identifier is greater than after, in that order.
func (r *Resources) List(ctx context.Context, after string, limit int) ([]storage.Resource, error) {
	return r.store.ListResources(ctx, after, limit)
}

// Update replaces the metadata of old, which is the resource as it was read. storage.ErrMoved: somebody else changed it in between;
// storage.ErrNotFound.
func (r *Resources) Update(ctx context.Context, old storage.Resource, m storage.ResourceMetadata, actor string) (storage.Resource, error) {
	m, err := r.validate(ctx, m, old.Metadata.ClientIDs)
	if err != nil {
		return storage.Resource{}, err
	}
	old.Metadata = m
	if err := r.store.UpdateResource(ctx, old, resourceEvent("resource.updated", old.Identifier, actor)); err != nil {
		return storage.Resource{}, err
	}
	return r.Find(ctx, old.Identifier)
}

// Delete removes the resource. Clients that are registered for its identifier may ask for it as before, without its rules.
// storage.ErrNotFound.
func (r *Resources) Delete(ctx context.Context, identifier, actor string) error {
	return r.store.DeleteResource(ctx, identifier, resourceEvent("resource.deleted", identifier, actor))
}

// validate checks what a resource's owner chose; known are the clients that were looked up before, some of which may be gone.
func (r *Resources) validate(ctx context.Context, m storage.ResourceMetadata, known []string) (storage.ResourceMetadata, error) {
	if utf8.RuneCountInString(m.Name) > maxName || !harmless(m.Name) || strings.TrimSpace(m.Name) != m.Name {
		return m, metadataError("resource_name must have at most %d characters, no control or direction characters, and no space at its ends", maxName)
	}
	scope, err := oauth.ParseScope(m.Scope)
	if err != nil {
		return m, metadataError("scope: %s", oauth.As(err).Description)
	}
	if slices.ContainsFunc(scope, func(s string) bool { return slices.Contains(oauth.UserScopes(), s) }) {
		return m, metadataError("scope must not have those of OpenID Connect, which are this server's: %s", oauth.JoinScope(oauth.UserScopes()))
	}
	m.Scope = oauth.JoinScope(scope)
	if err := checkFormat(m.AccessTokenFormat); err != nil {
		return m, err
	}
	if err := checkAlgorithm("access_token_signed_response_alg", m.AccessTokenSignedAlg, r.config); err != nil {
		return m, err
	}
	if l := m.AccessTokenLifetime; l != 0 && (l < minAccessTokenLifetime || l > maxAccessTokenLifetime) {
		return m, metadataError("access_token_lifetime must be between %d and %d seconds, or 0 for the default of the server",
			minAccessTokenLifetime, maxAccessTokenLifetime)
	}
	return m, r.checkServers(ctx, m.ClientIDs, known)
}

// checkServers looks each client up: a name that is mistyped would never introspect anything.
func (r *Resources) checkServers(ctx context.Context, ids, known []string) error {
	if len(ids) > maxServers {
		return metadataError("client_ids must not have more than %d members", maxServers)
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return metadataError("client_ids[%d] is there twice", i)
		}
		if slices.Contains(known, id) {
			continue
		}
		c, _, err := r.store.FindClient(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return metadataError("client_ids[%d] is not a registered client", i)
		}
		if err != nil {
			return err
		}
		if Public(c) {
			return metadataError("client_ids[%d] is a public client, and those may not introspect", i)
		}
	}
	return nil
}

func resourceEvent(kind, identifier, actor string) storage.Also {
	return storage.Also{Events: []storage.Event{{Kind: kind, Actor: actor, Detail: map[string]string{"resource": identifier}}}}
}
