package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/storage"
)

// open goes to one of the pages, mostly one that leads to what the walk is after.
func (x *selfWalk) open(a *actor, t *tab) {
	towards := map[string][]string{
		"recover": {"/recover"}, "password": {"/account/password"}, "email": {"/account/email"}, "factors": {"/account/factors"},
		"lost": {authorize(x.apps[0], "prompt", "login"), authorize(x.apps[0], "prompt", "login"), authorize(x.apps[1])}, "enrol": {authorize(x.apps[1])}, "delete": {"/account/delete", "/account"}, "any": {"/account"},
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
	if x.choose(6) == 0 {
		x.note("the mail is read late")
		x.clock.Advance(31 * time.Minute)
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
	for _, box := range f.boxes {
		if box != "remember" || x.choose(3) == 0 {
			values.Set(box, "yes")
		}
	}
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
