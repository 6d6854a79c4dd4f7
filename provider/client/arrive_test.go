package client_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestTwoWhoComeAtOnceMakeOneLookAndOneRow(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.publishes(nil, "")
	var group sync.WaitGroup
	barrier := make(chan struct{})
	for range 64 {
		group.Go(func() {
			<-barrier
			if c, _, err := s.r.Arrive(s.Context(), s.url+"/c", home); err != nil || c.ID != s.url+"/c" {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
	close(barrier)
	group.Wait()
	if n, e := s.looks.Load(), s.events("client.registered"); n != 1 || len(e) != 1 {
		t.Errorf("%d looks and %d registrations, want one each", n, len(e))
	}
}

func TestAThousandAddressesFromOneNetworkAreReadTwentyTimes(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.publishes(nil, "")
	var read, slowed int
	for i := range 1000 {
		_, _, err := s.r.Arrive(t.Context(), s.url+"/c?n="+string(rune('a'+i%26))+strings.Repeat("x", i/26), home)
		switch e := oauth.As(err); {
		case err == nil:
			read++
		case e != nil && e.Code == oauth.SlowDown && e.RetryAfter > 0:
			slowed++
		default:
			t.Fatal(err)
		}
	}
	if read != 20 || slowed != 980 || s.looks.Load() != 20 {
		t.Errorf("%d read, %d slowed, %d looks; want 20, 980, 20", read, slowed, s.looks.Load())
	}
	// Who is known comes all the same, also when the document should be read again.
	s.clock.advance(5 * time.Minute)
	for range 150 { // what came back meanwhile is used up
		_, _, _ = s.r.Arrive(t.Context(), s.url+"/d"+strings.Repeat("x", int(s.looks.Load())), home)
	}
	looks := s.looks.Load()
	if _, _, err := s.r.Arrive(t.Context(), s.url+"/c?n=a", home); err != nil {
		t.Errorf("a client that was read before: %v", err)
	}
	if n := s.looks.Load(); n != looks {
		t.Errorf("%d looks beyond the limit", n-looks)
	}
	// Another network has its own.
	if _, _, err := s.r.Arrive(t.Context(), s.url+"/other", storage.Seen{Address: "198.51.100.1"}); err != nil {
		t.Errorf("another network: %v", err)
	}
}

func TestADisabledClientStaysDisabledAndIsNotLookedAt(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.publishes(nil, "")
	c, err := s.comes("/c", 1)
	s.must(err)
	_, err = s.r.Disable(t.Context(), c.ID, "cli")
	s.must(err)
	s.publishes(map[string]any{"client_name": "Other"}, "")
	s.clock.advance(48 * time.Hour)
	c, err = s.comes("/c", 1)
	if err != nil || c.DisabledAt.IsZero() || c.Metadata.Name != "Agent" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestARowThatWentIsMadeAgainFromWhatWasRead(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	s.publishes(nil, "")
	c, err := s.comes("/c", 1)
	s.must(err)
	s.must(s.store.DeleteClient(t.Context(), c.ID, storage.Also{}))
	c, err = s.comes("/c", 1)
	if err != nil || c.Origin != storage.OriginDocument {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestACallerWhoGivesUpEndsNobodysLook(t *testing.T) {
	t.Parallel()
	s := openSite(t, on)
	held, release := make(chan struct{}), make(chan struct{})
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		close(held)
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, s.document(s.url+r.URL.RequestURI(), nil))
	})
	var group sync.WaitGroup
	first, giveUp := context.WithCancel(t.Context())
	group.Go(func() { _, _, _ = s.r.Arrive(first, s.url+"/c", home) })
	<-held
	group.Go(func() {
		if _, _, err := s.r.Arrive(t.Context(), s.url+"/c", home); err != nil {
			t.Error(err)
		}
	})
	giveUp()
	close(release)
	group.Wait()
	if n := s.looks.Load(); n != 1 {
		t.Errorf("%d looks", n)
	}
}

func TestWhatIsNotAllowedIsNeitherLookedAtNorWritten(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]client.DocumentPolicy{
		"off": {}, "denied": {On: true, Deny: []string{"127.0.0.1"}}, "not allowed": {On: true, Allow: []string{"*.example.com"}},
		"denied and allowed": {On: true, Allow: []string{"127.0.0.1"}, Deny: []string{"127.0.0.1"}},
	} {
		s := openSite(t, p)
		s.publishes(nil, "")
		for range 3 {
			_, err := s.comes("/c", 0)
			s.isUnknown(err)
		}
		all, err := s.r.List(t.Context(), "", 10)
		if err != nil || len(all) != 0 || len(s.events("client.registered")) != 0 {
			t.Errorf("%s: %d clients, %v", name, len(all), err)
		}
	}
	s := openSite(t, client.DocumentPolicy{On: true, Allow: []string{"127.0.0.1"}})
	s.publishes(nil, "")
	_, err := s.comes("/c", 1)
	s.must(err)
}
