package developer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Create registers an app of the person's, with a secret where it shall have one, which is returned this once. Where policy is
// approval, it waits for an administrator, unless one made it. ErrFull.
func (d *Developers) Create(ctx context.Context, by By, m storage.ClientMetadata) (App, string, error) {
	if !d.Allows(by.User) {
		return App{}, "", ErrForbidden
	}
	m, err := d.limit(ctx, storage.ClientMetadata{}, m)
	if err != nil {
		return App{}, "", err
	}
	made, err := d.clients.Register(ctx, client.Newcomer{
		Origin: storage.OriginPerson, OwnerID: by.User.ID, Held: d.config.Policy == PolicyApproval && !by.User.Admin, Metadata: m,
		Spends: storage.Registration{Owned: d.config.Apps}, Actor: by.User.ID.String(), Seen: by.Seen,
	})
	if errors.Is(err, storage.ErrSpent) {
		return App{}, "", ErrFull
	}
	if err != nil {
		return App{}, "", err
	}
	app, err := d.view(ctx, by, made.Client, made.Client.CreatedAt)
	if err != nil { // the secret exists nowhere else
		app, err = App{Client: bare(made.Client), Mine: true, Now: made.Client.CreatedAt, Secrets: secretViews(made.Client, nil, made.Client.CreatedAt)}, nil
	}
	return app, made.Secret, err
}

// Update replaces the metadata of the app, which is as Find read it. Members that operators alone set keep what they are; to ask for
// more is an *oauth.Error that names the member (limits.go), and so is what no registration may be (client.Validate). storage.ErrMoved:
// somebody else changed the app since it was read.
func (d *Developers) Update(ctx context.Context, by By, app App, m storage.ClientMetadata) (App, error) {
	return d.act(ctx, by, app.Client.ID, change, "client.updated", func(e *client.Edit) (bool, error) {
		if e.Client.Revision != app.Client.Revision {
			return false, storage.ErrMoved
		}
		m, err := d.limit(ctx, e.Client.Metadata, m)
		if err != nil {
			return false, err
		}
		return true, e.Replace(ctx, m)
	})
}

// AddSecret makes a new secret of the app, good at once and for lifetime (0: until it is removed), and returns it this once. The one
// before lives on for overlap (0: not at all), any older one is dead. had is the app as Find read it: where it was changed since,
// storage.ErrMoved, so that asking twice does not end the secret that is in use.
func (d *Developers) AddSecret(ctx context.Context, by By, had App, overlap, lifetime time.Duration) (secret string, app App, err error) {
	app, err = d.act(ctx, by, had.Client.ID, change, "client.secret_added", func(e *client.Edit) (_ bool, err error) {
		if e.Client.Revision != had.Client.Revision {
			return false, storage.ErrMoved
		}
		secret, err = e.AddSecret(overlap, lifetime)
		return err == nil, err
	})
	if err != nil {
		return "", App{}, err
	}
	return secret, app, nil
}

// RemoveSecret makes the secret that was made at createdAt useless at once. It may be the last one: a secret that leaked is better gone
// than good, and AddSecret makes another. storage.ErrNotFound: there is none of that time.
func (d *Developers) RemoveSecret(ctx context.Context, by By, id string, createdAt time.Time) (App, error) {
	return d.act(ctx, by, id, change, "client.secret_removed", func(e *client.Edit) (bool, error) {
		kept := slices.DeleteFunc(slices.Clone(e.Client.Secrets), func(s storage.ClientSecret) bool { return s.CreatedAt.Equal(createdAt) })
		if len(kept) == len(e.Client.Secrets) {
			return false, storage.ErrNotFound
		}
		e.Client.Secrets = kept
		return true, nil
	})
}

// Disable switches the app off, with all that was issued to it. To switch it off twice changes nothing, but that an administrator's word
// takes the place of the owner's.
func (d *Developers) Disable(ctx context.Context, by By, id string) (App, error) {
	return d.act(ctx, by, id, disable, "client.disabled", func(e *client.Edit) (bool, error) {
		why := storage.DisabledByOwner
		if !owns(by.User, e.Client) {
			why = storage.DisabledByOperator
		}
		if !e.Client.DisabledAt.IsZero() && (e.Client.DisabledFor == why || why == storage.DisabledByOwner) {
			return false, nil
		}
		if e.Client.DisabledAt.IsZero() {
			e.Client.DisabledAt = e.Now
		}
		e.Client.DisabledFor = why
		return true, nil
	})
}

// Enable switches the app on again. ErrHeld: its owner does not.
func (d *Developers) Enable(ctx context.Context, by By, id string) (App, error) {
	return d.act(ctx, by, id, enable, "client.enabled", switchOn)
}

// Approve lets an app in that waits for an administrator. One that does not wait is left as it is.
func (d *Developers) Approve(ctx context.Context, by By, id string) (App, error) {
	return d.act(ctx, by, id, approve, "client.approved", func(e *client.Edit) (bool, error) {
		if e.Client.DisabledFor != storage.DisabledUnapproved {
			return false, nil
		}
		return switchOn(e)
	})
}

func switchOn(e *client.Edit) (bool, error) {
	if e.Client.DisabledAt.IsZero() {
		return false, nil
	}
	e.Client.DisabledAt, e.Client.DisabledFor = time.Time{}, ""
	return true, nil
}

// Delete removes the app with all that was issued to it. Its client_id is not used again.
func (d *Developers) Delete(ctx context.Context, by By, id string) error {
	if _, _, err := d.find(ctx, by, id, remove); err != nil {
		return err
	}
	return d.clients.Delete(ctx, id, by.User.ID.String())
}

// Playground lets the app sign people in at the playground of this server: its callback becomes one of the app's redirect URIs. Where it
// is one, nothing changes. *oauth.Error for an app without the authorization code grant.
func (d *Developers) Playground(ctx context.Context, by By, id string) (App, error) {
	callback := d.config.Issuer + PlaygroundPath
	return d.act(ctx, by, id, change, "client.updated", func(e *client.Edit) (bool, error) {
		m := e.Client.Metadata
		switch {
		case !slices.Contains(m.GrantTypes, oauth.GrantAuthorizationCode):
			return false, invalid("grant_types does not have authorization_code: there is nothing to come back to the playground with")
		case slices.Contains(m.RedirectURIs, callback):
			return false, nil
		}
		m.RedirectURIs = append(slices.Clone(m.RedirectURIs), callback)
		return true, e.Replace(ctx, m)
	})
}

// act changes an app that the person may do this with: the rule is asked about the very row that is written.
func (d *Developers) act(ctx context.Context, by By, id string, what act, kind string, edit func(*client.Edit) (bool, error)) (App, error) {
	if _, _, err := d.find(ctx, by, id, what); err != nil {
		return App{}, err
	}
	var now time.Time
	event := storage.Event{Kind: kind, Actor: by.User.ID.String(), UserID: by.User.ID, Seen: by.Seen}
	c, err := d.clients.Change(ctx, id, event, func(e *client.Edit) (bool, error) {
		now = e.Now
		if err := d.config.Policy.may(by.User, e.Client, what); err != nil {
			return false, err
		}
		return edit(e)
	})
	if err != nil {
		return App{}, err
	}
	return d.view(ctx, by, c, now)
}
