package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDrain: after SIGTERM /readyz says 503 while a request is in flight, that request is answered, and the exit code is 0.
func TestDrain(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		robot := createClient(t, node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read")
		body := url.Values{"grant_type": {"client_credentials"}, "client_id": {robot.ID}}.Encode()

		conn, err := net.Dial("tcp", strings.TrimPrefix(node.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(startup)); err != nil {
			t.Fatal(err)
		}
		// All but the last byte: the server has begun with this request and cannot end it.
		fmt.Fprintf(conn, "POST /oauth2/token HTTP/1.1\r\nHost: signet\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
			"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
		reader := bufio.NewReader(conn)
		if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("the server does not begin to read: %q, %v", line, err)
		}
		if _, err := reader.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, body[:len(body)-1])

		if err := node.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, node.probes+"/readyz", http.StatusServiceUnavailable)
		fmt.Fprint(conn, body[len(body)-1:])
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("the request in flight was cut off: %v", err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized { // it came without the client's secret
			t.Errorf("the request in flight was answered %d", resp.StatusCode)
		}
		select {
		case err := <-node.done:
			node.done <- err
			if err != nil {
				t.Errorf("signet serve ended with %v, want exit code 0", err)
			}
		case <-time.After(startup):
			t.Error("the server does not end")
		}
	})
}

// awaitStatus asks address until it answers with status.
func awaitStatus(t *testing.T, address string, status int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(startup); time.Now().Before(deadline); <-tick.C {
		resp, err := http.Get(address)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == status {
			return
		}
	}
	t.Fatalf("%s never answers %d", address, status)
}
