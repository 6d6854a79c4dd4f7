package authorize

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestAPersonSignsInConsentsAndIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	u := w.user(t, "ada")
	ada := w.browser()
	claims := `{"userinfo":{"name":null},"id_token":{"email":null}}`
	q := query("app", "scope", "openid notes", "nonce", "n-1", "claims", claims, "resource", "https://api.example")
	begun := ada.at(t, StepSignIn, q)
	ada.signIn(t, "ada")
	asked := ada.resume(t, StepConsent, begun)
	want := Ask{Scope: []string{"openid", "notes"}, Claims: []string{"email", "name"}, Resources: []string{"https://api.example"}}
	check(t, slices.Equal(asked.Asked.Scope, want.Scope) && slices.Equal(asked.Missing.Claims, want.Claims) &&
		slices.Equal(asked.Missing.Resources, want.Resources), "asked %+v, missing %+v", asked.Asked, asked.Missing)
	ada.allow(t, asked)
	w.pass(time.Second)
	answer := ada.issue(t, ada.resume(t, StepIssue, begun))
	check(t, field(answer, "state") == "s t/a+te&" && field(answer, "iss") == issuer, "answer %v", answer.Fields())
	s, h := w.standing(t, answer)
	g := s.Grant
	account := ada.visit(t).Accounts[0]
	check(t, g.ClientID == "app" && g.UserID == u.ID && g.SessionID == account.Session.ID && !g.Offline && g.Nonce == "n-1" &&
		g.ACR == oauth.ACRPassword && slices.Equal(g.AMR, []string{oauth.AMRPassword}) && g.AuthTime.Equal(account.Session.AuthTime) &&
		slices.Equal(g.Scope, want.Scope) && slices.Equal(g.Audience, []string{"https://api.example", issuer}) &&
		slices.Equal(g.Claims.IDToken, []string{"email"}) && slices.Equal(g.Claims.UserInfo, []string{"name"}), "grant %+v", g)
	check(t, g.State == storage.Pending && g.Pending.Kind == storage.WaitingCode && g.Pending.RedirectURI == callback &&
		g.Pending.Challenge == challenge && g.Pending.SessionEnds.Equal(account.Session.ExpiresAt) &&
		g.ExpiresAt.Equal(s.Now.Add(time.Minute)), "waiting %+v until %v", g.Pending, g.ExpiresAt)
	check(t, g.SecretHash.Equal(handle.SecretDigest(h.Secret)) && g.CodeHash.Equal(handle.CodeDigest(h.Secret, challenge)), "digests")

	again := ada.at(t, StepIssue, q) // remembered
	second := ada.issue(t, again)
	check(t, field(second, "code") != field(answer, "code"), "one code twice")
	check(t, again.Missing.IsEmpty(), "missing %+v", again.Missing)
	more := ada.at(t, StepConsent, query("app", "scope", "openid notes email"))
	check(t, slices.Equal(more.Missing.Scope, []string{"email"}), "missing %+v", more.Missing)
	offline := ada.at(t, StepConsent, query("app", "scope", "openid offline_access"))
	ada.allow(t, offline)
	s, _ = w.standing(t, ada.issue(t, ada.resume(t, StepIssue, offline)))
	check(t, s.Grant.Offline && s.Grant.Pending.SessionEnds.IsZero(), "offline: %+v", s.Grant)
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "consent.given", UserID: u.ID, ClientID: "app", Limit: 10})
	must(t, err)
	check(t, len(events) == 2 && events[1].Detail["scope"] == "openid notes" && events[1].Detail["claims"] == "email name", "events %+v", events)
	check(t, slices.Equal(w.heard.words, []string{"authorize ", "authorize ", "authorize "}), "heard %q", w.heard.words)
}

func TestAWeakerSessionIsTakenThroughTheMissingFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", func(m *storage.ClientMetadata) { m.FirstParty = true })
	app := w.enrol(t, w.user(t, "ada"))
	ada := w.browser()
	begun := ada.at(t, StepSignIn, query("app"))
	ada.signIn(t, "ada")
	ada.resume(t, StepSecondFactor, begun)
	ada.factor(t, app)
	s, _ := w.standing(t, ada.issue(t, ada.resume(t, StepIssue, begun)))
	check(t, s.Grant.ACR == oauth.ACRMFA && slices.Contains(s.Grant.AMR, oauth.AMROTP), "grant %+v", s.Grant)
	// Where a password alone is essential, that is what is told: it was proven too.
	claims := `{"id_token":{"acr":{"essential":true,"value":"urn:signet:acr:password"}}}`
	s, _ = w.standing(t, ada.issue(t, ada.at(t, StepIssue, query("app", "claims", claims))))
	check(t, s.Grant.ACR == oauth.ACRPassword, "acr %s", s.Grant.ACR)
	// A second sign-in, and a second factor for it: each belongs to this request.
	w.pass(time.Minute)
	begun = ada.at(t, StepSignIn, query("app", "prompt", "login", "acr_values", oauth.ACRMFA))
	ada.signIn(t, "ada")
	ada.resume(t, StepSecondFactor, begun)
	ada.factor(t, app)
	ada.resume(t, StepIssue, begun)
	w.pass(time.Minute)
	ada.at(t, StepSignIn, query("app", "max_age", "59"))
	ada.at(t, StepIssue, query("app", "max_age", "600"))
}

func TestARefusalIsToldAndWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	u := w.user(t, "ada")
	ada := w.browser()
	begun := ada.at(t, StepSignIn, query("app", "response_mode", "form_post"))
	answer, err := w.Deny(t.Context(), ada.visit(t), begun) // nobody in particular: no event
	must(t, err)
	check(t, answer.Mode() == oauth.ModeFormPost && field(answer, "error") == "access_denied" && field(answer, "state") == "s t/a+te&" &&
		field(answer, "iss") == issuer, "answer %v", answer.Fields())
	ada.signIn(t, "ada")
	_, err = w.Deny(t.Context(), ada.visit(t), ada.resume(t, StepConsent, begun))
	must(t, err)
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "consent.denied", Limit: 10})
	must(t, err)
	check(t, len(events) == 1 && events[0].UserID == u.ID && events[0].Actor == u.ID.String() && events[0].ClientID == "app", "events %+v", events)
	ada.resume(t, StepConsent, begun)
}

func TestACodeNeedsTheSessionThatItWasDecidedFor(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *world, *person, storage.User){
		"signed out": func(t *testing.T, w *world, _ *person, u storage.User) {
			_, err := w.store.EndSessions(t.Context(), storage.SessionsOf{UserID: u.ID}, storage.ReasonLogout, storage.Also{})
			must(t, err)
		},
		"signed in anew": func(t *testing.T, _ *world, p *person, _ storage.User) { p.signIn(t, "ada") },
		"disabled": func(t *testing.T, w *world, _ *person, u storage.User) {
			u.DisabledAt = w.time()
			must(t, w.store.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{}))
		},
		"deleted": func(t *testing.T, w *world, _ *person, u storage.User) {
			must(t, w.store.DeleteUser(t.Context(), u.ID, storage.Also{}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.app(t, "app", nil)
			u := w.user(t, "ada")
			ada := w.browser()
			ada.signIn(t, "ada")
			u, err := w.find(t, u.ID)
			must(t, err)
			asked := ada.at(t, StepConsent, query("app"))
			ada.allow(t, asked)
			ready := ada.resume(t, StepIssue, asked)
			change(t, w, ada, u)
			answer, err := w.Issue(t.Context(), ada.visit(t), ready)
			check(t, answer == nil && errors.Is(err, ErrAgain), "%v, %v", answer, err)
			passage, err := w.Resume(t.Context(), ada.visit(t), ready.Sealed)
			must(t, err)
			want := StepSignIn
			if name == "signed in anew" {
				want = StepIssue
			}
			check(t, passage.Step == want, "step %s, want %s", passage.Step, want)
		})
	}
}

func TestConsentIsTakenAtItsStepAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app(t, "app", nil)
	u := w.user(t, "ada")
	ada := w.browser()
	begun := ada.at(t, StepSignIn, query("app"))
	check(t, errors.Is(w.Allow(t.Context(), ada.visit(t), begun), ErrAgain), "consent of nobody")
	ada.signIn(t, "ada")
	asked := ada.resume(t, StepConsent, begun)
	_, err := w.Issue(t.Context(), ada.visit(t), asked)
	check(t, errors.Is(err, ErrAgain), "a code without consent: %v", err)
	stale := ada.at(t, StepSignIn, query("app", "prompt", "login"))
	check(t, stale.Account != nil && errors.Is(w.Allow(t.Context(), ada.visit(t), stale), ErrAgain), "consent before the sign-in that was asked")
	must(t, w.Clients.Delete(t.Context(), c.ID, "cli"))
	check(t, errors.Is(w.Allow(t.Context(), ada.visit(t), asked), ErrAgain), "consent to a client that is gone")
	_, err = w.store.FindConsent(t.Context(), u.ID, c.ID)
	check(t, errors.Is(err, storage.ErrNotFound), "%v", err)
}

func TestPromptConsentAsksOnceForEachRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", nil)
	w.user(t, "ada")
	ada := w.browser()
	ada.signIn(t, "ada")
	for range 2 {
		asked := ada.at(t, StepConsent, query("app", "prompt", "consent"))
		w.pass(time.Second)
		ada.allow(t, asked)
		ada.resume(t, StepIssue, asked)
	}
}

func TestSeveralPeopleAtOneBrowserAreToldApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withRing(t)
	c := w.app(t, "app", func(m *storage.ClientMetadata) { m.FirstParty = true })
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	p := w.browser()
	p.signIn(t, "ada")
	p.signIn(t, "bob")
	hint := func(u storage.User) string {
		g := storage.Grant{UserID: u.ID, ClientID: "app", AuthTime: w.time(), ExpiresAt: w.time().Add(time.Hour)}
		text, err := w.Issuer.ID(c, g, nil, "access", w.time(), time.Minute)
		must(t, err)
		return text
	}
	check(t, p.at(t, StepIssue, query("app")).Account.User.ID == bob.ID, "the current one is not who came last")
	named := query("app", "prompt", "none", "id_token_hint", hint(ada))
	check(t, p.at(t, StepIssue, named).Account.User.ID == ada.ID, "the hint does not choose")
	w.pass(time.Hour) // a hint may have expired
	check(t, p.at(t, StepIssue, named).Account.User.ID == ada.ID, "an expired hint does not choose")
	_, err := p.begin(t, query("app", "prompt", "none", "id_token_hint", hint(w.user(t, "eve"))))
	returned(t, err, oauth.LoginRequired)
	sub := strings.ReplaceAll(`{"id_token":{"sub":{"value":"ID"}}}`, "ID", ada.ID.String())
	check(t, p.at(t, StepIssue, query("app", "claims", sub)).Account.User.ID == ada.ID, "the claim sub does not choose")
	_, err = p.begin(t, query("app", "claims", sub, "id_token_hint", hint(bob)))
	returned(t, err, oauth.InvalidRequest)
	for _, text := range []string{"e30.e30.e30", "x", hint(ada) + "x", strings.Repeat("x", 9000)} {
		_, err = p.begin(t, query("app", "id_token_hint", text))
		returned(t, err, oauth.InvalidRequest)
	}
	choose := p.at(t, StepChoose, query("app", "prompt", "select_account"))
	w.pass(time.Second)
	v := p.visit(t)
	_, err = w.Browsers.Choose(t.Context(), v, v.Accounts[1].Session.ID)
	must(t, err)
	p.take(v)
	check(t, p.resume(t, StepIssue, choose).Account.User.ID == ada.ID, "the choice does not count")
}

func TestAPushedRequestIsCompletedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "app", func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.user(t, "ada")
	ada := w.browser()
	ada.signIn(t, "ada")
	uri := w.pushed(t, query("app"))
	const tabs = 8
	ready := make([]*Passage, tabs)
	for i := range tabs { // a browser may fetch an address more than once before anybody is done
		ready[i] = ada.at(t, StepIssue, query("app", "request_uri", uri))
	}
	var start, done sync.WaitGroup
	var mutex sync.Mutex
	var codes, used int
	start.Add(1)
	for _, passage := range ready {
		v := ada.visit(t)
		done.Go(func() {
			start.Wait()
			answer, err := w.Issue(t.Context(), v, passage)
			var refusal *Refusal
			mutex.Lock()
			defer mutex.Unlock()
			switch {
			case err == nil && field(answer, "code") != "":
				codes++
			case errors.As(err, &refusal) && refusal.Heading == HeadingUsed:
				used++
			default:
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	start.Done()
	done.Wait()
	check(t, codes == 1 && used == tabs-1, "%d codes and %d refusals of one request", codes, used)
	_, err := ada.begin(t, query("app", "request_uri", uri))
	refused(t, err, HeadingExpired)
}
