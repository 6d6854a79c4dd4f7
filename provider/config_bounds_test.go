package provider_test

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/storage"
)

func TestEachLifetimeHasItsBounds(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		config    func(d time.Duration) provider.Config
		good, bad []time.Duration
	}{
		"AccessTokenLifetime": {
			func(d time.Duration) provider.Config { return provider.Config{AccessTokenLifetime: d} },
			[]time.Duration{0, 10 * time.Second, day},
			[]time.Duration{-1, 10*time.Second - 1, day + 1},
		},
		"RefreshTokenIdleLifetime": {
			func(d time.Duration) provider.Config { return provider.Config{RefreshTokenIdleLifetime: d} },
			[]time.Duration{0, 10 * time.Second, 10 * year},
			[]time.Duration{-1, 10*time.Second - 1, 10*year + 1},
		},
		"RefreshTokenLifetime": {
			func(d time.Duration) provider.Config { return provider.Config{RefreshTokenLifetime: d} },
			[]time.Duration{0, 10 * time.Second, 10 * year},
			[]time.Duration{-1, 10*time.Second - 1, 10*year + 1},
		},
		"RefreshGrace": {
			func(d time.Duration) provider.Config { return provider.Config{RefreshGrace: d} },
			[]time.Duration{0, time.Second, 5 * time.Minute},
			[]time.Duration{-1, time.Second - 1, 5*time.Minute + 1},
		},
		"SessionIdleLifetime": {
			func(d time.Duration) provider.Config { return provider.Config{SessionIdleLifetime: d} },
			[]time.Duration{0, 10 * time.Second, year},
			[]time.Duration{-1, 10*time.Second - 1, year + 1},
		},
		"SessionLifetime": {
			func(d time.Duration) provider.Config { return provider.Config{SessionLifetime: d} },
			[]time.Duration{0, 10 * time.Second, year},
			[]time.Duration{-1, 10*time.Second - 1, year + 1},
		},
		"FactorRecovery": {
			func(d time.Duration) provider.Config { return provider.Config{FactorRecovery: d} },
			[]time.Duration{0, time.Hour, 30 * day},
			[]time.Duration{-1, time.Hour - 1, 30*day + 1},
		},
		"AuditRetention": {
			func(d time.Duration) provider.Config { return provider.Config{AuditRetention: d} },
			[]time.Duration{0, day, 100 * year},
			[]time.Duration{-1, day - 1},
		},
	} {
		valid := func(d time.Duration) bool {
			config := c.config(d)
			config.Issuer = "https://id.example.com"
			return config.Validate() == nil
		}
		for _, d := range c.good {
			if !valid(d) {
				t.Errorf("%s %v is refused", name, d)
			}
		}
		for _, d := range c.bad {
			if valid(d) {
				t.Errorf("%s %v is taken", name, d)
			}
		}
	}
	for _, rotation := range []storage.Rotation{"", storage.Balanced, storage.Strict, storage.Static} {
		if err := (provider.Config{Issuer: "https://id.example.com", RefreshRotation: rotation}).Validate(); err != nil {
			t.Errorf("rotation %q: %v", rotation, err)
		}
	}
}
