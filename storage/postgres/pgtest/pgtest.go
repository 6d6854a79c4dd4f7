// Package pgtest gives tests a real PostgreSQL: the server named by SIGNET_TEST_POSTGRES_URL, or else a throw-away cluster
// made from the server binaries on the machine, once per test process, and gone when that process ends however it ends.
// Only tests import it.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ServerVariable names a running server to test on. Its role must be allowed to create databases.
const ServerVariable = "SIGNET_TEST_POSTGRES_URL"

// shared is the one cluster of this test process: starting a second one would cost each test more than it proves.
var shared struct {
	once    sync.Once
	cluster *Cluster // kept, since its leash ends with it
	err     error

	migrating sync.Mutex
	migrated  string // name of the database that Migrated copies, "" until there is one
}

// URL returns the URL of a fresh, empty database that is dropped after the test. Where the machine has no PostgreSQL the test
// fails with CI=true, and is skipped loudly without.
func URL(t testing.TB) string {
	t.Helper()
	return Clone(t, "")
}

// Clone is URL with a copy of the database at template, which nobody may be connected to; "" is an empty one.
func Clone(t testing.TB, template string) string {
	t.Helper()
	server := serverURL(t)
	name := "signet_test_" + strings.ToLower(rand.Text())
	create := "CREATE DATABASE " + name
	if template != "" {
		create += " TEMPLATE " + pgx.Identifier{databaseOf(t, template)}.Sanitize()
	}
	run(t, server, create)
	t.Cleanup(func() { run(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return withDatabase(t, server, name)
}

// Migrated is URL with what migrate made of the database, which is the same wherever one test process asks: it is called once, and
// the databases are copies. On a server that is not ours, where a database to copy from would be left behind, it is called for each.
func Migrated(t testing.TB, migrate func(url string) error) string {
	t.Helper()
	server := serverURL(t)
	if os.Getenv(ServerVariable) != "" {
		database := URL(t)
		if err := migrate(database); err != nil {
			t.Fatalf("migrating a database for tests: %v", err)
		}
		return database
	}
	shared.migrating.Lock()
	if shared.migrated == "" {
		const name = "signet_test_migrated"
		run(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") // where it failed before
		run(t, server, "CREATE DATABASE "+name)
		if err := migrate(withDatabase(t, server, name)); err != nil {
			shared.migrating.Unlock()
			t.Fatalf("migrating a database for tests: %v", err)
		}
		shared.migrated = name
	}
	shared.migrating.Unlock()
	return Clone(t, withDatabase(t, server, shared.migrated))
}

func serverURL(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(ServerVariable); given != "" {
		return given
	}
	bin := binaries(t)
	shared.once.Do(func() {
		// What is lost when the machine loses power is nothing that a test of one process could see.
		shared.cluster, shared.err = newCluster(bin, "-c", "fsync=off", "-c", "full_page_writes=off")
		if shared.err == nil {
			shared.err = shared.cluster.start()
		}
	})
	if shared.err != nil {
		t.Fatalf("starting a throw-away PostgreSQL: %v", shared.err)
	}
	return shared.cluster.url()
}

func run(t testing.TB, server, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connecting to the PostgreSQL for tests: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func withDatabase(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatalf("%s must be a postgres:// URL", ServerVariable)
	}
	u.Path = "/" + name
	return u.String()
}

func databaseOf(t testing.TB, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatalf("the template must be a postgres:// URL: %v", err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// missing reports that the machine has no PostgreSQL. `make test` collects the lines that start with SIGNET-MISSING.
func missing(t testing.TB) {
	t.Helper()
	const remedy = "install its server (Debian: apt-get install postgresql; macOS: brew install postgresql) or set " + ServerVariable
	if os.Getenv("CI") == "true" {
		t.Fatalf("PostgreSQL was not found: %s", remedy)
	}
	fmt.Fprintf(os.Stderr, "SIGNET-MISSING: PostgreSQL was not found, so %s did not run: %s\n", t.Name(), remedy)
	t.Skipf("SIGNET-MISSING: PostgreSQL: %s", remedy)
}
