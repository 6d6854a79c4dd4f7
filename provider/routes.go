package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Route is one address of the protocol. A route is a value: what is served, how, and to whom is read off the table, and the
// metadata is derived from it, so that neither can lie about the other.
type Route struct {
	Path     string   // under the issuer's path
	Methods  []string // OPTIONS is answered besides, where CORS is on
	Metadata string   // the metadata member that publishes the address (RFC 8414 §2); "": none
	Cache    string   // Cache-Control of a good answer
	CORS     bool     // any origin, without credentials: no cookie is read there
	Public   bool     // public clients may call it; meaningful where Auth is set
	Auth     bool     // the client authenticates
	Page     string   // the page for people that answers here, by its name in web/pages; "": handle does
	handle   func(http.ResponseWriter, *http.Request) error
}

// The values of Cache-Control.
const (
	cacheNever  = "no-store"
	cachePublic = "public, max-age=300, stale-if-error=86400"
)

// The paths that documents and clients rely on (docs/contract.md).
const (
	pathOpenIDConfiguration = "/.well-known/openid-configuration"
	pathServerMetadata      = "/.well-known/oauth-authorization-server"
	pathJWKS                = "/.well-known/jwks.json"
	pathToken               = "/oauth2/token"
	pathAuthorize           = "/oauth2/authorize"
)

var (
	get      = []string{http.MethodGet, http.MethodHead}
	post     = []string{http.MethodPost}
	getsPost = []string{http.MethodGet, http.MethodHead, http.MethodPost}
)

// table is the attack surface on one screen.
func (p *Provider) table() []Route {
	return append(p.registrationRoutes(), []Route{
		{Path: pathOpenIDConfiguration, Methods: get, Cache: cachePublic, CORS: true, handle: p.serveMetadata},
		{Path: pathServerMetadata, Methods: get, Cache: cachePublic, CORS: true, handle: p.serveMetadata},
		{Path: pathProtectedResource, Methods: get, Cache: cachePublic, CORS: true, handle: p.serveProtectedResource},
		{Path: pathJWKS, Methods: get, Cache: cachePublic, CORS: true, Metadata: "jwks_uri", handle: p.serveJWKS},
		{Path: pathToken, Methods: post, Cache: cacheNever, CORS: true, Metadata: "token_endpoint", Auth: true, Public: true, handle: p.fresh(p.tokens.Token)},
		{Path: "/oauth2/introspect", Methods: post, Cache: cacheNever, Metadata: "introspection_endpoint", Auth: true, handle: p.fresh(p.tokens.Introspect)},
		{Path: "/oauth2/revoke", Methods: post, Cache: cacheNever, CORS: true, Metadata: "revocation_endpoint", Auth: true, Public: true, handle: p.fresh(p.tokens.Revoke)},
		{Path: pathAuthorize, Methods: getsPost, Cache: cacheNever, Metadata: "authorization_endpoint", Page: "authorize"},
		{Path: "/oauth2/par", Methods: post, Cache: cacheNever, CORS: true, Metadata: "pushed_authorization_request_endpoint", Auth: true, Public: true, handle: p.fresh(p.door.Push)},
		{Path: "/oauth2/device_authorization", Methods: post, Cache: cacheNever, CORS: true, Metadata: "device_authorization_endpoint", Auth: true, Public: true, handle: p.fresh(p.door.DeviceAuthorization)},
		{Path: "/oauth2/logout", Methods: getsPost, Cache: cacheNever, Metadata: "end_session_endpoint", Page: "logout"},
		{Path: "/login", Methods: getsPost, Cache: cacheNever, Page: "login"},
		{Path: "/login/choose", Methods: getsPost, Cache: cacheNever, Page: "choose"},
		{Path: "/mfa", Methods: getsPost, Cache: cacheNever, Page: "mfa"},
		{Path: "/mfa/enrol", Methods: getsPost, Cache: cacheNever, Page: "enrol"},
		{Path: "/mfa/lost", Methods: getsPost, Cache: cacheNever, Page: "lost"},
		{Path: "/consent", Methods: getsPost, Cache: cacheNever, Page: "consent"},
		{Path: "/device", Methods: getsPost, Cache: cacheNever, Page: "device"},
		{Path: "/signup", Methods: getsPost, Cache: cacheNever, Page: "signup"},
		{Path: "/recover", Methods: getsPost, Cache: cacheNever, Page: "recover"},
		{Path: "/setup", Methods: getsPost, Cache: cacheNever, Page: "setup"},
		{Path: "/account", Methods: getsPost, Cache: cacheNever, Page: "account"},
		{Path: "/account/profile", Methods: getsPost, Cache: cacheNever, Page: "account_profile"},
		{Path: "/account/password", Methods: getsPost, Cache: cacheNever, Page: "account_password"},
		{Path: "/account/factors", Methods: getsPost, Cache: cacheNever, Page: "account_factors"},
		{Path: "/account/factors/new", Methods: getsPost, Cache: cacheNever, Page: "account_enrol"},
		{Path: "/account/passkeys", Methods: getsPost, Cache: cacheNever, Page: "account_passkeys"},
		{Path: "/account/sessions", Methods: getsPost, Cache: cacheNever, Page: "account_sessions"},
		{Path: "/account/apps", Methods: getsPost, Cache: cacheNever, Page: "account_apps"},
		{Path: "/account/events", Methods: get, Cache: cacheNever, Page: "account_events"},
		{Path: "/account/email", Methods: getsPost, Cache: cacheNever, Page: "account_email"},
		{Path: "/account/data", Methods: getsPost, Cache: cacheNever, Page: "account_data"},
		{Path: "/account/delete", Methods: getsPost, Cache: cacheNever, Page: "account_delete"},
		{Path: "/developer", Methods: get, Cache: cacheNever, Page: "developer"},
		{Path: "/developer/new", Methods: getsPost, Cache: cacheNever, Page: "developer_new"},
		{Path: "/developer/waiting", Methods: getsPost, Cache: cacheNever, Page: "developer_waiting"},
		{Path: "/developer/app", Methods: getsPost, Cache: cacheNever, Page: "developer_app"},
		{Path: "/developer/app/settings", Methods: getsPost, Cache: cacheNever, Page: "developer_settings"},
		{Path: "/developer/app/redirects", Methods: getsPost, Cache: cacheNever, Page: "developer_redirects"},
		{Path: "/developer/app/secrets", Methods: getsPost, Cache: cacheNever, Page: "developer_secrets"},
		{Path: "/developer/app/errors", Methods: get, Cache: cacheNever, Page: "developer_errors"},
		{Path: "/developer/app/delete", Methods: getsPost, Cache: cacheNever, Page: "developer_delete"},
		{Path: "/developer/app/snippets", Methods: get, Cache: cacheNever, Page: "developer_snippets"},
		{Path: "/developer/playground", Methods: getsPost, Cache: cacheNever, Page: "playground"},
		{Path: "/developer/playground/callback", Methods: get, Cache: cacheNever, Page: "playground_callback"},
		{Path: "/userinfo", Methods: getsPost, Cache: cacheNever, CORS: true, Metadata: "userinfo_endpoint", handle: p.fresh(p.tokens.Userinfo)},
	}...)
}

// Routes returns every address with its full path on this host: an issuer with a path serves all of them under it, and the
// metadata under the inserted form of RFC 8414 §3.1 and RFC 9728 §3.1 as well.
func (p *Provider) Routes() []Route {
	base := issuerPath(p.config.Issuer)
	var routes []Route
	for _, r := range p.table() {
		if base != "" && (r.Path == pathOpenIDConfiguration || r.Path == pathServerMetadata || r.Path == pathProtectedResource) {
			inserted := r
			inserted.Path = r.Path + base
			routes = append(routes, inserted)
		}
		r.Path = base + r.Path
		routes = append(routes, r)
	}
	return routes
}

func issuerPath(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return u.Path
}

// Serve answers the request and returns what went wrong, for the log; the answer has been written either way.
func (rt Route) Serve(w http.ResponseWriter, r *http.Request) error {
	if rt.CORS {
		allowAnyOrigin(w.Header())
		if r.Method == http.MethodOptions {
			rt.preflight(w)
			return nil
		}
	}
	if !slices.Contains(rt.Methods, r.Method) {
		w.Header().Set("Allow", strings.Join(rt.allowed(), ", "))
		err := &oauth.Error{Code: oauth.InvalidRequest, Description: "this address does not take this method", Status: http.StatusMethodNotAllowed}
		oauth.WriteError(w, err)
		return err
	}
	w.Header().Set("Cache-Control", rt.Cache)
	if rt.Cache == cacheNever {
		w.Header().Set("Pragma", "no-cache")
	}
	r.Body = http.MaxBytesReader(w, r.Body, oauth.MaxBody)
	if err := rt.handle(w, r); err != nil {
		oauth.WriteError(w, Translate(err))
		return err
	}
	return nil
}

func allowAnyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, X-Request-Id")
}

func (rt Route) allowed() []string {
	if rt.CORS {
		return append(slices.Clone(rt.Methods), http.MethodOptions)
	}
	return rt.Methods
}

func (rt Route) preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", strings.Join(rt.Methods, ", "))
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version") // agents in browsers send it everywhere
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// outageWait is what a client is told to wait when the infrastructure fails.
const outageWait = 2 * time.Second

// Translate is the one place where what happened inside becomes what a client hears. Infrastructure that fails is 503, never
// invalid_grant: a client throws its token away on that.
func Translate(err error) *oauth.Error {
	if e := oauth.As(err); e != nil {
		return e
	}
	for _, outage := range []error{
		storage.ErrUnavailable, storage.ErrUnknown, storage.ErrSchema, storage.ErrMoved, context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, outage) {
			return &oauth.Error{
				Code: oauth.TemporarilyUnavailable, RetryAfter: outageWait,
				Description: "the server cannot do this at the moment; nothing is wrong with the request, try again",
			}
		}
	}
	return &oauth.Error{Code: oauth.ServerError, Description: "the server made a mistake; the request id leads its operator to the log"}
}
