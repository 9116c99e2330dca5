package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// ErrDamaged is in the chain of every error that says that something in a store is
// not what was written. It was left out, and nothing was made of it.
var ErrDamaged = errors.New("what is kept there is damaged")

// Damage is one row of a store that is not what was written.
type Damage struct {
	Table   string
	Row     string    // which, by what the table is ordered by
	Patient string    // whose, as far as the row still says; empty when it does not
	From    time.Time // for readings: when the first of them was measured, as far as the row still says
	To      time.Time // and the last
}

// String names the row, and the patient by the pseudonym.
func (d Damage) String() string {
	text := d.Table + " " + d.Row
	if d.Patient != "" {
		text += ", patient " + d.Patient
	}
	if !d.To.IsZero() {
		text += ", readings"
		if !d.From.IsZero() {
			text += " from " + d.From.Format(time.RFC3339)
		}
		text += " until " + d.To.Format(time.RFC3339)
	}
	return text
}

// DamagedRows is an ErrDamaged that names the rows.
type DamagedRows []Damage

// Error names the first few.
func (d DamagedRows) Error() string {
	const named = 10
	text := fmt.Sprintf("%d rows are damaged", len(d))
	for i, row := range d {
		if i == named {
			return text + "; and so on"
		}
		text += "; " + row.String()
	}
	return text
}

// Unwrap is ErrDamaged.
func (d DamagedRows) Unwrap() error { return ErrDamaged }

// Verifier is a store that can be read as a whole to see whether it is still what
// was written.
type Verifier interface {
	// Verify reads everything on which a decision rests and lists the rows that are
	// damaged.
	Verify(ctx context.Context) (DamagedRows, error)
	// Damaged lists the rows that this store has met and left out since it was
	// opened.
	Damaged() []Damage
}

// Guard collects what a row holds, for the checksum that is kept beside it. A field
// cannot pass for two, nor a number for a text.
type Guard []byte

// Int adds a number.
func (g Guard) Int(v int64) Guard { return binary.AppendVarint(append(g, 'i'), v) }

// Text adds a text.
func (g Guard) Text(s string) Guard {
	return append(binary.AppendUvarint(append(g, 't'), uint64(len(s))), s...)
}

// Bytes adds bytes, which count as the text they might be.
func (g Guard) Bytes(b []byte) Guard {
	return append(binary.AppendUvarint(append(g, 't'), uint64(len(b))), b...)
}

// Null adds that there is nothing.
func (g Guard) Null() Guard { return append(g, 'n') }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum is the checksum: CRC-32C (RFC 3720, B.4), which processors compute, and which
// tells every change of up to three bits in a row of less than 250 megabytes.
func (g Guard) Sum() int64 { return int64(int32(crc32.Checksum(g, castagnoli))) }
