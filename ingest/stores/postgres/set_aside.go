package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"vigie/ingest"
	"vigie/protocols"
)

// SetAside is ingest.Tx.SetAside. The records are written in the order given,
// which is that of their ids.
func (t *transaction) SetAside(records []ingest.SetAsideRecord) ([]bool, error) {
	fresh := make([]bool, len(records))
	writes := &pgx.Batch{}
	for i := range records {
		r := &records[i]
		reasons, err := json.Marshal(r.Reasons)
		if err != nil {
			return nil, fmt.Errorf("set aside something of device %s: %w", r.Device, err)
		}
		writes.Queue(`INSERT INTO set_aside (device, topic, reading, received, payload, codes, reasons, digest)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (digest) WHERE digest IS NOT NULL DO NOTHING`,
			plain(r.Device), plain(r.Topic), []byte(r.Reading), nanos(r.Received), r.Payload, codes(r.Reasons), string(reasons), digest(r),
		).Exec(func(tag pgconn.CommandTag) error { fresh[i] = tag.RowsAffected() > 0; return nil })
	}
	if err := t.tx.SendBatch(t.ctx, writes).Close(); err != nil {
		return nil, fmt.Errorf("set %d things aside: %w", len(records), err)
	}
	return fresh, nil
}

func codes(reasons []protocols.Reason) []string {
	codes := make([]string, len(reasons))
	for i, reason := range reasons {
		codes[i] = plain(string(reason.Code))
	}
	return codes
}

// digest identifies the same thing refused again for the same reasons. Each
// part goes in with its length, so that none can pass for another.
func digest(r *ingest.SetAsideRecord) []byte {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(r.Device), []byte(r.Reading), []byte(strings.Join(codes(r.Reasons), " ")), r.Payload} {
		hash.Write(binary.AppendUvarint(nil, uint64(len(part))))
		hash.Write(part)
	}
	return hash.Sum(nil)[:16]
}

// Holds is ingest.Tx.Holds.
func (t *transaction) Holds(r *protocols.Reading) (bool, error) {
	known, err := t.alike([]*protocols.Reading{r}, []int32{0})
	if err != nil {
		return false, fmt.Errorf("look for a reading of device %s: %w", r.Device, err)
	}
	return ingest.IsKept(r, known[named{r.Device, r.ID}]), nil
}

// Settle is ingest.Tx.Settle.
func (t *transaction) Settle(id int64, at time.Time) error {
	_, err := t.tx.Exec(t.ctx, "UPDATE set_aside SET settled = $1, digest = NULL WHERE id = $2 AND settled IS NULL", nanos(at), id)
	if err != nil {
		return fmt.Errorf("settle the set-aside record %d: %w", id, err)
	}
	return nil
}

// dismissedSchema says who decided that something is not to be used.
const dismissedSchema = `ALTER TABLE set_aside ADD COLUMN dismissed_by text NOT NULL DEFAULT '', ADD COLUMN dismissed_why text NOT NULL DEFAULT ''`

// Dismiss is ingest.Tx.Dismiss. The digest stays, so that the same thing is known again.
func (t *transaction) Dismiss(id int64, author, reason string, at time.Time) (bool, error) {
	done, err := t.tx.Exec(t.ctx, "UPDATE set_aside SET settled = $1, dismissed_by = $2, dismissed_why = $3 WHERE id = $4 AND settled IS NULL",
		nanos(at), plain(author), plain(reason), id)
	if err != nil {
		return false, fmt.Errorf("dismiss the set-aside record %d: %w", id, err)
	}
	return done.RowsAffected() > 0, nil
}

// SetAsides is ingest.Store.SetAsides.
func (s *Store) SetAsides(ctx context.Context, filter ingest.SetAsideFilter) ([]ingest.SetAsideRecord, error) {
	sql, args := setAsideQuery(filter)
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list what was set aside: %w", err)
	}
	records, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (record ingest.SetAsideRecord, err error) {
		var reading []byte
		var received int64
		var settled *int64
		err = row.Scan(&record.ID, &record.Device, &record.Topic, &reading, &received, &record.Payload, &record.Reasons, &settled, &record.DismissedBy, &record.DismissedWhy)
		record.Reading, record.Received, record.Settled = string(reading), fromNanos(received), perhapsTime(settled)
		return record, err
	})
	if err != nil {
		return nil, fmt.Errorf("list what was set aside: %w", err)
	}
	return records, nil
}

func setAsideQuery(filter ingest.SetAsideFilter) (string, []any) {
	var where []string
	var args []any
	narrow := func(wanted bool, condition string, arg any) {
		if wanted {
			args = append(args, arg)
			where = append(where, fmt.Sprintf(condition, len(args)))
		}
	}
	narrow(filter.ID != 0, "id = $%d", filter.ID)
	narrow(filter.Device != "", "device = $%d", plain(filter.Device))
	narrow(filter.Code != "", "$%d = ANY (codes)", plain(string(filter.Code)))
	narrow(!filter.From.IsZero(), "received >= $%d", nanos(filter.From))
	narrow(!filter.To.IsZero(), "received < $%d", nanos(filter.To))
	narrow(filter.Before != 0, "id < $%d", filter.Before)
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
	return fmt.Sprintf("%s ORDER BY id DESC LIMIT %d", sql, limit), args
}
