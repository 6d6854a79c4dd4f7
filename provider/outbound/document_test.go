package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestADocumentIsReadAsItStands(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("a", maxDocument)
	got := make(chan *http.Request, 1)
	server := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=600")
		_, _ = io.WriteString(w, whole)
		got <- r
	})
	c := New(Config{Allow: []Network{at(t, server)}, Roots: rootsOf(server)})
	d, err := c.Get(context.Background(), server.URL+"/keys?a=1", "application/json", "application/jwk-set+json")
	if err != nil || string(d.Body) != whole || d.MaxAge != 10*time.Minute {
		t.Fatalf("%d bytes, %v, %v", len(d.Body), d.MaxAge, err)
	}
	r := <-got
	if r.Method != http.MethodGet || r.RequestURI != "/keys?a=1" || r.ContentLength != 0 || r.Header.Get("Accept") != "application/json, application/jwk-set+json" {
		t.Errorf("%s %s, Accept %s", r.Method, r.RequestURI, r.Header.Get("Accept"))
	}
	for _, name := range []string{"Cookie", "Authorization", "Referer", "Accept-Encoding", "Content-Type"} {
		if v := r.Header.Get(name); v != "" {
			t.Errorf("%s: %s", name, v)
		}
	}
}

func TestWhatIsNotTheDocumentIsNotTaken(t *testing.T) {
	t.Parallel()
	trap := newCanary(t)
	answer := func(status int, header, body string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nConnection: close\r\n%s\r\n%s", status, header, body)
	}
	const json = "Content-Type: application/json\r\n"
	for name, test := range map[string]struct {
		answer string
		want   error
	}{
		"no type":             {answer(200, "", "{}"), ErrUnusable},
		"a page":              {answer(200, "Content-Type: text/html\r\n", "{}"), ErrUnusable},
		"a type like it":      {answer(200, "Content-Type: application/json5\r\n", "{}"), ErrUnusable},
		"two types":           {answer(200, "Content-Type: application/json, text/html\r\n", "{}"), ErrUnusable},
		"too long":            {answer(200, json, strings.Repeat("a", maxDocument+1)), ErrUnusable},
		"no content":          {answer(204, json, ""), ErrUnusable},
		"part of it":          {answer(206, json, "{}"), ErrUnusable},
		"not there":           {answer(404, json, "{}"), ErrUnusable},
		"broken":              {answer(500, json, "{}"), ErrUnusable},
		"moved":               {answer(302, json+"Location: http://127.0.0.1:"+trap.port+"/\r\n", "{}"), ErrUnusable},
		"moved for good":      {answer(308, json+"Location: http://127.0.0.1:"+trap.port+"/\r\n", "{}"), ErrUnusable},
		"cut off":             {answer(200, json+"Content-Length: 100\r\n", "{}"), ErrUnreachable},
		"a chunk of nonsense": {answer(200, json+"Transfer-Encoding: chunked\r\n", "zz\r\n"), ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := listen(t, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, test.answer)
			})
			c := New(Config{Allow: []Network{network(t, "127.0.0.0/8")}})
			if d, err := c.Get(context.Background(), "http://"+address+"/", "application/json"); !errors.Is(err, test.want) || d.Body != nil {
				t.Errorf("%q, %v, want %v", d.Body, err, test.want)
			}
			if n := trap.reached.Load(); n != 0 {
				t.Errorf("%d redirects were followed", n)
			}
		})
	}
}

// TestADocumentThatDripsCostsTheBudget: its header is there at once, and its body never ends.
func TestADocumentThatDripsCostsTheBudget(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	address := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
		<-over
	})
	c := New(Config{Allow: []Network{network(t, "127.0.0.0/8")}, Budget: 200 * time.Millisecond})
	for range failLimit {
		if _, err := c.Get(context.Background(), "http://"+address+"/", "application/json"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v, want ErrUnreachable", err)
		}
	}
	if _, err := c.Get(context.Background(), "http://"+address+"/", "application/json"); !errors.Is(err, ErrResting) {
		t.Errorf("%v, want ErrResting", err)
	}
}

func TestTheAgeOfADocumentIsItsCacheControl(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 0, "max-age=60": time.Minute, "Public , MAX-AGE=60": time.Minute, `max-age="60"`: time.Minute, "max-age=60, no-cache": 0, "no-store": 0,
		"max-age=60, max-age=30": 30 * time.Second, "max-age=0, max-age=30": 0, "max-age=-1": 0, "max-age=x": 0, "max-age": 0, "s-maxage=60": 0,
		"max-age=99999999999999999999": 0,
	} {
		if got := maxAge(http.Header{"Cache-Control": {text}}); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
