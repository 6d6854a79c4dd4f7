package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// What serves once serves once, however many come with it at the same moment, at two processes over one store.

// eachPairSet is eachPair, where people may sign up and have lost factors removed.
func eachPairSet(t *testing.T, test func(nodes [2]*world)) {
	t.Helper()
	eachSite(t, func(t *testing.T, s site, c *clock) {
		test([2]*world{newWorld(t, s.engine, s.open(t, c.Now), c, openToAll, threeDays), newWorld(t, s.engine, s.open(t, c.Now), c, openToAll, threeDays)})
	})
}

// racer is a browser that is about to send a form.
type racer struct {
	*browser
	action string
	values url.Values
}

// ready fills in the form of the page that the browser shows.
func (b *browser) ready(pairs ...string) racer {
	b.Helper()
	action, values := b.fields(pairs...)
	return racer{b, action, values}
}

// race sends all forms at once, and returns what came of each. Nobody may see an error of the server; who is told that the database is
// busy sends the form again, as a person would.
func race(w *world, racers []racer) []answer {
	w.Helper()
	answers := together(len(racers), func(i int) (a answer) {
		for range 5 {
			if a = racers[i].raced(); a.status != http.StatusServiceUnavailable {
				break
			}
		}
		return a
	})
	for i, a := range answers {
		if a.status == 0 || a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
			w.Errorf("number %d is answered %d %s", i, a.status, a.raw)
		}
	}
	return answers
}

// raced sends the form and looks at the one answer. Any goroutine may call it; a status of 0 is an error.
func (r racer) raced() answer {
	request, err := http.NewRequest(http.MethodPost, issuerURL+r.action, strings.NewReader(r.values.Encode()))
	if err != nil {
		return answer{raw: err.Error()}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", issuerURL)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := r.client.Do(request)
	if err != nil {
		return answer{raw: err.Error()}
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{raw: err.Error()}
	}
	return answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
}

// winners are the numbers of those who were sent on to an address with this in it.
func winners(answers []answer, to string) (won []int) {
	for i, a := range answers {
		if a.status == http.StatusSeeOther && strings.Contains(a.header.Get("Location"), to) {
			won = append(won, i)
		}
	}
	return won
}

// told asserts that whoever came too late hears so.
func told(w *world, answers []answer, won []int, statuses ...int) {
	w.Helper()
	for i, a := range answers {
		late := len(won) > 0 && i == won[0]
		for _, status := range append(statuses, http.StatusServiceUnavailable) {
			late = late || a.status == status
		}
		if !late {
			w.Errorf("number %d is answered %d, Location %q", i, a.status, a.header.Get("Location"))
		}
	}
}

func TestOfACrowdWithOneSecondFactorOneSignsIn(t *testing.T) {
	eachPairSet(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.relying(firstParty)
		for _, name := range []string{"otp", "recovery_code"} {
			u := w.user("with-" + strings.ReplaceAll(name, "_", "-"))
			secret, recovery := w.enrol(u)
			racers := make([]racer, crowd)
			for i := range racers {
				b := nodes[i%2].near()
				b.visit(authorize(c))
				b.signIn(u.Username)
				racers[i].browser = b
			}
			code := recovery[0]
			if name == "otp" {
				code = w.code(secret)
			}
			for i, r := range racers {
				racers[i] = r.ready(name, code)
			}
			answers := race(w, racers)
			sessions, _, err := w.store.ListSessions(w.Context(), u.ID)
			w.must(err)
			whole := 0
			for _, s := range sessions {
				if s.SignedIn() {
					whole++
				}
			}
			won := winners(answers, "/oauth2/authorize")
			if whole != 1 || len(won) != 1 {
				w.Errorf("%s: %d sessions, %d winners", name, whole, len(won))
			}
			told(w, answers, won, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
			if left := w.record(u).RecoveryCodes; name == "recovery_code" && left != 9 {
				w.Errorf("%d recovery codes are left", left)
			}
		}
	})
}

func TestOfACrowdWithOneResetLinkOneChoosesThePassword(t *testing.T) {
	eachPairSet(t, func(nodes [2]*world) {
		w := nodes[0]
		u := w.user("ada")
		b := w.near()
		b.visit("/recover")
		b.submit("username", "ada")
		link := w.linkIn(w.mailTo("ada@example.com"))
		answers, secrets := crowded(nodes, link, func(i int) []string { return chosen(fmt.Sprintf("quince ladder %d umbrella violins", i)) })
		won := winners(answers, "/login?")
		if told(w, answers, won, http.StatusGone); len(won) != 1 {
			w.Fatalf("%d winners", len(won))
		}
		if n := strings.Count(w.kinds(u), "user.password_reset"); n != 1 {
			w.Errorf("the password was changed %d times", n)
		}
		b.visit("/account")
		if b.signInWith("ada", secrets[won[0]].Get("password")); b.page.h1 != "Your account" {
			w.Errorf("the winner's password does not sign in: %d %q", b.page.status, b.page.h1)
		}
	})
}

// crowded has a crowd open the link, each in a browser of their own, and send what it leads to at once.
func crowded(nodes [2]*world, link string, fill func(i int) []string) (answers []answer, sent []url.Values) {
	racers := make([]racer, crowd)
	for i := range racers {
		b := nodes[i%2].near()
		b.open(link)
		racers[i] = b.ready(fill(i)...)
		sent = append(sent, racers[i].values)
	}
	return race(nodes[0], racers), sent
}

func TestOfACrowdWithOneLinkToSignUpOneMakesTheAccount(t *testing.T) {
	eachPairSet(t, func(nodes [2]*world) {
		w := nodes[0]
		b := w.near()
		b.visit("/signup")
		b.submit("email", "grace@example.org")
		link := w.linkIn(w.mailTo("grace@example.org"))
		answers, _ := crowded(nodes, link, func(i int) []string { return chosen(newPassword, "username", fmt.Sprintf("grace%d", i)) })
		won := winners(answers, "/account")
		if told(w, answers, won, http.StatusGone, http.StatusUnprocessableEntity); len(won) != 1 {
			w.Errorf("%d winners", len(won))
		}
		users, err := w.store.ListUsers(w.Context(), storage.ID{}, 100)
		w.must(err)
		if len(users) != 1 {
			w.Errorf("%d accounts", len(users))
		}
	})
}

func TestOfACrowdWithOneLinkForAnAddressOneChangesIt(t *testing.T) {
	eachPairSet(t, func(nodes [2]*world) {
		w := nodes[0]
		u := w.user("ada")
		browsers := make([]*browser, crowd)
		for i := range browsers {
			browsers[i] = nodes[i%2].near()
			browsers[i].visit("/account/email")
			browsers[i].signIn("ada")
		}
		w.mails()
		browsers[0].submit("email", "ada@example.org")
		link := w.linkIn(w.mailTo("ada@example.org"))
		racers := make([]racer, crowd)
		for i, b := range browsers {
			b.open(link)
			racers[i] = b.ready()
		}
		answers := race(w, racers)
		won := winners(answers, "/account/email?done=email")
		for i, a := range answers { // who lost sight of the account is shown it anew, and hears it there
			if r := racers[i]; a.status == http.StatusSeeOther && strings.Contains(a.header.Get("Location"), "pass=") {
				answers[i].status = r.visit(a.header.Get("Location")).status
			}
		}
		if told(w, answers, won, http.StatusGone); len(won) != 1 {
			w.Errorf("%d winners", len(won))
		}
		if n := strings.Count(w.kinds(u), "user.email_changed"); n != 1 || w.record(u).User.Email != "ada@example.org" {
			w.Errorf("the address was changed %d times, to %s", n, w.record(u).User.Email)
		}
	})
}

func TestOfACrowdThatBeginsOneThingOneBegins(t *testing.T) {
	eachPairSet(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.relying(firstParty)
		u := w.user("ada")
		w.enrol(u)
		racers := make([]racer, crowd/4)
		for i := range racers {
			b := nodes[i%2].near()
			b.visit(authorize(c))
			b.signIn("ada")
			b.lose()
			racers[i] = b.ready("begin", "")
		}
		w.mails()
		told(w, race(w, racers), nil, http.StatusSeeOther)
		if n := strings.Count(w.kinds(u), "user.recovery_begun"); n != 1 || len(w.mails()) != 1 {
			w.Errorf("begun %d times", n)
		}
		w.clock.Advance(72 * time.Hour)
		for i := range racers {
			b := nodes[i%2].near()
			b.visit(authorize(c))
			b.signIn("ada")
			b.lose()
			racers[i] = b.ready("finish", "")
		}
		told(w, race(w, racers), nil, http.StatusSeeOther)
		if n := strings.Count(w.kinds(u), "user.recovery_finished"); n != 1 || len(w.record(u).Factors) != 0 {
			w.Errorf("finished %d times", n)
		}
	})
}
