package protocols

import (
	"math/big"
	"slices"
	"testing"
)

// TestConversionsAreExactToTheThousandth compares every conversion of what an
// instrument can show, in steps of a hundredth, with exact arithmetic.
func TestConversionsAreExactToTheThousandth(t *testing.T) {
	every := everyConversion()
	if len(every) < len(conversions) {
		t.Errorf("only %d conversions of %d are taken by any measure", len(every), len(conversions))
	}
	for _, c := range every {
		for hundredths := int64(-5_000); hundredths <= 60_000; hundredths++ {
			converted, ok := c.measure.Convert(c.component, float64(hundredths)/100, c.from)
			if !ok {
				t.Fatalf("%s does not become %s", c.from, c.to)
			}
			got, ok := Of(converted)
			if want := exactly3(c.conversion, hundredths); ok && got != want {
				t.Fatalf("%.2f %s is %s %s, want %s", float64(hundredths)/100, c.from, got, c.to, want)
			}
		}
	}
}

// taken is a conversion as a component takes it.
type taken struct {
	conversion
	measure   *Measure
	component int
}

// everyConversion lists the conversions for all measures, on one measure each, and those
// of one component.
func everyConversion() (list []taken) {
	for _, c := range conversions {
		for _, m := range measures {
			if i := slices.IndexFunc(m.Components, func(known Component) bool { return known.Unit == c.to }); i >= 0 {
				list = append(list, taken{c, m, i})
				break
			}
		}
	}
	for _, m := range measures {
		for i := range m.Components {
			for _, u := range m.Components[i].Units {
				list = append(list, taken{conversion{u.Unit, m.Components[i].Unit, frac(u.Factor), zero}, m, i})
			}
		}
	}
	return list
}

// exactly3 is a conversion in exact fractions, halves rounded away from zero.
func exactly3(c conversion, hundredths int64) Value {
	r := new(big.Rat).Mul(big.NewRat(hundredths, 100), c.factor)
	r.Add(r, c.offset).Mul(r, big.NewRat(1000, 1))
	sign := int64(r.Sign())
	twice := r.Abs(r).Mul(r, big.NewRat(2, 1)).Add(r, big.NewRat(1, 1)) // rounded is ⌊(2r + 1) / 2⌋
	return Value(sign * new(big.Int).Quo(twice.Num(), new(big.Int).Mul(twice.Denom(), big.NewInt(2))).Int64())
}
