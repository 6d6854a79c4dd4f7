package e2e

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/provider/keys"
)

// record is a row of a table as it rests: each column's bytes.
type record map[string][]byte

// dump reads every table of the database, whatever it is called.
func dump(t *testing.T, address string) map[string][]record {
	t.Helper()
	if path, ok := strings.CutPrefix(address, "sqlite://"); ok {
		return dumpSQLite(t, path)
	}
	return dumpPostgres(t, address)
}

func dumpSQLite(t *testing.T, path string) map[string][]record {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	read := func(query string) []record {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		var all []record
		for rows.Next() {
			values, targets := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			if err := rows.Scan(targets...); err != nil {
				t.Fatal(err)
			}
			row := record{}
			for i, value := range values {
				if raw, ok := value.([]byte); ok {
					row[columns[i]] = raw
				} else if value != nil {
					row[columns[i]] = []byte(fmt.Sprint(value))
				}
			}
			all = append(all, row)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	tables := map[string][]record{}
	for _, table := range read("SELECT name FROM sqlite_master WHERE type = 'table'") {
		name := string(table["name"])
		tables[name] = read(`SELECT * FROM "` + name + `"`)
	}
	return tables
}

func dumpPostgres(t *testing.T, address string) map[string][]record {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	read := func(query string) []record {
		rows, err := conn.Query(t.Context(), query, pgx.QueryResultFormats{pgx.TextFormatCode})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var all []record
		for rows.Next() {
			row := record{}
			for i, value := range rows.RawValues() {
				value = bytes.Clone(value)
				if digits, ok := bytes.CutPrefix(value, []byte(`\x`)); ok {
					if raw, err := hex.DecodeString(string(digits)); err == nil {
						value = raw
					}
				}
				row[rows.FieldDescriptions()[i].Name] = value
			}
			all = append(all, row)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	tables := map[string][]record{}
	for _, table := range read("SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')") {
		schema, name := string(table["schemaname"]), string(table["tablename"])
		tables[name] = read("SELECT * FROM " + pgx.Identifier{schema, name}.Sanitize())
	}
	return tables
}

// keepSealed opens the sealed keys of the database with the secret key, and keeps them: neither they nor their numbers may
// stand anywhere.
func (h *hoard) keepSealed(t *testing.T, tables map[string][]record, secretKey string) {
	t.Helper()
	sealer, err := keys.ParseSecretKeys(secretKey)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, row := range tables["keys"] {
		name, use := "keys/private/"+string(row["id"]), string(row["use"])
		switch use {
		case "handle":
			name = "keys/handle/" + string(row["number"])
		case "pairwise":
			name = "keys/pairwise"
		}
		plain, err := sealer.Open(row["sealed"], name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h.keepKey(name, plain)
		kinds[use]++
	}
	if kinds["sig"] < 5 || kinds["handle"] < 1 || kinds["pairwise"] != 1 {
		t.Errorf("the database holds %v keys: at least one for each algorithm, one for handles and the one for pairwise subjects were to be looked for", kinds)
	}
}

// files returns what the files of an SQLite database hold, free pages and the log of writes included; nothing for PostgreSQL.
func files(t *testing.T, address string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	path, ok := strings.CutPrefix(address, "sqlite://")
	if !ok {
		return all
	}
	found, err := filepath.Glob(path + "*")
	if err != nil || len(found) == 0 {
		t.Fatalf("no files at %s: %v", path, err)
	}
	for _, file := range found {
		if all[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
