package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Metrics count what the server does, for Prometheus. Every label has a short list of values that no request can lengthen.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	tokens    *prometheus.CounterVec
	rotations *prometheus.CounterVec
	frontDoor *prometheus.CounterVec
	mailed    prometheus.Counter
	unmailed  *prometheus.CounterVec
}

// NewMetrics makes a registry of its own.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signet_http_requests_total", Help: "Requests by route, method and status.",
		}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signet_http_request_duration_seconds", Help: "How long requests took, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "signet_http_requests_in_flight", Help: "Requests being served now."}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signet_token_requests_total", Help: "Requests to the token endpoint by grant_type and error code; no code: tokens were issued.",
		}, []string{"grant_type", "error"}),
		rotations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signet_refresh_rotations_total", Help: "Presented refresh tokens by what the rotation rule decided; reuse: a grant was revoked.",
		}, []string{"outcome"}),
		frontDoor: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signet_front_door_requests_total", Help: "Requests to authorize, par and device_authorization by how they ended; no error: they were granted.",
		}, []string{"endpoint", "error"}),
		mailed: prometheus.NewCounter(prometheus.CounterOpts{Name: "signet_mail_sent_total", Help: "Mails that the mail server took."}),
		unmailed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signet_mail_failed_total", Help: "Attempts to send a mail that failed, by why; recipient: it was given up.",
		}, []string{"reason"}),
	}
	m.registry.MustRegister(
		m.requests, m.durations, m.inFlight, m.tokens, m.rotations, m.frontDoor, m.mailed, m.unmailed,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signet_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": version},
		}, func() float64 { return 1 }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// WatchQueue shows how many sign-ins wait for their password hash. It is called once.
func (m *Metrics) WatchQueue(waiting func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signet_password_hashes_waiting", Help: "Sign-ins that wait for their password hash.",
	}, func() float64 { return float64(waiting()) }))
}

// WatchRefusals shows how many refused requests could not be kept for signet explain. It is called once.
func (m *Metrics) WatchRefusals(dropped func() int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "signet_refusals_dropped_total", Help: "Refused requests that came too fast to be kept for signet explain.",
	}, func() float64 { return float64(dropped()) }))
}

// TokenRequest implements provider.Observer.
func (m *Metrics) TokenRequest(grantType string, code oauth.Code) {
	m.tokens.WithLabelValues(grantType, string(code)).Inc()
}

// Rotation implements provider.Observer.
func (m *Metrics) Rotation(outcome storage.Outcome) {
	m.rotations.WithLabelValues(outcome.String()).Inc()
}

// FrontDoor implements provider.Observer.
func (m *Metrics) FrontDoor(endpoint string, code oauth.Code) {
	m.frontDoor.WithLabelValues(endpoint, string(code)).Inc()
}

// MailSent implements provider.Observer.
func (m *Metrics) MailSent() { m.mailed.Inc() }

// MailFailed implements provider.Observer.
func (m *Metrics) MailFailed(reason string) { m.unmailed.WithLabelValues(reason).Inc() }

// handler is GET /metrics.
func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: probeDeadline})
}

// count is the middleware that measures every request.
func (m *Metrics) count(c *gin.Context) {
	start := time.Now()
	m.inFlight.Inc()
	defer m.inFlight.Dec()
	c.Next()
	route := path(c)
	m.requests.WithLabelValues(route, method(c.Request.Method), strconv.Itoa(c.Writer.Status())).Inc()
	m.durations.WithLabelValues(route).Observe(time.Since(start).Seconds())
}

// method is the request's method, of those that anybody has a use for.
func method(of string) string {
	switch of {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return of
	}
	return "other"
}
