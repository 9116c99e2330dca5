package series

import (
	"math/bits"

	"vigie/protocols"
)

// totals is what is kept of the numbers in a window, whatever their number.
type totals struct {
	count   int64
	sum     int64 // thousandths
	squares wide  // sum of the squares of thousandths
	low     protocols.Value
	high    protocols.Value
	first   protocols.Value
	last    protocols.Value
}

// add takes one more number, later than those before it.
func (t *totals) add(v protocols.Value) {
	if t.count == 0 {
		t.low, t.high, t.first = v, v, v
	}
	t.count++
	t.sum += int64(v)
	t.squares.add(square(v))
	t.low, t.high, t.last = min(t.low, v), max(t.high, v), v
}

// join takes all of a later stretch.
func (t *totals) join(later *totals) {
	if later.count == 0 {
		return
	}
	if t.count == 0 {
		*t = *later
		return
	}
	t.count += later.count
	t.sum += later.sum
	t.squares.add(later.squares)
	t.low, t.high, t.last = min(t.low, later.low), max(t.high, later.high), later.last
}

// mean is rounded to the thousandth, halves away from zero.
func (t *totals) mean() protocols.Value {
	return protocols.Value(protocols.RoundedRatio(t.sum, t.count))
}

// wide is an unsigned number of 128 bits, so that a year of squares stays exact.
type wide struct{ high, low uint64 }

func square(v protocols.Value) wide {
	u := uint64(max(v, -v))
	high, low := bits.Mul64(u, u)
	return wide{high, low}
}

func (w *wide) add(other wide) {
	var carry uint64
	w.low, carry = bits.Add64(w.low, other.low, 0)
	w.high, _ = bits.Add64(w.high, other.high, carry)
}

func (w *wide) subtract(other wide) {
	var borrow uint64
	w.low, borrow = bits.Sub64(w.low, other.low, 0)
	w.high, _ = bits.Sub64(w.high, other.high, borrow)
}

// float is the number as floating point has it, to 53 bits.
func (w wide) float() float64 { return float64(w.high)*(1<<64) + float64(w.low) }

// times multiplies by a number small enough for the product to fit.
func (w wide) times(n int64) wide {
	high, low := bits.Mul64(w.low, uint64(n))
	return wide{high + w.high*uint64(n), low}
}
