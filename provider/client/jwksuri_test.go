package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

func TestPublishedKeysAreFetchedWhenTheyAreFirstNeeded(t *testing.T) {
	t.Parallel()
	all := signers()
	var set map[string][]any
	if err := json.Unmarshal(jwks(all["RS256"], all["ES256"], all["ES384"], all["EdDSA"]), &set); err != nil {
		t.Fatal(err)
	}
	// Such a set is for everybody: what is not for signatures, or not known here, is passed over.
	forSecrecy := maps.Clone(all["ES256"].jwk())
	forSecrecy["use"], forSecrecy["kid"] = "enc", "p256"
	set["keys"] = append(set["keys"], forSecrecy, map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "new"}, map[string]any{}, 1)
	p := publish(t, text(map[string]any{"keys": set["keys"], "more": true}))
	if n := p.looks.Load(); n != 0 {
		t.Errorf("%d looks before any was needed", n)
	}
	for _, s := range all {
		p.takes(s, true, 1)
	}
	p.takes(signer{"ES256", "p256", all["ES384"].key}, false, 1)
	caller, err := present(t, p.r, all["ES256"].sign(good(p.clock.Now(), "again")))
	if err != nil || !caller.Authenticated {
		t.Errorf("%+v, %v", caller, err)
	}
	if _, err := present(t, p.r, all["ES256"].sign(good(p.clock.Now(), "again"))); err == nil {
		t.Error("an assertion was taken twice")
	}
}

func TestAKeyThatIsNotKnownIsLookedForOnceAMinuteHoweverManyAsk(t *testing.T) {
	t.Parallel()
	old, fresh, stranger := signers()["ES256"].as("old"), signers()["ES384"].as("fresh"), signers()["EdDSA"].as("nobody's")
	p := publish(t, string(jwks(old)))
	if n := p.storm(old); n != 64 || p.looks.Load() != 1 {
		t.Fatalf("%d of 64 first assertions were taken after %d looks, want all after one", n, p.looks.Load())
	}
	p.publishes(string(jwks(fresh)), "")
	p.takes(fresh, false, 1) // a minute has not passed since the first look
	p.clock.advance(time.Minute)
	if n := p.storm(fresh); n != 64 || p.looks.Load() != 2 {
		t.Errorf("%d of 64 assertions of a new key were taken after %d looks, want all after two", n, p.looks.Load())
	}
	p.takes(old, false, 2) // it is published no longer
	p.clock.advance(time.Minute - time.Second)
	if n := p.storm(stranger); n != 0 || p.looks.Load() != 2 {
		t.Errorf("within a minute: %d taken, %d looks", n, p.looks.Load())
	}
	p.clock.advance(time.Second)
	if n := p.storm(stranger); n != 0 || p.looks.Load() != 3 {
		t.Errorf("after a minute: %d taken, %d looks", n, p.looks.Load())
	}
	p.takes(fresh, true, 3)
}

// TestAKeyWithoutANameIsLookedForToo: a client with one key need not name it, and may have changed it.
func TestAKeyWithoutANameIsLookedForToo(t *testing.T) {
	t.Parallel()
	nameless := func(s signer) string {
		key := s.jwk()
		delete(key, "kid")
		return text(map[string]any{"keys": []any{key}})
	}
	es, ed := signers()["ES256"], signers()["EdDSA"]
	p := publish(t, nameless(es))
	assert := func(s signer, jti string) error {
		_, err := present(t, p.r, s.signText(`{"alg":"`+s.alg+`"}`, text(good(p.clock.Now(), jti))))
		return err
	}
	if err := assert(es, "a"); err != nil {
		t.Fatal(err)
	}
	p.publishes(nameless(ed), "")
	p.clock.advance(time.Minute)
	if err := assert(ed, "b"); err != nil || p.looks.Load() != 2 {
		t.Errorf("%v after %d looks", err, p.looks.Load())
	}
}

func TestPublishedKeysLiveOnWhileTheirServerFails(t *testing.T) {
	t.Parallel()
	key := signers()["ES256"]
	p := publish(t, string(jwks(key)))
	p.takes(key, true, 1)
	p.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	p.clock.advance(5 * time.Minute)
	for range 3 {
		p.takes(key, true, 2) // one look, and the keys that there are
	}
	p.clock.advance(time.Minute)
	p.takes(key, true, 3)
	p.clock.advance(24*time.Hour - time.Minute - time.Microsecond)
	p.takes(key, true, 4)
	p.clock.advance(time.Minute)
	p.takes(key, false, 5) // nobody has confirmed it for too long
	p.takes(key, false, 5)
	p.publishes(string(jwks(key)), "")
	p.takes(key, false, 5)
	p.clock.advance(time.Minute)
	p.takes(key, true, 6)
}

func TestAKeyThatIsTakenBackEndsWithTheAgeOfItsSet(t *testing.T) {
	t.Parallel()
	gone, stays := signers()["ES256"], signers()["EdDSA"]
	for cacheControl, age := range map[string]time.Duration{
		"": 5 * time.Minute, "max-age=60": 5 * time.Minute, "no-store": 5 * time.Minute, "max-age=3600": time.Hour, "max-age=31536000": 24 * time.Hour,
	} {
		p := publish(t, "")
		p.publishes(string(jwks(gone, stays)), cacheControl)
		p.takes(gone, true, 1)
		p.publishes(string(jwks(stays)), cacheControl)
		p.clock.advance(age - time.Microsecond)
		p.takes(gone, true, 1)
		p.clock.advance(time.Microsecond)
		p.takes(gone, false, 2)
		p.takes(stays, true, 2)
	}
}

func TestWhatIsNoKeySetProvesNobody(t *testing.T) {
	t.Parallel()
	key := signers()["ES256"]
	private := key.jwk()
	private["d"] = "AAAA"
	many := make([]signer, 17)
	for i := range many {
		many[i] = key.as(fmt.Sprint("key-", i))
	}
	many[0] = key
	p := publish(t, "")
	for name, answer := range map[string]string{
		"nothing": "", "text": "keys", "no keys": `{"keys":[]}`, "members twice": `{"keys":[],"keys":[` + text(key.jwk()) + `]}`,
		"its private part too": `{"keys":[` + text(private) + `]}`, "17 keys": string(jwks(many...)),
		"a shared secret": `{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"p256"}]}`,
	} {
		p.publishes(answer, "")
		p.clock.advance(time.Minute)
		before := p.looks.Load()
		err := p.try(key)
		if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClient || p.looks.Load() != before+1 {
			t.Errorf("%s: %v", name, err)
		} else if _, unknown := present(t, p.r, key.sign(map[string]any{"sub": "nobody"})); oauth.As(unknown).Description != e.Description {
			t.Errorf("%s: the caller is told %q, and of a client that is not there %q", name, e.Description, oauth.As(unknown).Description)
		}
	}
	p.publishes(string(jwks(key)), "")
	p.clock.advance(time.Minute)
	if err := p.try(key); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
}

func TestACallerWhoGivesUpLeavesTheLookToTheOthers(t *testing.T) {
	t.Parallel()
	key := signers()["ES256"]
	p := publish(t, "")
	arrived, release := make(chan struct{}), make(chan struct{})
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(jwks(key))
	})
	impatient, giveUp := context.WithCancel(t.Context())
	call := func(ctx context.Context, jti string) error {
		_, err := p.r.Authenticate(ctx, nil, form(t, "client_assertion", key.sign(good(p.clock.Now(), jti)), "client_assertion_type", jwtBearer))
		return err
	}
	var group sync.WaitGroup
	group.Go(func() { _ = call(impatient, "first") })
	<-arrived
	group.Go(func() {
		if err := call(t.Context(), "second"); err != nil {
			t.Errorf("who waited for another's look: %v", err)
		}
	})
	giveUp()
	if e := oauth.As(call(impatient, "third")); e == nil || e.Code != oauth.TemporarilyUnavailable {
		t.Errorf("who gave up: %v", e)
	}
	close(release)
	group.Wait()
	if n := p.looks.Load(); n != 1 {
		t.Errorf("%d looks", n)
	}
}

func TestTheAddressOfKeysLeadsNowhereInside(t *testing.T) {
	t.Parallel()
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trap.Close() })
	var reached atomic.Int64
	go func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = conn.Close()
		}
	}()
	_, store, clock := open(t)
	r := client.New(store, client.Config{Issuer: issuer, Clock: clock.Now, Outbound: outbound.New(outbound.Config{})})
	port := fmt.Sprint(trap.Addr().(*net.TCPAddr).Port)
	for i, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "10.0.0.1", "169.254.169.254"} {
		for _, scheme := range []string{"http", "https"} {
			m := storage.ClientMetadata{
				GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKSURI: scheme + "://" + host + ":" + port + "/",
			}
			id := fmt.Sprint(scheme, i)
			if _, _, err := r.Create(t.Context(), m, id, "cli"); err != nil {
				continue // the registration refused it
			}
			claims := good(clock.Now(), "x")
			claims["iss"], claims["sub"] = id, id
			if _, err := present(t, r, signers()["ES256"].sign(claims)); oauth.As(err) == nil || !strings.Contains(err.Error(), "refused") {
				t.Errorf("%s: %v", m.JWKSURI, err)
			}
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestAClientSaysItsKeysOrWhereTheyAre(t *testing.T) {
	t.Parallel()
	byAddress := func(address string) storage.ClientMetadata {
		return storage.ClientMetadata{GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: oauth.AuthPrivateKeyJWT, JWKSURI: address}
	}
	m := byAddress("https://a.example/jwks")
	m.TokenEndpointAuthAlg = "ES256"
	if got, err := client.Validate(m, client.Config{}); err != nil || got.JWKSURI != m.JWKSURI {
		t.Errorf("%+v, %v", got, err)
	}
	for says, m := range map[string]storage.ClientMetadata{
		"jwks_uri must use https: http is for":          byAddress("http://a.example/jwks"),
		"jwks_uri must use https, or http at":           byAddress("ftp://a.example/jwks"),
		"jwks_uri must not have a fragment":             byAddress("https://a.example/jwks#1"),
		"jwks_uri must not have a user":                 byAddress("https://ada@a.example/jwks"),
		"jwks_uri must have a valid host":               byAddress("https://127.1/jwks"),
		"jwks_uri must be an absolute URI":              byAddress("/jwks"),
		"jwks must hold the client's public keys where": byAddress(""),
		"jwks_uri must not be there beside jwks (RFC 7591": func() storage.ClientMetadata {
			m := byAddress("https://a.example/jwks")
			m.JWKS = jwks(signers()["ES256"])
			return m
		}(),
	} {
		_, err := client.Validate(m, client.Config{})
		if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClientMetadata || !strings.HasPrefix(e.Description, says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
