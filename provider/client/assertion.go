package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// assertionType is the client_assertion_type of RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	// assertionLifetime is how far ahead an assertion's exp may lie: what was used is remembered that long.
	assertionLifetime = 5 * time.Minute
	// clockSkew is how far a client's clock may be off, in either direction.
	clockSkew = 10 * time.Second
	// assertionDomain separates the digests of spent assertions from all others.
	assertionDomain = "client assertion"
)

// audienceIssuer is the client_assertion_audience of a client whose assertions must name the issuer (FAPI 2.0 Security Profile §5.3.3.1).
const audienceIssuer = "issuer"

// readAssertion takes an assertion from the form. It names the client in sub; client_id, where it is sent, must say the same.
func (r *Registry) readAssertion(p oauth.Params) (credentials, error) {
	text := p.Get("client_assertion")
	switch {
	case p.Get("client_assertion_type") != assertionType:
		return credentials{}, r.challenge("client_assertion_type must be "+assertionType, errAssertionType)
	case text == "":
		return credentials{}, r.challenge("client_assertion is missing: send the signed JWT in it", errNoAssertion)
	}
	a, err := keys.ParseAssertion(text)
	if err != nil {
		return credentials{}, r.failed(fmt.Errorf("client assertion: %w", err))
	}
	id, ok := keys.Text(a.Claims["sub"])
	if !ok {
		return credentials{}, r.failed(errors.New("client assertion: sub is missing or not a string"))
	}
	if named := p.Get("client_id"); named != "" && named != id {
		return credentials{}, r.failed(errors.New("client assertion: sub differs from the client_id parameter"))
	}
	return credentials{id: id, assertion: &a}, nil
}

// prove checks the assertion against the client's keys or secret and now, the store's clock. Only when all of it is good is it spent, so
// that nobody uses up another's.
func (r *Registry) prove(ctx context.Context, c storage.Client, a *keys.Assertion, now time.Time) error {
	verify := r.verifyKey
	if seals(c) {
		verify = r.verifySecret
	}
	if err := verify(ctx, c, a, now); err != nil {
		if ctx.Err() != nil || errors.Is(err, keys.ErrWrongKey) {
			return unavailable(err)
		}
		return r.failed(fmt.Errorf("client assertion: %w", err))
	}
	expires, jti, err := r.judge(c, a.Claims, now)
	if err != nil {
		return r.failed(fmt.Errorf("client assertion: %w", err))
	}
	// The client_id ends at the first zero byte: no client_id has one.
	spent := storage.NewSecret([]byte(c.ID + "\x00" + jti)).Digest(assertionDomain)
	err = r.store.SpendAssertion(ctx, spent, expires.Add(clockSkew))
	if errors.Is(err, storage.ErrSpent) {
		return r.failed(fmt.Errorf("client assertion: its jti was used before: %w", err))
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// algorithms are those of all that the client may use.
func algorithms(c storage.Client, all []string) []string {
	if alg := c.Metadata.TokenEndpointAuthAlg; alg != "" {
		return []string{alg}
	}
	return all
}

// verifySecret proves that the client signed the assertion with one of its live secrets.
func (r *Registry) verifySecret(_ context.Context, c storage.Client, a *keys.Assertion, now time.Time) error {
	err := errNoneLive
	for _, s := range c.Secrets {
		if len(s.Sealed) == 0 || !live(s, now) {
			continue
		}
		if r.config.Sealer == nil {
			return errNoSealer
		}
		secret, failed := r.config.Sealer.Open(s.Sealed, secretRow(c.ID))
		if failed != nil {
			return fmt.Errorf("a client secret cannot be read: %w", failed)
		}
		if err = a.VerifySecret(storage.NewSecret(secret), algorithms(c, keys.SecretAlgorithms())); err == nil {
			return nil
		}
	}
	return err
}

// verifyKey proves that the client signed the assertion with one of its keys. Where it publishes them and the one in question is not
// known, a newer set may have it.
func (r *Registry) verifyKey(ctx context.Context, c storage.Client, a *keys.Assertion, _ time.Time) error {
	algorithms := algorithms(c, keys.AssertionAlgorithms())
	address := c.Metadata.JWKSURI
	if address == "" {
		return a.Verify(c.Metadata.JWKS, algorithms)
	}
	set, seen, err := r.published.find(ctx, address, 0)
	if err != nil {
		return err
	}
	missing := a.Verify(set, algorithms)
	if !errors.Is(missing, keys.ErrNoKey) {
		return missing
	}
	set, round, err := r.published.find(ctx, address, seen)
	if err != nil || round == seen {
		return errors.Join(missing, err)
	}
	return a.Verify(set, algorithms)
}

// judge looks at the claims of an authentic assertion (RFC 7523 §3).
func (r *Registry) judge(c storage.Client, claims map[string]json.RawMessage, now time.Time) (expires time.Time, jti string, err error) {
	refuse := func(why string) (time.Time, string, error) { return time.Time{}, "", errors.New(why) }
	iss, _ := keys.Text(claims["iss"])
	sub, _ := keys.Text(claims["sub"])
	if iss != c.ID || sub != c.ID {
		return refuse("iss and sub are not both the client_id")
	}
	// An assertion that several servers take is one that each of them can use at the others.
	aud, ok := keys.Text(claims["aud"])
	if !ok {
		return refuse("aud is not one string")
	}
	if aud != r.config.Issuer && (aud != r.config.TokenEndpoint || aud == "" || c.Metadata.AssertionAudience == audienceIssuer) {
		return refuse("aud is not this server, or not in the form that the client is registered for")
	}
	expires, ok = instant(claims["exp"])
	switch {
	case !ok:
		return refuse("exp is missing or not a time")
	case !now.Before(expires.Add(clockSkew)):
		return refuse("exp has passed")
	case expires.After(now.Add(assertionLifetime + clockSkew)):
		return refuse("exp is more than five minutes ahead")
	}
	for _, name := range []string{"nbf", "iat"} {
		if raw, there := claims[name]; there {
			if from, ok := instant(raw); !ok || from.After(now.Add(clockSkew)) {
				return refuse(name + " is not a time, or in the future")
			}
		}
	}
	if jti, ok = keys.Text(claims["jti"]); !ok || jti == "" {
		return refuse("jti is missing or not a string")
	}
	return expires, jti, nil
}

// instant reads a NumericDate (RFC 7519 §2), which may have a fraction. false: it is none, or lies outside what a clock shows.
func instant(raw json.RawMessage) (time.Time, bool) {
	var seconds float64
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' || json.Unmarshal(raw, &seconds) != nil || seconds > 1<<40 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), true
}
