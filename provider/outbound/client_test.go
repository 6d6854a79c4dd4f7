package outbound

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

func rootsOf(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func TestAFormIsPostedAndNothingElse(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	server := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.WriteHeader(http.StatusNoContent)
		got <- r
	})
	c := New(Config{Allow: []Network{at(t, server)}, Roots: rootsOf(server)})
	for range 2 {
		status, err := c.PostForm(context.Background(), server.URL+"/out?a=1", url.Values{"logout_token": {"x.y.z"}})
		if err != nil || status != http.StatusNoContent {
			t.Fatalf("%d, %v", status, err)
		}
		r := <-got
		if r.Method != http.MethodPost || r.RequestURI != "/out?a=1" || r.PostForm.Encode() != "logout_token=x.y.z" || r.ProtoMajor != 1 || r.TLS == nil {
			t.Errorf("%s %s %s %v", r.Method, r.RequestURI, r.Proto, r.PostForm)
		}
		for _, name := range []string{"Cookie", "Authorization", "Referer", "Accept-Encoding"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s: %s", name, v)
			}
		}
	}
}

func TestACertificateOfNobodyKnownIsNoAnswer(t *testing.T) {
	t.Parallel()
	server := serve(t, true, func(http.ResponseWriter, *http.Request) { t.Error("the request was sent") })
	_, err := New(Config{Allow: []Network{at(t, server)}}).PostForm(context.Background(), server.URL, nil)
	if unknown := (x509.UnknownAuthorityError{}); !errors.Is(err, ErrUnreachable) || !errors.As(err, &unknown) {
		t.Errorf("%v, want ErrUnreachable with its cause", err)
	}
}

func TestARedirectIsAnAnswerAndNoOrder(t *testing.T) {
	t.Parallel()
	trap := newCanary(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := serve(t, true, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:"+trap.port+"/")
			w.WriteHeader(status)
		})
		// Everything here is allowed: it is not the guard that stops it.
		c := New(Config{Allow: []Network{network(t, "127.0.0.0/8")}, Roots: rootsOf(server)})
		if got, err := c.PostForm(context.Background(), server.URL, nil); err != nil || got != status {
			t.Errorf("%d, %v, want %d", got, err, status)
		}
	}
	if n := trap.reached.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestTheProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	trap := newCanary(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:"+trap.port)
	}
	dns := &names{by: map[string][][]string{"app.test": {{"10.0.0.1"}}}}
	_, err := New(Config{Resolver: dns.resolver()}).PostForm(context.Background(), "https://app.test/", nil)
	if n := trap.reached.Load(); n != 0 || !errors.Is(err, ErrRefused) {
		t.Errorf("%d connections to the proxy, %v", n, err)
	}
}

// TestWhoAnswersBadlyCostsTheBudgetAtMost: each of these peers would hold or feed a caller for ever.
func TestWhoAnswersBadlyCostsTheBudgetAtMost(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	drip := func(conn net.Conn, text string) {
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			select {
			case <-over:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	for name, peer := range map[string]func(net.Conn){
		"says nothing":        func(net.Conn) { <-over },
		"drips its status":    func(c net.Conn) { drip(c, "HTTP/1.1 200 OK ") },
		"drips its header":    func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"); drip(c, "X-A: b\r\n") },
		"never ends a header": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: "); _, _ = io.Copy(c, endless{}) },
		"early hints forever": func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return
				}
			}
		},
		"speaks something else": func(c net.Conn) { _, _ = io.WriteString(c, "+PONG\r\n") },
		"hangs up":              func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := listen(t, peer)
			c := New(Config{Allow: []Network{network(t, "127.0.0.0/8")}, Budget: 200 * time.Millisecond})
			for _, scheme := range []string{"http", "https"} { // over https it is not even TLS
				if status, err := c.PostForm(context.Background(), scheme+"://"+address+"/", nil); !errors.Is(err, ErrUnreachable) {
					t.Errorf("%s: %d, %v, want ErrUnreachable", scheme, status, err)
				}
			}
		})
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func listen(t *testing.T, peer func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				peer(conn)
			}()
		}
	}()
	return l.Addr().String()
}

func TestABodyIsNotRead(t *testing.T) {
	t.Parallel()
	const whole = 1 << 30
	written := make(chan int64, 1)
	server := serve(t, false, func(w http.ResponseWriter, _ *http.Request) {
		n, _ := io.Copy(w, io.LimitReader(endless{}, whole))
		written <- n
	})
	c := New(Config{Allow: []Network{at(t, server)}})
	if status, err := c.PostForm(context.Background(), server.URL, nil); err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v", status, err)
	}
	if n := <-written; n >= whole {
		t.Errorf("the peer could write all its %d bytes", n)
	}
}

func TestASlowHostHoldsNobodyElseUp(t *testing.T) {
	t.Parallel()
	release, arrived := make(chan struct{}), make(chan struct{}, 100)
	slow := serve(t, false, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	quick := serve(t, false, func(http.ResponseWriter, *http.Request) {})
	c := New(Config{Allow: []Network{at(t, slow), at(t, quick)}, Budget: time.Hour})
	var waiting sync.WaitGroup
	var answered atomic.Int64
	for range 50 {
		waiting.Go(func() {
			if _, err := c.PostForm(context.Background(), slow.URL, nil); err == nil {
				answered.Add(1)
			}
		})
	}
	for range perHost {
		<-arrived
	}
	for range 20 {
		if status, err := c.PostForm(context.Background(), quick.URL, nil); err != nil || status != http.StatusOK {
			t.Fatalf("another host: %d, %v", status, err)
		}
	}
	if n := len(arrived); n != 0 {
		t.Errorf("%d requests more than %d are at one host at once", n, perHost)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := c.PostForm(ended, slow.URL, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up while it waited: %v", err)
	}
	close(release)
	waiting.Wait()
	if n := answered.Load(); n != 50 {
		t.Errorf("%d of 50 that waited were answered", n)
	}
}

func TestAHostThatFailsRepeatedlyIsLeftAlone(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	var broken atomic.Bool
	broken.Store(true)
	address := listen(t, func(c net.Conn) {
		connections.Add(1)
		if !broken.Load() {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")
		}
	})
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := New(Config{Allow: []Network{network(t, "127.0.0.1/32")}, Clock: func() time.Time { return now }})
	post := func() (int, error) { return c.PostForm(context.Background(), "http://"+address+"/", nil) }
	for i := range failLimit {
		if _, err := post(); !errors.Is(err, ErrUnreachable) {
			t.Fatalf("failure %d: %v", i+1, err)
		}
	}
	for range 10 {
		if _, err := post(); !errors.Is(err, ErrResting) {
			t.Fatalf("%v, want ErrResting", err)
		}
	}
	if n := connections.Load(); n != failLimit {
		t.Errorf("%d connections, want %d", n, failLimit)
	}
	now = now.Add(rest)
	if _, err := post(); !errors.Is(err, ErrUnreachable) {
		t.Errorf("after its rest: %v, want a try", err)
	}
	if _, err := post(); !errors.Is(err, ErrResting) {
		t.Errorf("after a try that failed: %v, want ErrResting", err)
	}
	now = now.Add(rest)
	broken.Store(false)
	for range failLimit + 1 { // an answer is an answer, whatever its status
		if status, err := post(); err != nil || status != http.StatusInternalServerError {
			t.Errorf("once it answers again: %d, %v", status, err)
		}
	}
}

func TestHostsThatNobodyWaitsForAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := newHosts(func() time.Time { return now })
	for range failLimit {
		one, err := h.take(context.Background(), "resting")
		if err != nil {
			t.Fatal(err)
		}
		one.done(true)
	}
	held, err := h.take(context.Background(), "held")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 * manyHosts {
		one, err := h.take(context.Background(), strings.Repeat("a", i%7)+string(rune('0'+i)))
		if err != nil {
			t.Fatal(err)
		}
		one.done(false)
	}
	if n := len(h.by); n > manyHosts {
		t.Errorf("%d hosts are kept", n)
	}
	if h.by["held"] != held.host || h.by["resting"] == nil {
		t.Error("a host in use, or one that rests, was forgotten")
	}
}
