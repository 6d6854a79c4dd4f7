package main

import (
	"net"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// freePort VARIABLE… takes ports that nobody listens on.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: freeport variable...")
	}
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Setenv(name, port)
	}
}

// ready waits until the server of these settings says that it is ready.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: ready")
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := ts.Exec("signet", "healthcheck")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the server is not ready: %v", err)
		}
	}
}

// chained waits until the server has given every event its place in the audit chain, and vouched for some of them, and leaves the answer
// of audit verify.
func chained(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: chained")
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		ts.Check(ts.Exec("signet", "audit", "verify", "-o", "json"))
		answer := ts.ReadFile("stdout")
		if strings.Contains(answer, `"waiting": 0,`) && !strings.Contains(answer, `"checkpoints": 0,`) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("events still wait for their places, or for a checkpoint: %s", answer)
		}
	}
}

// requestID VARIABLE takes the request id out of the last stderr.
func requestID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: requestid variable")
	}
	_, after, ok := strings.Cut(ts.ReadFile("stderr"), "request id ")
	if !ok || len(after) < 26 {
		ts.Fatalf("stderr names no request id")
	}
	ts.Setenv(args[0], after[:26])
}
