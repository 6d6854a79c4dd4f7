package pgtest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage/postgres/pgtest"
)

func TestEachDatabaseIsItsOwn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	first, second := pgtest.URL(t), pgtest.URL(t)
	for _, url := range []string{first, second} {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(ctx, "CREATE TABLE mine ()"); err != nil {
			t.Error(err)
		}
		_ = conn.Close(ctx)
	}
	conn, err := pgx.Connect(ctx, pgtest.Clone(t, first))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, "SELECT FROM mine"); err != nil {
		t.Errorf("the clone lacks its template's table: %v", err)
	}
}

func TestAClusterStopsAndStarts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := pgtest.NewCluster(t)
	connect := func() error {
		conn, err := pgx.Connect(ctx, c.URL())
		if err == nil {
			err = conn.Close(ctx)
		}
		return err
	}
	c.Restart()
	if err := connect(); err != nil {
		t.Error(err)
	}
	c.Stop()
	if connect() == nil {
		t.Error("a stopped cluster answers")
	}
	c.Start()
	if err := connect(); err != nil {
		t.Error(err)
	}
}
