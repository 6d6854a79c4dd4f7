package client

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of a secret that is made with an end.
const (
	// MinSecretLifetime leaves time to carry a secret to where it is used.
	MinSecretLifetime = time.Hour
	MaxSecretLifetime = 2 * 365 * 24 * time.Hour
)

// Edit is one change of a client while it is made.
type Edit struct {
	Client   storage.Client // as it was read; as it shall be
	Now      time.Time      // the store's clock when it was read
	event    *storage.Event
	registry *Registry
}

// Change reads the client, lets edit alter it and writes it with the event, whose ClientID it sets, again where somebody else was
// faster: so what edit decides about the client holds for the row that is written. edit says whether there is anything to write.
// storage.ErrNotFound; storage.ErrMoved where the race was lost too often.
func (r *Registry) Change(ctx context.Context, id string, event storage.Event, edit func(*Edit) (bool, error)) (storage.Client, error) {
	event.ClientID = id
	for loop := 1; ; loop++ {
		c, now, err := r.store.FindClient(ctx, id)
		if err != nil {
			return storage.Client{}, err
		}
		noted := event
		e := Edit{Client: c, Now: now, event: &noted, registry: r}
		if write, err := edit(&e); err != nil || !write {
			return e.Client, err
		}
		err = r.store.UpdateClient(ctx, e.Client, storage.Also{Events: []storage.Event{noted}})
		if err == nil {
			e.Client.Revision++
			return r.stored(ctx, e.Client), nil
		}
		if !errors.Is(err, storage.ErrMoved) || loop == maxLoops {
			return storage.Client{}, err
		}
	}
}

// Replace gives the client other metadata, as Update does, and has its errors.
func (e *Edit) Replace(ctx context.Context, m storage.ClientMetadata) error {
	if err := ownWords(e.Client); err != nil {
		return err
	}
	if err := provenSector(e.Client.Metadata, m); err != nil {
		return err
	}
	return e.replace(ctx, m)
}

// replace is Replace, for whoever speaks for the client.
func (e *Edit) replace(ctx context.Context, m storage.ClientMetadata) error {
	m, err := Validate(m, e.registry.config)
	if err != nil {
		return err
	}
	if err := e.registry.admit(ctx, e.Client, m); err != nil {
		return err
	}
	e.event.Detail = map[string]string{"changed": changed(e.Client.Metadata, m)}
	e.Client.Metadata = m
	e.Client.Secrets = suited(e.Client)
	return nil
}

// AddSecret makes a new secret, good at once and for lifetime (0: until it is removed), and returns it this once. The one before lives
// on for overlap (0: not at all; at most MaxOverlap), any older one is dead: two live at most. Errors are *oauth.Error.
func (e *Edit) AddSecret(overlap, lifetime time.Duration) (secret string, err error) {
	switch {
	case overlap < 0 || overlap > MaxOverlap:
		return "", oauth.Errorf(oauth.InvalidRequest, "the overlap must be between 0 and %d days", MaxOverlap/(24*time.Hour))
	case lifetime != 0 && (lifetime < MinSecretLifetime || lifetime > MaxSecretLifetime):
		return "", oauth.Errorf(oauth.InvalidRequest, "the lifetime of a secret must be between %d hour and %d days, or 0 for no end",
			MinSecretLifetime/time.Hour, MaxSecretLifetime/(24*time.Hour))
	case !HoldsSecret(e.Client):
		return "", metadataError("a client with token_endpoint_auth_method %s has no secret: register another method first",
			e.Client.Metadata.TokenEndpointAuthMethod)
	}
	secret, made, err := e.registry.makeSecret(e.Client, e.Now)
	if err != nil {
		return "", err
	}
	if lifetime > 0 {
		made[0].ExpiresAt = e.Now.Add(lifetime)
	}
	e.Client.Secrets = append(made, retire(e.Client.Secrets, e.Now, overlap)...)
	return secret, nil
}
