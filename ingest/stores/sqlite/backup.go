package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/ingest/disk"
)

// Backup writes everything that is committed now into a new file at path.
func (s *Store) Backup(ctx context.Context, path string) error { return Backup(ctx, s.path, path) }

// Backup writes everything that is committed now in the store at from into a new
// file at path, while its service goes on. The store stays as it is, also where
// this program is newer than its service: it is not brought up to date. The file is
// checked, and appears under its name only when it is whole.
func Backup(ctx context.Context, from, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("back up to %s: the file exists already, choose another name", path)
	}
	partial := path + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	err := copyTo(ctx, from, partial)
	if err == nil {
		err = Check(partial)
	}
	// What is left of a store that is damaged here and there is worth a backup, and those
	// who make it are told each time.
	var damaged ingest.DamagedRows
	if errors.As(err, &damaged) {
		err = nil
	}
	if err == nil {
		err = disk.Settle(partial, path)
	}
	if err == nil && damaged != nil {
		return fmt.Errorf("the backup %s is written, and holds what is left; keep the earlier ones: %w", path, damaged)
	}
	if err != nil {
		return fmt.Errorf("back up to %s: %w", path, errors.Join(err, removeIfThere(partial)))
	}
	return nil
}

// copyTo writes a copy with a connection of its own: it may take long, and
// neither the writer nor a reader is to be held up.
func copyTo(ctx context.Context, from, path string) error {
	conn, err := sqlite.OpenConn(from, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	if err := disk.Begin(path); err != nil {
		return errors.Join(err, conn.Close())
	}
	err = sqlitex.ExecuteTransient(conn, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{path}})
	return errors.Join(err, conn.Close())
}

// Restore puts a backup in the place of a store that does not exist yet. The
// service must not be running on it.
func Restore(backup, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("restore %s: %s exists already; move it away first, so that nothing is overwritten", backup, path)
	}
	var damaged ingest.DamagedRows
	if err := Check(backup); err != nil && !errors.As(err, &damaged) {
		return fmt.Errorf("restore %s: %w", backup, err)
	}
	partial := path + ".partial"
	err := copyFile(backup, partial)
	if err == nil {
		err = disk.Settle(partial, path)
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", backup, errors.Join(err, removeIfThere(partial)))
	}
	if damaged != nil {
		return fmt.Errorf("%s is restored, without what is damaged in it; an earlier one may have it: %w", backup, damaged)
	}
	return nil
}

// Check reads the whole file at path and reports what is damaged, as DamagedRows where
// the rest can be used, or that it is no store of Vigie: an empty file is a whole
// database to SQLite.
func Check(path string) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return fmt.Errorf("it cannot be opened: %w", err)
	}
	err = whole(conn)
	var damaged ingest.DamagedRows
	if err == nil {
		damaged, err = sealedDamages(conn)
	}
	if err := errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("it is damaged, or no backup of Vigie (%w); take another one", err)
	}
	if len(damaged) > 0 {
		return damaged
	}
	return nil
}

// sealedDamages is damages, of a file whose rows have their checksums: one of an older
// version has none.
func sealedDamages(conn *sqlite.Conn) (ingest.DamagedRows, error) {
	sealed := 0
	err := sqlitex.Execute(conn, "SELECT version FROM schema_versions WHERE name = ?", &sqlitex.ExecOptions{
		Args: []any{checksums}, ResultFunc: func(row *sqlite.Stmt) error { sealed = row.ColumnInt(0); return nil },
	})
	if err != nil || sealed < len(guardedTables) {
		return nil, err
	}
	return damages(conn)
}

func whole(conn *sqlite.Conn) error {
	ours := false
	err := sqlitex.ExecuteTransient(conn, "SELECT 1 FROM schema_versions WHERE name = 'readings'", &sqlitex.ExecOptions{
		ResultFunc: func(*sqlite.Stmt) error { ours = true; return nil },
	})
	if err != nil {
		return err
	}
	if !ours {
		return errors.New("it holds no readings")
	}
	return sound(conn)
}

// sound reports what is wrong with the file as SQLite keeps it.
func sound(conn *sqlite.Conn) error {
	return sqlitex.ExecuteTransient(conn, "PRAGMA integrity_check(1)", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error {
			if answer := row.ColumnText(0); answer != "ok" {
				return errors.New(answer)
			}
			return nil
		},
	})
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if err := disk.Begin(to); err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
