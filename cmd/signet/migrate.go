package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/sqlite"
)

// schema is where a database stands and where this program wants it.
type schema struct {
	Engine  string   `json:"engine"`
	Version int64    `json:"version"`
	Wanted  int64    `json:"wanted"`
	Pending []string `json:"pending"`
	Applied []string `json:"applied,omitempty"` // by this command
}

func newMigrateCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "migrate", RunE: help, Short: "Bring the database's schema up to date, and see where it stands",
		Long: "Bring the database's schema up to date, and see where it stands. Migrations go forward only. SQLite needs no such\n" +
			"command: whatever opens the file brings it up to date. PostgreSQL is migrated by 'migrate up' alone; several nodes\n" +
			"may run it at once.",
	}
	cmd.AddCommand(newMigrateUp(a), newMigrateStatus(a), newMigratePlan(a))
	return cmd
}

func newMigrateUp(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "up", Short: "Apply the pending migrations", Args: cobra.NoArgs,
		Example: "  SIGNET_DATABASE_URL=postgres://signet@db/signet signet migrate up",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		engine, where, err := a.database()
		if err != nil {
			return err
		}
		migrate := sqlite.Migrate
		if engine == enginePostgres {
			migrate = postgres.Migrate
		}
		applied, err := migrate(cmd.Context(), where)
		if err != nil {
			return err
		}
		now, err := standing(cmd.Context(), engine, where)
		if err != nil {
			return err
		}
		now.Applied = applied
		return a.show(now)
	}
	return cmd
}

func newMigrateStatus(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "Show the schema's version and the one this program needs; exit code 4 while migrations are pending", Args: cobra.NoArgs,
		Example: "  signet migrate status -o json",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		engine, where, err := a.database()
		if err != nil {
			return err
		}
		now, err := standing(cmd.Context(), engine, where)
		if err != nil {
			return err
		}
		if err := a.show(now); err != nil {
			return err
		}
		if len(now.Pending) > 0 {
			return fail(exitDatabase, "%d migrations are pending: run 'signet migrate up'", len(now.Pending))
		}
		return nil
	}
	return cmd
}

func newMigratePlan(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "plan", Short: "Show what 'migrate up' would apply, and change nothing", Args: cobra.NoArgs,
		Example: "  signet migrate plan",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		engine, where, err := a.database()
		if err != nil {
			return err
		}
		now, err := standing(cmd.Context(), engine, where)
		if err != nil {
			return err
		}
		return list(a, now.Pending, []string{"PENDING"}, func(name string) []string { return []string{name} })
	}
	return cmd
}

// database is where the settings say the database is; it is not opened: migrating comes before that.
func (a *app) database() (engine, where string, err error) {
	s, err := a.load(nil)
	if err != nil {
		return "", "", err
	}
	return s.database()
}

func standing(ctx context.Context, engine, where string) (schema, error) {
	status := sqlite.Status
	if engine == enginePostgres {
		status = postgres.Status
	}
	have, want, pending, err := status(ctx, where)
	return schema{Engine: engine, Version: have, Wanted: want, Pending: append([]string{}, pending...)}, err
}
