package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
)

// person walks through Signet's pages with a cookie jar and a form parser in place of a browser.
type person struct {
	client *http.Client
	origin *url.URL
	name   string
	otp    func() string // the code of the second factor; nil: has none
	deny   bool          // refuses what is asked on the consent page
	trail  []string      // paths of the pages that were seen
}

// visitor is a person who comes for the first time.
func (n *node) visitor(t testing.TB, name string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	origin, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := n.client()
	client.Jar, client.Transport = jar, reader{client.Transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{client: client, origin: origin, name: name}
}

// reader asks for pages, which is how mod_auth_openidc knows people from programs.
type reader struct{ http.RoundTripper }

func (r reader) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Header.Set("Accept", "text/html,*/*;q=0.8")
	return r.RoundTripper.RoundTrip(q)
}

// screen is a page as it was answered.
type screen struct {
	URL    *url.URL
	Status int
	Text   string
	forms  []form
}

type form struct {
	action string
	method string
	fields url.Values
	asks   []string // names of fields and buttons, in order
}

// goTo follows address through Signet's pages and fills in what they ask for. It returns where Signet sent the person away to, or
// the page at which nothing more is asked.
func (p *person) goTo(address string) (away *url.URL, last *screen, err error) {
	next, err := http.NewRequest(http.MethodGet, address, nil)
	for range 20 {
		if err != nil {
			return nil, nil, err
		}
		if next.URL.Host != p.origin.Host || next.URL.Scheme != p.origin.Scheme {
			return next.URL, nil, nil
		}
		resp, err := p.client.Do(next)
		if err != nil {
			return nil, nil, err
		}
		if to, err := resp.Location(); err == nil {
			resp.Body.Close()
			next, err = http.NewRequest(http.MethodGet, to.String(), nil)
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		seen, err := read(resp)
		if err != nil {
			return nil, nil, err
		}
		p.trail = append(p.trail, seen.URL.Path)
		f, data := p.answer(seen)
		if data == nil {
			return nil, seen, nil
		}
		if next, err = p.send(seen, f, data); err != nil {
			return nil, nil, err
		}
		if next.URL.Host != p.origin.Host {
			next.URL.RawQuery = data.Encode() // a form_post answer, as if it were a redirect
			return next.URL, seen, nil
		}
	}
	return nil, nil, fmt.Errorf("20 pages and no end: %s", strings.Join(p.trail, " "))
}

// answer fills in the form of the page; nil: there is none that this person knows to fill in.
func (p *person) answer(s *screen) (form, url.Values) {
	if s.Status != http.StatusOK {
		return form{}, nil
	}
	for _, f := range s.forms {
		data := url.Values{}
		for name, values := range f.fields {
			data[name] = values
		}
		switch asks := func(name string) bool { return slices.Contains(f.asks, name) }; {
		case asks("password"):
			data.Set("username", p.name)
			data.Set("password", password)
		case asks("otp") && p.otp != nil:
			data.Set("otp", p.otp())
		case asks("decision") && s.URL.Path == "/oauth2/logout":
			data.Set("decision", "yes")
		case asks("decision"):
			data.Set("decision", map[bool]string{true: "deny", false: "allow"}[p.deny])
		case asks("user_code") && f.fields.Get("user_code") != "":
		case asks("code") || asks("error"): // form_post
		default:
			continue
		}
		return f, data
	}
	return form{}, nil
}

func (p *person) send(s *screen, f form, data url.Values) (*http.Request, error) {
	to, err := s.URL.Parse(f.action)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(strings.ToUpper(f.method), to.String(), strings.NewReader(data.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", p.origin.Scheme+"://"+p.origin.Host)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r, nil
}

func read(resp *http.Response) (*screen, error) {
	defer resp.Body.Close()
	doc, err := html.Parse(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	s := &screen{URL: resp.Request.URL, Status: resp.StatusCode}
	var text strings.Builder
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.TextNode:
			text.WriteString(n.Data)
		case n.Data == "form":
			s.forms = append(s.forms, readForm(n))
		}
	}
	s.Text = strings.Join(strings.Fields(text.String()), " ")
	return s, nil
}

func readForm(n *html.Node) form {
	f := form{action: attribute(n, "action"), method: attribute(n, "method"), fields: url.Values{}}
	for n := range n.Descendants() {
		name := attribute(n, "name")
		if n.Type != html.ElementNode || name == "" {
			continue
		}
		f.asks = append(f.asks, name)
		if kind := attribute(n, "type"); n.Data == "input" && kind != "checkbox" {
			f.fields.Add(name, attribute(n, "value"))
		}
	}
	return f
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// arrives goes to address and returns the answer with which Signet sends the person back to the client at callback.
func (p *person) arrives(t testing.TB, address, callback string) url.Values {
	t.Helper()
	away, last, err := p.goTo(address)
	if err != nil {
		t.Fatal(err)
	}
	if away == nil {
		t.Fatalf("stopped at %s: %d %s\nafter %q", last.URL, last.Status, last.Text, p.trail)
	}
	if !strings.HasPrefix(away.String(), callback) {
		t.Fatalf("arrived at %s, want %s", away, callback)
	}
	return away.Query()
}

// people lends persons to programs that cannot walk through pages: GET /?go=ADDRESS&as=NAME answers where the person was sent
// away to, or the address of the page at which the way ended. One of the same name keeps the cookies of earlier calls; deny=1
// refuses the client.
func (n *node) people(t testing.TB) string {
	t.Helper()
	var mu sync.Mutex
	known := map[string]*person{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		name := r.FormValue("as")
		if known[name] == nil {
			known[name] = n.visitor(t, name)
		}
		p := known[name]
		p.deny = r.FormValue("deny") != ""
		away, last, err := p.goTo(r.FormValue("go"))
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
		case away != nil:
			fmt.Fprint(w, away)
		case last.Status == http.StatusOK:
			fmt.Fprint(w, last.URL)
		default:
			http.Error(w, errors.New(last.Text).Error(), last.Status)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
