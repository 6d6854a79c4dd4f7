package client

import (
	"crypto/rand"
	"encoding/base64"
	"time"

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

// makeSecret draws a secret of 256 bits; made is what the table keeps of it.
func makeSecret(now time.Time) (secret string, made []storage.ClientSecret) {
	var raw [secretBytes]byte
	_, _ = rand.Read(raw[:]) // it never fails: it ends the program rather
	secret = SecretPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
	return secret, []storage.ClientSecret{{Digest: digest(secret), CreatedAt: now}}
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

// proves reports whether presented is one of the client's live secrets. Whatever the client has, the same number of digests is
// compared, each in constant time.
func proves(presented string, secrets []storage.ClientSecret, now time.Time) bool {
	given, proven := digest(presented), false
	for i := range maxSecrets {
		var kept storage.ClientSecret
		if i < len(secrets) {
			kept = secrets[i]
		}
		equal := given.Equal(kept.Digest)
		if equal && !kept.Digest.IsZero() && live(kept, now) {
			proven = true
		}
	}
	return proven
}
