package pages

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/goccy/go-yaml"

	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

// nasty are values that would be more than a value if anything let them.
var nasty = []string{
	`plain`, `it's`, `"; touch canary; "`, "$(touch canary)", "`touch canary`", `'; touch canary; '`, `\`, `\"`, `\'`, `${HOME}`, `#{1}`, `%s%n`, `a#b`,
	`: - [x]`, `<script>alert(1)</script>`, `</script>`, `{{.}}`, "`${1}`", "\u2028\u2029", "\u202eevil", "ünïcödé 😀", `""" + x + """`, `*/ x /*`, `-rf`, `!!python/object`,
}

// interpreter finds the program that reads the language.
func interpreter(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("SIGNET-MISSING: %s: install it", name)
	}
	t.Skipf("SIGNET-MISSING: %s: install it", name)
	return ""
}

// TestAQuotedValueIsReadBackAsItWas: what a snippet says of a value, its own language reads as that value and as nothing else.
func TestAQuotedValueIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	quote := func(t *testing.T, name, value string) string {
		t.Helper()
		switch f := quoting()[name].(type) {
		case func(string) string:
			return f(value)
		case func(string) (string, error):
			text, err := f(value)
			if err != nil && !errors.Is(err, errUnwritable) {
				t.Fatal(err)
			}
			return text
		}
		t.Fatalf("no function quotes for %s", name)
		return ""
	}
	for name, read := range map[string]func(t *testing.T, texts []string) []string{
		"sh": func(t *testing.T, texts []string) []string {
			return output(t, interpreter(t, "bash"), "-c", `printf '%s\0' `+strings.Join(texts, " "))
		},
		"js": func(t *testing.T, texts []string) []string {
			return output(t, interpreter(t, "node"), "-e", `for (const s of [`+strings.Join(texts, ",")+`]) process.stdout.write(s + "\0")`)
		},
		"py": func(t *testing.T, texts []string) []string {
			return output(t, interpreter(t, "python3"), "-c", `import sys
for s in [`+strings.Join(texts, ",")+`]: sys.stdout.buffer.write(s.encode() + b"\0")`)
		},
		"go": func(t *testing.T, texts []string) (values []string) {
			for _, text := range texts {
				value, err := strconv.Unquote(text)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return values
		},
		"yaml": func(t *testing.T, texts []string) (values []string) {
			if err := yaml.Unmarshal([]byte("- "+strings.Join(texts, "\n- ")), &values); err != nil {
				t.Fatal(err)
			}
			return values
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var texts, want []string
			for _, value := range nasty {
				if text := quote(t, name, value); text != "" {
					texts, want = append(texts, text), append(want, value)
				}
			}
			if got := read(t, texts); !slices.Equal(got, want) {
				t.Errorf("read %q, want %q", got, want)
			}
			if len(want) < len(nasty)-3 {
				t.Errorf("only %d values can be said", len(want))
			}
		})
	}
	for value, want := range map[string]string{`a"b\c`: `"a\"b\\c"`, "$x": "", "${x}": "", "a\nb": "", "a#b;c": `"a#b;c"`} {
		if got := quote(t, "conf", value); got != want {
			t.Errorf("for Apache and nginx %q is %s, want %s", value, got, want)
		}
	}
}

// output runs a program, and returns what it wrote, each ended by a zero byte.
func output(t *testing.T, name string, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("a value was run")
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// TestNoValueComesIntoASnippetUnquoted: every template says values through a quoting function, but for those that cannot be anything
// but a number or one of three words.
func TestNoValueComesIntoASnippetUnquoted(t *testing.T) {
	t.Parallel()
	book, err := loadSnippets()
	if err != nil {
		t.Fatal(err)
	}
	safe := []string{"{{.Port}}", "{{.Auth}}"}
	checked := 0
	for name, sections := range book.files {
		for _, section := range sections {
			for _, tree := range section.template.Templates() {
				if tree.Tree == nil {
					continue
				}
				for _, action := range actionsIn(tree.Root) {
					last := action.Pipe.Cmds[len(action.Pipe.Cmds)-1].Args[0]
					function, isFunction := last.(*parse.IdentifierNode)
					if isFunction && quoting()[function.Ident] != nil || slices.Contains(safe, action.String()) {
						checked++
						continue
					}
					t.Errorf("%s, %s: %s is not quoted", name, section.name, action)
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d values were looked at: were they all found?", checked)
	}
}

// actionsIn are the places of a template at which something is written that is not the template's own text.
func actionsIn(n parse.Node) (actions []*parse.ActionNode) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, child := range n.Nodes {
			actions = append(actions, actionsIn(child)...)
		}
	case *parse.ActionNode:
		actions = append(actions, n)
	case *parse.IfNode:
		actions = append(actionsIn(n.List), actionsIn(n.ElseList)...)
	case *parse.RangeNode:
		actions = append(actionsIn(n.List), actionsIn(n.ElseList)...)
	case *parse.WithNode:
		actions = append(actionsIn(n.List), actionsIn(n.ElseList)...)
	}
	return actions
}

// hostileValues are those of apps of every kind whose every value is as bad as its check lets it be, and worse.
func hostileValues() (all []appValues) {
	for _, k := range developer.Kinds() {
		for _, method := range []string{"client_secret_basic", "client_secret_post", "none"} {
			for _, uri := range []string{"http://localhost:3000/it's/$(touch%20canary);`x`/'+x+'?a='&b=$HOME#", "http://127.0.0.1/'$(x)';//--/*", "https://shop.example/'${x}"} {
				m := developer.Defaults(k)
				m.TokenEndpointAuthMethod, m.RedirectURIs = method, []string{uri}
				m.Scope += " it's $(touch_canary) `x` ; ') # </script> */ //"
				m.Resources = []string{"urn:it's:$(touch_canary)"}
				all = append(all, valuesOf("https://id.example/it's", "ES256", storage.Client{ID: `it's "$(touch canary)" \`, Metadata: m}))
			}
		}
	}
	return all
}

// TestSnippetsOfHostileAppsAreWhole: whatever an app's values are, each snippet is a program of its language. Go's are parsed as they
// are written.
func TestSnippetsOfHostileAppsAreWhole(t *testing.T) {
	t.Parallel()
	book, err := loadSnippets()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]map[string]bool{} // by extension
	for _, v := range append(hostileValues(), valueSamples()...) {
		for _, s := range snippets() {
			if !s.Fits(v) {
				continue
			}
			sections, err := book.write(s, v)
			if errors.Is(err, errUnwritable) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", s.ID, err)
			}
			for _, section := range sections {
				extension := filepath.Ext(section.name)
				if extension == "" {
					extension = ".sh"
				}
				if strings.HasPrefix(section.name, "file app/page") {
					continue // JSX
				}
				if texts[extension] == nil {
					texts[extension] = map[string]bool{}
				}
				texts[extension][section.text] = true
			}
		}
	}
	for extension, check := range map[string][]string{
		".sh": {"bash", "-n"}, ".mjs": {"node", "--check"}, ".js": {"node", "--check"}, ".py": {"python3", "-c", `import sys
for name in sys.argv[1:]: compile(open(name, encoding="utf-8").read(), name, "exec")`},
	} {
		if len(texts[extension]) == 0 {
			t.Errorf("no %s was looked at", extension)
		}
		t.Run(extension, func(t *testing.T) {
			t.Parallel()
			program, dir := interpreter(t, check[0]), t.TempDir()
			var names []string
			for text := range texts[extension] {
				name := filepath.Join(dir, strconv.Itoa(len(names))+strings.Replace(extension, ".js", ".mjs", 1))
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			each := [][]string{names}
			if extension != ".py" { // the others read one file at a time
				each = slices.Collect(slices.Chunk(names, 1))
			}
			for _, files := range each {
				if out, err := exec.CommandContext(t.Context(), program, append(slices.Clone(check[1:]), files...)...).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
	for _, extension := range []string{".yml", ".yaml"} {
		for text := range texts[extension] {
			var anything any
			if err := yaml.Unmarshal([]byte(text), &anything); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		}
	}
}
