package web

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
)

// guardedLog is written by the server and read by the test.
type guardedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *guardedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *guardedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestAPanicIsAnsweredOnceAndTheProcessLives(t *testing.T) {
	t.Parallel()
	log := &guardedLog{}
	engine := gin.New()
	engine.Use(server{Options{Logger: slog.New(slog.NewJSONHandler(log, nil))}}.request)
	engine.GET("/early", func(*gin.Context) { panic(errors.New("a fault of ours")) })
	engine.GET("/late", func(c *gin.Context) {
		c.Status(http.StatusOK)
		_, _ = c.Writer.WriteString("begun")
		panic("too late to say so")
	})
	site := httptest.NewServer(engine)
	defer site.Close()
	get := func(path string) (int, string, string) {
		answer, err := site.Client().Get(site.URL + path)
		if err != nil {
			t.Fatalf("GET %s: %v", path, err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatalf("GET %s: %v", path, err)
		}
		return answer.StatusCode, string(body), answer.Header.Get("X-Request-Id")
	}
	for range 2 { // the second finds the server alive
		status, body, id := get("/early")
		if status != http.StatusInternalServerError || !strings.Contains(body, `"server_error"`) || strings.Contains(body, "fault of ours") {
			t.Errorf("answer to a panic: %d %s", status, body)
		}
		if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "panic_test.go") {
			t.Errorf("the log has no stack under request id %s", id)
		}
	}
	if _, body, _ := get("/late"); body != "begun" {
		t.Errorf("an answer that had begun ends as %q", body)
	}
}
