package browser

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestCookiesAreKeptFromOtherHostsScriptsAndSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	app, _ := w.enrol(t, w.user(t, "ada"))
	for name, c := range map[string]struct {
		issuer, prefix string
		secure         bool
	}{
		"https":         {issuer, "__Host-", true},
		"http loopback": {"http://localhost:8080", "", false},
	} {
		w.Browsers = w.node(Config{Issuer: c.issuer})
		p := w.browser()
		_, err := p.signIn(t, "ada", good)
		must(t, err)
		v := p.visit(t)
		_, err = w.SecondFactor(t.Context(), v, "", v.Accounts[0], remembered(otp(w.code(t, app))))
		must(t, err)
		_, err = w.FormToken(v, "/login")
		must(t, err)
		h := http.Header{}
		v.Cookies(h)
		answer := http.Response{Header: h}
		ages := map[string]int{}
		for _, cookie := range answer.Cookies() {
			ages[cookie.Name] = cookie.MaxAge
			check(t, cookie.Secure == c.secure && cookie.HttpOnly && cookie.SameSite == http.SameSiteLaxMode && cookie.Path == "/" &&
				cookie.Domain == "", "%s: %s", name, cookie)
		}
		want := map[string]int{
			c.prefix + "signet-sid": 0, c.prefix + "signet-pre": 3600, c.prefix + "signet-device": 400 * 86400, c.prefix + "signet-mfa": 30 * 86400,
		}
		for cookie, age := range want {
			got, there := ages[cookie]
			check(t, there && got == age, "%s: %s lives for %d s, want %d (there: %v)", name, cookie, got, age, there)
		}
		check(t, len(ages) == len(want), "%s: the cookies are %v", name, ages)
		w.pass(30e9)
	}
}

func TestTwoCookiesOfOneNameAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	p := w.browser()
	p.mustSignIn(t, "ada")
	v := p.visit(t)
	sealed, err := w.Seal(v, 1)
	must(t, err)
	p.take(v)
	for _, name := range []string{cookieSessions, cookiePre} {
		r := p.request(t)
		r.AddCookie(&http.Cookie{Name: hostPrefix + name, Value: p.cookies[hostPrefix+name]})
		v, err := w.Visit(r)
		must(t, err)
		check(t, (len(v.Accounts) == 0) == (name == cookieSessions), "%s twice: %d accounts", name, len(v.Accounts))
		if name == cookiePre {
			var n int
			want(t, w.Unseal(v, sealed, &n), ErrForeign)
		}
	}
	check(t, len(p.visit(t).Accounts) == 1, "one of each is not enough")
}

func TestAMangledSessionCookieIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	p := w.browser()
	p.mustSignIn(t, "ada")
	whole := p.session()
	other := strings.Repeat("A", 43)
	for _, value := range []string{
		"", whole + ".", "." + whole, whole + "." + whole, whole + "=", whole[:42], whole + "A", whole[:42] + "B.", whole + ".x",
		strings.Join([]string{whole, other, "B" + other[1:], "C" + other[1:], "D" + other[1:], "E" + other[1:]}, "."),
		whole + "." + strings.Repeat("A", 4<<10),
	} {
		p.cookies[hostPrefix+cookieSessions] = value
		check(t, len(p.visit(t).Accounts) == 0, "%q is a session", value)
	}
	p.cookies[hostPrefix+cookieSessions] = other + "." + whole
	check(t, slices.Equal(names(p.visit(t).Accounts), []string{"ada"}), "a secret of nothing beside it hides a session")
	delete(p.cookies, hostPrefix+cookieSessions)
	p.cookies[cookieSessions] = whole
	check(t, len(p.visit(t).Accounts) == 0, "a cookie that any neighbour could plant is taken with https")
}

func TestAnAnonymousVisitAsksNothingAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	must(t, w.store.Close())
	v := w.browser().visit(t)
	_, err := w.Seal(v, 1)
	must(t, err)
	check(t, len(v.Accounts) == 0 && v.Now.IsZero() && v.Seen.Address == "192.0.2.1", "%+v", v)
}

func TestASecretHasOneText(t *testing.T) {
	t.Parallel()
	text := joinSecrets(parseSecrets(strings.Repeat("A", 43)))
	check(t, text == strings.Repeat("A", 43), "%q", text)
	for _, other := range []string{strings.Repeat("A", 42) + "B", strings.Repeat("A", 40) + "\nAAA", strings.Repeat("A", 44), "\n" + text} {
		check(t, parseSecrets(other) == nil, "%q is the same secret, or one at all", other)
	}
}
