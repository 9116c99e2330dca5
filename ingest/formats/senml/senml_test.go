package senml

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
	"vigie/protocols/cbor"
)

// said is what a batch holds.
func said(batch *ingest.Batch) string {
	var all []string
	ages := map[int]time.Duration{}
	for _, a := range batch.Ages {
		ages[a.Reading] = a.Age
	}
	for i := range batch.Readings {
		r := &batch.Readings[i]
		text := r.Measure.ID
		if r.Variant > 0 {
			text += "/" + r.Measure.Variants[r.Variant-1]
		}
		for at, v := range r.Values {
			if v != protocols.Missing {
				text += " " + r.Measure.Components[at].Name + "=" + v.String()
			}
		}
		if age, relative := ages[i]; relative {
			text += " " + age.String() + " ago"
		} else {
			text += " " + r.Time.Format(time.RFC3339Nano)
		}
		all = append(all, text)
	}
	for _, r := range batch.Refused {
		text := "refused"
		for _, reason := range r.Reasons {
			text += " " + string(reason.Code) + " " + reason.Path
		}
		all = append(all, text)
	}
	for _, w := range batch.Warnings {
		all = append(all, "warned "+string(w.Reason.Code)+" "+w.Reason.Path)
	}
	return strings.Join(all, "; ")
}

func inJSON(payload string) *ingest.Batch {
	var batch ingest.Batch
	Decoder{}.Decode("vigie/v1/bp-1/senml", "bp-1", []byte(payload), &batch)
	return &batch
}

func inCBOR(payload []byte) *ingest.Batch {
	var batch ingest.Batch
	CBORDecoder{}.Decode("vigie/v1/bp-1/senml-cbor", "bp-1", payload, &batch)
	return &batch
}

const pressure = `[{"bn":"urn:dev:mac:0024befffe804ff1:blood-pressure/","bt":1795240931,"bu":"mmHg","n":"systolic","v":142},{"n":"diastolic","v":91},{"n":"pulse","u":"beat/min","v":72}]`

func TestPacksAreReadOrRefused(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"a blood pressure":          {pressure, "blood-pressure systolic=142 diastolic=91 pulse=72 2026-11-21T06:02:11Z; warned other-spelling [0].u; warned other-spelling [1].u"},
		"a weight":                  {`[{"n":"scale:weight","u":"kg","v":82.1,"t":1795240931.5}]`, "weight value=82.1 2026-11-21T06:02:11.5Z"},
		"a name of a measure alone": {`[{"n":"weight","u":"kg","v":82.1,"t":1795240931}]`, "weight value=82.1 2026-11-21T06:02:11Z"},
		"with its component":        {`[{"n":"weight/value","u":"kg","v":82.1,"t":1795240931}]`, "weight value=82.1 2026-11-21T06:02:11Z"},
		"a variant":                 {`[{"n":"m:glucose/capillary","u":"mg/dL","v":112,"t":1795240931}]`, "glucose/capillary value=112 2026-11-21T06:02:11Z"},
		"in pascals":                {`[{"bn":"blood-pressure/","bu":"Pa","bt":1795240931,"n":"systolic","v":18900},{"n":"diastolic","v":12100}]`, "blood-pressure systolic=141.762 diastolic=90.757 2026-11-21T06:02:11Z"},
		"a ratio":                   {`[{"n":"oxygen-saturation","u":"/","v":0.97,"t":1795240931}]`, "oxygen-saturation value=97 2026-11-21T06:02:11Z"},
		"a base value":              {`[{"bn":"temperature","bu":"Cel","bv":36,"bt":1795240931,"v":0.6},{"v":1.1,"t":60}]`, "temperature value=36.6 2026-11-21T06:02:11Z; temperature value=37.1 2026-11-21T06:03:11Z"},
		"base fields apart":         {`[{"bver":10,"bn":"weight","bu":"kg"},{"v":82.1,"t":1795240931}]`, "weight value=82.1 2026-11-21T06:02:11Z"},
		"two sensors":               {`[{"bt":1795240931,"bu":"kg","n":"a:weight","v":82.1},{"n":"b:weight","v":61}]`, "weight value=82.1 2026-11-21T06:02:11Z; weight value=61 2026-11-21T06:02:11Z"},
		"without a clock":           {`[{"n":"weight","u":"kg","v":82.1,"t":-90}]`, "weight value=82.1 1m30s ago"},
		"without a time":            {`[{"n":"weight","u":"kg","v":82.1}]`, "weight value=82.1 0s ago"},
		"what may be ignored":       {`[{"n":"weight","u":"kg","v":82.1,"t":1795240931,"ut":60,"colour":"red"}]`, "weight value=82.1 2026-11-21T06:02:11Z"},

		"no JSON":                     {`[{`, "refused malformed "},
		"no list":                     {`{"n":"weight"}`, "refused malformed "},
		"an empty list":               {`[]`, "refused malformed "},
		"no record":                   {`[3]`, "refused malformed [0]"},
		"base fields alone":           {`[{"bn":"weight"}]`, "refused missing-value "},
		"a value twice":               {`[{"n":"weight","v":82,"v":28}]`, "refused malformed [0].v"},
		"what has to be understood":   {`[{"n":"weight","u":"kg","v":82.1,"tare_":1}]`, "refused unknown-field [0].tare_"},
		"a later version":             {`[{"bver":11,"n":"weight","u":"kg","v":82.1}]`, "refused malformed [0].bver"},
		"a number as a text":          {`[{"n":"weight","u":"kg","v":"82.1"}]`, "refused not-a-number [0].v"},
		"a number beyond all":         {`[{"n":"weight","u":"kg","v":1e999}]`, "refused not-a-number [0].v"},
		"a sum beyond all":            {`[{"n":"weight","u":"kg","bv":1e308,"v":1e308}]`, "refused not-a-number [0].v"},
		"a name as a number":          {`[{"n":7,"u":"kg","v":82.1}]`, "refused malformed [0].n"},
		"no name":                     {`[{"u":"kg","v":82.1,"t":1795240931}]`, "refused malformed [0].n"},
		"a name that is none":         {`[{"n":"my weight","u":"kg","v":82.1,"t":1795240931}]`, "refused malformed [0].n"},
		"an unknown measure":          {`[{"n":"door","u":"/","v":1,"t":1795240931}]`, "refused unknown-measure [0].n"},
		"half a name":                 {`[{"n":"blood-pressure","u":"mmHg","v":142,"t":1795240931}]`, "refused unknown-measure [0].n"},
		"no unit":                     {`[{"n":"weight","v":82.1,"t":1795240931}]`, "refused missing-value [0].u"},
		"a foreign unit":              {`[{"n":"weight","u":"mmHg","v":82.1,"t":1795240931}]`, "refused unit-mismatch [0].u"},
		"an impossible value":         {`[{"n":"weight","u":"kg","v":8210,"t":1795240931}]`, "refused implausible [0].v"},
		"swapped":                     {strings.NewReplacer("142", "91", "91", "142").Replace(pressure), "refused inconsistent [1].v"},
		"half a pressure":             {`[{"n":"blood-pressure/systolic","u":"mm[Hg]","v":142,"t":1795240931}]`, "refused missing-value values.diastolic"},
		"a component twice":           {`[{"bn":"weight","bu":"kg","bt":1795240931,"v":82},{"v":83}]`, "refused malformed [1].v"},
		"a time to come":              {`[{"n":"weight","u":"kg","v":82.1,"t":90}]`, "refused future-time [0].t"},
		"an age of years":             {`[{"n":"weight","u":"kg","v":82.1,"t":-40000000}]`, "refused implausible [0].t"},
		"a time in milliseconds":      {`[{"n":"weight","u":"kg","v":82.1,"t":1795240931000}]`, "refused malformed [0].t"},
		"a text beside a weight":      {`[{"bt":1795240931,"n":"weight","u":"kg","v":82.1},{"n":"firmware","vs":"1.4"}]`, "weight value=82.1 2026-11-21T06:02:11Z; refused not-a-number [1].vs"},
		"a truth beside a weight":     {`[{"bt":1795240931,"n":"weight","u":"kg","v":82.1},{"n":"door","vb":true}]`, "weight value=82.1 2026-11-21T06:02:11Z; refused not-a-number [1].vb"},
		"nothing beside a weight":     {`[{"bt":1795240931,"n":"weight","u":"kg","v":82.1},{"n":"a:weight"}]`, "weight value=82.1 2026-11-21T06:02:11Z; refused missing-value [1].v"},
		"LOW is no number":            {`[{"n":"glucose","u":"mg/dL","vs":"LOW","t":1795240931}]`, "refused not-a-number [0].vs"},
		"a clock that was never set":  {`[{"n":"weight","u":"kg","v":82.1,"t":86400}]`, "refused future-time [0].t"},
		"one good and one impossible": {`[{"bt":1795240931,"bu":"kg","n":"a:weight","v":82.1},{"n":"b:weight","v":8210}]`, "weight value=82.1 2026-11-21T06:02:11Z; refused implausible [1].v"},
	} {
		if got := said(inJSON(c.payload)); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// asCBOR writes JSON as CBOR, by the labels of the RFC.
func asCBOR(t testing.TB, text string) []byte {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	label := map[string]float64{}
	for number, name := range labels {
		label[name] = number
	}
	pack := begin(nil, cbor.List, uint64(len(list)))
	for _, f := range list {
		pack = begin(pack, cbor.Map, uint64(len(f)))
		for _, name := range slices.Sorted(keys(f)) {
			if number := label[name]; number < 0 {
				pack = begin(pack, cbor.Negative, uint64(-1-number))
			} else {
				pack = begin(pack, cbor.Unsigned, uint64(number))
			}
			switch value := f[name].(type) {
			case string:
				pack = append(begin(pack, cbor.Text, uint64(len(value))), value...)
			case float64:
				pack = binary.BigEndian.AppendUint64(append(pack, cbor.Other<<5|27), math.Float64bits(value))
			default:
				t.Fatalf("%v", value)
			}
		}
	}
	return pack
}

func keys(f map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range f {
			if !yield(name) {
				return
			}
		}
	}
}

func TestCBORSaysWhatJSONSays(t *testing.T) {
	for _, payload := range []string{
		pressure, `[{"n":"weight","u":"kg","v":82.1}]`, `[{"bn":"weight","bu":"kg","bt":1795240931,"v":82.1},{"v":83,"t":-60}]`, `[{"n":"door","vs":"open"}]`,
	} {
		if a, b := said(inJSON(payload)), said(inCBOR(asCBOR(t, payload))); a != b {
			t.Errorf("%s\nin CBOR: %s", a, b)
		}
	}
}

func TestFormsOfCBOR(t *testing.T) {
	// What is around the value: {0: "weight", 1: "kg", 6: 1795240931, 2: …}
	weight := func(value string) string { return "81a4 00 66776569676874 01 626b67 06 1a6b0133e3 02" + value }
	const good = "weight value=82 2026-11-21T06:02:11Z"
	for name, c := range map[string]struct{ payload, want string }{
		"one byte":                    {weight("1852"), good},
		"two bytes":                   {weight("190052"), good},
		"four bytes":                  {weight("1a00000052"), good},
		"eight bytes":                 {weight("1b0000000000000052"), good},
		"a half":                      {weight("f95520"), good},
		"a float":                     {weight("fa42a40000"), good},
		"a double":                    {weight("fb4054800000000000"), good},
		"a decimal fraction":          {weight("c482 20 190335"), "weight value=82.1 2026-11-21T06:02:11Z"},
		"an end that is not told":     {"9fbf 00 66776569676874 01 626b67 06 1a6b0133e3 02 1852 ffff", good},
		"a name in the place of a 2":  {"81a4 00 66776569676874 01 626b67 06 1a6b0133e3 6176 1852", good},
		"nothing":                     {"", "refused malformed "},
		"cut":                         {weight("18"), "refused malformed "},
		"more behind it":              {weight("1852") + "00", "refused malformed "},
		"NaN":                         {weight("f97e00"), "refused not-a-number [0].v"},
		"an infinity":                 {weight("f97c00"), "refused not-a-number [0].v"},
		"null":                        {weight("f6"), "refused malformed "},
		"bytes":                       {weight("4152"), "refused not-a-number [0].v"},
		"another tag":                 {weight("c11852"), "refused malformed "},
		"a fraction of three":         {weight("c483 20 190335 00"), "refused malformed "},
		"a fraction of a fraction":    {weight("c482 20 f93800"), "refused malformed "},
		"a value twice":               {"81a5 00 66776569676874 01 626b67 06 1a6b0133e3 02 1852 02 1853", "refused malformed "},
		"a value twice, in two ways":  {"81a5 00 66776569676874 01 626b67 06 1a6b0133e3 02 1852 6176 1853", "refused malformed "},
		"a label of another kind":     {"81a1 f5 01", "refused malformed "},
		"a label with a point":        {"81a1 f90000 66776569676874", "refused malformed "},
		"a label that is not known":   {"81a1 0b 01", "refused malformed "},
		"a text without its end told": {"81a1 00 7f ff", "refused malformed "},
		"a text that is no UTF-8":     {"81a1 00 61 ff", "refused malformed "},
		"nested too deeply":           {strings.Repeat("81", 12) + "00", "refused malformed "},
		"no list":                     {"a0", "refused malformed "},
	} {
		payload, err := hex.DecodeString(strings.ReplaceAll(c.payload, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := said(inCBOR(payload)); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestEveryHalf holds the numbers of 16 bits to a plain reading of their definition.
func TestEveryHalf(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, mantissa := 1-2*float64(bits>>15), bits>>10&31, float64(bits&1023)
		want := sign * math.Pow(2, float64(exponent-15)) * (1 + mantissa/1024)
		switch exponent {
		case 0:
			want = sign * math.Pow(2, -14) * mantissa / 1024
		case 31:
			want = sign * math.Inf(1)
			if mantissa > 0 {
				want = math.NaN()
			}
		}
		if got := half(uint16(bits)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%04x is read as %v, want %v", bits, got, want)
		}
	}
}

// TestAPartIsReadAloneLikeInItsPack: what is set aside is tried again alone.
func TestAPartIsReadAloneLikeInItsPack(t *testing.T) {
	payload := `[{"bn":"a:","bt":1795240931,"bu":"kg","n":"weight","v":82.1},{"n":"door","vs":"open"},{"bn":"","n":"b:weight","v":8210},{"n":"c:weight","v":61,"t":-1795240991}]`
	for _, batch := range []*ingest.Batch{inJSON(payload), inCBOR(asCBOR(t, payload))} {
		again := func(part []byte) *ingest.Batch {
			if bytes.HasPrefix(part, []byte("[{")) {
				return inJSON(string(part))
			}
			return inCBOR(part)
		}
		if len(batch.Readings) != 2 || len(batch.Parts) != 2 || len(batch.Refused) != 2 {
			t.Fatalf("%s", said(batch))
		}
		for i, part := range batch.Parts {
			b := again(part)
			if len(b.Readings) != 1 || b.Readings[0].ID != batch.Readings[i].ID || !slices.Equal(b.Readings[0].Values, batch.Readings[i].Values) || !b.Readings[0].Time.Equal(batch.Readings[i].Time) || len(b.Ages) != i {
				t.Errorf("reading %d is read alone as %s", i, said(b))
			}
		}
		for _, refused := range batch.Refused {
			b := again(refused.Payload)
			if len(b.Refused) != 1 || b.Refused[0].Reasons[0].Code != refused.Reasons[0].Code {
				t.Errorf("%v is read alone as %s", refused.Reasons, said(b))
			}
		}
	}
}

func TestASensorAndAMomentAreOneReading(t *testing.T) {
	id := func(payload string) string { return inJSON(payload).Readings[0].ID }
	of := func(name string, value, time float64) string {
		return fmt.Sprintf(`[{"n":%q,"u":"kg","v":%v,"t":%v}]`, name, value, time)
	}
	one := id(of("a:weight", 82, 1795240931))
	if one != id(of("a:weight", 83, 1795240931)) {
		t.Error("another value of one moment has an id of its own, and would not be told as a contradiction")
	}
	if one == id(of("b:weight", 82, 1795240931)) || one == id(of("a:weight", 82, 1795240932)) {
		t.Error("two sensors, or two moments, have one id")
	}
	once, again := id(of("a:weight", 82, -60)), id(of("a:weight", 82, -60))
	if once == id(of("a:weight", 83, -60)) || once != again {
		t.Error("without a moment, the values tell two readings apart")
	}
}

// FuzzDecode holds that whatever comes is read or refused, in either form.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(pressure), false)
	f.Add([]byte(`[{"n":"weight","u":"kg","v":82.1,"t":-1},{"n":"door","vs":"open"}]`), false)
	f.Add(asCBOR(f, pressure), true)
	f.Add([]byte("\x9f\xbf\x00\x66weight\x01\x62kg\x02\xc4\x82\x20\x19\x03\x35\xff\xff"), true)
	f.Fuzz(func(t *testing.T, payload []byte, cbor bool) {
		batch := inJSON(string(payload))
		if cbor {
			batch = inCBOR(payload)
		}
		if len(batch.Readings)+len(batch.Refused) == 0 || len(batch.Parts) != len(batch.Readings) {
			t.Fatalf("a payload gives nothing, or readings without their parts: %+v", batch)
		}
		relative := map[int]bool{}
		for _, a := range batch.Ages {
			relative[a.Reading] = true
			if a.Age < 0 || a.Age > ingest.MaxAge {
				t.Errorf("an age of %v", a.Age)
			}
		}
		for i := range batch.Readings {
			r := &batch.Readings[i]
			if r.ID == "" || r.Measure == nil || r.Time.IsZero() != relative[i] || r.Device != "bp-1" || len(batch.Parts[i]) == 0 {
				t.Errorf("accepted %+v", r)
			}
			for at, v := range r.Values {
				if c := &r.Measure.Components[at]; v != protocols.Missing && (v < c.Low || v > c.High) {
					t.Errorf("accepted %s of %s", v, c.Name)
				}
			}
		}
		for _, refused := range batch.Refused {
			if len(refused.Reasons) == 0 {
				t.Error("refused without a reason")
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(pressure)
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			var batch ingest.Batch
			Decoder{}.Decode("", "", text, &batch)
		}
	})
	pack := asCBOR(b, pressure)
	b.Run("cbor", func(b *testing.B) {
		for b.Loop() {
			var batch ingest.Batch
			CBORDecoder{}.Decode("", "", pack, &batch)
		}
	})
}
