package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

// staticPath is where the static files are, under the issuer's path.
const staticPath = "/static/"

// renderer turns page structs into HTML, in each of the languages.
type renderer struct {
	assets  assets
	tongues *tongues
	base    string // the path of the issuer
	pages   []map[string]*template.Template
}

// newRenderer parses all templates for every language of the message files, and executes each with samples. issuer is how people
// know the server: its host, with the path if any.
func newRenderer(messages fs.FS, base, issuer string) (*renderer, error) {
	r := &renderer{base: base}
	var err error
	if r.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("read the static files: %w", err)
	}
	if r.tongues, err = loadTongues(messages); err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, tongue := range r.tongues.each {
		set := map[string]*template.Template{}
		layout, err := template.New("layout").Funcs(r.functions(tongue, issuer)).ParseFS(templateFiles, sharedTemplates()...)
		if err != nil {
			return nil, fmt.Errorf("parse the layout: %w", err)
		}
		for _, name := range names {
			if slices.Contains(sharedTemplates(), name) {
				continue
			}
			page, err := layout.Clone()
			if err == nil {
				page, err = page.ParseFS(templateFiles, name)
			}
			if err != nil {
				return nil, fmt.Errorf("parse %s: %w", name, err)
			}
			set[strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")] = page
		}
		r.pages = append(r.pages, set)
	}
	return r, r.tryAll()
}

// sharedTemplates are those that others are made of.
func sharedTemplates() []string {
	return []string{"templates/layout.html", "templates/developer_frame.html"}
}

// functions are what templates may call. They are bound to one language.
func (r *renderer) functions(in tongue, issuer string) template.FuncMap {
	return template.FuncMap{
		"t":      in.text,
		"lang":   func() string { return in.Tag },
		"dir":    func() string { return in.Dir },
		"issuer": func() string { return issuer },
		"texts":  in.texts,
		"titled": func(id string, problem any) (string, error) {
			title, err := in.text(id)
			if failed, _ := template.IsTrue(problem); !failed || err != nil {
				return title, err
			}
			return in.text("layout.failed", "Title", title)
		},
		"asset": func(name string) (string, error) {
			hashed, ok := r.assets.names[name]
			if !ok {
				return "", fmt.Errorf("there is no static file %s", name)
			}
			return r.base + staticPath + hashed, nil
		},
	}
}

// page is a page struct: it knows its template.
type page interface {
	template() string
}

// html renders a page in the language with this index.
func (r *renderer) html(language int, p page) ([]byte, error) {
	set, ok := r.pages[language][p.template()]
	if !ok {
		return nil, fmt.Errorf("there is no template %s", p.template())
	}
	var out bytes.Buffer
	if err := set.ExecuteTemplate(&out, "layout", p); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// tryAll executes every template in every language, and fails where one has no sample.
func (r *renderer) tryAll() error {
	for i, set := range r.pages {
		tried := map[string]bool{}
		for _, sample := range samples() {
			if _, err := r.html(i, sample); err != nil {
				return fmt.Errorf("try the page %s in %s: %w", sample.template(), r.tongues.each[i].Tag, err)
			}
			tried[sample.template()] = true
		}
		for name := range set {
			if !tried[name] {
				return fmt.Errorf("the page %s has no sample to be tried with", name)
			}
		}
	}
	return nil
}
