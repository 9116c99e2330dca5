package native

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vigie/ingest"
	"vigie/protocols"
)

// follows reports whether a payload follows the schema of a topic.
func follows(t *testing.T, schema *jsonschema.Schema, payload string) bool {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(payload))
	return err == nil && schema.Validate(value) == nil
}

func compiled(t *testing.T, topic string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schemas[topic]()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(topic, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(topic)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

var update = flag.Bool("update", false, "write the shipped schemas anew")

// TestTheShippedSchemasAreThoseOfTheCode shows in a review what changes for a vendor.
// go test ./ingest/formats/native -update writes them.
func TestTheShippedSchemasAreThoseOfTheCode(t *testing.T) {
	for topic, schema := range Schemas {
		file := topic + ".schema.json"
		if *update {
			if err := os.WriteFile(file, schema(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		shipped, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(shipped, schema()) {
			t.Errorf("%s is not what the code says; run go test ./ingest/formats/native -update, and note the change in README.md", file)
		}
	}
}

// specimens is a reading of each measure in each unit of its components.
func specimens() (payloads []string) {
	for _, m := range protocols.Measures() {
		for i := range m.Components {
			for _, unit := range m.UnitsFor(i) {
				values, units := map[string]string{}, map[string]string{}
				for j := range m.Components {
					c := &m.Components[j]
					if j == i || !c.Optional {
						values[c.Name], units[c.Name] = within(m, j, c.Unit), c.Unit
					}
				}
				name := m.Components[i].Name
				values[name], units[name] = within(m, i, unit), unit
				payloads = append(payloads, simple(m.ID, joined(values, "%s"), joined(units, "%q")))
			}
		}
	}
	return payloads
}

// within is a number that an instrument can report: pressures descend in the order of
// the components, so that none contradicts another.
func within(m *protocols.Measure, component int, unit string) string {
	c := &m.Components[component]
	if c.Whole {
		return c.High.String()
	}
	zero, _ := m.Convert(component, 0, unit)
	scale, _ := m.Scale(component, unit)
	share := 1 / float64(component+2)
	return fmt.Sprint((c.Low.Float() + share*(c.High.Float()-c.Low.Float()) - zero) / scale)
}

func joined(fields map[string]string, how string) string {
	var parts []string
	for name, value := range fields {
		parts = append(parts, fmt.Sprintf("%q:"+how, name, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// A vendor who follows the schema is understood, and what the schema refuses is set
// aside or told in a warning. The decoder and the schema read the same samples.
func TestSchemaAndDecoderAgree(t *testing.T) {
	schema := compiled(t, ingest.ReadingsTopic)
	good := append(specimens(), one, `[`+one+`,`+one+`]`,
		simple("weight", `{"value":181}`, `"lb"`), simple("glucose", `{"value":{"below":40}}`, `"mg/dL"`), simple("glucose", `{"value":{"above":22.2}}`, `"mmol/l"`),
		strings.Replace(one, `"2026-11-21T07:02:11+01:00"`, `"2026-11-21"`, 1), strings.Replace(one, `"2026-11-21T07:02:11+01:00"`, `"2026-11-21T06:02:11.5Z"`, 1),
		strings.Replace(one, `"time":"2026-11-21T07:02:11+01:00"`, `"age":12`, 1), strings.Replace(one, `"time":"2026-11-21T07:02:11+01:00"`, `"age":0.5`, 1))
	for _, payload := range good {
		if batch := decode(payload); len(batch.Refused) > 0 {
			t.Errorf("the decoder refuses %s: %+v", payload, batch.Refused[0].Reasons)
		}
		if !follows(t, schema, payload) {
			t.Errorf("the schema refuses %s", payload)
		}
	}
	for _, fault := range [][2]string{
		{`"id":"`, `"name":"`}, {`"time":`, `"at":`}, {`"measure":"`, `"what":"`}, {`"values":`, `"value":`}, {`"unit":`, `"units":`},
		{`T07:02:11+01:00`, `T07:02:11`}, {`T07:02:11+01:00`, ` 07:02`}, {`2026-11-21T`, `21/11/2026T`}, {`"blood-pressure"`, `"bloodpressure"`},
		{`"id":`, `"age":1,"id":`}, {`"time":"2026-11-21T07:02:11+01:00"`, `"age":-1`}, {`"time":"2026-11-21T07:02:11+01:00"`, `"age":"12"`}, {`"time":"2026-11-21T07:02:11+01:00"`, `"age":31622401`},
		{`142`, `"142"`}, {`142`, `null`}, {`142`, `"LOW"`}, {`142`, `{"below":"60"}`}, {`142`, `{"below":60,"above":50}`}, {`142`, `{}`}, {`142`, `[142]`},
		{`"systolic":142,`, ``}, {`"pulse"`, `"puls"`}, {`"mmHg"`, `"kg"`}, {`"mmHg"`, `7`}, {`"mmHg"`, `{"systolic":"kg","diastolic":"mm[Hg]"}`},
		{`"device"`, `"robot"`}, {`"sitting"`, `1`}, {`["irregular-pulse"]`, `"irregular-pulse"`}, {`["irregular-pulse"]`, `[""]`}, {`87}`, `101}`}, {`87}`, `"87"}`},
		{`{"systolic":142,"diastolic":91,"pulse":72}`, `{}`}, {`{"systolic":142,"diastolic":91,"pulse":72}`, `142`},
	} {
		payload := strings.Replace(one, fault[0], fault[1], 1)
		if payload == one {
			t.Fatalf("%q is not in the sample", fault[0])
		}
		if batch := decode(payload); len(batch.Refused) == 0 {
			t.Errorf("the decoder takes %s", payload)
		}
		if follows(t, schema, payload) {
			t.Errorf("the schema takes %s", payload)
		}
	}
	for _, payload := range []string{`[]`, `{}`, `null`, `7`, `[` + one + `,7]`, simple("glucose", `{"value":100},"context":{"specimen":"blood"}`, `"mg/dL"`)} {
		if batch := decode(payload); len(batch.Refused) == 0 || follows(t, schema, payload) {
			t.Errorf("%s is taken", payload)
		}
	}
}

// A receipt as it is written follows the schema, that of a whole message too.
func TestReceiptsFollowTheirSchema(t *testing.T) {
	reasons := []protocols.Reason{{Code: protocols.Implausible, Path: "[1].values.value", Message: "…"}}
	aside := ingest.Receipt{ID: "a", Verdict: ingest.SetAside, Reasons: reasons}
	schema := compiled(t, "receipts")
	for _, receipt := range []ingest.Receipt{
		{ID: "a", Verdict: ingest.Accepted}, aside, {ID: "a", Verdict: ingest.Accepted, Warnings: reasons},
		{Verdict: ingest.SetAside, Reasons: reasons, Payload: &ingest.Fingerprint{Bytes: 1, SHA256: "00", Begins: "{"}, Correlation: []byte("7")},
		{Verdict: ingest.SetAside, Payload: &ingest.Fingerprint{Bytes: 1}, Summary: &ingest.Summary{Readings: 2, Accepted: 1, SetAside: 1, Told: []ingest.Receipt{aside}}},
	} {
		text, err := json.Marshal(receipt)
		if err != nil || !follows(t, schema, string(text)) {
			t.Errorf("%v: the schema refuses %s", err, text)
		}
	}
	if follows(t, schema, `{"id":"","verdict":"accepted","summary":{"readings":1}}`) {
		t.Error("a summary without its counts is taken")
	}
}
