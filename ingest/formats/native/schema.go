package native

import (
	"bytes"
	"encoding/json"
	"fmt"

	"vigie/ingest"
	"vigie/protocols"
)

// Schemas are the JSON Schemas (draft 2020-12) of what travels under a device's
// topics, by the last level of the topic. They are made from the tables that the
// decoder uses.
//
// A payload that a schema refuses is set aside, or used with a warning. What depends on
// several fields, such as the range of a value in its unit, only Decode can tell.
var Schemas = map[string]func() []byte{
	ingest.ReadingsTopic: func() []byte { return write("One reading, or an array of readings", readingsSchema()) },
	ingest.StatusTopic:   func() []byte { return write("What a device says of itself", statusSchema()) },
	"receipts":           func() []byte { return write("What became of one reading, or of one message", receiptSchema()) },
}

// shape is a part of a JSON Schema.
type shape map[string]any

func write(title string, schema shape) []byte {
	schema["$schema"], schema["title"] = "https://json-schema.org/draft/2020-12/schema", title
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		panic("native: a schema is made of plain data and can always be written: " + err.Error())
	}
	return out.Bytes()
}

// object has these fields and no others.
func object(properties shape, required ...string) shape {
	closed := shape{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		closed["required"] = required
	}
	return closed
}

func text(least, most int) shape {
	return shape{"type": "string", "minLength": least, "maxLength": most, "pattern": `^[^\x00-\x1f\x7f]*$`}
}

func ref(name string) shape { return shape{"$ref": "#/$defs/" + name} }

func readingsSchema() shape {
	return shape{
		"anyOf": []any{ref("reading"), shape{"type": "array", "minItems": 1, "maxItems": ingest.MaxReadings, "items": ref("reading")}},
		"$defs": shape{"reading": readingSchema(), "number": numberSchema()},
	}
}

// numberSchema is a number, or the end of what the device shows.
func numberSchema() shape {
	either := []any{shape{"type": "number"}}
	for _, limit := range []protocols.Limit{protocols.LessThan, protocols.MoreThan} {
		either = append(either, object(shape{limit.String(): shape{"type": "number"}}, limit.String()))
	}
	return shape{"anyOf": either}
}

func readingSchema() shape {
	var measures []string
	var rules []any
	for _, m := range protocols.Measures() {
		measures = append(measures, m.ID)
		rules = append(rules, shape{
			"if":   shape{"properties": shape{"measure": shape{"const": m.ID}}, "required": []string{"measure"}},
			"then": shape{"properties": ofMeasure(m)},
		})
	}
	var sources []string
	for s := protocols.FromDevice; s <= protocols.FromProfessional; s++ {
		sources = append(sources, s.String())
	}
	reading := object(shape{
		"id": text(1, maxID),
		"time": shape{"type": "string", "pattern": `^\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))?$`,
			"description": "a time with its offset, or a day where only the day is known"},
		"measure": shape{"enum": measures},
		"values":  shape{"type": "object", "minProperties": 1},
		"unit":    shape{"type": []string{"string", "object"}},
		"source":  shape{"enum": sources},
		"context": shape{"type": "object", "maxProperties": maxContext, "propertyNames": text(1, maxWord), "additionalProperties": text(0, maxWord)},
		"flags":   shape{"type": "array", "maxItems": maxFlags, "items": text(1, maxWord), "description": "vigie measures lists those that are known"},
		"battery": shape{"type": "number", "minimum": 0, "maximum": 100, "description": "per cent"},
		"age":     shape{"type": "number", "minimum": 0, "maximum": ingest.MaxAge.Seconds(), "description": "seconds since it was measured, of a device without a clock: in the place of time"},
	}, "id", "measure", "values", "unit")
	reading["oneOf"] = []any{shape{"required": []string{"time"}}, shape{"required": []string{"age"}}}
	reading["allOf"] = rules
	return reading
}

// ofMeasure are the fields that depend on the measure.
func ofMeasure(m *protocols.Measure) shape {
	components, units := shape{}, shape{}
	var required, all []string
	for i := range m.Components {
		c := &m.Components[i]
		number := ref("number")
		number["description"] = fmt.Sprintf("%s, from %s to %s %s", c.Title.EN, c.Low, c.High, c.Unit)
		components[c.Name] = number
		spelled := spellingsOf(m.UnitsFor(i))
		units[c.Name] = shape{"enum": spelled}
		if !c.Optional {
			required = append(required, c.Name)
		}
		all = append(all, spelled...)
	}
	values := object(components, required...)
	values["minProperties"] = 1
	fields := shape{"values": values, "unit": shape{"anyOf": []any{shape{"enum": unique(all)}, object(units)}}}
	if len(m.Variants) > 0 {
		fields["context"] = shape{"properties": shape{"specimen": shape{"enum": m.Variants}}}
	}
	return fields
}

// spellingsOf are units with everything else that stands for one of them.
func spellingsOf(units []string) (all []string) {
	for _, unit := range units {
		all = append(append(all, unit), protocols.Spellings(unit)...)
	}
	return all
}

func unique(words []string) (once []string) {
	seen := map[string]bool{}
	for _, word := range words {
		if !seen[word] {
			seen[word] = true
			once = append(once, word)
		}
	}
	return once
}

func statusSchema() shape {
	return object(shape{
		"online":   shape{"type": "boolean"},
		"battery":  shape{"type": []string{"number", "null"}, "minimum": 0, "maximum": 100, "description": "per cent"},
		"firmware": shape{"type": []string{"string", "null"}, "maxLength": ingest.MaxFirmware},
	}, "online")
}

func receiptSchema() shape {
	codes := append(protocols.Codes(), protocols.UnknownWord, protocols.OtherSpelling)
	reasons := shape{"type": "array", "items": object(shape{
		"code": shape{"enum": codes}, "path": shape{"type": "string"}, "message": shape{"type": "string"},
		"fits": shape{"type": "array", "items": shape{"type": "string"}},
	}, "code", "message")}
	count := shape{"type": "integer", "minimum": 0}
	summary := object(shape{"readings": count, "accepted": count, "duplicate": count, "set-aside": count,
		"told": shape{"type": "array", "items": shape{"$ref": "#"}, "description": "the receipts with reasons or warnings, 100 at most"}}, "readings", "accepted", "duplicate", "set-aside")
	summary["description"] = "of a message that was published under …/summary: the receipt is for all of it, and its verdict that of the worst reading"
	return object(shape{
		"summary": summary,
		"id":      shape{"type": "string", "description": "empty where it could not be read, and in the receipt of a whole message"},
		"verdict": shape{"enum": []ingest.Verdict{ingest.Accepted, ingest.Duplicate, ingest.SetAside}},
		"reasons": reasons, "warnings": reasons,
		"payload": object(shape{"bytes": shape{"type": "integer"}, "sha256": shape{"type": "string"}, "begins": shape{"type": "string"}}, "bytes", "sha256", "begins"),
		"correlation": shape{"type": "string", "contentEncoding": "base64",
			"description": "the correlation data (MQTT 5) of a message of which no id could be read, or which has one receipt"},
	}, "id", "verdict")
}
