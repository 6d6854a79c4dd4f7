package web_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/storage"
)

// walks is how many random walks are made through the pages: make soak asks for 100,000.
var walks = flag.Int("walks", 1000, "how many random walks are made through the front door's pages")

// firstWalk is the seed to begin at, for a walk that failed.
var firstWalk = flag.Int("first-walk", 0, "the seed of the first walk through the front door's pages")

// house is the redirect URI of the app of the house.
const house = "https://house.example/cb"

// walk is one person's browser with two tabs. It does what people, and those who try their luck, do to pages: answer them, go back,
// send forms again and to other places, type addresses, sign out, and wait. ada has a password, grace a second factor besides; one app
// asks for consent, the other is of the house.
type walk struct {
	*world
	mint   *handle.Mint
	choose func(n int) int
	number int    // of the walk: the seed of its choices
	seed   string // of grace's authenticator
	people map[storage.ID]string
	apps   map[string]app // by redirect URI
	tabs   [2]*tab
	posted *posted

	asked    map[string]*wish // by state
	sealed   map[string]*wish // by tx
	proofs   []proof          // of this browser, oldest first
	consents []proof          // those of them that are kept with the account
	trace    []string
	codes    map[string]int // by what was asked
	lost     bool           // an answer was lost on a machine that is busy with other things: what came of it is not known, and the walk ends
}

// tab is a window: what it shows, what it showed before, and what it sent last.
type tab struct {
	*browser
	past []page
	path string
	sent url.Values
}

// wish is what an authorization request asked for.
type wish struct {
	callback, prompt string
	maxAge           int64 // -1: none
	mfa              bool
	began            time.Time
}

// proof is what a person did, as far as one can tell from outside.
type proof struct {
	kind, user, client string
	at                 time.Time
	remember           bool
}

func TestNoRandomWalkComesToACodeWithoutItsProofs(t *testing.T) {
	const worlds = 4
	codes := make([]map[string]int, worlds)
	t.Run("worlds", func(t *testing.T) {
		for i := range worlds {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				solo(t, func(w *world) {
					x := newWalk(w)
					codes[i] = x.codes
					for seed := *firstWalk + i; seed < *firstWalk+*walks; seed += worlds {
						x.walk(seed)
					}
				})
			})
		}
	})
	// A walk that comes to no code proves nothing: each kind of request is granted now and then.
	for _, kind := range []string{"ada", "grace", "house", "other", "login", "consent", "select_account", "none", "max_age", "mfa", "remembered"} {
		n := 0
		for _, of := range codes {
			n += of[kind]
		}
		if n < *walks/250 {
			t.Errorf("%s: %d codes in %d walks", kind, n, *walks)
		}
	}
}

func newWalk(w *world) *walk {
	x := &walk{world: w, mint: w.mint(), people: map[storage.ID]string{}, apps: map[string]app{}, codes: map[string]int{}}
	ada, grace := w.user("ada"), w.user("grace")
	x.seed, _ = w.enrol(grace)
	x.people[ada.ID], x.people[grace.ID] = "ada", "grace"
	x.apps[callback] = w.relying()
	x.apps[house] = w.relying(firstParty, func(m *storage.ClientMetadata) { m.RedirectURIs = []string{house} })
	return x
}

// walk makes one walk in a new browser.
func (x *walk) walk(seed int) {
	rng := rand.New(rand.NewPCG(uint64(seed), 4))
	x.number, x.choose, x.trace, x.asked, x.sealed = seed, rng.IntN, nil, map[string]*wish{}, map[string]*wish{}
	x.clock.Advance(2 * time.Hour)     // whatever was throttled is no more
	for user, name := range x.people { // each walk begins as the first did
		for _, c := range x.apps {
			given := func(p proof) bool { return p.user == name && p.client == c.id }
			if x.lost || slices.ContainsFunc(x.consents, given) {
				_, err := x.store.WithdrawConsent(x.Context(), user, c.id, storage.Also{})
				x.must(err)
			}
		}
	}
	x.consents, x.lost = nil, false
	x.newBrowser()
	for steps := 7 + x.choose(8); steps > 0 && !x.lost; steps-- {
		x.clock.Advance(time.Millisecond)
		x.step(x.tabs[x.choose(2)])
	}
}

func (x *walk) newBrowser() {
	b := x.near()
	x.posted = &posted{next: b.client.Transport}
	b.client.Transport, x.proofs = x.posted, nil
	for i := range x.tabs {
		x.tabs[i] = &tab{browser: &browser{world: x.world, client: b.client}}
	}
}

func (x *walk) step(t *tab) {
	switch roll := x.choose(100); {
	case roll < 60:
		x.answer(t)
	case roll < 66:
		x.open(t)
	case roll < 69:
		x.guess(t)
	case roll < 74 && len(t.past) > 0:
		t.page = t.past[x.choose(len(t.past))]
		x.note("back to %s", t.page.url.Path)
	case roll < 78 && t.sent != nil:
		x.send(t, t.path, t.sent, "once more")
	case roll < 84:
		x.stray(t)
	case roll < 92:
		x.typed(t)
	case roll < 94:
		x.get(t, "/oauth2/logout")
	case roll < 99:
		wait := []time.Duration{time.Second, 31 * time.Second, 61 * time.Second, 5 * time.Minute, 11 * time.Minute, 31 * time.Minute, 25 * time.Hour}[x.choose(7)]
		x.note("wait %s", wait)
		if x.clock.Advance(wait); wait > 24*time.Hour { // too long unused
			x.did(proof{kind: "end"})
		}
	default:
		x.note("lose all cookies")
		jar, err := cookiejar.New(nil)
		x.must(err)
		t.client.Jar, x.proofs = jar, nil
	}
}

// answer does what the page asks for.
func (x *walk) answer(t *tab) {
	switch p := t.page; {
	case p.left != nil || p.url == nil:
		x.open(t)
	case p.asks("password"):
		x.fill(t, "username", []string{"ada", "grace"}[x.choose(2)], "password", password)
	case p.asks("otp"):
		x.clock.Advance(31 * time.Second) // a step that did not serve yet
		pairs := []string{"otp", x.code(x.seed)}
		if p.asks("remember") && x.choose(4) == 0 {
			pairs = append(pairs, "remember", "yes")
		}
		x.fill(t, pairs...)
	case p.offers("decision", "allow"):
		x.fill(t, "decision", []string{"allow", "allow", "allow", "allow", "deny"}[x.choose(5)])
	case p.offers("decision", "yes"):
		x.fill(t, "decision", "yes")
	case p.offers("account", ""):
		accounts := p.forms[0].buttons
		x.fill(t, "account", accounts[x.choose(len(accounts))].value)
	case p.tx() != "":
		x.get(t, "/oauth2/authorize?tx="+url.QueryEscape(p.tx()))
	default:
		x.open(t)
	}
}

// open begins an authorization request in the tab.
func (x *walk) open(t *tab) {
	q := &wish{callback: []string{callback, house}[x.choose(2)], maxAge: -1, began: x.clock.Now()}
	q.prompt = []string{"", "", "", "login", "consent", "select_account", "none", "login consent"}[x.choose(8)]
	state := fmt.Sprintf("r%d", len(x.asked))
	x.asked[state] = q
	pairs := []string{"redirect_uri", q.callback, "state", state, "prompt", q.prompt, "scope", "openid email"}
	switch x.choose(6) {
	case 0:
		q.maxAge = []int64{0, 1, 60, 3600}[x.choose(4)]
		pairs = append(pairs, "max_age", fmt.Sprint(q.maxAge))
	case 1:
		q.mfa = true
		pairs = append(pairs, "claims", `{"id_token":{"acr":{"essential":true,"value":"urn:signet:acr:mfa"}}}`)
	}
	x.get(t, authorize(x.apps[q.callback], pairs...))
	if t.page.left == nil {
		x.sealed[t.page.tx()] = q
	}
}

// guess answers with what is wrong.
func (x *walk) guess(t *tab) {
	switch {
	case t.page.asks("password"):
		x.fill(t, "username", []string{"ada", "grace"}[x.choose(2)], "password", "wrong")
	case t.page.asks("otp"):
		x.fill(t, []string{"otp", "recovery_code"}[x.choose(2)], "000000x")
	}
}

// stray sends the tab's form somewhere else, or with another request, or with another form's token.
func (x *walk) stray(t *tab) {
	if t.page.url == nil || len(t.page.forms) == 0 || t.page.left != nil {
		return
	}
	f := t.page.forms[0]
	values := f.filled([]string{"username", "grace", "password", password, "otp", x.code(x.seed), "decision", "allow", "account", storage.ID{1}.String()})
	path, what := f.action, ""
	switch other := x.tabs[x.choose(2)].page; x.choose(3) {
	case 0:
		path = x.paths()[x.choose(len(x.paths()))]
		what = "elsewhere"
	case 1:
		if other.url != nil && other.tx() != "" {
			values.Set("tx", other.tx())
		}
		what = "with the other tab's request"
	default:
		if other.url != nil && len(other.forms) > 0 {
			values.Set("form_token", other.forms[0].fields.Get("form_token"))
		}
		what = "with the other tab's token"
	}
	x.send(t, path, values, what)
}

func (x *walk) paths() []string {
	return []string{"/oauth2/authorize", "/login", "/login/choose", "/mfa", "/mfa/enrol", "/mfa/lost", "/consent", "/oauth2/logout", "/device"}
}

// typed opens the page of another step, about a request that was seen before.
func (x *walk) typed(t *tab) {
	var known []string
	for _, tab := range x.tabs {
		for _, p := range append(tab.past, tab.page) {
			if p.url != nil && p.tx() != "" {
				known = append(known, p.tx())
			}
		}
	}
	if len(known) > 0 {
		x.get(t, x.paths()[x.choose(len(x.paths()))]+"?tx="+url.QueryEscape(known[x.choose(len(known))]))
	}
}

func (x *walk) fill(t *tab, pairs ...string) {
	for _, f := range t.page.forms {
		if f.takes(pairs) {
			x.send(t, f.action, f.filled(pairs), "")
			return
		}
	}
	x.fatal("no form of %s takes %q", t.page.url.Path, pairs)
}
