package pages

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// idTokenAlg signs ID tokens where the app says nothing (OpenID Connect Registration §2).
const idTokenAlg = "RS256"

// exampleMCPServer is where the example MCP server listens.
const exampleMCPServer = "http://localhost:8081/mcp"

// proxied is the port on which an app listens behind the proxy that ends its TLS.
const proxied = "3000"

// appValues are what a snippet is made with. None of them is a secret: of those the server keeps digests.
type appValues struct {
	Kind             developer.Kind
	Issuer, ClientID string
	Auth             string // client_secret_basic, client_secret_post or none
	Scope            string
	Scopes           []string
	MoreScopes       []string // but openid
	Resource         string   // "": it asks for none
	ResourceParam    string   // the same, as a part of a query
	Audience         string   // of its access tokens
	AccessAlg, IDAlg string
	MCPServer        string
	Needs            string // the redirect URI that the snippet must have, where it is not the app's own choice

	Proves  bool // by a secret or not at all, as snippets do
	Secret  bool
	Machine bool // gets tokens for itself
	Device  bool // people may sign in on another device
	JWT     bool // its access tokens can be read
	Plain   bool // the issuer is at http
	callbackValues
}

// callbackValues are where people come back to. They are empty where the app has no redirect URI.
type callbackValues struct {
	RedirectURI    string
	Origin         string
	Host, HostName string // to listen at, and by which browsers know it
	Port, Listen   string
	Path, RawPath  string // decoded, and not
	PathTail       string // without its first slash
	PathQuery      string // undecoded, with the query
	AnyPort        bool   // it may listen at any port (RFC 8252 §7.3)
	Loopback, TLS  bool
	Served         bool // a program can answer it: http or https, and a path that all programs read alike
}

// snippetValues are the app's.
func (x *exchange) snippetValues(c storage.Client) appValues {
	return valuesOf(x.door.IssuerURL, x.signingAlg, c)
}

func valuesOf(issuer, signingAlg string, c storage.Client) appValues {
	m := c.Metadata
	has := func(grant string) bool { return slices.Contains(m.GrantTypes, grant) }
	v := appValues{
		Kind: developer.KindOf(m), Issuer: issuer, ClientID: c.ID, Auth: cmp.Or(m.TokenEndpointAuthMethod, oauth.AuthBasic),
		Scope: m.Scope, Scopes: strings.Fields(m.Scope), Audience: issuer, MCPServer: exampleMCPServer,
		AccessAlg: cmp.Or(m.AccessTokenSignedAlg, signingAlg), IDAlg: cmp.Or(m.IDTokenSignedAlg, idTokenAlg),
		Machine: !has(oauth.GrantAuthorizationCode) && has(oauth.GrantClientCredentials), Device: has(oauth.GrantDeviceCode),
		JWT: m.AccessTokenFormat != oauth.FormatOpaque, Plain: strings.HasPrefix(issuer, "http:"),
	}
	v.Secret = v.Auth == oauth.AuthBasic || v.Auth == oauth.AuthPost
	v.Proves = v.Secret || v.Auth == oauth.AuthNone
	v.MoreScopes = slices.DeleteFunc(slices.Clone(v.Scopes), func(s string) bool { return s == oauth.ScopeOpenID })
	if len(m.Resources) > 0 {
		v.Resource, v.Audience, v.MCPServer = m.Resources[0], m.Resources[0], m.Resources[0]
		v.ResourceParam = url.Values{"resource": {v.Resource}}.Encode()
	}
	if has(oauth.GrantAuthorizationCode) {
		// The playground's is the server's own address.
		v.callbackValues = callbackOf(slices.DeleteFunc(slices.Clone(m.RedirectURIs), func(uri string) bool { return uri == issuer+developer.PlaygroundPath }))
	}
	return v
}

// callbackOf chooses the redirect URI that somebody can try on their own machine, where there is one, else the first.
func callbackOf(uris []string) (v callbackValues) {
	for _, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil {
			continue
		}
		loopback := u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
		if v.RedirectURI == "" || loopback && !v.Loopback {
			v = callbackAt(uri, u, loopback)
		}
	}
	return v
}

func callbackAt(uri string, u *url.URL, loopback bool) callbackValues {
	v := callbackValues{
		RedirectURI: uri, Origin: u.Scheme + "://" + u.Host, Host: "127.0.0.1", HostName: u.Hostname(), Port: proxied, Loopback: loopback,
		TLS: u.Scheme == "https", Path: cmp.Or(u.Path, "/"), RawPath: cmp.Or(u.EscapedPath(), "/"), PathQuery: u.EscapedPath(),
	}
	if u.RawQuery != "" {
		v.PathQuery += "?" + u.RawQuery
	}
	if loopback {
		v.Host, v.Port = u.Hostname(), cmp.Or(u.Port(), "80")
		if u.Port() == "" && v.Host == "127.0.0.1" {
			v.AnyPort, v.Port = true, "0"
		}
	}
	v.Listen, v.PathTail = net.JoinHostPort(v.Host, v.Port), strings.TrimPrefix(v.Path, "/")
	v.Served = (v.TLS || loopback) && v.Path == v.RawPath
	v.Loopback = v.Loopback && v.Served
	return v
}

// valueSamples are values of every kind of app, with and without what may be there.
func valueSamples() (samples []appValues) {
	for _, k := range developer.Kinds() {
		m := developer.Defaults(k)
		m.RedirectURIs = []string{"https://shop.example/cb"}
		samples = append(samples, valuesOf("https://id.example", "ES256", storage.Client{ID: "bookshop", Metadata: m}))
		m.RedirectURIs, m.Resources = []string{"http://127.0.0.1/cb?a=b"}, []string{"https://api.example/"}
		samples = append(samples, valuesOf("http://localhost:8080", "ES256", storage.Client{ID: "bookshop", Metadata: m}))
	}
	return samples
}
