package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// SetAside is ingest.Tx.SetAside.
func (w *writer) SetAside(records []ingest.SetAsideRecord) ([]bool, error) {
	fresh := make([]bool, len(records))
	for i := range records {
		r := &records[i]
		reasons, err := json.Marshal(r.Reasons)
		if err != nil {
			return nil, fmt.Errorf("write the reasons for which something of device %s is set aside: %w", r.Device, err)
		}
		var payload any
		if r.Payload != nil {
			payload = r.Payload
		}
		codes := codesOf(r.Reasons)
		err = sqlitex.Execute(w.conn, `INSERT OR IGNORE INTO set_aside (device, topic, reading, received, payload, codes, reasons, digest)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, &sqlitex.ExecOptions{
			Args: []any{r.Device, r.Topic, r.Reading, r.Received.UnixMilli(), payload, codes, string(reasons), digest(r, codes)},
		})
		if err != nil {
			return nil, fmt.Errorf("set aside something of device %s: %w", r.Device, err)
		}
		fresh[i] = w.conn.Changes() > 0
	}
	return fresh, nil
}

// codesOf lists the codes between spaces, so that one of them can be looked for.
func codesOf(reasons []protocols.Reason) string {
	var codes strings.Builder
	codes.WriteByte(' ')
	for _, reason := range reasons {
		codes.WriteString(string(reason.Code))
		codes.WriteByte(' ')
	}
	return codes.String()
}

// digest identifies the same thing refused again for the same reasons. Each
// part goes in with its length, so that none can pass for another.
func digest(r *ingest.SetAsideRecord, codes string) []byte {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(r.Device), []byte(r.Reading), []byte(codes), r.Payload} {
		hash.Write(binary.AppendUvarint(nil, uint64(len(part))))
		hash.Write(part)
	}
	return hash.Sum(nil)[:16]
}

// Holds is ingest.Tx.Holds.
func (w *writer) Holds(r *protocols.Reading) (bool, error) {
	number, err := w.store.names.devices.number(w.conn, deviceNames, r.Device)
	if err == nil {
		var used bool
		if used, err = w.used(identity{number, r.ID}); err == nil && !used {
			return false, nil
		}
	}
	var known []*protocols.Reading
	if err == nil {
		known, err = w.alike(r, max(ingest.Near(r), ingest.SameDay(r)))
	}
	if err != nil {
		return false, fmt.Errorf("look for a reading of device %s: %w", r.Device, err)
	}
	return ingest.IsKept(r, known), nil
}

// Settle is ingest.Tx.Settle.
func (w *writer) Settle(id int64, at time.Time) error {
	err := sqlitex.Execute(w.conn, "UPDATE set_aside SET settled = ?, digest = NULL WHERE id = ? AND settled IS NULL",
		&sqlitex.ExecOptions{Args: []any{at.UnixMilli(), id}})
	if err != nil {
		return fmt.Errorf("settle the set-aside record %d: %w", id, err)
	}
	return nil
}

// dismissedSchema says who decided that something is not to be used.
const dismissedSchema = `
ALTER TABLE set_aside ADD COLUMN dismissed_by  TEXT NOT NULL DEFAULT '';
ALTER TABLE set_aside ADD COLUMN dismissed_why TEXT NOT NULL DEFAULT '';
`

// Dismiss is ingest.Tx.Dismiss. The digest stays, so that the same thing is known again.
func (w *writer) Dismiss(id int64, author, reason string, at time.Time) (bool, error) {
	err := sqlitex.Execute(w.conn, "UPDATE set_aside SET settled = ?, dismissed_by = ?, dismissed_why = ? WHERE id = ? AND settled IS NULL",
		&sqlitex.ExecOptions{Args: []any{at.UnixMilli(), author, reason, id}})
	if err != nil {
		return false, fmt.Errorf("dismiss the set-aside record %d: %w", id, err)
	}
	return w.conn.Changes() > 0, nil
}

// SetAsides is ingest.Store.SetAsides.
func (s *Store) SetAsides(ctx context.Context, filter ingest.SetAsideFilter) (records []ingest.SetAsideRecord, err error) {
	var where []string
	var args []any
	narrow := func(wanted bool, condition string, arg any) {
		if wanted {
			where, args = append(where, condition), append(args, arg)
		}
	}
	narrow(filter.ID != 0, "id = ?", filter.ID)
	narrow(filter.Device != "", "device = ?", filter.Device)
	narrow(filter.Code != "", "instr(codes, ?) > 0", " "+string(filter.Code)+" ")
	narrow(!filter.From.IsZero(), "received >= ?", filter.From.UnixMilli())
	narrow(!filter.To.IsZero(), "received < ?", filter.To.UnixMilli())
	narrow(filter.Before != 0, "id < ?", filter.Before)
	if filter.Open {
		where = append(where, "settled IS NULL")
	}
	sql := "SELECT id, device, topic, reading, received, payload, reasons, settled, dismissed_by, dismissed_why FROM set_aside"
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	limit := filter.Limit
	if limit == 0 {
		limit = 100
	}
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, sql+" ORDER BY id DESC LIMIT ?", &sqlitex.ExecOptions{
			Args: append(args, limit),
			ResultFunc: func(row *sqlite.Stmt) error {
				record, err := setAsideRecord(row)
				records = append(records, record)
				return err
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list what was set aside: %w", err)
	}
	return records, nil
}

func setAsideRecord(row *sqlite.Stmt) (ingest.SetAsideRecord, error) {
	record := ingest.SetAsideRecord{
		ID:       row.ColumnInt64(0),
		Device:   row.ColumnText(1),
		Topic:    row.ColumnText(2),
		Reading:  row.ColumnText(3),
		Received: time.UnixMilli(row.ColumnInt64(4)).UTC(),
		Payload:  columnBytes(row, 5),

		DismissedBy: row.ColumnText(8), DismissedWhy: row.ColumnText(9),
	}
	if !row.ColumnIsNull(7) {
		record.Settled = time.UnixMilli(row.ColumnInt64(7)).UTC()
	}
	return record, json.Unmarshal([]byte(row.ColumnText(6)), &record.Reasons)
}
