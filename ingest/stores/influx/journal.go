package influx

import (
	"context"

	"vigie/ingest"
	"vigie/protocols"
)

// RefusedByInflux is the code of what InfluxDB did not take: the reading is
// kept and evaluated, only its history there misses it.
const RefusedByInflux protocols.Code = "refused-by-influxdb"

// Topic stands in the place of a topic in what is set aside by this package;
// the payload is then a line for Client.Write.
const Topic = "influxdb"

// FromStore makes a Journal of the transactional store.
func FromStore(store ingest.Store) Journal { return journal{store} }

type journal struct{ ingest.Store }

func (j journal) SetAside(ctx context.Context, refused []Refused) error {
	records := make([]ingest.SetAsideRecord, len(refused))
	for i, r := range refused {
		records[i] = ingest.SetAsideRecord{
			Device:   r.Kept.Reading.Device,
			Topic:    Topic,
			Reading:  r.Kept.Reading.ID,
			Received: r.Kept.At,
			Payload:  []byte(r.Line),
			Reasons:  []protocols.Reason{{Code: RefusedByInflux, Message: r.Reason}},
		}
	}
	return j.Update(ctx, func(tx ingest.Tx) error {
		_, err := tx.SetAside(records)
		return err
	})
}
