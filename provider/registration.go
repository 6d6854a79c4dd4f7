package provider

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/provider/throttle"
)

const pathRegister = "/oauth2/register"

// unusedKeep is how long a client that registered itself stays without ever obtaining a token.
const unusedKeep = 24 * time.Hour

// Registration is who may register clients by protocol (RFC 7591). Its zero value lets nobody.
type Registration struct {
	Mode       register.Mode            // "": off
	PKCE       register.PKCE            // "": required
	Statements []client.StatementIssuer // whose software statements are believed; none: they are passed over
	Unused     int                      // how many clients made by machines that never obtained a token are kept; 0: 10,000
}

// maxUnused is what one table is still quick about.
const maxUnused = 1_000_000

// problems says what is wrong with r, each by the field of Config.
func (r Registration) problems(bad func(setting, format string, args ...any)) {
	if r.Mode != "" && !slices.Contains(register.Modes(), r.Mode) {
		bad("Registration.Mode", "must be off, token or open")
	}
	if r.PKCE != "" && r.PKCE != register.PKCERequired && r.PKCE != register.PKCEPublic {
		bad("Registration.PKCE", "must be required or public")
	}
	if _, err := client.NewStatements(r.Statements); err != nil {
		bad("Registration.Statements", "%v", err)
	}
	if r.Unused < 0 || r.Unused > maxUnused {
		bad("Registration.Unused", "must be between 1 and %d, or 0 for %d", maxUnused, client.DefaultUnusedClients)
	}
}

func (r Registration) off() bool { return r.Mode == "" || r.Mode == register.ModeOff }

// openRegistration wires the registration endpoint.
func (p *Provider) openRegistration(clients client.Config, limiter *throttle.Limiter) error {
	p.initial = client.NewInitialTokens(p.store, clients)
	statements, err := client.NewStatements(p.config.Registration.Statements)
	if err != nil {
		return fmt.Errorf("the issuers of software statements: %w", err)
	}
	p.registration = &register.Endpoint{
		Clients: p.clients, Tokens: p.initial, Statements: statements, Limiter: limiter,
		Mode: p.config.Registration.Mode, PKCE: p.config.Registration.PKCE, Address: p.config.Issuer + pathRegister, Issuer: p.config.Issuer, Clock: p.config.Clock,
	}
	return nil
}

// InitialTokens are the initial access tokens of registration, for commands.
func (p *Provider) InitialTokens() *client.InitialTokens { return p.initial }

// registrationRoutes are none where registration is off: then nothing is there, and nothing is published.
func (p *Provider) registrationRoutes() []Route {
	if p.config.Registration.off() {
		return nil
	}
	return []Route{
		{Path: pathRegister, Methods: post, Cache: cacheNever, CORS: true, Metadata: "registration_endpoint", handle: p.registration.Register},
		{
			Path: pathRegister + "/:client_id", Methods: []string{http.MethodGet, http.MethodPut, http.MethodDelete}, Cache: cacheNever, CORS: true,
			handle: p.registration.Manage,
		},
		{Path: "/developer/tokens", Methods: getsPost, Cache: cacheNever, Page: "developer_tokens"},
	}
}

// sweepUnused removes clients that registered themselves and that nobody uses.
func (p *Provider) sweepUnused(ctx context.Context) error {
	for range sweepMost {
		n, err := p.store.SweepUnused(ctx, sweepBatch, unusedKeep)
		if err != nil || n < sweepBatch {
			return err
		}
	}
	return nil
}
