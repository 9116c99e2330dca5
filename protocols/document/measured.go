package document

import (
	"bytes"

	"vigie/protocols"
)

// MeasureRules says, measure by measure, which components and variants go with
// it, and which units its numbers may be written in: for the schema of a file about measures.
func MeasureRules() []any {
	var rules []any
	for _, m := range protocols.Measures() {
		then := map[string]any{"component": map[string]any{"enum": m.ComponentNames()}, "minus_component": map[string]any{"enum": m.ComponentNames()}, "per_component": map[string]any{"enum": m.ComponentNames()}}
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

func unitsComment(m *protocols.Measure) string {
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
