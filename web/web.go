// Package web serves the provider on Gin: it mounts the route table, gives every request an id, a deadline and safe headers, and
// writes one log line for each.
package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/web/pages"
)

// requestID is the header that names an answer: in the log, on an error page and in signet explain.
const requestID = "X-Request-Id"

// requestDeadline bounds all work for one request, waits for the password queue and the database included.
const requestDeadline = 10 * time.Second

// Options say how to serve.
type Options struct {
	Provider       *provider.Provider
	Logger         *slog.Logger
	Secure         bool           // the issuer is https: tell browsers to insist on it
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; none: nobody's
	Metrics        *Metrics       // counts requests; nil: nothing does
	Book           *pages.Book    // what the pages are made of, where it was made before; nil: it is made here
	Probes         *Probes        // serve the probes here as well; nil: they have a listener of their own

	Traces trace.TracerProvider // gets a span of every request to a route; nil: nothing is traced
}

// New builds the public handler.
func New(o Options) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.HandleMethodNotAllowed = true
	engine.UseRawPath = true // an escaped address is another one: what a proxy in front filtered by its path stays filtered
	engine.RemoteIPHeaders = []string{"X-Forwarded-For"}
	engine.ContextWithFallback = false
	if err := engine.SetTrustedProxies(prefixes(o.TrustedProxies)); err != nil {
		return nil, err
	}
	s := server{o}
	if o.Metrics != nil {
		engine.Use(o.Metrics.count)
	}
	engine.Use(s.request)
	engine.NoRoute(refuse(&oauth.Error{Code: oauth.NotFound, Description: "there is nothing at this address", Status: http.StatusNotFound}))
	noMethod := refuse(&oauth.Error{
		Code: oauth.InvalidRequest, Description: "this address does not take this method", Status: http.StatusMethodNotAllowed,
	})
	set, err := pages.New(o.Provider, o.Book)
	if err != nil {
		return nil, fmt.Errorf("make the pages: %w", err)
	}
	handlers, err := set.Handlers()
	if err != nil {
		return nil, err
	}
	for _, route := range o.Provider.Routes() {
		if route.Page != "" {
			continue
		}
		handlers[route.Path] = func(c *gin.Context) {
			if err := route.Serve(c.Writer, c.Request); err != nil {
				_ = c.Error(err)
				o.Provider.Refused(c.Writer.Header().Get(requestID), err)
			}
		}
	}
	for path, handle := range handlers {
		engine.Any(path, handle)
	}
	engine.NoMethod(func(c *gin.Context) {
		handle, known := handlers[c.Request.URL.Path]
		if !known {
			handle = noMethod
		}
		handle(c) // a method that gin does not know is refused by the route itself, which names those it takes
	})
	if o.Probes != nil {
		o.Probes.mount(engine)
	}
	if o.Traces != nil {
		return traced(engine, o), nil
	}
	return engine, nil
}

func prefixes(cidrs []netip.Prefix) []string {
	var texts []string
	for _, c := range cidrs {
		texts = append(texts, c.String())
	}
	return texts
}

func refuse(e *oauth.Error) gin.HandlerFunc {
	return func(c *gin.Context) {
		oauth.WriteError(c.Writer, e)
		_ = c.Error(e)
	}
}

type server struct{ Options }

// request wraps every request: id, headers, address, deadline, a net under panics, and the log line.
func (s server) request(c *gin.Context) {
	start := time.Now()
	id := rand.Text()
	s.headers(c.Writer.Header(), id)
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestDeadline)
	defer cancel()
	address := c.ClientIP()
	c.Request = c.Request.WithContext(ctx)
	c.Request.RemoteAddr = net.JoinHostPort(address, "0")
	defer func() {
		if fault := recover(); fault != nil {
			s.panicked(c, id, fault)
		}
		s.log(c, id, address, time.Since(start))
	}()
	c.Next()
}

// headers are on every answer, whatever it is (RFC 9700 §4.16). A route may replace them.
func (s server) headers(h http.Header, id string) {
	h.Set(requestID, id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}

// panicked turns a fault of ours into a clean 500; the stack goes to the log with the request's id.
func (s server) panicked(c *gin.Context, id string, fault any) {
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	s.Logger.ErrorContext(c.Request.Context(), "panic", slog.String("request_id", id), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
	if !c.Writer.Written() {
		oauth.WriteError(c.Writer, &oauth.Error{
			Code: oauth.ServerError, Description: "the server made a mistake; the request id leads its operator to the log",
		})
	}
}

// log writes the request's one line. The query never appears: addresses may carry credentials. A client's mistake is
// information, an outage a warning, a fault of ours an error.
func (s server) log(c *gin.Context, id, address string, took time.Duration) {
	status := c.Writer.Status()
	level := slog.LevelInfo
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	ctx := c.Request.Context()
	if !s.Logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", id), slog.String("method", c.Request.Method), slog.String("path", path(c)),
		slog.Int("status", status), slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.String("address", address),
	}
	if err := c.Errors.Last(); err != nil {
		attrs = append(attrs, slog.String("error", err.Err.Error()))
	}
	s.Logger.LogAttrs(ctx, level, "request", attrs...)
}

// path is the route's own where there is one: what a stranger typed is not kept.
func path(c *gin.Context) string {
	if full := c.FullPath(); full != "" {
		return full
	}
	return "(none)"
}
