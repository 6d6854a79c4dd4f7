// Package migrations holds the schema of both engines as numbered files: the same numbers and names in both folders, each
// forward only. A number that was released is never edited.
package migrations

import "embed"

// SQLite holds sqlite/NNNN_name.sql.
//
//go:embed sqlite/*.sql
var SQLite embed.FS

// Postgres holds postgres/NNNN_name.sql.
//
//go:embed postgres/*.sql
var Postgres embed.FS
