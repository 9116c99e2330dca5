package series

import (
	"encoding/csv"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/protocoltest"
)

// recorded opens a file of recorded data beside the repository.
func recorded(t *testing.T, name string) *os.File {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
	file, err := os.Open(filepath.Join(dir, "..", "shared", "data", name))
	if os.IsNotExist(err) {
		t.Skipf("the recorded data %s is not beside the repository (../shared/data): its known answers are not checked", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// The answers were published with the data.
func TestStatisticsOfRecordedGlucose(t *testing.T) {
	rows, err := csv.NewReader(recorded(t, "cgm-subject-1.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var e evidence
	var inRange, below70, above250 int64
	for _, row := range rows[1:] {
		value, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		e.add(protocoltest.Number(value))
		inRange += counts(value >= 70 && value <= 180)
		below70 += counts(value < 70)
		above250 += counts(value > 250)
	}
	share := func(matched int64) Figure { e.matched = matched; return compute(upkeepOf(protocols.Share).form, &e) }
	for _, c := range []struct {
		name   string
		got    Figure
		digits int
		want   string
	}{
		{"mean", compute(upkeepOf(protocols.Mean).form, &e), 2, "123.67"}, {"time in range", share(inRange), 2, "91.66"}, {"below 70", share(below70), 2, "0.14"},
		{"above 250", share(above250), 2, "0.38"}, {"coefficient of variation", compute(upkeepOf(protocols.CV).form, &e), 2, "26.90"}, {"GMI", compute(upkeepOf(protocols.GMI).form, &e), 3, "6.268"},
	} {
		exact := float64(c.got.numerator) / float64(c.got.denominator) / 1000
		if shown := fmt.Sprintf("%.*f", c.digits, exact); shown != c.want {
			t.Errorf("%s: %s, published %s", c.name, shown, c.want)
		}
	}
}

func counts(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func TestRoundedRootIsExact(t *testing.T) {
	sameCases(t)
	rapid.Check(t, func(t *rapid.T) {
		// Close to where it rounds up: (root + ½)² = top / bottom, more or less.
		root := rapid.Uint64Range(0, 1<<40).Draw(t, "root")
		bottom := rapid.Uint64Range(1, 1<<40).Draw(t, "bottom")
		off := rapid.Int64Range(-2, 2).Draw(t, "off")
		exact := new(big.Int).SetUint64(2*root + 1)
		exact.Mul(exact, exact).Mul(exact, new(big.Int).SetUint64(bottom))
		exact.Rsh(exact, 2).Add(exact, big.NewInt(off))
		if exact.Sign() < 0 {
			return
		}
		low := new(big.Int).And(exact, new(big.Int).SetUint64(1<<64-1)).Uint64()
		high := new(big.Int).Rsh(exact, 64).Uint64()
		got := roundedRoot(hugeOf(wide{high, low}), hugeOf(wide{0, bottom}))
		// The answer r satisfies (2r − 1)² ≤ 4 top/bottom < (2r + 1)².
		four := new(big.Int).Mul(exact, big.NewInt(4))
		edge := func(n int64) *big.Int {
			e := big.NewInt(n)
			return e.Mul(e, e).Mul(e, new(big.Int).SetUint64(bottom))
		}
		if got > 0 && edge(2*got-1).Cmp(four) > 0 || edge(2*got+1).Cmp(four) <= 0 {
			t.Fatalf("the rounded root of %s / %d is not %d", exact, bottom, got)
		}
	})
}

// sameCases has a property test draw the same cases each time, unless -rapid.seed says
// otherwise.
func sameCases(t *testing.T) {
	t.Helper()
	seed := flag.Lookup("rapid.seed")
	if seed.Value.String() != seed.DefValue {
		return
	}
	if err := seed.Value.Set("7"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seed.Value.Set(seed.DefValue) })
}

// What floating point decides is what whole numbers would: the variation of a few small
// numbers is often near to a half of its last digit.
func TestAVariationIsRoundedExactly(t *testing.T) {
	sameCases(t)
	rapid.Check(t, func(t *rapid.T) {
		var all totals
		for _, v := range rapid.SliceOfN(rapid.Int64Range(1, 2000), 2, 6).Draw(t, "values") {
			all.add(protocols.Value(v))
		}
		n, sum := big.NewInt(all.count), big.NewInt(all.sum)
		squared := new(big.Int).Mul(sum, sum)
		top := new(big.Int).Mul(n, new(big.Int).SetUint64(all.squares.low))
		top.Sub(top, squared).Mul(top, n).Mul(top, big.NewInt(4e10))
		edge := func(root int64) *big.Int {
			e := new(big.Int).Mul(squared, big.NewInt(all.count-1))
			return e.Mul(e, big.NewInt(root)).Mul(e, big.NewInt(root))
		}
		got := variation(&all).numerator
		if got > 0 && edge(2*got-1).Cmp(top) > 0 || edge(2*got+1).Cmp(top) <= 0 {
			t.Fatalf("the variation of %d numbers of sum %d and squares %d is not %d", all.count, all.sum, all.squares.low, got)
		}
	})
}

func TestSquaresDoNotOverflow(t *testing.T) {
	var sum wide
	want := new(big.Int)
	for range 1000 {
		sum.add(square(-protocols.MaxValue))
		want.Add(want, new(big.Int).Mul(big.NewInt(protocols.MaxValue), big.NewInt(protocols.MaxValue)))
	}
	got := new(big.Int).SetUint64(sum.high)
	got.Lsh(got, 64).Add(got, new(big.Int).SetUint64(sum.low))
	if got.Cmp(want) != 0 {
		t.Errorf("%s, expected %s", got, want)
	}
	for range 1000 {
		sum.subtract(square(protocols.MaxValue))
	}
	if sum != (wide{}) {
		t.Errorf("%v is left over", sum)
	}
}

func TestEveryStatisticIsComputed(t *testing.T) {
	for _, row := range protocols.Statistics() {
		s := row.Name
		e := evidence{totals: totals{count: 2, sum: 2000, last: 1000, low: 1000, high: 1000}, every: 1, span: 10, previous: 1000, middle: whole(1000)}
		e.days.add(0, 1)
		e.days.add(1, 2)
		if f := compute(upkeepOf(s).form, &e); !f.Known() && s != protocols.CV {
			t.Errorf("%s comes to nothing", s)
		}
	}
}

func TestAnUnknownStatisticIsNotComputed(t *testing.T) {
	defer func() {
		if said := recover(); said == nil || !strings.Contains(said.(string), "mode") {
			t.Errorf("%v, where it should name what it does not know", said)
		}
	}()
	upkeepOf("mode")
}
