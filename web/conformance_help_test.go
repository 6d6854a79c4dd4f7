package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/signet-idp/signet/storage"
)

// none asks with prompt=none and returns the error code that the client hears, "" for none. It is told without any page.
func (b *browser) none(c app, pairs ...string) string {
	b.Helper()
	p := b.visit(authorize(c, append([]string{"prompt", "none"}, pairs...)...))
	if p.left == nil {
		b.Fatalf("prompt=none shows %d %q", p.status, p.h1)
	}
	return p.left.Query().Get("error")
}

// refused asserts a page of ours that says no: with a heading, with this status, leading nowhere.
func (b *browser) refused(p page, status int, what string) {
	b.Helper()
	if p.left != nil || p.status != status || p.h1 == "" || !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		b.Errorf("%s: %d %q, left %v, want the page %d", what, p.status, p.h1, p.left, status)
	}
	if p.header.Get("Cache-Control") != "no-store" {
		b.Errorf("%s: Cache-Control %q", what, p.header.Get("Cache-Control"))
	}
}

// press presses the button of that name, whatever its value is, whose text has the words in it.
func (b *browser) press(name, words string) page {
	b.Helper()
	for _, f := range b.page.forms {
		for _, pressed := range f.buttons {
			if pressed.name == name && strings.Contains(pressed.text, words) {
				return b.submit(name, pressed.value)
			}
		}
	}
	b.Fatalf("%s has no button %s that says %q:\n%s", b.page.url, name, words, b.page.raw)
	return page{}
}

// tokens goes through an authorization request and redeems the code.
func (b *browser) tokens(c app, username string, pairs ...string) answer {
	b.Helper()
	a := b.exchange(c, b.through(c, username, "", pairs...).Get("code"))
	b.want(a, http.StatusOK, "")
	return a
}

// elements are all elements of that name in the page, each with the value of one attribute.
func (p page) elements(name, attr string) (values []string) {
	root, err := html.Parse(strings.NewReader(p.raw))
	if err != nil {
		return nil
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			values = append(values, attribute(n, attr))
		}
	}
	return values
}

// directive is what the page's Content Security Policy has for a directive.
func (p page) directive(name string) []string {
	for d := range strings.SplitSeq(p.header.Get("Content-Security-Policy"), ";") {
		if words := strings.Fields(d); len(words) > 0 && words[0] == name {
			return words[1:]
		}
	}
	return nil
}

// wantFields asserts the names of response parameters, each there once.
func (w *world) wantFields(what string, got url.Values, want ...string) {
	w.Helper()
	var names []string
	for name, values := range got {
		names = append(names, name)
		if len(values) != 1 {
			w.Errorf("%s: %s is there %d times", what, name, len(values))
		}
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		w.Errorf("%s: parameters %v, want %v", what, names, want)
	}
}

// plainDescription asserts what RFC 6749 §4.1.2.1 lets an error_description hold.
func (w *world) plainDescription(what, text string) {
	w.Helper()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
		w.Errorf("%s: error_description %q", what, text)
	}
}

// deliver sends what the outbox holds, as the upkeep does, and returns what went wrong.
func (w *world) deliver() (faults []error) {
	w.Helper()
	for {
		letters, err := w.store.ClaimLetters(w.Context(), 50, time.Minute)
		w.must(err)
		if len(letters) == 0 {
			return faults
		}
		for _, l := range letters {
			if l.Kind == storage.LetterSessionEnded || l.Kind == "backchannel_logout" {
				if err := w.provider.Logout().Deliver(w.Context(), l); err != nil {
					faults = append(faults, err)
				}
				continue
			}
			w.must(w.store.FinishLetter(w.Context(), l.ID, l.Attempt))
		}
	}
}
