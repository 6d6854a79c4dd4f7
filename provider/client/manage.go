package client

import (
	"context"
	"errors"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// ErrNoAccess says that a registration access token does not open the registration: it is another's, or there is no such client, or it is
// disabled. Callers tell none of these from the others.
var ErrNoAccess = errors.New("client: not the client's registration access token, or the client is disabled or gone")

// Access opens a client's registration to who has its registration access token (RFC 7592 §3). The token that Replace made besides
// is the only one from its first use on. ErrNoAccess; otherwise the store's errors.
func (r *Registry) Access(ctx context.Context, id, token string) (storage.Client, error) {
	c, _, err := r.Lookup(ctx, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return storage.Client{}, err
	}
	switch presented := presents(token, c.Registration); { // for unknown clients, too
	case presented == noToken || !c.DisabledAt.IsZero():
		return storage.Client{}, ErrNoAccess
	case presented != newestToken:
		return c, nil
	}
	event := storage.Event{Kind: "client.access_token_rotated", Actor: id}
	c, err = r.Change(ctx, id, event, func(e *Edit) (bool, error) {
		switch presents(token, e.Client.Registration) {
		case newestToken:
			e.Client.Registration = alone(e.Client.Registration[half:])
			return e.Client.DisabledAt.IsZero(), nil
		case onlyToken:
			return false, nil
		}
		return false, ErrNoAccess
	})
	if errors.Is(err, storage.ErrNotFound) || err == nil && !c.DisabledAt.IsZero() {
		return storage.Client{}, ErrNoAccess
	}
	return c, err
}

// Replacement is what a client makes of its registration (RFC 7592 §2.2).
type Replacement struct {
	Metadata storage.ClientMetadata
	Secret   string // the one that the client sent: it must have it; "": it sent none
	Rotate   bool   // it asks for another registration access token; the one it has stays good until the new one is used
	Seen     storage.Seen
}

// Replace gives c, as Access returned it, other metadata: what is not in it is gone. A client that has come to need a secret gets one.
// storage.ErrMoved: somebody else changed it in between; storage.ErrNotFound. Otherwise *oauth.Error (ForSoftware, Validate).
func (r *Registry) Replace(ctx context.Context, c storage.Client, to Replacement) (Admission, error) {
	if to.Secret != "" && !r.hasSecret(c, to.Secret) {
		return Admission{}, metadataError("client_secret is not the client's: leave it out, for it cannot be chosen (RFC 7592 section 2.2)")
	}
	m, err := r.forUpdate(ctx, c, to.Metadata)
	if err == nil {
		m, err = Validate(m, r.config)
	}
	if err == nil {
		err = provenSector(c.Metadata, m)
	}
	if err == nil {
		err = r.admit(ctx, c, m)
	}
	if err != nil {
		return Admission{}, err
	}
	also := newEvent("client.updated", c.ID, c.ID)
	also.Events[0].Detail, also.Events[0].Seen = map[string]string{"changed": changed(c.Metadata, m)}, to.Seen
	made := Admission{}
	c.Metadata = m
	if c.Secrets = suited(c); HoldsSecret(c) && len(c.Secrets) == 0 {
		if made.Secret, c.Secrets, err = r.makeSecret(c, r.now()); err != nil {
			return Admission{}, err
		}
	}
	if to.Rotate {
		made.AccessToken, c.Registration = makeAccessToken(c.Registration)
	}
	if made.Client, err = r.replace(ctx, c, also); err != nil {
		return Admission{}, err
	}
	return made, nil
}

// hasSecret reports whether the secret is one of the client's.
func (r *Registry) hasSecret(c storage.Client, secret string) bool {
	now := r.now()
	if !seals(c) {
		return HoldsSecret(c) && proves(secret, c.Secrets, now)
	}
	given := digest(secret)
	for _, s := range c.Secrets {
		if len(s.Sealed) == 0 || !live(s, now) || r.config.Sealer == nil {
			continue
		}
		if kept, err := r.config.Sealer.Open(s.Sealed, secretRow(c.ID)); err == nil && given.Equal(digest(string(kept))) {
			return true
		}
	}
	return false
}

// Leave removes the client at its own wish, with all its grants (RFC 7592 §2.3). storage.ErrNotFound.
func (r *Registry) Leave(ctx context.Context, c storage.Client, seen storage.Seen) error {
	also := newEvent("client.unregistered", c.ID, c.ID)
	also.Events[0].Seen = seen
	return r.store.DeleteClient(ctx, c.ID, also)
}

// MemberError is the answer to a registration that has a member it must not have; text follows the member's name.
func MemberError(member, text string) *oauth.Error { return metadataError("%s %s", member, text) }
