package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// certificateLook is how often the files are looked at.
const certificateLook = 5 * time.Second

// maxStreams bounds the requests that one HTTP/2 connection may have open.
const maxStreams = 250

// certificate is the server's own, as its files say now.
type certificate struct {
	certFile, keyFile string
	every             time.Duration // how often the files are looked at
	logger            *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	seen              [2]fs.FileInfo // what the files were when they were last read
}

// checkTLS says what is wrong with the settings of TLS, before any file is read.
func (s settings) checkTLS() error {
	switch {
	case s.TLSCertFile == "" && s.TLSKeyFile == "":
		return nil
	case s.TLSCertFile == "":
		return errors.New("SIGNET_TLS_CERT_FILE is missing, and SIGNET_TLS_KEY_FILE is set: set both, or none where a proxy speaks TLS")
	case s.TLSKeyFile == "":
		return errors.New("SIGNET_TLS_KEY_FILE is missing, and SIGNET_TLS_CERT_FILE is set: set both, or none where a proxy speaks TLS")
	case !strings.HasPrefix(s.IssuerURL, "https:"):
		return errors.New("SIGNET_ISSUER_URL must begin with https where SIGNET_TLS_CERT_FILE is set: clients follow its addresses")
	}
	return nil
}

func (s settings) servesTLS() bool { return s.TLSCertFile != "" }

// openCertificate reads the files of the settings. Its error has exit code 3.
func openCertificate(s settings, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: s.TLSCertFile, keyFile: s.TLSKeyFile, every: certificateLook, logger: logger}
	c.look()
	if err := c.read(); err != nil {
		return nil, fail(exitConfig, "%w", err)
	}
	return c, nil
}

// config is BCP 195 (RFC 9325 §4.2): TLS 1.3, or 1.2 with forward secrecy and authenticated encryption.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2; those of 1.3 are not for us to choose
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// read takes the files up, both or none: what does not fit together changes nothing.
func (c *certificate) read() error {
	info, err := os.Stat(c.keyFile)
	if err != nil {
		return fmt.Errorf("SIGNET_TLS_KEY_FILE: the file cannot be read: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("SIGNET_TLS_KEY_FILE: %s can be read by others (mode %04o): chmod 600 it", c.keyFile, mode)
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("SIGNET_TLS_CERT_FILE, SIGNET_TLS_KEY_FILE: a file cannot be read: %w", err)
	case err != nil:
		return fmt.Errorf("SIGNET_TLS_CERT_FILE and SIGNET_TLS_KEY_FILE must be PEM files of one certificate, followed by its chain, "+
			"and its private key: %w", err)
	case time.Now().After(pair.Leaf.NotAfter):
		return fmt.Errorf("SIGNET_TLS_CERT_FILE: the certificate expired on %s: renew it", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	c.current.Store(&pair)
	return nil
}

// look notes what the files are now, and reports whether they are what they were.
func (c *certificate) look() (same bool) {
	same = true
	for i, name := range []string{c.certFile, c.keyFile} {
		now, err := os.Stat(name)
		if err != nil {
			now = nil
		}
		was := c.seen[i]
		if (now == nil) != (was == nil) || now != nil && (!os.SameFile(now, was) || now.Size() != was.Size() || !now.ModTime().Equal(was.ModTime())) {
			same = false
		}
		c.seen[i] = now
	}
	return same
}

// onHangup makes SIGHUP mean to read the files again, instead of the end of the process. stop gives it back.
func onHangup() (asked chan os.Signal, stop func()) {
	asked = make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	return asked, func() { signal.Stop(asked) }
}

// watch reads the files again when asked and whenever they have changed, until ctx ends. Files that do not work keep the certificate
// that does.
func (c *certificate) watch(ctx context.Context, asked <-chan os.Signal) {
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			c.look()
		case <-ticker.C:
			if c.look() {
				continue
			}
		}
		if err := c.read(); err != nil {
			c.logger.ErrorContext(ctx, "the certificate stays as it was: the new files do not work", slog.Any("error", err))
			continue
		}
		c.logger.InfoContext(ctx, "certificate read", slog.Time("expires", c.current.Load().Leaf.NotAfter))
	}
}
