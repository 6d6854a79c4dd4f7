package web_test

import (
	"maps"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// strangers are names that no password opens: what is wrong with each, and the name.
func (w *world) strangers() map[string]string {
	w.Helper()
	by := account.By{Actor: "test"}
	w.user("known")
	w.must(w.provider.People().Disable(w.Context(), w.user("disabled").ID, by))
	_, err := w.provider.People().Create(w.Context(), storage.User{Username: "passwordless"}, storage.Secret{}, by)
	w.must(err)
	w.enrol(w.user("second"))
	return map[string]string{
		"wrong": "known", "unknown": "nobody", "disabled": "disabled", "passwordless": "passwordless", "second factor": "second",
		"address": "known@example.com", "unknown address": "nobody@example.com",
	}
}

// sealedText is what differs between any two pages: requests and tokens that are sealed anew, by their length alone.
var sealedText = regexp.MustCompile(`(stx|sft)_[A-Za-z0-9_-]+|srq_[A-Za-z0-9]+|[A-Z2-7]{26}`)

// passkeyChallenge is what the sign-in page asks passkeys to sign.
var passkeyChallenge = regexp.MustCompile(`&#34;challenge&#34;:&#34;[A-Za-z0-9_-]{43}&#34;`)

// outside is a page as who knows only what he typed sees it.
func outside(p page, username string) (status int, header http.Header, cookies []string, raw string) {
	h := p.header.Clone()
	for _, name := range []string{"X-Request-Id", "Date", "Set-Cookie"} {
		h.Del(name)
	}
	for _, c := range p.header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(c, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		cookies = append(cookies, name+" "+strconv.Itoa(len(value))+attributes)
	}
	raw = passkeyChallenge.ReplaceAllString(p.raw, "") // drawn anew for every page, whoever it is for
	raw = sealedText.ReplaceAllStringFunc(raw, func(s string) string { return s[:4] + strconv.Itoa(len(s)) })
	if n := len(raw) + 64; h.Get("Content-Length") != "" { // of the name that is repeated in its field
		h.Set("Content-Length", strconv.Itoa(n-len(username)))
	}
	return p.status, h, cookies, strings.ReplaceAll(raw, `value="`+username+`"`, `value="NAME"`)
}

func TestTheSignInPageTellsNobodyWhoIsThere(t *testing.T) {
	each(t, func(w *world) {
		strangers := w.strangers()
		delete(strangers, "address") // the name and the address of one person share their bucket
		c := w.relying()
		for attempt := range 6 { // at the sixth, everybody has had too many
			type seen struct {
				status  int
				header  http.Header
				cookies []string
				raw     string
			}
			var first *seen
			for what, name := range strangers {
				b := w.near()
				b.client.Transport = from{"198.51.100." + strconv.Itoa(attempt), b.client.Transport}
				b.visit(authorize(c))
				p := b.submit("username", name, "password", "wrong")
				var s seen
				s.status, s.header, s.cookies, s.raw = outside(p, name)
				if first == nil {
					first = &s
				}
				if s.status != first.status || s.raw != first.raw || !slices.Equal(s.cookies, first.cookies) || !maps.EqualFunc(s.header, first.header, slices.Equal) {
					t.Errorf("attempt %d, %s: %d %v %v\n%s\nothers: %d %v %v\n%s", attempt+1, what, s.status, s.header, s.cookies, s.raw, first.status, first.header, first.cookies, first.raw)
				}
			}
			if want := map[bool]int{true: http.StatusUnprocessableEntity, false: http.StatusTooManyRequests}[attempt < 5]; first.status != want {
				t.Errorf("attempt %d: %d, want %d", attempt+1, first.status, want)
			}
		}
	})
}

// from is a browser at another address.
type from struct {
	address string
	next    http.RoundTripper
}

func (t from) RoundTrip(r *http.Request) (*http.Response, error) {
	return inProcess{t.next.(inProcess).handler, t.address}.RoundTrip(r)
}

// TestEverySignInCostsOneHashWhoeverItIs counts the work by the memory that hashes take, which is new each time: it has the package
// to itself while it runs, since it is not parallel.
func TestEverySignInCostsOneHashWhoeverItIs(t *testing.T) {
	const hash = 16 << 20
	c := newClock()
	w := newWorld(t, "sqlite", engines["sqlite"](t, c.Now), c, func(p *provider.Config) {
		p.PasswordHash = account.Params{Memory: hash >> 10, Time: 1, Threads: 1}
	})
	strangers := w.strangers()
	strangers["long"] = strings.Repeat("x", 300)
	relying := w.relying()
	for what, name := range strangers {
		for _, secret := range []string{"wrong", password, strings.Repeat("x", 5000), "\x01"} {
			b := w.near()
			b.visit(authorize(relying))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p := b.submit("username", name, "password", secret)
			runtime.ReadMemStats(&after)
			if n := (after.TotalAlloc - before.TotalAlloc) / hash; n != 1 {
				t.Errorf("%s: %d hashes for %d %q", what, n, p.status, p.h1)
			}
			w.clock.Advance(time.Minute)
		}
	}
}

func TestAtThePagesToCodesAreThrottledApartFromPasswords(t *testing.T) {
	each(t, func(w *world) {
		seed, recovery := w.enrol(w.user("grace"))
		c := w.relying(firstParty)
		half := func() *browser {
			b := w.near()
			b.visit(authorize(c))
			b.signIn("grace")
			return b
		}
		a, b := half(), half()
		for i := range 5 { // in two browsers and by both kinds of code: it is the person that is counted
			p := []*browser{a, b}[i%2].submit([]string{"otp", "recovery_code"}[i%2], "wrong")
			w.shown("a wrong code", p, http.StatusUnprocessableEntity)
		}
		for _, proof := range [][]string{{"otp", w.code(seed)}, {"recovery_code", recovery[0]}} {
			p := b.submit(proof...)
			if w.shown("the sixth", p, http.StatusTooManyRequests); p.header.Get("Retry-After") == "" {
				t.Error("without Retry-After")
			}
		}
		again := half() // the password is not slowed
		w.clock.Advance(time.Minute)
		for range 5 {
			guess := w.near()
			guess.visit(authorize(c))
			w.shown("a wrong password", guess.submit("username", "grace", "password", "wrong"), http.StatusUnprocessableEntity)
		}
		guess := w.near()
		guess.visit(authorize(c))
		w.shown("the sixth password", guess.signIn("grace"), http.StatusTooManyRequests)
		if again.submit("otp", w.code(seed)); again.page.left == nil || again.page.left.Query().Get("code") == "" { // nor are codes by passwords
			t.Errorf("the right code: %d %q", again.page.status, again.page.h1)
		}
	})
}

func TestTheOwnerOfAKnownBrowserSignsInWhileTheAccountIsUnderAttack(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.user("eve")
		c := w.relying(firstParty)
		home, eve := w.signedIn(c, "", "ada"), w.signedIn(c, "", "eve")
		attack := func() (slowed int) {
			for i := range 20 {
				b := w.near()
				b.client.Transport = from{"198.51.100." + strconv.Itoa(i), b.client.Transport}
				b.visit(authorize(c))
				if b.submit("username", "ada", "password", "wrong").status == http.StatusTooManyRequests {
					slowed++
				}
			}
			return slowed
		}
		if n := attack(); n != 15 {
			t.Fatalf("%d of 20 guesses were slowed down, want 15", n)
		}
		w.clock.Advance(time.Second)
		eve.visit(authorize(c, "prompt", "login"))
		w.shown("a browser that knows somebody else", eve.signIn("ada"), http.StatusTooManyRequests)
		stranger := w.near()
		stranger.visit(authorize(c))
		w.shown("an unknown browser", stranger.signIn("ada"), http.StatusTooManyRequests)
		home.visit(authorize(c, "prompt", "login"))
		for range 4 {
			w.shown("a wrong password at home", home.submit("username", "ada", "password", "typo"), http.StatusUnprocessableEntity)
		}
		if home.signIn("ada"); home.page.left == nil {
			t.Errorf("at home: %d %q", home.page.status, home.page.h1)
		}
		// Whoever steals the cookie guesses no more often than that, the typos at home included.
		thief := w.near()
		thief.plant("signet-device", home.cookies()["signet-device"])
		thief.visit(authorize(c))
		w.shown("a thief's guess, the fifth at this browser", thief.submit("username", "ada", "password", "wrong"), http.StatusUnprocessableEntity)
		w.shown("a thief's sixth guess", thief.signIn("ada"), http.StatusTooManyRequests)
	})
}
