package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// found is the verdict of the findings of a check whose text has words; "" where there is none.
func (d *doctor) found(check, words string) verdict {
	for _, f := range d.findings {
		if f.Check == check && strings.Contains(f.What, words) {
			return f.Status
		}
	}
	return ""
}

func newDoctor(t *testing.T, environ ...string) *doctor {
	t.Helper()
	a := &app{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: t.Output(), environ: func() []string { return environ }}
	s, err := a.load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &doctor{app: a, settings: s}
}

func TestTheDoctorComparesTheClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		apart time.Duration
		want  verdict
	}{{0, verdictOK}, {-10 * time.Second, verdictWarn}, {10 * time.Second, verdictWarn}, {-time.Hour, verdictFail}, {time.Hour, verdictFail}} {
		store, err := sqlite.Open(t.Context(), sqlite.Options{
			Path: filepath.Join(t.TempDir(), "signet.db"), Clock: func() time.Time { return time.Now().Add(c.apart) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		d := newDoctor(t)
		if d.checkClock(t.Context(), store); d.found("clock", "differ by") != c.want {
			t.Errorf("clocks %v apart: %+v", c.apart, d.findings)
		}
	}
}

func TestTheDoctorSeesWeakClients(t *testing.T) {
	t.Parallel()
	client := func(edit func(*storage.Client)) storage.Client {
		c := storage.Client{ID: "shop", Metadata: storage.ClientMetadata{GrantTypes: []string{oauth.GrantRefreshToken}}}
		edit(&c)
		return c
	}
	redirect := func(uri string) storage.Client {
		return client(func(c *storage.Client) { c.Metadata.RedirectURIs = []string{uri} })
	}
	secret := func(left time.Duration) storage.Client {
		return client(func(c *storage.Client) {
			c.Secrets = []storage.ClientSecret{{ExpiresAt: time.Now().Add(left)}, {ExpiresAt: time.Now().Add(-day)}}
		})
	}
	for name, c := range map[string]struct {
		client storage.Client
		words  string
		want   verdict
	}{
		"https":           {redirect("https://shop.example/cb"), "", ""},
		"loopback":        {redirect("http://127.0.0.1/cb"), "", ""},
		"localhost":       {redirect("http://localhost/cb"), "localhost", verdictWarn},
		"private scheme":  {redirect("com.example.shop:/cb"), "com.example.shop:/cb", verdictWarn},
		"secret for good": {client(func(c *storage.Client) { c.Secrets = []storage.ClientSecret{{}} }), "", ""},
		"fresh secret":    {secret(60 * day), "", ""},
		"ending secret":   {secret(day), "expires on", verdictWarn},
		"expired secret":  {secret(-time.Hour), "expired on", verdictFail},
	} {
		d := newDoctor(t)
		if d.checkClient(c.client); d.found("clients", c.words) != c.want {
			t.Errorf("%s: %+v", name, d.findings)
		}
	}
}

func TestTheDoctorSeesOpenFilesAndEndingCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, certFile, keyFile := filepath.Join(dir, "signet.db"), filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	newCertificate(t, certFile, keyFile, "ending", day)
	write(t, database, nil)
	environ := []string{
		"SIGNET_DATABASE_URL=sqlite://" + database, "SIGNET_ISSUER_URL=https://id.example.com", "SIGNET_TLS_CERT_FILE=" + certFile,
		"SIGNET_TLS_KEY_FILE=" + keyFile,
	}
	d := newDoctor(t, environ...)
	d.checkFiles()
	d.checkTLS()
	if d.found("files", "nobody else") != verdictOK || d.found("tls", "ends on") != verdictWarn {
		t.Errorf("%+v", d.findings)
	}
	if err := os.Chmod(database, 0o644); err != nil {
		t.Fatal(err)
	}
	newCertificate(t, certFile, keyFile, "good", 90*day)
	d = newDoctor(t, environ...)
	d.checkFiles()
	d.checkTLS()
	if d.found("files", "mode 0644") != verdictWarn || d.found("tls", "good until") != verdictOK {
		t.Errorf("%+v", d.findings)
	}
	if err := os.Chmod(keyFile, 0o604); err != nil {
		t.Fatal(err)
	}
	d = newDoctor(t, environ...)
	if d.checkTLS(); d.found("tls", "chmod 600") != verdictFail {
		t.Errorf("%+v", d.findings)
	}
}

func TestTheDoctorSeesEventsThatNobodyChains(t *testing.T) {
	t.Parallel()
	now := time.Now()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.RecordEvents(t.Context(), []storage.Event{{Kind: "test.event"}}); err != nil {
		t.Fatal(err)
	}
	d := newDoctor(t)
	d.checkAudit(t.Context(), store)
	now = now.Add(auditPatience + time.Second)
	d.checkAudit(t.Context(), store)
	if d.found("audit", "get their places") != verdictOK || d.found("audit", "has no place") != verdictWarn {
		t.Errorf("%+v", d.findings)
	}
}
