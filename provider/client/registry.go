package client

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

// The bounds of a secret's rotation.
const (
	// MaxOverlap is how long an old secret may live on beside its successor.
	MaxOverlap = 90 * 24 * time.Hour
	// maxLoops bounds the reading again after a lost race: a second loop is rare, a fourth is an outage.
	maxLoops = 4
)

// Store is what the registry needs of the store.
type Store interface {
	storage.Clients
	storage.Assertions
	storage.Registrations
	ListResources(ctx context.Context, after string, limit int) ([]storage.Resource, error)
}

// Registry keeps the registered clients and authenticates them. It holds no state but its store's and what it fetched of clients'
// keys; it is safe for concurrent use.
//
// What its methods return: *oauth.Error for what the caller can mend, otherwise one of storage's sentinels, wrapped.
type Registry struct {
	store     Store
	config    Config
	published *keySets
	documents *documents
	sectors   chan struct{} // who looks at the document of a sector
}

// New makes a registry over store. Zero fields of c take their defaults.
func New(store Store, c Config) *Registry {
	c = c.withDefaults()
	return &Registry{store: store, config: c, published: newKeySets(c), documents: newDocuments(c), sectors: make(chan struct{}, maxSectorLooks)}
}

// Create registers a client. An empty id has one made; a chosen one is checked (CheckID). The secret is "" for clients that have none (HoldsSecret);
// it is returned this once and kept as a digest, or sealed for client_secret_jwt. storage.ErrTaken: the id exists. actor goes to the audit log.
func (r *Registry) Create(ctx context.Context, m storage.ClientMetadata, id, actor string) (c storage.Client, secret string, err error) {
	m, err = Validate(m, r.config)
	if err != nil {
		return storage.Client{}, "", err
	}
	if id == "" {
		id = makeID()
	} else if err := CheckID(id); err != nil {
		return storage.Client{}, "", err
	}
	if err := r.admit(ctx, storage.Client{}, m); err != nil {
		return storage.Client{}, "", err
	}
	c = storage.Client{ID: id, Revision: 1, Metadata: m, CreatedAt: r.now(), UpdatedAt: r.now(), Origin: storage.OriginOperator}
	return r.add(ctx, c, newEvent("client.created", id, actor))
}

// add stores a new client, with a secret where it shall have one.
func (r *Registry) add(ctx context.Context, c storage.Client, also storage.Also) (stored storage.Client, secret string, err error) {
	if HoldsSecret(c) {
		if secret, c.Secrets, err = r.makeSecret(c, c.CreatedAt); err != nil {
			return storage.Client{}, "", err
		}
	}
	if err := r.store.CreateClient(ctx, c, also); err != nil {
		return storage.Client{}, "", err
	}
	return r.stored(ctx, c), secret, nil
}

// Update replaces the metadata of c, which is the client as it was read. With the same write the client loses secrets that
// its method cannot use: all where it shall have none (HoldsSecret), and those it had where it goes over to client_secret_jwt or comes
// from there. One that shall have one has none until RotateSecret makes it. storage.ErrMoved: somebody else changed
// it in between; storage.ErrNotFound.
func (r *Registry) Update(ctx context.Context, c storage.Client, m storage.ClientMetadata, actor string) (storage.Client, error) {
	if err := ownWords(c); err != nil {
		return storage.Client{}, err
	}
	m, err := Validate(m, r.config)
	if err != nil {
		return storage.Client{}, err
	}
	if err := r.admit(ctx, c, m); err != nil {
		return storage.Client{}, err
	}
	event := newEvent("client.updated", c.ID, actor)
	event.Events[0].Detail = map[string]string{"changed": changed(c.Metadata, m)}
	c.Metadata = m
	return r.replace(ctx, c, event)
}

// replace writes c over the client that was read as c, without secrets that its method cannot use.
func (r *Registry) replace(ctx context.Context, c storage.Client, also storage.Also) (storage.Client, error) {
	c.Secrets = suited(c)
	if err := r.store.UpdateClient(ctx, c, also); err != nil {
		return storage.Client{}, err
	}
	c.Revision++
	return r.stored(ctx, c), nil
}

// RotateSecret makes a new secret, good at once. The one before lives on for overlap (0: not at all; at most MaxOverlap), any
// older one is dead: two live at most. The secret is returned this once.
func (r *Registry) RotateSecret(ctx context.Context, id string, overlap time.Duration, actor string) (secret string, c storage.Client, err error) {
	c, err = r.Change(ctx, id, storage.Event{Kind: "client.secret_rotated", Actor: actor}, func(e *Edit) (_ bool, err error) {
		secret, err = e.AddSecret(overlap, 0)
		return err == nil, err
	})
	if err != nil {
		return "", storage.Client{}, err
	}
	return secret, c, nil
}

// Delete removes the client with all its grants. storage.ErrNotFound.
func (r *Registry) Delete(ctx context.Context, id, actor string) error {
	event := newEvent("client.deleted", id, actor)
	return r.store.DeleteClient(ctx, id, event)
}

// Find reads one client, disabled ones too. storage.ErrNotFound.
func (r *Registry) Find(ctx context.Context, id string) (storage.Client, error) {
	c, _, err := r.store.FindClient(ctx, id)
	return c, err
}

// List returns at most limit clients whose client_id is greater than after, in that order.
func (r *Registry) List(ctx context.Context, after string, limit int) ([]storage.Client, error) {
	return r.store.ListClients(ctx, after, limit)
}

// change is Change for an operator's act.
func (r *Registry) change(ctx context.Context, id, kind, actor string, edit func(*storage.Client, time.Time) (bool, error)) (storage.Client, error) {
	return r.Change(ctx, id, storage.Event{Kind: kind, Actor: actor}, func(e *Edit) (bool, error) { return edit(&e.Client, e.Now) })
}

// stored reads back what the store stamped. The write has committed and its secret exists nowhere else, so a failing read must
// not fail the call: then the client is returned as it was sent.
func (r *Registry) stored(ctx context.Context, sent storage.Client) storage.Client {
	if c, _, err := r.store.FindClient(ctx, sent.ID); err == nil && c.Revision == sent.Revision {
		return c
	}
	return sent
}

func (r *Registry) now() time.Time { return r.config.Clock().UTC().Truncate(time.Microsecond) }

func newEvent(kind, clientID, actor string) storage.Also {
	return storage.Also{Events: []storage.Event{{Kind: kind, Actor: actor, ClientID: clientID}}}
}
