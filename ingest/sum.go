package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"

	"vigie/protocols"
)

// Sum stands for a set of readings, whatever their order: how many there are, and
// their digests added up. Two sets that differ in one value have different sums.
type Sum struct {
	Readings int
	Digest   [16]byte
}

// Add puts one more reading into the set.
func (s *Sum) Add(r *protocols.Reading) {
	var buffer [512]byte
	full := sha256.Sum256(appendAll(buffer[:0], r))
	s.Merge(Sum{Readings: 1, Digest: [16]byte(full[:16])})
}

// Merge puts another set, of other readings, into this one.
func (s *Sum) Merge(other Sum) {
	s.Readings += other.Readings
	low, carry := bits.Add64(binary.BigEndian.Uint64(s.Digest[8:]), binary.BigEndian.Uint64(other.Digest[8:]), 0)
	high, _ := bits.Add64(binary.BigEndian.Uint64(s.Digest[:8]), binary.BigEndian.Uint64(other.Digest[:8]), carry)
	binary.BigEndian.PutUint64(s.Digest[8:], low)
	binary.BigEndian.PutUint64(s.Digest[:8], high)
}

// Remove takes readings out of a set that holds them.
func (s *Sum) Remove(other Sum) {
	s.Readings -= other.Readings
	low, borrow := bits.Sub64(binary.BigEndian.Uint64(s.Digest[8:]), binary.BigEndian.Uint64(other.Digest[8:]), 0)
	high, _ := bits.Sub64(binary.BigEndian.Uint64(s.Digest[:8]), binary.BigEndian.Uint64(other.Digest[:8]), borrow)
	binary.BigEndian.PutUint64(s.Digest[8:], low)
	binary.BigEndian.PutUint64(s.Digest[:8], high)
}

// SumOf returns the sum of some readings.
func SumOf(readings []*protocols.Reading) (s Sum) {
	for _, r := range readings {
		s.Add(r)
	}
	return s
}

// appendAll appends everything that a reading says, each part with its length, so
// that none can pass for another. What it writes is kept in stores as digests: a
// change of it would make what was forgotten differ from what InfluxDB holds.
func appendAll(dst []byte, r *protocols.Reading) []byte {
	word := func(s string) {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	word(r.Patient)
	word(r.Device)
	word(r.ID)
	word(r.Measure.ID)
	word(r.Source.String())
	dst = binary.AppendVarint(dst, r.Time.UnixNano())
	if r.DayOnly {
		word("day")
	}
	if r.Variant > 0 {
		word(r.Measure.Variants[r.Variant-1])
	}
	dst = binary.AppendVarint(dst, int64(r.Battery))
	// By name: a component that a later version adds does not change the digest of
	// what was measured without it.
	for i, v := range r.Values {
		if v != protocols.Missing {
			word(r.Measure.Components[i].Name)
			dst = binary.AppendVarint(dst, int64(v))
			if limit := r.Limit(i); limit != protocols.Measured { // few have one, and those before had none
				word(limit.String())
			}
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Flags)))
	for _, flag := range r.Flags {
		word(flag)
	}
	if len(r.Context) == 0 {
		return dst
	}
	for _, name := range slices.Sorted(maps.Keys(r.Context)) {
		word(name)
		word(r.Context[name])
	}
	return dst
}
