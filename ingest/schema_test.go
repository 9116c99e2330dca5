package ingest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

func follows(t *testing.T, topic string, payload []byte) bool {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(native.Schemas[topic]()))
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
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	return err == nil && schema.Validate(value) == nil
}

func TestStatusesThatFollowTheSchemaAreUnderstoodAndNoOthers(t *testing.T) {
	s := begin(t)
	for _, c := range []struct {
		payload string
		good    bool
	}{
		{`{"online":true}`, true}, {`{"online":false,"battery":87,"firmware":"1.4.2"}`, true}, {`{"online":true,"battery":12.5}`, true},
		{`{"online":true,"battery":null}`, true}, {`{}`, false}, {`{"online":1}`, false}, {`{"online":"true"}`, false}, {`{"Online":true}`, false},
		{`{"online":true,"battery":101}`, false}, {`{"online":true,"battery":-1}`, false}, {`{"online":true,"battery":"87"}`, false},
		{`{"online":true,"firmware":2}`, false}, {`{"online":true,"temperature":20}`, false}, {`[]`, false}, {`true`, false},
	} {
		before := len(s.setAside())
		if err := s.publish("scale-1", ingest.StatusTopic, c.payload); err != nil {
			t.Fatal(err)
		}
		if taken := len(s.setAside()) == before; taken != c.good {
			t.Errorf("%s: taken %v", c.payload, taken)
		}
		if says := follows(t, ingest.StatusTopic, []byte(c.payload)); says != c.good {
			t.Errorf("%s: the schema says %v", c.payload, says)
		}
	}
}

func TestReceiptsFollowTheirSchema(t *testing.T) {
	codes := append(protocols.Codes(), protocols.UnknownWord, protocols.OtherSpelling)
	var reasons []protocols.Reason
	for _, code := range codes {
		reasons = append(reasons, protocols.Reason{Code: code, Path: "values.value", Message: "this has to be a finite number", Fits: []string{"mmol/L"}})
	}
	for _, r := range []ingest.Receipt{
		{ID: "a", Verdict: ingest.Accepted, Warnings: reasons}, {ID: "a", Verdict: ingest.Duplicate}, {Verdict: ingest.SetAside, Reasons: reasons},
	} {
		payload, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if !follows(t, "receipts", payload) {
			t.Errorf("the schema refuses %s", payload)
		}
	}
}
