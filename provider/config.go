package provider

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/provider/token"
	"github.com/signet-idp/signet/storage"
)

// Config is what a provider goes by. All but Issuer may be left zero.
type Config struct {
	Issuer string // byte for byte as clients compare it; https, or http on a loopback host

	AccessTokenLifetime      time.Duration    // 0: 15 minutes
	RefreshTokenIdleLifetime time.Duration    // 0: 30 days
	RefreshTokenLifetime     time.Duration    // 0: 365 days
	RefreshRotation          storage.Rotation // "": by kind of client
	RefreshGrace             time.Duration    // W of docs/grants.md; 0: 30 seconds

	SigningAlg          string        // of access tokens; "": ES256
	KeyRotationInterval time.Duration // how long a signing key signs; 0: 90 days; keys.Never: until somebody rotates
	KeyLife             keys.Life     // the other intervals of docs/keys.md; all nodes need the same

	PasswordHash account.Params       // argon2id parameters; zero: m=19456,t=2,p=1
	SecondFactor account.SecondFactor // "": optional

	SignUp         account.SignUp // who may make an account for themselves; "": off
	FactorRecovery time.Duration  // how long those who lost every second factor wait to be rid of them; 0: they cannot

	PasswordMinLength int // of new passwords, in characters; 0: 8
	PasswordMinScore  int // of zxcvbn, 1 to 4, for what people choose themselves; 0: 3; account.AnyScore: none is asked

	SessionIdleLifetime time.Duration // how long a browser stays signed in unused; 0: 24 hours
	SessionLifetime     time.Duration // how long at most; 0: 30 days

	OutboundAllow []outbound.Network // outside the public Internet, that requests to clients may reach all the same
	OutboundRoots *x509.CertPool     // of those requests; nil: the system's

	Registration Registration          // who may register clients by protocol; zero: nobody
	Developers   Developers            // who may have apps of their own; zero: nobody
	Documents    client.DocumentPolicy // whose client id documents are read; zero: nobody's. New sets its Limiter

	MailTransport mail.Transport // nil: letters to people go to the log
	MailFrom      string         // their sender; required with MailTransport

	UILocales []string // the languages of the pages (BCP 47), for discovery; none: nothing is said of them

	AuditRetention time.Duration    // 0: 400 days
	Clock          func() time.Time // for what has no row, such as one-time codes; nil: time.Now
	Logger         *slog.Logger     // nil: slog.Default()
	Observer       Observer         // hears what becomes of requests, for metrics; nil: nobody does
}

// Observer is told what the protocol does.
type Observer interface {
	token.Observer
	authorize.Observer
	mail.Observer
}

// silent is an Observer that nobody listens to.
type silent struct{ token.Silent }

// FrontDoor implements Observer.
func (silent) FrontDoor(string, oauth.Code) {}

// MailSent implements Observer.
func (silent) MailSent() {}

// MailFailed implements Observer.
func (silent) MailFailed(string) {}

// The bounds of lifetimes.
const (
	minLifetime       = 10 * time.Second
	maxAccessLifetime = 24 * time.Hour
	maxGrantLifetime  = 10 * 365 * 24 * time.Hour
	maxSession        = 365 * 24 * time.Hour
	maxGrace          = 5 * time.Minute
	minRotation       = 24 * time.Hour
)

// Problem is one setting with an unusable value.
type Problem struct {
	Setting string // the field of Config
	Text    string // what is wrong, and what is allowed
}

// Error implements error.
func (p Problem) Error() string { return p.Setting + ": " + p.Text }

func (c Config) withDefaults() Config {
	if c.AccessTokenLifetime == 0 {
		c.AccessTokenLifetime = 15 * time.Minute
	}
	if c.RefreshTokenIdleLifetime == 0 {
		c.RefreshTokenIdleLifetime = 30 * 24 * time.Hour
	}
	if c.RefreshTokenLifetime == 0 {
		c.RefreshTokenLifetime = 365 * 24 * time.Hour
	}
	if c.RefreshGrace == 0 {
		c.RefreshGrace = 30 * time.Second
	}
	if c.SigningAlg == "" {
		c.SigningAlg = keys.ES256
	}
	if c.KeyLife.Rotation == 0 {
		c.KeyLife.Rotation = c.KeyRotationInterval
	}
	if c.SignUp == "" {
		c.SignUp = account.SignUpOff
	}
	if c.SecondFactor == "" {
		c.SecondFactor = account.SecondFactorOptional
	}
	if c.SessionIdleLifetime == 0 {
		c.SessionIdleLifetime = 24 * time.Hour
	}
	if c.SessionLifetime == 0 {
		c.SessionLifetime = 30 * 24 * time.Hour
	}
	if c.AuditRetention == 0 {
		c.AuditRetention = 400 * 24 * time.Hour
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.KeyLife.Clock == nil {
		c.KeyLife.Clock = c.Clock
	}
	if c.Observer == nil {
		c.Observer = silent{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Validate reports every problem at once, each a Problem joined into one error.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	bad := func(setting, format string, args ...any) {
		problems = append(problems, Problem{setting, fmt.Sprintf(format, args...)})
	}
	if err := CheckIssuer(c.Issuer); err != nil {
		bad("Issuer", "%v", err)
	}
	if c.AccessTokenLifetime < minLifetime || c.AccessTokenLifetime > maxAccessLifetime {
		bad("AccessTokenLifetime", "must be between 10s and 24h")
	}
	if c.RefreshTokenIdleLifetime < minLifetime || c.RefreshTokenIdleLifetime > maxGrantLifetime {
		bad("RefreshTokenIdleLifetime", "must be between 10s and 3650d")
	}
	if c.RefreshTokenLifetime < minLifetime || c.RefreshTokenLifetime > maxGrantLifetime {
		bad("RefreshTokenLifetime", "must be between 10s and 3650d")
	}
	if c.RefreshGrace < time.Second || c.RefreshGrace > maxGrace {
		bad("RefreshGrace", "must be between 1s and 5m")
	}
	if r := c.RefreshRotation; r != "" && r != storage.Balanced && r != storage.Strict && r != storage.Static {
		bad("RefreshRotation", "must be strict, balanced or static")
	}
	if !keys.Signs(c.SigningAlg) {
		bad("SigningAlg", "must be RS256, PS256, ES256, ES384 or EdDSA")
	}
	if d := c.KeyRotationInterval; d != 0 && d != keys.Never && (d < minRotation || d > maxGrantLifetime) {
		bad("KeyRotationInterval", "must be 0, which turns it off, or between 1d and 3650d")
	}
	if err := (account.Config{Hash: c.PasswordHash}).Validate(); err != nil {
		bad("PasswordHash", "%v", err)
	}
	if err := (account.Config{MinPassword: c.PasswordMinLength}).Validate(); err != nil {
		bad("PasswordMinLength", "must be between %d and %d", account.DefaultMinPassword, account.MaxPassword/4)
	}
	if err := (account.Config{MinScore: c.PasswordMinScore}).Validate(); err != nil {
		bad("PasswordMinScore", "must be between 0, which turns it off, and 4")
	}
	if err := (account.Config{SignUp: c.SignUp}).Validate(); err != nil {
		bad("SignUp", "must be off, on or invite")
	}
	if err := (account.Config{FactorRecovery: c.FactorRecovery}).Validate(); err != nil {
		bad("FactorRecovery", "must be 0, which turns it off, or between 1h and 30d")
	}
	if s := c.SecondFactor; s != account.SecondFactorOptional && s != account.SecondFactorAdmins && s != account.SecondFactorAll {
		bad("SecondFactor", "must be optional, admins or all")
	}
	if c.SessionIdleLifetime < minLifetime || c.SessionIdleLifetime > maxSession {
		bad("SessionIdleLifetime", "must be between 10s and 365d")
	}
	if c.SessionLifetime < minLifetime || c.SessionLifetime > maxSession {
		bad("SessionLifetime", "must be between 10s and 365d")
	}
	if slices.ContainsFunc(c.OutboundAllow, func(n outbound.Network) bool { return n.Prefix.Bits() < 1 }) {
		bad("OutboundAllow", "must hold networks with an address and at least one bit")
	}
	c.Registration.problems(bad)
	c.Developers.problems(bad)
	documentProblems(c.Documents, bad)
	if c.MailTransport != nil {
		if _, err := mail.ParseFrom(c.MailFrom); err != nil {
			bad("MailFrom", "%v", err)
		}
	}
	if c.AuditRetention < 24*time.Hour {
		bad("AuditRetention", "must be at least 1d")
	}
	return errors.Join(problems...)
}

// CheckIssuer says what is wrong with an issuer identifier (RFC 8414 §2, OpenID Connect Core §1.2), or nil.
func CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("is missing; it must be the URL under which clients reach this server, such as https://id.example.com")
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("must be an absolute URL such as https://id.example.com")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(issuer, "#") || u.User != nil:
		return errors.New("must not have a query, a fragment or a user")
	case strings.HasSuffix(issuer, "/"):
		return errors.New("must not end with a slash: clients compare it byte for byte")
	case strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/.") || strings.Trim(u.EscapedPath(), pathCharacters) != "":
		return errors.New("must have a plain path: letters, digits, hyphens, dots and underscores between single slashes")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("must use https: plain http is allowed for localhost, 127.0.0.1 and [::1] alone")
	}
	return errors.New("must use https")
}

// pathCharacters are those that no proxy, router or client reads in two ways.
const pathCharacters = "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
