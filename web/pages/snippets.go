package pages

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"strings"
	"text/template"

	"github.com/signet-idp/signet/provider/developer"
)

// snippetFiles are the snippets: snippets/ID.tmpl, or snippets/ID_VARIANT.tmpl where apps of several kinds have one each. A file has
// sections, each a template for appValues: "-- install --" and "-- run --" are for the shell, and "-- file NAME --" is a file to save.
//
//go:embed snippets/*.tmpl
var snippetFiles embed.FS

// sharedSnippet has what several snippets are made of.
const sharedSnippet = "snippets/shared.tmpl"

// snippet is a program, or a configuration, that uses an app.
type snippet struct {
	ID, Name string // of its files; and as people know it
	Language string // that it is written in, for the lang-… class of its code
	Fits     func(appValues) bool
	Variant  func(appValues) string // nil: there is one for all
	Needs    func(appValues) string // the redirect URI without which it does not run; nil: the app's own
	Tested   bool                   // the tests take it from the page and run it unchanged, for every kind of app that it fits
}

// snippets are all there are, in the order in which they are offered.
func snippets() []snippet {
	return []snippet{
		{ID: "curl", Name: "curl", Language: "bash", Fits: curlFits, Variant: curlVariant, Tested: true},
		{ID: "go", Name: "Go", Language: "go", Fits: programFits, Variant: programVariant, Tested: true},
		{ID: "node", Name: "Node.js", Language: "javascript", Fits: programFits, Variant: programVariant, Tested: true},
		{ID: "python", Name: "Python", Language: "python", Fits: programFits, Variant: programVariant, Tested: true},
		{ID: "browser", Name: "oidc-client-ts", Language: "javascript", Fits: servedTo(developer.KindSPA), Tested: true},
		{ID: "mcp", Name: "MCP", Language: "javascript", Fits: mcpFits, Tested: true},
		{ID: "next", Name: "Next.js with Auth.js", Language: "javascript", Fits: servedTo(developer.KindWeb), Needs: at("/api/auth/callback/signet")},
		{ID: "django_site", Name: "Django", Language: "python", Fits: servedTo(developer.KindWeb), Tested: true},
		{ID: "spring", Name: "Spring Boot", Language: "yaml", Fits: servedTo(developer.KindWeb), Needs: at("/login/oauth2/code/signet")},
		{ID: "apache", Name: "Apache", Language: "apache", Fits: servedTo(developer.KindWeb), Tested: true},
		{ID: "nginx", Name: "nginx", Language: "nginx", Fits: servedTo(developer.KindWeb)},
		{ID: "kubernetes", Name: "Kubernetes", Language: "yaml", Fits: kubernetesFits, Needs: func(appValues) string { return "http://localhost:8000" }},
		{ID: "django_api", Name: "Django REST", Language: "python", Fits: func(v appValues) bool { return v.JWT }, Tested: true},
	}
}

func curlFits(v appValues) bool { return v.Proves && (v.Machine || v.Device || v.RedirectURI != "") }

func curlVariant(v appValues) string {
	switch {
	case v.Machine:
		return "machine"
	case v.Device:
		return "device"
	}
	return "code"
}

func programFits(v appValues) bool {
	return v.Machine && v.Secret || servedTo(developer.KindWeb)(v) || loopbackFits(v)
}

func programVariant(v appValues) string {
	switch v.Kind {
	case developer.KindMachine:
		return "machine"
	case developer.KindWeb:
		return "web"
	}
	return "native"
}

// loopbackFits: what runs on a person's device takes its answer at a loopback address.
func loopbackFits(v appValues) bool {
	return v.Proves && v.Loopback && (v.Kind == developer.KindNative || v.Kind == developer.KindAgent)
}

func mcpFits(v appValues) bool { return loopbackFits(v) && v.Kind == developer.KindAgent }

func kubernetesFits(v appValues) bool { return v.Kind == developer.KindNative && !v.Secret && v.Proves }

// servedTo: a site whose redirect URI the snippet answers itself.
func servedTo(k developer.Kind) func(appValues) bool {
	return func(v appValues) bool {
		return v.Kind == k && v.Proves && v.Served && (v.Secret || k != developer.KindWeb)
	}
}

func at(path string) func(appValues) string {
	return func(v appValues) string { return v.Origin + path }
}

// snippetBook is all snippets, parsed.
type snippetBook struct {
	files map[string][]snippetSection
}

// snippetSection is one of the sections of a file.
type snippetSection struct {
	name     string // install, run, or "file " and a name
	template *template.Template
}

// written is a section for an app.
type written struct{ name, text string }

// loadSnippets parses every snippet and writes each for a sample app, so that a fault stops the start, not a developer.
func loadSnippets() (*snippetBook, error) {
	shared, err := template.New("shared").Funcs(quoting()).ParseFS(snippetFiles, sharedSnippet)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(snippetFiles, "snippets/*.tmpl")
	if err != nil {
		return nil, err
	}
	b := &snippetBook{map[string][]snippetSection{}}
	for _, name := range names {
		if name == sharedSnippet {
			continue
		}
		text, err := fs.ReadFile(snippetFiles, name)
		if err != nil {
			return nil, err
		}
		sections, err := parseSections(shared, string(text))
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		b.files[strings.TrimSuffix(strings.TrimPrefix(name, "snippets/"), ".tmpl")] = sections
	}
	for _, v := range valueSamples() {
		for _, s := range snippets() {
			if !s.Fits(v) {
				continue
			}
			if _, err := b.write(s, v); err != nil {
				return nil, fmt.Errorf("try the snippet %s: %w", s.ID, err)
			}
		}
	}
	return b, nil
}

var errSections = errors.New("a snippet begins with the heading of a section")

func parseSections(shared *template.Template, text string) (sections []snippetSection, err error) {
	var name string
	var body strings.Builder
	end := func() error {
		if name == "" {
			return nil
		}
		t, err := shared.Clone()
		if err == nil {
			t, err = t.New(name).Parse(body.String())
		}
		sections = append(sections, snippetSection{name, t})
		body.Reset()
		return err
	}
	for line := range strings.Lines(text) {
		heading, found := strings.CutPrefix(strings.TrimSuffix(line, " --\n"), "-- ")
		switch {
		case found:
			if err := end(); err != nil {
				return nil, err
			}
			name = heading
		case name == "":
			return nil, errSections
		default:
			body.WriteString(line)
		}
	}
	return sections, end()
}

// write is the snippet for an app. The error is errUnwritable where one of the app's values cannot be said in its language.
func (b *snippetBook) write(s snippet, v appValues) (sections []written, err error) {
	file := s.ID
	if s.Variant != nil {
		file += "_" + s.Variant(v)
	}
	if s.Needs != nil {
		v.Needs = s.Needs(v)
	}
	parsed, ok := b.files[file]
	if !ok {
		return nil, fmt.Errorf("there is no snippet %s", file)
	}
	for _, section := range parsed {
		var out bytes.Buffer
		if err := section.template.Execute(&out, v); err != nil {
			return nil, err
		}
		text := out.Bytes()
		if strings.HasSuffix(section.name, ".go") {
			if text, err = format.Source(text); err != nil {
				return nil, fmt.Errorf("%s: %w", section.name, err)
			}
		}
		sections = append(sections, written{section.name, string(text)})
	}
	return sections, nil
}
