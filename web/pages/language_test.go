package pages

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/logout"
)

// messageIDs are the IDs of all messages.
func messageIDs(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, name := range messageParts(t) {
		for id := range texts(t, name) {
			if ids[id] {
				t.Errorf("%s: the message %s is in another file, too", name, id)
			}
			ids[id] = true
		}
	}
	return ids
}

// messageParts are the message files in English.
func messageParts(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(messageFiles, "messages/*.en.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	return names
}

func TestEveryMessageIsThereAndUsed(t *testing.T) {
	ids := messageIDs(t)
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
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "samples.go") {
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
	saidByPlayground(t, ids, used)
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

// texts are the messages of a file by ID, each with its plural forms; one without is "other".
func texts(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	file, err := fs.ReadFile(messageFiles, name)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	messages := map[string]map[string]string{}
	for id, message := range all {
		forms := map[string]string{}
		switch m := message.(type) {
		case string:
			forms["other"] = m
		case map[string]any:
			for form, text := range m {
				forms[form], _ = text.(string)
			}
		}
		messages[id] = forms
	}
	return messages
}

// placeholders are what is filled into a text.
func placeholders(text string) []string {
	return slices.Sorted(slices.Values(regexp.MustCompile(`\{\{[^}]*\}\}`).FindAllString(text, -1)))
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	for _, part := range messageParts(t) {
		english := texts(t, part)
		for _, tag := range Languages() {
			saysEverything(t, english, strings.TrimSuffix(part, "en.json")+tag+".json")
		}
	}
}

// saysEverything compares a message file with its English one.
func saysEverything(t *testing.T, english map[string]map[string]string, name string) {
	t.Helper()
	messages := texts(t, name)
	for id := range messages {
		if english[id] == nil {
			t.Errorf("%s: the message %s is used nowhere", name, id)
		}
	}
	for id, want := range english {
		forms := messages[id]
		if forms == nil {
			t.Errorf("%s: the message %s is missing", name, id)
			continue
		}
		if got, want := placeholders(forms["other"]), placeholders(want["other"]); !slices.Equal(got, want) {
			t.Errorf("%s: %s is filled with %v, in English with %v", name, id, got, want)
		}
		if len(want) > 1 != (len(forms) > 1) {
			t.Errorf("%s: %s has the forms %v, in English %v", name, id, slices.Collect(maps.Keys(forms)), slices.Collect(maps.Keys(want)))
		}
		for form, text := range forms {
			switch {
			case strings.TrimSpace(text) != text || text == "":
				t.Errorf("%s: %s (%s) is empty, or begins or ends with space", name, id, form)
			case len(forms) > 1 && !slices.Contains([]string{"", "{{.PluralCount}}"}, strings.Join(placeholders(text), " ")):
				t.Errorf("%s: %s (%s) is filled with %v", name, id, form, placeholders(text))
			case !strings.HasSuffix(name, ".en.json") && text == want["other"] && strings.Contains(text, " "):
				t.Errorf("%s: %s is left in English: %s", name, id, text)
			case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
				t.Errorf("%s: %s (%s) has a character that cannot be seen", name, id, form)
			}
		}
	}
}

// hebrew is a made-up translation of some messages into a language that is written from right to left.
func hebrew(t *testing.T) fs.FS {
	t.Helper()
	files := fstest.MapFS{"messages/active.he.json": {Data: []byte(`{"signin.title": "כניסה", "signin.submit": "להיכנס"}`)}}
	for _, part := range messageParts(t) {
		english, err := fs.ReadFile(messageFiles, part)
		if err != nil {
			t.Fatal(err)
		}
		files[part] = &fstest.MapFile{Data: english}
	}
	return files
}

func TestALanguageIsAFileAndMayBeWrittenFromRightToLeft(t *testing.T) {
	r := testRenderer(t, hebrew(t))
	for _, c := range []struct{ uiLocales, locale, accept, want string }{
		{"", "", "", "en"},
		{"", "", "he-IL,he;q=0.9,en;q=0.8", "he"},
		{"", "", "fr-FR,fr;q=0.9", "en"},
		{"se", "", "he", "he"}, // one that there is not: what the browser prefers
		{"he", "", "en", "he"},
		{"fr he-IL en", "", "en", "he"},
		{"en", "", "he", "en"},
		{"not@a*tag", "", "he", "he"},
		{"", "", ";;;q=x", "en"},
		{"", "", strings.Repeat("a,", 4000), "en"},
		{"", "he-IL", "en", "he"}, // the person's own before the browser's
		{"", "he_IL", "en", "he"},
		{"en", "he", "he", "en"}, // the app's before the person's own
		{"fr", "he", "en", "he"},
		{"", "fr", "he", "he"},
		{"", "not@a*tag", "he", "he"},
	} {
		if got := r.tongues.each[r.tongues.choose(strings.Fields(c.uiLocales), c.locale, c.accept)].Tag; got != c.want {
			t.Errorf("ui_locales %q and Accept-Language %.20q choose %s, want %s", c.uiLocales, c.accept, got, c.want)
		}
	}
	text, err := r.html(r.tongues.choose([]string{"he"}, "", ""), signInPage{Action: "/login"})
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

func TestEveryLanguageCountsInItsOwnForms(t *testing.T) {
	r := testRenderer(t, messageFiles)
	for i, in := range r.tongues.each {
		for _, id := range []string{"wait.seconds", "wait.minutes"} {
			for n := range 201 {
				text, err := in.count(id, n)
				if err != nil {
					t.Fatalf("%s: %s of %d: %v", in.Tag, id, n, err)
				}
				if english, _ := r.tongues.each[0].count(id, n); i > 0 && text == english {
					t.Errorf("%s: %s of %d is said in English: %s", in.Tag, id, n, text)
				}
				if n > 2 && !strings.Contains(text, strconv.Itoa(n)) {
					t.Errorf("%s: %s of %d does not say how many: %s", in.Tag, id, n, text)
				}
			}
		}
	}
}

func TestEveryPageIsWholeInEveryLanguage(t *testing.T) {
	r := testRenderer(t, messageFiles)
	directions := map[string]string{"en": "ltr", "de": "ltr", "ar": "rtl"}
	for i, in := range r.tongues.each {
		if in.Dir != directions[in.Tag] {
			t.Errorf("%s is written %s, want %q", in.Tag, in.Dir, directions[in.Tag])
		}
		for _, sample := range samples() {
			text, err := r.html(i, sample)
			if err != nil {
				t.Fatal(err)
			}
			if want := `<html lang="` + in.Tag + `" dir="` + in.Dir + `">`; !strings.Contains(string(text), want) {
				t.Errorf("%s in %s lacks %s", sample.template(), in.Tag, want)
			}
			if whole := weight(r, text); whole > most(sample) {
				t.Errorf("%s in %s weighs %d bytes with all that it loads", sample.template(), in.Tag, whole)
			}
			clean, err := r.html(0, sample)
			if err != nil {
				t.Fatal(err)
			}
			if was, is := shape(parsed(t, clean)), shape(parsed(t, text)); was != is {
				t.Errorf("%s in %s has another shape than in English:\n%s\n%s", sample.template(), in.Tag, was, is)
			}
		}
	}
}

func TestAValueKeepsItsDirectionAndLeavesTheTextItsOwn(t *testing.T) {
	r := testRenderer(t, messageFiles)
	for _, c := range []struct{ language, value, want string }{
		{"en", "Ada", "Signed in as Ada."},
		{"en", "آدا 7", "Signed in as \u2068آدا 7\u2069."},
		{"en", "\u202eadA", "Signed in as \u2068\u202eadA\u2069."},
		{"de", "Änne", "Angemeldet als \u2068Änne\u2069."},
		{"ar", "Ada (7)", "تم تسجيل الدخول باسم \u2068Ada (7)\u2069."},
	} {
		got, err := r.tongues.each[r.tongues.choose([]string{c.language}, "", "")].text("you.as", "Name", c.value)
		if err != nil || got != c.want {
			t.Errorf("%s: %q becomes %q (%v), want %q", c.language, c.value, got, err, c.want)
		}
	}
}

func TestTheLanguagesAreNamedWithEnglishFirst(t *testing.T) {
	var spoken []string
	for _, in := range testRenderer(t, messageFiles).tongues.each {
		spoken = append(spoken, in.Tag)
	}
	if tags := Languages(); !slices.Equal(tags, spoken) || !slices.Equal(tags, []string{"en", "ar", "de"}) {
		t.Errorf("the languages are said to be %q, and are %q", tags, spoken)
	}
}
