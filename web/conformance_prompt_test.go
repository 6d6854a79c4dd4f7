package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

func TestPromptConsentAsksAgainAndANoTakesNothingBack(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		house := w.relying(func(m *storage.ClientMetadata) { m.FirstParty = true })
		for _, c := range []app{w.relying(), house} {
			b := w.browser()
			b.through(c, "ada", "")
			w.clock.Advance(time.Second)
			if b.visit(authorize(c)); b.page.left == nil {
				w.Errorf("asked twice: %q", b.page.h1)
			}
			for range 2 {
				w.clock.Advance(time.Second)
				if p := b.visit(authorize(c, "prompt", "consent")); !p.offers("decision", "allow") || !p.offers("decision", "deny") {
					w.Fatalf("prompt=consent shows %d %q, left %v", p.status, p.h1, p.left)
				}
				if q := b.submit("decision", "allow").left.Query(); q.Get("code") == "" {
					w.Errorf("allowed: %v", q)
				}
			}
			w.clock.Advance(time.Second)
			b.visit(authorize(c, "prompt", "consent"))
			if q := b.submit("decision", "deny").left.Query(); q.Get("error") != "access_denied" || q.Get("state") != "the-state" || q.Get("iss") != issuerURL {
				w.Errorf("denied: %v", q)
			}
			if code := b.none(c); code != "" { // a no to one request takes back nothing that was allowed before
				w.Errorf("after a no prompt=none says %q", code)
			}
		}
	})
}

func TestConsentIsAskedForWhatIsNewAlone(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		b.through(c, "ada", "", "scope", "openid email")
		if b.visit(authorize(c, "scope", "openid")); b.page.left == nil {
			w.Errorf("less than was allowed is asked for: %q", b.page.h1)
		}
		p := b.visit(authorize(c, "scope", "openid email profile"))
		if !p.offers("decision", "allow") || !strings.Contains(p.raw, "See your profile") || strings.Contains(p.raw, "See your email address") {
			w.Fatalf("the page asks for something else than the profile:\n%s", p.raw)
		}
		b.submit("decision", "allow")
		if code := b.none(c, "scope", "openid email profile"); code != "" {
			w.Errorf("allowed, prompt=none says %q", code)
		}
		if code := b.none(c, "claims", `{"userinfo":{"phone_number":null}}`); code != "consent_required" {
			w.Errorf("a claim that was never allowed: %q", code)
		}
		if code := b.none(w.relying(), "scope", "openid"); code != "consent_required" {
			w.Errorf("another client: %q", code)
		}
	})
}

func TestPromptCreateSaysThatNoAccountsAreMadeHereAndSignsIn(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		b.through(c, "ada", "")
		w.clock.Advance(time.Second)
		p := b.visit(authorize(c, "prompt", "create"))
		if !p.asks("password") || !strings.Contains(p.raw, "New accounts cannot be made here.") {
			w.Fatalf("%d %q, left %v", p.status, p.h1, p.left)
		}
		b.signIn("ada")
		if claims := w.idToken(w.exchange(c, b.finish().Get("code"))); claims["auth_time"] != float64(w.clock.Now().Unix()) {
			w.Errorf("claims %v", claims)
		}
	})
}

func TestPromptCreateLeadsToSignUpWhereItIsOnAndIsPublishedThere(t *testing.T) {
	for mode, on := range map[account.SignUp]bool{account.SignUpOn: true, account.SignUpInvite: false, account.SignUpOff: false} {
		t.Run(string(mode), func(t *testing.T) {
			solo(t, func(w *world) {
				w.user("ada")
				c, b := w.relying(), w.browser()
				b.through(c, "ada", "")
				w.clock.Advance(time.Second)
				if p := b.visit(authorize(c, "prompt", "create")); (p.url.Path == "/signup") != on || p.left != nil {
					t.Errorf("prompt=create leads to %s: %d %q", p.url, p.status, p.h1)
				}
				b.visit(authorize(c, "prompt", "create"))
				if on { // who has an account after all
					b.visit("/login?tx=" + url.QueryEscape(b.page.tx()))
				}
				if b.signIn("ada"); b.page.left == nil || b.page.left.Query().Get("code") == "" {
					t.Errorf("signed in, %s shows %q", b.page.url, b.page.h1)
				}
				values, _ := w.get("/.well-known/openid-configuration", "Accept", "application/json").body["prompt_values_supported"].([]any)
				if slices.Contains(values, any("create")) != on {
					t.Errorf("published is %v", values)
				}
			}, func(c *provider.Config) { c.SignUp = mode })
		})
	}
}

func TestAValueOfPromptThatNobodyKnowsIsRefused(t *testing.T) {
	each(t, func(w *world) {
		c, b := w.relying(), w.browser()
		for _, prompt := range []string{"nobody-knows", "NONE", "login unknown", "none consent", "none create"} {
			p := b.visit(authorize(c, "prompt", prompt))
			if p.left == nil || p.left.Query().Get("error") != "invalid_request" || p.left.Query().Get("state") != "the-state" {
				w.Errorf("prompt=%s: %d %q, left %v", prompt, p.status, p.h1, p.left)
			}
		}
	})
}

// joined signs ada in, and bob beside her.
func (w *world) joined(c app) *browser {
	w.Helper()
	b := w.browser()
	b.through(c, "ada", "")
	w.clock.Advance(time.Second)
	b.visit(authorize(c, "prompt", "login"))
	b.signIn("bob")
	b.finish()
	w.clock.Advance(time.Second)
	return b
}

func TestSeveralPeopleAtOneBrowserAreChosenAmong(t *testing.T) {
	each(t, func(w *world) {
		ada, bob := w.user("ada"), w.user("bob")
		c := w.relying()
		b := w.joined(c)
		sids := map[any]any{}
		for _, name := range []string{"ada", "bob", "ada"} {
			p := b.visit(authorize(c, "prompt", "select_account"))
			if !p.offers("account", "") || p.asks("password") {
				w.Fatalf("select_account shows %d %q, left %v", p.status, p.h1, p.left)
			}
			b.press("account", "Test "+name)
			claims := w.idToken(w.exchange(c, b.finish().Get("code")))
			if want := map[string]string{"ada": ada.ID.String(), "bob": bob.ID.String()}[name]; claims["sub"] != want {
				w.Errorf("chosen %s, sub %v", name, claims["sub"])
			}
			if sid, there := sids[claims["sub"]]; there && sid != claims["sid"] {
				w.Errorf("choosing %s changed the sid", name)
			}
			sids[claims["sub"]] = claims["sid"]
			// The chosen one goes on without being asked.
			if again := w.idToken(b.tokens(c, "nobody")); again["sub"] != claims["sub"] {
				w.Errorf("chosen %s, then %v", name, again["sub"])
			}
			w.clock.Advance(time.Second)
		}
		if len(sids) != 2 || sids[ada.ID.String()] == sids[bob.ID.String()] {
			w.Errorf("sessions %v", sids)
		}
		if code := b.none(c, "prompt", "none select_account"); code != "invalid_request" {
			w.Errorf("none and select_account: %q", code)
		}
	})
}

func TestAHintAmongSeveralPeopleTakesThePersonItNames(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.user("bob")
		w.user("eve")
		c := w.relying(leaving)
		b := w.joined(c)
		hints := map[string]string{}
		for _, name := range []string{"ada", "bob", "eve"} {
			other := w.browser()
			hints[name] = other.tokens(c, name).text("id_token")
		}
		w.clock.Advance(time.Second)
		for _, name := range []string{"ada", "bob"} {
			p := b.visit(authorize(c, "prompt", "none", "id_token_hint", hints[name]))
			a := w.exchange(c, p.left.Query().Get("code"))
			if w.idToken(a)["sub"] != jwtPart(w.T, hints[name], 1)["sub"] {
				w.Errorf("the hint names %s: %v", name, w.idToken(a)["sub"])
			}
			hints[name] = a.text("id_token")
		}
		if code := b.none(c, "id_token_hint", hints["eve"]); code != "login_required" {
			w.Errorf("the hint names somebody who is not here: %q", code)
		}
		// The claim sub asks for one person as well (OpenID Connect Core §5.5.1).
		sub := `{"id_token":{"sub":{"value":"` + asText(jwtPart(w.T, hints["ada"], 1)["sub"]) + `"}}}`
		if claims := w.idToken(b.tokens(c, "nobody", "claims", sub)); claims["sub"] != jwtPart(w.T, hints["ada"], 1)["sub"] {
			w.Errorf("the claim names ada: %v", claims["sub"])
		}
		// One of them leaves, and the other stays.
		if p := b.visit(endSession("id_token_hint", hints["ada"], "post_logout_redirect_uri", afterwards)); p.left == nil {
			w.Fatalf("%d %q", p.status, p.h1)
		}
		if code := b.none(c, "id_token_hint", hints["ada"]); code != "login_required" {
			w.Errorf("ada has left: %q", code)
		}
		if code := b.none(c, "id_token_hint", hints["bob"]); code != "" {
			w.Errorf("bob has stayed: %q", code)
		}
	})
}

func TestAPersonMaySignInAsAnotherFromTheChoice(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		bob := w.user("bob")
		c, b := w.relying(), w.browser()
		b.through(c, "ada", "")
		w.clock.Advance(time.Second)
		p := b.visit(authorize(c, "prompt", "select_account"))
		var other string
		for _, address := range p.elements("a", "href") {
			if strings.HasPrefix(address, "/login?") {
				other = address
			}
		}
		if p = b.visit(other); p.status != http.StatusOK || !p.asks("password") {
			w.Fatalf("another account: %d %q", p.status, p.h1)
		}
		b.signIn("bob")
		if claims := w.idToken(w.exchange(c, b.finish().Get("code"))); claims["sub"] != bob.ID.String() {
			w.Errorf("claims %v", claims)
		}
	})
}
