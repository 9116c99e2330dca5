package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigie/ingest"
	"vigie/protocols"
)

// A vendor learns offline what the service would say of a message.
func TestAMessageIsCheckedOffline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "message.json")
	message := `[{"id":"a","time":"2026-11-21T07:02:11+01:00","measure":"glucose","values":{"value":"LOW"},"unit":"mg/dL"},
		{"id":"b","time":"2026-11-21T07:02:11+01:00","measure":"weight","values":{"value":80},"unit":"Kg"}]`
	if err := os.WriteFile(file, []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := readingsLine(t, "check", file)
	if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "a : serait mise de côté\n  not-a-number [0].values.value : ") || !strings.Contains(out, "b : lisible\n  avertissement other-spelling") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = readingsLine(t, "check", "--format", "json", file)
	var receipts []ingest.Receipt
	if !errors.Is(err, exitStatus(1)) || json.Unmarshal([]byte(out), &receipts) != nil || len(receipts) != 2 || receipts[0].Verdict != ingest.Accepted || receipts[1].Reasons[0].Code != protocols.NotANumber {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(message, `"LOW"`, `{"below":40}`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := readingsLine(t, "check", file); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheManualAndTheSchemasAreForPrograms(t *testing.T) {
	for _, topic := range []string{"readings", "status", "receipts"} {
		if out, err := readingsLine(t, "schema", topic); err != nil || !json.Valid([]byte(out)) {
			t.Errorf("%s: %v\n%s", topic, err, out)
		}
	}
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"measures", "--json"})
	var all manual
	if err := root.ExecuteContext(t.Context()); err != nil || json.Unmarshal(out.Bytes(), &all) != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if len(all.Measures) != len(protocols.Measures()) || len(all.Kinds) != len(protocols.Kinds()) || len(all.Flags) != len(protocols.Flags()) || all.Measures[0].Components[0].Units[0].UCUM != "mm[Hg]" {
		t.Errorf("%d measures, %d kinds, %d flags, the first %+v", len(all.Measures), len(all.Kinds), len(all.Flags), all.Measures[0])
	}
}

func TestAnObservationIsCheckedByItsTopic(t *testing.T) {
	file := file(t, "weight.json", `{"resourceType":"Observation","id":"w-7","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"effectiveDateTime":"2026-11-21","valueQuantity":{"value":8210,"code":"kg","system":"http://unitsofmeasure.org"}}`)
	out, err := readingsLine(t, "check", "--topic", "fhir", file)
	if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "implausible valueQuantity.value") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := readingsLine(t, "check", "--topic", "hl7", file); err == nil || !strings.Contains(err.Error(), "fhir, gatt, nightscout, openmhealth, readings, senml, senml-cbor") {
		t.Errorf("of no topic: %v", err)
	}
}
