package web_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// keysSite is two nodes on one store, and who verifies their tokens.
type keysSite struct {
	*world
	nodes     [2]*world
	verifiers []*verifier
}

// verifier is a resource server that keeps the key set for as long as it is told, and not a second less: it meets a kid that it
// does not know as often as one can.
type verifier struct {
	s     *keysSite
	node  *world
	until time.Time
	set   jose.JSONWebKeySet
}

// fetch reads the key set of one node and returns how long it may be kept.
func (s *keysSite) fetch(node *world) (set jose.JSONWebKeySet, maxAge time.Duration) {
	s.Helper()
	a := node.send(http.MethodGet, "/.well-known/jwks.json", nil, "")
	s.want(a, http.StatusOK, "")
	s.must(json.Unmarshal([]byte(a.raw), &set))
	for directive := range strings.SplitSeq(a.header.Get("Cache-Control"), ", ") {
		if text, ok := strings.CutPrefix(directive, "max-age="); ok {
			seconds, err := strconv.Atoi(text)
			s.must(err)
			return set, time.Duration(seconds) * time.Second
		}
	}
	s.Fatalf("the key set does not say how long it may be kept: %v", a.header)
	return set, 0
}

func (v *verifier) verify(token string) error {
	if now := v.s.clock.Now(); !now.Before(v.until) {
		set, maxAge := v.s.fetch(v.node)
		v.set, v.until = set, now.Add(maxAge)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	kid := signed.Signatures[0].Protected.KeyID
	found := v.set.Key(kid)
	if len(found) != 1 {
		return fmt.Errorf("the kid %s is not in the key set that it keeps until %v", kid, v.until)
	}
	_, err = signed.Verify(found[0])
	return err
}

// lived is a token that was handed out and lives on.
type lived struct {
	token string
	ends  time.Time
}

// quickLife is a life in which everything happens as often as it safely may: a key set is kept for 300 s, and the access tokens
// of the test live for 300 s.
var quickLife = keys.Life{
	Rotation: keys.Never, HandleRotation: keys.Never, Publication: 400 * time.Second, Retention: 500 * time.Second,
}

// TestKeysRotateUnderLoadAndNobodyNotices: keys of signing and of handles rotate as fast as they may, on two nodes that read them
// late or not at all, while people refresh and resource servers verify. No verification fails, no kid stands in a token that a
// node does not publish, no refresh token dies, and no live access token is called inactive.
func TestKeysRotateUnderLoadAndNobodyNotices(t *testing.T) {
	each(t, func(first *world) {
		life := func(c *provider.Config) { c.KeyLife = quickLife }
		s := &keysSite{world: first}
		for i := range s.nodes {
			s.nodes[i] = newWorld(t, first.engine, first.store, first.clock, life)
		}
		for i := range 6 {
			s.verifiers = append(s.verifiers, &verifier{s: s, node: s.nodes[i%2]})
		}
		es256 := func(m *storage.ClientMetadata) {
			m.IDTokenSignedAlg, m.AccessTokenSignedAlg, m.IDTokenOnRefresh, m.AccessTokenLifetime = "ES256", "ES256", true, 300
		}
		var callers []*caller
		for i, format := range []func(*storage.ClientMetadata){es256, balanced, opaque} {
			c := s.confidential(es256, format)
			u := s.user(fmt.Sprint("ada", i))
			callers = append(callers, &caller{s: s, c: c, refresh: s.login(c, u.Username).refresh()})
		}
		const ticks = 120 // of 25 seconds: 50 minutes
		for tick := range ticks {
			s.clock.Advance(25 * time.Second)
			cutOff := tick >= 40 && tick < 64 // the second node, for ten minutes
			for i, node := range s.nodes {
				if i == 1 && cutOff || rand.N(3) == 0 {
					continue
				}
				s.must(node.provider.Keys().Tend(t.Context()))
			}
			for _, line := range []string{keys.ES256, keys.Handles} {
				s.must(s.nodes[0].provider.Keys().Rotate(t.Context(), line, false, "test"))
			}
			answers := together(len(callers), func(i int) answer {
				return s.nodes[rand.N(2)].refreshWith(callers[i].c, callers[i].refresh)
			})
			for i, c := range callers {
				c.take(answers[i])
				s.judge(tick, c)
			}
		}
		s.rotated(6)
	})
}

// rotated demands that keys of both kinds were removed at least so often: else the test has shown nothing.
func (s *keysSite) rotated(times int) {
	s.Helper()
	rows, err := s.nodes[0].provider.Keys().List(s.Context())
	s.must(err)
	gone, handles := 0, 0
	for _, k := range rows {
		if k.State == storage.KeyRemoved && k.Use == storage.KeySigning {
			gone++
		}
		if k.Use == storage.KeyHandle {
			handles++
		}
	}
	if gone < times-1 || handles < times {
		s.Errorf("%d signing keys were removed and there were %d handle keys: too few to have shown anything", gone, handles)
	}
}

// judge lets every resource server look at everything of the caller's that lives.
func (s *keysSite) judge(tick int, c *caller) {
	s.Helper()
	now := s.clock.Now()
	var alive []lived
	const newest = 2
	for n, l := range slices.Backward(c.jwts) {
		n = len(c.jwts) - n
		if !now.Before(l.ends) {
			continue
		}
		alive = append(alive, l)
		for i, v := range s.verifiers {
			if n > newest && (tick+n+i)%len(s.verifiers) != 0 {
				continue // every verifier sees the new tokens; the older ones go round
			}
			if err := v.verify(l.token); err != nil {
				s.Fatalf("at tick %d verifier %d: %v", tick, i, err)
			}
		}
	}
	slices.Reverse(alive)
	c.jwts = alive
	if tick%5 != 0 {
		return
	}
	for i, l := range c.access {
		if now.Before(l.ends) && !s.nodes[(tick+i)%2].active(c.c, l.token) {
			s.Fatalf("at tick %d: an access token that lives until %v is inactive", tick, l.ends)
		}
	}
}

// caller is one person's client, which refreshes at one node or the other.
type caller struct {
	s       *keysSite
	c       app
	refresh string
	jwts    []lived // the tokens that resource servers verify by themselves
	access  []lived // the newest access tokens
}

// take keeps what a refresh brought. Both nodes must publish the key that signed it, at this moment.
func (c *caller) take(a answer) {
	c.s.Helper()
	c.s.want(a, http.StatusOK, "")
	c.refresh = a.refresh()
	ends := c.s.clock.Now().Add(300 * time.Second)
	for _, token := range []string{a.access(), a.text("id_token")} {
		if strings.Count(token, ".") != 2 {
			continue
		}
		c.jwts = append(c.jwts, lived{token, ends})
		signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		c.s.must(err)
		for i, node := range c.s.nodes {
			if set, _ := c.s.fetch(node); len(set.Key(signed.Signatures[0].Protected.KeyID)) != 1 {
				c.s.Fatalf("node %d does not publish the key that signed a token", i)
			}
		}
	}
	c.access = append(c.access, lived{a.access(), ends})
	c.access = c.access[max(0, len(c.access)-30):]
}

// TestARevokedKeysTokensAreInactiveAtOnce: at introspection and userinfo, on both nodes as soon as they have read the keys.
func TestARevokedKeysTokensAreInactiveAtOnce(t *testing.T) {
	each(t, func(w *world) {
		other := newWorld(t, w.engine, w.store, w.clock)
		c := w.confidential(balanced)
		w.user("ada")
		a := w.login(c, "ada")
		signed, err := jose.ParseSignedCompact(a.access(), []jose.SignatureAlgorithm{jose.ES256})
		w.must(err)
		w.must(other.provider.Keys().Revoke(t.Context(), signed.Signatures[0].Protected.KeyID, "test"))
		w.clock.Advance(10 * time.Second)
		w.must(w.provider.Keys().Tend(t.Context()))
		for _, node := range []*world{w, other} {
			if node.active(c, a.access()) {
				t.Error("a token of the revoked key is active")
			}
			bearer := http.Header{"Authorization": {"Bearer " + a.access()}}
			node.want(node.send(http.MethodGet, "/userinfo", bearer, ""), http.StatusUnauthorized, "invalid_token")
			again := node.refreshWith(c, a.refresh())
			node.want(again, http.StatusOK, "")
			if !node.active(c, again.access()) {
				t.Error("the key that took its place signs nothing good")
			}
		}
	})
}
