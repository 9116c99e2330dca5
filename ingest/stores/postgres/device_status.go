package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"vigie/ingest"
)

// statuses is what a transaction knows of devices.
type statuses struct {
	read map[string]statusRow           // zero for one that never told
	told map[string]ingest.DeviceStatus // to be written
}

// statusRow is a row of device_status, and which version of it: the transaction that
// wrote it, empty where there is no row.
type statusRow struct {
	ingest.DeviceStatus
	version string
}

// DeviceStatus is ingest.Tx.DeviceStatus.
func (t *transaction) DeviceStatus(device string) (status ingest.DeviceStatus, known bool, err error) {
	if told, ok := t.statuses.told[device]; ok {
		return told, true, nil
	}
	if _, ok := t.statuses.read[device]; !ok {
		if err := t.Recall([]string{device}); err != nil {
			return ingest.DeviceStatus{}, false, err
		}
	}
	status = t.statuses.read[device].DeviceStatus
	return status, status.Device != "", nil
}

// Recall is ingest.Shared.Recall. It holds no row: nearly all stay as they are, and
// writeStatuses sees to the others. Only those are read that are not as this node knows
// them.
func (t *transaction) Recall(asked []string) error {
	if known, err := t.foresaw(t.foreseen.told, asked); known || err != nil {
		return err
	}
	named, names, versions := t.recalled(asked)
	rows, err := t.tx.Query(t.ctx, changedStatuses, names, versions)
	if err == nil {
		err = t.answered(rows, named)
	}
	if err != nil {
		return fmt.Errorf("read the status of %d devices: %w", len(asked), err)
	}
	return nil
}

// recalled takes what this node knows of devices for what is kept, and returns their
// names by how they are stored, and what to ask changedStatuses for.
func (t *transaction) recalled(asked []string) (named map[string]string, names []string, versions []*string) {
	if t.statuses.read == nil {
		t.statuses.read = make(map[string]statusRow, len(asked))
	}
	named = storedNames(asked)
	known := &t.store.statuses
	known.mu.Lock()
	defer known.mu.Unlock()
	for name, device := range named {
		var version *string // nil where nothing is known
		row, kept := known.rows[name]
		if kept {
			row.Device, version = device, &row.version
		}
		t.statuses.read[device] = row
		names, versions = append(names, name), append(versions, version)
	}
	return named, names, versions
}

// answered notes what is otherwise than this node knew.
func (t *transaction) answered(rows pgx.Rows, named map[string]string) error {
	changed, err := statusRows(rows)
	if err != nil {
		return err
	}
	for _, row := range changed {
		device := named[row.Device]
		if row.version != "" {
			t.store.statuses.note(row.Device, row)
			row.Device = device
		} else { // it is gone
			t.store.statuses.forget(row.Device)
			row = statusRow{}
		}
		t.statuses.read[device] = row
	}
	return nil
}

// knownStatuses is what a node has read of device_status, by the names that are stored
// there. Each time it is asked which rows have another version.
type knownStatuses struct {
	mu   sync.Mutex
	rows map[string]statusRow
}

// mostKnown bounds of how many devices the status is known.
const mostKnown = 20_000

func (k *knownStatuses) note(name string, row statusRow) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rows == nil {
		k.rows = map[string]statusRow{}
	}
	if _, known := k.rows[name]; !known && len(k.rows) >= mostKnown {
		for other := range k.rows { // one of them makes room, whichever it is
			delete(k.rows, other)
			break
		}
	}
	k.rows[name] = row
}

func (k *knownStatuses) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.rows, name)
}

// storedNames are the names of devices as they were told, by how they are stored.
func storedNames(asked []string) map[string]string {
	named := make(map[string]string, len(asked))
	for _, device := range asked {
		named[plain(device)] = device
	}
	return named
}

// foreseen is what Foresee has read.
type foreseen struct {
	heard, told []string // in the order of letters
	troubled    []string
}

// foresaw reports whether all that is asked was foreseen, and has it read if it was not yet.
func (t *transaction) foresaw(known, asked []string) (bool, error) {
	for _, device := range asked {
		if _, found := slices.BinarySearch(known, device); !found {
			return false, nil
		}
	}
	return true, t.tx.flush(t.ctx)
}

// Foresee is ingest.Shared.Foresee. It goes with the next statement.
func (t *transaction) Foresee(heard, told []string) {
	slices.Sort(heard)
	slices.Sort(told)
	t.foreseen = foreseen{heard: heard, told: told}
	if len(heard) > 0 {
		named := storedNames(heard)
		t.tx.Queue(troubledDevices, slices.Collect(maps.Keys(named))).Query(func(rows pgx.Rows) (err error) {
			t.foreseen.troubled, err = devicesIn(rows, named)
			return err
		})
	}
	if len(told) > 0 {
		named, names, versions := t.recalled(told)
		t.tx.Queue(changedStatuses, names, versions).Query(func(rows pgx.Rows) error { return t.answered(rows, named) })
	}
}

// DeviceStatuses is ingest.Store.DeviceStatuses.
func (s *Store) DeviceStatuses(ctx context.Context, devices []string) ([]ingest.DeviceStatus, error) {
	rows, err := deviceStatuses(ctx, s.pool, slices.Collect(maps.Keys(storedNames(devices))))
	list := make([]ingest.DeviceStatus, len(rows))
	for i := range rows {
		list[i] = rows[i].DeviceStatus
	}
	return list, err
}

// deviceStatuses reads the rows of devices, in the order of names.
func deviceStatuses(ctx context.Context, db querier, asked []string) (list []statusRow, err error) {
	rows, err := db.Query(ctx, statusesOf, asked)
	if err == nil {
		list, err = statusRows(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("read the status of %d devices: %w", len(asked), err)
	}
	return list, nil
}

// The row of a device is found by the index, each on its own: what the planner believes
// of their number, it may read the whole table for.
const (
	statusOf = `(SELECT device, online, battery, firmware, at, low_since, offline_since, battery_at, due,
	coalesce(low_for, '') AS low_for, coalesce(offline_for, '') AS offline_for, trouble, xmin::text AS version FROM device_status WHERE device_status.device = asked.name COLLATE "C" OFFSET 0) AS found`
	statusesOf      = "SELECT found.* FROM unnest($1::text[]) AS asked (name) CROSS JOIN LATERAL " + statusOf + " ORDER BY device"
	changedStatuses = `SELECT asked.name, coalesce(online, true), coalesce(battery, -1), coalesce(firmware, ''), at, low_since, offline_since, battery_at, due,
	coalesce(low_for, ''), coalesce(offline_for, ''), trouble, coalesce(found.version, '')
	FROM unnest($1::text[], $2::text[]) AS asked (name, version) LEFT JOIN LATERAL ` + statusOf + ` ON true WHERE found.version IS DISTINCT FROM asked.version`
	troubledDevices = `SELECT device FROM unnest($1::text[]) AS asked (name) CROSS JOIN LATERAL (
	SELECT device FROM device_status WHERE device_status.device = asked.name COLLATE "C" AND (offline_since IS NOT NULL OR trouble IS NOT NULL) OFFSET 0) AS found`
)

func statusRows(rows pgx.Rows) (list []statusRow, err error) {
	var status statusRow
	var at, low, offline, batteryAt, due *int64
	var trouble *string
	_, err = pgx.ForEachRow(rows, []any{&status.Device, &status.Online, &status.Battery, &status.Firmware, &at, &low, &offline, &batteryAt, &due,
		&status.LowFor, &status.OfflineFor, &trouble, &status.version}, func() error {
		status.At, status.LowSince, status.OfflineSince = perhapsTime(at), perhapsTime(low), perhapsTime(offline)
		status.BatteryAt, status.Due = perhapsTime(batteryAt), perhapsTime(due)
		if status.Trouble = (ingest.DeviceTrouble{}); trouble != nil {
			if err := json.Unmarshal([]byte(*trouble), &status.Trouble); err != nil {
				return err
			}
		}
		list = append(list, status)
		return nil
	})
	return list, err
}

// Troubled is ingest.Shared.Troubled.
func (t *transaction) Troubled(asked []string) (troubled []string, err error) {
	if known, err := t.foresaw(t.foreseen.heard, asked); err != nil {
		return nil, fmt.Errorf("ask which of %d devices are in trouble: %w", len(asked), err)
	} else if known {
		return slices.DeleteFunc(slices.Clone(t.foreseen.troubled), func(device string) bool { return !slices.Contains(asked, device) }), nil
	}
	named := storedNames(asked)
	rows, err := t.tx.Query(t.ctx, troubledDevices, slices.Collect(maps.Keys(named)))
	if err == nil {
		troubled, err = devicesIn(rows, named)
	}
	if err != nil {
		return nil, fmt.Errorf("ask which of %d devices are in trouble: %w", len(asked), err)
	}
	return troubled, nil
}

// devicesIn are the names of devices as they were told.
func devicesIn(rows pgx.Rows, named map[string]string) ([]string, error) {
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for i, device := range found {
		found[i] = named[device]
	}
	return found, err
}

// SetDeviceStatus is ingest.Tx.SetDeviceStatus.
func (t *transaction) SetDeviceStatus(status ingest.DeviceStatus) error {
	if t.statuses.told == nil {
		t.statuses.told = map[string]ingest.DeviceStatus{}
	}
	t.statuses.told[status.Device] = status
	return nil
}

// writeStatuses writes what devices said, in the order of their names. What another node
// has written since it was read is a conflict.
func (t *transaction) writeStatuses() error {
	if len(t.statuses.told) == 0 {
		return nil
	}
	writes := &pgx.Batch{}
	unchanged := func(written pgconn.CommandTag) error {
		if written.RowsAffected() == 0 {
			return fmt.Errorf("another node has written the status of the device: %w", ingest.ErrConflict)
		}
		return nil
	}
	for _, device := range slices.Sorted(maps.Keys(t.statuses.told)) {
		status := t.statuses.told[device]
		var version *string // nil for one that was not read
		if row, read := t.statuses.read[device]; read {
			version = &row.version
		}
		var trouble *string
		if status.Trouble != (ingest.DeviceTrouble{}) {
			written, err := json.Marshal(status.Trouble)
			if err != nil {
				return err
			}
			text := string(written)
			trouble = &text
		}
		writes.Queue(`INSERT INTO device_status (device, online, battery, firmware, at, low_since, offline_since, battery_at, due, low_for, offline_for, trouble)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (device) DO UPDATE SET online = excluded.online, battery = excluded.battery, firmware = excluded.firmware,
				at = excluded.at, low_since = excluded.low_since, offline_since = excluded.offline_since,
				battery_at = excluded.battery_at, due = excluded.due, low_for = excluded.low_for, offline_for = excluded.offline_for, trouble = excluded.trouble
			WHERE $13::text IS NULL OR device_status.xmin::text = $13`,
			plain(device), status.Online, status.Battery, plain(status.Firmware),
			nanos(status.At), perhapsNanos(status.LowSince), perhapsNanos(status.OfflineSince), perhapsNanos(status.BatteryAt), perhapsNanos(status.Due),
			status.LowFor, status.OfflineFor, trouble, version).Exec(unchanged)
	}
	return t.tx.SendBatch(t.ctx, writes).Close()
}

// perhapsNanos is a time as it is stored, null when it is zero.
func perhapsNanos(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := nanos(t)
	return &n
}

func perhapsTime(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return fromNanos(*n)
}
