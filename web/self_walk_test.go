package web_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// selfWalk is the life of one account among people who want it: its own, at two browsers, and four others, one of whom knows the
// password, one reads the mail, one has a session's cookie and one nothing. They do what the pages offer and what they do not: in any
// order, twice, back and forward, in two tabs, with each other's forms and addresses. What comes of it is held to what was proven.
type selfWalk struct {
	*world
	sealer *keys.Sealer
	apps   [2]app // the second demands a second factor
	choose func(n int) int
	number int
	goal   string // what everybody is after
	people []*actor
	mine   judged
	trace  []string
	tally  map[string]int // what was done, over all walks
	shared bool           // the account's own browser and the thief of its cookies have the same ones
	lost   bool           // an answer was lost on a machine that is busy with other things
}

// actor is somebody with a browser of their own.
type actor struct {
	name     string
	jar      *watcher
	tabs     [2]*tab
	password string   // that they know, or think to know; "": none
	reads    bool     // the mail to the first address
	reader   bool     // and to all that come after
	seeds    []string // of the authenticators they hold
	codes    []string // recovery codes they have seen
	proofs   []proof
	passes   map[string]*mailed // by what a link became in this browser
	shown    map[string]papers  // codes that this browser showed, by what keeps them
}

// papers are recovery codes as they were shown.
type papers struct {
	codes []string
	at    time.Time
}

// mailed is a link that went out.
type mailed struct {
	link, kind, to string
	at             time.Time
	dead           bool // it was used, or what it was for has ended
}

// watcher notes what the browser's requests came to.
type watcher struct {
	next   http.RoundTripper
	status int    // of the last POST
	landed string // what the last link became
}

func (r *watcher) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	if request.Method == http.MethodPost {
		r.status = response.StatusCode
	}
	if to, err := url.Parse(response.Header.Get("Location")); err == nil && request.URL.Query().Has("link") {
		r.landed = to.Query().Get("pass")
	}
	return response, nil
}

func TestNoRandomWalkComesToAChangeWithoutItsProof(t *testing.T) {
	const worlds = 4
	tallies := make([]map[string]int, worlds)
	t.Run("worlds", func(t *testing.T) {
		for i := range worlds {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				solo(t, func(w *world) {
					x := newSelfWalk(w)
					tallies[i] = x.tally
					for seed := *firstWalk + i; seed < *firstWalk+*walks; seed += worlds {
						x.walk(seed)
					}
				}, threeDays)
			})
		}
	})
	// A walk in which nothing happens proves nothing: each change is made now and then.
	for _, kind := range []string{
		"signed in", "second factor", "reset", "reset with a factor", "password", "email", "added", "added on demand", "removed",
		"recovery begun", "recovery stopped", "recovery outrun", "recovery finished", "deletion asked", "deletion stopped", "erased", "refused link", "code",
	} {
		n := 0
		for _, of := range tallies {
			n += of[kind]
		}
		if n < *walks/500 {
			t.Errorf("%s: %d times in %d walks", kind, n, *walks)
		}
		t.Logf("%s: %d", kind, n)
	}
}

func newSelfWalk(w *world) *selfWalk {
	x := &selfWalk{world: w, tally: map[string]int{}}
	var err error
	x.sealer, err = keys.ParseSecretKeys(madeKeys.text)
	w.must(err)
	x.apps = [2]app{w.relying(firstParty), w.relying(firstParty, demanding)}
	return x
}

// walk makes one walk about a new account.
func (x *selfWalk) walk(seed int) {
	rng := rand.New(rand.NewPCG(uint64(seed), 5))
	x.number, x.choose, x.trace, x.lost, x.shared = seed, rng.IntN, nil, false, false
	x.clock.Advance(2 * time.Hour) // whatever was throttled is no more
	x.goal = []string{"recover", "password", "email", "factors", "lost", "enrol", "delete", "any"}[x.choose(8)]
	u := x.user(fmt.Sprintf("ada%d", seed))
	x.mine = judged{world: x.world, user: u, password: password, steps: map[storage.ID]int64{}, codes: map[string]bool{}}
	own := x.actor("own", true)
	own.password, own.reader = password, true
	if x.choose(2) == 0 || x.goal == "lost" {
		secret, codes := x.enrol(u)
		own.seeds, own.codes = []string{secret}, codes
		for _, code := range codes {
			x.mine.codes[code] = true
		}
	}
	phone := x.actor("phone", true)
	phone.password, phone.reader, phone.seeds, phone.codes = own.password, true, own.seeds, own.codes
	thief := x.actor("thief", false)
	thief.password = password
	x.people = []*actor{own, own, phone, thief, x.actor("reader", true), x.actor("cookie", false), x.actor("stranger", false)}
	x.letters() // of what was done until now
	x.mine.now = x.mine.look()
	x.note("goal %s, %d factors", x.goal, len(x.mine.now.factors))
	lead := x.people[x.choose(len(x.people)-1)]
	for x.choose(2) == 0 && !own.home() { // who is signed in can be stolen from, and be told
		x.answer(own, own.tabs[1])
	}
	steps := 12 + x.choose(10)
	if x.goal == "lost" { // a long way, which begins with a password
		lead, steps = []*actor{own, thief}[x.choose(2)], steps+6
	}
	for ; steps > 0 && !x.lost && !x.mine.now.gone; steps-- {
		x.clock.Advance(time.Millisecond)
		a := lead
		if x.choose(5) == 0 {
			a = x.people[x.choose(len(x.people))]
		}
		x.step(a, a.tabs[x.choose(8)/7])
	}
}

// actor is one more, with an address of their own.
func (x *selfWalk) actor(name string, reads bool) *actor {
	b := x.near()
	jar := &watcher{next: inProcess{x.server.Config.Handler, fmt.Sprintf("192.0.2.%d", 10+x.choose(200))}}
	b.client.Transport = jar
	a := &actor{name: name, jar: jar, reads: reads, passes: map[string]*mailed{}, shown: map[string]papers{}}
	for i := range a.tabs {
		a.tabs[i] = &tab{browser: &browser{world: x.world, client: b.client}}
	}
	return a
}

func (a *actor) home() bool { return a.tabs[1].page.h1 == "Your account" }

func (x *selfWalk) step(a *actor, t *tab) {
	switch roll := x.choose(100); {
	case roll < 68:
		x.answer(a, t)
	case roll < 71:
		x.open(a, t)
	case roll < 76:
		x.openMail(a, t)
	case roll < 80 && len(t.past) > 0:
		t.page = t.past[x.choose(len(t.past))]
		x.note("%s goes back to %s", a.name, t.page.url.Path)
	case roll < 84 && t.sent != nil:
		x.send(a, t, t.path, t.sent, "once more")
	case roll < 89:
		x.stray(a, t)
	case roll < 97:
		x.wait()
	case roll < 98:
		x.get(a, t, "/oauth2/logout")
	case x.choose(2) == 0:
		x.steal()
	default:
		if own := x.people[0]; !x.mine.now.recovery.IsZero() {
			x.open(own, own.tabs[1])
		}
	}
}

func (x *selfWalk) wait() {
	waits := []time.Duration{time.Second, 31 * time.Second, 5 * time.Minute, 9 * time.Minute, 11 * time.Minute, 31 * time.Minute, 25 * time.Hour}
	if !x.mine.now.recovery.IsZero() {
		waits = []time.Duration{11 * time.Minute, 71 * time.Hour, 72 * time.Hour, 72 * time.Hour, 72 * time.Hour, 72 * time.Hour, 72 * time.Hour, 11 * 24 * time.Hour}
	} else if !x.mine.now.deletion.IsZero() {
		waits = []time.Duration{11 * time.Minute, 13 * 24 * time.Hour, 14*24*time.Hour + time.Second, 22 * 24 * time.Hour}
	}
	wait := waits[x.choose(len(waits))]
	x.note("wait %s", wait)
	if x.clock.Advance(wait); wait >= 24*time.Hour { // sessions are too long unused
		for _, a := range x.people {
			a.proofs = nil
		}
		_, err := x.provider.People().EraseRipe(x.Context())
		x.must(err)
	}
	x.judge(deed{})
}

// steal copies the cookies of the account's own browser. Whoever is the first to have them renewed has them alone.
func (x *selfWalk) steal() {
	own, thief := x.people[0], x.people[5]
	jar, err := cookiejar.New(nil)
	x.must(err)
	u, err := url.Parse(issuerURL)
	x.must(err)
	jar.SetCookies(u, own.tabs[0].client.Jar.Cookies(u))
	thief.tabs[0].client.Jar, thief.proofs = jar, slices.Clone(own.proofs)
	thief.passes, thief.shown, x.shared = own.passes, own.shown, true // what is sealed is sealed for the cookies
	x.note("own's cookies are stolen")
}

// open goes to one of the pages, mostly one that leads to what the walk is after.
func (x *selfWalk) open(a *actor, t *tab) {
	towards := map[string][]string{
		"recover": {"/recover"}, "password": {"/account/password"}, "email": {"/account/email"}, "factors": {"/account/factors"},
		"lost": {authorize(x.apps[0], "prompt", "login")}, "enrol": {authorize(x.apps[1])}, "delete": {"/account/delete", "/account"}, "any": {"/account"},
	}[x.goal]
	if !x.mine.now.recovery.IsZero() && x.recent(a, "whole", 24*time.Hour) && x.choose(2) == 0 {
		towards = []string{"/account"} // which tells of it
	} else if x.choose(10) < 3 {
		towards = []string{
			"/recover", "/account", "/account/password", "/account/email", "/account/factors", "/account/delete", "/account/factors/new", "/mfa", "/mfa/lost",
			authorize(x.apps[0]), authorize(x.apps[1]), "/setup", "/signup",
		}
	}
	x.get(a, t, towards[x.choose(len(towards))])
}

// openMail opens one of the links that the actor can read, whether it is good or not.
func (x *selfWalk) openMail(a *actor, t *tab) {
	x.letters()
	var links []*mailed
	for _, m := range x.mine.mails {
		if a.reads && m.to == x.mine.user.Email || a.reader {
			links = append(links, m)
		}
	}
	if len(links) == 0 {
		x.open(a, t)
		return
	}
	m := links[len(links)-1]
	if x.choose(4) == 0 {
		m = links[x.choose(len(links))]
	}
	a.jar.landed = ""
	x.get(a, t, strings.TrimPrefix(m.link, issuerURL), func() {
		if a.jar.landed != "" {
			a.passes[a.jar.landed] = m
		}
	})
}

// letters reads the mails that wait.
func (x *selfWalk) letters() {
	all, err := x.store.ClaimLetters(x.Context(), 50, time.Hour)
	x.must(err)
	for _, l := range all {
		x.must(x.store.FinishLetter(x.Context(), l.ID, l.Attempt))
		id, err := storage.ParseID(l.Data[storage.LetterTicket])
		if err != nil || l.Data[storage.LetterTo] == "" {
			continue
		}
		link, err := x.provider.People().MailLink(x.Context(), id)
		if err != nil {
			continue
		}
		x.mine.mails = append(x.mine.mails, &mailed{link: link, kind: l.Kind, to: l.Data[storage.LetterTo], at: l.CreatedAt})
	}
}

// answer does what the page asks for, as well as the actor can.
func (x *selfWalk) answer(a *actor, t *tab) {
	p := t.page
	if p.url == nil || p.left != nil || len(p.forms) == 0 {
		if a.reads && p.url != nil && p.url.Query().Has("sent") {
			x.openMail(a, t)
		} else {
			x.open(a, t)
		}
		return
	}
	if x.dwells(a, t) {
		return
	}
	if lost := "/mfa/lost?tx=" + url.QueryEscape(p.tx()); p.asks("otp") && p.url.Path == "/mfa" && len(a.seeds) == 0 && x.choose(4) > 0 ||
		x.goal == "lost" && p.says("/mfa/lost?tx=") && x.choose(4) > 0 {
		x.get(a, t, lost)
		return
	}
	f := p.forms[x.choose(len(p.forms))]
	if !strings.EqualFold(f.method, http.MethodPost) {
		return
	}
	values, learn := x.filled(a, p, f)
	x.send(a, t, f.action, values, "")
	learn()
}

// dwells does what people do who have just done something: they look into their mail, go back to the app, or wait.
func (x *selfWalk) dwells(a *actor, t *tab) bool {
	p := t.page
	switch {
	case p.url.Path == "/account/email" && p.url.Query().Has("done") && a.reads && x.choose(3) > 0:
		x.openMail(a, t)
	case p.url.Path == "/mfa/lost" && !x.mine.now.recovery.IsZero() && !p.offers("finish", "") && x.choose(4) > 0:
		x.wait()
		x.open(a, t)
	case p.url.Path == "/account" && p.offers("withdraw", "deletion") && x.choose(3) == 0:
		x.wait()
	case p.url.Path == "/login" && p.h1 == "Sign in" && a.password == "" && x.choose(4) > 0:
		if x.choose(2) == 0 {
			x.openMail(a, t)
		} else {
			x.get(a, t, "/recover")
		}
	default:
		return false
	}
	return true
}

// filled fills in a form with what the actor knows. learn is to be called when it was sent: whoever has set a password knows it.
func (x *selfWalk) filled(a *actor, p page, f webForm) (values url.Values, learn func()) {
	learn = func() {}
	values = f.filled(nil)
	set := func(name, value string) {
		if _, asked := f.fields[name]; asked {
			values.Set(name, value)
		}
	}
	if len(f.buttons) > 1 {
		b := f.buttons[x.choose(len(f.buttons))]
		values.Del(f.buttons[0].name)
		values.Set(b.name, b.value)
	}
	set("username", x.mine.user.Username)
	set("name", "one more")
	set("email", fmt.Sprintf("new%d@%s.example", x.choose(3), x.mine.user.Username))
	if _, chosen := f.fields["again"]; chosen {
		fresh := fmt.Sprintf("quince ladder %d umbrella violins", x.choose(1<<30))
		set("password", fresh)
		set("again", fresh)
		learn = func() {
			if x.mine.password == fresh {
				a.password = fresh
			}
		}
	} else if a.password != "" {
		set("password", a.password)
	} else {
		set("password", "a guess")
	}
	x.factor(a, p, set)
	return values, learn
}

// factor fills in a code: of the authenticator that the page shows, of one that the actor has, one of paper, or none that is right.
func (x *selfWalk) factor(a *actor, p page, set func(name, value string)) {
	otp, paper := "000000", "0123-4567-89ab-cdef-ghjk-mnpq-rstv"
	seed := ""
	if len(a.seeds) > 0 {
		seed = a.seeds[x.choose(len(a.seeds))]
	}
	if shown := shownSeed.FindStringSubmatch(p.raw); shown != nil {
		if seed = strings.ReplaceAll(shown[1], " ", ""); !slices.Contains(a.seeds, seed) {
			a.seeds = append(slices.Clip(a.seeds), seed)
		}
	}
	if seed != "" && x.choose(12) > 0 {
		if x.choose(8) > 0 {
			x.clock.Advance(31 * time.Second) // a step that did not serve yet
		}
		otp = x.code(seed)
	}
	if len(a.codes) > 0 && x.choose(12) > 0 {
		paper = a.codes[x.choose(len(a.codes))]
	}
	if p.url.Path == "/recover" && x.choose(2) == 0 { // one of the two is enough
		otp = ""
	}
	set("otp", otp)
	set("recovery_code", paper)
}

// stray sends a form that was shown to anybody, or opens an address that anybody was at.
func (x *selfWalk) stray(a *actor, t *tab) {
	var seen []page
	for _, other := range x.people {
		for _, tab := range other.tabs {
			for _, p := range append(tab.past, tab.page) {
				if p.url != nil && p.left == nil {
					seen = append(seen, p)
				}
			}
		}
	}
	if len(seen) == 0 {
		return
	}
	p := seen[x.choose(len(seen))]
	if len(p.forms) == 0 || x.choose(3) == 0 {
		x.get(a, t, p.url.RequestURI())
		return
	}
	f := p.forms[x.choose(len(p.forms))]
	values, learn := x.filled(a, p, f)
	path := f.action
	if x.choose(4) == 0 {
		path = []string{"/recover", "/account/password", "/account/email", "/account/factors", "/account/delete", "/mfa", "/mfa/lost", "/mfa/enrol", "/account"}[x.choose(9)]
	}
	if own := t.page; own.url != nil && len(own.forms) > 0 && x.choose(2) == 0 {
		values.Set("form_token", own.forms[0].fields.Get("form_token"))
	}
	x.send(a, t, path, values, "astray")
	learn()
}

func (x *selfWalk) note(format string, args ...any) {
	x.trace = append(x.trace, fmt.Sprintf(format, args...))
}

func (x *selfWalk) fatal(format string, args ...any) {
	x.Helper()
	x.Fatalf("%s; alone: -run RandomWalkComesToAChange -walks=1 -first-walk=%d\n%s", fmt.Sprintf(format, args...), x.number, strings.Join(x.trace, "\n"))
}
