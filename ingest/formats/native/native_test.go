package native

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"vigie/ingest"
	"vigie/protocols"
)

func decode(payload string) ingest.Batch {
	var batch ingest.Batch
	Decoder{}.Decode("vigie/v1/bp-1/readings", "bp-1", []byte(payload), &batch)
	return batch
}

// one is a payload with a blood pressure, in which a test replaces something.
const one = `{"id":"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101","time":"2026-11-21T07:02:11+01:00","measure":"blood-pressure",
 "values":{"systolic":142,"diastolic":91,"pulse":72},"unit":"mmHg",
 "source":"device","context":{"posture":"sitting"},"flags":["irregular-pulse"],"battery":87}`

// TestWhatIsJustAllowedIsRead stands at the edge of each bound.
func TestWhatIsJustAllowedIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		holds   func(*protocols.Reading) bool
	}{
		"an id of 128 characters": {strings.Replace(simple("weight", `{"value":80}`, `"kg"`), `"a"`, `"`+strings.Repeat("é", 128)+`"`, 1),
			func(r *protocols.Reading) bool { return r.ID == strings.Repeat("é", 128) }},
		"32 flags": {strings.Replace(simple("weight", `{"value":80}`, `"kg"`), `"unit"`, `"flags":["x"`+strings.Repeat(`,"x"`, 31)+`],"unit"`, 1),
			func(r *protocols.Reading) bool { return len(r.Flags) == 32 }},
		"a battery of 87.6 %": {strings.Replace(simple("weight", `{"value":80}`, `"kg"`), `"unit"`, `"battery":87.6,"unit"`, 1),
			func(r *protocols.Reading) bool { return r.Battery == 88 }},
		"systolic as high as diastolic": {simple("blood-pressure", `{"systolic":90,"diastolic":90}`, `"mm[Hg]"`),
			func(r *protocols.Reading) bool { return r.Values[1] == 90_000 }},
		"a dose taken, and none missed": {simple("pill-dispenser", `{"taken":1,"missed":0}`, `"1"`),
			func(r *protocols.Reading) bool { return r.Values[0] == 1_000 && r.Values[1] == 0 }},
		"none taken, one missed": {simple("pill-dispenser", `{"taken":0,"missed":1}`, `"1"`),
			func(r *protocols.Reading) bool { return r.Values[0] == 0 && r.Values[1] == 1_000 }},
	} {
		batch := decode(c.payload)
		if len(batch.Readings) != 1 || len(batch.Refused) != 0 || !c.holds(&batch.Readings[0]) {
			t.Errorf("%s: %+v", name, batch)
		}
	}
}

func TestReadingIsDecodedWhole(t *testing.T) {
	batch := decode(one)
	if len(batch.Refused) != 0 || len(batch.Readings) != 1 {
		t.Fatalf("got %+v", batch)
	}
	want := protocols.Reading{
		ID: "018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", Device: "bp-1",
		Time: time.Date(2026, 11, 21, 6, 2, 11, 0, time.UTC), Measure: protocols.MeasureByID("blood-pressure"),
		Values: []protocols.Value{142000, 91000, protocols.Missing, 72000}, Source: protocols.FromDevice,
		Flags: []string{"irregular-pulse"}, Context: map[string]string{"posture": "sitting"}, Battery: 87,
	}
	if !reflect.DeepEqual(batch.Readings[0], want) {
		t.Errorf("got  %+v\nwant %+v", batch.Readings[0], want)
	}
}

// simple is a reading of one measure with these values and this unit.
func simple(measure, values, unit string) string {
	return fmt.Sprintf(`{"id":"a","time":"2026-11-21T07:02:11Z","measure":%q,"values":%s,"unit":%s}`, measure, values, unit)
}

func TestValuesAreInCanonicalUnits(t *testing.T) {
	for _, c := range []struct {
		measure, values, unit string
		want                  []protocols.Value
	}{
		{"weight", `{"value":82.1}`, `"kg"`, []protocols.Value{82100}},
		{"weight", `{"value":181}`, `"lb"`, []protocols.Value{82100}},
		{"weight", `{"value":8.21e1}`, `"kg"`, []protocols.Value{82100}},
		{"weight", `{"value":82.1000000000000000000000000}`, `"kg"`, []protocols.Value{82100}},
		{"temperature", `{"value":98.6}`, `"°F"`, []protocols.Value{37000}},
		{"glucose", `{"value":5.5}`, `"mmol/L"`, []protocols.Value{99086}},
		{"glucose", `{"value":1.1}`, `"g/L"`, []protocols.Value{110000}},
		{"blood-pressure", `{"systolic":16,"diastolic":10,"pulse":72}`, `"kPa"`, []protocols.Value{120010, 75006, protocols.Missing, 72000}},
		{"blood-pressure", `{"pulse":72,"diastolic":80,"systolic":120,"mean":93}`, `"mm[Hg]"`, []protocols.Value{120000, 80000, 93000, 72000}},
		{"blood-pressure", `{"systolic":16,"diastolic":80,"pulse":72}`, `{"systolic":"kPa","diastolic":"mmHg","pulse":"bpm"}`, []protocols.Value{120010, 80000, protocols.Missing, 72000}},
		{"blood-pressure", `{"systolic":120,"diastolic":80,"pulse":72}`, `{"systolic":"mmHg","diastolic":"mmHg"}`, []protocols.Value{120000, 80000, protocols.Missing, 72000}},
		{"pill-dispenser", `{"taken":1}`, `"1"`, []protocols.Value{1000, protocols.Missing}},
		{"pill-dispenser", `{"missed":1}`, `"{event}"`, []protocols.Value{protocols.Missing, 1000}},
		{"ventilation", `{"hours":0,"leak":24}`, `"h"`, []protocols.Value{0, 24000, protocols.Missing}},
		{"implant", `{"battery":80}`, `"%"`, []protocols.Value{protocols.Missing, protocols.Missing, protocols.Missing, protocols.Missing, 80000, protocols.Missing}},
	} {
		batch := decode(simple(c.measure, c.values, c.unit))
		if len(batch.Readings) != 1 || !reflect.DeepEqual(batch.Readings[0].Values, c.want) {
			t.Errorf("%s %s %s: got %+v %+v, want %v", c.measure, c.values, c.unit, batch.Readings, batch.Refused, c.want)
		}
	}
}

func TestEveryMeasureCanBeGivenInEveryUnitItAccepts(t *testing.T) {
	for _, m := range protocols.Measures() {
		for i := range m.Components {
			c := &m.Components[i]
			for _, unit := range m.UnitsFor(i) {
				values, units := map[string]float64{}, map[string]string{}
				for j := range m.Components {
					other := &m.Components[j]
					if !other.Optional || i == j {
						values[other.Name], units[other.Name] = (other.Low+other.High).Float()/2, other.Unit
					}
					if other.Whole && (!other.Optional || i == j) {
						values[other.Name] = 1
					}
				}
				if m.ID == "blood-pressure" {
					values["systolic"], values["diastolic"] = 120, 80
					if c.Name == "mean" {
						values["mean"] = 100
					}
				}
				scale, _ := m.Scale(i, unit)
				zero, _ := m.Convert(i, 0, unit)
				values[c.Name] = (values[c.Name] - zero) / scale
				units[c.Name] = unit
				v, _ := json.Marshal(values)
				u, _ := json.Marshal(units)
				if batch := decode(simple(m.ID, string(v), string(u))); len(batch.Readings) != 1 {
					t.Errorf("%s.%s in %s: %+v", m.ID, c.Name, unit, batch.Refused[0].Reasons)
				}
			}
		}
	}
}

func TestEveryReasonIsToldWithItsPath(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(one, old) {
			t.Fatalf("%q is not in the payload", old)
		}
		return strings.Replace(one, old, new, 1)
	}
	long := strings.Repeat("é", 128)
	for name, c := range map[string]struct {
		payload string
		want    string // code and path of every reason, in order
	}{
		"empty":                      {``, "malformed"},
		"not JSON":                   {`systolic=142`, "malformed"},
		"cut off":                    {one[:100], "malformed"},
		"something after it":         {one + `x`, "malformed"},
		"a second object after it":   {one + one, "malformed"},
		"a number":                   {`12`, "malformed"},
		"an empty array":             {`[]`, "malformed"},
		"an array of numbers":        {`[1,2]`, "malformed [0], malformed [1]"},
		"an array in an array":       {`[[` + one + `]]`, "malformed [0]"},
		"an open array":              {`[` + one, "malformed"},
		"a trailing comma":           {`[` + one + `,]`, "malformed"},
		"bad UTF-8":                  {replace("sitting", "\xff"), "malformed"},
		"half a surrogate pair":      {replace("sitting", `\ud83d`), "malformed"},
		"a control character":        {replace("sitting", "a\tb"), "malformed"},
		"an escaped control":         {replace("sitting", `a\tb`), "malformed context.posture"},
		"a leading zero":             {replace("142", "0142"), "malformed"},
		"a plus sign":                {replace("142", "+142"), "malformed"},
		"hexadecimal":                {replace("142", "0x8e"), "malformed"},
		"deep nesting":               {`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "malformed"},
		"an unknown field":           {replace(`"battery"`, `"bateries"`), "unknown-field bateries"},
		"a field in capitals":        {replace(`"id"`, `"ID"`), "unknown-field ID, missing-value id"},
		"a field given twice":        {replace(`"battery":87`, `"battery":87,"battery":86`), "malformed battery"},
		"a field twice, escaped":     {replace(`"battery":87`, `"battery":87,"b\u0061ttery":86`), "malformed battery"},
		"a component twice":          {replace(`"diastolic":91`, `"diastolic":91,"diastolic":90`), "malformed values.diastolic"},
		"a context key twice":        {replace(`"posture":"sitting"`, `"posture":"sitting","posture":"lying"`), "malformed context.posture"},
		"an unknown component":       {replace(`"pulse"`, `"pluse"`), "unknown-field values.pluse"},
		"an unknown unit component":  {replace(`"mmHg"`, `{"systolic":"mmHg","diastolic":"mmHg","x":"kg"}`), "unknown-field unit.x"},
		"nothing":                    {`{}`, "missing-value id, missing-value time, missing-value measure, missing-value values, missing-value unit"},
		"no id":                      {replace(`"id":"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101",`, ``), "missing-value id"},
		"an empty id":                {replace("018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", ""), "malformed id"},
		"a long id":                  {replace("018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", long+"x"), "malformed id"},
		"an id with a line break":    {replace("018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", `a\nb`), "malformed id"},
		"a number as id":             {replace(`"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101"`, "17"), "malformed id"},
		"no component":               {replace(`"systolic":142,"diastolic":91,"pulse":72`, ``), "missing-value values.systolic, missing-value values.diastolic"},
		"no diastolic":               {replace(`"diastolic":91,`, ``), "missing-value values.diastolic"},
		"no symptom":                 {simple("symptom", `{}`, `"score"`), "missing-value values.breathlessness"},
		"values as a number":         {replace(`{"systolic":142,"diastolic":91,"pulse":72}`, `142`), "malformed values"},
		"an unknown measure":         {replace("blood-pressure", "mood"), "unknown-measure measure"},
		"a measure that is no word":  {replace(`"blood-pressure"`, "null"), "malformed measure"},
		"an unknown unit":            {replace("mmHg", "furlong"), "unknown-unit unit"},
		"an empty unit":              {replace("mmHg", ""), "unknown-unit unit"},
		"another measure's unit":     {replace("mmHg", "kg"), "unit-mismatch unit"},
		"another component's unit":   {simple("implant", `{"battery":80}`, `"kg"`), "unit-mismatch unit"},
		"an unknown unit in many":    {replace(`"mmHg"`, `{"systolic":"furlong","diastolic":"mmHg"}`), "unknown-unit unit.systolic"},
		"another unit in many":       {replace(`"mmHg"`, `{"systolic":"kg","diastolic":"mmHg"}`), "unit-mismatch unit.systolic"},
		"a unit left out":            {replace(`"mmHg"`, `{"systolic":"mmHg"}`), "missing-value unit.diastolic"},
		"no units":                   {replace(`"mmHg"`, `{}`), "missing-value unit.systolic, missing-value unit.diastolic"},
		"no unit":                    {replace(`"unit":"mmHg",`, ``), "missing-value unit"},
		"a unit as a number":         {replace(`"mmHg"`, `1`), "malformed unit"},
		"a string":                   {replace("142", `"142"`), "not-a-number values.systolic"},
		"null":                       {replace("142", "null"), "not-a-number values.systolic"},
		"true":                       {replace("142", "true"), "not-a-number values.systolic"},
		"an object as a number":      {replace("142", `{"value":142}`), "not-a-number values.systolic"},
		"NaN":                        {replace("142", "NaN"), "not-a-number values.systolic"},
		"Infinity":                   {replace("142", "Infinity"), "not-a-number values.systolic"},
		"minus Infinity":             {replace("142", "-Infinity"), "not-a-number values.systolic"},
		"1e999":                      {replace("142", "1e999"), "not-a-number values.systolic"},
		"a battery as a string":      {replace("87", `"87"`), "not-a-number battery"},
		"too high":                   {replace("142", "301"), "implausible values.systolic"},
		"too low":                    {replace("91", "19.9"), "implausible values.diastolic"},
		"far too high":               {replace("142", "1e300"), "implausible values.systolic"},
		"half a grade":               {simple("symptom", `{"cough":1.5}`, `"score"`), "implausible values.cough"},
		"a battery above 100":        {replace("87", "101"), "implausible battery"},
		"diastolic above systolic":   {replace("91", "143"), "inconsistent values.diastolic"},
		"taken and missed at once":   {simple("pill-dispenser", `{"taken":1,"missed":1}`, `"1"`), "inconsistent values.missed, inconsistent values.taken"},
		"a unit given twice":         {replace(`"mmHg"`, `{"systolic":"kPa","systolic":"mmHg","diastolic":"mmHg"}`), "malformed unit.systolic"},
		"an id with a delete":        {replace("018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", `a\u007fb`), "malformed id"},
		"one flag too many":          {replace(`["irregular-pulse"]`, `["x"`+strings.Repeat(`,"x"`, 32)+`]`), "malformed flags"},
		"nothing that can be used":   {simple("symptom", `{"cough":null,"oedema":7}`, `"score"`), "not-a-number values.cough, implausible values.oedema"},
		"no measure, and no number":  {`{"id":"a","time":"2026-11-21T07:02:11Z","values":{"value":"1"},"unit":"kg"}`, "missing-value measure, not-a-number values.value"},
		"all that is wrong":          {replace(`142,"diastolic":91,"pulse":72`, `500,"diastolic":91,"pulse":null`), "implausible values.systolic, not-a-number values.pulse"},
		"no offset":                  {replace("+01:00", ""), "no-time-zone time"},
		"no such day":                {replace("2026-11-21", "2026-02-29"), "malformed time"},
		"no such hour":               {replace("T07", "T24"), "malformed time"},
		"no such month":              {replace("2026-11", "2026-13"), "malformed time"},
		"a time in words":            {replace("2026-11-21T07:02:11+01:00", "yesterday"), "malformed time"},
		"a time as a number":         {replace(`"2026-11-21T07:02:11+01:00"`, "1763706131"), "malformed time"},
		"finer than nanoseconds":     {replace("11+01", "11.0000000001+01"), "malformed time"},
		"an unknown source":          {replace(`"device"`, `"dog"`), "malformed source"},
		"an unknown specimen":        {strings.Replace(simple("glucose", `{"value":100}`, `"mg/dL"`), `"unit"`, `"context":{"specimen":"tears"},"unit"`, 1), "malformed context.specimen"},
		"flags as a word":            {replace(`["irregular-pulse"]`, `"irregular-pulse"`), "malformed flags"},
		"a flag that is no word":     {replace(`["irregular-pulse"]`, `[1]`), "malformed flags"},
		"too many flags":             {replace(`["irregular-pulse"]`, `["x"`+strings.Repeat(`,"x"`, 40)+`]`), "malformed flags"},
		"a context that is no word":  {replace(`"sitting"`, `1`), "malformed context.posture"},
		"all at once":                {replace("142", "500,\"x\":1"), "implausible values.systolic, unknown-field values.x"},
		"wrong in several fields":    {`{"id":"","time":"x","measure":"weight","values":{"value":"1"},"unit":"furlong","source":1,"battery":-1}`, "malformed id, malformed time, malformed source, implausible battery, unknown-unit unit, not-a-number values.value"},
		"wrong in one of an array":   {`[` + one + `,` + replace("142", "301") + `]`, "implausible [1].values.systolic"},
		"the third is no object":     {`[` + one + `,` + one + `, 7]`, "malformed [2]"},
		"too many readings":          {`[` + strings.Repeat("{},", ingest.MaxReadings) + `{}]`, "too-large"},
		"only what was given counts": {replace(`142,"diastolic":91`, `"x","diastolic":19`), "not-a-number values.systolic, implausible values.diastolic"},
	} {
		t.Run(name, func(t *testing.T) {
			batch := decode(c.payload)
			var told []string
			for _, refusal := range batch.Refused {
				for _, r := range refusal.Reasons {
					told = append(told, strings.TrimSpace(string(r.Code)+" "+r.Path))
					if len(r.Message) < 10 || strings.ContainsAny(r.Message, "\n\"") && r.Path != "time" {
						t.Errorf("%q is no sentence for a person", r.Message)
					}
				}
				if !strings.Contains(c.payload, string(refusal.Payload)) {
					t.Error("the payload kept is not a part of that received")
				}
			}
			if got := strings.Join(told, ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestAnOptionalComponentThatCannotBeUsedIsLeftOutAndTold keeps a pressure that
// matters from being lost for its pulse.
func TestAnOptionalComponentThatCannotBeUsedIsLeftOutAndTold(t *testing.T) {
	const missing = protocols.Missing
	pressure := func(values, unit string) string {
		return simple("blood-pressure", `{"systolic":215,"diastolic":131`+values+`}`, unit)
	}
	for name, c := range map[string]struct {
		payload string
		values  []protocols.Value
		told    string
	}{
		"null":                  {pressure(`,"pulse":null`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "not-a-number values.pulse"},
		"a word":                {pressure(`,"pulse":"--"`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "not-a-number values.pulse"},
		"zero":                  {pressure(`,"pulse":0`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "implausible values.pulse"},
		"far too high":          {pressure(`,"pulse":1e300`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "implausible values.pulse"},
		"given twice":           {pressure(`,"pulse":70,"pulse":71`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "malformed values.pulse"},
		"of an unknown unit":    {pressure(`,"pulse":70`, `{"systolic":"mm[Hg]","diastolic":"mm[Hg]","pulse":"furlong"}`), []protocols.Value{215000, 131000, missing, missing}, "unknown-unit unit.pulse"},
		"of another unit":       {pressure(`,"pulse":70`, `{"systolic":"mm[Hg]","diastolic":"mm[Hg]","pulse":"kg"}`), []protocols.Value{215000, 131000, missing, missing}, "unit-mismatch unit.pulse"},
		"without its unit":      {pressure(`,"mean":150`, `{"systolic":"mm[Hg]","diastolic":"mm[Hg]"}`), []protocols.Value{215000, 131000, missing, missing}, "missing-value unit.mean"},
		"a mean above systolic": {pressure(`,"mean":216`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "inconsistent values.mean"},
		"two of them":           {pressure(`,"mean":0,"pulse":0`, `"mm[Hg]"`), []protocols.Value{215000, 131000, missing, missing}, "implausible values.mean, implausible values.pulse"},
		"in an array": {`[` + strings.Replace(one, "mmHg", "mm[Hg]", 1) + `,` + pressure(`,"pulse":0`, `"mm[Hg]"`) + `]`, []protocols.Value{215000, 131000, missing, missing},
			"implausible [1].values.pulse"},
		"one grade of two": {simple("symptom", `{"cough":1.5,"breathlessness":3}`, `"{score}"`), []protocols.Value{3000, missing, missing, missing, missing, missing, missing, missing},
			"implausible values.cough"},
	} {
		batch := decode(c.payload)
		var told []string
		for _, w := range batch.Warnings {
			if w.Reading != len(batch.Readings)-1 {
				t.Errorf("%s: the warning is about reading %d", name, w.Reading)
			}
			told = append(told, string(w.Reason.Code)+" "+w.Reason.Path)
		}
		if len(batch.Refused) != 0 || len(batch.Readings) == 0 || !reflect.DeepEqual(batch.Readings[len(batch.Readings)-1].Values, c.values) || strings.Join(told, ", ") != c.told {
			t.Errorf("%s: got %+v, want %v and the warning %q", name, batch, c.values, c.told)
		}
	}
}

// TestAMistakenUnitIsToldWithTheOneThatWouldFit has the limits in the unit of the
// sender, too.
func TestAMistakenUnitIsToldWithTheOneThatWouldFit(t *testing.T) {
	for payload, want := range map[string]string{
		simple("glucose", `{"value":18}`, `"mg/dL"`):                         "an instrument can report 20 to 600 mg/dL; the number would fit mmol/L: check the unit [mmol/L]",
		simple("glucose", `{"value":120}`, `"mmol/L"`):                       "an instrument can report 1.1 to 33.3 mmol/L; the number would fit mg/dL: check the unit [mg/dL]",
		simple("glucose", `{"value":700}`, `"mg/dL"`):                        "an instrument can report 20 to 600 mg/dL []",
		simple("temperature", `{"value":98.6}`, `"Cel"`):                     "an instrument can report 25 to 45 Cel; the number would fit [degF]: check the unit [[degF]]",
		simple("temperature", `{"value":37}`, `"[degF]"`):                    "an instrument can report 77 to 113 [degF]; the number would fit Cel: check the unit [Cel]",
		simple("weight", `{"value":81500}`, `"kg"`):                          "an instrument can report 2 to 400 kg; the number would fit g: check the unit [g]",
		simple("blood-pressure", `{"systolic":142,"diastolic":10}`, `"kPa"`): "an instrument can report 5.3 to 40 kPa; the number would fit mm[Hg]: check the unit [mm[Hg]]",
	} {
		batch := decode(payload)
		if len(batch.Refused) != 1 || fmt.Sprint(batch.Refused[0].Reasons[0].Message, " ", batch.Refused[0].Reasons[0].Fits) != want {
			t.Errorf("%s: got %+v, want %q", payload, batch.Refused, want)
		}
	}
}

func TestWordsThatAreSpelledOtherwiseAreTold(t *testing.T) {
	flagged := func(flags string) string {
		return strings.Replace(simple("glucose", `{"value":38}`, `"mg/dL"`), `"unit"`, `"flags":`+flags+`,"unit"`, 1)
	}
	eaten := func(context string) string {
		return strings.Replace(simple("glucose", `{"value":38}`, `"mg/dL"`), `"unit"`, `"context":`+context+`,"unit"`, 1)
	}
	for payload, c := range map[string]struct{ flags, told string }{
		flagged(`["control-solution"]`):                     {"[control-solution]", ""},
		flagged(`["control_solution"]`):                     {"[control-solution]", "other-spelling flags[0]: this flag is written control-solution"},
		flagged(`["Control-Solution","motion"]`):            {"[control-solution motion]", "other-spelling flags[0]: this flag is written control-solution"},
		flagged(`["motion","after breakfast"]`):             {"[motion after breakfast]", "unknown-word flags[1]: no flag has this word; they are calibration, control-solution, cuff-fit, irregular-pulse, low-perfusion, motion, poor-contact, poor-effort, sensor-error, unstable"},
		eaten(`{"meal":"after-2h"}`):                        {"[]", ""},
		eaten(`{"meal":"casual"}`):                          {"[]", ""},
		eaten(`{"meal":"à midi"}`):                          {"[]", "unknown-word context.meal: no moment by a meal has this word; they are fasting, before, after, after-1h, after-2h, bedtime"},
		`[` + flagged(`["QC"]`) + `]`:                       {"[control-solution]", "other-spelling [0].flags[0]: this flag is written control-solution"},
		simple("weight", `{"value":180}`, `"lbs"`):          {"[]", "other-spelling unit: the UCUM code of this unit is [lb_av]"},
		simple("weight", `{"value":80}`, `"kg"`):            {"[]", ""},
		simple("weight", `{"value":180}`, `{"value":"lb"}`): {"[]", "other-spelling unit.value: the UCUM code of this unit is [lb_av]"},
	} {
		for range 2 { // the second time from memory
			batch := decode(payload)
			var told []string
			for _, w := range batch.Warnings {
				told = append(told, fmt.Sprintf("%s %s: %s", w.Reason.Code, w.Reason.Path, w.Reason.Message))
			}
			if len(batch.Readings) != 1 || fmt.Sprint(batch.Readings[0].Flags) != c.flags || strings.Join(told, ", ") != c.told {
				t.Errorf("%s: got %+v and %q, want %s and %q", payload, batch.Readings, told, c.flags, c.told)
			}
		}
	}
}

func TestAUnitThatDoesNotSuitIsToldWithThoseThatDo(t *testing.T) {
	for payload, want := range map[string]string{
		simple("glucose", `{"value":5}`, `"kg"`):                                                              "glucose is given in mg/dL or mmol/L or g/L",
		simple("blood-pressure", `{"systolic":120,"diastolic":80}`, `{"systolic":"kg","diastolic":"mmHg"}`):   "systolic is given in mm[Hg] or kPa",
		simple("weight", `{"value":80}`, `"stone"`):                                                           "no measure has this unit; weight is given in kg or [lb_av] or g",
		simple("blood-pressure", `{"systolic":120,"diastolic":80}`, `{"systolic":"torr","diastolic":"mmHg"}`): "no measure has this unit; systolic is given in mm[Hg] or kPa",
	} {
		batch := decode(payload)
		if len(batch.Refused) != 1 || len(batch.Refused[0].Reasons) != 1 || batch.Refused[0].Reasons[0].Message != want {
			t.Errorf("%s: got %+v, want %q", payload, batch.Refused, want)
		}
	}
}

func TestGoodReadingsOfAnArrayAreUsedBesideBadOnes(t *testing.T) {
	batch := decode(`[` + one + `,{"id":"b"},` + strings.Replace(one, "018f", "0190", 1) + `]`)
	if len(batch.Readings) != 2 || len(batch.Refused) != 1 {
		t.Fatalf("%d readings and %d refusals, want 2 and 1", len(batch.Readings), len(batch.Refused))
	}
	if len(batch.Parts) != 2 || string(batch.Parts[0]) != one {
		t.Errorf("the parts are %s", batch.Parts)
	}
	if got := batch.Refused[0]; got.Reading.ID != "b" || string(got.Payload) != `{"id":"b"}` {
		t.Errorf("refused %q with payload %s", got.Reading.ID, got.Payload)
	}
}

func TestNoMoreReasonsThanSomebodyReads(t *testing.T) {
	var payload strings.Builder
	payload.WriteString(`[{"id":"a"`)
	for i := range 40 {
		fmt.Fprintf(&payload, `,"field-%d":1`, i)
	}
	payload.WriteString(`}]`)
	batch := decode(payload.String())
	if len(batch.Refused) != 1 || batch.Refused[0].Reading.ID != "a" {
		t.Fatalf("%+v", batch)
	}
	reasons := batch.Refused[0].Reasons
	if len(reasons) != 32 || reasons[30].Path != "[0].field-30" || reasons[31].Code != protocols.Malformed || reasons[31].Path != "[0]" {
		t.Errorf("%d reasons, the last %+v", len(reasons), reasons[len(reasons)-2:])
	}
}

func TestBatchIsAppendedTo(t *testing.T) {
	batch := ingest.Batch{Readings: []protocols.Reading{{ID: "before"}}, Parts: [][]byte{nil}, Refused: []ingest.Refusal{{}}}
	Decoder{}.Decode("", "d", []byte(`[`+one+`,7,`), &batch)
	if len(batch.Readings) != 1 || len(batch.Parts) != 1 || len(batch.Refused) != 2 || batch.Refused[1].Reasons[0].Path != "" {
		t.Errorf("a payload that is no JSON left %+v", batch)
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-11-21T07:02:11+01:00":           time.Date(2026, 11, 21, 6, 2, 11, 0, time.UTC),
		"2026-11-21T07:02:11Z":                time.Date(2026, 11, 21, 7, 2, 11, 0, time.UTC),
		"2026-11-21T07:02:11.5-09:30":         time.Date(2026, 11, 21, 16, 32, 11, 500_000_000, time.UTC),
		"2026-11-21T07:02:11.123456789+00:00": time.Date(2026, 11, 21, 7, 2, 11, 123456789, time.UTC),
		"2024-02-29T23:59:59+14:00":           time.Date(2024, 2, 29, 9, 59, 59, 0, time.UTC),
		"2026-01-01T00:30:00+01:00":           time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC),
		"2026-11-21t07:02:11z":                time.Date(2026, 11, 21, 7, 2, 11, 0, time.UTC),
		"2016-12-31T23:59:60Z":                time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2017-01-01T05:29:60.5+05:30":         time.Date(2017, 1, 1, 0, 0, 0, 500_000_000, time.UTC),
		"2016-12-31T18:59:60-05:00":           time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-11-21T07:02:11+23:59":           time.Date(2026, 11, 20, 7, 3, 11, 0, time.UTC),
		"2026-11-21T07:02:11-23:59":           time.Date(2026, 11, 22, 7, 1, 11, 0, time.UTC),
		"2026-11-21T00:00:00Z":                time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		"2000-02-29T23:59:59.000000001Z":      time.Date(2000, 2, 29, 23, 59, 59, 1, time.UTC),
		"0001-01-01T00:00:00Z":                time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		got, kind := parseTime([]byte(text))
		if kind != fullTime || !got.Equal(want) {
			t.Errorf("%s: got %v (%d), want %v", text, got, kind, want)
		}
	}
	for _, text := range []string{
		"2026-11-21T07:02:11+99:00", "2026-11-21T07:02:11+24:00", "2026-11-21T07:02:11-24:00", "2026-11-21T07:02:11+01:60", "2026-11-21T07:02:11+0100", "2026-11-21T07:02:11+1:00",
		"2026-11-21T07:02:11+01:000", "2026-11-21T07:02:11*01:00", "2026-11-21T07:02:11ZZ", "2026-11-21T07:02:11+01:00Z", "2026-11-21T07:02:11+", "2026-11-21T07:02:11+01",
		"2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z", "2026-11-21T23:59:61Z", "2026-11-21T12:00:60Z", "2026-11-21T23:59:60+01:00", "2026-11-21T07:02Z", "2026-11-21T7:02:11Z",
		"2026-11-21 07:02:11Z", "2026-11-21T07-02-11Z", "2026-11-21T07:02:11.Z", "2026-11-21T07:02:11,5Z", "2026-11-21T07:02:11.1234567890Z",
		"2026-00-21", "2026-11-00", "2026-11-31", "2026-04-31", "2026-06-31", "2026-09-31", "2026-02-29", "2100-02-29", "2026-1-21", "26-11-21", "2026/11/21", "2026-11-21T", "2026-11-2", "",
		"２026-11-21", "2026-11-21T0a:02:11Z",
	} {
		if got, kind := parseTime([]byte(text)); kind != badTime {
			t.Errorf("%q is taken for %v (%d)", text, got, kind)
		}
	}
	for _, text := range []string{"2026-11-21T07:02:11", "2026-11-21T07:02:11.5"} {
		if got, kind := parseTime([]byte(text)); kind != zonelessTime {
			t.Errorf("%q is taken for %v (%d)", text, got, kind)
		}
	}
	got, kind := parseTime([]byte("2026-11-21"))
	if want := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC); kind != dayAlone || !got.Equal(want) {
		t.Errorf("a day alone: got %v (%d), want %v", got, kind, want)
	}
}

func TestWhatADeviceCannotShowLiesBeyondTheEndOfWhatItShows(t *testing.T) {
	for _, c := range []struct {
		measure, values, unit string
		component             int
		value, shown          float64
		limit                 protocols.Limit
	}{
		{"glucose", `{"value":{"below":40}}`, `"mg/dL"`, 0, 39.999, 40, protocols.LessThan},
		{"glucose", `{"value": { "above" : 4e2 } }`, `"mg/dL"`, 0, 400.001, 400, protocols.MoreThan},
		{"glucose", `{"value":{"below":2.2}}`, `"mmol/L"`, 0, 39.633, 39.634, protocols.LessThan},
		{"glucose", `{"value":{"below":20}}`, `"mg/dL"`, 0, 19.999, 20, protocols.LessThan}, // the least that any shows
		{"symptom", `{"cough":{"above":2}}`, `"score"`, protocols.MeasureByID("symptom").Component("cough"), 3, 2, protocols.MoreThan},
		{"blood-pressure", `{"systolic":90,"diastolic":{"below":95}}`, `"mmHg"`, 1, 94.999, 95, protocols.LessThan}, // may well be 60
	} {
		batch := decode(simple(c.measure, c.values, c.unit))
		if len(batch.Readings) != 1 {
			t.Errorf("%s %s: %+v", c.measure, c.values, batch.Refused)
			continue
		}
		r := &batch.Readings[0]
		shown, limit := r.Shown(c.component)
		if got := r.Values[c.component].Float(); got != c.value || shown.Float() != c.shown || limit != c.limit || len(r.Limits) != len(r.Values) {
			t.Errorf("%s %s: %v, shown %q %v", c.measure, c.values, got, limit, shown)
		}
	}
	for _, values := range []string{
		`{"value":{"below":10}}`, `{"value":{"below":40,"above":30}}`, `{"value":{"below":"40"}}`, `{"value":{"under":40}}`, `{"value":{}}`,
		`{"value":{"below":1e999}}`, `{"value":{"below":{"below":40}}}`, `{"value":"<40"}`, `{"value":"LOW"}`,
	} {
		if batch := decode(simple("glucose", values, `"mg/dL"`)); len(batch.Readings) != 0 || len(batch.Refused) != 1 || batch.Refused[0].Reasons[0].Path != "values.value" {
			t.Errorf("%s: %+v", values, batch)
		}
	}
	if batch := decode(simple("blood-pressure", `{"systolic":90,"diastolic":{"above":95}}`, `"mmHg"`)); len(batch.Readings) != 0 {
		t.Errorf("a diastolic pressure above 95 is above a systolic one of 90: %+v", batch.Readings)
	}
}

func TestSpecimen(t *testing.T) {
	for specimen, want := range map[string]uint8{"capillary": 1, "interstitial": 2} {
		batch := decode(strings.Replace(simple("glucose", `{"value":100}`, `"mg/dL"`), `"unit"`, `"context":{"specimen":"`+specimen+`"},"unit"`, 1))
		if len(batch.Readings) != 1 || batch.Readings[0].Variant != want {
			t.Errorf("%s: %+v", specimen, batch)
		}
	}
}

// FuzzDecode holds the decoder to encoding/json: what it accepts is JSON that
// says the same thing there, and every payload leads to something.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		one, `[` + one + `]`, `{}`, `[]`, `[{},1,null]`, one[:60], strings.Replace(one, "142", "NaN", 1),
		strings.Replace(one, "142", "1.42e2", 1), strings.Replace(one, "sitting", `s\u0069tting \ud83d\ude00`, 1),
		simple("glucose", `{"value":{"below":40}}`, `"mg/dL"`), simple("glucose", `{"value":{"above":22.2}}`, `"mmol/L"`), simple("glucose", `{"value":"LOW"}`, `"mg/dL"`),
		simple("weight", `{"value":181}`, `"lb"`), simple("glucose", `{"value":5.5}`, `{"value":"mmol/L"}`),
		`{"id":"é","time":"2026-11-21","measure":"symptom","values":{"cough":2},"unit":"score","context":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		given := string(payload)
		var batch ingest.Batch
		Decoder{}.Decode("", "d", payload, &batch)
		if string(payload) != given {
			t.Fatal("the payload was changed")
		}
		if len(batch.Readings)+len(batch.Refused) == 0 {
			t.Fatal("nothing came of it: neither a reading nor a refusal")
		}
		for _, refusal := range batch.Refused {
			if len(refusal.Reasons) == 0 {
				t.Fatal("refused without a reason")
			}
			for _, r := range refusal.Reasons {
				if !utf8.ValidString(r.Path) {
					t.Fatalf("the path %q is no text", r.Path)
				}
			}
		}
		wordsForNoNumber := strings.Contains(given, "NaN") || strings.Contains(given, "Infinity")
		if !json.Valid(payload) && !wordsForNoNumber && len(batch.Readings) > 0 {
			t.Fatal("readings out of what is not JSON")
		}
		compare(t, payload, wordsForNoNumber, batch.Readings, batch.Warnings)
	})
}

// compare checks accepted readings against what encoding/json makes of the
// payload.
func compare(t *testing.T, payload []byte, skip bool, readings []protocols.Reading, warnings []ingest.Warning) {
	if skip || len(readings) == 0 {
		return
	}
	var items []json.RawMessage
	if json.Unmarshal(payload, &items) != nil {
		items = []json.RawMessage{payload}
	}
	known := map[string]map[string]any{}
	for _, item := range items {
		var object map[string]any
		if json.Unmarshal(item, &object) == nil {
			if id, ok := object["id"].(string); ok {
				known[id] = object
			}
		}
	}
	for i := range readings {
		r := &readings[i]
		object := known[r.ID]
		if object == nil {
			t.Fatalf("no object has the id %q", r.ID)
		}
		if len(readings) > 1 {
			continue // ids may repeat: which is which is not known
		}
		if object["measure"] != r.Measure.ID {
			t.Fatalf("measure %v became %s", object["measure"], r.Measure.ID)
		}
		text, _ := object["time"].(string)
		if strings.Contains(text, ":60") {
			continue // leap seconds are unknown to package time
		}
		at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
		if r.DayOnly {
			at, err = time.Parse(time.DateOnly, text)
			at = at.Add(12 * time.Hour)
		}
		if err != nil || !at.Equal(r.Time) {
			t.Fatalf("time %q became %v (%v)", text, r.Time, err)
		}
		compareValues(t, object, r, warnings)
	}
}

func compareValues(t *testing.T, object map[string]any, r *protocols.Reading, warnings []ingest.Warning) {
	values, _ := object["values"].(map[string]any)
	leftOut := func(component string) bool {
		return slices.ContainsFunc(warnings, func(w ingest.Warning) bool { return strings.HasSuffix(w.Reason.Path, "."+component) })
	}
	count := 0
	for i, v := range r.Values {
		name := r.Measure.Components[i].Name
		number, limit, given := told(values[name])
		if v == protocols.Missing && leftOut(name) {
			continue
		}
		if !given {
			if v != protocols.Missing {
				t.Fatalf("%s appeared from nowhere", name)
			}
			continue
		}
		count++
		unit, isText := object["unit"].(string)
		units, _ := object["unit"].(map[string]any)
		if own, ok := units[name].(string); ok {
			unit = own
		} else if !isText || r.Measure.Components[i].Own {
			unit = r.Measure.Components[i].Unit
		}
		want, ok := r.Measure.Convert(i, number, protocols.Canonical(unit))
		if r.Limit(i) != limit {
			t.Fatalf("%s has the limit %q, want %q", name, r.Limit(i), limit)
		}
		if shown, _ := r.Shown(i); !ok || math.Abs(shown.Float()-want) > 0.0005000001 {
			t.Fatalf("%s: %v %s became %v", name, number, unit, v)
		}
	}
	if count < len(values)-len(warnings) || count > len(values) {
		t.Fatalf("%d of %d components were read, with the warnings %+v", count, len(values), warnings)
	}
}

// told is what a payload says of a component: a number, or an object of one limit.
func told(value any) (number float64, limit protocols.Limit, given bool) {
	object, _ := value.(map[string]any)
	for word, end := range object {
		limit, _ = protocols.LimitOf(word)
		number, given = end.(float64)
		return number, limit, given
	}
	number, given = value.(float64)
	return number, protocols.Measured, given
}

func BenchmarkDecodeBloodPressure(b *testing.B) {
	payload := []byte(one)
	var batch ingest.Batch
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		batch.Readings, batch.Parts, batch.Warnings = batch.Readings[:0], batch.Parts[:0], batch.Warnings[:0]
		Decoder{}.Decode("", "bp-1", payload, &batch)
	}
	if len(batch.Readings) != 1 {
		b.Fatal("not decoded")
	}
}

func BenchmarkDecodeWeight(b *testing.B) {
	payload := []byte(simple("weight", `{"value":82.1}`, `"kg"`))
	var batch ingest.Batch
	b.ReportAllocs()
	for b.Loop() {
		batch.Readings, batch.Parts, batch.Warnings = batch.Readings[:0], batch.Parts[:0], batch.Warnings[:0]
		Decoder{}.Decode("", "scale-1", payload, &batch)
	}
}
