package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// tracesTimeout bounds how long the end of the server waits for its last spans to be taken.
const tracesTimeout = 5 * time.Second

// tracing is where spans go.
type tracing struct{ provider *sdktrace.TracerProvider }

// tracesEndpoint reads the standard variables that say whether and where to spans go; "" is nowhere.
func tracesEndpoint(environ []string) (string, error) {
	vars := map[string]string{}
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			vars[name] = strings.TrimSpace(value)
		}
	}
	first := func(names ...string) string {
		for _, name := range names {
			if vars[name] != "" {
				return vars[name]
			}
		}
		return ""
	}
	exporter := vars["OTEL_TRACES_EXPORTER"]
	endpoint := vars["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
	if base := vars["OTEL_EXPORTER_OTLP_ENDPOINT"]; endpoint == "" && base != "" {
		endpoint = strings.TrimSuffix(base, "/") + "/v1/traces"
	}
	switch {
	case strings.EqualFold(vars["OTEL_SDK_DISABLED"], "true"), exporter == "none", exporter == "" && endpoint == "":
		return "", nil
	case exporter != "" && exporter != "otlp":
		return "", errors.New("OTEL_TRACES_EXPORTER must be otlp or none")
	}
	if p := first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); p != "" && p != "http/protobuf" {
		return "", errors.New("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, which collectors take on port 4318")
	}
	if endpoint == "" {
		endpoint = "http://localhost:4318/v1/traces"
	}
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://localhost:4318")
	}
	return endpoint, nil
}

// openTracing begins to trace where the standard variables ask for it; nil: they do not, and nothing of it is in the way of a
// request. The libraries read the other variables (sampler, headers, service name, limits) by themselves.
func (a *app) openTracing(ctx context.Context, logger *slog.Logger) (*tracing, error) {
	endpoint, err := tracesEndpoint(a.environ())
	if err != nil {
		return nil, fail(exitConfig, "%w", err)
	}
	if endpoint == "" {
		return nil, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("traces", slog.Any("error", err))
	}))
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fail(exitConfig, "OTEL_EXPORTER_OTLP_ENDPOINT and the variables beside it cannot be used: %w", err)
	}
	self, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "signet"), attribute.String("service.version", version())),
		resource.WithTelemetrySDK(), resource.WithFromEnv()) // the variables win over the name
	if err != nil {
		return nil, fail(exitConfig, "OTEL_RESOURCE_ATTRIBUTES cannot be used: %w", err)
	}
	return &tracing{sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(self))}, nil
}

// statements makes spans of SQL statements: their text, which is constant, and never their parameters.
func (t *tracing) statements() *otelpgx.Tracer {
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider), otelpgx.WithMeterProvider(noop.NewMeterProvider()),
		otelpgx.WithDisableConnectionDetailsInAttributes())
}

// close sends the last spans.
func (t *tracing) close(ctx context.Context, logger *slog.Logger) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		logger.WarnContext(ctx, "the last traces were not taken", slog.Any("error", err))
	}
}
