// A backend for a single-page app: it signs people in at Signet, keeps their tokens to itself, and lends the browser a cookie
// that no script can read. It needs nothing beside the standard library.
package main

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

//go:embed page
var page embed.FS

func main() {
	if err := run(); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func run() error {
	api, err := url.Parse(os.Getenv("API"))
	if err != nil || api.Host == "" {
		return fmt.Errorf("API must be the address of the API, such as https://api.example.com")
	}
	b := &backend{
		issuer: issuer{
			url: os.Getenv("ISSUER"), clientID: os.Getenv("CLIENT_ID"), clientSecret: os.Getenv("CLIENT_SECRET"),
			resource: os.Getenv("API"), http: &http.Client{Timeout: 10 * time.Second},
		},
		sessions: newSessions(),
	}
	handler, err := b.routes(api)
	if err != nil {
		return err
	}
	server := http.Server{Addr: os.Getenv("LISTEN_ADDR"), Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// backend is what the page talks to.
type backend struct {
	issuer   issuer
	sessions *sessions
}

func (b *backend) routes(api *url.URL) (http.Handler, error) {
	files, err := fs.Sub(page, "page")
	if err != nil {
		return nil, err
	}
	private := http.NewServeMux()
	private.HandleFunc("POST /bff/login", b.login)
	private.HandleFunc("GET /bff/session", b.whoami)
	private.HandleFunc("POST /bff/logout", b.logout)
	private.Handle("/api/", http.StripPrefix("/api", b.proxy(api)))
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(files))
	mux.Handle("/bff/", ownPage(private))
	mux.Handle("/api/", ownPage(private))
	return headers(mux), nil
}

// ownPage lets through what a script of our own page sent, and nothing that another site made the browser send. The cookie's
// SameSite stops other sites, but not another subdomain of ours; the browser's own words about the origin stop both, and a
// header that no form can set, and no other origin's script without asking, stops what browsers say nothing about.
func ownPage(next http.Handler) http.Handler {
	checked := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site := r.Header.Get("Sec-Fetch-Site"); r.Header.Get("X-BFF") == "" || site != "" && site != "same-origin" {
			refuse(w, http.StatusForbidden, "cross_origin")
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// headers keep the page to itself: a script that is not ours does not run there, and nobody frames it.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "+
			"base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// proxy passes requests on to the API with the session's access token in place of the cookie.
func (b *backend) proxy(api *url.URL) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, ok := b.session(r)
		if !ok {
			refuse(w, http.StatusUnauthorized, "signed_out")
			return
		}
		token, err := s.accessToken(r.Context(), b.issuer)
		if err != nil {
			failed(w, err)
			return
		}
		(&httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(api)
				p.Out.Header.Del("Cookie")
				p.Out.Header.Del("X-BFF")
				p.Out.Header.Set("Authorization", "Bearer "+token)
			},
			// The browser's cookies are ours alone to set.
			ModifyResponse: func(resp *http.Response) error { resp.Header.Del("Set-Cookie"); return nil },
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				slog.Warn("the API did not answer", "error", err)
				refuse(w, http.StatusBadGateway, "unavailable")
			},
		}).ServeHTTP(w, r)
	})
}
