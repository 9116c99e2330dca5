package gatt

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// said is what a payload gives.
func said(payload string) string {
	var batch ingest.Batch
	Decoder{}.Decode("vigie/v1/bp-1/gatt", "bp-1", []byte(payload), &batch)
	var all []string
	for i := range batch.Readings {
		r := &batch.Readings[i]
		text := r.Measure.ID
		if r.Variant > 0 {
			text += "/" + r.Measure.Variants[r.Variant-1]
		}
		for at, v := range r.Values {
			if v != protocols.Missing {
				text += " " + r.Measure.Components[at].Name + "=" + shown(r, at)
			}
		}
		words := append([]string{text, r.Time.Format(time.RFC3339)}, r.Flags...)
		for name, word := range r.Context {
			words = append(words, name+":"+word)
		}
		all = append(all, strings.Join(words, " "))
	}
	for _, r := range batch.Refused {
		text := "refused"
		for _, reason := range r.Reasons {
			text += " " + string(reason.Code) + " " + reason.Path
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// shown is a component as a person reads it: >112 where it is above what can be shown.
func shown(r *protocols.Reading, component int) string {
	limit := r.Limit(component)
	return strings.TrimSpace(limit.Sign()) + r.Measure.Components[component].End(r.Values[component], limit).String()
}

func of(characteristic, value, more string) string {
	return fmt.Sprintf(`{"characteristic":%q,"value":%q%s}`, characteristic, strings.ReplaceAll(value, " ", ""), more)
}

const (
	paris = `,"zone":"Europe/Paris"`
	// 21 November 2026, 07:02:17
	clock = " ea07 0b 15 07 02 11"
)

func TestCharacteristicsAreRead(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"pressure, mmHg, with everything":  {of("2A35", "1e 8e00 5b00 6b00"+clock+" 4800 01 0500", paris+`,"user":1`), "blood-pressure systolic=142 diastolic=91 mean=107 pulse=72 2026-11-21T06:02:17Z motion irregular-pulse"},
		"pressure, kPa":                    {of("2A35", "03 bdf0 79f0 ff07"+clock, paris), "blood-pressure systolic=141.762 diastolic=90.757 2026-11-21T06:02:17Z"},
		"pressure without a time":          {of("0x2a35", "00 8e00 5b00 ff07", `,"time":"2026-11-21T07:02:11+01:00"`), "blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:11Z"},
		"weight, kg":                       {of("2A9D", "02 2440"+clock, paris), "weight value=82.1 2026-11-21T06:02:17Z"},
		"weight, lb, user, height":         {of("2A9D", "0f 8043"+clock+" 02 fa00 d606", paris+`,"user":2`), "weight value=78.381 2026-11-21T06:02:17Z"},
		"temperature, Celsius":             {of("2A1C", "06 6d0100ff"+clock+" 02", paris), "temperature value=36.5 2026-11-21T06:02:17Z"},
		"temperature, Fahrenheit":          {of("2A1C", "03 da0300ff"+clock, paris), "temperature value=37 2026-11-21T06:02:17Z"},
		"oximeter":                         {of("2A5E", "05 6100 4800"+clock+" 200000", paris), "oxygen-saturation value=97 2026-11-21T06:02:17Z low-perfusion"},
		"glucose, kg/L, 30 min later":      {of("2A18", "03 0700"+clock+" 1e00 70b0 11", paris), "glucose/capillary value=112 2026-11-21T06:32:17Z"},
		"glucose, mol/L":                   {of("2A18", "06 0700"+clock+" 33c0 11", paris), "glucose/capillary value=91.88 2026-11-21T06:02:17Z"},
		"glucose, control solution":        {of("2A18", "02 0700"+clock+" 70b0 4a", paris), "glucose value=112 2026-11-21T06:02:17Z control-solution"},
		"heart rate, one byte":             {of("2A37", "06 48", `,"time":"2026-11-21T07:02:11+01:00"`), "heart-rate value=72 2026-11-21T06:02:11Z"},
		"heart rate, two bytes, RR, loose": {of("2A37", "15 4800 0003", `,"time":"2026-11-21T07:02:11+01:00"`), "heart-rate value=72 2026-11-21T06:02:11Z poor-contact"},
		"a list":                           {"[" + of("2A9D", "02 2440"+clock, paris) + "," + of("2A9D", "00 2440", `,"time":"2026-11-21T07:02:11Z"`) + "]", "weight value=82.1 2026-11-21T06:02:17Z; weight value=82.1 2026-11-21T07:02:11Z"},
	} {
		if got := said(c.payload); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// A session that began on 21 November 2026 at 07:00:00, an hour ahead of UTC, and one that
// does not say where.
const (
	begun     = `,"session":"ea070b150700000400"`
	begunHere = `,"session":"ea070b1507000080ff","zone":"Europe/Paris"`
)

func TestSensorsAndContextsAreRead(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"continuous, with a faster and a slower value": {of("2A5F", "1f 6100 4800 6000 4900 5f00 4a00 2000 200800 1400", `,"time":"2026-11-21T07:02:11+01:00"`),
			"oxygen-saturation value=97 2026-11-21T06:02:11Z low-perfusion poor-contact"},
		"continuous, alone":                  {of("2A5F", "00 6100 4800", `,"time":"2026-11-21T07:02:11+01:00"`), "oxygen-saturation value=97 2026-11-21T06:02:11Z"},
		"continuous, invalid":                {of("2A5F", "04 6100 4800 0080", `,"time":"2026-11-21T07:02:11+01:00"`), "refused not-a-number value"},
		"continuous, and no time":            {of("2A5F", "00 6100 4800", ""), "refused missing-value time"},
		"a sensor, five minutes on":          {of("2AA7", "06 00 7600 0500", begun), "glucose/interstitial value=118 2026-11-21T06:05:00Z"},
		"a sensor in its zone":               {of("2AA7", "06 00 7600 0500", begunHere), "glucose/interstitial value=118 2026-11-21T06:05:00Z"},
		"every field, and a CRC":             {of("2AA7", "0f e3 7600 0500 28 10 00 0100 0200 abcd", begun), "glucose/interstitial value=118 2026-11-21T06:05:00Z sensor-error"},
		"two records":                        {of("2AA7", "06 00 7600 0500 06 00 7800 0a00", begun), "glucose/interstitial value=118 2026-11-21T06:05:00Z; glucose/interstitial value=120 2026-11-21T06:10:00Z"},
		"the second is cut":                  {of("2AA7", "06 00 7600 0500 06 00 7800 0a", begun), "glucose/interstitial value=118 2026-11-21T06:05:00Z; refused malformed value"},
		"a size that is not the flags'":      {of("2AA7", "07 00 7600 0500 00", begun), "refused malformed value"},
		"lower than the sensor can process":  {of("2AA7", "07 20 2800 0500 40", begun), "glucose/interstitial value=<40 2026-11-21T06:05:00Z"},
		"lower, and nobody says than what":   {of("2AA7", "07 20 ff07 0500 40", begun), "refused not-a-number value"},
		"no session":                         {of("2AA7", "06 00 7600 0500", ""), "refused missing-value session"},
		"a session whose clock was not set":  {of("2AA7", "06 00 7600 0500", `,"session":"000000000000000400"`), "refused missing-value session"},
		"a session without a zone":           {of("2AA7", "06 00 7600 0500", `,"session":"ea070b1507000080ff"`), "refused no-time-zone zone"},
		"a meter, before a meal":             {of("2A18", "02 0700"+clock+" 70b0 11", paris+`,"context":"0207 0001"`), "refused inconsistent context"},
		"a meter, fasting":                   {of("2A18", "02 0700"+clock+" 70b0 11", paris+`,"context":"02070003"`), "glucose/capillary value=112 2026-11-21T06:02:17Z meal:fasting"},
		"every field of a context":           {of("2A18", "02 0700"+clock+" 70b0 11", paris+`,"context":"df07000001204e0111100e000512b04b00"`), "glucose/capillary value=112 2026-11-21T06:02:17Z meal:before a meal"},
		"the context of another measurement": {of("2A18", "02 0700"+clock+" 70b0 11", paris+`,"context":"02080003"`), "refused inconsistent context"},
		"a context that is too short":        {of("2A18", "02 0700"+clock+" 70b0 11", paris+`,"context":"020700"`), "refused inconsistent context"},
		"a context of a weight":              {of("2A9D", "02 2440"+clock, paris+`,"context":"02000003"`), "refused inconsistent context"},
		"a context alone":                    {of("2A34", "02 0700 03", ""), "refused unknown-measure characteristic"},
	} {
		if got := said(c.payload); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

func TestRecordsOfTwoSessionsAreTwoReadings(t *testing.T) {
	ids := map[string]bool{}
	for _, payload := range []string{of("2AA7", "06 00 7600 0500 06 00 7600 0500", begun), of("2AA7", "06 00 7600 0500", `,"session":"ea070b160700000400"`)} {
		var batch ingest.Batch
		Decoder{}.Decode("", "cgm-1", []byte(payload), &batch)
		for i := range batch.Readings {
			ids[batch.Readings[i].ID] = true
		}
	}
	if len(ids) != 2 { // a record that is told twice is one
		t.Errorf("%d ids, want 2", len(ids))
	}
}

func TestWhatIsNoMeasurementIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"no JSON":                             {"{", "refused malformed "},
		"an empty list":                       {"[]", "refused malformed "},
		"an unknown field":                    {of("2A9D", "00 2440", `,"unit":"kg"`), "refused malformed "},
		"a value twice":                       {of("2A9D", "00 2440", `,"value":"002840"`), "refused malformed value"},
		"a value in other letters":            {of("2A9D", "00 2440", `,"Value":"002840"`), "refused malformed Value"},
		"another characteristic":              {of("2A19", "57", ""), "refused unknown-measure characteristic"},
		"no digits":                           {of("2A9D", "xx", ""), "refused malformed value"},
		"too short":                           {of("2A9D", "02 2440 ea07", paris), "refused malformed value"},
		"too long":                            {of("2A9D", "00 2440 00", ""), "refused malformed value"},
		"NaN":                                 {of("2A35", "02 ff07 ff07 ff07"+clock, paris), "refused not-a-number values.systolic not-a-number values.diastolic"},
		"NRes":                                {of("2A1C", "02 000080 00"+clock, paris), "refused not-a-number values.value"},
		"an infinity":                         {of("2A5E", "01 fe07 4800"+clock, paris), "refused not-a-number values.value"},
		"an unsuccessful weighing":            {of("2A9D", "02 ffff"+clock, paris), "refused not-a-number value"},
		"a demonstration":                     {of("2A5E", "03 6100 4800"+clock+" 0004", paris), "refused not-a-number value"},
		"too high for the meter":              {of("2A18", "0a 0700"+clock+" ff07 11 2000", paris), "refused not-a-number value"},
		"a glucose without one":               {of("2A18", "00 0700"+clock, paris), "refused not-a-number value"},
		"no zone":                             {of("2A9D", "02 2440"+clock, ""), "refused no-time-zone zone"},
		"the hour that comes twice":           {of("2A9D", "02 2440 ea07 0a 19 02 1e 00", paris), "refused no-time-zone value"},
		"the hour that does not exist":        {of("2A9D", "02 2440 ea07 03 1d 02 1e 00", paris), "refused no-time-zone value"},
		"a clock that is not set":             {of("2A9D", "02 2440 0000 00 00 00 00 00", paris), "refused clock-not-set value"},
		"a 31 November":                       {of("2A9D", "02 2440 ea07 0b 1f 07 02 11", paris), "refused clock-not-set value"},
		"an oximeter's clock that is not set": {of("2A5E", "11 6100 4800"+clock, paris), "refused clock-not-set value"},
		"no time at all":                      {of("2A9D", "00 2440", ""), "refused missing-value time"},
		"the other user":                      {of("2A9D", "06 2440"+clock+" 02", paris+`,"user":1`), "refused inconsistent user"},
		"a user, and nobody says whose":       {of("2A9D", "06 2440"+clock+" 02", paris), "refused inconsistent user"},
		"an impossible weight":                {of("2A9D", "02 0000"+clock, paris), "refused implausible values.value"},
		"swapped":                             {of("2A35", "02 5b00 8e00 ff07"+clock, paris), "refused inconsistent values.diastolic"},
	} {
		if got := said(c.payload); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestEveryMantissaAndExponent holds SFLOAT to a plain reading of its definition.
func TestEveryMantissaAndExponent(t *testing.T) {
	special := map[uint16]bool{0x07ff: true, 0x0800: true, 0x07fe: true, 0x0802: true, 0x0801: true}
	for raw := range 1 << 16 {
		mantissa, exponent := raw&0x0fff, raw>>12
		if mantissa >= 0x0800 {
			mantissa -= 0x1000
		}
		if exponent >= 8 {
			exponent -= 16
		}
		want := float64(mantissa) * math.Pow(10, float64(exponent))
		got := (&cursor{rest: []byte{byte(raw), byte(raw >> 8)}}).sfloat()
		if special[uint16(raw)] {
			if !math.IsNaN(got) {
				t.Fatalf("%04x is read as %v", raw, got)
			}
		} else if math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Fatalf("%04x is read as %v, want %v", raw, got, want)
		}
	}
}

// TestTheSameNotificationIsOneReading: a box may pass it on twice.
func TestTheSameNotificationIsOneReading(t *testing.T) {
	ids := map[string]bool{}
	for _, payload := range []string{of("2A9D", "02 2440"+clock, paris), of("2a9d", "02 2440"+clock, paris), of("2A9D", "02 2540"+clock, paris)} {
		var batch ingest.Batch
		Decoder{}.Decode("", "", []byte(payload), &batch)
		ids[batch.Readings[0].ID] = true
	}
	if len(ids) != 2 {
		t.Errorf("two measurements, one told twice, have the ids %v", ids)
	}
}

// FuzzDecode tries every combination of flags with any bytes behind them.
func FuzzDecode(f *testing.F) {
	for name := range characteristics {
		f.Add(name, []byte{0x1e, 0x8e, 0, 0x5b, 0, 0x6b, 0, 0xea, 7, 11, 21, 7, 2, 17, 0x48, 0, 1, 0, 0}, "Europe/Paris", 1)
	}
	f.Fuzz(func(t *testing.T, name string, value []byte, zone string, user int) {
		payload, err := json.Marshal(map[string]any{"characteristic": name, "value": fmt.Sprintf("%x", value), "zone": zone, "user": user, "time": "2026-11-21T07:02:11Z", "session": fmt.Sprintf("%x", value[len(value)/2:])})
		if err != nil {
			t.Fatal(err) // strings and numbers can always be written
		}
		var batch ingest.Batch
		Decoder{}.Decode("vigie/v1/bp-1/gatt", "bp-1", payload, &batch)
		if given := len(batch.Readings) + len(batch.Refused); given == 0 || given > 1 && !strings.HasSuffix(strings.ToUpper(name), "2AA7") || len(batch.Parts) != len(batch.Readings) {
			t.Fatalf("one value gives %+v", batch)
		}
		for i := range batch.Readings {
			r := &batch.Readings[i]
			for at, v := range r.Values {
				if c := &r.Measure.Components[at]; v != protocols.Missing && (v < c.Low || v > c.High) {
					t.Errorf("accepted %s of %s", v, c.Name)
				}
			}
			if r.ID == "" || r.Time.IsZero() {
				t.Errorf("accepted %+v", r)
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
	payload := []byte(of("2A35", "1e 8e00 5b00 6b00"+clock+" 4800 01 0500", paris+`,"user":1`))
	for b.Loop() {
		var batch ingest.Batch
		Decoder{}.Decode("", "", payload, &batch)
	}
}
