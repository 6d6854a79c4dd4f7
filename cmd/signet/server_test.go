package main

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/keys"
)

// until waits for what happens soon.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened that %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// running is a server in this process.
type running struct {
	settings settings
	app      *app
	opened   *opened
	stop     context.CancelFunc
	ended    chan error
}

// serveHere runs the server of env on a fresh SQLite file until the test ends or stop is called.
func serveHere(t *testing.T, env map[string]string) *running {
	t.Helper()
	address := freeAddress(t)
	vars := map[string]string{
		"SIGNET_LISTEN_ADDR": address, "SIGNET_ISSUER_URL": "http://" + address, "SIGNET_MANAGEMENT_ADDR": freeAddress(t),
		"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db"), "SIGNET_SECRET_KEY": keys.GenerateSecretKey(),
		"SIGNET_LOG_LEVEL": "debug",
	}
	for name, value := range env {
		vars[name] = strings.ReplaceAll(value, "$ADDRESS", address)
	}
	var environ []string
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	r := &running{app: &app{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: t.Output(), environ: func() []string { return environ }}}
	var err error
	if r.settings, err = r.app.load(nil); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(t.Context())
	r.ended = make(chan error, 1)
	started := make(chan *opened, 1)
	go func() { r.ended <- r.app.serve(ctx, r.settings, func(o *opened) { started <- o }) }()
	select {
	case r.opened = <-started:
	case err := <-r.ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.stop()
		<-r.ended
	})
	return r
}
