package devices_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/fhir"
	"vigie/ingest/formats/gatt"
	"vigie/ingest/formats/native"
	"vigie/ingest/formats/nightscout"
	"vigie/ingest/formats/openmhealth"
	"vigie/ingest/formats/senml"
	"vigie/protocols"
	"vigie/seeds/devices"
)

// What a device says in another format is read as what it says in our own.
func TestAReadingIsTheSameInEveryFormat(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	decoders := map[string]ingest.Decoder{"readings": native.Decoder{}, fhir.Topic: fhir.Decoder{}, gatt.Topic: gatt.Decoder{}, openmhealth.Topic: openmhealth.Decoder{},
		senml.Topic: senml.Decoder{}, senml.CBORTopic: senml.CBORDecoder{}, nightscout.Topic: nightscout.Decoder{}}
	at := time.Date(2026, 11, 21, 7, 2, 11, 0, paris).Format(time.RFC3339)
	number := func(n float64) devices.Given { return devices.Given{Number: n, Limit: protocols.Measured} }
	one := func(measure, unit, specimen string, n float64) devices.Reading {
		r := devices.Reading{ID: "a-" + measure, Time: at, Measure: measure, Unit: unit, Values: map[string]devices.Given{"value": number(n)}}
		if specimen != "" {
			r.Context = map[string]string{"specimen": specimen}
		}
		return r
	}
	low := one("glucose", "mg/dL", "interstitial", 40)
	low.Values["value"] = devices.Given{Number: 40, Limit: protocols.LessThan}
	cases := []struct {
		r   devices.Reading
		not []string // formats that have no way to say it
	}{
		{devices.Reading{ID: "a-pressure", Time: at, Measure: "blood-pressure", Unit: "mm[Hg]", Values: map[string]devices.Given{"systolic": number(142), "diastolic": number(91)}}, nil},
		{one("weight", "kg", "", 82.1), nil},
		{one("temperature", "Cel", "", 38.4), nil},
		{one("oxygen-saturation", "%", "", 93), nil},
		{one("glucose", "mg/dL", "capillary", 126), nil},
		{one("glucose", "mg/dL", "interstitial", 71), nil},
		{low, []string{"gatt", "openmhealth", "senml", "senml-cbor"}},
		{one("heart-rate", "/min", "", 64), nil},
		{one("inr", "1", "", 2.4), []string{"gatt", "openmhealth"}},
	}
	for _, c := range cases {
		want := decoded(t, native.Decoder{}, "native", encoded(t, &devices.Speeches[0], c.r))
		for i := range devices.Speeches {
			s := &devices.Speeches[i]
			payload, able := s.Say(c.r)
			if s.At != nil { // a gateway has no time of its own
				continue
			}
			sensor := c.r.Context["specimen"] == "interstitial" // all that Nightscout knows
			if able == (slices.Contains(c.not, s.Name) || s.Name == "nightscout" && !sensor) {
				t.Errorf("%s of %s: said %v", c.r.Measure, s.Name, able)
			}
			if !able {
				continue
			}
			got := decoded(t, decoders[s.Kind], s.Name, payload)
			if got.Measure != want.Measure || !got.Time.Equal(want.Time) || !slices.Equal(got.Values, want.Values) || !slices.Equal(got.Limits, want.Limits) || got.Variant != want.Variant || got.ID != want.ID && !strings.HasPrefix(s.Name, "senml") {
				t.Errorf("%s says %s, read as %+v, want %+v", s.Name, payload, got, want)
			}
		}
	}
	if _, err := devices.SpeechNamed("morse"); err == nil {
		t.Error("no device speaks morse")
	}
}

func encoded(t *testing.T, s *devices.Speech, r devices.Reading) []byte {
	t.Helper()
	payload, able := s.Say(r)
	if !able {
		t.Fatalf("%s cannot say %+v", s.Name, r)
	}
	return payload
}

func decoded(t *testing.T, decoder ingest.Decoder, name string, payload []byte) protocols.Reading {
	t.Helper()
	var batch ingest.Batch
	decoder.Decode("", "d", payload, &batch)
	if len(batch.Readings) != 1 || len(batch.Refused) > 0 {
		t.Fatalf("%s: %s gives %+v", name, payload, batch.Refused)
	}
	return batch.Readings[0]
}
