package web_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/web"
)

func TestMetricsCountByShortListsAlone(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w := newWorld(t, "sqlite", engines["sqlite"](t, c.Now), c)
	m := web.NewMetrics("test")
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	public, err := web.New(web.Options{Provider: w.provider, Logger: logger, Metrics: m})
	w.must(err)
	series := func() int {
		page := httptest.NewRecorder()
		web.NewProbes(w.provider.Ready, logger).Handler(m).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "signet_http_requests_total") {
			t.Fatalf("GET /metrics: %d %s", page.Code, page.Body)
		}
		return strings.Count(page.Body.String(), "\nsignet_")
	}
	visit := func(method, path, body string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		public.ServeHTTP(httptest.NewRecorder(), r)
	}
	visit("GET", "/nowhere", "")
	visit("BREW", "/userinfo", "")
	visit("POST", "/oauth2/token", "grant_type=tea")
	before := series()
	for i := range 2000 {
		visit("GET", fmt.Sprintf("/nowhere/%d", i), "")
		visit(fmt.Sprintf("BREW%d", i), "/userinfo", "")
		visit("POST", "/oauth2/token", fmt.Sprintf("grant_type=tea-%d&client_id=c%d", i, i))
	}
	if after := series(); after != before {
		t.Errorf("requests lengthened the metrics from %d to %d series", before, after)
	}
}
