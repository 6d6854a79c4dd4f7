package postgres_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/signet-idp/signet/migrations"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

var update = flag.Bool("update", false, "write testdata/schema.golden.sql anew")

const golden = "testdata/schema.golden.sql"

func TestTheSchemaIsTheGoldenOne(t *testing.T) {
	t.Parallel()
	got := schema(t, migrated(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the schema differs (-golden +migrated); if that is meant: go test ./storage/postgres -update\n%s", diff)
	}
	if diff := cmp.Diff(string(want), schema(t, stepByStep(t))); diff != "" {
		t.Errorf("migrating step by step leads elsewhere (-golden +steps)\n%s", diff)
	}
}

// stepByStep is the URL of a database that was migrated one version at a time.
func stepByStep(t *testing.T) string {
	t.Helper()
	url := pgtest.URL(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	files, err := fs.Sub(migrations.Postgres, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := provider.UpByOne(context.Background()); errors.Is(err, goose.ErrNoNextVersion) {
			return url
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// schema describes the tables of a database from its catalogue, in words that no version of the server changes.
func schema(t *testing.T, url string) string {
	t.Helper()
	rows, err := session(t, url).Query(context.Background(), `
		SELECT line FROM (
			SELECT c.relname AS tab, 0 AS kind, lpad(a.attnum::text, 3, '0') AS place, concat_ws(' ', c.relname || '.' || a.attname,
				format_type(a.atttypid, a.atttypmod), 'COLLATE ' || nullif(l.collname, 'default'),
				CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)) AS line
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
			UNION ALL
			SELECT c.relname, 1, o.conname, c.relname || ' CONSTRAINT ' || o.conname || ' ' || pg_get_constraintdef(o.oid)
			FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
			WHERE o.contype IN ('p', 'u', 'f', 'c') AND c.relnamespace = 'public'::regnamespace
			UNION ALL
			SELECT c.relname, 2, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
			FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
			WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)
			UNION ALL
			SELECT c.relname, 3, '', c.relname || ' WITH ' || array_to_string(c.reloptions, ', ')
			FROM pg_class c WHERE c.relkind = 'r' AND c.reloptions IS NOT NULL AND c.relnamespace = 'public'::regnamespace
		) AS lines WHERE tab <> 'goose_db_version' ORDER BY tab COLLATE "C", kind, place COLLATE "C", line COLLATE "C"`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestAPendingSchemaIsRefused(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	_, err := postgres.Open(context.Background(), postgres.Options{URL: url})
	if !errors.Is(err, storage.ErrSchema) || !strings.Contains(err.Error(), "run `signet migrate up`") {
		t.Errorf("an empty database: %v", err)
	}
	have, want, pending, err := postgres.Status(context.Background(), url)
	if err != nil || have != 0 || want < 1 || !slices.Contains(pending, "0001_initial.sql") {
		t.Errorf("Status: have %d, want %d, pending %v, %v", have, want, pending, err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	run(t, session(t, url), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
	if _, err := s.Ping(ctx); !errors.Is(err, storage.ErrSchema) {
		t.Errorf("Ping: %v", err)
	}
	if _, err := postgres.Open(ctx, postgres.Options{URL: url}); !errors.Is(err, storage.ErrSchema) || !strings.Contains(err.Error(), "9999") {
		t.Errorf("Open: %v", err)
	}
	if _, err := postgres.Migrate(ctx, url); !errors.Is(err, storage.ErrSchema) {
		t.Errorf("Migrate: %v", err)
	}
	if have, _, _, err := postgres.Status(ctx, url); have != 9999 || !errors.Is(err, storage.ErrSchema) {
		t.Errorf("Status: have %d, %v", have, err)
	}
}

func TestTwoNodesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	var applied []string
	for range 2 {
		group.Go(func() {
			names, err := postgres.Migrate(context.Background(), url)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			applied = append(applied, names...)
		})
	}
	group.Wait()
	_, _, pending, err := postgres.Status(context.Background(), url)
	if want := slices.Compact(slices.Sorted(slices.Values(applied))); err != nil || len(pending) > 0 || len(want) != len(applied) {
		t.Errorf("applied %v, pending %v, %v", applied, pending, err)
	}
}
