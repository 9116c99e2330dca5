package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vigie/ingest"
	"vigie/ingest/formats/gateway"
	"vigie/protocols"
)

func format(t testing.TB, id string) *gateway.Format {
	t.Helper()
	text, ok := gateway.Shipped(id)
	if !ok {
		t.Fatalf("no mapping %s ships", id)
	}
	f, problems := gateway.Parse(text, "Europe/Paris")
	if len(problems) > 0 {
		t.Fatalf("%s: %+v", id, problems)
	}
	return f
}

func TestEveryMappingThatShipsGivesWhatItsSamplesSay(t *testing.T) {
	if len(gateway.IDs()) < 5 {
		t.Errorf("%v ship", gateway.IDs())
	}
	for _, id := range gateway.IDs() {
		text, _ := gateway.Shipped(id)
		for _, p := range gateway.Try(text) {
			t.Errorf("%s:%d %s %s: %s", id, p.Line, p.Code, p.Path, p.Message.EN)
		}
		if f := format(t, id); f.ID() != id || f.Title() == "" {
			t.Errorf("%s is called %s, %q", id, f.ID(), f.Title())
		}
	}
}

// No topic belongs to two gateways, nor to devices that publish in our own format.
func TestTopicsTellGatewaysApart(t *testing.T) {
	topics := map[string]string{
		"home/gw/BTtoMQTT/AABBCCDDEEFF": "theengs", "esphome/scale-7/sensor/weight_kg/state": "esphome", "homeassistant/sensor/x_weight_kg/state": "home-assistant",
		"v1/devices/me/telemetry": "thingsboard", "omron/blood_pressure/user-1": "omron-bridge", "vigie/v1/scale-1/readings": "",
	}
	for topic, owner := range topics {
		for _, id := range gateway.IDs() {
			if owns := format(t, id).Owns(topic); owns != (id == owner) {
				t.Errorf("%s owns %s: %v", id, topic, owns)
			}
		}
	}
	for id, filter := range map[string]string{"theengs": "home/+/BTtoMQTT/+", "esphome": "esphome/+/sensor/+/state", "thingsboard": "v1/devices/me/telemetry"} {
		if got := format(t, id).Filter(); got != filter {
			t.Errorf("%s subscribes to %s, want %s", id, got, filter)
		}
	}
}

// One message that comes twice has one id; another value or moment has another.
func TestTheIdFollowsFromWhatWasMeasured(t *testing.T) {
	f := format(t, "thingsboard")
	ids := func(payload string) (ids []string) {
		var batch ingest.Batch
		f.Read("v1/devices/me/telemetry", []byte(payload), &batch)
		for i := range batch.Readings {
			ids = append(ids, batch.Readings[i].ID)
		}
		return ids
	}
	first := ids(`{"ts":1795240931000,"values":{"weight_kg":82.1}}`)
	if again := ids(`{"values":{"weight_kg":82.10},"ts":1795240931000}`); !slices.Equal(first, again) || len(first) != 1 || len(first[0]) != 24 {
		t.Errorf("%v and %v", first, again)
	}
	for _, other := range []string{`{"ts":1795240931001,"values":{"weight_kg":82.1}}`, `{"ts":1795240931000,"values":{"weight_kg":82.2}}`, `{"weight_kg":82.1}`} {
		if slices.Equal(first, ids(other)) {
			t.Errorf("%s has the same id", other)
		}
	}
}

const small = `gateway: mine
title: Mine
topic: hall/{device}/out
readings:
  - measure: blood-pressure
    values: {systolic: s, diastolic: d}
    unit: mmHg
    time: {at: when, as: local, zone: Europe/Paris}
samples:
  - topic: hall/bp-1/out
    payload: '{"s":142,"d":91,"when":"2026-11-21 07:02:11"}'
    gives: ["bp-1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:11Z"]
`

func TestAMappingIsCheckedLikeAProtocol(t *testing.T) {
	if problems := gateway.Try([]byte(small)); len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	for _, c := range []struct{ from, to, code, path string }{
		{"gateway: mine", "gateway: My Gateway", "bad-name", "gateway"},
		{"gateway: mine\n", "gateway: mine\ncolour: red\n", "unknown-key", "colour"},
		{"hall/{device}/out", "hall/+/out", "no-device", "topic"},
		{"hall/{device}/out", "hall/{device}/#", "bad-topic", "topic"},
		{"title: Mine", "title: Mine\ndevice: name", "no-device", "topic"},
		{"measure: blood-pressure", "measure: tension", "unknown-measure", "readings[0].measure"},
		{"{systolic: s, diastolic: d}", "{systolic: s}", "missing-component", "readings[0].values"},
		{"{systolic: s, diastolic: d}", "{systolic: s, diastolic: d, mood: m}", "unknown-component", "readings[0].values.mood"},
		{"unit: mmHg", "unit: kg", "unit-mismatch", "readings[0].unit"},
		{"    unit: mmHg\n", "", "no-unit", "readings[0]"},
		{"as: local, zone: Europe/Paris", "as: local", "bad-time-zone", "readings[0].time.zone"},
		{"as: local, zone: Europe/Paris", "as: local, zone: configured", "", ""},
		{"as: local, zone: Europe/Paris", "as: o'clock", "bad-time", "readings[0].time.as"},
		{"{at: when, as: local, zone: Europe/Paris}", "{}", "no-time", "readings[0].time"},
		{"systolic=142", "systolic=143", "sample-differs", "samples[0].gives"},
		{"topic: hall/bp-1/out", "topic: hall/bp-1/in", "other-topic", "samples[0].topic"},
		{small[strings.Index(small, "samples:"):], "", "no-samples", "samples"},
	} {
		text := strings.Replace(small, c.from, c.to, 1)
		if text == small {
			t.Fatalf("%q is not in the mapping", c.from)
		}
		problems := gateway.Try([]byte(text))
		if c.code == "" {
			if _, unnamed := gateway.Parse([]byte(text), ""); len(problems) > 0 || len(unnamed) != 1 || unnamed[0].Code != "bad-time-zone" {
				t.Errorf("a zone that the configuration names: %+v, and when it names none: %+v", problems, unnamed)
			}
			continue
		}
		if len(problems) == 0 || problems[0].Code != c.code || problems[0].Path != c.path || problems[0].Line == 0 {
			t.Errorf("%q in the place of %q: %+v, want %s at %s", c.to, c.from, problems, c.code, c.path)
		}
	}
}

// The hub of a household: who has measured stands beside each value.
func TestAHubTellsItsUsersApart(t *testing.T) {
	text := strings.NewReplacer("topic: hall/{device}/out", "topic: hall/{hub}/out\ndevice: \"{hub}-user-{slot}\"").Replace(small)
	f, problems := gateway.Parse([]byte(text), "")
	if len(problems) > 0 {
		t.Fatalf("%+v\n%s", problems, text)
	}
	one := `{"slot":%s,"s":%d,"d":91,"when":"2026-11-21 07:02"}`
	payload := "[" + fmt.Sprintf(one, "1", 142) + "," + fmt.Sprintf(one, `"2"`, 151) + "," + fmt.Sprintf(one, "null", 133) + "]"
	want := "hub-3-user-1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:00Z|hub-3-user-2 blood-pressure systolic=151 diastolic=91 2026-11-21T06:02:00Z|refused unknown-device"
	if got := strings.Join(f.Lines("hall/hub-3/out", []byte(payload)), "|"); got != want {
		t.Errorf("it gives %q, want %q", got, want)
	}
}

func TestAMessageIsReadOrRefusedAndNeverGuessed(t *testing.T) {
	f, problems := gateway.Parse([]byte(small), "")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for payload, want := range map[string]string{
		`{"s":142,"d":91}`:                                                     "refused missing-value when",
		`{"s":142,"when":"2026-11-21 07:02:11"}`:                               "refused missing-value values.diastolic",
		`{"s":"142","d":"91","when":"2026-11-21 07:02"}`:                       "bp-1 blood-pressure systolic=142 diastolic=91 2026-11-21T06:02:00Z",
		`{"s":true,"d":91,"when":"2026-11-21 07:02:11"}`:                       "refused not-a-number values.systolic",
		`{"s":142,"d":91,"when":"21/11/2026 07:02"}`:                           "refused malformed when",
		`{"s":142,"d":91,"when":"2026-03-29 02:30:00"}`:                        "refused no-time-zone when",
		`{"s":142,"d":91,"when":"2026-10-25 02:30:00"}`:                        "refused no-time-zone when",
		`{"s":142,"d":91,"when":"2026-10-25 01:59:59"}`:                        "bp-1 blood-pressure systolic=142 diastolic=91 2026-10-24T23:59:59Z",
		`{"s":0.142,"d":0.091,"when":"2026-11-21 07:02"}`:                      "refused implausible values.systolic|refused implausible values.diastolic",
		`{"something":"else"}`:                                                 "",
		`not JSON`:                                                             "",
		`[]`:                                                                   "",
		`{"s":142,"d":91,"when":"2026-11-21 07:02:11"} {}`:                     "refused malformed",
		`{"s":142,"d":91,"s":102,"when":"2026-11-21 07:02"}`:                   "refused malformed s",
		"{\"s\":142,\"d\":91,\"when\":\"2026-11-21 07:02\",\"room\":\"\xe9\"}": "refused malformed",
		`{"something":1,"something":2}`:                                        "",
	} {
		if got := strings.Join(f.Lines("hall/bp-1/out", []byte(payload)), "|"); got != want {
			t.Errorf("%s gives %q, want %q", payload, got, want)
		}
	}
}

// FuzzRead holds that whatever a gateway publishes is read or refused, and that readings
// come with their parts.
func FuzzRead(f *testing.F) {
	var formats []*gateway.Format
	for _, id := range gateway.IDs() {
		formats = append(formats, format(f, id))
	}
	for _, payload := range []string{`{"ts":1795240931000,"values":{"weight_kg":82.1}}`, `61.45`, `nan`, `[{"spo2_percent":97},7]`, `{"weighing_mode":"person","unit":"kg","weight":61.4}`,
		`{"timestamp":"2026-11-21T07:02:11","systolic":142,"diastolic":91}`, `{"a":[{"weight_kg":82.1},{"spo2_percent":97}],"b:c":{"weight_kg":81}}`} {
		for _, topic := range []string{"home/a/BTtoMQTT/AA", "esphome/a/sensor/weight_kg/state", "homeassistant/sensor/a_weight_kg/state", "v1/devices/me/telemetry", "v1/gateway/telemetry", "omron/blood_pressure/a"} {
			f.Add(topic, []byte(payload))
		}
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		for _, format := range formats {
			if !format.Owns(topic) {
				continue
			}
			var batch ingest.Batch
			format.Read(topic, payload, &batch)
			if len(batch.Readings) != len(batch.Parts) {
				t.Fatalf("%d readings in %d parts", len(batch.Readings), len(batch.Parts))
			}
			for i := range batch.Readings {
				r := &batch.Readings[i]
				var again ingest.Batch
				format.Read(topic, batch.Parts[i], &again)
				if !slices.ContainsFunc(again.Readings, func(o protocols.Reading) bool { return o.Device == r.Device && o.ID == r.ID }) {
					t.Fatalf("the part %q gives %+v, and no %+v", batch.Parts[i], again.Readings, r)
				}
				if r.ID == "" || len(r.Values) != len(r.Measure.Components) || r.Values[0] == protocols.Missing && r.Measure.Components[0].Name == "value" {
					t.Fatalf("read %+v", r)
				}
			}
		}
	})
}
