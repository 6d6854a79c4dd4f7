package pages

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/logout"
)

// messageIDs are the IDs of a message file.
func messageIDs(t *testing.T, name string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for id := range all {
		ids[id] = true
	}
	return ids
}

func TestEveryMessageIsThereAndUsed(t *testing.T) {
	ids := messageIDs(t, "messages/active.en.json")
	used := map[string]bool{}
	for _, h := range authorize.Headings() {
		used["refusal."+string(h)] = true
	}
	for _, h := range []logout.Heading{logout.HeadingInvalid, logout.HeadingTargetMismatch, logout.HeadingExpired, logout.HeadingOtherBrowser} {
		used["refusal."+string(h)] = true
	}
	reference := regexp.MustCompile(`(?:\bt|titled|text|count|problem|you) ?\(?(?:err, |p, )?"([a-z_]+(?:\.[a-z_]+)*)"`)
	literal := regexp.MustCompile(`"([a-z]+\.[a-z_.]+|busy)"`)
	heading := regexp.MustCompile(`heading: "([a-z_]+)"`)
	files, _ := filepath.Glob("*.go")
	templates, _ := filepath.Glob("templates/*.html")
	for _, name := range slices.Concat(files, templates) {
		if strings.HasSuffix(name, "_test.go") || name == "samples.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if !ids[m[1]] {
				t.Errorf("%s uses the message %s, which there is none of", name, m[1])
			}
		}
		for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
		for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
			used["refusal."+m[1]] = true
		}
	}
	for id := range used {
		if strings.HasPrefix(id, "refusal.") && ids[id+".text"] {
			used[id+".text"] = true
		}
	}
	for id := range maps.Keys(ids) {
		if !used[id] && !strings.HasPrefix(id, "scope.") && !strings.HasPrefix(id, "claim.") {
			t.Errorf("the message %s is used nowhere", id)
		}
	}
	for id := range used {
		if strings.HasPrefix(id, "refusal.") && !ids[id] {
			t.Errorf("the message %s is missing", id)
		}
	}
	for _, h := range authorize.Headings() {
		if !ids["refusal."+string(h)] || !ids["refusal."+string(h)+".text"] {
			t.Errorf("the refusal %s has no words", h)
		}
	}
}

// hebrew is a made-up translation of every message into a language that is written from right to left.
func hebrew(t *testing.T) fs.FS {
	t.Helper()
	english, err := fs.ReadFile(messageFiles, "messages/active.en.json")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"messages/active.en.json": {Data: english},
		"messages/active.he.json": {Data: []byte(`{"signin.title": "כניסה", "signin.submit": "להיכנס"}`)},
	}
}

func TestALanguageIsAFileAndMayBeWrittenFromRightToLeft(t *testing.T) {
	r := testRenderer(t, hebrew(t))
	for _, c := range []struct{ uiLocales, accept, want string }{
		{"", "", "en"},
		{"", "he-IL,he;q=0.9,en;q=0.8", "he"},
		{"", "fr-FR,fr;q=0.9", "en"},
		{"se", "he", "he"}, // one that there is not: what the browser prefers
		{"he", "en", "he"},
		{"fr he-IL en", "en", "he"},
		{"en", "he", "en"},
		{"not@a*tag", "he", "he"},
		{"", ";;;q=x", "en"},
		{"", strings.Repeat("a,", 4000), "en"},
	} {
		if got := r.tongues.each[r.tongues.choose(strings.Fields(c.uiLocales), c.accept)].Tag; got != c.want {
			t.Errorf("ui_locales %q and Accept-Language %.20q choose %s, want %s", c.uiLocales, c.accept, got, c.want)
		}
	}
	text, err := r.html(r.tongues.choose([]string{"he"}, ""), signInPage{Action: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="he" dir="rtl">`, "<h1>כניסה</h1>", `<label for="password">Password</label>`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %s:\n%s", want, text)
		}
	}
}

func TestAPageThatLacksAFieldStopsTheStart(t *testing.T) {
	if _, err := newRenderer(fstest.MapFS{"messages/active.en.json": {Data: []byte(`{"signin.title": "Sign in"}`)}}, "", "id.example"); err == nil {
		t.Error("it starts without its messages")
	}
}
