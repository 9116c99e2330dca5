package influx

import (
	"context"
	"errors"
	"fmt"

	"vigie/ingest"
	"vigie/protocols"
)

// idle does some of what an operator has asked for, once no reading waits. It
// reports whether there was something to do.
func (f *Forwarder) idle(ctx context.Context) (did bool, err error) {
	open, err := f.journal.OpenErrands(ctx)
	if err != nil {
		return false, fmt.Errorf("see what else is to be done: %w", err)
	}
	for i := range open {
		switch e := &open[i]; e.Kind {
		case ingest.Resend:
			if err := f.retry(ctx); err != nil {
				return false, err
			}
			e.Carried, e.Done = f.now(), f.now()
			return true, f.journal.SetErrand(ctx, *e)
		case ingest.Feed:
			return true, f.feed(ctx, e)
		}
	}
	return false, nil
}

// feed sends the readings of one more patient, and records how far it has come.
// Nothing of it is set aside: the store has it, and says what differs.
func (f *Forwarder) feed(ctx context.Context, e *ingest.Errand) error {
	patients, err := f.journal.Patients(ctx, e.Reached.Patient, 1)
	if err != nil {
		return err
	}
	if len(patients) == 0 {
		if f.alerts != nil {
			if err := f.journal.SetCursor(ctx, AlertCursor, 0); err != nil {
				return fmt.Errorf("tell the alerts once more: %w", err)
			}
		}
		e.Carried, e.Done = f.now(), f.now()
		f.log.Info("InfluxDB has been fed what was asked for", "errand", e.ID, "patients", e.Reached.Patients, "readings", e.Reached.Sent, "refused", e.Reached.Refused, "not_whole", e.Reached.NotWhole)
		return f.journal.SetErrand(ctx, *e)
	}
	patient := patients[0]
	var kept []ingest.Kept
	sending := delivery{f: f}
	send := func() error {
		if len(kept) == 0 {
			return nil
		}
		f.encode(kept)
		sending.count, sending.of = len(kept), refusals(kept)
		if err := sending.deliver(ctx, 0, len(kept)); err != nil {
			return err
		}
		e.Reached.Refused += int64(len(sending.refused))
		e.Reached.Sent += int64(len(kept) - len(sending.refused))
		kept, sending.refused = kept[:0], nil
		return nil
	}
	var failed error
	next, finish := ingest.Pointed(func(r *protocols.Reading) bool {
		if kept = append(kept, ingest.Kept{At: r.Time, Reading: *r}); len(kept) == batch {
			failed = send()
		}
		return failed == nil
	})
	if err = f.source.History(ctx, patient, nil, e.Task.From, e.Task.To, next); failed == nil {
		finish()
	}
	var missing *ingest.NotWholeError
	if errors.As(err, &missing) {
		e.Reached.NotWhole++
		err = nil
	}
	if err = errors.Join(failed, err); err == nil {
		err = send()
	}
	if err != nil {
		return fmt.Errorf("feed InfluxDB from the store: %w", err)
	}
	e.Reached.Patient = patient
	e.Reached.Patients++
	return f.journal.SetErrand(ctx, *e)
}
