package web_test

import (
	"html"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

const tokensPage = "/developer/tokens"

var (
	shownToken   = regexp.MustCompile(`<code data-copy>(sit_[A-Za-z0-9_-]+)</code>`)
	shownCommand = regexp.MustCompile(`<code class="lang-bash">([^<]+)</code>`)
)

// granting runs test where policy lets everybody have apps, and registration is as mode says.
func granting(t *testing.T, mode register.Mode, test func(w *world)) {
	t.Helper()
	registering(t, mode, test, func(c *provider.Config) { c.Developers = provider.Developers{Policy: developer.PolicyOn} })
}

// grantToken makes a token at the page, and returns it with the body that the command there sends.
func (b *browser) grantToken(pairs ...string) (token, body string) {
	b.Helper()
	b.shows(b.visit(tokensPage), http.StatusOK, "Registration tokens")
	p := b.shows(b.submit(append([]string{"token_name", "Partner A"}, pairs...)...), http.StatusOK, "Your new token")
	found, command := shownToken.FindStringSubmatch(p.raw), shownCommand.FindStringSubmatch(p.raw)
	if found == nil || command == nil || strings.Contains(p.url.String(), found[1]) {
		b.Fatalf("%s shows no token, or its address has it:\n%s", p.url, p.raw)
	}
	text := html.UnescapeString(command[1])
	if !strings.Contains(text, "export SIGNET_REGISTRATION_TOKEN="+found[1]+"\ncurl -sS '"+issuerURL+"/oauth2/register'") {
		b.Errorf("the command is\n%s", text)
	}
	return found[1], sentBy(b.T, text)
}

// sentBy is what the command would send: a shell reads it, with a curl that prints its last argument.
func sentBy(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `curl() { for last; do :; done; printf %s "$last"; }`+"\n"+command).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// tokenEvents are the audit events about tokens, oldest first, each with who did it and from where.
func (w *world) tokenEvents() (all []string) {
	w.Helper()
	for _, kind := range []string{"registration_token.created", "registration_token.revoked"} {
		events, err := w.store.ListEvents(w.Context(), storage.EventFilter{Kind: kind, Limit: 100})
		w.must(err)
		for _, e := range slices.Backward(events) {
			all = append(all, kind+" "+e.Actor+" "+e.Seen.Address)
		}
	}
	return all
}

// TestAnAdministratorMakesListsAndRevokesInitialTokens: shown once, good within its limits, and useless once it is revoked.
func TestAnAdministratorMakesListsAndRevokesInitialTokens(t *testing.T) {
	granting(t, register.ModeToken, func(w *world) {
		root := w.admin("root")
		b := w.home("root", "")
		if p := b.visit("/developer"); !p.says(`href="` + tokensPage + `"`) {
			t.Errorf("the list of apps does not lead there:\n%s", p.raw)
		}
		if p := b.visit("/developer/waiting"); !p.says(`href="` + tokensPage + `"`) {
			t.Errorf("what waits does not lead there:\n%s", p.raw)
		}
		token, body := b.grantToken("uses", "2", "expires", "7", "grant_machine", "yes", "scope", "reports:read it's")
		w.want(w.ask(http.MethodPost, "/oauth2/register", token, software()), http.StatusBadRequest, "invalid_client_metadata")
		a := w.ask(http.MethodPost, "/oauth2/register", token, body)
		w.want(a, http.StatusCreated, "")
		if a.text("scope") != "reports:read it's" {
			t.Errorf("its scope is %q", a.text("scope"))
		}
		p := b.shows(b.visit(tokensPage), http.StatusOK, "Registration tokens")
		for _, want := range []string{"Partner A", "Good", "Uses: 1 of 2", "<code>client_credentials</code>", "<code>reports:read it&#39;s</code>", "Made by root", "2026-11-29"} {
			if !p.says(want) {
				t.Errorf("the list does not say %s:\n%s", want, p.raw)
			}
		}
		if p.says("sit_") {
			t.Error("the list shows a token")
		}
		stored, _, err := w.provider.InitialTokens().List(w.Context(), storage.ID{}, 10)
		w.must(err)
		if len(stored) != 1 || stored[0].CreatedBy != root.ID.String() || !slices.Equal(stored[0].GrantTypes, []string{oauth.GrantClientCredentials}) {
			t.Fatalf("stored are %+v", stored)
		}
		if p := b.submit("revoke", stored[0].ID.String()); !p.says("The token is revoked") || !p.says("Revoked") || p.offers("revoke", stored[0].ID.String()) {
			t.Errorf("revoked:\n%s", p.raw)
		}
		w.want(w.ask(http.MethodPost, "/oauth2/register", token, body), http.StatusUnauthorized, "invalid_token")
		for _, gone := range []string{"", "x", token, "0199d1f0-0000-7000-8000-000000000000"} {
			if p := b.shows(b.send(tokensPage, b.forged(tokensPage, "revoke", gone)), http.StatusOK, "Registration tokens"); p.says("The token is revoked") {
				t.Errorf("%q was revoked", gone)
			}
		}
		who := " " + root.ID.String() + " 127.0.0.1"
		if got := w.tokenEvents(); !slices.Equal(got, []string{"registration_token.created" + who, "registration_token.revoked" + who}) {
			t.Errorf("in the log: %q", got)
		}
	})
}

// TestTheCommandBesideANewInitialTokenRegistersWithIt: whatever the token allows, of all that the server knows.
func TestTheCommandBesideANewInitialTokenRegistersWithIt(t *testing.T) {
	granting(t, register.ModeToken, func(w *world) {
		w.admin("root")
		b := w.home("root", "")
		for _, ticked := range [][]string{
			nil,
			{"grant_code"},
			{"grant_code", "grant_refresh"},
			{"grant_device"},
			{"grant_machine"},
			{"grant_password"},
			{"grant_code", "grant_refresh", "grant_device", "grant_machine", "grant_password"},
		} {
			pairs := []string{"uses", "1", "scope", "reports:read"}
			for _, name := range ticked {
				pairs = append(pairs, name, "yes")
			}
			token, body := b.grantToken(pairs...)
			a := w.ask(http.MethodPost, "/oauth2/register", token, body)
			w.want(a, http.StatusCreated, "")
			if grants, _ := a.body["grant_types"].([]any); len(ticked) > 0 && len(grants) != len(ticked) {
				t.Errorf("%v registers %v", ticked, grants)
			}
		}
		b.visit(tokensPage)
		if got, want := strings.Count(b.page.raw, `type="checkbox"`), len(w.provider.InitialTokens().GrantTypes()); got != want {
			t.Errorf("%d grant types can be ticked, and the server knows %d", got, want)
		}
	})
}

// TestWhatAnInitialTokenMayNotBeIsSaidBesideItsField: in the words of the command, and with what was typed still there.
func TestWhatAnInitialTokenMayNotBeIsSaidBesideItsField(t *testing.T) {
	granting(t, register.ModeToken, func(w *world) {
		w.admin("root")
		b := w.home("root", "")
		for field, c := range map[string]struct {
			pairs []string
			says  string
		}{
			"token_name":  {[]string{"token_name", "A\u202eB"}, "name must have 1 to 200 bytes"},
			"uses":        {[]string{"uses", "many"}, "uses must be between 1 and 1000000, or 0 for any number"},
			"expires":     {[]string{"expires", "100000"}, "This value cannot be used here"},
			"grant_types": {[]string{"grant_refresh", "yes"}, "no grant type that gives a refresh token"},
			"scope":       {[]string{"scope", `reports"`}, "scope: the scope has a character"},
		} {
			b.visit(tokensPage)
			address, values := b.fields(append([]string{"token_name", "Partner A", "uses", "2"}, c.pairs...)...)
			for i := 0; i < len(c.pairs); i += 2 {
				values.Set(c.pairs[i], c.pairs[i+1])
			}
			p := b.shows(b.send(address, values), http.StatusUnprocessableEntity, "Registration tokens")
			if !p.says(`id="wrong-`+field+`"`) || !p.says(c.says) || !p.says("Nothing was saved") {
				t.Errorf("%s: it does not say so:\n%s", field, p.raw)
			}
			if _, typed := b.fields("token_name", "x"); typed.Get("uses") != values.Get("uses") {
				t.Errorf("%s: what was typed is gone", field)
			}
		}
		if p := b.visit(tokensPage); !p.says("There are none yet") {
			t.Errorf("something was made:\n%s", p.raw)
		}
	})
}

// TestThePageOfInitialTokensIsThereWhereRegistrationIs: and for administrators alone, who prove themselves anew.
func TestThePageOfInitialTokensIsThereWhereRegistrationIs(t *testing.T) {
	for _, mode := range register.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			granting(t, mode, func(w *world) {
				w.admin("root")
				w.user("ada")
				w.initialToken(storage.RegistrationToken{}, 0)
				a, b := w.home("root", ""), w.home("ada", "")
				there := mode != register.ModeOff
				if p := a.visit("/developer"); p.says(tokensPage) != there {
					t.Errorf("the administrator's list leads there: %v", !there)
				}
				if p := b.visit("/developer"); p.says(tokensPage) {
					t.Error("somebody's list leads there")
				}
				if p := b.visit(tokensPage); p.status != http.StatusNotFound || p.says("Made by command") {
					t.Errorf("somebody sees %d %q", p.status, p.h1)
				}
				if p := b.send(tokensPage, form("token_name", "Mine", "uses", "0", "expires", "0")); p.status != http.StatusNotFound && p.status != http.StatusForbidden {
					t.Errorf("somebody makes one: %d %q", p.status, p.h1)
				}
				if p := a.visit(tokensPage); (p.status == http.StatusOK) != there || there && !p.says("Made by command") || !there && p.status != http.StatusNotFound {
					t.Errorf("the administrator sees %d %q", p.status, p.h1)
				}
				w.clock.Advance(11 * time.Minute)
				if a.visit(tokensPage); a.page.asks("password") != there {
					t.Errorf("after a while it is %d %q", a.page.status, a.page.h1)
				}
				all, _, err := w.provider.InitialTokens().List(w.Context(), storage.ID{}, 10)
				w.must(err)
				if len(all) != 1 {
					t.Errorf("there are %d tokens", len(all))
				}
			})
		})
	}
}

// TestManyInitialTokensAreListedPageByPage: each of them once.
func TestManyInitialTokensAreListedPageByPage(t *testing.T) {
	granting(t, register.ModeToken, func(w *world) {
		w.admin("root")
		for range 51 {
			w.initialToken(storage.RegistrationToken{}, 0)
		}
		b := w.home("root", "")
		first := b.visit(tokensPage)
		all, _, err := w.provider.InitialTokens().List(w.Context(), storage.ID{}, 100)
		w.must(err)
		more := tokensPage + "?after=" + all[49].ID.String()
		if strings.Count(first.raw, `name="revoke"`) != 50 || !first.says(`href="`+more+`"`) {
			t.Errorf("the first page:\n%s", first.raw)
		}
		if p := b.visit(more); strings.Count(p.raw, `name="revoke"`) != 1 || !p.says(all[50].ID.String()) || p.says("?after=") {
			t.Errorf("the second page:\n%s", p.raw)
		}
	})
}
