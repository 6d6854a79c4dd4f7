package web

import (
	"net/http"
	"net/netip"
	"slices"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of every request to a route: named by method and route, of which there are few. What a stranger types
// as an address or a method becomes no span, and the query, the body and the headers are in none.
//
// Whoever calls from the Internet starts a trace of ours and does not continue one of theirs, nor decides whether it is sampled;
// a trusted proxy does both.
func traced(next http.Handler, o Options) http.Handler {
	routes := map[string]bool{}
	for _, route := range o.Provider.Routes() {
		routes[route.Path] = true
	}
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		trace.SpanFromContext(r.Context()).SetAttributes(attribute.String("signet.request_id", w.Header().Get(requestID)))
	})
	return otelhttp.NewHandler(inner, "request",
		otelhttp.WithTracerProvider(o.Traces), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }),
		otelhttp.WithFilter(func(r *http.Request) bool { return routes[r.URL.Path] && method(r.Method) == r.Method }),
		otelhttp.WithPublicEndpointFn(func(r *http.Request) bool { return !from(r, o.TrustedProxies) }),
	)
}

// from reports whether the peer of the connection is in one of the networks.
func from(r *http.Request, networks []netip.Prefix) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(peer.Addr().Unmap()) })
}
