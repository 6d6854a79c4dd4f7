package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/signet-idp/signet/storage"
)

// browser is a person's browser as far as HTML and HTTP go: a cookie jar, and forms that are filled in and sent as they stand. It
// follows redirects within the issuer and stops where one leads away.
type browser struct {
	*world
	client *http.Client
	page   page
}

// page is what the browser shows, or where it was sent.
type page struct {
	status int
	url    *url.URL
	header http.Header
	raw    string
	h1     string
	forms  []webForm
	left   *url.URL // the address outside the issuer to which the last redirect led; nil: none did
}

// webForm is a form of a page with what it would send.
type webForm struct {
	action, method string
	fields         url.Values
	boxes          []string // the names of those that nobody ticked yet
	buttons        []button
}

type button struct{ name, value, text string }

// browser opens a new one, without cookies.
func (w *world) browser() *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{world: w, client: &http.Client{
		Jar:           jar,
		Transport:     toServer{w},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// toServer sends what is meant for the issuer to the test's server, with the issuer's name in Host.
type toServer struct{ w *world }

func (t toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme+"://"+r.URL.Host != issuerURL {
		t.w.Errorf("the browser was sent to %s", r.URL)
	}
	sent := r.Clone(r.Context())
	server, err := url.Parse(t.w.server.URL)
	if err != nil {
		return nil, err
	}
	sent.URL.Scheme, sent.URL.Host, sent.Host = server.Scheme, server.Host, r.URL.Host
	return t.w.server.Client().Transport.RoundTrip(sent)
}

// visit opens an address of the issuer, a path or in full.
func (b *browser) visit(address string) page {
	b.Helper()
	u, err := url.Parse(issuerURL)
	b.must(err)
	u, err = u.Parse(address)
	b.must(err)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, u.String(), nil)
	b.must(err)
	r.Header.Set("Sec-Fetch-Site", "none")
	return b.follow(r)
}

// send posts values to an address of the issuer as one of its own pages would.
func (b *browser) send(address string, values url.Values) page {
	b.Helper()
	u, err := url.Parse(issuerURL)
	b.must(err)
	u, err = u.Parse(address)
	b.must(err)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, u.String(), strings.NewReader(values.Encode()))
	b.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", issuerURL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.follow(r)
}

// submit fills in the page's first form that has all the named fields and sends it. A pair whose name is a button's presses that
// button; otherwise the first button is pressed.
func (b *browser) submit(pairs ...string) page {
	b.Helper()
	for _, f := range b.page.forms {
		if f.takes(pairs) {
			action := f.action
			if action == "" {
				action = b.page.url.String()
			}
			target, err := b.page.url.Parse(action)
			b.must(err)
			return b.send(target.String(), f.filled(pairs))
		}
	}
	b.Fatalf("no form of %s takes %q:\n%s", b.page.url, pairs, b.page.raw)
	return page{}
}

func (f webForm) takes(pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		_, field := f.fields[pairs[i]]
		pressed := slices.ContainsFunc(f.buttons, func(b button) bool {
			return b.name == pairs[i] && (b.value == pairs[i+1] || pairs[i+1] == "")
		})
		if !field && !pressed && !slices.Contains(f.boxes, pairs[i]) {
			return false
		}
	}
	return strings.EqualFold(f.method, http.MethodPost)
}

func (f webForm) filled(pairs []string) url.Values {
	values := url.Values{}
	for name, v := range f.fields {
		values[name] = v
	}
	pressed := false
	for i := 0; i < len(pairs); i += 2 {
		value := pairs[i+1]
		for _, b := range f.buttons {
			if b.name == pairs[i] && (b.value == value || value == "") {
				pressed, value = true, b.value
				break
			}
		}
		values.Set(pairs[i], value)
	}
	if !pressed && len(f.buttons) > 0 && f.buttons[0].name != "" {
		values.Set(f.buttons[0].name, f.buttons[0].value)
	}
	return values
}

// follow sends the request and goes where the answers lead, as long as that is within the issuer.
func (b *browser) follow(r *http.Request) page {
	b.Helper()
	for range 12 {
		response, err := b.client.Do(r)
		b.must(err)
		raw, err := io.ReadAll(response.Body)
		b.must(err)
		_ = response.Body.Close()
		b.page = page{status: response.StatusCode, url: r.URL, header: response.Header, raw: string(raw)}
		if response.Header.Get("X-Request-Id") == "" {
			b.Errorf("%s %s: no X-Request-Id", r.Method, r.URL.Path)
		}
		location := response.Header.Get("Location")
		if location == "" {
			b.page.read()
			return b.page
		}
		if response.StatusCode != http.StatusSeeOther && response.StatusCode != http.StatusFound {
			b.Fatalf("%s %s redirects with %d", r.Method, r.URL.Path, response.StatusCode)
		}
		if r.Method == http.MethodPost && response.StatusCode != http.StatusSeeOther {
			b.Fatalf("POST %s redirects with %d", r.URL.Path, response.StatusCode)
		}
		next, err := r.URL.Parse(location)
		b.must(err)
		if next.Scheme+"://"+next.Host != issuerURL {
			b.page.left = next
			return b.page
		}
		r, err = http.NewRequestWithContext(b.Context(), http.MethodGet, next.String(), nil)
		b.must(err)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	b.Fatalf("redirects without end, last %s", r.URL)
	return page{}
}

// read takes the page apart.
func (p *page) read() {
	root, err := html.Parse(strings.NewReader(p.raw))
	if err != nil {
		return
	}
	var walk func(*html.Node, *webForm)
	walk = func(n *html.Node, in *webForm) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "h1":
				p.h1 = strings.Join(strings.Fields(textOf(n)), " ")
			case "form":
				in = &webForm{action: attribute(n, "action"), method: attribute(n, "method"), fields: url.Values{}}
				defer func(f *webForm) { p.forms = append(p.forms, *f) }(in)
			case "input", "textarea", "select":
				if in != nil && attribute(n, "name") != "" && attribute(n, "type") != "submit" {
					in.read(n)
				}
			case "button":
				if in != nil && attribute(n, "type") != "button" {
					in.buttons = append(in.buttons, button{attribute(n, "name"), attribute(n, "value"), textOf(n)})
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, in)
		}
	}
	walk(root, nil)
}

// read takes a field with what it would send.
func (f *webForm) read(n *html.Node) {
	name, value := attribute(n, "name"), attribute(n, "value")
	has := func(n *html.Node, key string) bool {
		return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	}
	switch {
	case attribute(n, "type") == "checkbox" && !has(n, "checked"):
		f.boxes = append(f.boxes, name)
		return
	case n.Data == "textarea":
		value = strings.ReplaceAll(textOf(n), "\n", "\r\n")
	case n.Data == "select":
		for o := range n.ChildNodes() {
			if has(o, "selected") {
				value = attribute(o, "value")
			}
		}
	}
	f.fields.Set(name, value)
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var text strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		text.WriteString(textOf(c))
	}
	return text.String()
}

// The relying party of these tests.
const (
	callback     = "https://app.example/cb"
	codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// relying registers a confidential client for the code flow.
func (w *world) relying(edit ...func(*storage.ClientMetadata)) app {
	w.Helper()
	return w.client(storage.ClientMetadata{
		Name: "Relying Party", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: allScopes + " api:read",
		RedirectURIs: []string{callback}, TokenEndpointAuthMethod: "client_secret_basic",
	}, edit...)
}

// authorize is the address of an authorization request with PKCE; pairs add to it, replace, or with "" take away.
func authorize(c app, pairs ...string) string {
	v := form("response_type", "code", "client_id", c.id, "redirect_uri", callback, "scope", "openid", "state", "the-state",
		"nonce", "the-nonce", "code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256")
	for i := 0; i < len(pairs); i += 2 {
		v.Del(pairs[i])
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return "/oauth2/authorize?" + v.Encode()
}

// signIn answers the sign-in page.
func (b *browser) signIn(username string) page {
	b.Helper()
	return b.submit("username", username, "password", password)
}

// through opens an authorization request and answers whatever it is asked, up to the client. secret is the TOTP secret, where there is one.
func (b *browser) through(c app, username, secret string, pairs ...string) url.Values {
	b.Helper()
	b.visit(authorize(c, pairs...))
	for range 6 {
		switch {
		case b.page.left != nil:
			return b.page.left.Query()
		case b.page.asks("password"):
			b.signIn(username)
		case b.page.asks("otp"):
			b.submit("otp", b.code(secret))
			b.clock.Advance(31e9)
		case b.page.offers("decision", "allow"):
			b.submit("decision", "allow")
		default:
			b.Fatalf("%s shows %d %q:\n%s", b.page.url, b.page.status, b.page.h1, b.page.raw)
		}
	}
	b.Fatalf("asked without end, last %s", b.page.url)
	return nil
}

// asks reports whether the page has a field of that name to fill in, or a box to tick.
func (p page) asks(field string) bool {
	return slices.ContainsFunc(p.forms, func(f webForm) bool { _, ok := f.fields[field]; return ok || slices.Contains(f.boxes, field) })
}

// offers reports whether the page has that button.
func (p page) offers(name, value string) bool {
	return slices.ContainsFunc(p.forms, func(f webForm) bool {
		return slices.ContainsFunc(f.buttons, func(b button) bool { return b.name == name && (value == "" || b.value == value) })
	})
}

// exchange redeems a code.
func (w *world) exchange(c app, code string, pairs ...string) answer {
	w.Helper()
	v := form("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", codeVerifier)
	for i := 0; i < len(pairs); i += 2 {
		v.Del(pairs[i])
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return w.post("/oauth2/token", c, v)
}
