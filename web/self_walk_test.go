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
	spared   time.Time          // when the browser was remembered, so that it is asked for no second factor
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
		"recovery begun", "recovery stopped", "recovery outrun", "recovery finished", "deletion asked", "deletion stopped", "erased", "refused link", "code", "remembered",
	} {
		n := 0
		for _, of := range tallies {
			n += of[kind]
		}
		if n < *walks/1000 {
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
	steps := 10 + x.choose(8)
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
	thief.tabs[0].client.Jar, thief.proofs, thief.spared = jar, slices.Clone(own.proofs), own.spared
	thief.passes, thief.shown, x.shared = own.passes, own.shown, true // what is sealed is sealed for the cookies
	x.note("own's cookies are stolen")
}

func (x *selfWalk) note(format string, args ...any) {
	x.trace = append(x.trace, fmt.Sprintf(format, args...))
}

func (x *selfWalk) fatal(format string, args ...any) {
	x.Helper()
	x.Fatalf("%s; alone: -run RandomWalkComesToAChange -walks=1 -first-walk=%d\n%s", fmt.Sprintf(format, args...), x.number, strings.Join(x.trace, "\n"))
}
