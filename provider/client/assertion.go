package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
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
		return credentials{}, r.failed(Because("client assertion: sub differs from the client_id parameter", "sub", id, "client_id", named))
	}
	return credentials{id: id, assertion: &a}, nil
}

// prove checks the assertion against the client's keys or secret and now, the store's clock. Only when all of it is good is it spent, so
// that nobody uses up another's. made is when the secret that signed it was made, zero for a key.
func (r *Registry) prove(ctx context.Context, c storage.Client, a *keys.Assertion, now time.Time) (made time.Time, err error) {
	verify := r.verifyKey
	if seals(c) {
		verify = r.verifySecret
	}
	if made, err = verify(ctx, c, a, now); err != nil {
		if ctx.Err() != nil || errors.Is(err, keys.ErrWrongKey) {
			return made, unavailable(err)
		}
		return made, r.failed(unsigned(c, a).Of(err))
	}
	expires, jti, err := r.judge(c, a.Claims, now)
	if err != nil {
		return made, r.failed(fmt.Errorf("client assertion: %w", err))
	}
	// The client_id ends at the first zero byte: no client_id has one.
	spent := storage.NewSecret([]byte(c.ID + "\x00" + jti)).Digest(assertionDomain)
	err = r.store.SpendAssertion(ctx, spent, expires.Add(clockSkew))
	if errors.Is(err, storage.ErrSpent) {
		return made, r.failed(Because("client assertion: its jti was used before: an assertion serves once, and each request needs one of its own",
			"exp", Instant(expires), DetailNow, Instant(now)).Of(err))
	}
	if err != nil {
		return made, unavailable(err)
	}
	return made, nil
}

// unsigned is why the signature of an assertion does not prove c.
func unsigned(c storage.Client, a *keys.Assertion) *Cause {
	alg, kid := a.Header()
	allowed := algorithms(c, keys.AssertionAlgorithms())
	if seals(c) {
		allowed = algorithms(c, keys.SecretAlgorithms())
	}
	return Because("client assertion", "alg", alg, "kid", kid, "algs_allowed", strings.Join(allowed, " "),
		"kids_registered", strings.Join(keys.KeyIDs(c.Metadata.JWKS), " "), "jwks_uri", oauth.Redact(c.Metadata.JWKSURI))
}

// algorithms are those of all that the client may use.
func algorithms(c storage.Client, all []string) []string {
	if alg := c.Metadata.TokenEndpointAuthAlg; alg != "" {
		return []string{alg}
	}
	return all
}

// verifySecret proves that the client signed the assertion with one of its live secrets.
func (r *Registry) verifySecret(_ context.Context, c storage.Client, a *keys.Assertion, now time.Time) (made time.Time, err error) {
	err = errNoneLive
	for _, s := range c.Secrets {
		if len(s.Sealed) == 0 || !live(s, now) {
			continue
		}
		if r.config.Sealer == nil {
			return made, errNoSealer
		}
		secret, failed := r.config.Sealer.Open(s.Sealed, secretRow(c.ID))
		if failed != nil {
			return made, fmt.Errorf("a client secret cannot be read: %w", failed)
		}
		if err = a.VerifySecret(storage.NewSecret(secret), algorithms(c, keys.SecretAlgorithms())); err == nil {
			return s.CreatedAt, nil
		}
	}
	return made, err
}

// verifyKey proves that the client signed the assertion with one of its keys. Where it publishes them and the one in question is not
// known, a newer set may have it.
func (r *Registry) verifyKey(ctx context.Context, c storage.Client, a *keys.Assertion, _ time.Time) (none time.Time, err error) {
	algorithms := algorithms(c, keys.AssertionAlgorithms())
	address := c.Metadata.JWKSURI
	if address == "" {
		return none, a.Verify(c.Metadata.JWKS, algorithms)
	}
	set, seen, err := r.published.find(ctx, address, 0)
	if err != nil {
		return none, err
	}
	missing := a.Verify(set, algorithms)
	if !errors.Is(missing, keys.ErrNoKey) {
		return none, missing
	}
	set, round, err := r.published.find(ctx, address, seen)
	if err != nil || round == seen {
		return none, errors.Join(missing, err)
	}
	return none, a.Verify(set, algorithms)
}

// judge looks at the claims of an authentic assertion (RFC 7523 §3).
func (r *Registry) judge(c storage.Client, claims map[string]json.RawMessage, now time.Time) (expires time.Time, jti string, err error) {
	refuse := func(why string, pairs ...string) (time.Time, string, error) {
		return time.Time{}, "", Because(why, pairs...)
	}
	iss, _ := keys.Text(claims["iss"])
	sub, _ := keys.Text(claims["sub"])
	if iss != c.ID || sub != c.ID {
		return refuse("iss and sub are not both the client_id", "iss", iss, "sub", sub, "client_id", c.ID)
	}
	// An assertion that several servers take is one that each of them can use at the others.
	aud, ok := keys.Text(claims["aud"])
	if !ok {
		return refuse("aud is not one string", "aud", string(claims["aud"]), DetailRegistered, r.config.Issuer)
	}
	if aud != r.config.Issuer && (aud != r.config.TokenEndpoint || aud == "" || c.Metadata.AssertionAudience == audienceIssuer) {
		return refuse("aud is not this server, or not in the form that the client is registered for", "aud", aud, DetailRegistered, r.config.Issuer)
	}
	expires, ok = instant(claims["exp"])
	switch {
	case !ok:
		return refuse("exp is missing or not a time", "exp", string(claims["exp"]))
	case !now.Before(expires.Add(clockSkew)):
		return refuse("exp has passed by "+apart(now, expires)+": the assertion waited, or the client's clock is behind this server's by that much",
			"exp", Instant(expires), DetailNow, Instant(now), "off_by", apart(now, expires))
	case expires.After(now.Add(assertionLifetime + clockSkew)):
		return refuse("exp is more than five minutes ahead: by "+apart(expires, now)+" of this server's clock; the assertion is made for longer, or the client's clock is ahead",
			"exp", Instant(expires), DetailNow, Instant(now), "off_by", apart(expires, now))
	}
	for _, name := range []string{"nbf", "iat"} {
		raw, there := claims[name]
		if !there {
			continue
		}
		from, ok := instant(raw)
		if !ok {
			return refuse(name+" is not a time", name, string(raw))
		}
		if from.After(now.Add(clockSkew)) {
			return refuse(name+" is in the future by "+apart(from, now)+": the client's clock is ahead of this server's by that much or more",
				name, Instant(from), DetailNow, Instant(now), "off_by", apart(from, now))
		}
	}
	if jti, ok = keys.Text(claims["jti"]); !ok || jti == "" {
		return refuse("jti is missing or not a string")
	}
	return expires, jti, nil
}

// apart is how much later than b a is, as people are told it.
func apart(a, b time.Time) string { return a.Sub(b).Round(time.Second).String() }

// instant reads a NumericDate (RFC 7519 §2), which may have a fraction. false: it is none, or lies outside what a clock shows.
func instant(raw json.RawMessage) (time.Time, bool) {
	var seconds float64
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' || json.Unmarshal(raw, &seconds) != nil || seconds > 1<<40 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), true
}
