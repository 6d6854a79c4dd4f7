package pages

import (
	"io/fs"
	"os"
	"path/filepath"
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
