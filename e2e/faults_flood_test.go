package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	crowd = 200      // how many slow peers, or guesses of passwords, there are at once
	slack = 64 << 20 // bytes of memory that a crowd may cost
	race  = 6        // how much larger memory is, and how much slower the processor, under the race detector
)

// TestFaultSlowPeers: two hundred connections that send one byte a second, and two hundred that ask and never read, hold nobody
// up. The server lets go of those that send no request, and no memory is spent on any.
func TestFaultSlowPeers(t *testing.T) {
	t.Parallel()
	node := serve(t, onSQLite(t))
	h := newHistory(t, 4, node)
	before := peak(t, node)
	address := strings.TrimPrefix(node.URL, "http://")
	ctx, cancel := context.WithTimeout(t.Context(), heard)
	defer cancel()
	stop := h.load(t)
	var slow sync.WaitGroup
	for range crowd {
		slow.Go(func() { drip(ctx, t, address) })
	}
	for range crowd {
		neverRead(t, address)
	}
	slow.Wait()
	stop()
	flat(t, node, before)
	good, outage := h.verify(t)
	if outage > 0 {
		t.Errorf("%d requests beside slow peers were answered 503", outage)
	}
	t.Logf("%d requests served beside, the slowest within %v", good, h.slowest(0, time.Hour))
}

func onSQLite(t *testing.T) settings {
	t.Helper()
	return settings{"SIGNET_DATABASE_URL": "sqlite://" + t.TempDir() + "/signet.db"}
}

// drip sends the head of a request one byte a second until the server has had enough.
func drip(ctx context.Context, t *testing.T, address string) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, c)
		close(closed)
	}()
	head := "POST /oauth2/token HTTP/1.1\r\nHost: signet\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	for i := range len(head) {
		if _, err := io.WriteString(c, head[i:i+1]); err != nil {
			return
		}
		select {
		case <-closed:
			return
		case <-ctx.Done():
			t.Errorf("a head of one byte a second was borne with for %d seconds", i)
			return
		case <-time.After(time.Second):
		}
	}
}

// neverRead asks for more than fits into the buffers of a connection, and reads nothing until the test is over.
func neverRead(t *testing.T, address string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	requests := bufio.NewWriter(c)
	for range 200 {
		fmt.Fprint(requests, "GET /.well-known/jwks.json HTTP/1.1\r\nHost: signet\r\n\r\n")
	}
	_ = requests.Flush() // the server may have stopped reading before the end
}

// TestFaultPasswordFlood: two hundred sign-ins at once are hashed a few at a time; the others are told to come again, at once and
// honestly; keys and refreshes are served beside them, and memory stays what it was.
func TestFaultPasswordFlood(t *testing.T) {
	t.Parallel()
	node := serve(t, onSQLite(t))
	h := newHistory(t, 4, node)
	before := peak(t, node)
	over := make(chan []event)
	go func() {
		heards := make([]event, crowd)
		var guesses sync.WaitGroup
		for i := range heards {
			guesses.Go(func() {
				form := url.Values{"grant_type": {"password"}, "username": {"nobody" + strconv.Itoa(i)}, "password": {"wrong"}}
				began := time.Now()
				e := &heards[i]
				e.answer, e.retry, e.err = sendPatiently(node.URL+"/oauth2/token", h.client, form)
				e.what, e.took = "guess", time.Since(began)
			})
		}
		guesses.Wait()
		over <- heards
	}()
	var beside []time.Duration
	var heards []event
	for heards == nil {
		for i, d := range h.devices {
			e := h.turn(i, d)
			beside = append(beside, e.took)
		}
		began := time.Now()
		if get(t, node.URL+"/.well-known/jwks.json", "") == "" {
			t.Error("the key set is not served")
		}
		beside = append(beside, time.Since(began))
		select {
		case heards = <-over:
		case <-time.After(20 * time.Millisecond):
		}
	}
	var hashed, told int
	for _, e := range heards {
		switch {
		case e.err == nil && e.answer.Status == http.StatusBadRequest && e.answer.Error == "invalid_grant":
			hashed++
		case e.err == nil && (e.answer.Status == http.StatusServiceUnavailable || e.answer.Status == http.StatusTooManyRequests) && e.retry != "":
			told++
		default:
			t.Errorf("a guess: %s", e)
		}
	}
	if told == 0 {
		t.Errorf("%d guesses at once were all hashed: that is no flood", hashed)
	}
	if worst := slices.Max(beside); worst > 3*time.Second {
		t.Errorf("a refresh or the key set took %v beside the flood", worst)
	}
	flat(t, node, before)
	if _, outage := h.verify(t); outage > 0 {
		t.Errorf("%d refreshes were answered 503", outage)
	}
	t.Logf("%d guesses hashed, %d told to come again; beside them %d requests, the slowest in %v", hashed, told, len(beside), slices.Max(beside))
}

// flat fails the test where the process has grown by more than a crowd may cost.
func flat(t *testing.T, n *node, before int) {
	t.Helper()
	may := slack
	if len(buildFlags) > 0 {
		may *= race
	}
	if after := peak(t, n); after > before+may {
		t.Errorf("memory grew from %d to %d MiB", before>>20, after>>20)
	} else {
		t.Logf("memory: %d MiB before, at most %d MiB since", before>>20, after>>20)
	}
}

// peak is the most memory that the process ever had, in bytes.
func peak(t *testing.T, n *node) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		missing(t, "the memory of a process", "run this test on Linux")
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmHWM in the process's status")
	return 0
}
