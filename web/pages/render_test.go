package pages

import (
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func testRenderer(t *testing.T, messages fs.FS) *renderer {
	t.Helper()
	r, err := newRenderer(messages, "", "id.example")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hostile are values that would break out of HTML, of an attribute, of a URL or of a script if anything let them.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus=alert(1) x='`, `javascript:alert(1)`,
	`</title><svg/onload=alert(1)>`, `--><b>`, "\u202eevil\u202c", `{{.}}`, `&lt;b&gt;`, "a\x00b", `</textarea></style></noscript><iframe src=//evil.example>`,
}

// poisoned is a copy of a page struct with every text replaced by value, but for those that name a message or a template of ours.
func poisoned(p page, value string) page {
	copied := reflect.New(reflect.TypeOf(p)).Elem()
	copied.Set(reflect.ValueOf(p))
	poison(copied, "", value)
	return copied.Interface().(page)
}

func poison(v reflect.Value, field, value string) {
	switch v.Kind() {
	case reflect.String:
		isMessage := field == "Heading" || field == "Text" && strings.Contains(v.String(), ".")
		if v.String() != "" && !isMessage && v.Type() == reflect.TypeFor[string]() {
			v.SetString(value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			poison(v.Field(i), v.Type().Field(i).Name, value)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			poison(fresh.Elem(), field, value)
			v.Set(fresh)
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			poison(fresh.Index(i), field, value)
		}
		v.Set(fresh)
	case reflect.Array:
		for i := range v.Len() {
			poison(v.Index(i), field, value)
		}
	}
}

// walk visits every element of a document.
func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func parsed(t *testing.T, text []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// shape is the tree of a document without its texts: which elements there are, with which attributes.
func shape(root *html.Node) string {
	var b strings.Builder
	walk(root, func(n *html.Node) {
		b.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
		b.WriteString(">")
	})
	return b.String()
}

func TestNoValueChangesTheShapeOfAPage(t *testing.T) {
	r := testRenderer(t, messageFiles)
	for i, sample := range samples() {
		clean, err := r.html(0, sample)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range hostile {
			dirty, err := r.html(0, poisoned(sample, value))
			if err != nil {
				t.Fatalf("%s (%d) with %q: %v", sample.template(), i, value, err)
			}
			if was, is := shape(parsed(t, clean)), shape(parsed(t, dirty)); was != is {
				t.Errorf("%s (%d) with %q has another shape:\n%s\n%s", sample.template(), i, value, was, is)
			}
			walk(parsed(t, dirty), func(n *html.Node) {
				for _, a := range n.Attr {
					if (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
						t.Errorf("%s: %s=%q", sample.template(), a.Key, a.Val)
					}
				}
			})
		}
	}
}

func TestPagesHaveNothingInlineAndNothingForeign(t *testing.T) {
	r := testRenderer(t, messageFiles)
	for _, sample := range samples() {
		text, err := r.html(0, sample)
		if err != nil {
			t.Fatal(err)
		}
		walk(parsed(t, text), func(n *html.Node) {
			attributes := map[string]string{}
			for _, a := range n.Attr {
				attributes[a.Key] = a.Val
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s %s=%q>", sample.template(), n.Data, a.Key, a.Val)
				}
			}
			switch n.Data {
			case "style", "base", "object", "embed":
				t.Errorf("%s has <%s>", sample.template(), n.Data)
			case "script":
				if n.FirstChild != nil || !strings.HasPrefix(attributes["src"], staticPath) {
					t.Errorf("%s has a script that is no static file: %v", sample.template(), attributes)
				}
			case "link":
				if !strings.HasPrefix(attributes["href"], staticPath) {
					t.Errorf("%s has a link to %q", sample.template(), attributes["href"])
				}
			case "meta":
				if attributes["http-equiv"] != "" {
					t.Errorf("%s has <meta http-equiv=%q>", sample.template(), attributes["http-equiv"])
				}
			}
		})
	}
}

func TestEveryPageIsAccessibleByItsMarkup(t *testing.T) {
	r := testRenderer(t, messageFiles)
	for _, sample := range samples() {
		text, err := r.html(0, sample)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "no value") || strings.Contains(string(text), "ZgotmplZ") {
			t.Errorf("%s lacks a value:\n%s", sample.template(), text)
		}
		ids, references, counts := map[string]int{}, []string{}, map[string]int{}
		root := parsed(t, text)
		walk(root, func(n *html.Node) {
			counts[n.Data]++
			attributes := map[string]string{}
			for _, a := range n.Attr {
				attributes[a.Key] = a.Val
			}
			if id := attributes["id"]; id != "" {
				ids[id]++
			}
			references = append(references, strings.Fields(attributes["aria-describedby"])...)
			if f := attributes["for"]; f != "" {
				references = append(references, f)
			}
			labelled := n.Parent != nil && n.Parent.Data == "label"
			if n.Data == "input" && attributes["type"] != "hidden" && !labelled && !strings.Contains(string(text), `<label for="`+attributes["id"]+`"`) {
				t.Errorf("%s: the field %s has no label", sample.template(), attributes["name"])
			}
			if _, alt := attributes["alt"]; n.Data == "img" && !alt {
				t.Errorf("%s: a picture without alt", sample.template())
			}
			if n.Data == "html" && (attributes["lang"] != "en" || attributes["dir"] != "ltr") {
				t.Errorf("%s: lang %q dir %q", sample.template(), attributes["lang"], attributes["dir"])
			}
		})
		for _, one := range []string{"h1", "main", "title", "html"} {
			if counts[one] != 1 {
				t.Errorf("%s has %d <%s>", sample.template(), counts[one], one)
			}
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("%s has the id %s %d times", sample.template(), id, n)
			}
		}
		for _, ref := range references {
			if ids[ref] == 0 {
				t.Errorf("%s refers to %s, which is not there", sample.template(), ref)
			}
		}
	}
}

// weight is what a page that nobody has seen before has its browser load, in bytes: with two sealed texts at their longest, where it
// has any.
func weight(r *renderer, text []byte) int {
	whole := len(text)
	for name, file := range r.assets.files {
		if strings.Contains(string(text), name) && !strings.HasSuffix(name, ".js") {
			whole += len(file.content)
		}
	}
	if strings.Contains(string(text), "stx_") {
		whole += 2 * (6 << 10)
	}
	return whole
}

// most is what a page may weigh: little where people who only want to sign in wait for it. Developers' playground says much that is
// shown later, if ever.
func most(p page) int {
	if _, tool := p.(playgroundPage); tool {
		return 60_000
	}
	return 25_000
}

func TestPagesAreLight(t *testing.T) {
	r := testRenderer(t, messageFiles)
	for _, sample := range samples() {
		text, err := r.html(0, sample)
		if err != nil {
			t.Fatal(err)
		}
		if whole := weight(r, text); whole > most(sample) {
			t.Errorf("%s weighs %d bytes with all that it loads", sample.template(), whole)
		}
	}
}
