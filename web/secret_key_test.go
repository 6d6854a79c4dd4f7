package web_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// mortal is a store that lets so many re-sealed values be written and then is gone, as if the process had been killed.
type mortal struct {
	storage.Store
	left int
}

func (m *mortal) die() error {
	if m.left == 0 {
		return fmt.Errorf("%w: killed", storage.ErrUnavailable)
	}
	m.left--
	return nil
}

func (m *mortal) ResealKey(ctx context.Context, id string, old, sealed []byte) error {
	if err := m.die(); err != nil {
		return err
	}
	return m.Store.ResealKey(ctx, id, old, sealed)
}

func (m *mortal) ResealSeed(ctx context.Context, id storage.ID, old, sealed []byte) error {
	if err := m.die(); err != nil {
		return err
	}
	return m.Store.ResealSeed(ctx, id, old, sealed)
}

func (m *mortal) UpdateClient(ctx context.Context, c storage.Client, also storage.Also) error {
	if err := m.die(); err != nil {
		return err
	}
	return m.Store.UpdateClient(ctx, c, also)
}

// TestTheSecretKeyRotatesHoweverOftenTheServerDies: it dies after each single value; whoever has both keys reads everything at every
// moment, and at the end the new one alone does.
func TestTheSecretKeyRotatesHoweverOftenTheServerDies(t *testing.T) {
	each(t, func(w *world) {
		c, signs := w.confidential(), w.confidential(bySecret)
		seeds := map[string]string{}
		for i := range 4 {
			u := w.user(fmt.Sprint("ada", i))
			seeds[u.Username], _ = w.enrol(u)
		}
		newest := keys.GenerateSecretKey()
		open := func(store storage.Store, text string) *provider.Provider {
			t.Helper()
			sealer, err := keys.ParseSecretKeys(text)
			w.must(err)
			p, err := provider.New(t.Context(), provider.Config{Issuer: issuerURL, PasswordHash: cheapHash, Clock: w.clock.Now}, store, sealer)
			w.must(err)
			return p
		}
		both := newest + "," + madeKeys.text
		const values = 7 + 4 + 1 // keys, seeds, a client's secret
		for written := range values {
			p := open(&mortal{w.store, 1}, both)
			s, err := p.Reseal(t.Context())
			if last := written == values-1; s.Done != 1 || (err == nil) != last {
				t.Fatalf("after %d values: %+v, %v", written, s, err)
			}
			left, err := p.StillOlder(t.Context())
			w.must(err)
			if left != values-1-written {
				t.Errorf("%d are left, want %d", left, values-1-written)
			}
			w.readable(open(w.store, both), seeds, signs)
		}
		p := open(w.store, newest)
		w.readable(p, seeds, signs)
		if string(p.Keys().JWKS()) != string(w.provider.Keys().JWKS()) {
			t.Error("the published keys are others")
		}
		// The server that was started with the old secret key has its keys open; what is signed and refreshed there goes on.
		a := w.token(c, "grant_type", "client_credentials")
		w.want(a, http.StatusOK, "")
	})
}

// readable demands that a code of every authenticator is recognised, and what a client signed with its secret.
func (w *world) readable(p *provider.Provider, seeds map[string]string, signs app) {
	w.Helper()
	w.clock.Advance(30 * time.Second)
	for name, seed := range seeds {
		found, err := p.People().Find(w.Context(), name)
		w.must(err)
		if _, _, err := p.People().MatchFactor(found, w.code(seed)); err != nil {
			w.Errorf("the seed of %s cannot be read: %v", name, err)
		}
	}
	assertion := signWithSecret(signs, w.claims(signs, fmt.Sprint("at ", w.clock.Now()), nil))
	asked, err := oauth.ParseParams(form("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion).Encode())
	w.must(err)
	if _, err := p.Clients().Authenticate(w.Context(), nil, asked); err != nil {
		w.Errorf("the secret of a client cannot be read: %v", err)
	}
}
