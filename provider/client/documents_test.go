package client_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

var on = client.DocumentPolicy{On: true}

func TestAClientThatIsItsAddressComesByItsDocument(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.publishes(map[string]any{
		"first_party": true, "scope": "openid email admin:all", "grant_types": []string{"authorization_code", "implicit", "refresh_token"},
		"response_types": []string{"code", "token"}, "logo_uri": "https://elsewhere.example/logo.png", "client_uri": s.url + "/about", "unknown": 1,
		"refresh_rotation": "static", "require_pkce": false,
	}, "")
	if n := s.looks.Load(); n != 0 {
		t.Fatalf("%d looks before anybody came", n)
	}
	c, err := s.comes("/client.json", 1)
	s.must(err)
	m := c.Metadata
	if c.ID != s.url+"/client.json" || c.Origin != storage.OriginDocument || m.FirstParty || m.Scope != "openid email" || m.Name != "Agent" ||
		!slices.Equal(m.GrantTypes, []string{"authorization_code", "refresh_token"}) || m.LogoURI != "" || m.ClientURI != s.url+"/about" ||
		m.RefreshRotation != "" || m.RequirePKCE != nil || len(c.Secrets) != 0 {
		t.Errorf("it is %+v", c)
	}
	if e := s.events("client.registered"); len(e) != 1 || e[0].ClientID != c.ID || e[0].Detail["origin"] != "document" || e[0].Seen != home {
		t.Errorf("the log says %+v", e)
	}
	// Whoever is behind the front door reads the row, which authenticates like any public client.
	p, err := oauth.ParseParams("client_id=" + c.ID)
	s.must(err)
	if caller, err := s.r.Authenticate(t.Context(), nil, p); err != nil || caller.Client.ID != c.ID || s.looks.Load() != 1 {
		t.Errorf("%+v, %v, %d looks", caller, err, s.looks.Load())
	}
}

func TestADocumentIsReadAgainWhenItIsOldAndNotBefore(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	for _, c := range []struct {
		control string
		age     time.Duration
	}{
		{"", 5 * time.Minute},
		{"no-store", 5 * time.Minute},
		{"max-age=60", 5 * time.Minute},
		{"max-age=3600", time.Hour},
		{"max-age=31536000", 24 * time.Hour},
	} {
		s.publishes(nil, c.control)
		s.looks.Store(0)
		path := "/" + strings.ReplaceAll(c.control, "=", "-") + "x"
		_, err := s.comes(path, 1)
		s.must(err)
		s.clock.advance(c.age - time.Second)
		_, err = s.comes(path, 1)
		s.must(err)
		s.clock.advance(time.Second)
		_, err = s.comes(path, 2)
		s.must(err)
	}
	if e := s.events("client.document_changed"); len(e) != 0 {
		t.Errorf("what did not change is said to have: %+v", e)
	}
}

func TestWhatADocumentComesToSayHoldsFromTheNextLookOn(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.publishes(nil, "")
	before, err := s.comes("/c", 1)
	s.must(err)
	s.publishes(map[string]any{"redirect_uris": []string{s.url + "/new"}, "client_name": "Agent Two"}, "")
	c, err := s.comes("/c", 1)
	s.must(err)
	if c.Revision != before.Revision {
		t.Error("it changed before there was a look")
	}
	s.clock.advance(5 * time.Minute)
	c, err = s.comes("/c", 2)
	s.must(err)
	if !slices.Equal(c.Metadata.RedirectURIs, []string{s.url + "/new"}) || c.Metadata.Name != "Agent Two" || c.Revision != before.Revision+1 ||
		c.Origin != storage.OriginDocument || !c.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("it is %+v", c)
	}
	if e := s.events("client.document_changed"); len(e) != 1 || e[0].Detail["changed"] != "client_name redirect_uris" || e[0].Actor != "server" {
		t.Errorf("the log says %+v", e)
	}
}

func TestADocumentThatCannotBeReadLivesOnForADay(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(s *site){
		"an error":   func(s *site) { s.fails(http.StatusInternalServerError) },
		"a redirect": func(s *site) { s.fails(http.StatusFound) },
		"another's":  func(s *site) { s.publishes(map[string]any{"client_id": "https://else.example/c"}, "") },
		"a page": func(s *site) {
			s.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
		},
		"a wrong one":     func(s *site) { s.publishes(map[string]any{"redirect_uris": []string{"https://else.example/cb"}}, "") },
		"a broken answer": func(s *site) { s.answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSite(t, on)
			s.publishes(nil, "")
			_, err := s.comes("/c", 1)
			s.must(err)
			fails(s)
			s.clock.advance(5 * time.Minute)
			for look := range int64(3) { // one a minute
				for range 2 {
					_, err = s.comes("/c", 2+look)
					s.must(err)
				}
				s.clock.advance(time.Minute)
			}
			s.clock.advance(24*time.Hour - 3*time.Minute - time.Second)
			_, err = s.comes("/c", 5)
			s.must(err)
			s.clock.advance(time.Second)
			_, err = s.comes("/c", 5)
			s.isUnknown(err)
			s.publishes(nil, "")
			s.clock.advance(time.Minute)
			_, err = s.comes("/c", 6)
			s.must(err)
		})
	}
}

func TestADocumentThatIsGoneEndsWhatBeginsAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		s := openSite(t, on)
		s.publishes(nil, "")
		before, err := s.comes("/c", 1)
		s.must(err)
		s.fails(status)
		s.clock.advance(5 * time.Minute)
		_, err = s.comes("/c", 2)
		s.isUnknown(err)
		_, err = s.comes("/c", 2)
		s.isUnknown(err)
		after, err := s.r.Find(t.Context(), before.ID)
		if err != nil || !after.DisabledAt.IsZero() || after.Revision != before.Revision {
			t.Errorf("the row is %+v, %v: what was granted could not go on", after, err)
		}
		s.fails(http.StatusBadGateway) // gone is gone until there is one again
		s.clock.advance(time.Minute)
		_, err = s.comes("/c", 3)
		s.isUnknown(err)
		s.publishes(nil, "")
		s.clock.advance(time.Minute)
		_, err = s.comes("/c", 4)
		s.must(err)
	}
}

func TestWhatIsNotThereIsLookedForOnceAMinuteAndLeavesNothing(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.fails(http.StatusNotFound)
	for range 3 {
		_, err := s.comes("/nobody", 1)
		s.isUnknown(err)
	}
	s.clock.advance(time.Minute)
	_, err := s.comes("/nobody", 2)
	s.isUnknown(err)
	s.clock.advance(time.Minute)
	s.publishes(nil, "")
	_, err = s.comes("/nobody", 3)
	s.must(err)
	all, err := s.r.List(t.Context(), "", 10)
	if err != nil || len(all) != 1 {
		t.Errorf("%d clients, %v", len(all), err)
	}
}
