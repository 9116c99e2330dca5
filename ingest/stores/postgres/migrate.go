package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Keys of advisory locks. They share one space with whatever else uses the
// database, hence the unlikely high half.
const (
	lockSpace   = 0x5649474945 << 16 // "VIGIE"
	lockSchema  = lockSpace + 1
	lockJournal = lockSpace + 2
	lockEvents  = lockSpace + 3 // the numbers of events
	lockPrune   = lockSpace + 4

	lockDevices = 0x56494745 // "VIGE": a space of its own for devices
	lockTrail   = 0x56494746 // and one for the chains of the trail
)

// Migrate brings the tables of one subject to their present shape: step n, a
// script, leads from version n to n+1, and a step that was released never
// changes. All steps are one transaction; nodes that start at once wait for each
// other.
//
// Nodes of the version before go on working meanwhile, and may start again, as
// long as they know at least floor steps: a step that only adds leaves the floor
// where it is. A program that knows fewer steps than the floor of the database
// is refused.
func (s *Store) Migrate(ctx context.Context, name string, steps []string, floor int) error {
	return s.Write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockSchema)); err != nil {
			return fmt.Errorf("wait for other nodes that migrate: %w", err)
		}
		version, lowest, err := schemaVersion(ctx, tx, name)
		if err != nil {
			return fmt.Errorf("read the schema version of %s: %w", name, err)
		}
		if lowest > len(steps) {
			return fmt.Errorf("the %s in it were written by a newer Vigie (schema %d, which needs a program that knows %d; this one knows %d); start that version, or restore a backup made by this one", name, version, lowest, len(steps))
		}
		if version >= len(steps) {
			return nil
		}
		for i := version; i < len(steps); i++ {
			if _, err := tx.Exec(ctx, steps[i]); err != nil {
				return fmt.Errorf("migrate the %s from schema %d to %d: %w", name, i, i+1, err)
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO schema_versions (name, version, floor) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET version = excluded.version, floor = excluded.floor`, name, len(steps), floor)
		return err
	})
}

func schemaVersion(ctx context.Context, tx pgx.Tx, name string) (version, floor int, err error) {
	_, err = tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_versions (name text PRIMARY KEY, version integer NOT NULL, floor integer NOT NULL)`)
	if err != nil {
		return 0, 0, err
	}
	err = tx.QueryRow(ctx, `SELECT version, floor FROM schema_versions WHERE name = $1`, name).Scan(&version, &floor)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, nil
	}
	return version, floor, err
}
