package openmhealth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/openmhealth"
	"vigie/protocols"
)

// said is what a payload gives.
func said(payload string) string {
	var batch ingest.Batch
	openmhealth.Decoder{}.Decode("vigie/v1/bp-1/openmhealth", "bp-1", []byte(payload), &batch)
	var all []string
	for i := range batch.Readings {
		r := &batch.Readings[i]
		text := r.ID + " " + r.Measure.ID
		if r.Source != protocols.FromDevice {
			text = r.ID + " by the " + r.Source.String() + " " + r.Measure.ID
		}
		if r.Variant > 0 {
			text += "/" + r.Measure.Variants[r.Variant-1]
		}
		for at, v := range r.Values {
			if v != protocols.Missing {
				text += " " + r.Measure.Components[at].Name + "=" + v.String()
			}
		}
		text += " " + r.Time.Format(time.RFC3339)
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

func of(name, body string) string {
	return fmt.Sprintf(`{"header":{"id":"dp-1","creation_date_time":"2026-11-21T07:02:20+01:00","schema_id":{"namespace":"omh","name":%q,"version":"2.0"},"acquisition_provenance":{"source_name":"example","modality":"sensed"}},"body":{%s}}`, name, body)
}

const (
	at       = `,"effective_time_frame":{"date_time":"2026-11-21T07:02:11+01:00"}`
	pressure = `"systolic_blood_pressure":{"value":142,"unit":"mmHg"},"diastolic_blood_pressure":{"value":91,"unit":"mmHg"}`
	weight   = `"body_weight":{"value":82.10,"unit":"kg"}`
)

func TestDataPointsAreReadOrRefused(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"a blood pressure":     {of("blood-pressure", pressure+at), "dp-1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:11Z; warned other-spelling body.diastolic_blood_pressure.unit; warned other-spelling body.systolic_blood_pressure.unit"},
		"a weight":             {of("body-weight", weight+at), "dp-1 weight value=82.1 2026-11-21T06:02:11Z"},
		"a weight in pounds":   {of("body-weight", `"body_weight":{"value":181,"unit":"lb"}`+at), "dp-1 weight value=82.1 2026-11-21T06:02:11Z"},
		"a glucose":            {of("blood-glucose", `"blood_glucose":{"value":6.2,"unit":"mmol/L"},"specimen_source":"capillary blood"`+at), "dp-1 glucose/capillary value=111.697 2026-11-21T06:02:11Z"},
		"a heart rate":         {of("heart-rate", `"heart_rate":{"value":72,"unit":"beats/min"}`+at), "dp-1 heart-rate value=72 2026-11-21T06:02:11Z"},
		"a saturation":         {of("oxygen-saturation", `"oxygen_saturation":{"value":97,"unit":"%"}`+at), "dp-1 oxygen-saturation value=97 2026-11-21T06:02:11Z"},
		"a venous one":         {of("oxygen-saturation", `"oxygen_saturation":{"value":70,"unit":"%"},"system":"venous"`+at), "refused unknown-measure body.system"},
		"a peripheral one":     {of("oxygen-saturation", `"oxygen_saturation":{"value":97,"unit":"%"},"system":"peripheral"`+at), "dp-1 oxygen-saturation value=97 2026-11-21T06:02:11Z"},
		"two hours after":      {of("blood-glucose", `"blood_glucose":{"value":118,"unit":"mg/dL"},"temporal_relationship_to_meal":"2 hours postprandial"`+at), "dp-1 glucose value=118 2026-11-21T06:02:11Z meal:after-2h"},
		"not fasting":          {of("blood-glucose", `"blood_glucose":{"value":118,"unit":"mg/dL"},"temporal_relationship_to_meal":"not fasting"`+at), "dp-1 glucose value=118 2026-11-21T06:02:11Z"},
		"tears":                {of("blood-glucose", `"blood_glucose":{"value":6.2,"unit":"mmol/L"},"specimen_source":"tears"`+at), "refused unknown-measure body.specimen_source"},
		"a fever":              {of("body-temperature", `"body_temperature":{"value":101.3,"unit":"F"}`+at), "dp-1 temperature value=38.5 2026-11-21T06:02:11Z"},
		"two in a list":        {"[" + of("body-weight", weight+at) + "," + of("body-weight", `"body_weight":{"value":8210,"unit":"kg"}`+at) + "]", "dp-1 weight value=82.1 2026-11-21T06:02:11Z; refused implausible [1].body.body_weight.value"},
		"of IEEE 1752.1":       {strings.Replace(of("body-weight", weight+at), `"id"`, `"uuid"`, 1), "dp-1 weight value=82.1 2026-11-21T06:02:11Z"},
		"what a patient typed": {strings.Replace(of("body-weight", weight+at), "sensed", "self-reported", 1), "dp-1 by the patient weight value=82.1 2026-11-21T06:02:11Z"},
		"no JSON":              {"{", "refused malformed "},
		"an empty list":        {"[]", "refused malformed "},
		"an average":           {of("body-weight", weight+`,"descriptive_statistic":"average"`+at), "refused malformed body.descriptive_statistic"},
		"an interval":          {of("body-weight", weight+`,"effective_time_frame":{"time_interval":{"start_date_time":"2026-11-21T07:02:11Z"}}`), "refused malformed body.effective_time_frame.time_interval"},
		"no time":              {of("body-weight", weight), "refused missing-value body.effective_time_frame"},
		"a time of no zone":    {of("body-weight", weight+strings.Replace(at, "+01:00", "", 1)), "refused malformed body.effective_time_frame.date_time"},
		"no unit":              {of("body-weight", `"body_weight":{"value":82}`+at), "refused unknown-unit body.body_weight.unit"},
		"a foreign unit":       {of("body-weight", `"body_weight":{"value":82,"unit":"mmHg"}`+at), "refused unit-mismatch body.body_weight.unit"},
		"a value twice":        {of("body-weight", `"body_weight":{"value":82,"value":28,"unit":"kg"}`+at), "refused malformed body.body_weight.value"},
		"half a pressure":      {of("blood-pressure", pressure[:strings.Index(pressure, ",\"dia")]+at), "refused missing-value body.diastolic_blood_pressure.value"},
		"swapped":              {of("blood-pressure", strings.NewReplacer("142", "91", "91", "142").Replace(pressure)+at), "refused inconsistent body.diastolic_blood_pressure.value"},
		"another schema":       {of("step-count", `"step_count":7`+at), "refused unknown-measure header.schema_id.name"},
		"no id":                {strings.Replace(of("body-weight", weight+at), `"id":"dp-1",`, "", 1), "refused missing-value header.id"},
	} {
		if got := said(c.payload); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// FuzzDecode holds that whatever comes is read or refused.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(of("blood-pressure", pressure+at)))
	f.Add([]byte("[" + of("body-weight", weight+at) + ",3,{}]"))
	f.Add([]byte(of("blood-glucose", `"blood_glucose":{"value":6.2,"unit":"mmol/L"},"specimen_source":"interstitial fluid"`+at)))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var batch ingest.Batch
		openmhealth.Decoder{}.Decode("vigie/v1/bp-1/openmhealth", "bp-1", payload, &batch)
		if len(batch.Readings)+len(batch.Refused) == 0 || len(batch.Parts) != len(batch.Readings) {
			t.Fatalf("a payload gives nothing, or readings without their parts: %+v", batch)
		}
		for i := range batch.Readings {
			r := &batch.Readings[i]
			if r.ID == "" || r.Measure == nil || len(r.Values) != len(r.Measure.Components) {
				t.Errorf("accepted %+v", r)
			}
			for at, v := range r.Values {
				if c := &r.Measure.Components[at]; v != protocols.Missing && (v < c.Low || v > c.High) {
					t.Errorf("accepted %s of %s", v, c.Name)
				}
			}
		}
	})
}
