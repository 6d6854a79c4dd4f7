package client

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// SecretPrefix begins every client secret, so that secret scanners know one when they see it.
const SecretPrefix = "scs_"

const (
	secretBytes  = 32
	secretDomain = "client secret"
	// maxSecrets may live at once while the owner rotates; every authentication compares that many.
	maxSecrets = 2
)

// makeSecret draws a secret for c, which has an ID and its method; made is what the table keeps of it.
func (r *Registry) makeSecret(c storage.Client, now time.Time) (secret string, made []storage.ClientSecret, err error) {
	if !seals(c) {
		var raw [secretBytes]byte
		_, _ = rand.Read(raw[:]) // it never fails: it ends the program rather
		secret = SecretPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
		return secret, []storage.ClientSecret{{Digest: digest(secret), CreatedAt: now}}, nil
	}
	var raw [keys.SecretBytes]byte
	_, _ = rand.Read(raw[:])
	secret = SecretPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
	if r.config.Sealer == nil {
		return "", nil, errNoSealer
	}
	sealed, err := r.config.Sealer.Seal([]byte(secret), secretRow(c.ID))
	return secret, []storage.ClientSecret{{Sealed: sealed, CreatedAt: now}}, err
}

// errNoSealer says that secrets cannot be kept so that they can be read again.
var errNoSealer = errors.New("client: there is no secret key to seal client secrets under")

// seals reports whether the client's secrets are sealed, and not digested: what it signs with them is checked with the secret itself.
func seals(c storage.Client) bool { return c.Metadata.TokenEndpointAuthMethod == oauth.AuthSecretJWT }

// secretRow names a client's sealed secrets.
func secretRow(clientID string) string { return "client secret of " + clientID }

// suited are the secrets of c that its method can use. A digest cannot be turned back into the secret, and one that was made to be
// sealed is not to rest in two ways.
func suited(c storage.Client) (secrets []storage.ClientSecret) {
	for _, s := range c.Secrets {
		if HoldsSecret(c) && seals(c) == (len(s.Sealed) > 0) {
			secrets = append(secrets, s)
		}
	}
	return secrets
}

func digest(secret string) storage.Digest {
	return storage.NewSecret([]byte(secret)).Digest(secretDomain)
}

// live reports whether the secret may still be used: ExpiresAt is the first instant at which it may not.
func live(s storage.ClientSecret, now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// retire keeps the newest live secret for overlap, or until the earlier end that it already has.
func retire(secrets []storage.ClientSecret, now time.Time, overlap time.Duration) []storage.ClientSecret {
	if overlap == 0 || len(secrets) == 0 || !live(secrets[0], now) {
		return nil
	}
	old := secrets[0]
	if end := now.Add(overlap); old.ExpiresAt.IsZero() || end.Before(old.ExpiresAt) {
		old.ExpiresAt = end
	}
	return []storage.ClientSecret{old}
}

// found is what a presented secret turned out to be.
type found struct {
	live    time.Time // when the live secret that it is was made; zero: it is none
	expired time.Time // when the secret that it is expired; zero: it is none that did
}

// match looks for presented among the client's secrets. Whatever the client has, the same number of digests is compared, each in
// constant time.
func match(presented string, secrets []storage.ClientSecret, now time.Time) (f found) {
	given := digest(presented)
	for i := range maxSecrets {
		var kept storage.ClientSecret
		if i < len(secrets) {
			kept = secrets[i]
		}
		equal := given.Equal(kept.Digest)
		switch {
		case !equal || kept.Digest.IsZero():
		case live(kept, now):
			f.live = kept.CreatedAt
		default:
			f.expired = kept.ExpiresAt
		}
	}
	return f
}

// proves reports whether presented is one of the client's live secrets.
func proves(presented string, secrets []storage.ClientSecret, now time.Time) bool {
	return !match(presented, secrets, now).live.IsZero()
}
