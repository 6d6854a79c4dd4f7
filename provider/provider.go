package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/logout"
	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/provider/token"
	"github.com/signet-idp/signet/storage"
)

// Provider is one node of an identity provider. Any number of them may share a store.
type Provider struct {
	config     Config
	store      storage.Store
	ring       *keys.Ring
	sealer     *keys.Sealer
	clients    *client.Registry
	resources  *client.Resources
	people     *account.People
	browsers   *browser.Browsers
	tokens     *token.Endpoint
	door       *authorize.Door
	logout     *logout.Logout
	mail       *mail.Mail
	node       string // names this node in leases
	refused    *refusals
	usage      *usage
	developers *developer.Developers

	registration *register.Endpoint
	initial      *client.InitialTokens

	published *document                // RFC 8414's, which only a new start changes
	described *document                // RFC 9728's about this issuer's own APIs, likewise
	keySet    atomic.Pointer[document] // the JWK set as it was last served
}

// New wires the rooms over store. It makes the keys of an empty store, and fails where sealer does not open the keys that are
// there (keys.ErrWrongKey) or the configuration is unusable (Problems, see Config.Validate).
func New(ctx context.Context, c Config, store storage.Store, sealer *keys.Sealer) (*Provider, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	ring, err := keys.OpenRing(ctx, store, sealer, c.Issuer, c.KeyLife)
	if err != nil {
		return nil, err
	}
	p := &Provider{config: c, store: store, ring: ring, sealer: sealer, node: rand.Text(), refused: newRefusals(store, c.Logger), usage: newUsage(store, c.Logger)}
	limiter := throttle.New(store)
	c.Documents.Limiter = limiter
	out := outbound.New(outbound.Config{Allow: c.OutboundAllow, Roots: c.OutboundRoots})
	registrations := client.Config{
		Issuer: c.Issuer, TokenEndpoint: c.Issuer + pathToken, GrantTypes: token.Grants(), Algorithms: ring.Algorithms(),
		Rotation: c.RefreshRotation, Grace: c.RefreshGrace, AccessTokenLifetime: c.AccessTokenLifetime,
		RefreshTokenIdleLifetime: c.RefreshTokenIdleLifetime, RefreshTokenLifetime: c.RefreshTokenLifetime,
		Outbound: out, Sealer: sealer, Clock: c.Clock, UnusedClients: c.Registration.Unused, Documents: c.Documents,
	}
	p.clients, p.resources = client.New(store, registrations), client.NewResources(store, registrations)
	p.developers = developer.New(store, p.clients, developer.Config{Issuer: c.Issuer, Policy: c.Developers.Policy, Apps: c.Developers.Apps})
	mint := handle.New(ring)
	p.people = account.New(store, sealer, account.NewHasher(account.Hashers(runtime.NumCPU())), account.Config{
		Issuer: c.Issuer, Mint: mint, Hash: c.PasswordHash, MinPassword: c.PasswordMinLength, MinScore: c.PasswordMinScore,
		SignUp: c.SignUp, FactorRecovery: c.FactorRecovery, Clock: c.Clock,
	})
	issuer := issue.New(issue.Config{Issuer: c.Issuer, SigningAlg: c.SigningAlg}, ring, mint)
	if err := p.openRegistration(registrations, limiter); err != nil {
		return nil, err
	}
	p.tokens = &token.Endpoint{
		Store: store, Clients: p.clients, People: p.people, Limiter: limiter, Mint: mint, Issuer: issuer,
		IssuerURL: c.Issuer, AboutURL: aboutURL(c.Issuer), SecondFactor: c.SecondFactor, Observer: c.Observer, Counter: p.usage,
	}
	p.browsers = browser.New(store, mint, p.people, limiter, browser.Config{
		Issuer: c.Issuer, SessionIdle: c.SessionIdleLifetime, SessionLifetime: c.SessionLifetime, SecondFactor: c.SecondFactor, Clock: c.Clock,
	})
	p.door = &authorize.Door{
		Store: store, Clients: p.clients, Browsers: p.browsers, Mint: mint, Issuer: issuer, Limiter: limiter,
		IssuerURL: c.Issuer, SignUp: c.SignUp == account.SignUpOn, Observer: c.Observer,
	}
	p.logout = logout.New(store, p.clients, p.browsers, issuer, out, logout.Config{Issuer: c.Issuer})
	p.mail, err = mail.New(store, mail.Config{
		Issuer: c.Issuer, Transport: c.MailTransport, From: c.MailFrom, Clock: c.Clock, Logger: c.Logger, Observer: c.Observer, Link: p.mailLink,
	})
	if err != nil {
		return nil, err
	}
	metadata, err := json.Marshal(p.metadata())
	if err != nil {
		return nil, fmt.Errorf("encode the metadata: %w", err)
	}
	p.published = newDocument(metadata)
	p.described, err = p.describe()
	return p, err
}

// Clients is the registry of applications, for commands.
func (p *Provider) Clients() *client.Registry { return p.clients }

// Resources is the registry of protected resources, for commands.
func (p *Provider) Resources() *client.Resources { return p.resources }

// People are the accounts, for commands.
func (p *Provider) People() *account.People { return p.people }

// Browsers is who is signed in where, for pages.
func (p *Provider) Browsers() *browser.Browsers { return p.browsers }

// Door is the front door, for pages.
func (p *Provider) Door() *authorize.Door { return p.door }

// Logout ends sessions, for pages.
func (p *Provider) Logout() *logout.Logout { return p.logout }

// errNoKeys says that nothing could be signed.
var errNoKeys = errors.New("no active signing key")

// Ready reports whether the provider can do its work: the database answers with the right schema, and there is a key to sign
// with.
func (p *Provider) Ready(ctx context.Context) error {
	if _, err := p.store.Ping(ctx); err != nil {
		return err
	}
	if len(p.ring.Algorithms()) == 0 {
		return errNoKeys
	}
	return nil
}
