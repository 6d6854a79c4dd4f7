package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/developer"
)

// TestEverySnippetThatIsSaidToBeTestedIs: the page says so of those alone that the tests with real clients run for every kind of app.
func TestEverySnippetThatIsSaidToBeTestedIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "e2e", "snippets_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range valueSamples() {
		for _, s := range snippets() {
			run := strings.Contains(string(text), strconv.Quote(string(v.Kind)+" "+s.ID)+":")
			if s.Fits(v) && s.Tested != run {
				t.Errorf("%s for %s: said to be tested: %t, run: %t", s.ID, v.Kind, s.Tested, run)
			}
		}
	}
}

// TestEverySnippetIsOffered: no file lies there that no app is shown, and every kind of app has snippets.
func TestEverySnippetIsOffered(t *testing.T) {
	t.Parallel()
	offered, kinds := map[string]bool{}, map[developer.Kind]int{}
	for _, v := range valueSamples() {
		for _, s := range snippets() {
			if !s.Fits(v) {
				continue
			}
			kinds[v.Kind]++
			if s.Variant != nil {
				offered[s.ID+"_"+s.Variant(v)] = true
			} else {
				offered[s.ID] = true
			}
		}
	}
	names, err := fs.Glob(snippetFiles, "snippets/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if file := strings.TrimSuffix(filepath.Base(name), ".tmpl"); name != sharedSnippet && !offered[file] {
			t.Errorf("the snippet %s is shown for no kind of app", file)
		}
	}
	for _, k := range developer.Kinds() {
		if kinds[k] < 4 {
			t.Errorf("for %s there are %d snippets", k, kinds[k])
		}
	}
}

// TestEverySnippetForSigningPeopleInSendsPKCE: the server wants it of every app. Two of the libraries send it unasked.
func TestEverySnippetForSigningPeopleInSendsPKCE(t *testing.T) {
	t.Parallel()
	book, err := loadSnippets()
	if err != nil {
		t.Fatal(err)
	}
	unasked := []string{"browser", "mcp", "kubernetes"}
	noCode := []string{"curl_device", "curl_machine", "go_machine", "node_machine", "python_machine", "django_api"}
	asks := regexp.MustCompile(`code_challenge|S256|(?i:pkce)`)
	for name, sections := range book.files {
		if slices.Contains(append(unasked, noCode...), name) {
			continue
		}
		found := false
		for _, section := range sections {
			for _, line := range strings.Split(section.template.Root.String(), "\n") {
				line = strings.TrimSpace(line)
				found = found || asks.MatchString(line) && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "//") // not in a comment alone
			}
		}
		if !found {
			t.Errorf("the snippet %s does not ask its library for PKCE", name)
		}
	}
}

// TestNoSnippetIsMadeForProductionWithItsGuardsDown: what a site at https copies has no debugger, and its cookies stay at https.
func TestNoSnippetIsMadeForProductionWithItsGuardsDown(t *testing.T) {
	t.Parallel()
	book, err := loadSnippets()
	if err != nil {
		t.Fatal(err)
	}
	down := regexp.MustCompile(`(?i)debug ?[=:] ?true|verify ?[=:] ?false|rejectUnauthorized|InsecureSkipVerify|allowInsecure|INSECURE|response_type=token|implicit|localStorage`)
	looked := 0
	for _, v := range valueSamples() {
		if v.Plain || !v.TLS {
			continue
		}
		for _, s := range snippets() {
			if !s.Fits(v) {
				continue
			}
			sections, err := book.write(s, v)
			if err != nil {
				t.Fatal(err)
			}
			looked++
			for _, section := range sections {
				if bad := down.FindString(section.text); bad != "" {
					t.Errorf("%s for %s, %s: %s", s.ID, v.Kind, section.name, bad)
				}
				if s.ID == "django_site" && strings.HasPrefix(section.name, "file") && !strings.Contains(section.text, "SESSION_COOKIE_SECURE=True") {
					t.Error("Django's session cookie goes over http, too")
				}
			}
		}
	}
	if looked < 10 {
		t.Errorf("%d were looked at", looked)
	}
}
