package protocols

import (
	"bytes"
	"encoding/json"
)

// shape describes a value as JSON Schema does.
type shape func() map[string]any

func shapeWord() map[string]any {
	return map[string]any{"type": []string{"string", "number", "integer"}}
}
func shapeYes() map[string]any { return map[string]any{"type": "boolean"} }
func shapeWhole() map[string]any {
	return map[string]any{"type": "integer", "minimum": 0}
}
func shapeName() map[string]any     { return matching(`^[a-z][a-z0-9-]*$`) }
func shapeDate() map[string]any     { return matching(date.String()) }
func shapeICD10() map[string]any    { return matching(icd10.String()) }
func shapeClock() map[string]any    { return matching(`^([01][0-9]|2[0-3]):[0-5][0-9]$`) }
func shapeDuration() map[string]any { return matching(`^([0-9]+ ?(h|min|m|s) ?)+$`) }
func shapeStep() map[string]any     { return matching(`^(([0-9]+ ?(h|min|m|s) ?)+|[a-z][a-z0-9-]*)$`) }
func shapeWindow() map[string]any   { return matching(`^(([0-9]+ ?(h|min|m|s) ?)+|[0-9]+ ?d)$`) }
func shapeNumber() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "number"}, matching(`^[+-]?[0-9.]+ ?[^ ]*$`)}}
}

// The shapes of tests.
func shapeMoment() map[string]any {
	return matching(`^(day -?[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2})( ([01][0-9]|2[0-3]):[0-5][0-9])?$`)
}
func shapeEnded() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"const": "never"}, shapeMoment()}}
}
func shapeNumbers() map[string]any {
	return map[string]any{"anyOf": []any{shapeNumber(), listOf(shapeNumber)()}}
}
func shapeAdded() map[string]any {
	return map[string]any{"anyOf": []any{shapeNumber(), mapOf(shapeNumber)()}}
}

func shapeOperand() map[string]any {
	return map[string]any{
		"description": "a number in the canonical unit, a number with its unit (54 mg/dL), or the name of a parameter",
		"anyOf":       []any{map[string]any{"type": "number"}, matching(`^([+-]?[0-9.]+ ?[^ ]*|[a-z][a-z0-9-]*)$`)},
	}
}
func shapeCondition() map[string]any { return map[string]any{"$ref": "#/$defs/condition"} }

func shapeMeasure() map[string]any { return map[string]any{"enum": measureIDs()} }

// shapeVariant and shapeComponent list the words of all measures; which belong
// to the measure at hand is said by measureRules.
func shapeVariant() map[string]any {
	return map[string]any{"enum": collect(func(m *Measure) []string { return m.Variants })}
}

func shapeComponent() map[string]any { return map[string]any{"enum": collect(componentNames)} }

func collect(words func(*Measure) []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, m := range measures {
		for _, w := range words(m) {
			if !seen[w] {
				seen[w] = true
				all = append(all, w)
			}
		}
	}
	return all
}

func matching(pattern string) map[string]any {
	return map[string]any{"type": "string", "pattern": pattern}
}

func oneOfWords(words []string) shape {
	return func() map[string]any { return map[string]any{"enum": words} }
}

func ofForm(f *form) shape {
	return func() map[string]any {
		if f == textForm {
			return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, schemaOf(f)}}
		}
		return schemaOf(f)
	}
}

func listOf(item shape) shape {
	return func() map[string]any { return map[string]any{"type": "array", "items": item()} }
}

func mapOf(item shape) shape {
	return func() map[string]any {
		return map[string]any{"type": "object", "propertyNames": shapeName(), "additionalProperties": item()}
	}
}

// schemaOf writes a form as an object of JSON Schema.
func schemaOf(f *form) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, field := range f.fields {
		s := field.holds()
		if s["description"] == nil && s["$ref"] == nil {
			s["description"] = field.says.EN
		}
		properties[field.key] = s
		if field.required {
			required = append(required, field.key)
		}
	}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		object["required"] = required
	}
	return object
}

// Schema returns the JSON Schema (draft 2020-12) of the protocol language, for
// editors to complete and check while a protocol is written. Check says more:
// what no schema can.
func Schema() []byte {
	return writeSchema("Vigie care protocol", protocolForm, map[string]any{"condition": conditionSchema()})
}

// TestsSchema returns the JSON Schema of the tests that stand beside a
// protocol.
func TestsSchema() []byte { return writeSchema("Tests of a Vigie care protocol", testsForm, nil) }

func writeSchema(title string, f *form, definitions map[string]any) []byte {
	schema := schemaOf(f)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = title
	if definitions != nil {
		schema["$defs"] = definitions
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		panic("protocols: the schema is made of plain data and can always be written: " + err.Error())
	}
	return out.Bytes()
}

func conditionSchema() map[string]any {
	self := map[string]any{"$ref": "#/$defs/condition"}
	several := map[string]any{"type": "array", "items": self, "minItems": 1}
	only := func(key string, value map[string]any) map[string]any {
		return map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{key: value}, "required": []string{key}}
	}
	comparison := schemaOf(comparisonForm)
	comparison["allOf"] = measureRules()
	return map[string]any{"anyOf": []any{only("all", several), only("any", several), only("not", self), comparison}}
}

// measureRules says, measure by measure, which components and variants go with
// it, and which units its numbers may be written in.
func measureRules() []any {
	var rules []any
	for _, m := range measures {
		then := map[string]any{"component": map[string]any{"enum": componentNames(m)}, "minus_component": map[string]any{"enum": componentNames(m)}}
		if len(m.Variants) > 0 {
			then["variant"] = map[string]any{"enum": m.Variants}
		}
		rules = append(rules, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"measure": map[string]any{"const": m.ID}}},
			"then": map[string]any{"properties": then, "$comment": unitsComment(m)},
		})
	}
	return rules
}

func unitsComment(m *Measure) string {
	var b bytes.Buffer
	for i := range m.Components {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(m.Components[i].Name + " in")
		for j, unit := range m.UnitsFor(i) {
			if j > 0 {
				b.WriteString(" or")
			}
			b.WriteString(" " + unit)
		}
	}
	return b.String()
}
