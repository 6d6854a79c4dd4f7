package web

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

// probeDeadline bounds one look at the database.
const probeDeadline = 2 * time.Second

// Probes answer who asks whether the process lives (/healthz) and whether it can work (/readyz).
type Probes struct {
	ready    func(context.Context) error
	logger   *slog.Logger
	draining atomic.Bool
}

// NewProbes makes probes that ask ready. Its error goes to the log: it may name what nobody outside should know.
func NewProbes(ready func(context.Context) error, logger *slog.Logger) *Probes {
	return &Probes{ready: ready, logger: logger}
}

// Drain turns /readyz to 503, so that no new requests are sent here while those in flight finish.
func (p *Probes) Drain() { p.draining.Store(true) }

// Handler serves the probes, and the metrics, on a listener of their own.
func (p *Probes) Handler(m *Metrics) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	p.mount(engine)
	engine.GET("/metrics", gin.WrapH(m.handler()))
	return engine
}

func (p *Probes) mount(engine *gin.Engine) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		engine.Handle(method, "/healthz", func(c *gin.Context) { probe(c, http.StatusOK, "alive") })
		engine.Handle(method, "/readyz", p.readyz)
	}
}

func (p *Probes) readyz(c *gin.Context) {
	if p.draining.Load() {
		probe(c, http.StatusServiceUnavailable, "draining")
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), probeDeadline)
	defer cancel()
	if err := p.ready(ctx); err != nil {
		p.logger.WarnContext(ctx, "not ready", slog.Any("error", err))
		probe(c, http.StatusServiceUnavailable, "not ready: the log says why")
		return
	}
	probe(c, http.StatusOK, "ready")
}

func probe(c *gin.Context, status int, text string) {
	c.Header("Cache-Control", "no-store")
	if status != http.StatusOK {
		c.Header("Retry-After", "1")
	}
	c.String(status, text+"\n")
}
