package main

import (
	"database/sql"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

const operating = "../../docs/operating/"

func operatingPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(operating + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryMetricIsOnThePage: what /metrics has and docs/operating/monitoring.md has not is of use to nobody, and the reverse misleads.
func TestEveryMetricIsOnThePage(t *testing.T) {
	t.Parallel()
	text := operatingPage(t, "monitoring.md")
	source, err := os.ReadFile("../../web/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	names := func(of string) map[string]bool {
		set := map[string]bool{}
		for _, m := range regexp.MustCompile(`signet_[a-z_]+[a-z]`).FindAllString(of, -1) {
			set[strings.TrimSuffix(m, "_bucket")] = true
		}
		return set
	}
	if diff := cmp.Diff(names(string(source)), names(text)); diff != "" {
		t.Errorf("the metrics (-program +page):\n%s", diff)
	}
	_, alerts, _ := strings.Cut(text, "```yaml\n")
	alerts, _, _ = strings.Cut(alerts, "```")
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr, For string }
		}
	}
	if err := yaml.Unmarshal([]byte(alerts), &rules); err != nil || len(rules.Groups) != 1 || len(rules.Groups[0].Rules) < 4 {
		t.Errorf("the alerts: %+v, %v", rules, err)
	}
}

// TestTheLinesOfTroubleshootingAreTheProgramsOwn: a line that the program does not say any more helps nobody.
func TestTheLinesOfTroubleshootingAreTheProgramsOwn(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, path)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	program := strings.ReplaceAll(source.String(), "\" +\n\t\t\t\"", "")
	_, section, _ := strings.Cut(operatingPage(t, "troubleshooting.md"), "## The program does not start")
	section, _, _ = strings.Cut(section, "\n## ")
	lines := regexp.MustCompile("(?m)^\\| (`.*`) \\| ").FindAllStringSubmatch(section, -1)
	if len(lines) < 10 {
		t.Fatalf("the page has %d lines", len(lines))
	}
	for _, line := range lines {
		said := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(line[1], "`"), "`"), "`"), "`")
		if !strings.Contains(program, said) {
			t.Errorf("no part of the program says: %s", said)
		}
	}
}

// TestEveryFindingOfAuditVerifyIsOnThePage: who meets one must find out what to do.
func TestEveryFindingOfAuditVerifyIsOnThePage(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../provider/auditverify.go")
	if err != nil {
		t.Fatal(err)
	}
	text := operatingPage(t, "audit.md")
	findings := regexp.MustCompile(`w\.find\("([^":,(]+)`).FindAllStringSubmatch(string(source), -1)
	if len(findings) < 8 {
		t.Fatalf("the program has %d findings", len(findings))
	}
	for _, f := range findings {
		if !regexp.MustCompile(regexp.MustCompile(`%[ds]`).ReplaceAllString(f[1], `\S+`)).MatchString(text) {
			t.Errorf("the page does not have: %s", f[1])
		}
	}
}

// TestTheBackupOfARunningServerRestores runs the statement of docs/operating/backup.md on a live file, and goes on from the copy.
func TestTheBackupOfARunningServerRestores(t *testing.T) {
	t.Parallel()
	statement := regexp.MustCompile(`VACUUM INTO '[^']+'`).FindString(operatingPage(t, "backup.md"))
	if statement == "" {
		t.Fatal("the page has no VACUUM INTO")
	}
	dir, key := t.TempDir(), keys.GenerateSecretKey()
	live, copied := filepath.Join(dir, "signet.db"), filepath.Join(dir, "signet-backup.db")
	r := serveHere(t, map[string]string{"SIGNET_DATABASE_URL": "sqlite://" + live, "SIGNET_SECRET_KEY": key})
	user, err := r.opened.People().Create(t.Context(), storage.User{Username: "ada"}, storage.Secret{}, account.By{Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", live)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), strings.ReplaceAll(statement, "signet-backup.db", copied)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	restored := serveHere(t, map[string]string{"SIGNET_DATABASE_URL": "sqlite://" + copied, "SIGNET_SECRET_KEY": key})
	found, err := restored.opened.People().Find(t.Context(), "ada")
	if err != nil || found.User.ID != user.ID {
		t.Errorf("ada in the copy: %+v, %v", found.User, err)
	}
	keySet := func(r *running) string {
		answer, err := http.Get(r.settings.IssuerURL + "/.well-known/jwks.json")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.Header.Get("ETag")
	}
	if was, is := keySet(r), keySet(restored); was == "" || was != is {
		t.Errorf("the copy publishes other keys: %s and %s", was, is)
	}
}
