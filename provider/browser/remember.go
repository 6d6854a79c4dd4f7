package browser

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/storage"
)

const rememberedLifetime = 30 * 24 * time.Hour

// Remembers reports whether the user gave a second factor at this browser before and asked not to be asked again. Errors are the
// store's.
func (b *Browsers) Remembers(ctx context.Context, v *Visit, user storage.ID) (bool, error) {
	devices, now, err := b.remembered(ctx, v, user)
	return slices.ContainsFunc(devices, func(d storage.RememberedDevice) bool { return now.Before(d.ExpiresAt) }), err
}

// remembered are the rows that the browser's cookie leads to and that are the user's, expired ones too.
func (b *Browsers) remembered(
	ctx context.Context, v *Visit, user storage.ID,
) (devices []storage.RememberedDevice, now time.Time, err error) {
	if len(v.remembered) == 0 {
		return nil, time.Time{}, nil
	}
	digests := make([]storage.Digest, len(v.remembered))
	for i, secret := range v.remembered {
		digests[i] = rememberedDigest(secret)
	}
	found, now, err := b.store.FindDevices(ctx, digests)
	return slices.DeleteFunc(found, func(d storage.RememberedDevice) bool { return d.UserID != user }), now, err
}

// remember spares the person the second factor at this browser from now on, in place of what remembered them here before.
func (b *Browsers) remember(ctx context.Context, v *Visit, clientID string, person storage.SignIn) error {
	before, _, err := b.remembered(ctx, v, person.User.ID)
	if err != nil {
		return err
	}
	secret := newSecret()
	row := storage.RememberedDevice{
		ID: newID(), Digest: rememberedDigest(secret), UserID: person.User.ID,
		ExpiresAt: person.Now.Add(rememberedLifetime), Seen: v.Seen,
	}
	event := b.event(v, "signin.device_remembered", clientID, person.User.ID)
	event.Actor = person.User.ID.String()
	if err := b.store.RememberDevice(ctx, row, person.User.Revision, storage.Also{Events: []storage.Event{event}}); err != nil {
		return err
	}
	kept := slices.DeleteFunc(v.remembered, func(s storage.Secret) bool {
		return slices.ContainsFunc(before, func(d storage.RememberedDevice) bool { return d.Digest == rememberedDigest(s) })
	})
	kept = append([]storage.Secret{secret}, kept...)
	v.remembered = kept[:min(len(kept), maxSecrets)]
	v.set(b, cookieRemembered, joinSecrets(v.remembered), rememberedLifetime)
	for _, d := range before {
		if _, err := b.store.ForgetDevices(ctx, d.UserID, d.ID, storage.Also{}); err != nil {
			return err
		}
	}
	return nil
}

// newID draws a UUID of version 7.
func newID() storage.ID { return storage.ID(uuid.Must(uuid.NewV7())) }
