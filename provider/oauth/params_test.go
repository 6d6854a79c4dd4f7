package oauth

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// describable is what RFC 6749 §5.2 allows in an error_description.
var describable = regexp.MustCompile(`^[\x20\x21\x23-\x5b\x5d-\x7e]+$`)

// checkRefusal asserts that err is a refusal that a client may hear.
func checkRefusal(t *testing.T, err error, code Code) *Error {
	t.Helper()
	e := As(err)
	if e == nil || e.Code != code || !describable.MatchString(e.Description) {
		t.Fatalf("error %#v, want a described %s", err, code)
	}
	return e
}

func TestEachParameterIsReadOnce(t *testing.T) {
	p, err := ParseParams("grant_type=password&username=Ada+L%C3%B6ve%2B1&scope=&&x&y=1=2&resource=a&resource=&resource=b%26c")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"grant_type": "password", "username": "Ada Löve+1", "scope": "", "x": "", "y": "1=2", "resource": "", "z": ""} {
		if got := p.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{"scope": true, "x": true, "resource": true, "z": false, "": false} {
		if p.Has(name) != want {
			t.Errorf("Has(%q) is %v", name, !want)
		}
	}
	if got := p.All("resource"); !slices.Equal(got, []string{"a", "b&c"}) {
		t.Errorf("resource %q", got)
	}
	if v, err := p.Need("grant_type"); v != "password" || err != nil {
		t.Errorf("Need: %q, %v", v, err)
	}
	for _, name := range []string{"scope", "z"} {
		_, err := p.Need(name)
		if e := checkRefusal(t, err, InvalidRequest); !strings.Contains(e.Description, name) {
			t.Errorf("the refusal does not name %s: %s", name, e.Description)
		}
	}
}

func TestMalformedFormsAreRefusedWithTheReason(t *testing.T) {
	for name, form := range map[string]struct{ encoded, reason string }{
		"known parameter twice":     {"scope=a&scope=b", "scope was sent more than once"},
		"twice, once empty":         {"token=&token=b", "token was sent more than once"},
		"twice, once escaped":       {"token=a&%74oken=b", "token was sent more than once"},
		"unknown parameter twice":   {"zebra=a&zebra=b", "a parameter was sent more than once"},
		"nameless parameter twice":  {"=a&=b", "a parameter was sent more than once"},
		"percent alone":             {"a=%", "percent-encoding"},
		"half an escape":            {"a=%4", "percent-encoding"},
		"escape that is none":       {"a=%zz", "percent-encoding"},
		"escape that is none, name": {"%zz=a", "percent-encoding"},
		"bad UTF-8":                 {"a=%ff", "UTF-8"},
		"bad UTF-8, raw":            {"a=\xff", "UTF-8"},
		"overlong UTF-8":            {"a=%c0%80", "UTF-8"},
		"surrogate":                 {"a=%ed%a0%80", "UTF-8"},
		"bad UTF-8, name":           {"%ff=a", "UTF-8"},
		"too many":                  {strings.Repeat("resource=a&", MaxParameters+1), "more than 100"},
	} {
		_, err := ParseParams(form.encoded)
		e := checkRefusal(t, err, InvalidRequest)
		if !strings.Contains(e.Description, form.reason) || strings.Contains(e.Description, "zebra") {
			t.Errorf("%s: %q does not say %q alone", name, e.Description, form.reason)
		}
	}
	if _, err := ParseParams(strings.Repeat("resource=a&", MaxParameters) + "&&&"); err != nil {
		t.Errorf("%d parameters: %v", MaxParameters, err)
	}
}

// post makes a form request that edit spoils.
func post(body io.Reader, edit func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/?token=address", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	edit(r)
	return r
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = values }
}

func TestOnlyAPlainFormInThePostBodyIsRead(t *testing.T) {
	for name, v := range map[string]struct {
		edit   func(*http.Request)
		status int // 0: it is read
	}{
		"plain":               {func(*http.Request) {}, 0},
		"with charset":        {header("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"), 0},
		"identity":            {header("Content-Encoding", "identity"), 0},
		"other charset":       {header("Content-Type", "application/x-www-form-urlencoded; charset=utf-16"), 400},
		"no type":             {header("Content-Type"), 415},
		"JSON":                {header("Content-Type", "application/json"), 415},
		"multipart":           {header("Content-Type", "multipart/form-data; boundary=x"), 415},
		"two types":           {header("Content-Type", "application/x-www-form-urlencoded", "application/json"), 415},
		"two types in one":    {header("Content-Type", "application/x-www-form-urlencoded, application/json"), 415},
		"malformed type":      {header("Content-Type", "application/x-www-form-urlencoded; charset"), 415},
		"two charsets":        {header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8; charset=latin1"), 415},
		"gzip":                {header("Content-Encoding", "gzip"), 415},
		"two encodings":       {header("Content-Encoding", "identity", "gzip"), 415},
		"listed encodings":    {header("Content-Encoding", "identity, br"), 415},
		"encoding after none": {header("Content-Encoding", "", "gzip"), 415},
		"GET":                 {func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"PUT":                 {func(r *http.Request) { r.Method = http.MethodPut }, 405},
	} {
		p, err := ParseForm(post(strings.NewReader("token=body"), v.edit))
		if v.status == 0 {
			if err != nil || p.Get("token") != "body" {
				t.Errorf("%s: token %q, %v", name, p.Get("token"), err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: read", name)
			continue
		}
		if e := checkRefusal(t, err, InvalidRequest); e.HTTPStatus() != v.status {
			t.Errorf("%s: status %d, want %d", name, e.HTTPStatus(), v.status)
		}
	}
}

// brokenBody ends in an error instead of its end.
type brokenBody struct{ cause error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.cause }

func TestABodyIsReadWholeOrNotAtAll(t *testing.T) {
	whole := "token=" + strings.Repeat("x", MaxBody-len("token="))
	p, err := ParseForm(post(strings.NewReader(whole), func(*http.Request) {}))
	if err != nil || len(p.Get("token")) != MaxBody-len("token=") {
		t.Errorf("64 KiB: %v", err)
	}
	_, err = ParseForm(post(strings.NewReader(whole+"x"), func(*http.Request) {}))
	if e := checkRefusal(t, err, InvalidRequest); e.HTTPStatus() != http.StatusRequestEntityTooLarge {
		t.Errorf("64 KiB and a byte: %d", e.HTTPStatus())
	}
	cause := errors.New("connection reset by 192.0.2.7")
	_, err = ParseForm(post(io.MultiReader(strings.NewReader("token=a"), brokenBody{cause}), func(*http.Request) {}))
	e := checkRefusal(t, err, InvalidRequest)
	if !errors.Is(err, cause) || strings.Contains(e.Description, "192.0.2.7") || e.HTTPStatus() != http.StatusBadRequest {
		t.Errorf("broken body: %v", e)
	}
}

func FuzzParseParams(f *testing.F) {
	for _, seed := range []string{
		"", "&", "=", "a=b", "grant_type=password&username=a%20b", "a=1&a=2", "resource=a&resource=b", "a=%zz", "%ff=%00", "a;b=c", "a=\xff",
		strings.Repeat("a=b&", 200), "scope=&scope=", "+=+", "%26=%3d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		p, err := ParseParams(encoded)
		if err != nil {
			checkRefusal(t, err, InvalidRequest)
			return
		}
		if len(p.values) > MaxParameters {
			t.Fatalf("%d parameters", len(p.values))
		}
		for name, value := range p.values {
			if !utf8.ValidString(name) || !utf8.ValidString(value) || !p.Has(name) || p.Get(name) != value {
				t.Fatalf("parameter %q=%q", name, value)
			}
		}
		if strings.Contains(encoded, ";") {
			return // the standard library refuses what WHATWG's form encoding takes for a letter
		}
		standard, err := url.ParseQuery(encoded)
		if err != nil {
			t.Fatalf("accepted what the standard library refuses: %v", err)
		}
		for name, values := range standard {
			if repeatable[name] {
				values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
				if !slices.Equal(p.All(name), values) && len(values) > 0 {
					t.Fatalf("%s is %q, the standard library reads %q", name, p.All(name), values)
				}
			} else if len(values) != 1 || p.Get(name) != values[0] {
				t.Fatalf("%s is %q, the standard library reads %q", name, p.Get(name), values)
			}
		}
	})
}
