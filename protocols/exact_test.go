package protocols

import (
	"math/big"
	"testing"
)

// TestConversionsAreExactToTheThousandth compares every conversion of what an
// instrument can show, in steps of a hundredth, with exact arithmetic.
func TestConversionsAreExactToTheThousandth(t *testing.T) {
	for _, c := range conversions {
		m, component := anyIn(c)
		if m == nil {
			t.Errorf("no measure is in %s", c.to)
			continue
		}
		for hundredths := int64(-5_000); hundredths <= 60_000; hundredths++ {
			converted, ok := m.Convert(component, float64(hundredths)/100, c.from)
			if !ok {
				t.Fatalf("%s does not become %s", c.from, c.to)
			}
			got, ok := Of(converted)
			if want := exactly3(c, hundredths); ok && got != want {
				t.Fatalf("%.2f %s is %s %s, want %s", float64(hundredths)/100, c.from, got, c.to, want)
			}
		}
	}
}

func anyIn(c conversion) (*Measure, int) {
	for _, m := range measures {
		for i := range m.Components {
			if m.Components[i].Unit == c.to && (c.only == "" || c.only == m.ID) {
				return m, i
			}
		}
	}
	return nil, 0
}

// exactly3 is a conversion in exact fractions, halves rounded away from zero.
func exactly3(c conversion, hundredths int64) Value {
	r := new(big.Rat).Mul(big.NewRat(hundredths, 100), c.factor)
	r.Add(r, c.offset).Mul(r, big.NewRat(1000, 1))
	sign := int64(r.Sign())
	twice := r.Abs(r).Mul(r, big.NewRat(2, 1)).Add(r, big.NewRat(1, 1)) // rounded is ⌊(2r + 1) / 2⌋
	return Value(sign * new(big.Int).Quo(twice.Num(), new(big.Int).Mul(twice.Denom(), big.NewInt(2))).Int64())
}
