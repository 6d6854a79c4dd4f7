package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

// receiver is a collector that takes traces by OTLP over HTTP and reads what it gets.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
	calls    int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body io.Reader = request.Body
		if request.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(body)
			if err != nil {
				t.Errorf("the traces: %v", err)
				return
			}
			body = unpacked
		}
		text, err := io.ReadAll(body)
		got := &collector.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(text, got)
		}
		if err != nil || request.URL.Path != "/v1/traces" {
			t.Errorf("the traces at %s: %v", request.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests, r.calls = append(r.requests, got), r.calls+1
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// told are all spans by the scope that made them, the resource's attributes, and everything as text.
func (r *receiver) told() (spans map[string][]*traces.Span, about map[string]string, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	spans, about = map[string][]*traces.Span{}, map[string]string{}
	for _, request := range r.requests {
		text += request.String()
		for _, of := range request.ResourceSpans {
			for _, a := range of.Resource.Attributes {
				about[a.Key] = a.Value.GetStringValue()
			}
			for _, scope := range of.ScopeSpans {
				spans[scope.Scope.Name] = append(spans[scope.Scope.Name], scope.Spans...)
			}
		}
	}
	return spans, about, text
}

// visit makes requests with marked secrets wherever a request can have one.
func visit(t *testing.T, address string) {
	t.Helper()
	send := func(method, path, body string, edit func(*http.Request)) {
		request, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if edit != nil {
			edit(request)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	form := url.Values{
		"grant_type": {"password"}, "username": {"ada"}, "password": {"MARKED-password"}, "client_id": {"people"},
	}
	send("POST", "/oauth2/token?password=MARKED-query", form.Encode(), nil)
	send("POST", "/oauth2/token", "grant_type=refresh_token&refresh_token=srt_MARKED-refresh", func(r *http.Request) { r.SetBasicAuth("nobody", "MARKED-basic") })
	send("POST", "/oauth2/introspect", "token=sat_MARKED-token&client_id=nobody&client_secret=MARKED-secret", nil)
	send("GET", "/userinfo", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer MARKED-bearer") })
	send("GET", "/MARKED-path/reset?token=MARKED-reset", "", nil)
	send("MARKEDMETHOD", "/userinfo", "", nil)
	send("GET", "/.well-known/jwks.json", "", func(r *http.Request) {
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		r.Header.Set("Cookie", "session=MARKED-cookie")
	})
}

// TestTracesSayWhatHappenedAndNoSecret sets the process's environment, which the libraries read by themselves.
func TestTracesSayWhatHappenedAndNoSecret(t *testing.T) {
	to := newReceiver(t)
	t.Setenv("OTEL_SERVICE_NAME", "signet-test")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	database := pgtest.URL(t)
	if _, err := postgres.Migrate(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	r := serveHere(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": to.URL, "SIGNET_DATABASE_URL": database})
	_, _, err := r.opened.Clients().Create(t.Context(), storage.ClientMetadata{
		Name: "people", GrantTypes: []string{oauth.GrantPassword}, TokenEndpointAuthMethod: oauth.AuthNone, Scope: oauth.ScopeOpenID,
	}, "people", "test")
	if err != nil {
		t.Fatal(err)
	}
	visit(t, r.settings.IssuerURL)
	r.stop()
	r.ended <- <-r.ended
	spans, about, text := to.told()
	if strings.Contains(text, "MARKED") {
		at := strings.Index(text, "MARKED")
		t.Errorf("a span has a secret: …%s…", text[max(0, at-200):min(len(text), at+100)])
	}
	if about["service.name"] != "signet-test" || about["deployment.environment.name"] != "test" {
		t.Errorf("the spans are of %v", about)
	}
	var names []string
	for _, s := range spans["go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"] {
		names = append(names, s.Name)
		if !slices.ContainsFunc(s.Attributes, func(a *common.KeyValue) bool {
			return a.Key == "signet.request_id" && len(a.Value.GetStringValue()) == 26
		}) {
			t.Errorf("the span of %s does not name its request", s.Name)
		}
		if len(s.ParentSpanId) > 0 {
			t.Errorf("%s goes on with a trace that a stranger began", s.Name)
		}
	}
	slices.Sort(names)
	want := []string{"GET /.well-known/jwks.json", "GET /userinfo", "POST /oauth2/introspect", "POST /oauth2/token", "POST /oauth2/token"}
	if !slices.Equal(names, want) {
		t.Errorf("requests are spans %q, want %q", names, want)
	}
	if len(spans["github.com/exaring/otelpgx"]) == 0 {
		t.Errorf("no statement is a span: %d scopes", len(spans))
	}
}

func TestWithoutTheVariablesNothingIsTraced(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	for name, environ := range map[string][]string{
		"nothing":  nil,
		"disabled": {"OTEL_SDK_DISABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT=" + to.URL},
		"none":     {"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=" + to.URL},
		"others":   {"OTEL_SERVICE_NAME=x", "OTEL_TRACES_SAMPLER=always_on"},
	} {
		a := &app{environ: func() []string { return environ }}
		if got, err := a.openTracing(t.Context(), a.logger(settings{LogFormat: "json"})); got != nil || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestTheVariablesOfTracingAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environ    string // separated by spaces
		want, fail string
	}{
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4318", "http://a:4318/v1/traces", ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4318/base/", "http://a:4318/base/v1/traces", ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4318 OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://b/x", "https://b/x", ""},
		{"OTEL_TRACES_EXPORTER=otlp", "http://localhost:4318/v1/traces", ""},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_SDK_DISABLED=TRUE", "", ""},
		{"OTEL_TRACES_EXPORTER=zipkin", "", "OTEL_TRACES_EXPORTER must be otlp or none"},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "", "http/protobuf"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=a:4318", "", "must be a URL"},
	} {
		got, err := tracesEndpoint(strings.Fields(c.environ))
		if got != c.want || (err != nil) != (c.fail != "") || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s: %q, %v", c.environ, got, err)
		}
	}
}
