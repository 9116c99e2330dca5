package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
	"vigie/ingest/stores/sqlite"
)

// storeFile is the name of the embedded store in its folder.
const storeFile = "vigie.db"

// errShared says how a shared store is backed up.
var errShared = errors.New("the store is in PostgreSQL: back it up and restore it with pg_dump and pg_restore")

// Backup writes all that is committed into a new file, beside a service that may
// be running.
func Backup(ctx context.Context, c config.Config, file string) error {
	if c.Store.Postgres.URL != "" {
		return errShared
	}
	if err := Standing(c); err != nil {
		return err
	}
	if err := backupErasures(c.Data, file); err != nil {
		return err
	}
	return sqlite.Backup(ctx, filepath.Join(c.Data, storeFile), file)
}

// Restore puts a backup into the folder of the store, where there must be none. Who was
// erased since is erased from it: by the list of the folder, that beside the backup, and
// further ones. A backup that this program cannot read is not left there.
func Restore(ctx context.Context, c config.Config, file string, lists ...string) (err error) {
	if c.Store.Postgres.URL != "" {
		return errShared
	}
	if err := disk.Make(c.Data); err != nil {
		return fmt.Errorf("make the folder of the store (data): %w", err)
	}
	lock, err := lockFolder(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	path := filepath.Join(c.Data, storeFile)
	// A log that another store left behind would be taken for this one's.
	if there(path+"-wal") && !there(path) {
		return fmt.Errorf("restore %s: %s-wal belongs to another store; move it away first, with that store", file, path)
	}
	for _, list := range lists {
		if !there(list) {
			return fmt.Errorf("restore %s: there is no list of erasures %s", file, list)
		}
	}
	if err := restoreErasures(c.Data, append(lists, besideBackup(file))...); err != nil {
		return err
	}
	if err := sqlite.Restore(file, path); err != nil {
		return err
	}
	if err := eraseRestored(ctx, c); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	tools, err := OpenTools(ctx, c)
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return tools.Close()
}

// eraseRestored applies the list of erasures to a store that was restored.
func eraseRestored(ctx context.Context, c config.Config) error {
	shelf, err := NewShelf(c.Protocols.Folders...)
	if err != nil {
		return err
	}
	open := func() (*backend, error) { return openBackend(ctx, c, shelf, slog.Default()) }
	b, err := open()
	if err != nil {
		return err
	}
	b, err = afterErasures(ctx, c, b, open, slog.Default())
	if b == nil {
		return err
	}
	return errors.Join(err, b.store.Close())
}

// Standing refuses a configuration whose embedded store does not exist yet: a tool
// that only reads would make an empty one in a folder that was misspelt.
func Standing(c config.Config) error {
	if c.Store.Postgres.URL != "" {
		return nil
	}
	_, err := os.Stat(filepath.Join(c.Data, storeFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no store in %s; is data the right folder? vigie serve and vigie registry import make one", c.Data)
	case err != nil:
		return fmt.Errorf("look for the store: %w; run this as the user that the service runs as", err)
	}
	return nil
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
