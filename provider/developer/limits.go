package developer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// limit holds what a developer asks for, m, to what developers may set; had is what the app has. Single members that operators alone
// set keep what they are. Of what an operator gave in a list, such as a grant type, the developer may let go, and cannot have it back.
func (d *Developers) limit(ctx context.Context, had, m storage.ClientMetadata) (storage.ClientMetadata, error) {
	lent, err := d.clients.LentScope(ctx)
	if err != nil {
		return m, err
	}
	open := append(oauth.UserScopes(), lent...)
	scope, err := oauth.ParseScope(m.Scope)
	if err != nil {
		return m, invalid("scope: %s", oauth.As(err).Description)
	}
	gains := func(now, before []string, allowed ...string) bool {
		return slices.ContainsFunc(now, func(s string) bool { return !slices.Contains(before, s) && !slices.Contains(allowed, s) })
	}
	// What people give through an app is not the app's own: one that begins to ask nobody brings none of it along.
	given := strings.Fields(had.Scope)
	if client.AsksNobody(m.GrantTypes) {
		open = oauth.UserScopes()
		if !client.AsksNobody(had.GrantTypes) {
			given = nil
		}
	}
	switch {
	case m.FirstParty && !had.FirstParty:
		return m, invalid("first_party can be set by an operator alone: people are asked what an app may do")
	case m.SoftwareStatement != "" && m.SoftwareStatement != had.SoftwareStatement:
		return m, invalid("software_statement can be brought to the registration endpoint alone, where it is checked")
	case gains(m.GrantTypes, had.GrantTypes, grants()...):
		return m, invalid("grant_types may have %s; an operator alone gives an app others", strings.Join(grants(), ", "))
	case gains(scope, given, open...) && client.AsksNobody(m.GrantTypes):
		return m, invalid("scope has a value that an operator alone gives to an app with client_credentials, which gets tokens without asking anybody")
	case gains(scope, given, open...):
		return m, invalid("scope has a value that is not open to every app: an operator gives it to the app, or opens the resource that defines it")
	case gains(m.Resources, had.Resources):
		return m, invalid("resources has one that an operator did not give to the app: a resource that is open to every app need not be in it, and others an operator gives")
	}
	if err := d.limitLifetimes(had, m); err != nil {
		return m, err
	}
	m.FirstParty, m.SoftwareStatement = had.FirstParty, had.SoftwareStatement
	return m, nil
}

// grants are the grant types that developers give their apps. The password grant shows people's passwords to the app.
func grants() []string {
	return []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode, oauth.GrantClientCredentials}
}

// limitLifetimes lets tokens live for as long as the server's do, or as the app's did.
func (d *Developers) limitLifetimes(had, m storage.ClientMetadata) error {
	var server storage.Client
	for _, l := range []struct {
		member      string
		before, now int64
		most        time.Duration
	}{
		{"access_token_lifetime", had.AccessTokenLifetime, m.AccessTokenLifetime, d.clients.AccessTokenLifetime(server)},
		{"refresh_token_lifetime", had.RefreshTokenLifetime, m.RefreshTokenLifetime, d.clients.RefreshTokenLifetime(server)},
		{"refresh_token_idle_lifetime", had.RefreshTokenIdleLifetime, m.RefreshTokenIdleLifetime, d.clients.Policy(server).Idle},
	} {
		if most := max(int64(l.most/time.Second), l.before); l.now > most {
			return invalid("%s must not exceed %d seconds, or be 0 for the default of the server: an operator alone raises it", l.member, most)
		}
	}
	return nil
}
