package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vigie/ingest/registry"
)

// UseProtocol keeps a protocol version at its first use, see registry.Store.
func (s *Store) UseProtocol(ctx context.Context, used registry.UsedProtocol) error {
	return s.Write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO registry_protocols VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", used.ID, used.Version, used.Text, nanos(used.First))
		if err != nil {
			return fmt.Errorf("keep version %s of the protocol %s: %w", used.Version, used.ID, err)
		}
		return nil
	})
}

// UsedProtocols lists every version ever used, see registry.Store.
func (s *Store) UsedProtocols(ctx context.Context) ([]registry.UsedProtocol, error) {
	rows, err := s.pool.Query(ctx, "SELECT id, version, text, first FROM registry_protocols ORDER BY id, version")
	if err != nil {
		return nil, fmt.Errorf("list the protocols that were used: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (used registry.UsedProtocol, err error) {
		var first int64
		err = row.Scan(&used.ID, &used.Version, &used.Text, &first)
		used.First = fromNanos(first)
		return used, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the protocols that were used: %w", err)
	}
	return list, nil
}
