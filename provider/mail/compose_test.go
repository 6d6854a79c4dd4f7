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
	"unicode"

	"golang.org/x/net/html"

	"github.com/signet-idp/signet/storage"
)

// sealedLink is what a ticket's link looks like.
const sealedLink = issuer + "/recover?link=sml_AbC-_09"

// sampleFacts are all that a mail of a kind can tell.
func sampleFacts(of kind) facts {
	f := facts{
		account: "ada & co", address: "192.0.2.7", agent: "Firefox, Linux", once: of.ticket,
		at: time.Date(2026, 11, 22, 14, 5, 0, 0, time.FixedZone("", 3600)), ripe: time.Date(2026, 11, 25, 13, 5, 0, 0, time.UTC),
	}
	if of.app {
		f.app = "The <Shop>"
	}
	if of.ticket {
		f.link = sealedLink
	} else if of.path != "" {
		f.link = issuer + of.path
	}
	return f
}

// TestEveryKindHasItsMailInEveryLanguage: nothing is missing, text and HTML say the same, and neither leads to anybody but the issuer.
func TestEveryKindHasItsMailInEveryLanguage(t *testing.T) {
	t.Parallel()
	w, err := newWriter(issuer)
	if err != nil {
		t.Fatal(err)
	}
	addresses := regexp.MustCompile(`https?://[^\s<"]+`)
	for _, in := range w.tongues.each {
		for name, of := range kinds() {
			f := sampleFacts(of)
			m, err := w.write(in, name, f)
			if err != nil {
				t.Fatal(err)
			}
			if m.Subject == "" || strings.ContainsAny(m.Subject, "\r\n") || m.Language != in.tag {
				t.Errorf("%s in %s: subject %q", name, in.tag, m.Subject)
			}
			seen := words(t, m.HTML)
			wanted := []string{m.Subject, f.account, f.app, f.address, f.agent, f.link, "2026-11-22 13:05 UTC", "2026-11-25 13:05 UTC", "id.example.com"}
			if of.ticket {
				wanted = append(wanted, "2026-11-22 13:35 UTC") // until when the link serves
			}
			for _, want := range wanted {
				if !strings.Contains(m.Text, want) || !strings.Contains(seen, want) {
					t.Errorf("%s in %s does not say %q:\n%s\n%s", name, in.tag, want, m.Text, seen)
				}
			}
			for _, line := range strings.Split(m.Text, "\n") {
				if line = strings.Join(strings.Fields(line), " "); line != "--" && !strings.Contains(line, ": ") && !strings.Contains(seen, strings.TrimSuffix(line, ":")) {
					t.Errorf("%s in %s: the HTML does not say %q", name, in.tag, line)
				}
			}
			if all := m.Text + m.HTML; strings.Contains(all, "{{") || strings.Contains(all, "<no value>") || strings.Contains(all, "ZgotmplZ") {
				t.Errorf("%s in %s has a hole:\n%s", name, in.tag, all)
			}
			for _, address := range addresses.FindAllString(m.Text+m.HTML, -1) {
				if address = strings.TrimRight(address, ".:"); address != issuer && address != f.link && address != issuer+"/signup" {
					t.Errorf("%s in %s names %s", name, in.tag, address)
				}
			}
			if f.link != "" && (!slices.Contains(strings.Split(m.Text, "\n"), f.link) || strings.Count(m.HTML, `<a href="`+f.link+`"`) != 2) {
				t.Errorf("%s in %s: the link is not on a line of its own, or not to be clicked:\n%s\n%s", name, in.tag, m.Text, m.HTML)
			}
			if strings.Contains(m.Text, "\n\n\n") || strings.Contains(m.HTML, "src=") || strings.Contains(m.HTML, "url(") {
				t.Errorf("%s in %s loads something, or has a gap:\n%s", name, in.tag, m.Text)
			}
		}
	}
}

// TestWhatIsNotKnownIsNotTold: a stranger's mail names no account, and says that it goes to an address that was given.
func TestWhatIsNotKnownIsNotTold(t *testing.T) {
	t.Parallel()
	w, err := newWriter(issuer)
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.write(w.tongues.choose("en"), "sign_up", facts{link: sealedLink, once: true, given: true, at: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"Account:", "App:", "Browser:", "Network address:", "Takes effect:", "your account"} {
		if strings.Contains(m.Text, absent) {
			t.Errorf("it says %s:\n%s", absent, m.Text)
		}
	}
	if !strings.Contains(m.Text, issuer+" sends this to an address that was given there.") || !strings.Contains(m.Text, "  Time: 1970-01-01 00:00 UTC\n") {
		t.Errorf("it says:\n%s", m.Text)
	}
}

// TestTimesAreThePersonsOwn, and read the same among words that are written from right to left.
func TestTimesAreThePersonsOwn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 13, 5, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"": "2026-11-22 13:05 UTC", "Europe/Berlin": "2026-11-22 14:05 CET", "Asia/Dubai": "2026-11-22 17:05 UTC+04",
		"Local": "2026-11-22 13:05 UTC", "../etc/passwd": "2026-11-22 13:05 UTC", "Nowhere/None": "2026-11-22 13:05 UTC",
	} {
		if got := clock(at, zoneOf(storage.User{Profile: storage.Profile{Zoneinfo: zone}})); got != want {
			t.Errorf("%q: %s, want %s", zone, got, want)
		}
	}
	w, err := newWriter(issuer)
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.write(w.tongues.choose("ar"), "reset", facts{account: "ada (7)", link: sealedLink, once: true, at: at})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\u20682026-11-22 13:05 UTC\u2069", "\u20682026-11-22 13:35 UTC\u2069", "\u2068ada (7)\u2069"} {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
			t.Errorf("%q does not stand for itself:\n%s", want, m.Text)
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

// placeholders are what is filled into a text.
func placeholders(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(regexp.MustCompile(`\{\{[^}]*\}\}`).FindAllString(text, -1))))
}

// TestEveryTextIsThereAndUsed in every language, filled with the same, and left in English nowhere.
func TestEveryTextIsThereAndUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"footer": true, "footer.given": true, "note.link": true}
	for _, of := range []string{"account", "time", "ripe", "app", "agent", "address"} {
		used["fact."+of] = true
	}
	for name, of := range kinds() {
		used[name+".subject"], used[name+".lead"], used[name+".advice"] = true, true, true
		if of.ticket || of.path != "" {
			used[name+".action"] = true
		}
	}
	read := func(file string) (there map[string]string) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &there); err != nil {
			t.Fatal(err)
		}
		return there
	}
	files, err := filepath.Glob("messages/active.*.json")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	english := read("messages/active.en.json")
	for _, file := range files {
		there := read(file)
		if has, want := slices.Sorted(maps.Keys(there)), slices.Sorted(maps.Keys(used)); !slices.Equal(has, want) {
			t.Errorf("%s has %v, want %v", file, has, want)
		}
		for id, text := range there {
			switch {
			case !slices.Equal(placeholders(text), placeholders(english[id])):
				t.Errorf("%s: %s is filled with %v, in English with %v", file, id, placeholders(text), placeholders(english[id]))
			case strings.TrimSpace(text) != text || text == "":
				t.Errorf("%s: %s is empty, or begins or ends with space", file, id)
			case text == english[id] && strings.Contains(text, " ") && !strings.HasSuffix(file, ".en.json"):
				t.Errorf("%s: %s is left in English", file, id)
			case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
				t.Errorf("%s: %s has a character that cannot be seen", file, id)
			case strings.HasSuffix(id, ".subject") && strings.Contains(text, "{{"):
				t.Errorf("%s: %s is filled with something: a subject is read before anything else is", file, id)
			}
		}
	}
}

// TestEveryLetterThatIsWrittenHasAMail: one of a kind that is not here would wait for three days and be dropped. And each kind is written.
func TestEveryLetterThatIsWrittenHasAMail(t *testing.T) {
	t.Parallel()
	written := regexp.MustCompile(`(?:[lL]etters?\(|letterTo\(|letter :?= |Letter\{+Kind: )"([a-z_]+)"`)
	quoted := regexp.MustCompile(`"([a-z_]+)"`)
	mentioned := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Dir(path) == filepath.Join("..", "mail") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range written.FindAllStringSubmatch(string(text), -1) {
			if _, known := kinds()[m[1]]; !known && m[1] != nothingHere {
				t.Errorf("%s writes letters of kind %s, of which no mail is made", path, m[1])
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			mentioned[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind := range kinds() {
		if !mentioned[kind] {
			t.Errorf("nobody writes letters of kind %s", kind)
		}
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
