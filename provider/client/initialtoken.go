package client

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of an initial access token.
const (
	maxTokenUses     = 1_000_000
	maxTokenLifetime = 10 * 365 * 24 * time.Hour
)

// InitialTokens are the initial access tokens of dynamic registration (RFC 7591 §3). What its methods return: *oauth.Error for what the
// caller can mend, otherwise one of storage's sentinels, wrapped.
type InitialTokens struct {
	store  storage.RegistrationTokens
	config Config
}

// TokenState is whether an initial access token registers anything still, and if not, why.
type TokenState string

// The states of an initial access token.
const (
	TokenGood    TokenState = "good"
	TokenUsedUp  TokenState = "used_up"
	TokenExpired TokenState = "expired"
	TokenRevoked TokenState = "revoked"
)

// StateOf is the state of t at the store's time now.
func StateOf(t storage.RegistrationToken, now time.Time) TokenState {
	switch {
	case !t.Spent(now):
		return TokenGood
	case !t.RevokedAt.IsZero():
		return TokenRevoked
	case t.MaxUses > 0 && t.Uses >= t.MaxUses:
		return TokenUsedUp
	}
	return TokenExpired
}

// NewInitialTokens makes them over store.
func NewInitialTokens(store storage.RegistrationTokens, c Config) *InitialTokens {
	return &InitialTokens{store: store, config: c.withDefaults()}
}

// Create makes a token of t's Name, MaxUses, GrantTypes and Scope that is good for lifetime (0: until it is revoked), and returns it this
// once: its digest alone is kept. actor and seen go to the audit log.
func (i *InitialTokens) Create(
	ctx context.Context, t storage.RegistrationToken, lifetime time.Duration, actor string, seen storage.Seen,
) (token string, made storage.RegistrationToken, err error) {
	if err := i.check(&t, lifetime); err != nil {
		return "", t, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", t, err
	}
	now := i.config.Clock().UTC().Truncate(time.Microsecond)
	t.ID, t.CreatedBy, t.CreatedAt = storage.ID(id), actor, now
	if lifetime > 0 {
		t.ExpiresAt = now.Add(lifetime)
	}
	token = drawToken(InitialTokenPrefix)
	t.Digest, _ = tokenDigest(token, InitialTokenPrefix, initialTokenDomain)
	return token, t, i.store.CreateRegistrationToken(ctx, t, tokenEvent("registration_token.created", t.ID, actor, seen))
}

func (i *InitialTokens) check(t *storage.RegistrationToken, lifetime time.Duration) error {
	if t.Name == "" || len(t.Name) > maxName || !harmless(t.Name) || strings.TrimSpace(t.Name) != t.Name {
		return metadataError("name must have 1 to %d bytes, no control or direction characters, and no space at its ends: it says whom the token is for", maxName)
	}
	if t.MaxUses < 0 || t.MaxUses > maxTokenUses {
		return metadataError("uses must be between 1 and %d, or 0 for any number", maxTokenUses)
	}
	if lifetime < 0 || lifetime > maxTokenLifetime {
		return metadataError("expires must be between 1s and 3650d, or 0 for never")
	}
	scope, err := oauth.ParseScope(t.Scope)
	if err != nil {
		return metadataError("scope: %s", oauth.As(err).Description)
	}
	t.Scope = oauth.JoinScope(scope)
	if len(t.GrantTypes) == 0 {
		return nil
	}
	asks := storage.ClientMetadata{GrantTypes: t.GrantTypes}
	return checkGrants(&asks, i.config)
}

// GrantTypes are those that a token may name: the server's.
func (i *InitialTokens) GrantTypes() []string { return slices.Clone(i.config.GrantTypes) }

// Find reads the token with the text, as long as it registers anything: else storage.ErrNotFound.
func (i *InitialTokens) Find(ctx context.Context, text string) (storage.RegistrationToken, error) {
	digest, ok := tokenDigest(text, InitialTokenPrefix, initialTokenDomain)
	if !ok {
		return storage.RegistrationToken{}, storage.ErrNotFound
	}
	t, now, err := i.store.FindRegistrationToken(ctx, digest)
	if err == nil && t.Spent(now) {
		err = storage.ErrNotFound
	}
	return t, err
}

// List returns at most limit tokens whose ID is greater than after, in the order of their making, and the store's clock.
func (i *InitialTokens) List(ctx context.Context, after storage.ID, limit int) ([]storage.RegistrationToken, time.Time, error) {
	return i.store.ListRegistrationTokens(ctx, after, limit)
}

// Revoke ends the token; the clients that it registered stay. Revoking twice changes nothing. storage.ErrNotFound.
func (i *InitialTokens) Revoke(ctx context.Context, id storage.ID, actor string, seen storage.Seen) error {
	return i.store.RevokeRegistrationToken(ctx, id, tokenEvent("registration_token.revoked", id, actor, seen))
}

func tokenEvent(kind string, id storage.ID, actor string, seen storage.Seen) storage.Also {
	return storage.Also{Events: []storage.Event{{Kind: kind, Actor: actor, Seen: seen, Detail: map[string]string{"registration_token": id.String()}}}}
}
