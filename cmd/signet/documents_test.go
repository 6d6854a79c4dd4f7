package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// typed runs one command on the database and returns its exit code and what it wrote.
func typed(t *testing.T, database string, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &err, environ: func() []string {
		return append([]string{"SIGNET_DATABASE_URL=sqlite://" + database, "SIGNET_LOG_LEVEL=error"}, environ...)
	}}
	code = a.execute(t.Context(), args)
	return code, out.String(), err.String()
}

func TestCommandsTakeAClientIDThatIsAnAddress(t *testing.T) {
	t.Parallel()
	const id = "https://agent.example/client.json"
	database := filepath.Join(t.TempDir(), "signet.db")
	if code, _, stderr := typed(t, database, nil, "client", "create", "--client-id", "shop", "--name", "Shop", "--redirect-uri", "https://shop.example/cb"); code != 0 {
		t.Fatal(stderr)
	}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: database})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	_, err = client.New(store, client.Config{}).Register(t.Context(), client.Newcomer{
		ID: id, Origin: storage.OriginDocument, Actor: "server",
		Metadata: storage.ClientMetadata{Name: "Agent", RedirectURIs: []string{"https://agent.example/cb"}, TokenEndpointAuthMethod: "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args         []string
		code         int
		says, hushes string
	}{
		{[]string{"client", "show", id}, 0, "document", ""},
		{[]string{"client", "show", id, "-o", "json"}, 0, `"client_id": "` + id + `"`, ""},
		{[]string{"client", "list"}, 0, id, ""},
		{[]string{"client", "update", id, "--name", "Other"}, 1, "described by the document at its client_id", ""},
		{[]string{"client", "rotate-secret", id}, 1, "has no secret", ""},
		{[]string{"client", "export"}, 0, "shop", id},
		{[]string{"client", "export", id}, 2, "described by the document at its client_id", ""},
		{[]string{"client", "disable", id}, 0, "", ""},
		{[]string{"client", "show", id}, 0, "disabled", ""},
		{[]string{"client", "enable", id}, 0, "", ""},
		{[]string{"grant", "list", "--client", id}, 0, "", ""},
		{[]string{"audit", "list", "--client", id}, 0, "client.registered", ""},
		{[]string{"client", "delete", id}, 0, "", ""},
		{[]string{"client", "show", id}, 5, "", ""},
		{[]string{"client", "create", "--client-id", id, "--name", "Mine", "--redirect-uri", "https://agent.example/cb"}, 1, "client_id must be printable ASCII without", ""},
	} {
		code, stdout, stderr := typed(t, database, nil, c.args...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) || c.hushes != "" && strings.Contains(stdout, c.hushes) {
			t.Errorf("%q: exit %d, %s%s", c.args, code, stdout, stderr)
		}
	}
}

func TestTheSettingsOfClientIDDocumentsAreChecked(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "signet.db")
	for pair, want := range map[string]string{
		"SIGNET_CLIENT_ID_DOCUMENTS=yes":                           "SIGNET_CLIENT_ID_DOCUMENTS must be off or on",
		"SIGNET_CLIENT_ID_DOCUMENT_ALLOW=https://app.example":      "SIGNET_CLIENT_ID_DOCUMENT_ALLOW must be hosts such as",
		"SIGNET_CLIENT_ID_DOCUMENT_DENY=app.example, *":            "SIGNET_CLIENT_ID_DOCUMENT_DENY must be hosts such as",
		"SIGNET_CLIENT_ID_DOCUMENT_DENY=app.example,*.app.example": "",
	} {
		code, _, stderr := typed(t, database, []string{pair}, "client", "list")
		if want == "" && code != 0 || want != "" && (code != exitConfig || !strings.Contains(stderr, want)) {
			t.Errorf("%s: exit %d, %s", pair, code, stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "signet.yaml")
	text := "client_id_documents: on\nclient_id_document_allow: [app.example, \"*.trusted.example\"]\nclient_id_document_deny: bad.trusted.example\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{configFile: file, environ: func() []string { return nil }}
	s, err := a.load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := s.documents(); !d.On || strings.Join(d.Allow, " ") != "app.example *.trusted.example" || strings.Join(d.Deny, " ") != "bad.trusted.example" {
		t.Errorf("read %+v", d)
	}
	if defaultSettings().documents().On {
		t.Error("documents are taken unless an operator says otherwise")
	}
}
