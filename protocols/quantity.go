package protocols

import (
	"math"
	"strconv"
	"strings"
)

// Value is a number in thousandths of its canonical unit: 82.1 kg is 82100.
//
// Fixed point keeps every comparison exact: 82.1 − 80.1 is 2, not
// 1.9999999999999858, so a threshold of 2 kg means 2 kg.
type Value int64

// Missing marks a component that the reading does not carry.
const Missing Value = math.MinInt64

// MaxValue bounds what Of accepts, so that sums over a year of readings and
// their squares stay exact.
const MaxValue = 1_000_000_000

// Of returns f in thousandths, rounded half away from zero. It reports false
// for NaN, infinities and magnitudes that no measure of this package reaches.
func Of(f float64) (Value, bool) {
	scaled := f * 1000
	if math.IsNaN(scaled) || math.Abs(scaled) > MaxValue {
		return Missing, false
	}
	return Value(math.Round(scaled + math.Copysign(tie, scaled))), true
}

// tie is by how much floating point may miss a half that is one: 8.75 mmol/L of
// glucose is 157.6365 mg/dL, which it takes for a little less.
const tie = 1e-6

// Float returns v in its canonical unit; NaN when v is Missing.
func (v Value) Float() float64 {
	if v == Missing {
		return math.NaN()
	}
	return float64(v) / 1000
}

// String writes v without trailing zeros, with a point: "82.1".
func (v Value) String() string {
	if v == Missing {
		return ""
	}
	return strconv.FormatFloat(v.Float(), 'f', -1, 64)
}

// French writes v as a French reader expects it: "82,1".
func (v Value) French() string { return strings.Replace(v.String(), ".", ",", 1) }

// Quantity is a value that knows its unit (a UCUM code).
type Quantity struct {
	Value Value  `json:"value"`
	Unit  string `json:"unit"`
}

// MarshalJSON writes v as a plain decimal number in its canonical unit; null
// when it is Missing.
func (v Value) MarshalJSON() ([]byte, error) {
	if v == Missing {
		return []byte("null"), nil
	}
	return []byte(v.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*v = Missing
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return err
	}
	got, ok := Of(f)
	if !ok {
		return strconv.ErrRange
	}
	*v = got
	return nil
}

// RoundedRatio divides by a positive number, halves away from zero.
func RoundedRatio(a, b int64) int64 {
	if a < 0 {
		return -RoundedRatio(-a, b)
	}
	return (a + b/2) / b
}
