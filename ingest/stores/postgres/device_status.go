package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
// writeStatuses sees to the others.
func (t *transaction) Recall(asked []string) error {
	if t.statuses.read == nil {
		t.statuses.read = map[string]statusRow{}
	}
	named := make(map[string]string, len(asked)) // as stored: the name as told
	for _, device := range asked {
		named[plain(device)] = device
		t.statuses.read[device] = statusRow{}
	}
	rows, err := deviceStatuses(t.ctx, t.tx, slices.Collect(maps.Keys(named)))
	if err != nil {
		return err
	}
	for _, row := range rows {
		row.Device = named[row.Device]
		t.statuses.read[row.Device] = row
	}
	return nil
}

// DeviceStatuses is ingest.Store.DeviceStatuses.
func (s *Store) DeviceStatuses(ctx context.Context, devices []string) ([]ingest.DeviceStatus, error) {
	asked := make([]string, len(devices))
	for i := range devices {
		asked[i] = plain(devices[i])
	}
	rows, err := deviceStatuses(ctx, s.pool, asked)
	list := make([]ingest.DeviceStatus, len(rows))
	for i := range rows {
		list[i] = rows[i].DeviceStatus
	}
	return list, err
}

// deviceStatuses reads the rows of devices, in the order of names.
func deviceStatuses(ctx context.Context, db querier, asked []string) (list []statusRow, err error) {
	rows, err := db.Query(ctx, `SELECT device, online, battery, firmware, at, low_since, offline_since, battery_at, due,
			coalesce(low_for, ''), coalesce(offline_for, ''), trouble, xmin::text FROM device_status
		WHERE device = ANY ($1) ORDER BY device`, asked)
	if err != nil {
		return nil, fmt.Errorf("read the status of %d devices: %w", len(asked), err)
	}
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
	if err != nil {
		return nil, fmt.Errorf("read the status of %d devices: %w", len(asked), err)
	}
	return list, nil
}

// Troubled is ingest.Shared.Troubled.
func (t *transaction) Troubled(asked []string) (troubled []string, err error) {
	named := make(map[string]string, len(asked)) // as stored: the name as told
	for _, device := range asked {
		named[plain(device)] = device
	}
	rows, err := t.tx.Query(t.ctx, "SELECT device FROM device_status WHERE device = ANY ($1) AND (offline_since IS NOT NULL OR trouble IS NOT NULL)", slices.Collect(maps.Keys(named)))
	if err == nil {
		troubled, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, fmt.Errorf("ask which of %d devices are in trouble: %w", len(asked), err)
	}
	for i, device := range troubled {
		troubled[i] = named[device]
	}
	return troubled, nil
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
