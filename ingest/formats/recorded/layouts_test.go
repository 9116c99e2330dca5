package recorded_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
)

// The README lists every export with its source, and no other.
func TestEveryExportStandsInTheReadmeWithItsSource(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Join(recorded.Sources(), "\n")
	if !strings.Contains(string(text), "|---|---|---|\n"+rows+"\n\n") {
		t.Errorf("the table of README.md has to be\n%s", rows)
	}
}

func TestAHeaderThatIsAlmostKnownIsNotRecognised(t *testing.T) {
	for _, text := range []string{
		"Device Timestamp,Record Type,Historic Glucose mg/dL,Historic Glucose mmol/L\n", // two columns for one
		"Device Timestamp,Historic Glucose mg/dL\n",                                     // without the kind of row
		"date,value\n", "\n\n", "<HealthData/>",
	} {
		if known, err := recorded.Recognise(strings.NewReader(text), ""); !errors.Is(err, recorded.ErrUnknownLayout) && err == nil {
			t.Errorf("%q is taken for %+v", text, known)
		}
	}
}

// FuzzRecognise reads whatever is recognised, and holds it to what a device is held to.
func FuzzRecognise(f *testing.F) {
	f.Add("Device Timestamp,Record Type,Historic Glucose mmol/L,Scan Glucose mmol/L\n03-06-2026 08:00,0,5.1,\n")
	f.Add("<?xml version=\"1.0\"?><HealthData><Record type=\"HKQuantityTypeIdentifierBodyMass\" unit=\"kg\" startDate=\"2026-06-18 07:05:00 +0200\" value=\"70.3\"/></HealthData>")
	f.Add(`[{"type":"sgv","sgv":118,"date":1772348400000,"dateString":"2026-03-01T07:00:00.000Z"}]`)
	f.Add(`[{"type":"cbg","uploadId":"u","time":"2026-06-14T06:05:00.000Z","units":"mmol/L","value":2.1,"annotations":[{"code":"bg/out-of-range","value":"low","threshold":40}]}]`)
	f.Add("DAY;TIME;UDT_CGMS\n03.04.2026;19:20;115\n")
	f.Add("Date,Time,Systolic (mmHg),Diastolic (mmHg),Pulse (bpm)\nJan 12 2026,08:15,128,82,64\n")
	f.Fuzz(func(t *testing.T, text string) {
		known, err := recorded.Recognise(strings.NewReader(text), "")
		if err != nil {
			return
		}
		for _, layout := range known.Layouts {
			layout.Zone = paris
			series, err := recorded.Read(strings.NewReader(text), layout)
			if err != nil {
				continue
			}
			for _, r := range series.Readings {
				for i, v := range r.Values {
					if c := r.Measure.Components[i]; v != protocols.Missing && r.Limits == nil && (v < c.Low || v > c.High) || r.Time.Location() != time.UTC {
						t.Errorf("accepted %+v", r)
					}
				}
			}
		}
	})
}
