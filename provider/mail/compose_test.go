package mail

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
	"time"

	"golang.org/x/net/html"
)

// TestEveryKindHasItsMailInEveryLanguage: nothing is missing, and text and HTML say the same.
func TestEveryKindHasItsMailInEveryLanguage(t *testing.T) {
	t.Parallel()
	w, err := newWriter(issuer)
	if err != nil {
		t.Fatal(err)
	}
	f := facts{account: "ada & co", app: "The <Shop>", address: "192.0.2.7", at: time.Date(2026, 11, 22, 14, 5, 0, 0, time.FixedZone("", 3600))}
	for _, in := range w.tongues.each {
		for name, of := range kinds() {
			if !of.app {
				f.app, f.address = "", ""
			} else {
				f.app, f.address = "The <Shop>", "192.0.2.7"
			}
			m, err := w.write(in, name, f)
			if err != nil {
				t.Fatal(err)
			}
			if m.Subject == "" || strings.ContainsAny(m.Subject, "\r\n") || m.Language != in.tag {
				t.Errorf("%s in %s: subject %q", name, in.tag, m.Subject)
			}
			seen := words(t, m.HTML)
			for _, want := range []string{m.Subject, f.account, f.app, f.address, "2026-11-22 13:05 UTC", "id.example.com"} {
				if !strings.Contains(m.Text, want) || !strings.Contains(seen, want) {
					t.Errorf("%s in %s does not say %q:\n%s\n%s", name, in.tag, want, m.Text, seen)
				}
			}
			for _, line := range strings.Split(m.Text, "\n") {
				if line = strings.Join(strings.Fields(line), " "); line != "--" && !strings.Contains(line, ": ") && !strings.Contains(seen, line) {
					t.Errorf("%s in %s: the HTML does not say %q", name, in.tag, line)
				}
			}
			if all := m.Text + m.HTML; strings.Contains(all, "{{") || strings.Contains(all, "<no value>") {
				t.Errorf("%s in %s has a hole:\n%s", name, in.tag, all)
			}
			for _, address := range regexp.MustCompile(`https?://[^\s<"]+`).FindAllString(m.Text+m.HTML, -1) {
				if address != issuer {
					t.Errorf("%s in %s names %s", name, in.tag, address)
				}
			}
			if strings.Contains(m.HTML, "src=") || strings.Contains(m.HTML, "url(") {
				t.Errorf("%s in %s loads something", name, in.tag)
			}
		}
	}
}

// words are what a reader of HTML sees.
func words(t *testing.T, page string) string {
	t.Helper()
	tree, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for n := range tree.Descendants() {
		if n.Type == html.TextNode {
			seen = append(seen, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(seen, " ")
}

func TestEveryTextIsThereAndUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"fact.account": true, "fact.time": true, "fact.app": true, "fact.address": true, "footer": true}
	for name := range kinds() {
		used[name+".subject"], used[name+".lead"], used[name+".advice"] = true, true, true
	}
	files, err := filepath.Glob("messages/active.*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var there map[string]string
		if err := json.Unmarshal(data, &there); err != nil {
			t.Fatal(err)
		}
		if has, want := slices.Sorted(maps.Keys(there)), slices.Sorted(maps.Keys(used)); !slices.Equal(has, want) {
			t.Errorf("%s has %v, want %v", file, has, want)
		}
	}
}

// TestEveryLetterThatIsWrittenHasAMail: one of a kind that is not here would wait for three days and be dropped.
func TestEveryLetterThatIsWrittenHasAMail(t *testing.T) {
	t.Parallel()
	written := regexp.MustCompile(`(?:letters\(|letter :?= |Letter\{+Kind: )"([a-z_]+)"`)
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range written.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if written, mails := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(kinds())); !slices.Equal(written, mails) {
		t.Errorf("letters are written of %v, and mails made of %v", written, mails)
	}
}

// TestThePersonsLanguageIsChosen among those that there are files of, and English for the others and for what a file lacks.
func TestThePersonsLanguageIsChosen(t *testing.T) {
	t.Parallel()
	tongues, err := loadTongues(fstest.MapFS{
		"messages/active.en.json": {Data: []byte(`{"a": "one {{.X}}", "b": "two"}`)},
		"messages/active.de.json": {Data: []byte(`{"a": "eins {{.X}}"}`)},
		"messages/active.ar.json": {Data: []byte(`{"a": "واحد {{.X}}", "b": "اثنان"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for locale, want := range map[string]struct{ tag, dir, a, b string }{
		"":        {"en", "ltr", "one 1", "two"},
		"!":       {"en", "ltr", "one 1", "two"},
		"ja-JP":   {"en", "ltr", "one 1", "two"},
		"de-CH":   {"de", "ltr", "eins 1", "two"},
		"ar_EG":   {"ar", "rtl", "واحد 1", "اثنان"},
		"en-GB":   {"en", "ltr", "one 1", "two"},
		"de-Latn": {"de", "ltr", "eins 1", "two"},
	} {
		in := tongues.choose(locale)
		a, errA := in.text("a", map[string]string{"X": "1"})
		b, errB := in.text("b", nil)
		if in.tag != want.tag || in.dir != want.dir || a != want.a || b != want.b || errA != nil || errB != nil {
			t.Errorf("%q: %s %s, %q %v, %q %v", locale, in.tag, in.dir, a, errA, b, errB)
		}
	}
	if _, err := tongues.choose("").text("c", nil); err == nil {
		t.Error("a text that is nowhere is no error")
	}
}

func TestASenderOrIssuerThatIsNoneStopsTheStart(t *testing.T) {
	t.Parallel()
	transport := startServer(t, nil).transport("smtp", false)
	for _, c := range []Config{
		{Issuer: issuer, Transport: transport}, {Issuer: issuer, Transport: transport, From: "nobody"}, {Issuer: "%", Transport: transport, From: "a@b.example"},
	} {
		if _, err := New(nil, c); err == nil {
			t.Errorf("%+v starts", c)
		}
	}
}
