package bearer

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Config is what a Verifier goes by. Issuer and Audience must be given.
type Config struct {
	Issuer   string // the iss of good tokens, byte for byte; https, or http on a loopback host
	Audience string // this API, as tokens name it in aud: the resource they were asked for, or the issuer where none was

	Algorithms    []string         // of RS256, PS256, ES256, ES384 and EdDSA those that are accepted; empty: all of them
	Skew          time.Duration    // how far clocks may differ, at most 1 minute; 0: 10 seconds
	Realm         string           // the realm of challenges; "": none is named
	Metadata      *Metadata        // what the API says of itself (RFC 9728); nil: nothing
	Introspection *Introspection   // nil: JWTs alone are accepted, and nobody is asked about them
	HTTPClient    *http.Client     // for what is asked of the issuer; nil: one that gives up after 5 seconds
	Clock         func() time.Time // nil: time.Now
	Logger        *slog.Logger     // hears that the issuer could not be reached; nil: nobody does
}

// Introspection says how to ask the issuer about tokens (RFC 7662).
type Introspection struct {
	ClientID     string
	ClientSecret string        // sent as client_secret_basic
	Always       bool          // ask about JWTs, too
	Cache        time.Duration // how long an active answer may be used again, at most 1 minute; 0: not at all
}

const (
	defaultSkew     = 10 * time.Second
	maxSkew         = time.Minute
	maxRemember     = time.Minute
	requestDeadline = 5 * time.Second
)

// asymmetric is every algorithm that can be accepted. A symmetric one would make a secret of a published key.
func asymmetric() []string {
	return []string{string(jose.RS256), string(jose.PS256), string(jose.ES256), string(jose.ES384), string(jose.EdDSA)}
}

func (c Config) withDefaults() Config {
	if len(c.Algorithms) == 0 {
		c.Algorithms = asymmetric()
	}
	if c.Skew == 0 {
		c.Skew = defaultSkew
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	client := http.Client{Timeout: requestDeadline}
	if c.HTTPClient != nil {
		client = *c.HTTPClient
	}
	// The issuer's addresses are those of its metadata: whoever redirects from there is not followed, least of all with a
	// client's credentials.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.HTTPClient = &client
	return c
}

// Validate reports every problem at once, joined into one error: the field, its fault, and what is allowed.
func (c Config) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf("bearer: "+format, args...)) }
	if err := checkIssuer(c.Issuer); err != nil {
		bad("Issuer %w", err)
	}
	if c.Audience == "" {
		bad("Audience is missing; it must be what tokens for this API have in aud: its resource indicator, or the issuer")
	}
	for _, alg := range c.Algorithms {
		if !slices.Contains(asymmetric(), alg) {
			bad("Algorithms has %q; it must be of %s", alg, strings.Join(asymmetric(), ", "))
		}
	}
	if c.Skew < 0 || c.Skew > maxSkew {
		bad("Skew must be between 0 and %v", maxSkew)
	}
	if !quotable(c.Realm) {
		bad(`Realm must be printable ASCII without " and \`)
	}
	if c.Metadata != nil && c.Audience != "" {
		problems = append(problems, c.Metadata.problems(c.Audience)...)
	}
	if i := c.Introspection; i != nil {
		if i.ClientID == "" || i.ClientSecret == "" {
			bad("Introspection must have the ClientID and ClientSecret of a client that is registered at the issuer")
		}
		if i.Cache < 0 || i.Cache > maxRemember {
			bad("Introspection.Cache must be between 0 and %v: for so long a revoked token is still accepted", maxRemember)
		}
	}
	return errors.Join(problems...)
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("is missing; it must be the issuer of the metadata, such as https://id.example.com")
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("must be an absolute URL, such as https://id.example.com")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#") || u.User != nil:
		return errors.New("must not have a query, a fragment or a user")
	case !safe(u):
		return errors.New("must use https: http is for localhost, 127.0.0.1 and [::1] alone")
	}
	return nil
}

// safe reports whether what is asked at u can be read and changed by nobody between.
func safe(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback())
}

// quotable reports whether text may stand in a quoted-string of a challenge as it is (RFC 6750 §3).
func quotable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
}
