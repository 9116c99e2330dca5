package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// subject is one group of tables with the steps that lead to its present shape.
type subject struct {
	name  string
	steps []string
}

// schema lists what this package keeps. A step that has shipped never changes; the
// next change is one more at the end.
func schema() []subject {
	return []subject{
		{"readings", readingsSchema},
		{"registry", registrySchema},
		{"alerts", alertsSchema},
		{"access", accessSchema},
	}
}

// Migrate brings the tables of one subject to their present shape: step n, a
// script, leads from version n to n+1, and a step that was released never
// changes. All steps are one transaction. A file written by a newer program is
// refused.
func (s *Store) Migrate(ctx context.Context, name string, steps []string) error {
	return s.Write(ctx, func(conn *sqlite.Conn) error {
		version, err := schemaVersion(conn, name)
		if err != nil {
			return fmt.Errorf("read the schema version of %s: %w", name, err)
		}
		if version > len(steps) {
			return fmt.Errorf("the %s in it were written by a newer Vigie (schema %d, this program knows %d); start that version, or restore a backup made by this one", name, version, len(steps))
		}
		for i := version; i < len(steps); i++ {
			if err := sqlitex.ExecuteScript(conn, steps[i], nil); err != nil {
				return fmt.Errorf("migrate the %s from schema %d to %d: %w", name, i, i+1, err)
			}
		}
		return setSchemaVersion(conn, name, len(steps))
	})
}

func setSchemaVersion(conn *sqlite.Conn, name string, version int) error {
	return sqlitex.Execute(conn, "INSERT INTO schema_versions (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
		&sqlitex.ExecOptions{Args: []any{name, version}})
}

func schemaVersion(conn *sqlite.Conn, name string) (version int, err error) {
	if err := sqlitex.Execute(conn, "CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID", nil); err != nil {
		return 0, err
	}
	err = sqlitex.Execute(conn, "SELECT version FROM schema_versions WHERE name = ?", &sqlitex.ExecOptions{
		Args:       []any{name},
		ResultFunc: func(row *sqlite.Stmt) error { version = row.ColumnInt(0); return nil },
	})
	return version, err
}
