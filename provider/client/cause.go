package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
)

// The keys of what is told beside a cause (storage.RefusedRequest.Detail). Others are the names of the parameters or claims that they
// are about. Times are RFC 3339.
const (
	DetailReceived   = "received"   // what was sent; an address without the values of its query
	DetailRegistered = "registered" // what should have been: of several the nearest
	DetailAt         = "at"         // the byte, from 0, at which received and registered part
	DetailPart       = "part"       // an oauth.PartedAt
	DetailNow        = "now"        // this server's clock
	DetailExpiresAt  = "expires_at"
	DetailIssuedAt   = "issued_at"
	DetailRotatedAt  = "rotated_at"
	DetailRevokedAt  = "revoked_at"
	DetailReason     = "reason" // of a revocation, or for what a client is disabled
)

// Cause is why a request was refused, for the operator and the owner of its client: a sentence, and the values that it is about, side
// by side. It never holds a token, a code, a password, a verifier or a secret.
type Cause struct {
	text   string
	detail map[string]string
	under  error
}

// Because makes a Cause of a sentence, and of keys and values in turn. Empty values are left out.
func Because(text string, pairs ...string) *Cause {
	c := &Cause{text: text}
	for pair := range slices.Chunk(pairs, 2) {
		if len(pair) == 2 && pair[1] != "" {
			if c.detail == nil {
				c.detail = map[string]string{}
			}
			c.detail[pair[0]] = pair[1]
		}
	}
	return c
}

// Of is the Cause with an error that it comes from, whose text follows it.
func (c *Cause) Of(err error) *Cause {
	with := *c
	with.under = err
	return &with
}

// Error implements error: the sentence.
func (c *Cause) Error() string {
	if c.under == nil {
		return c.text
	}
	return c.text + ": " + c.under.Error()
}

// Unwrap returns the error that it comes from.
func (c *Cause) Unwrap() error { return c.under }

// Instant is a time as people are told it.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Strayed is why an address that was sent in parameter is none of those that are registered: the nearest beside it, and where and in
// what they part.
func Strayed(parameter string, registered []string, received string) *Cause {
	d, shown := oauth.Differ(registered, received), oauth.Redact(received)
	if d.Nearest == "" {
		return Because("received "+parameter+" "+shown+": "+d.Part.Why(), DetailReceived, shown, DetailPart, string(d.Part))
	}
	at := d.At
	if shown != received { // what is marked is what is shown
		at = min(at, oauth.Differ([]string{d.Nearest}, shown).At)
	}
	text := fmt.Sprintf("received %s %s differs at character %d: %s; the nearest registered is %s",
		parameter, harmlessCut(shown, maxDetail/2), at+1, d.Part.Why(), harmlessCut(d.Nearest, maxDetail/2))
	return Because(text, DetailReceived, shown, DetailRegistered, d.Nearest, DetailAt, strconv.Itoa(at), DetailPart, string(d.Part))
}

// Beyond is why what was asked for in parameter is refused: the values in which it goes beyond what is allowed.
func Beyond(parameter string, asked, allowed []string) *Cause {
	var beyond []string
	shown := make([]string, 0, len(asked))
	for _, value := range asked {
		shown = append(shown, value)
		if !slices.Contains(allowed, value) {
			shown[len(shown)-1] = begun(oauth.Redact(value))
			beyond = append(beyond, shown[len(shown)-1])
		}
	}
	return Because(parameter+" goes beyond what the client may ask for here by "+strings.Join(beyond, " "),
		DetailReceived, strings.Join(shown, " "), DetailRegistered, strings.Join(allowed, " "), "beyond", strings.Join(beyond, " "))
}

// maxUnknown is how much is shown of a value that nobody here has defined, in bytes: enough to know a name again.
const maxUnknown = 16

// begun is an address, which was redacted, or the beginning of another text: that is no name that anybody here knows, and may be a secret
// that was sent in the wrong place.
func begun(value string) string {
	if len(value) <= maxUnknown || strings.Contains(value, "://") {
		return value
	}
	return harmlessCut(value, maxUnknown)
}
