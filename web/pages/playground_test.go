package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// saidByPlayground adds to used the messages that the scripts of the playground say; each must be one of ids. Those of claims are all used,
// each by the name of its claim, and so are the titles of the tokens of an answer.
func saidByPlayground(t *testing.T, ids, used map[string]bool) {
	t.Helper()
	const says = "playground.says."
	for id := range ids {
		if strings.HasPrefix(id, says+"claim_") {
			used[id] = true
		}
	}
	used[says+"access_token"], used[says+"id_token"] = true, true
	names, err := filepath.Glob("static/playground*.js")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	word, said := regexp.MustCompile(`"([a-z]+(?:_[a-z]+)*)"`), regexp.MustCompile(`\b(?:say|succeeds|refusedAs)\("([a-z_]*[a-z])"`)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range word.FindAllStringSubmatch(string(text), -1) {
			used[says+m[1]] = true
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			if !ids[says+m[1]] {
				t.Errorf("%s says %s, which there is none of", name, m[1])
			}
		}
	}
}
