package language

import (
	"vigie/protocols"
	"vigie/protocols/document"
)

func shapeICD10() map[string]any { return document.Matching(icd10.String()) }
func shapeStep() map[string]any {
	return document.Matching(`^(([0-9]+ ?(h|min|m|s) ?)+|[a-z][a-z0-9-]*)$`)
}
func shapeWindow() map[string]any { return document.Matching(`^(([0-9]+ ?(h|min|m|s) ?)+|[0-9]+ ?d)$`) }

// The shapes of tests.
func shapeMoment() map[string]any {
	return document.Matching(`^(day -?[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2})( ([01][0-9]|2[0-3]):[0-5][0-9])?$`)
}
func shapeEnded() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"const": "never"}, shapeMoment()}}
}
func shapeNumbers() map[string]any {
	return map[string]any{"anyOf": []any{document.ShapeNumber(), document.ListOf(document.ShapeNumber)()}}
}
func shapeAdded() map[string]any {
	return map[string]any{"anyOf": []any{document.ShapeNumber(), document.MapOf(document.ShapeNumber)()}}
}

// shapeSetting is a number, or one with the day on which it is set.
func shapeSetting() map[string]any {
	return map[string]any{"anyOf": []any{document.ShapeNumber(), document.SchemaOf(settingForm)}}
}

// shapeConfirm is a duration, or one with how far apart the two readings have to be.
func shapeConfirm() map[string]any {
	return map[string]any{"anyOf": []any{document.ShapeDuration(), document.SchemaOf(confirmForm)}}
}

func shapeOperand() map[string]any {
	return map[string]any{
		"description": "a number in the canonical unit, a number with its unit (54 mg/dL), the name of a parameter, or a multiple of one (1.5 x usual-weight)",
		"anyOf":       []any{map[string]any{"type": "number"}, document.Matching(`^([+-]?[0-9.]+ ?[^ ]*|([+-]?[0-9.]+ ?[x×] ?)?[a-z][a-z0-9-]*)$`)},
	}
}
func shapeCondition() map[string]any { return map[string]any{"$ref": "#/$defs/condition"} }

func shapeMeasure() map[string]any { return map[string]any{"enum": measureIDs()} }

// shapeVariant and shapeComponent list the words of all measures; which belong
// to the measure at hand is said by document.MeasureRules.
func shapeVariant() map[string]any {
	return map[string]any{"enum": collect(func(m *protocols.Measure) []string { return m.Variants })}
}

func shapeComponent() map[string]any {
	return map[string]any{"enum": collect((*protocols.Measure).ComponentNames)}
}

func collect(words func(*protocols.Measure) []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, m := range protocols.Measures() {
		for _, w := range words(m) {
			if !seen[w] {
				seen[w] = true
				all = append(all, w)
			}
		}
	}
	return all
}

// Schema returns the JSON Schema (draft 2020-12) of the protocol language, for
// editors to complete and check while a protocol is written. Check says more:
// what no schema can.
func Schema() []byte {
	return document.WriteSchema("Vigie care protocol", protocolForm, map[string]any{"condition": conditionSchema()})
}

// TestsSchema returns the JSON Schema of the tests that stand beside a
// protocol.
func TestsSchema() []byte {
	return document.WriteSchema("Tests of a Vigie care protocol", testsForm, nil)
}

func conditionSchema() map[string]any {
	self := map[string]any{"$ref": "#/$defs/condition"}
	several := map[string]any{"type": "array", "items": self, "minItems": 1}
	only := func(key string, value map[string]any) map[string]any {
		return map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{key: value, "sentence": document.SchemaOf(document.TextForm)}, "required": []string{key}}
	}
	comparison := document.SchemaOf(comparisonForm)
	comparison["allOf"] = document.MeasureRules()
	return map[string]any{"anyOf": []any{only("all", several), only("any", several), only("not", self), document.SchemaOf(someForm), document.SchemaOf(scoreForm), comparison}}
}
