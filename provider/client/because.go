package client

import (
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// otherThan is why a client that authenticates in the way sent fails: it is registered for another.
func otherThan(sent string, c storage.Client) *Cause {
	registered, did := c.Metadata.TokenEndpointAuthMethod, "authenticated by "+sent
	if sent == oauth.AuthNone {
		did = "sent no secret and no assertion"
	}
	return Because("the client "+did+", and is registered for "+registered, DetailReceived, sent, DetailRegistered, registered)
}

// wrongSecret is why a secret does not prove c.
func wrongSecret(c storage.Client, f found, now time.Time) *Cause {
	if !f.expired.IsZero() {
		return Because("the client secret expired at "+Instant(f.expired)+": it is an older one of the client's",
			DetailExpiresAt, Instant(f.expired), DetailNow, Instant(now))
	}
	var made []string
	for _, s := range c.Secrets {
		if live(s, now) {
			made = append(made, Instant(s.CreatedAt))
		}
	}
	if len(made) == 0 {
		return Because("wrong secret: the client has none that is good now; one must be made for it", DetailNow, Instant(now))
	}
	return Because("wrong secret: it is none of the client's, nor one that it had lately", "secrets_made_at", strings.Join(made, " "))
}

// Disabled is why a client that is disabled does nothing.
func Disabled(c storage.Client) *Cause {
	by := "an operator"
	switch c.DisabledFor {
	case storage.DisabledByOwner:
		by = "its owner"
	case storage.DisabledUnapproved:
		return Because("client is disabled: it waits for an administrator to let it in since "+Instant(c.DisabledAt),
			"disabled_at", Instant(c.DisabledAt), DetailReason, string(c.DisabledFor))
	}
	return Because("client is disabled: "+by+" switched it off at "+Instant(c.DisabledAt),
		"disabled_at", Instant(c.DisabledAt), DetailReason, string(c.DisabledFor))
}
