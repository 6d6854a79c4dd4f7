package logout

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// back registers where a client wants to hear of logouts.
func back(uri string) func(*storage.ClientMetadata) {
	return func(m *storage.ClientMetadata) { m.BackchannelLogoutURI = uri }
}

// heard is a relying party that keeps the forms that it was sent and answers with the status of answer.
func heard(t *testing.T, answer func() int) (*httptest.Server, <-chan url.Values) {
	t.Helper()
	forms := make(chan url.Values, 100)
	return app(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.WriteHeader(answer())
		forms <- r.PostForm
	}), forms
}

func ok() int { return http.StatusOK }

// signOut signs a out, to whom something was granted at the clients.
func (w *world) signOut(t *testing.T, clients ...string) browser.Account {
	t.Helper()
	p := w.browser()
	a := p.signIn(t, "ada")
	for _, id := range clients {
		w.grant(t, id, a, false)
	}
	q, err := p.ask(t)
	must(t, err)
	p.confirm(t, q)
	return a
}

// round claims and delivers what is due, one after the other, and returns what became of each by client.
func (w *world) round(t *testing.T) map[string]error {
	t.Helper()
	became := map[string]error{}
	for _, letter := range w.claim(t) {
		if !Delivers(letter.Kind) {
			t.Errorf("a letter of kind %s", letter.Kind)
		}
		became[letter.Data["client_id"]] = w.Deliver(t.Context(), letter)
	}
	return became
}

// TestOneLetterForEachClientThatWantsToHear: and none for the others.
func TestOneLetterForEachClientThatWantsToHear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"blog", "shop", "gone", "unused"} {
		w.register(t, id, back("https://"+id+".example/out"))
	}
	w.register(t, "quiet", nil)
	w.signOut(t, "quiet")
	if became := w.round(t); len(became) != 1 || became[""] != nil {
		t.Fatalf("%v", became)
	}
	if left := w.claim(t); len(left) != 0 {
		t.Fatalf("letters of a session whose clients want none: %+v", left)
	}
	a := w.signOut(t, "blog", "shop", "gone", "quiet")
	must(t, w.clients.Delete(t.Context(), "gone", "cli"))
	if became := w.round(t); len(became) != 1 || became[""] != nil {
		t.Fatalf("%v", became)
	}
	letters := w.claim(t)
	if len(letters) != 2 {
		t.Fatalf("%d letters, want one for each of two clients: %+v", len(letters), letters)
	}
	for i, id := range []string{"blog", "shop"} {
		l := letters[i]
		if l.Kind != letterBackchannel || l.UserID != a.User.ID || l.Data["client_id"] != id || l.Data["session_id"] != a.Session.ID.String() || len(l.Data) != 2 {
			t.Errorf("%+v", l)
		}
	}
}

// TestALogoutTokenSaysWhoAndWhichSession: Back-Channel Logout §2.4 and §2.5.
func TestALogoutTokenSaysWhoAndWhichSession(t *testing.T) {
	t.Parallel()
	shop, forms := heard(t, ok)
	w := newWorld(t, shop)
	w.register(t, "shop", back(shop.URL+"/out"))
	seen := map[any]bool{}
	for range 2 {
		a := w.signOut(t, "shop")
		w.round(t)
		if became := w.round(t); len(became) != 1 || became["shop"] != nil {
			t.Fatalf("%v", became)
		}
		form := <-forms
		if len(form) != 1 || len(form["logout_token"]) != 1 {
			t.Fatalf("the form is %v", form)
		}
		header, claims := decode(t, form.Get("logout_token"))
		if header["typ"] != "logout+jwt" || header["kid"] == nil || header["alg"] == "none" {
			t.Errorf("header %v", header)
		}
		now := float64(w.time().Unix())
		events, _ := claims["events"].(map[string]any)
		member, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
		if claims["iss"] != issuerURL || claims["aud"] != "shop" || claims["sub"] != a.User.ID.String() || claims["sid"] != a.Session.ID.String() ||
			claims["iat"] != now || claims["exp"] != now+120 || len(events) != 1 || member == nil || len(member) != 0 || len(claims) != 8 {
			t.Errorf("claims %v", claims)
		}
		if seen[claims["jti"]] || claims["jti"] == "" {
			t.Errorf("jti %v came before", claims["jti"])
		}
		seen[claims["jti"]] = true
		if left := w.claim(t); len(left) != 0 {
			t.Errorf("left in the outbox: %+v", left)
		}
		w.pass(time.Minute)
	}
}

// TestAClientThatRefusesIsTriedAgainLessAndLessOften: until it takes the token; each try has one that is fresh.
func TestAClientThatRefusesIsTriedAgainLessAndLessOften(t *testing.T) {
	t.Parallel()
	statuses := []int{500, 400, 302, 404, 503, 204}
	shop, forms := heard(t, func() int {
		status := statuses[0]
		statuses = statuses[1:]
		return status
	})
	w := newWorld(t, shop)
	w.register(t, "shop", back(shop.URL+"/out"))
	w.signOut(t, "shop")
	w.round(t)
	wait := firstRetry
	for try := 1; ; try++ {
		became := w.round(t)
		_, claims := decode(t, (<-forms).Get("logout_token"))
		if claims["iat"] != float64(w.time().Unix()) {
			t.Errorf("try %d: iat %v is not now", try, claims["iat"])
		}
		if len(statuses) == 0 {
			if became["shop"] != nil {
				t.Errorf("try %d: %v", try, became)
			}
			break
		}
		if became["shop"] == nil {
			t.Fatalf("try %d counts as delivered", try)
		}
		if w.pass(wait - time.Millisecond); len(w.claim(t)) != 0 {
			t.Fatalf("try %d comes again before %v", try, wait)
		}
		w.pass(time.Millisecond)
		wait *= 2
	}
	w.pass(48 * time.Hour)
	if left := w.claim(t); len(left) != 0 {
		t.Errorf("left in the outbox: %+v", left)
	}
}

// TestAfterADayALetterIsDroppedForAnOperatorToSee: with who was not told and why, and without anything that the client sent.
func TestAfterADayALetterIsDroppedForAnOperatorToSee(t *testing.T) {
	t.Parallel()
	shop, _ := heard(t, func() int { return http.StatusTeapot })
	w := newWorld(t, shop)
	w.register(t, "shop", back(shop.URL+"/out"))
	w.register(t, "inside", back("https://10.0.0.1/out"))
	a := w.signOut(t, "shop", "inside")
	began := w.time()
	w.round(t)
	tries := 0
	for ; tries < 200; tries++ {
		became := w.round(t)
		if len(became) == 0 {
			break
		}
		if !errors.Is(became["inside"], outbound.ErrRefused) || became["shop"] == nil {
			t.Fatalf("try %d: %v", tries+1, became)
		}
		wait, _ := retryAfter(tries + 1)
		w.pass(wait)
	}
	if took := w.time().Sub(began); tries < 20 || tries > 60 || took < giveUp || took > giveUp+2*lastRetry {
		t.Errorf("%d tries in %v", tries, took)
	}
	w.pass(48 * time.Hour)
	if left := w.claim(t); len(left) != 0 {
		t.Errorf("left in the outbox: %+v", left)
	}
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "client.logout_undelivered", Limit: 10})
	if err != nil || len(events) != 2 {
		t.Fatalf("events %+v, %v", events, err)
	}
	why := map[string]string{"shop": "it answered with status 418", "inside": "its address may not be reached; SIGNET_OUTBOUND_ALLOW names what may be besides the public Internet"}
	for _, e := range events {
		if e.UserID != a.User.ID || e.Actor != "server" || e.Detail["session_id"] != a.Session.ID.String() || e.Detail["why"] != why[e.ClientID] || e.Detail["attempts"] == "" {
			t.Errorf("%+v", e)
		}
	}
}

// TestWhoWantsToHearNoMoreIsToldNothing: a client that went, was disabled or took its address back meanwhile.
func TestWhoWantsToHearNoMoreIsToldNothing(t *testing.T) {
	t.Parallel()
	shop, forms := heard(t, ok)
	w := newWorld(t, shop)
	for _, id := range []string{"gone", "off", "quiet"} {
		w.register(t, id, back(shop.URL+"/"+id))
	}
	w.signOut(t, "gone", "off", "quiet")
	w.round(t)
	must(t, w.clients.Delete(t.Context(), "gone", "cli"))
	_, err := w.clients.Disable(t.Context(), "off", "cli")
	must(t, err)
	c, err := w.clients.Find(t.Context(), "quiet")
	must(t, err)
	m := c.Metadata
	m.BackchannelLogoutURI = ""
	_, err = w.clients.Update(t.Context(), c, m, "cli")
	must(t, err)
	for id, err := range w.round(t) {
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if n, left := len(forms), w.claim(t); n != 0 || len(left) != 0 {
		t.Errorf("%d were told, letters left: %+v", n, left)
	}
}

// TestAClientThatHangsDelaysNobody: neither the person, who is signed out before anybody is told, nor the other clients.
func TestAClientThatHangsDelaysNobody(t *testing.T) {
	t.Parallel()
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := app(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	quick, forms := heard(t, ok)
	w := newWorld(t, slow, quick)
	w.register(t, "slow", back(slow.URL+"/out"))
	w.register(t, "quick", back(quick.URL+"/out"))
	w.signOut(t, "slow", "quick") // nobody was asked anything
	w.round(t)
	ctx, stop := context.WithCancel(t.Context())
	letters := w.claim(t) // in the order of their clients
	var under sync.WaitGroup
	under.Go(func() { _ = w.Deliver(ctx, letters[1]) })
	<-arrived
	if err := w.Deliver(ctx, letters[0]); err != nil || len(forms) != 1 {
		t.Errorf("while another one hangs: %v", err)
	}
	stop() // the server stops, and one hangs still
	under.Wait()
	close(release)
	w.pass(time.Second)
	left := w.claim(t)
	for _, l := range left {
		if l.Data["client_id"] != "slow" {
			t.Errorf("left in the outbox: %+v", l)
		}
	}
}

// TestALetterThatIsClaimedAgainIsFinishedByTheNewestClaimAlone: a worker that was slow spoils nothing.
func TestALetterThatIsClaimedAgainIsFinishedByTheNewestClaimAlone(t *testing.T) {
	t.Parallel()
	shop, forms := heard(t, ok)
	w := newWorld(t, shop)
	w.register(t, "shop", back(shop.URL+"/out"))
	w.signOut(t, "shop")
	old := w.claim(t)
	w.claim(t) // the lease of the first claim is over
	must(t, w.Deliver(t.Context(), old[0]))
	again := w.claim(t)
	if len(again) != 1 || again[0].Kind != storage.LetterSessionEnded {
		t.Fatalf("the older claim did something: %+v", again)
	}
	must(t, w.Deliver(t.Context(), again[0]))
	must(t, w.Deliver(t.Context(), again[0])) // once more: it is split already
	if became := w.round(t); len(became) != 1 || len(forms) != 1 {
		t.Errorf("%v, %d were told", became, len(forms))
	}
}

func TestRetriesGrowAndAddUpToADay(t *testing.T) {
	t.Parallel()
	var sum, before time.Duration
	for attempt := 1; ; attempt++ {
		wait, more := retryAfter(attempt)
		if wait < before || wait > lastRetry || wait < firstRetry {
			t.Fatalf("attempt %d waits %v after %v", attempt, wait, before)
		}
		if sum += wait; more != (sum <= giveUp) {
			t.Fatalf("attempt %d, after %v: goes on %v", attempt, sum, more)
		}
		if before = wait; !more {
			break
		}
	}
	if wait, more := retryAfter(1 << 30); more || wait != lastRetry {
		t.Errorf("much later: %v, %v", wait, more)
	}
	if _, more := retryAfter(0); !more {
		t.Error("a letter that nobody tried yet is given up")
	}
}

func TestOtherLettersAreSomebodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if Delivers("password_changed") || !Delivers(storage.LetterSessionEnded) || !Delivers("backchannel_logout") {
		t.Error("Delivers does not name the kinds that Deliver knows")
	}
	if err := w.Deliver(t.Context(), storage.Letter{Kind: "password_changed", Attempt: 1}); err == nil || !strings.Contains(err.Error(), "password_changed") {
		t.Errorf("%v", err)
	}
}
