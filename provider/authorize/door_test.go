package authorize

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// readOnly is a store without what writes: calling that would panic.
type readOnly struct {
	Store
	reads Store
}

func (s readOnly) FindConsent(ctx context.Context, user storage.ID, clientID string) (storage.Consent, error) {
	return s.reads.FindConsent(ctx, user, clientID)
}

func (s readOnly) FindPushed(ctx context.Context, request storage.Digest) (storage.PushedRequest, time.Time, error) {
	return s.reads.FindPushed(ctx, request)
}

func (s readOnly) FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error) {
	return s.reads.FindResources(ctx, identifiers)
}

func TestAVisitWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	w.user(t, "ada")
	uri := w.pushed(t, query("app"))
	signedIn := w.browser()
	signedIn.signIn(t, "ada")
	w.Door.Store = readOnly{reads: w.store}
	for _, q := range []url.Values{
		query("app"), query("app", "prompt", "none"), query("app", "request_uri", uri), query("app", "scope", "admin"), query("nobody"),
		query("app", "redirect_uri", "https://evil.example"), query("app", "prompt", "consent", "resource", "https://api.example"),
	} {
		for _, p := range []*person{w.browser(), signedIn} {
			passage, err := p.begin(t, q)
			if err != nil {
				continue
			}
			p.resume(t, passage.Step, passage)
			if passage.Account == nil {
				_, err = w.Deny(t.Context(), p.visit(t), passage)
				must(t, err)
			}
		}
	}
	v := w.browser().visit(t)
	_, err := w.BeginDevice(t.Context(), v, "")
	must(t, err)
}

func TestWhatIsRefusedIsCountedAndKeptForItsOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	kept := func(err error) storage.RefusedRequest {
		var r *client.Refused
		errors.As(err, &r)
		if r == nil {
			return storage.RefusedRequest{}
		}
		return r.About
	}
	_, err := w.browser().begin(t, query("app", "redirect_uri", "https://evil.example/é"))
	about := kept(err)
	check(t, about.Endpoint == "authorize" && about.ClientID == "app" && about.Code == "invalid_request" &&
		about.Detail["received"] == "https://evil.example/é" && about.Detail["registered"] == "https://app.example/cb?keep=1" &&
		about.Detail["at"] == "8" && about.Detail["part"] == "host" && about.Seen.Address != "", "kept %+v", about)
	_, err = w.browser().begin(t, query("app", "scope", "admin"))
	about = kept(err)
	check(t, about.Code == "invalid_scope" && about.Description != "", "kept %+v", about)
	for _, ordinary := range []url.Values{query("app", "prompt", "none"), query("app", "client_id", "")} {
		_, err = w.browser().begin(t, ordinary)
		check(t, err != nil && reflect.ValueOf(kept(err)).IsZero(), "kept %+v", kept(err))
	}
	must(t, w.store.Close())
	_, err = w.Begin(t.Context(), w.browser().visit(t), params(t, query("app")))
	check(t, errors.Is(err, storage.ErrUnavailable) && reflect.ValueOf(kept(err)).IsZero(), "an outage: %v", err)
	want := []string{
		"authorize invalid_request", "authorize invalid_scope", "authorize login_required", "authorize invalid_request",
		"authorize temporarily_unavailable",
	}
	check(t, slices.Equal(w.heard.words, want), "heard %q", w.heard.words)
	check(t, Malformed(oauth.Errorf(oauth.InvalidRequest, "said twice")).Description == "said twice", "what could not be read is not said")
}
