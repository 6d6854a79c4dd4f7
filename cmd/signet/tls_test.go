package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// newCertificate writes a certificate for localhost that ends after lifetime, and its key, over what the files were.
func newCertificate(t *testing.T, certFile, keyFile, name string, lifetime time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// servesTLS runs a server with a certificate of its own and no management listener.
func servesTLS(t *testing.T) (r *running, roots *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	newCertificate(t, certFile, keyFile, "first", time.Hour)
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return serveHere(t, map[string]string{
		"SIGNET_ISSUER_URL": "https://$ADDRESS", "SIGNET_TLS_CERT_FILE": certFile, "SIGNET_TLS_KEY_FILE": keyFile, "SIGNET_MANAGEMENT_ADDR": "",
	}), roots
}

func TestOnlyModernTLSIsSpoken(t *testing.T) {
	t.Parallel()
	r, roots := servesTLS(t)
	for _, c := range []struct {
		name     string
		min, max uint16
		suites   []uint16
		want     uint16 // 0: refused
	}{
		{"SSL's heir 1.0", tls.VersionTLS10, tls.VersionTLS10, nil, 0},
		{"1.1", tls.VersionTLS11, tls.VersionTLS11, nil, 0},
		{"1.2", tls.VersionTLS12, tls.VersionTLS12, nil, tls.VersionTLS12},
		{"1.2 with CBC", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}, 0},
		{"1.2 without forward secrecy", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384}, 0},
		{"1.2 with RC4 and 3DES", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}, 0},
		{"whatever is best", tls.VersionTLS10, 0, nil, tls.VersionTLS13},
	} {
		conn, err := tls.Dial("tcp", r.settings.ListenAddr, &tls.Config{
			RootCAs: roots, ServerName: "localhost", MinVersion: c.min, MaxVersion: c.max, CipherSuites: c.suites,
		})
		if err != nil {
			if c.want != 0 {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if got := conn.ConnectionState().Version; got != c.want {
			t.Errorf("%s: spoken with version %x, want %x", c.name, got, c.want)
		}
		_ = conn.Close()
	}
}

func TestAConnectionHasABoundedNumberOfStreams(t *testing.T) {
	t.Parallel()
	r, roots := servesTLS(t)
	conn, err := tls.Dial("tcp", r.settings.ListenAddr, &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok {
			if n, ok := settings.Value(http2.SettingMaxConcurrentStreams); !ok || n > 250 {
				t.Fatalf("%d streams are allowed on one connection", n)
			}
			return
		}
	}
}

func TestWithTLSTheProbesAnswerAndRequestsInFlightFinish(t *testing.T) {
	t.Parallel()
	r, roots := servesTLS(t)
	if err := r.app.command().ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	health := r.app.command()
	health.SetArgs([]string{"healthcheck"})
	if err := health.ExecuteContext(t.Context()); err != nil {
		t.Errorf("healthcheck: %v", err)
	}
	conn, err := tls.Dial("tcp", r.settings.ListenAddr, &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "grant_type=client_credentials&client_id=nobody"
	head := "POST /oauth2/token HTTP/1.1\r\nHost: signet\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n" +
		"Expect: 100-continue\r\nContent-Length: 46\r\n\r\n"
	if _, err := conn.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	if n, err := conn.Read(answer); err != nil || !bytes.Contains(answer[:n], []byte("100 Continue")) {
		t.Fatalf("the server does not begin to read: %q, %v", answer[:n], err)
	}
	r.stop()
	until(t, "the listener closes", func() bool {
		other, err := net.Dial("tcp", r.settings.ListenAddr)
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	})
	if _, err := conn.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 401")) {
		t.Errorf("the request in flight: %q, %v", answer[:n], err)
	}
	err = <-r.ended
	r.ended <- err
	if err != nil {
		t.Errorf("serve ended with %v", err)
	}
}

func TestPlainHTTPIsNotServedBesideTLS(t *testing.T) {
	t.Parallel()
	r, _ := servesTLS(t)
	answer, err := http.Get("http://" + r.settings.ListenAddr + "/.well-known/openid-configuration")
	if err != nil {
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP was answered %d", answer.StatusCode)
	}
}

func TestSettingsOfTLSAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	newCertificate(t, certFile, keyFile, "good", time.Hour)
	other, otherKey := filepath.Join(dir, "other.crt"), filepath.Join(dir, "other.key")
	newCertificate(t, other, otherKey, "other", time.Hour)
	old, oldKey := filepath.Join(dir, "old.crt"), filepath.Join(dir, "old.key")
	newCertificate(t, old, oldKey, "old", -time.Minute)
	open := filepath.Join(dir, "open.key")
	text, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, open, text)
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ cert, key, issuer, want string }{
		"no key":          {certFile, "", "https://id.example.com", "SIGNET_TLS_KEY_FILE is missing"},
		"no certificate":  {"", keyFile, "https://id.example.com", "SIGNET_TLS_CERT_FILE is missing"},
		"plain issuer":    {certFile, keyFile, "http://localhost:1", "SIGNET_ISSUER_URL must begin with https"},
		"absent":          {certFile, filepath.Join(dir, "none"), "https://id.example.com", "cannot be read"},
		"others may read": {certFile, open, "https://id.example.com", "chmod 600"},
		"another's key":   {certFile, otherKey, "https://id.example.com", "one certificate"},
		"no PEM":          {keyFile, keyFile, "https://id.example.com", "PEM"},
		"expired":         {old, oldKey, "https://id.example.com", "expired on"},
	} {
		stderr := &bytes.Buffer{}
		a := &app{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: stderr, environ: func() []string {
			return []string{
				"SIGNET_TLS_CERT_FILE=" + c.cert, "SIGNET_TLS_KEY_FILE=" + c.key, "SIGNET_ISSUER_URL=" + c.issuer, "SIGNET_LOG_LEVEL=error",
				"SIGNET_DATABASE_URL=sqlite://" + filepath.Join(t.TempDir(), "signet.db"), "SIGNET_MANAGEMENT_ADDR=", "SIGNET_LISTEN_ADDR=127.0.0.1:0",
			}
		}}
		if code := a.execute(t.Context(), []string{"serve"}); code != exitConfig || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: exit %d, %s", name, code, stderr)
		}
	}
}

func TestACertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := settings{TLSCertFile: filepath.Join(dir, "tls.crt"), TLSKeyFile: filepath.Join(dir, "tls.key")}
	newCertificate(t, s.TLSCertFile, s.TLSKeyFile, "first", time.Hour)
	var log bytes.Buffer
	c, err := openCertificate(s, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	names := func(want string) func() bool {
		return func() bool { return c.current.Load().Leaf.Subject.CommonName == want }
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan os.Signal)
	done := make(chan struct{})
	follow := func() { c.watch(ctx, asked); close(done) }

	c.every = time.Hour // only when asked
	go follow()
	newCertificate(t, s.TLSCertFile, s.TLSKeyFile, "second", time.Hour)
	asked <- syscall.SIGHUP
	until(t, "SIGHUP reads the files", names("second"))
	write(t, s.TLSCertFile, []byte("broken"))
	asked <- syscall.SIGHUP
	asked <- syscall.SIGHUP // the first is done when the second is taken
	if !names("second")() {
		t.Error("a broken file took the place of a working one")
	}
	cancel()
	<-done
	if !strings.Contains(log.String(), "the certificate stays as it was") {
		t.Errorf("nothing says so: %s", log.String())
	}

	ctx, cancel = context.WithCancel(t.Context())
	c.every, done = time.Millisecond, make(chan struct{})
	go follow()
	newCertificate(t, s.TLSCertFile, s.TLSKeyFile, "third", time.Hour)
	until(t, "a change is noticed", names("third"))
	cancel()
	<-done
}

func TestSIGHUPReachesTheServer(t *testing.T) {
	r, _ := servesTLS(t)
	if conn, err := tls.Dial("tcp", r.settings.ListenAddr, &tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Fatal(err) // it serves, and so it listens to signals
	} else {
		_ = conn.Close()
	}
	newCertificate(t, r.settings.TLSCertFile, r.settings.TLSKeyFile, "second", time.Hour)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the new certificate is served", func() bool {
		conn, err := tls.Dial("tcp", r.settings.ListenAddr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName == "second"
	})
}
