package native

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/ingest"
	"vigie/protocols"
)

// TestReadingIsTheSameHoweverItIsSpelled writes a reading of any measure twice: with
// numbers, white space, escapes, order and offset as they come, and in one way. Both
// are read as that reading.
func TestReadingIsTheSameHoweverItIsSpelled(t *testing.T) {
	measures := protocols.Measures()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(measures).Draw(t, "measure")
		values := make([]protocols.Value, len(m.Components))
		for i, c := range m.Components {
			values[i] = c.Low + protocols.Value(rapid.Int64Range(0, int64(c.High-c.Low)).Draw(t, c.Name))
			if c.Whole {
				values[i] -= values[i] % 1000
			}
			if c.Optional && rapid.Bool().Draw(t, "absent") {
				values[i] = protocols.Missing
			}
		}
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		plain := decode(spelled(t, m, values, at, false))
		other := decode(spelled(t, m, values, at, true))
		if len(plain.Readings) == 0 { // components that contradict each other
			if len(other.Readings) != 0 || !reflect.DeepEqual(plain.Refused[0].Reasons, other.Refused[0].Reasons) {
				t.Fatalf("refused for %+v, in another spelling %+v", plain.Refused, other)
			}
			return
		}
		for _, r := range append(plain.Readings, other.Readings...) {
			if r.ID != "é1" || r.Measure != m || !r.Time.Equal(at) || !reflect.DeepEqual(r.Values, without(values, m, plain.Warnings)) {
				t.Fatalf("%v at %s became %+v", values, at, r)
			}
		}
		if len(other.Readings) != 1 {
			t.Fatalf("in another spelling: %+v", other.Refused)
		}
	})
}

// without is values but for the components that contradict others and were left out. A
// score that the reading leaves to us is added up.
func without(values []protocols.Value, m *protocols.Measure, warnings []ingest.Warning) []protocols.Value {
	kept := slices.Clone(values)
	for _, w := range warnings {
		kept[m.Component(strings.TrimPrefix(w.Reason.Path, "values."))] = protocols.Missing
	}
	m.Complete(kept)
	return kept
}

// spelled writes a reading in canonical units; varied, in one of the ways that JSON
// and RFC 3339 leave.
func spelled(t *rapid.T, m *protocols.Measure, values []protocols.Value, at time.Time, varied bool) string {
	space, id, form := "", "é1", 0
	if varied {
		space = rapid.SampledFrom([]string{"", " ", "\r\n\t"}).Draw(t, "space")
		id = rapid.SampledFrom([]string{"é1", `\u00e91`, `é\u0031`}).Draw(t, "id")
		offset := rapid.IntRange(-14*60, 14*60).Draw(t, "offset")
		at = at.In(time.FixedZone("", offset*60))
		form = rapid.IntRange(0, 3).Draw(t, "form")
	}
	var numbers, units []string
	for i, v := range values {
		if v == protocols.Missing {
			continue
		}
		name := strconv.Quote(m.Components[i].Name)
		numbers = append(numbers, name+":"+space+number(v, form))
		units = append(units, name+":"+strconv.Quote(m.Components[i].Unit))
	}
	fields := []string{
		`"id":` + space + `"` + id + `"`, `"time":"` + at.Format(time.RFC3339Nano) + `"`, `"measure":` + space + strconv.Quote(m.ID),
		`"values":{` + space + strings.Join(numbers, ","+space) + `}`, `"unit":{` + strings.Join(units, space+",") + `}`,
	}
	if varied {
		fields = rapid.Permutation(fields).Draw(t, "order")
	}
	return space + "{" + strings.Join(fields, space+",") + space + "}" + space
}

// number writes thousandths.
func number(v protocols.Value, form int) string {
	text := fmt.Sprintf("%.3f", v.Float())
	switch form {
	case 1:
		return text + strings.Repeat("0", 20)
	case 2:
		return strconv.FormatInt(int64(v), 10) + "e-3"
	case 3:
		return strconv.FormatFloat(v.Float(), 'E', -1, 64)
	}
	return strconv.FormatFloat(v.Float(), 'f', -1, 64)
}
