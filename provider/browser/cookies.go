package browser

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/storage"
)

// The cookies. With https their names begin with __Host-, so that no neighbouring host can plant one (RFC 6265bis §4.1.3.2).
const (
	cookieSessions   = "signet-sid"
	cookiePre        = "signet-pre"
	cookieDevice     = "signet-device"
	cookieRemembered = "signet-mfa"
)

// hostPrefix makes a browser take a cookie from this very host alone.
const hostPrefix = "__Host-"

const (
	maxCookie   = 4 << 10 // bytes
	maxSecrets  = maxAccounts
	secretSize  = 32 // bytes
	preLifetime = time.Hour
)

func newSecret() storage.Secret {
	var secret [secretSize]byte
	rand.Read(secret[:])
	return storage.NewSecret(secret[:])
}

func sessionDigest(s storage.Secret) storage.Digest { return s.Digest("signet/v1/session") }
func preDigest(s storage.Secret) storage.Digest     { return s.Digest("signet/v1/pre-session") }
func rememberedDigest(s storage.Secret) storage.Digest {
	return s.Digest("signet/v1/remembered-device")
}

func (b *Browsers) cookieName(name string) string {
	if b.secure {
		return hostPrefix + name
	}
	return name
}

// cookie is the value of a cookie, "" where there is none. Two of one name are none: one of them is not ours, and nobody can tell
// which.
func (b *Browsers) cookie(r *http.Request, name string) string {
	found := r.CookiesNamed(b.cookieName(name))
	if len(found) != 1 || len(found[0].Value) > maxCookie {
		return ""
	}
	return found[0].Value
}

// parseSecrets reads what joinSecrets made. Anything else, be it in one part alone, is no secret at all.
func parseSecrets(value string) []storage.Secret {
	if value == "" {
		return nil
	}
	parts := strings.Split(value, ".")
	if len(parts) > maxSecrets {
		return nil
	}
	var secrets []storage.Secret
	for i, part := range parts {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		// One secret has one text: line breaks and spare bits make another.
		if err != nil || len(raw) != secretSize || base64.RawURLEncoding.EncodeToString(raw) != part || slices.Contains(parts[:i], part) {
			return nil
		}
		secrets = append(secrets, storage.NewSecret(raw))
	}
	return secrets
}

// joinSecrets is the cookie of some secrets: each in 43 characters of base64url, with dots between them.
func joinSecrets(secrets []storage.Secret) string {
	parts := make([]string, len(secrets))
	for i, secret := range secrets {
		parts[i] = base64.RawURLEncoding.EncodeToString(secret.Reveal())
	}
	return strings.Join(parts, ".")
}

// set gathers a cookie, in place of one of that name that was gathered before. Lifetime 0: it dies with the browser. An empty value
// takes the cookie away.
func (v *Visit) set(b *Browsers, name, value string, lifetime time.Duration) {
	c := &http.Cookie{
		Name: b.cookieName(name), Value: value, Path: "/", MaxAge: int(lifetime / time.Second),
		Secure: b.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	v.jar = slices.DeleteFunc(v.jar, func(other *http.Cookie) bool { return other.Name == c.Name })
	v.jar = append(v.jar, c)
}

// Cookies adds the Set-Cookie lines that the visit gathered. It is called once, before the header is written.
func (v *Visit) Cookies(h http.Header) {
	for _, c := range v.jar {
		h.Add("Set-Cookie", c.String())
	}
}
