package bearer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/provider/bearer"
)

func TestKeysAreKeptAsLongAsToldAndAnUnknownOneIsAskedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := newSigner(t, "first"), newSigner(t, "second")
	w.publish(first)
	v := w.verifier()
	accepted := func(s signer, fetches int) {
		t.Helper()
		if _, err := v.Verify(t.Context(), s.sign(t, w.claims())); err != nil {
			t.Fatalf("%s: %v", s.kid, err)
		}
		if n := w.count(jwksPath); n != fetches {
			t.Fatalf("%s: the key set was fetched %d times, want %d", s.kid, n, fetches)
		}
	}
	accepted(first, 1)
	w.advance(299 * time.Second)
	accepted(first, 1)
	w.publish(second)
	accepted(second, 2)
	accepted(first, 2)
	w.advance(299 * time.Second)
	accepted(second, 2)
	w.advance(time.Second)
	accepted(second, 3)

	// What is no longer published is refused as soon as the key set is not fresh any more.
	w.change(func(f *front) { f.keys = []jose.JSONWebKey{first.public()} })
	w.advance(300 * time.Second)
	token := second.sign(t, w.claims())
	_, err := v.Verify(t.Context(), token)
	wantCode(t, err, bearer.InvalidToken, token)
}

func TestAFloodOfUnknownKeysDoesNotReachTheIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known, stranger := newSigner(t, "known"), newSigner(t, "")
	w.publish(known)
	v := w.verifier()
	flood := func() {
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				forged := sign(t, jose.ES256, stranger.private, fmt.Sprint("kid ", i), w.claims())
				if _, err := v.Verify(t.Context(), forged); err == nil {
					t.Error("a token of an unknown key is accepted")
				}
				if _, err := v.Verify(t.Context(), known.sign(t, w.claims())); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	// Nothing was there at first: one fetch serves all, and for 10 seconds nobody asks for another.
	flood()
	if n := w.count(jwksPath); n != 1 {
		t.Errorf("the first flood fetched the key set %d times, want once", n)
	}
	for round := 2; round < 5; round++ {
		w.advance(10 * time.Second)
		flood()
		if n := w.count(jwksPath); n != round {
			t.Errorf("after %d floods the key set was fetched %d times", round, n)
		}
	}
}

func TestKeysServeOnWhileTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		path   string
		status int
		body   string
	}{
		"down":                     {"", http.StatusServiceUnavailable, ""},
		"key set that is no JSON":  {jwksPath, http.StatusOK, "<html>"},
		"key set of another shape": {jwksPath, http.StatusOK, `{"keys":{}}`},
		"key set without keys":     {jwksPath, http.StatusOK, `{}`},
		"key set without end":      {jwksPath, http.StatusOK, `{"keys":[]` + strings.Repeat(" ", 64<<10) + "}"},
		"metadata that is no JSON": {metadataPath, http.StatusOK, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			known, later := newSigner(t, "known"), newSigner(t, "later")
			w.publish(known)
			v := w.verifier()
			verify := func(s signer) error {
				_, err := v.Verify(t.Context(), s.sign(t, w.claims()))
				return err
			}
			w.must(verify(known))
			w.answerWith(fault.path, fault.status, fault.body)
			for range 5 {
				w.advance(5 * time.Minute)
				w.must(verify(known))
				// Whether the unknown key is the issuer's nobody can say: its client must keep the token.
				wantCode(t, verify(later), bearer.TemporarilyUnavailable, "")
			}
			w.answerWith("", 0, "")
			w.publish(later)
			w.advance(10 * time.Second)
			w.must(verify(later))

			w.answerWith(fault.path, fault.status, fault.body)
			w.advance(24 * time.Hour)
			wantCode(t, verify(known), bearer.TemporarilyUnavailable, "")
			if strings.Contains(w.log.String(), "eyJ") {
				t.Error("a token is in the log")
			}
		})
	}
}

const metadataPath = "/.well-known/oauth-authorization-server"

func TestTheFirstAnswerWaitsForTheIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := newSigner(t, "known")
	w.publish(key)
	v := w.verifier()
	w.answerWith("", http.StatusBadGateway, "")
	token := key.sign(t, w.claims())
	_, err := v.Verify(t.Context(), token)
	wantCode(t, err, bearer.TemporarilyUnavailable, token)
	w.answerWith("", 0, "")
	_, err = v.Verify(t.Context(), token) // not yet asked again
	wantCode(t, err, bearer.TemporarilyUnavailable, token)
	w.advance(time.Second)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("a second after the issuer came back: %v", err)
	}
}

func TestMetadataMustBeTheIssuersOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := newSigner(t, "known")
	w.publish(key)
	token := key.sign(t, w.claims())
	metadata := func(members map[string]any) string {
		text, err := json.Marshal(members)
		w.must(err)
		return string(text)
	}
	for name, body := range map[string]string{
		"another issuer":         metadata(map[string]any{"issuer": "https://other.example", "jwks_uri": w.issuer + jwksPath}),
		"an issuer with a slash": metadata(map[string]any{"issuer": w.issuer + "/", "jwks_uri": w.issuer + jwksPath}),
		"no issuer":              metadata(map[string]any{"jwks_uri": w.issuer + jwksPath}),
		"no key set":             metadata(map[string]any{"issuer": w.issuer}),
		"a key set over http":    metadata(map[string]any{"issuer": w.issuer, "jwks_uri": "http://id.example.com/jwks"}),
		"a file":                 metadata(map[string]any{"issuer": w.issuer, "jwks_uri": "file:///etc/passwd"}),
	} {
		w.answerWith(metadataPath, http.StatusOK, body)
		_, err := w.verifier().Verify(t.Context(), token)
		t.Run(name, func(t *testing.T) { wantCode(t, err, bearer.TemporarilyUnavailable, token) })
	}
	w.answerWith("", 0, "")
	w.change(func(f *front) {
		f.fault = map[string]http.HandlerFunc{metadataPath: func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/.well-known/openid-configuration", http.StatusFound)
		}}
	})
	_, err := w.verifier().Verify(t.Context(), token)
	wantCode(t, err, bearer.TemporarilyUnavailable, token)
	if w.count("/.well-known/openid-configuration") != 0 {
		t.Error("a redirect was followed")
	}
	// The configured issuer is compared byte for byte, too.
	_, err = w.verifier(func(c *bearer.Config) { c.Issuer += "/" }).Verify(t.Context(), token)
	wantCode(t, err, bearer.TemporarilyUnavailable, token)
}

func TestWhoLeavesDoesNotTakeTheKeysOfOthersAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := newSigner(t, "known")
	w.publish(key)
	v := w.verifier()
	asked, release := make(chan struct{}), make(chan struct{})
	w.change(func(f *front) {
		next := f.next
		f.fault = map[string]http.HandlerFunc{metadataPath: func(rw http.ResponseWriter, r *http.Request) {
			close(asked)
			<-release
			next.ServeHTTP(rw, r)
		}}
	})
	token := key.sign(t, w.claims())
	ctx, leave := context.WithCancel(t.Context())
	left, stayed := make(chan error, 1), make(chan error, 1)
	go func() { _, err := v.Verify(ctx, token); left <- err }()
	select {
	case <-asked:
	case err := <-left:
		t.Fatalf("nobody was asked: %v", err)
	}
	go func() { _, err := v.Verify(t.Context(), token); stayed <- err }()
	leave()
	wantCode(t, <-left, bearer.TemporarilyUnavailable, token)
	close(release)
	if err := <-stayed; err != nil {
		t.Errorf("who stayed: %v", err)
	}
}
