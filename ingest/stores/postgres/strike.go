package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/protocols"
)

// strikesSchema is what people have struck out. The row of a reading says so as well.
const strikesSchema = `
CREATE TABLE strikes (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	patient text COLLATE "C" NOT NULL,
	measure smallint NOT NULL,
	device  text COLLATE "C" NOT NULL,
	reading text NOT NULL,   -- the id that the device gave, in hexadecimal
	moment  bigint NOT NULL, -- nanoseconds since 1970
	amounts text NOT NULL,   -- of its values, see ingest.Amounts
	source  smallint NOT NULL,
	variant smallint NOT NULL,
	at      bigint NOT NULL,
	author  text NOT NULL,
	reason  text NOT NULL,
	undone        bigint NOT NULL DEFAULT 0, -- when; 0 while it stands
	undone_by     text NOT NULL DEFAULT '',
	undone_reason text NOT NULL DEFAULT ''
);
CREATE INDEX strikes_patient ON strikes (patient, moment);
`

// Strike is ingest.Tx.Strike.
func (t *transaction) Strike(readings []*protocols.Reading, author, reason string, at time.Time) error {
	for _, r := range readings {
		_, err := t.tx.Exec(t.ctx, `INSERT INTO strikes (patient, measure, device, reading, moment, amounts, source, variant, at, author, reason)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			r.Patient, t.store.layout.nums[r.Measure.Ordinal()], r.Device, hex.EncodeToString([]byte(r.ID)), nanos(r.Time), ingest.Amounts(r.Values),
			int16(r.Source), int16(r.Variant), nanos(at), plain(author), plain(reason))
		if err == nil {
			err = t.setStruck(r, true)
		}
		if err != nil {
			return fmt.Errorf("mark a reading of patient %s as struck out: %w", r.Patient, err)
		}
	}
	return nil
}

// Unstrike is ingest.Tx.Unstrike.
func (t *transaction) Unstrike(readings []*protocols.Reading, author, reason string, at time.Time) error {
	for _, r := range readings {
		_, err := t.tx.Exec(t.ctx, `UPDATE strikes SET undone = $1, undone_by = $2, undone_reason = $3
			WHERE patient = $4 AND moment = $5 AND measure = $6 AND device = $7 AND reading = $8 AND amounts = $9 AND undone = 0`,
			nanos(at), plain(author), plain(reason),
			r.Patient, nanos(r.Time), t.store.layout.nums[r.Measure.Ordinal()], r.Device, hex.EncodeToString([]byte(r.ID)), ingest.Amounts(r.Values))
		if err == nil {
			err = t.setStruck(r, false)
		}
		if err != nil {
			return fmt.Errorf("take back that a reading of patient %s is struck out: %w", r.Patient, err)
		}
	}
	return nil
}

// setStruck writes whether a reading is struck out into its row, with its checksum. One
// that replaces another has the same name and other values.
func (t *transaction) setStruck(r *protocols.Reading, struck bool) error {
	t.histories = nil
	var ids [][]byte
	for _, id := range ingest.KeptIDs(r) {
		ids = append(ids, []byte(id))
	}
	rows, err := t.tx.Query(t.ctx, "SELECT "+readingColumns+" FROM readings WHERE device = $1 AND id = ANY ($2) AND time = $3 AND measure = $4 AND amounts = $5 FOR UPDATE",
		r.Device, ids, nanos(r.Time), t.store.layout.nums[r.Measure.Ordinal()], ingest.Amounts(r.Values))
	if err != nil {
		return err
	}
	var found []row
	var next row
	_, err = pgx.ForEachRow(rows, next.fields(), func() error {
		one := next
		one.id, one.flags, one.context, one.more, one.guard = slices.Clone(next.id), slices.Clone(next.flags), slices.Clone(next.context), slices.Clone(next.more), nil
		found = append(found, one)
		next.forget()
		return nil
	})
	if err != nil {
		return err
	}
	for i := range found {
		if err := t.writeStruck(&found[i], struck); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) writeStruck(kept *row, struck bool) error {
	if !kept.intact() {
		return fmt.Errorf("its row: %w", ingest.ErrDamaged)
	}
	r, err := kept.reading(t.store)
	if err != nil {
		return err
	}
	r.Struck = struck
	more := rareOf(r)
	var sum *int64
	if kept.sum != nil {
		guard := readingGuard(nil, kept.id, kept, string(kept.flags), string(kept.context), more)
		is := guard.Sum()
		sum = &is
	}
	_, err = t.tx.Exec(t.ctx, "UPDATE readings SET more = nullif($1, '')::json, sum = $2 WHERE device = $3 AND id = $4", more, sum, kept.device, kept.id)
	return err
}

// Marks is ingest.Store.Marks.
func (s *Store) Marks(ctx context.Context, patient string, from, to time.Time) ([]ingest.Mark, error) {
	rows, err := s.pool.Query(ctx, `SELECT measure, device, reading, moment, amounts, source, variant, at, author, reason, undone, undone_by, undone_reason, `+intact("strikes", "strikes")+`, id::text
		FROM strikes WHERE patient = $1 AND moment >= $2 AND moment < $3 ORDER BY id`, plain(patient), nanos(from), nanos(to))
	if err != nil {
		return nil, fmt.Errorf("list what was struck out of patient %s: %w", patient, err)
	}
	var marks []ingest.Mark
	var num, source, variant int16
	var device, written, amounts, author, reason, undoneBy, undoneReason, row string
	var moment, at, undone int64
	var fits bool
	_, err = pgx.ForEachRow(rows, []any{&num, &device, &written, &moment, &amounts, &source, &variant, &at, &author, &reason, &undone, &undoneBy, &undoneReason, &fits, &row}, func() error {
		measure := s.layout.measures[num]
		if !fits || measure == nil {
			s.met.tell(ingest.Damage{Table: "strikes", Row: row, Patient: patient})
			return nil
		}
		id, err := hex.DecodeString(written)
		m := ingest.Mark{
			Reading: ingest.Name{Patient: patient, Device: device, ID: string(id), Measure: measure.ID, Time: fromNanos(moment), Source: protocols.Source(source), Variant: uint8(variant)},
			Values:  make([]protocols.Value, len(measure.Components)), At: fromNanos(at), Author: author, Reason: reason, UndoneBy: undoneBy, UndoneReason: undoneReason,
		}
		if undone != 0 {
			m.Undone = fromNanos(undone)
		}
		marks = append(marks, m)
		return errors.Join(err, ingest.ParseAmounts(amounts, m.Values))
	})
	if err != nil {
		return nil, fmt.Errorf("list what was struck out of patient %s: %w", patient, err)
	}
	return marks, nil
}
