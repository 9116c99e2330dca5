package postgres

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
)

// DeviceStatus is ingest.Tx.DeviceStatus.
func (t *transaction) DeviceStatus(device string) (status ingest.DeviceStatus, known bool, err error) {
	if status, known = t.statuses[device]; known {
		return status, true, nil
	}
	var at, low, offline *int64
	err = t.tx.QueryRow(t.ctx, "SELECT device, online, battery, firmware, at, low_since, offline_since FROM device_status WHERE device = $1", plain(device)).
		Scan(&status.Device, &status.Online, &status.Battery, &status.Firmware, &at, &low, &offline)
	if errors.Is(err, pgx.ErrNoRows) {
		return ingest.DeviceStatus{}, false, nil
	}
	if err != nil {
		return ingest.DeviceStatus{}, false, fmt.Errorf("read the status of device %s: %w", device, err)
	}
	status.At, status.LowSince, status.OfflineSince = perhapsTime(at), perhapsTime(low), perhapsTime(offline)
	return status, true, nil
}

// SetDeviceStatus is ingest.Tx.SetDeviceStatus.
func (t *transaction) SetDeviceStatus(status ingest.DeviceStatus) error {
	if t.statuses == nil {
		t.statuses = map[string]ingest.DeviceStatus{}
	}
	t.statuses[status.Device] = status
	return nil
}

// writeStatuses writes what devices said, in the order of their names.
func (t *transaction) writeStatuses() error {
	if len(t.statuses) == 0 {
		return nil
	}
	writes := &pgx.Batch{}
	for _, device := range slices.Sorted(maps.Keys(t.statuses)) {
		status := t.statuses[device]
		writes.Queue(`INSERT INTO device_status (device, online, battery, firmware, at, low_since, offline_since) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (device) DO UPDATE SET online = excluded.online, battery = excluded.battery, firmware = excluded.firmware,
				at = excluded.at, low_since = excluded.low_since, offline_since = excluded.offline_since`,
			plain(device), status.Online, status.Battery, plain(status.Firmware),
			nanos(status.At), perhapsNanos(status.LowSince), perhapsNanos(status.OfflineSince))
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
