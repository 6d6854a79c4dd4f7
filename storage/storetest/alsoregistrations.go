package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// registrationAlsoVerbs are those of clients that come by themselves.
func registrationAlsoVerbs() []alsoVerb {
	aToken := func(t *testing.T, s *subject) { s.token(t, bareToken(30)) }
	register := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RegisterClient(t.Context(), bareClient("c"), storage.Registration{TokenID: id(30)}, a)
	}
	create := func(n int) actor {
		return func(t *testing.T, s *subject, a storage.Also) error {
			return s.CreateRegistrationToken(t.Context(), bareToken(n), a)
		}
	}
	taken := func(t *testing.T, s *subject, a storage.Also) error {
		aToken(t, s)
		return create(30)(t, s, a)
	}
	revoke := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RevokeRegistrationToken(t.Context(), id(30), a)
	}
	return []alsoVerb{
		{"RegisterClient", aToken, register, register},
		{"CreateRegistrationToken", func(*testing.T, *subject) {}, create(31), taken},
		{"RevokeRegistrationToken", aToken, revoke, revoke},
	}
}

// callRegistrations calls the methods that serve clients that come by themselves, and their developers.
func callRegistrations(ctx context.Context, s storage.Store, each func(method string, err error)) {
	each("RegisterClient", s.RegisterClient(ctx, bareClient("registered"), storage.Registration{Unused: 10, Owned: 10}, storage.Also{}))
	_, err := s.ListOwnClients(ctx, id(1))
	each("ListOwnClients", err)
	_, err = s.ListAwaiting(ctx, 10)
	each("ListAwaiting", err)
	_, err = s.SweepUnused(ctx, 10, time.Hour)
	each("SweepUnused", err)
	each("CreateRegistrationToken", s.CreateRegistrationToken(ctx, bareToken(30), storage.Also{}))
	_, _, err = s.FindRegistrationToken(ctx, digest("a"))
	each("FindRegistrationToken", err)
	_, _, err = s.ListRegistrationTokens(ctx, storage.ID{}, 10)
	each("ListRegistrationTokens", err)
	each("RevokeRegistrationToken", s.RevokeRegistrationToken(ctx, id(30), storage.Also{}))
	each("CountUsage", s.CountUsage(ctx, []storage.ClientUsage{{ClientID: "c", Tokens: 1, Secrets: []time.Time{start}}}))
	_, err = s.ListUsage(ctx, "c", 30)
	each("ListUsage", err)
	_, err = s.ListSecretUses(ctx, "c")
	each("ListSecretUses", err)
	_, err = s.SweepUsage(ctx, 10, time.Hour)
	each("SweepUsage", err)
	_, err = s.ListRefusals(ctx, "c", "", 10)
	each("ListRefusals", err)
}
