package influx

import (
	"context"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// RefusedByInflux is ingest.RefusedByInflux.
const RefusedByInflux = ingest.RefusedByInflux

// Topic stands in the place of a topic in what is set aside by this package;
// the payload is then a line for Client.Write.
const Topic = "influxdb"

// Store is the transactional store, as a forwarder needs it.
type Store interface {
	ingest.Store
	ingest.Errands
}

// FromStore makes a Journal of the transactional store.
func FromStore(store Store, now func() time.Time) Journal { return journal{store, now} }

type journal struct {
	Store
	now func() time.Time
}

func (j journal) SetAside(ctx context.Context, refused []Refused) error {
	records := make([]ingest.SetAsideRecord, len(refused))
	for i, r := range refused {
		records[i] = ingest.SetAsideRecord{
			Device:   r.Device,
			Topic:    Topic,
			Reading:  r.Reading,
			Received: r.Received,
			Payload:  []byte(r.Line),
			Reasons:  []protocols.Reason{{Code: RefusedByInflux, Message: r.Reason}},
		}
	}
	return j.Update(ctx, func(tx ingest.Tx) error {
		_, err := tx.SetAside(records)
		return err
	})
}

func (j journal) Refused(ctx context.Context, before int64) ([]Refused, error) {
	records, err := j.SetAsides(ctx, ingest.SetAsideFilter{Code: RefusedByInflux, Open: true, Before: before})
	if err != nil {
		return nil, err
	}
	refused := make([]Refused, len(records))
	for i, r := range records {
		refused[i] = Refused{ID: r.ID, Device: r.Device, Reading: r.Reading, Received: r.Received, Line: string(r.Payload)}
	}
	return refused, nil
}

func (j journal) Settle(ctx context.Context, ids []int64) error {
	return j.Update(ctx, func(tx ingest.Tx) error {
		for _, id := range ids {
			if err := tx.Settle(id, j.now()); err != nil {
				return err
			}
		}
		return nil
	})
}
