package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority is a private certification authority and the one certificate that it issued: for localhost, by all its addresses.
type authority struct {
	file              string // the authority's certificate
	certFile, keyFile string
	pool              *x509.CertPool
	// spki is the digest of the certificate's key, by which Chromium is told to believe it and no other.
	spki string
}

// newAuthority makes an authority in dir.
func newAuthority(dir string) (*authority, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	from, until := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Signet's tests"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: from, NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4zero},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, &leafKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&leafKey.PublicKey)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(public)
	a := &authority{
		file: filepath.Join(dir, "ca.pem"), certFile: filepath.Join(dir, "localhost.pem"), keyFile: filepath.Join(dir, "localhost.key"),
		pool: x509.NewCertPool(), spki: base64.StdEncoding.EncodeToString(digest[:]),
	}
	rootPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})
	a.pool.AppendCertsFromPEM(rootPEM)
	if err := os.WriteFile(a.file, rootPEM, 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(a.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}), 0o644); err != nil {
		return nil, err
	}
	return a, os.WriteFile(a.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)
}

// trusting is the environment by which other people's programs are told to believe the authority.
func (a *authority) trusting() settings {
	return settings{"NODE_EXTRA_CA_CERTS": a.file, "SSL_CERT_FILE": a.file, "REQUESTS_CA_BUNDLE": a.file}
}

// transport believes the authority and nobody else.
func (a *authority) transport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.RootCAs = a.pool
	return transport
}

// serverConfig is that of a server which shows the authority's certificate.
func (a *authority) serverConfig(t testing.TB) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.certFile, a.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// serveTLS starts a server as serve does, which speaks TLS itself.
func serveTLS(t testing.TB, env settings) *node {
	t.Helper()
	n := place(t, env)
	_, port, _ := net.SplitHostPort(n.env["SIGNET_LISTEN_ADDR"])
	n.URL = "https://localhost:" + port
	maps.Copy(n.env, settings{
		"SIGNET_ISSUER_URL": n.URL, "SIGNET_TLS_CERT_FILE": ca.certFile, "SIGNET_TLS_KEY_FILE": ca.keyFile,
	})
	n.start(t)
	return n
}

// onTransports runs test against a server that speaks http on SQLite, and against one that speaks TLS on PostgreSQL: every client
// meets both transports and both engines, in two runs instead of four.
func onTransports(t *testing.T, extra settings, test func(t *testing.T, n *node)) {
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		env := settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")}
		maps.Copy(env, extra)
		test(t, serve(t, env))
	})
	t.Run("tls", func(t *testing.T) {
		t.Parallel()
		env := onPostgres(t)
		maps.Copy(env, extra)
		test(t, serveTLS(t, env))
	})
}

// client believes the authority, where the server speaks TLS.
func (n *node) client() *http.Client {
	return &http.Client{Transport: ca.transport(), Timeout: startup}
}

// TestTLSFromAPrivateAuthority: a server that speaks TLS itself is believed by who trusts its authority, and by nobody else.
func TestTLSFromAPrivateAuthority(t *testing.T) {
	t.Parallel()
	n := serveTLS(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")})
	address := n.URL + "/.well-known/openid-configuration"
	resp, err := n.client().Get(address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.TLS == nil {
		t.Errorf("discovery over TLS: %d", resp.StatusCode)
	}
	if resp, err := http.Get(address); err == nil {
		resp.Body.Close()
		t.Error("a client that does not know the authority believed the server")
	}
}
