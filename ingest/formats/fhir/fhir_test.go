package fhir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/fhir"
	"vigie/protocols"
)

func decode(payload string) ingest.Batch {
	var batch ingest.Batch
	fhir.Decoder{}.Decode("vigie/v1/bp-1/fhir", "bp-1", []byte(payload), &batch)
	return batch
}

// said is what a payload gives: each reading with its time and values, each refusal with
// its codes and paths.
func said(payload string) string {
	batch := decode(payload)
	var all []string
	for i := range batch.Readings {
		r := &batch.Readings[i]
		text := r.ID + " " + r.Measure.ID
		if r.Variant > 0 {
			text += "/" + r.Measure.Variants[r.Variant-1]
		}
		for at, v := range r.Values {
			if v != protocols.Missing {
				shown, limit := r.Shown(at)
				text += " " + r.Measure.Components[at].Name + "=" + limit.Sign() + shown.String()
			}
		}
		form := time.RFC3339
		if r.DayOnly {
			form = time.DateOnly
		}
		text += " " + r.Time.Format(form)
		if meal := r.Meal(); meal != "" {
			text += " meal:" + string(meal)
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

const (
	pressure = `{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},
 "subject":{"reference":"Patient/1","display":"Pierre Durand"},"effectiveDateTime":"2026-11-21T07:02:11+01:00",
 "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":142,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
  {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":91,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`
	weight = `{"resourceType":"Observation","status":"final","identifier":[{"system":"urn:x","value":"w-7"}],"code":{"coding":[{"system":"urn:iso:std:iso:11073:10101","code":"188736"},{"system":"http://loinc.org","code":"29463-7"}]},
 "effectiveDateTime":"2026-11-21","valueQuantity":{"value":82.10,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}`
)

func with(payload string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(payload)
}

func TestObservationsAreRead(t *testing.T) {
	glucose := with(weight, `"188736"`, `"160184"`, `"29463-7"`, `"2339-0"`, "82.10", "5.1", `"code":"kg"`, `"code":"mmol/L"`, `"unit":"kg"`, `"unit":"mmol/l"`)
	for name, c := range map[string]struct{ payload, want string }{
		"a pressure":                 {pressure, "o1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:11Z"},
		"a day":                      {weight, "w-7 weight value=82.1 2026-11-21"},
		"fasting":                    {with(glucose, `"2339-0"`, `"41604-0"`), "w-7 glucose/capillary value=91.88 2026-11-21 meal:fasting"},
		"fasting, of French codes":   {with(glucose, `"2339-0"`, `"14770-2"`, "http://loinc.org", "https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc"), "w-7 glucose/capillary value=91.88 2026-11-21 meal:fasting"},
		"before a meal":              {with(glucose, `"2339-0"`, `"88365-2"`), "w-7 glucose/capillary value=91.88 2026-11-21 meal:before"},
		"two hours after one":        {with(glucose, `"2339-0"`, `"6689-4"`), "w-7 glucose/capillary value=91.88 2026-11-21 meal:after-2h"},
		"capillary, two hours after": {with(glucose, `"160184"`, `"0"`, `"2339-0"`, `"14760-3"`), "w-7 glucose/capillary value=91.88 2026-11-21 meal:after-2h"},
		"fasting and before a meal":  {with(glucose, `"160184"`, `"41604-0"`, "urn:iso:std:iso:11073:10101", "http://loinc.org", `"2339-0"`, `"88365-2"`), "w-7 glucose/capillary value=91.88 2026-11-21 meal:fasting"},
		"another unit":               {glucose, "w-7 glucose/capillary value=91.88 2026-11-21"},
		"the same of French codes":   {with(pressure, "http://loinc.org", "https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc"), "o1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:11Z"},
		"below what is shown":        {with(glucose, `"value":5.1`, `"value":2.2,"comparator":"<"`), "w-7 glucose/capillary value=< 39.634 2026-11-21"},
		"an instant":                 {with(weight, `"effectiveDateTime":"2026-11-21"`, `"effectiveInstant":"2026-11-21T07:02:11Z"`), "w-7 weight value=82.1 2026-11-21T07:02:11Z"},
		"a unit without its code":    {with(weight, `"system":"http://unitsofmeasure.org","code":"kg"`, `"x":1`), "w-7 weight value=82.1 2026-11-21"},
		"a bundle":                   {`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Device"}},{"resource":` + pressure + `},{"resource":` + weight + `}]}`, "o1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:11Z; w-7 weight value=82.1 2026-11-21"},
		"a diastolic that is absent": {with(pressure, `"valueQuantity":{"value":91,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}`, `"dataAbsentReason":{"coding":[{"code":"error"}]}`), "refused missing-value component[1].valueQuantity.value"},
	} {
		got := said(c.payload)
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// glycemia is a glucose as an app sends it to "Mon espace santé": its moment stands in an
// extension beside the reason, whatever its code.
func glycemia(id, code, moment string) string {
	return `{"fullUrl":"urn:uuid:` + id + `","resource":{"resourceType":"Observation","id":"` + id + `","meta":{"profile":["https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-observation-glucose"]},
 "extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-reason-for-measurement","valueString":"Malaise du patient"},` + moment + `],
 "status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
 "code":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc","code":"` + code + `"}]},
 "subject":{"reference":"Patient/1"},"effectiveDateTime":"2026-11-21T07:02:11+01:00",
 "valueQuantity":{"value":92,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}},"request":{"method":"POST","url":"Observation"}}`
}

// said of a moment, as the French guide codes it.
func moment(system, code string) string {
	return `{"url":"https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-moment-of-measurement","valueCodeableConcept":{"coding":[{"system":"` + system + `","code":"` + code + `"}]}}`
}

func TestAFrenchAppSaysTheMomentByAMeal(t *testing.T) {
	const french, former = "https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc", "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/ENS_MomentOfMeasurement"
	entries := []string{
		glycemia("g1", "2345-7", moment(french, "53049-3")),
		glycemia("g2", "2345-7", moment("http://loinc.org", "53049-3")),
		glycemia("g3", "2345-7", moment(french, "88365-2")),
		glycemia("g4", "2345-7", moment(french, "16915-1")),
		with(glycemia("g5", "2345-7", moment(french, "16915-1")), "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-moment-of-measurement", former),
		glycemia("g6", "2345-7", moment(french, "LA11865-5")),
		glycemia("g7", "2345-7", moment("https://mos.esante.gouv.fr/NOS/TRE_R313-CISP2/FHIR/TRE-R313-CISP2", "A05")),
		glycemia("g8", "53049-3", moment(french, "88365-2")),
		glycemia("g9", "1521-4", moment(french, "16915-1")),
	}
	want := []string{"g1 glucose value=92 2026-11-21T06:02:11Z meal:fasting", "g2 glucose value=92 2026-11-21T06:02:11Z meal:fasting", "g3 glucose value=92 2026-11-21T06:02:11Z meal:before",
		"g4 glucose value=92 2026-11-21T06:02:11Z meal:after", "g5 glucose value=92 2026-11-21T06:02:11Z meal:after", "g6 glucose value=92 2026-11-21T06:02:11Z", "g7 glucose value=92 2026-11-21T06:02:11Z",
		"g8 glucose value=92 2026-11-21T06:02:11Z meal:fasting", "g9 glucose value=92 2026-11-21T06:02:11Z meal:after-2h"}
	bundle := func(entries ...string) string {
		return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
	}
	if got := said(bundle(entries...)); got != strings.Join(want, "; ") {
		t.Errorf("read\n%s\nwant\n%s", strings.ReplaceAll(got, "; ", "\n"), strings.Join(want, "\n"))
	}
	for name, c := range map[string]struct{ entry, path string }{
		"a fasting code after a meal": {glycemia("g10", "1558-6", moment(french, "16915-1")), "entry[0].resource.extension[1].valueCodeableConcept"},
		"two codes":                   {with(glycemia("g11", "1558-6", moment(french, "LA46-8")), `"code":"1558-6"}`, `"code":"1558-6"},{"system":"http://loinc.org","code":"87422-2"}`), "entry[0].resource.code"},
	} {
		if got := said(bundle(c.entry)); got != "refused inconsistent "+c.path {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A meter of IEEE 11073 says the meal in an observation of its own: its glucose is told with it,
// by reference or by the same time. What is of no glucose, or of two, is refused as before.
func TestAMealThatIsAnObservationOfItsOwnIsOfItsGlucose(t *testing.T) {
	const system = `"system":"urn:iso:std:iso:11073:10101"`
	meal := func(code, more string) string {
		return `{"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{` + system + `,"code":"8417864"}]},"valueCodeableConcept":{"coding":[{` + system + `,"code":"` + code + `"}]}` + more + `}}`
	}
	glucose := func(id, at string) string {
		return `{"fullUrl":"urn:uuid:` + id + `","resource":{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"coding":[{` + system + `,"code":"160184"}]},"effectiveDateTime":"` + at + `","valueQuantity":{"value":92,"system":"http://unitsofmeasure.org","code":"mg/dL"}}}`
	}
	const six, seven = "2026-11-21T06:02:11Z", "2026-11-21T07:02:11Z"
	from := func(reference string) string { return `,"derivedFrom":[{"reference":"` + reference + `"}]` }
	at := func(when string) string { return `,"effectiveDateTime":"` + when + `"` }
	const g1, g2 = "g1 glucose/capillary value=92 " + six, "g2 glucose/capillary value=92 " + seven
	const refused = "refused unknown-measure "
	for name, c := range map[string]struct {
		entries []string
		want    string
	}{
		"by reference":            {[]string{glucose("g1", six), glucose("g2", seven), meal("8417868", from("urn:uuid:g2"))}, g1 + "; " + g2 + " meal:before"},
		"by the name of it":       {[]string{meal("8417872", from("Observation/g1")), glucose("g1", six)}, g1 + " meal:after"},
		"by the same time":        {[]string{glucose("g1", six), glucose("g2", seven), meal("8417876", at(six))}, g1 + " meal:fasting; " + g2},
		"at bedtime":              {[]string{glucose("g1", six), meal("8417908", at(six))}, g1 + " meal:bedtime"},
		"casually":                {[]string{glucose("g1", six), meal("8417880", at(six))}, g1},
		"of none":                 {[]string{glucose("g1", six), meal("8417876", at(seven))}, g1 + "; " + refused + "entry[1].resource.code"},
		"of two":                  {[]string{glucose("g1", six), glucose("g2", six), meal("8417876", at(six))}, g1 + "; g2 glucose/capillary value=92 " + six + "; " + refused + "entry[2].resource.code"},
		"another says otherwise":  {[]string{glucose("g1", six), meal("8417868", at(six)), meal("8417872", at(six))}, g1 + " meal:before; " + refused + "entry[2].resource.code"},
		"a word that is no meal":  {[]string{glucose("g1", six), meal("8417240", at(six))}, g1 + "; " + refused + "entry[1].resource.code"},
		"against the code of it":  {[]string{strings.Replace(glucose("g1", six), `"code":"160184"}`, `"code":"160184"},{"system":"http://loinc.org","code":"1556-0"}`, 1), meal("8417872", at(six))}, "refused inconsistent entry[0].resource.code"},
		"what was never measured": {[]string{glucose("g1", six), strings.Replace(meal("8417868", at(six)), "final", "entered-in-error", 1)}, "?"},
	} {
		got := said(`{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(c.entries, ",") + `]}`)
		if got != c.want && (c.want != "?" || !strings.HasPrefix(got, g1+"; refused")) {
			t.Errorf("%s: read %s\nwant %s", name, got, c.want)
		}
	}
}

func TestAnObservationWithoutAnIdHasTheSameOneEachTime(t *testing.T) {
	payload := with(weight, `"identifier":[{"system":"urn:x","value":"w-7"}],`, "")
	once, twice, other := said(payload), said(payload), said(with(payload, "82.10", "82.20"))
	id := strings.Fields(once)[0]
	if once != twice || len(id) != 24 || strings.Fields(other)[0] == id {
		t.Errorf("%s, %s and of another value %s", once, twice, other)
	}
}

func TestObservationsThatMeanSomethingElseAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"no JSON":             {"{", "refused malformed "},
		"two values":          {pressure + pressure, "refused malformed "},
		"a status twice":      {with(pressure, `"status"`, `"status":"entered-in-error","status"`), "refused malformed status"},
		"a value twice":       {with(weight, `"value":82.10`, `"value":82.10,"Value":28.10`), "refused malformed valueQuantity.Value"},
		"another resource":    {`{"resourceType":"Patient"}`, "refused malformed resourceType"},
		"an empty bundle":     {`{"resourceType":"Bundle"}`, "refused missing-value entry"},
		"preliminary":         {with(pressure, "final", "preliminary"), "refused malformed status"},
		"entered in error":    {with(pressure, "final", "entered-in-error"), "refused malformed status"},
		"a test":              {with(pressure, `"status"`, `"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST"}]},"status"`), "refused malformed meta.security"},
		"a modifier":          {with(pressure, `"status"`, `"modifierExtension":[{"url":"urn:not"}],"status"`), "refused unknown-field modifierExtension"},
		"an unknown code":     {with(weight, "188736", "1", "29463-7", "0-0"), "refused unknown-measure code"},
		"codes of two":        {with(weight, "29463-7", "8310-5"), "refused inconsistent code"},
		"a month":             {with(weight, "2026-11-21", "2026-11"), "refused malformed effectiveDateTime"},
		"no zone":             {with(pressure, "11+01:00", "11"), "refused no-time-zone effectiveDateTime"},
		"no time":             {with(weight, `"effectiveDateTime":"2026-11-21",`, ""), "refused missing-value effectiveDateTime"},
		"a period":            {with(weight, `"effectiveDateTime":"2026-11-21"`, `"effectivePeriod":{}`), "refused malformed effective"},
		"a wrong unit":        {with(weight, `"code":"kg"`, `"code":"mmol/L"`), "refused unit-mismatch valueQuantity.code"},
		"an impossible value": {with(weight, "82.10", "8210"), "refused implausible valueQuantity.value"},
		"swapped":             {with(pressure, `"value":142`, `"value":91`, `"value":91`, `"value":142`), "refused inconsistent component[1].valueQuantity.value"},
		"at most":             {with(weight, `"value":82.10`, `"value":82.10,"comparator":"<="`), "refused malformed valueQuantity.comparator"},
		"a text":              {with(weight, `"valueQuantity"`, `"valueString":"82","x"`), "refused malformed value missing-value valueQuantity.value"},
		"a value and none":    {with(weight, `"valueQuantity"`, `"dataAbsentReason":{},"valueQuantity"`), "refused inconsistent dataAbsentReason missing-value valueQuantity.value"},
		"a foreign component": {with(pressure, "8462-4", "8310-5"), "refused unknown-field component[1].code missing-value value"},
		"HbA1c in mg/dL, as an official example has it": {with(weight, "188736", "1", "29463-7", "4548-4", `"value":82.10`, `"value":92`, `"code":"kg"`, `"code":"mg/dL"`), "refused unit-mismatch valueQuantity.code"},
		"in a bundle": {`{"resourceType":"Bundle","entry":[{"resource":` + with(weight, "82.10", "8210") + `}]}`, "refused implausible entry[0].resource.valueQuantity.value"},
	} {
		if got := said(c.payload); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// The official examples give what they say.
func TestTheOfficialFrenchExamples(t *testing.T) {
	for file, want := range map[string]string{
		"ans-observation-blood-pressure.json":       "ExampleMesFrObservationBP001 blood-pressure systolic=107 diastolic=60 2012-09-17",
		"ans-observation-oxygen-saturation.json":    "ExampleMesFrOxygenSat oxygen-saturation value=99 1999-07-02",
		"ans-observation-glucose-inconsistent.json": "refused unit-mismatch valueQuantity.code",
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", file))
		if err != nil {
			t.Skipf("the examples are not here: %v", err)
		}
		if got := said(string(text)); got != want {
			t.Errorf("%s: %s\nwant %s", file, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(pressure))
	f.Add([]byte(weight))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":` + weight + `},{"resource":3},{}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var batch ingest.Batch
		fhir.Decoder{}.Decode("vigie/v1/bp-1/fhir", "bp-1", payload, &batch)
		if len(batch.Readings)+len(batch.Refused) == 0 || len(batch.Parts) != len(batch.Readings) {
			t.Fatalf("a payload gives nothing, or readings without their parts: %+v", batch)
		}
		for i := range batch.Readings {
			r := &batch.Readings[i]
			if r.ID == "" || r.Measure == nil || r.Time.IsZero() || r.Device != "bp-1" {
				t.Errorf("accepted %+v", r)
			}
			for at, v := range r.Values {
				if c := &r.Measure.Components[at]; v != protocols.Missing && r.Limits == nil && (v < c.Low || v > c.High) {
					t.Errorf("accepted %s of %s", v, c.Name)
				}
			}
		}
		for _, refused := range batch.Refused {
			if len(refused.Reasons) == 0 || len(refused.Reasons) > 32 {
				t.Errorf("refused with %d reasons", len(refused.Reasons))
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	var batch ingest.Batch
	payload := []byte(pressure)
	for b.Loop() {
		batch = ingest.Batch{}
		fhir.Decoder{}.Decode("vigie/v1/bp-1/fhir", "bp-1", payload, &batch)
	}
}
