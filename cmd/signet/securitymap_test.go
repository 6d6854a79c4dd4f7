package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryLineOfTheSecurityMapNamesItsTests: each line of docs/security-map.md has a test, and each test that it names is in
// this repository; what waits for its part names none.
func TestEveryLineOfTheSecurityMapNamesItsTests(t *testing.T) {
	t.Parallel()
	holdMap(t, "security-map.md", 70)
}

// TestEveryLineOfTheConformanceMapNamesItsTests: so it is with docs/conformance-map.md.
func TestEveryLineOfTheConformanceMapNamesItsTests(t *testing.T) {
	t.Parallel()
	holdMap(t, "conformance-map.md", 80)
}

// holdMap reports what is wrong with a page of docs that says which tests hold what. It has so many lines at least.
func holdMap(t *testing.T, name string, least int) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	faults, lines := checkMap(string(page), testNames(t))
	for _, fault := range faults {
		t.Errorf("docs/%s: %s", name, fault)
	}
	if lines < least {
		t.Errorf("docs/%s has %d lines: were they all found?", name, lines)
	}
}

// TestTheCheckOfTheMapsSeesTheirFaults: a check that finds nothing anywhere would hold nothing.
func TestTheCheckOfTheMapsSeesTheirFaults(t *testing.T) {
	t.Parallel()
	const head = "| from | what must hold | held by |\n|---|---|---|\n"
	tests := map[string]bool{"TestThere": true, "FuzzThere": true}
	for name, c := range map[string]struct {
		page   string
		faults int
	}{
		"good":                 {head + "| RFC 1 | a thing | `TestThere` `FuzzThere` |\n", 0},
		"no test":              {head + "| RFC 1 | a thing | |\n", 1},
		"no such test":         {head + "| RFC 1 | a thing | `TestThere` `TestGone` |\n", 1},
		"words for a test":     {head + "| RFC 1 | a thing | by hand, `TestThere` |\n", 1},
		"a line twice":         {head + "| RFC 1 | a thing | `TestThere` |\n| RFC 1 | a thing | `TestThere` |\n", 1},
		"a column is missing":  {head + "| RFC 1 | `TestThere` |\n", 1},
		"later without a test": {"## Later\n\n| part | lines that wait |\n|---|---|\n| doors | RFC 2 |\n", 0},
		"later with a test":    {"## Later\n\n| part | lines that wait |\n|---|---|\n| doors | `TestThere` |\n", 1},
	} {
		if faults, _ := checkMap(c.page, tests); len(faults) != c.faults {
			t.Errorf("%s: found %q, want %d faults", name, faults, c.faults)
		}
	}
}

// checkMap returns what is wrong with the page, and how many lines it has that tests must hold.
func checkMap(page string, tests map[string]bool) (faults []string, lines int) {
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	later, seen := false, map[string]bool{}
	all := strings.Split(page, "\n")
	for i, line := range all {
		if strings.HasPrefix(line, "## ") {
			later = line == "## Later"
		}
		heads := i+1 < len(all) && strings.HasPrefix(all[i+1], "|---")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || heads {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if later {
			if named.MatchString(line) {
				faults = append(faults, "this has a test, and so is not for later: "+line)
			}
			continue
		}
		lines++
		switch {
		case seen[line]:
			faults = append(faults, "this line is there twice: "+line)
		case len(cells) != 3 || strings.TrimSpace(cells[0]) == "" || strings.TrimSpace(cells[1]) == "":
			faults = append(faults, "a line has three columns: "+line)
		case !named.MatchString(cells[2]) || strings.TrimSpace(named.ReplaceAllString(cells[2], "")) != "":
			faults = append(faults, "the last column holds names of tests and nothing else: "+line)
		}
		seen[line] = true
		for _, match := range named.FindAllStringSubmatch(line, -1) {
			if !tests[match[1]] {
				faults = append(faults, match[1]+" does not exist: name the test that holds this now: "+line)
			}
		}
	}
	return faults, lines
}

// testNames are the tests and fuzz targets of the whole repository, the modules beside this one included.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.[TF]\)`)
	root := os.DirFS(filepath.Join("..", ".."))
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(root, path)
		for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
			names[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
