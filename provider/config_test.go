package provider

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// TestUnusableConfigurationIsToldAllAtOnce: whoever configures a server wrongly in several places hears of all of them, each by
// the name of its setting.
func TestUnusableConfigurationIsToldAllAtOnce(t *testing.T) {
	t.Parallel()
	wrong := Config{
		Issuer: "http://id.example.com", AccessTokenLifetime: time.Second, RefreshTokenIdleLifetime: -1,
		RefreshTokenLifetime: maxGrantLifetime + 1, RefreshGrace: time.Hour, RefreshRotation: storage.Rotation("never"),
		SigningAlg: "HS256", KeyRotationInterval: 23 * time.Hour, PasswordHash: account.Params{Memory: 1, Time: 1, Threads: 1}, SecondFactor: "some",
		PasswordMinLength: 7, PasswordMinScore: 5,
		SessionIdleLifetime: time.Second, SessionLifetime: -1, OutboundAllow: make([]outbound.Network, 1), AuditRetention: time.Hour,
	}
	var all interface{ Unwrap() []error }
	if err := wrong.Validate(); !errors.As(err, &all) {
		t.Fatalf("the error is %v, want one that holds every problem", err)
	}
	var told []string
	for _, err := range all.Unwrap() {
		var p Problem
		if !errors.As(err, &p) || p.Text == "" {
			t.Fatalf("%v is no Problem with a text", err)
		}
		told = append(told, p.Setting)
	}
	want := []string{
		"Issuer", "AccessTokenLifetime", "RefreshTokenIdleLifetime", "RefreshTokenLifetime", "RefreshGrace", "RefreshRotation",
		"SigningAlg", "KeyRotationInterval", "PasswordHash", "PasswordMinLength", "PasswordMinScore", "SecondFactor",
		"SessionIdleLifetime", "SessionLifetime", "OutboundAllow", "AuditRetention",
	}
	if !slices.Equal(told, want) {
		t.Errorf("problems with %v, want %v", told, want)
	}
	if err := (Config{Issuer: "https://id.example.com"}).Validate(); err != nil {
		t.Errorf("an issuer alone is not enough: %v", err)
	}
	for _, interval := range []time.Duration{keys.Never, 24 * time.Hour} {
		if err := (Config{Issuer: "https://id.example.com", KeyRotationInterval: interval}).Validate(); err != nil {
			t.Errorf("rotation %v: %v", interval, err)
		}
	}
}

// TestWhatAnIssuerMayBe: clients compare an issuer byte by byte, and find the metadata under it (RFC 8414 §2, OpenID Connect
// Discovery §3). The router serves every address under its path, so that nothing in it may mean something to the router, or be
// spelt in two ways.
func TestWhatAnIssuerMayBe(t *testing.T) {
	t.Parallel()
	for issuer, good := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com:8443": true, "https://id.example.com/a-b_c.d~e/F1": true,
		"http://localhost:8080": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true,
		"": false, "id.example.com": false, "https://": false, "https:id.example.com": false, "ftp://id.example.com": false,
		"http://id.example.com": false, "http://localhost.example.com": false, "http://10.0.0.1": false,
		"https://id.example.com/": false, "https://id.example.com/a/": false,
		"https://id.example.com?": false, "https://id.example.com?a=b": false, "https://id.example.com#": false,
		"https://id.example.com#a": false, "https://user@id.example.com": false,
		"https://id.example.com/:tenant": false, "https://id.example.com/*": false, "https://id.example.com/a%41": false,
		"https://id.example.com/a;b": false, "https://id.example.com/a//b": false, "https://id.example.com/../a": false,
		"https://id.example.com/a b": false, "https://id.example.com/\u00fc": false,
	} {
		if err := CheckIssuer(issuer); (err == nil) != good {
			t.Errorf("CheckIssuer(%q) = %v, want good %v", issuer, err, good)
		}
	}
}
