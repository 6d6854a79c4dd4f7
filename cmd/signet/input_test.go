package main

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestCtrlCEndsTheWaitForStdin: a command that waits for a secret at a terminal ends when it is interrupted, although its stdin
// does not.
func TestCtrlCEndsTheWaitForStdin(t *testing.T) {
	t.Parallel()
	stdin, typed := io.Pipe()
	t.Cleanup(func() { _ = typed.Close() })
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	_, err := (&app{stdin: stdin}).readLine(ctx, "the password")
	var code *exit
	if !errors.As(err, &code) || code.code != exitFailed {
		t.Fatalf("error %v, want exit code %d", err, exitFailed)
	}
}
