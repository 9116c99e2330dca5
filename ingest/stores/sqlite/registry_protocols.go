package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/ingest/registry"
)

// UseProtocol keeps a protocol version at its first use, see registry.Store.
func (s *Store) UseProtocol(ctx context.Context, used registry.UsedProtocol) error {
	return s.Write(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "INSERT INTO registry_protocols (id, version, text, first, sum) VALUES (?1, ?2, ?3, ?4, checksum(?1, ?2, ?3, ?4)) ON CONFLICT DO NOTHING",
			&sqlitex.ExecOptions{Args: []any{used.ID, used.Version, used.Text, used.First.UnixMilli()}})
	})
}

// UsedProtocols lists every version ever used, see registry.Store.
func (s *Store) UsedProtocols(ctx context.Context) (list []registry.UsedProtocol, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT id, version, text, first, sum FROM registry_protocols ORDER BY id, version", &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error {
				if !intact(row, 4, sumOf(row, 0, 4)) {
					s.met.tell(ingest.Damage{Table: "registry_protocols", Row: row.ColumnText(0) + " " + row.ColumnText(1)})
					return nil
				}
				list = append(list, registry.UsedProtocol{ID: row.ColumnText(0), Version: row.ColumnText(1), Text: row.ColumnText(2), First: time.UnixMilli(row.ColumnInt64(3)).UTC()})
				return nil
			},
		})
	})
	return list, err
}
