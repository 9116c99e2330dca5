package document

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// Shape describes a value as JSON Schema does.
type Shape func() map[string]any

// ShapeWord is the shape of a text, or of a number that stands for one.
func ShapeWord() map[string]any {
	return map[string]any{"type": []string{"string", "number", "integer"}}
}

// ShapeYes is the shape of true or false.
func ShapeYes() map[string]any { return map[string]any{"type": "boolean"} }

// ShapeWhole is the shape of a whole number, not below zero.
func ShapeWhole() map[string]any {
	return map[string]any{"type": "integer", "minimum": 0}
}

// ShapeName is the shape of an id.
func ShapeName() map[string]any { return Matching(`^[a-z][a-z0-9-]*$`) }

// ShapeDate is the shape of a civil day.
func ShapeDate() map[string]any { return Matching(date.String()) }

// ShapeClock is the shape of a time of day.
func ShapeClock() map[string]any { return Matching(`^([01][0-9]|2[0-3]):[0-5][0-9]$`) }

// ShapeDuration is the shape of a length of time.
func ShapeDuration() map[string]any { return Matching(`^([0-9]+ ?(h|min|m|s) ?)+$`) }

// ShapeNumber is the shape of a number, with its unit or without.
func ShapeNumber() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "number"}, Matching(`^[+-]?[0-9.]+ ?[^ ]*$`)}}
}

// Matching is a text of that pattern.
func Matching(pattern string) map[string]any {
	return map[string]any{"type": "string", "pattern": pattern}
}

// OneOfWords is a word of a closed list.
func OneOfWords(choice *Choice) Shape {
	return func() map[string]any { return map[string]any{"enum": choice.Words} }
}

// OfForm is a mapping with the keys of a form.
func OfForm(f *Form) Shape {
	return func() map[string]any {
		if f == TextForm {
			return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, SchemaOf(f)}}
		}
		return SchemaOf(f)
	}
}

// ListOf is a list of one Shape.
func ListOf(item Shape) Shape {
	return func() map[string]any { return map[string]any{"type": "array", "items": item()} }
}

// MapOf is a mapping of names to values of one Shape.
func MapOf(item Shape) Shape {
	return func() map[string]any {
		return map[string]any{"type": "object", "propertyNames": ShapeName(), "additionalProperties": item()}
	}
}

// SchemaOf writes a form as an object of JSON Schema.
func SchemaOf(f *Form) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, field := range f.Fields {
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

// WriteSchema writes a form as a JSON Schema (draft 2020-12) with a title.
func WriteSchema(title string, f *Form, definitions map[string]any) []byte {
	schema := SchemaOf(f)
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

// date is how a day is written.
var date = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
