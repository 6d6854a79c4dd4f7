package client

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// softwareGrants are what software registers for without anybody's leave: with each of them a person is asked.
func softwareGrants() []string {
	return []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode}
}

// resourcePage is how many resources are read at once.
const resourcePage = 200

// ForSoftware narrows what software may register; t is its initial access token, nil: it has none. Grant types that it may not have
// are refused; what else is beyond it is left out or replaced, as RFC 7591 §2 lets a server: it is never first-party, its tokens live
// no longer than the server's, its refresh tokens rotate, its scope is that of people, of resources that take any client, and of
// t, and it is registered for no resource: those that take any client need none, and give nothing to who asks nobody. Scope of which
// nothing is left becomes the default of Validate, which must follow. Errors are *oauth.Error, or the store's.
func (r *Registry) ForSoftware(ctx context.Context, m storage.ClientMetadata, t *storage.RegistrationToken) (storage.ClientMetadata, error) {
	leave := leave{grants: softwareGrants()}
	if t != nil {
		leave.scope = strings.Fields(t.Scope)
		leave.grants = t.GrantTypes
		if len(leave.grants) == 0 {
			leave.grants = append(softwareGrants(), oauth.GrantClientCredentials)
		}
	}
	return r.narrow(ctx, m, leave)
}

// forUpdate narrows what the client c may make of itself: it keeps what it has, wherever it has it from.
func (r *Registry) forUpdate(ctx context.Context, c storage.Client, m storage.ClientMetadata) (storage.ClientMetadata, error) {
	has := c.Metadata
	return r.narrow(ctx, m, leave{grants: append(softwareGrants(), has.GrantTypes...), scope: strings.Fields(has.Scope), has: has})
}

// leave is what a client may have beyond what any software may.
type leave struct {
	grants, scope []string
	has           storage.ClientMetadata // what was given to it before
}

func (r *Registry) narrow(ctx context.Context, m storage.ClientMetadata, l leave) (storage.ClientMetadata, error) {
	for _, grant := range m.GrantTypes {
		if !slices.Contains(l.grants, grant) {
			return m, metadataError("grant_types has a member that software may not register here: leave it out, or ask the operator of this server; "+
				"this registration may have %s", strings.Join(slices.Compact(slices.Sorted(slices.Values(l.grants))), ", "))
		}
	}
	if len(m.GrantTypes) == 0 && !slices.Contains(l.grants, oauth.GrantAuthorizationCode) {
		return m, metadataError("grant_types must be given: this registration may have %s", strings.Join(l.grants, ", "))
	}
	m.FirstParty = false
	if m.RefreshRotation == storage.Static && l.has.RefreshRotation != storage.Static {
		m.RefreshRotation = ""
	}
	m.AccessTokenLifetime = atMost(m.AccessTokenLifetime, l.has.AccessTokenLifetime, r.config.AccessTokenLifetime)
	m.RefreshTokenLifetime = atMost(m.RefreshTokenLifetime, l.has.RefreshTokenLifetime, r.config.RefreshTokenLifetime)
	m.RefreshTokenIdleLifetime = atMost(m.RefreshTokenIdleLifetime, l.has.RefreshTokenIdleLifetime, r.config.RefreshTokenIdleLifetime)
	m.RefreshGrace = atMost(m.RefreshGrace, l.has.RefreshGrace, r.config.Grace)
	asked, err := oauth.ParseScope(m.Scope)
	if err != nil {
		return m, metadataError("scope: %s", oauth.As(err).Description)
	}
	if len(m.Resources) > maxResources {
		return m, metadataError("resources must not have more than %d members", maxResources)
	}
	m.Resources = keep(m.Resources, func(resource string) bool { return slices.Contains(l.has.Resources, resource) })
	known := append(oauth.UserScopes(), l.scope...)
	if !oauth.Within(asked, known) && !AsksNobody(m.GrantTypes) {
		lent, err := r.LentScope(ctx)
		if err != nil {
			return m, err
		}
		known = append(known, lent...)
	}
	m.Scope = oauth.JoinScope(keep(asked, func(s string) bool { return slices.Contains(known, s) }))
	return m, nil
}

// AsksNobody reports whether one of the grant types gives tokens without asking a person.
func AsksNobody(grants []string) bool {
	return slices.Contains(grants, oauth.GrantClientCredentials) || slices.Contains(grants, oauth.GrantPassword)
}

// atMost bounds a lifetime in seconds by the server's, or by the longer one that the client has been given.
func atMost(asked, has int64, server time.Duration) int64 {
	return min(asked, max(has, int64(server/time.Second)))
}

// LentScope is all that resources which take any client lend (storage.ResourceMetadata.AnyClient). Errors are the store's.
func (r *Registry) LentScope(ctx context.Context) (scope []string, err error) {
	for after := ""; ; {
		page, err := r.store.ListResources(ctx, after, resourcePage)
		if err != nil {
			return nil, err
		}
		for _, resource := range page {
			after = resource.Identifier
			if resource.Metadata.AnyClient {
				scope = append(scope, strings.Fields(resource.Metadata.Scope)...)
			}
		}
		if len(page) < resourcePage {
			return scope, nil
		}
	}
}
