package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// soon is how far ahead signet doctor looks for what ends.
const soon = 14 * day

// maxMetadata bounds what is read of an answer.
const maxMetadata = 1 << 20

func (d *doctor) checkLog() {
	if d.settings.LogLevel == "debug" {
		d.warn("log", "SIGNET_LOG_LEVEL is debug", "it writes much, and slows a busy server down", "set SIGNET_LOG_LEVEL=info")
		return
	}
	d.ok("log", "level %s", d.settings.LogLevel)
}

// checkProxy judges SIGNET_TRUSTED_PROXIES by what is known of the way that requests take.
func (d *doctor) checkProxy() {
	for _, network := range d.settings.TrustedProxies {
		if few := map[bool]int{true: 8, false: 16}[network.Addr().Is4()]; network.Bits() < few {
			d.warn("proxy", fmt.Sprintf("SIGNET_TRUSTED_PROXIES has %s, a network of very many addresses", network),
				"whoever connects from there chooses the address that limits and the audit log see", "name the addresses of your proxies alone")
			return
		}
	}
	behind := strings.HasPrefix(d.settings.IssuerURL, "https:") && !d.settings.servesTLS()
	switch {
	case behind && len(d.settings.TrustedProxies) == 0:
		d.warn("proxy", "a proxy speaks TLS for this server, and SIGNET_TRUSTED_PROXIES is empty",
			"every client has the proxy's address: all share one limit of attempts, and the audit log cannot tell them apart",
			"set SIGNET_TRUSTED_PROXIES to the proxy's network, such as 10.0.0.0/8; docs/operating/reverse-proxy.md has examples")
	case len(d.settings.TrustedProxies) > 0:
		d.ok("proxy", "X-Forwarded-For is believed from %d networks", len(d.settings.TrustedProxies))
	default:
		d.ok("proxy", "clients connect to this server itself")
	}
}

func (d *doctor) checkTLS() {
	if !d.settings.servesTLS() {
		return
	}
	c, err := openCertificate(d.settings, d.app.logger(d.settings))
	if err != nil {
		d.fail("tls", oneLine(err), "the server does not start with it", "mend the files; docs/operating/tls.md says what they hold")
		return
	}
	ends := c.current.Load().Leaf.NotAfter
	if time.Until(ends) < soon {
		d.warn("tls", "the certificate ends on "+ends.UTC().Format(time.RFC3339), "clients refuse to connect from then on",
			"renew it; the server reads the new files by itself")
		return
	}
	d.ok("tls", "the certificate is good until %s", ends.UTC().Format(time.RFC3339))
}

// checkIssuer asks for the metadata as a client would. A server that is not running is no fault of the installation.
func (d *doctor) checkIssuer(ctx context.Context) {
	issuer := d.settings.IssuerURL
	if !strings.HasPrefix(issuer, "https:") {
		d.warn("issuer", issuer+" is plain http", "only programs on this machine can use it", "set SIGNET_ISSUER_URL to the https URL that clients use")
	}
	told, status, err := issuerOf(ctx, issuer)
	var refused *net.OpError
	switch {
	case err != nil && (errors.As(err, &refused) || errors.Is(err, context.DeadlineExceeded)):
		d.warn("issuer", "no server answers at "+issuer, "clients cannot reach it either, where this machine sees what they see",
			"start the server, or see that the name resolves and the proxy forwards")
	case err != nil:
		d.fail("issuer", fmt.Sprintf("the metadata at %s cannot be read: %v", issuer, err), "clients cannot use this issuer",
			"see that its certificate is valid, and that the proxy forwards /.well-known/ unchanged")
	case status != http.StatusOK:
		d.fail("issuer", fmt.Sprintf("the metadata at %s is answered with status %d", issuer, status), "clients cannot use this issuer",
			"see that the proxy forwards the whole path, and to this server")
	case told != issuer:
		d.fail("issuer", fmt.Sprintf("the server at %s says that its issuer is %q", issuer, told),
			"clients compare both byte for byte and refuse to go on (RFC 8414 section 3.3)", "give the server there the same SIGNET_ISSUER_URL")
	default:
		d.ok("issuer", "%s answers with its own name", issuer)
	}
}

func issuerOf(ctx context.Context, issuer string) (told string, status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return "", 0, err
	}
	answer, err := newRemote(issuer, "", "").http.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", answer.StatusCode, nil
	}
	var metadata struct {
		Issuer string `json:"issuer"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, maxMetadata)).Decode(&metadata)
	return metadata.Issuer, answer.StatusCode, err
}

// checkFiles looks at who may read what is secret.
func (d *doctor) checkFiles() {
	var files []string
	if engine, path, err := d.settings.database(); err == nil && engine == engineSQLite {
		files = append(files, path, path+"-wal", path+"-shm", path+".key")
	}
	for _, pair := range d.app.environ() {
		name, file, _ := strings.Cut(pair, "=")
		if name == "SIGNET_SECRET_KEY_FILE" || name == "SIGNET_SMTP_URL_FILE" || name == "SIGNET_DATABASE_URL_FILE" || name == "DATABASE_URL_FILE" {
			files = append(files, file)
		}
	}
	if d.app.configFile != "" {
		files = append(files, d.app.configFile)
	}
	open := false
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			continue // its absence is another check's affair
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 && !(file == d.app.configFile && mode&0o022 == 0) {
			open = true
			d.warn("files", fmt.Sprintf("%s can be read or written by others (mode %04o)", file, mode),
				"it holds secrets, or what is sealed with them", "chmod 600 "+file)
		}
	}
	if !open {
		d.ok("files", "nobody else may read what is secret")
	}
}
