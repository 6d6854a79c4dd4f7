package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// slowed reports whether err says to come back later.
func slowed(err error) bool {
	e := oauth.As(err)
	return e != nil && e.Code == oauth.SlowDown
}

func TestAKnownBrowserGetsItsOwnerThroughAnAttack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	w.user(t, "bob")
	p := w.browserOf(t, "ada")
	delete(p.cookies, hostPrefix+cookieSessions)
	attack := func() {
		for i := range 10 {
			eve := w.browser()
			eve.address = fmt.Sprintf("203.0.113.%d", i)
			_, _ = eve.signIn(t, "ada", "wrong")
		}
	}
	attack()
	_, err := w.browser().signIn(t, "ada", good)
	check(t, slowed(err), "at a browser that nobody knows: %v", err)
	for range 3 {
		attack()
		p.mustSignIn(t, "ada")
	}

	thief := p.copy() // of the cookie, who does not know the password
	delete(thief.cookies, hostPrefix+cookieSessions)
	for range 5 {
		_, err := thief.signIn(t, "ada", "wrong")
		want(t, err, account.ErrWrong)
	}
	_, err = thief.signIn(t, "ada", good)
	check(t, slowed(err), "the thief's sixth guess: %v", err)
	for range 5 { // at an account that never signed in there the cookie is worth nothing
		_, err := thief.signIn(t, "bob", "wrong")
		want(t, err, account.ErrWrong)
	}
	_, err = w.browser().signIn(t, "bob", good)
	check(t, slowed(err), "the thief's guesses at another account did not count: %v", err)
}

func TestABrowserKnowsTenPeopleFor400Days(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	p := w.browser()
	for i := range 12 {
		w.user(t, fmt.Sprint("user", i))
		p.mustSignIn(t, fmt.Sprint("user", i))
	}
	v := p.visit(t)
	check(t, len(v.device.People) == 10 && v.device.ID != "" && v.device.People[0].User == v.Accounts[0].User.ID, "%+v", v.device)
	id := v.device.ID
	p.mustSignIn(t, "user5")
	v = p.visit(t)
	check(t, len(v.device.People) == 10 && v.device.ID == id && v.device.People[0].User == v.Accounts[0].User.ID, "%+v", v.device)
	w.pass(400*24*time.Hour + time.Second)
	check(t, len(p.visit(t).device.People) == 0, "it knows them still")
	long, err := w.mint.Seal(handle.UseDevice, []byte(`{"id":"`+strings.Repeat("x", 4<<10)+`"}`))
	must(t, err)
	form, err := w.mint.Seal(handle.UseForm, []byte(`{"id":"x"}`))
	must(t, err)
	for _, cookie := range []string{"skd_forged", long, form, "skd_" + form[4:]} {
		p.cookies[hostPrefix+cookieDevice] = cookie
		check(t, p.visit(t).device.ID == "", "%.40q is a device", cookie)
	}
}

func TestARememberedBrowserSparesTheFactorAndProvesNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	app, _ := w.enrol(t, ada)
	p := w.browser()
	p.mustSignIn(t, "ada")
	_, err := p.factor(t, remembered(otp(w.code(t, app))))
	must(t, err)
	check(t, slices.Equal(w.events(t, ada), []string{"signin.succeeded", "signin.device_remembered"}), "the audit log has %v", w.events(t, ada))
	delete(p.cookies, hostPrefix+cookieSessions)
	w.pass(time.Hour)
	a := p.mustSignIn(t, "ada")
	check(t, a.Session.SignedIn() && a.Session.FactorAt.IsZero() && a.Session.ACR == oauth.ACRPassword &&
		slices.Equal(a.Session.AMR, []string{"pwd"}), "%+v", a.Session)

	other := w.user(t, "bob")
	w.enrol(t, other)
	check(t, !p.mustSignIn(t, "bob").Session.SignedIn(), "one person's device spares another the factor")

	stepped, err := p.choose(t, ada)
	must(t, err)
	check(t, stepped.User.ID == ada.ID, "%+v", stepped)
	_, err = p.factor(t, remembered(otp(w.code(t, app))))
	must(t, err)
	devices, err := w.store.ListDevices(t.Context(), ada.ID)
	must(t, err)
	check(t, len(devices) == 1 && len(p.visit(t).remembered) == 1, "one browser is remembered %d times", len(devices))

	delete(p.cookies, hostPrefix+cookieSessions)
	w.pass(30 * 24 * time.Hour)
	check(t, !p.mustSignIn(t, "ada").Session.SignedIn(), "it is remembered for longer than 30 days")
}

func TestARememberedBrowserIsForgottenWithThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	app, _ := w.enrol(t, ada)
	p := w.browser()
	p.mustSignIn(t, "ada")
	_, err := p.factor(t, remembered(otp(w.code(t, app))))
	must(t, err)
	check(t, p.mustSignIn(t, "ada").Session.SignedIn(), "it is not remembered")
	const changed = "another horse battery"
	must(t, w.people.SetPassword(t.Context(), ada.ID, secretOf(changed), account.By{Actor: "cli"}))
	a, err := p.signIn(t, "ada", changed)
	must(t, err)
	check(t, !a.Session.SignedIn(), "the remembered browser outlived the password")
}

// choose makes the user's account the current one.
func (c *client) choose(t *testing.T, u storage.User) (Account, error) {
	t.Helper()
	v := c.visit(t)
	a, there := v.find(ofUser(u.ID))
	check(t, there, "%s is not among %v", u.Username, names(v.Accounts))
	a, err := c.b.Choose(t.Context(), v, a.Session.ID)
	c.take(v)
	return a, err
}
