package logout

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func (w *world) standing(t *testing.T, g storage.Grant) storage.Grant {
	t.Helper()
	s, err := w.store.FindGrant(t.Context(), g.ID)
	must(t, err)
	return s.Grant
}

// claim takes the letters to applications that are due. Those to people, of sign-ins at a new browser, are somebody else's.
func (w *world) claim(t *testing.T) (letters []storage.Letter) {
	t.Helper()
	all, err := w.store.ClaimLetters(t.Context(), 100, 0)
	must(t, err)
	for _, l := range all {
		if Delivers(l.Kind) {
			letters = append(letters, l)
			continue
		}
		must(t, w.store.FinishLetter(t.Context(), l.ID, l.Attempt))
	}
	return letters
}

// TestTheSessionOfTheHintEndsAndNoOther: with its grants, offline ones excepted; the others at the browser and elsewhere live on.
func TestTheSessionOfTheHintEndsAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	p, elsewhere := w.browser(), w.browser()
	ada := p.signIn(t, "ada")
	p.signIn(t, "bob")
	far := elsewhere.signIn(t, "ada")
	given, offline, other := w.grant(t, "shop", ada, false), w.grant(t, "shop", ada, true), w.grant(t, "shop", far, false)
	q, err := p.ask(t, "id_token_hint", w.idToken(t, given), "post_logout_redirect_uri", registered("shop"))
	must(t, err)
	e := p.end(t, p.visit(t), q)
	if e.Return != registered("shop") || len(e.Frames)+len(e.Origins) != 0 {
		t.Errorf("%+v", e)
	}
	if here, there := p.here(t), elsewhere.here(t); here != "bob" || there != "ada" {
		t.Errorf("signed in: %q here, %q elsewhere", here, there)
	}
	if g := w.standing(t, given); g.State != storage.Revoked || g.RevokedReason != storage.ReasonLogout {
		t.Errorf("its grant is %s (%s)", g.State, g.RevokedReason)
	}
	if a, b := w.standing(t, offline).State, w.standing(t, other).State; a != storage.Active || b != storage.Active {
		t.Errorf("the offline grant is %s, that of another session %s", a, b)
	}
	letters := w.claim(t)
	if len(letters) != 1 || letters[0].Kind != storage.LetterSessionEnded || letters[0].Data["session_id"] != ada.Session.ID.String() {
		t.Errorf("letters %+v", letters)
	}
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "session.ended", Limit: 10})
	if err != nil || len(events) != 1 || events[0].UserID != ada.User.ID || events[0].Actor != ada.User.ID.String() {
		t.Errorf("events %+v, %v", events, err)
	}
}

// TestLoggingOutTwiceIsLoggingOutOnce: the second time nothing is left to do, and the way goes on all the same.
func TestLoggingOutTwiceIsLoggingOutOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	p := w.browser()
	token := w.idToken(t, w.grant(t, "shop", p.signIn(t, "ada"), false))
	late := p.visit(t) // a second tab that read its page before
	for i := range 3 {
		q, err := p.ask(t, "id_token_hint", token, "post_logout_redirect_uri", registered("shop"), "state", "x")
		must(t, err)
		if e := p.end(t, p.visit(t), q); e.Return != registered("shop")+"&state=x" || q.Confirm || p.here(t) != "" {
			t.Errorf("time %d: %+v, asking %v, signed in %q", i+1, e, q.Confirm, p.here(t))
		}
	}
	q, err := w.Begin(t.Context(), late, params(t, "id_token_hint", token))
	must(t, err)
	if e := p.end(t, late, q); len(e.Frames) != 0 || p.here(t) != "" {
		t.Errorf("the second tab: %+v, signed in %q", e, p.here(t))
	}
	if letters := w.claim(t); len(letters) != 1 {
		t.Errorf("%d letters, want one", len(letters))
	}
}

// TestWithoutAHintAllAreSignedOutAndNobodyIsSentOn: no parameters, state alone, an address without a hint.
func TestWithoutAHintAllAreSignedOutAndNobodyIsSentOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, "shop", nil)
	for name, pairs := range map[string][]string{
		"no parameters": nil, "state alone": {"state", "x"}, "client_id and address": {"client_id", "shop", "post_logout_redirect_uri", registered("shop")},
	} {
		p := w.browser()
		p.signIn(t, "ada")
		p.signIn(t, "bob")
		q, err := p.ask(t, pairs...)
		if err != nil || !q.Confirm || p.here(t) != "bob ada" {
			t.Fatalf("%s: %+v, %v, signed in %q", name, q, err, p.here(t))
		}
		if e := p.confirm(t, q); e.Return != "" || p.here(t) != "" {
			t.Errorf("%s: sent to %q, signed in %q", name, e.Return, p.here(t))
		}
	}
}

// TestFramesNameIssuerAndSession: Front-Channel Logout §3, for each client of the session that asks for it, with its own query kept.
func TestFramesNameIssuerAndSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	front := func(uri string) func(*storage.ClientMetadata) {
		return func(m *storage.ClientMetadata) {
			at, _ := url.Parse(uri)
			m.FrontchannelLogoutURI, m.RedirectURIs = uri, []string{"https://" + at.Host + "/cb"} // of one origin
		}
	}
	w.register(t, "shop", front("https://shop.example/out?a=1&b=%20"))
	w.register(t, "cart", front("https://shop.example/cart/out"))
	w.register(t, "blog", front("https://blog.example:8443/out"))
	w.register(t, "quiet", nil)
	w.register(t, "unused", front("https://unused.example/out"))
	w.register(t, "off", front("https://off.example/out"))
	w.register(t, "gone", front("https://gone.example/out"))
	p := w.browser()
	ada := p.signIn(t, "ada")
	for _, id := range []string{"shop", "cart", "blog", "quiet", "off", "gone"} {
		w.grant(t, id, ada, id == "blog") // an offline grant is of the session all the same
	}
	_, err := w.clients.Disable(t.Context(), "off", "cli")
	must(t, err)
	must(t, w.clients.Delete(t.Context(), "gone", "cli"))
	q, err := p.ask(t)
	must(t, err)
	e := p.confirm(t, q)
	query := url.Values{"iss": {issuerURL}, "sid": {ada.Session.ID.String()}}.Encode()
	want := []string{"https://blog.example:8443/out?" + query, "https://shop.example/cart/out?" + query, "https://shop.example/out?a=1&b=%20&" + query}
	if !slices.Equal(e.Frames, want) {
		t.Errorf("frames %s\nwant   %s", strings.Join(e.Frames, " "), strings.Join(want, " "))
	}
	if !slices.Equal(e.Origins, []string{"https://blog.example:8443", "https://shop.example"}) {
		t.Errorf("origins %v", e.Origins)
	}
}
