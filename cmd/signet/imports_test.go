package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// This file is the plan of docs/architecture.md as a test: which folder may import which, and what no file may have.

// module is what our own import paths begin with.
const module = "github.com/signet-idp/signet/"

// providerRows are the rooms of the provider from top to bottom: each may import those of the rows below it and none of its own.
func providerRows() [][]string {
	return [][]string{
		{"provider"},
		{"provider/authorize", "provider/token", "provider/logout", "provider/developer", "provider/register"},
		{"provider/issue", "provider/browser"},
		{"provider/client", "provider/account"},
		{"provider/throttle", "provider/handle", "provider/mail"},
		{"provider/keys", "provider/outbound"},
		{"provider/oauth"},
	}
}

// anything stands for every folder of ours.
const anything = "*"

// outsideProvider is what the other folders may import of ours.
func outsideProvider() map[string][]string {
	return map[string][]string{
		"cmd/signet":                {anything},
		"web":                       {"web/pages", "web/api", "provider", "provider/oauth", "storage"},
		"web/pages":                 {"provider", "provider/oauth", "provider/client", "provider/account", "provider/browser", "provider/authorize", "provider/developer", "provider/logout", "storage"},
		"web/api":                   {"provider", "provider/oauth", "provider/client", "provider/account", "storage"},
		"provider/bearer":           {},
		"storage":                   {},
		"migrations":                {},
		"storage/postgres":          {"storage", "migrations"},
		"storage/sqlite":            {"storage", "migrations"},
		"storage/storetest":         {"storage"},
		"storage/postgres/pgtest":   {},
		"storage/sqlite/sqlitetest": {"storage/sqlite"},
	}
}

// homes are the only folders (or files) that may import a package of somebody else, and what lies below it. A package that is not
// here has no home yet: docs/architecture.md says where it belongs.
func homes() map[string][]string {
	return map[string][]string{
		"github.com/gin-gonic/gin":            {"web", "web/pages", "web/api"},
		"github.com/jackc/pgx/v5":             {"storage/postgres", "storage/postgres/pgtest"},
		"modernc.org/sqlite":                  {"storage/sqlite"},
		"github.com/pressly/goose/v3":         {"storage/postgres", "storage/sqlite"},
		"github.com/go-jose/go-jose/v4":       {"provider/keys", "provider/bearer"},
		"github.com/pquerna/otp":              {"provider/account"},
		"github.com/boombuler/barcode":        {"web/pages"}, // the QR code of an authenticator's seed
		"golang.org/x/crypto":                 {"provider/account"},
		"golang.org/x/text":                   {"provider/account", "web/pages", "provider/mail"}, // pages and mail: the names of languages, for go-i18n
		"golang.org/x/net/idna":               {"provider/account", "provider/mail"},              // the domain of an address, beside x/text's forms of its name
		"github.com/go-webauthn/webauthn":     {"provider/account"},
		"github.com/ccojocar/zxcvbn-go":       {"provider/account"},
		"github.com/wneessen/go-mail":         {"provider/mail"},
		"code.dny.dev/ssrf":                   {"provider/outbound"},
		"github.com/nicksnyder/go-i18n/v2":    {"web/pages", "provider/mail"},
		"github.com/danielgtaylor/huma/v2":    {"web/api"},
		"github.com/prometheus/client_golang": {"web", "cmd/signet"},
		"go.opentelemetry.io":                 {"web", "cmd/signet"},
		"github.com/exaring/otelpgx":          {"cmd/signet"},
		"github.com/spf13/cobra":              {"cmd/signet"},
		"github.com/spf13/pflag":              {"cmd/signet"},
		"github.com/caarlos0/env/v11":         {"cmd/signet"},
		"github.com/goccy/go-yaml":            {"cmd/signet"},
		"github.com/google/go-cmp":            {"storage/storetest"},
		"github.com/google/uuid":              {anything},
	}
}

// reserved are the packages of the standard library that not everybody may import.
func reserved() map[string][]string {
	jitter := []string{"provider/upkeep.go", "storage/postgres/work.go"} // secrets are crypto/rand's
	return map[string][]string{
		"math/rand":    {},
		"math/rand/v2": jitter,
		"log":          {}, // log/slog alone
		"unsafe":       {},
		"database/sql": {"storage/postgres", "storage/sqlite"},
		"os/exec":      {"storage/postgres/pgtest"},
		"testing":      {"storage/storetest", "storage/postgres/pgtest", "storage/sqlite/sqlitetest"},
		"net/http": {
			"cmd/signet", "web", "web/pages", "web/api", "provider", "provider/authorize", "provider/token", "provider/logout", "provider/register", "provider/browser",
			"provider/outbound", "provider/oauth", "provider/bearer",
		},
		"net/http/httptest": {},
		"net/http/cgi":      {},
	}
}

// standardOnly are the folders that import nothing but the standard library.
func standardOnly() []string { return []string{"storage", "migrations", "provider/oauth"} }

// forbidden says why a file of folder must not import path; "" where it may.
func forbidden(folder, file, path string) string {
	if ours, ok := strings.CutPrefix(path, module); ok {
		return forbiddenOurs(folder, ours)
	}
	at := func(folders []string) bool {
		return slices.Contains(folders, anything) || slices.Contains(folders, folder) || slices.Contains(folders, file)
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") { // the standard library
		if folders, ok := reserved()[path]; ok && !at(folders) {
			return fmt.Sprintf("it is reserved for %v", folders)
		}
		return ""
	}
	if slices.Contains(standardOnly(), folder) {
		return folder + " imports the standard library only"
	}
	for home, folders := range homes() {
		if path == home || strings.HasPrefix(path, home+"/") {
			if at(folders) {
				return ""
			}
			return fmt.Sprintf("%s belongs to %v alone", home, folders)
		}
	}
	return "it has no home: docs/architecture.md says which folder may import it"
}

func forbiddenOurs(folder, ours string) string {
	if allowed, ok := outsideProvider()[folder]; ok {
		if slices.Contains(allowed, anything) || slices.Contains(allowed, ours) {
			return ""
		}
		return fmt.Sprintf("%s may import %v of ours", folder, allowed)
	}
	rows := providerRows()
	row := func(name string) int {
		return slices.IndexFunc(rows, func(r []string) bool { return slices.Contains(r, name) })
	}
	from, to := row(folder), row(ours)
	switch {
	case from < 0:
		return folder + " stands in no row: give it a place in docs/architecture.md and here"
	case ours == "storage" && from < len(rows)-1:
		return ""
	case to < 0:
		return "the provider knows storage and its own rooms alone"
	case to == from:
		return "rooms of one row do not import each other"
	case to < from:
		return "arrows run down only"
	}
	return ""
}

func TestTheRuleOfImportsRefusesWhatThePlanForbids(t *testing.T) {
	for _, c := range []struct {
		file, path string
		allowed    bool
	}{
		{"provider/token/x.go", module + "provider/issue", true},
		{"provider/token/x.go", module + "storage", true},
		{"provider/token/x.go", module + "storage/sqlite", false},
		{"provider/token/x.go", module + "provider/authorize", false},
		{"provider/client/x.go", module + "provider/account", false},
		{"provider/keys/x.go", module + "provider/handle", false},
		{"provider/oauth/x.go", module + "storage", false},
		{"provider/oauth/x.go", "github.com/google/uuid", false},
		{"provider/x.go", module + "web", false},
		{"provider/new/x.go", module + "provider/oauth", false},
		{"storage/x.go", "github.com/google/uuid", false},
		{"storage/postgres/x.go", module + "storage/sqlite", false},
		{"storage/postgres/x.go", "github.com/jackc/pgx/v5/pgconn", true},
		{"web/x.go", module + "storage/postgres", false},
		{"web/x.go", "github.com/gin-gonic/gin", true},
		{"provider/token/x.go", "github.com/gin-gonic/gin", false},
		{"provider/issue/x.go", "github.com/go-jose/go-jose/v4/jwt", false},
		{"provider/upkeep.go", "math/rand/v2", true},
		{"provider/provider.go", "math/rand/v2", false},
		{"provider/keys/x.go", "net/http", false},
		{"provider/token/x.go", "net/http/httptest", false},
		{"web/x.go", "log/slog", true},
		{"web/x.go", "log", false},
		{"web/x.go", "github.com/somebody/new", false},
	} {
		if why := forbidden(filepath.Dir(c.file), c.file, c.path); (why == "") != c.allowed {
			t.Errorf("%s importing %s: %q, want allowed %v", c.file, c.path, why, c.allowed)
		}
	}
}

func TestImportsRunDownOnly(t *testing.T) {
	eachFile(t, parser.ImportsOnly, func(file string, tree *ast.File, at func(ast.Node) string) {
		for _, spec := range tree.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if why := forbidden(filepath.ToSlash(filepath.Dir(file)), file, path); why != "" {
				t.Errorf("%s: imports %s: %s", at(spec), path, why)
			}
		}
	})
}

// eachFile parses every file of product code, tests excepted. file is its path from the root, at says where a node stands.
func eachFile(t *testing.T, mode parser.Mode, look func(file string, tree *ast.File, at func(ast.Node) string)) {
	t.Helper()
	root := os.DirFS(filepath.Join("..", ".."))
	seen := 0
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if strings.HasPrefix(entry.Name(), ".") && path != "." || entry.Name() == "testdata" || path != "." && hasModule(root, path) {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		if top, _, _ := strings.Cut(path, "/"); !slices.Contains([]string{"cmd", "web", "provider", "storage", "migrations"}, top) {
			t.Errorf("%s: product code lies in cmd, web, provider, storage and migrations alone", path)
		}
		source, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		tree, err := parser.ParseFile(files, path, source, mode|parser.ParseComments)
		if err != nil {
			return err
		}
		seen++
		look(path, tree, func(n ast.Node) string {
			p := files.Position(n.Pos())
			return fmt.Sprintf("%s:%d", p.Filename, p.Line)
		})
		return nil
	})
	if err != nil || seen < 50 {
		t.Fatalf("looked at %d files: %v", seen, err)
	}
}

func hasModule(root fs.FS, folder string) bool {
	_, err := fs.Stat(root, folder+"/go.mod")
	return err == nil
}
