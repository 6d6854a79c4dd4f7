package bearer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Metadata is what an API says of itself to clients that do not know it yet (RFC 9728 §2), beside its Audience and its Issuer. All
// of it may be empty.
type Metadata struct {
	Scopes        []string // scopes_supported: what clients may ask for
	Name          string   // resource_name: what people read
	Documentation string   // resource_documentation: the address of a page for developers
	JWKS          string   // jwks_uri: the address of the API's own keys, with which it signs what it answers; not the issuer's
}

// metadataPath goes between host and path of a resource (RFC 9728 §3.1).
const metadataPath = "/.well-known/oauth-protected-resource"

// Describe makes the document that an API serves about itself (RFC 9728 §2), as JSON, and the address where clients look for it:
// the well-known path between the host and the path of resource (§3.1). resource is the API's name as tokens have it in aud; it must
// be an address, https, or http on a loopback host. The error names every problem.
func Describe(issuer, resource string, m Metadata) (address string, document []byte, err error) {
	problems := m.problems(resource)
	if err := checkIssuer(issuer); err != nil {
		problems = append(problems, fmt.Errorf("bearer: Issuer %w", err))
	}
	if err := errors.Join(problems...); err != nil {
		return "", nil, err
	}
	document, err = json.Marshal(struct {
		Resource       string   `json:"resource"`
		Issuers        []string `json:"authorization_servers"`
		Scopes         []string `json:"scopes_supported,omitempty"`
		BearerMethods  []string `json:"bearer_methods_supported"`
		Name           string   `json:"resource_name,omitempty"`
		Documentation  string   `json:"resource_documentation,omitempty"`
		KeysOfResource string   `json:"jwks_uri,omitempty"`
	}{resource, []string{issuer}, m.Scopes, []string{"header"}, m.Name, m.Documentation, m.JWKS})
	return metadataAddress(resource), document, err
}

// metadataAddress works on the text and not on a parsed URL: what the client compares must not be written anew.
func metadataAddress(resource string) string {
	scheme, rest, _ := strings.Cut(resource, "://")
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	host, rest := rest[:end], rest[end:]
	if rest == "/" || strings.HasPrefix(rest, "/?") {
		rest = rest[1:] // §3.1: a slash that ends the host goes
	}
	return scheme + "://" + host + metadataPath + rest
}

func (m Metadata) problems(resource string) []error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf("bearer: "+format, args...)) }
	if fault := addressFault(resource); fault != "" {
		bad("Metadata needs an Audience that is this API's address, such as https://api.example.com: it %s", fault)
	}
	for _, scope := range m.Scopes {
		if scope == "" || strings.Contains(scope, " ") || !quotable(scope) {
			bad(`Metadata.Scopes has %q; a scope must be printable ASCII without space, " and \`, scope)
		}
	}
	for _, field := range []struct{ name, address string }{{"Documentation", m.Documentation}, {"JWKS", m.JWKS}} {
		if fault := addressFault(field.address); field.address != "" && fault != "" {
			bad("Metadata.%s %s", field.name, fault)
		}
	}
	return problems
}

// addressFault says what keeps text from being an address that clients can be sent to; "" where nothing does.
func addressFault(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return "must be an absolute URL"
	case strings.Contains(text, "#") || u.User != nil:
		return "must not have a fragment or a user"
	case !safe(u):
		return "must use https: http is for localhost, 127.0.0.1 and [::1] alone"
	case strings.Contains(text, " ") || !quotable(text):
		return `must be printable ASCII without space, " and \: write others as percent and two digits`
	}
	return ""
}

// described is an API's document, ready to be served. The zero value describes nothing.
type described struct {
	address  string
	document []byte
}

// Metadata returns the path and the handler of the document about this API, to be mounted on its own host:
//
//	mux.Handle(tokens.Metadata())
//
// The path is that of a URL, percent-encoded where it must be, and "" without Config.Metadata. Any site may read the document from a
// browser: there is no secret in it, and no cookie is looked at.
func (v *Verifier) Metadata() (path string, handler http.Handler) {
	if v.about.address == "" {
		return "", http.NotFoundHandler()
	}
	_, rest, _ := strings.Cut(v.about.address, "://")
	path = rest[strings.IndexByte(rest, '/'):]
	path, _, _ = strings.Cut(path, "?")
	return path, v.about
}

// ServeHTTP implements http.Handler.
func (d described) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(d.document)
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "*")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = io.WriteString(w, "this address is only read: use GET\n")
	}
}
