package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// pairwise asks for subjects of the client's own sector.
func pairwise(m *storage.ClientMetadata) { m.SubjectType = "pairwise" }

// elsewhere is the client's address in another sector than callback's.
const elsewhere = "https://other.example/cb"

func inAnotherSector(m *storage.ClientMetadata) { m.RedirectURIs = []string{elsewhere} }

// known signs the person in to a client of another sector too, and returns the claims of the ID token.
func (b *browser) known(c app, username, at string) map[string]any {
	b.Helper()
	a := b.exchange(c, b.through(c, username, "", "redirect_uri", at).Get("code"), "redirect_uri", at)
	b.world.want(a, http.StatusOK, "")
	return b.idToken(a)
}

// TestAPairwiseSubjectIsTheSameInAllThatItsClientSees: and the user's own ID is in none of it.
func TestAPairwiseSubjectIsTheSameInAllThatItsClientSees(t *testing.T) {
	eachListening(t, func(w *world, l *listener) {
		u := w.user("ada")
		for _, format := range []string{"jwt", "opaque"} {
			for _, signed := range []string{"", "ES256"} {
				path := "/" + format + signed
				c := w.relying(leaving, pairwise, func(m *storage.ClientMetadata) {
					m.AccessTokenFormat, m.UserinfoSignedAlg, m.BackchannelLogoutURI, m.IDTokenOnRefresh = format, signed, l.url+path, true
				})
				b := w.browser()
				first := b.tokens(c, "ada", "scope", "openid email offline_access")
				id := w.idToken(first)
				sub, sid := asText(id["sub"]), asText(id["sid"])
				if len(sub) != 43 || len(sid) != 43 || sub == sid || sub == c.id {
					w.Fatalf("sub %q, sid %q", sub, sid)
				}
				seen := []string{jsonOf(id)}
				next := w.refreshWith(c, first.refresh())
				w.want(next, http.StatusOK, "")
				for _, a := range []answer{first, next} {
					if got := w.idToken(a); got["sub"] != sub || got["sid"] != sid {
						w.Errorf("%s: an ID token says %v", path, got)
					}
					if format == "jwt" {
						claims := jwtPart(t, a.access(), 1)
						if claims["sub"] != sub {
							w.Errorf("%s: the access token says %v", path, claims)
						}
						seen = append(seen, jsonOf(claims))
					}
					for _, token := range []string{a.access(), a.refresh()} {
						about := w.post("/oauth2/introspect", c, form("token", token))
						if about.body["active"] == true && about.body["sub"] != sub || about.body["username"] != nil {
							w.Errorf("%s: introspection says %s", path, about.raw)
						}
						seen = append(seen, about.raw)
					}
					info := w.userinfo(a.access())
					if signed != "" {
						info.body = w.verified(strings.TrimSpace(info.raw), signed, "JWT")
					}
					if info.body["sub"] != sub || info.body["email"] != "ada@example.com" {
						w.Errorf("%s: userinfo says %v", path, info.body)
					}
					seen = append(seen, jsonOf(info.body))
				}
				b.visit(endSession("id_token_hint", first.text("id_token"), "post_logout_redirect_uri", afterwards))
				if faults := w.deliver(); len(faults) > 0 {
					w.Fatalf("%v", faults)
				}
				told := jwtPart(t, l.heard(w, path), 1)
				if told["sub"] != sub || told["sid"] != sid {
					w.Errorf("%s: the logout token says %v", path, told)
				}
				if all := strings.Join(append(seen, jsonOf(told)), "\n"); strings.Contains(all, u.ID.String()) || strings.Contains(all, `"ada"`) {
					w.Errorf("%s: the client learns who it is:\n%s", path, all)
				}
			}
		}
	})
}

// TestASectorKnowsAPersonByOneSubjectAndNoOtherSectorByTheSame: OpenID Connect Core §8.1. Two clients of different sectors have nothing
// to compare, in one session of one browser either.
func TestASectorKnowsAPersonByOneSubjectAndNoOtherSectorByTheSame(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		w.user("bob")
		one, beside, other, public := w.relying(pairwise), w.relying(pairwise), w.relying(pairwise, inAnotherSector), w.relying()
		b := w.browser()
		at, next, far, plain := b.known(one, "ada", callback), b.known(beside, "ada", callback), b.known(other, "ada", elsewhere), b.known(public, "ada", callback)
		if at["sub"] != next["sub"] || at["sid"] != next["sid"] {
			w.Errorf("one sector: %v and %v", at, next)
		}
		for _, claim := range []string{"sub", "sid"} {
			if at[claim] == far[claim] || at[claim] == plain[claim] || far[claim] == plain[claim] {
				w.Errorf("%s is shared: %v, %v, %v", claim, at[claim], far[claim], plain[claim])
			}
		}
		if plain["sub"] != u.ID.String() {
			w.Errorf("public: %v", plain["sub"])
		}
		if somebody := w.browser().known(one, "bob", callback); somebody["sub"] == at["sub"] || somebody["sid"] == at["sid"] {
			w.Error("two people are one")
		}
		if again := w.browser().known(one, "ada", callback); again["sub"] != at["sub"] || again["sid"] == at["sid"] {
			w.Errorf("another session: %v, first %v", again, at)
		}
	})
}

// TestAHintNamesAPersonAsItsClientKnowsThem: id_token_hint and the claim sub by the pairwise subject alone, at sign-in and at logout.
func TestAHintNamesAPersonAsItsClientKnowsThem(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		w.user("bob")
		heard := func(m *storage.ClientMetadata) { m.FrontchannelLogoutURI = "https://app.example/fc" }
		c, public := w.relying(pairwise, leaving, heard), w.relying()
		b, other := w.browser(), w.browser()
		hint := b.tokens(c, "ada").text("id_token")
		plain := b.tokens(public, "ada").text("id_token")
		other.through(c, "bob", "")
		w.clock.Advance(1e9)
		sub := asText(jwtPart(t, hint, 1)["sub"])
		asks := func(value string) []string {
			return []string{"claims", jsonOf(map[string]any{"id_token": map[string]any{"sub": map[string]any{"value": value}}})}
		}
		for _, named := range [][]string{{"id_token_hint", hint}, asks(sub)} {
			pairs := append([]string{"prompt", "none"}, named...)
			if q := b.visit(authorize(c, pairs...)).left.Query(); q.Get("code") == "" {
				w.Errorf("%s, the same person: %v", named[0], q)
			}
			if q := other.visit(authorize(c, pairs...)).left.Query(); q.Get("error") != "login_required" {
				w.Errorf("%s, somebody else: %v", named[0], q)
			}
		}
		// Whether there is somebody with that ID is not told.
		for _, named := range [][]string{{"id_token_hint", plain}, asks(u.ID.String()), asks(storage.ID{15: 1}.String())} {
			if q := b.visit(authorize(c, append([]string{"prompt", "none"}, named...)...)).left.Query(); q.Get("error") != "invalid_request" {
				w.Errorf("%s by another kind of name: %v", named[0], q)
			}
		}
		if p := other.visit(endSession("id_token_hint", hint)); !p.offers("decision", "") {
			w.Errorf("a hint of another person's session ends it: %d %q", p.status, p.h1)
		}
		p := b.visit(endSession("id_token_hint", hint))
		frames := p.elements("iframe", "src")
		if p.h1 != "You are signed out" || len(frames) != 1 || !strings.HasSuffix(frames[0], "sid="+asText(jwtPart(t, hint, 1)["sid"])) {
			w.Errorf("a hint of this session: %d %q, frames %q", p.status, p.h1, frames)
		}
	})
}

func TestPairwiseSubjectsAreThoseOfEveryNode(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		nodes[0].user("ada")
		c := nodes[0].confidential(pairwise, func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback} })
		subjects := map[any]bool{}
		for _, node := range nodes {
			subjects[jwtPart(t, node.login(c, "ada").access(), 1)["sub"]] = true
		}
		if len(subjects) != 1 {
			t.Errorf("%v", subjects)
		}
	})
}

// TestAPairwiseClientsOwnTokensNameTheClient: nobody stands behind them.
func TestAPairwiseClientsOwnTokensNameTheClient(t *testing.T) {
	each(t, func(w *world) {
		c := w.confidential(pairwise, func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback} })
		a := w.token(c, "grant_type", "client_credentials")
		w.want(a, http.StatusOK, "")
		if sub := jwtPart(t, a.access(), 1)["sub"]; sub != c.id {
			w.Errorf("sub %v, want %s", sub, c.id)
		}
	})
}
