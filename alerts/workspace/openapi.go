package workspace

import (
	"encoding"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// inPath finds the parameters of an address.
var inPath = regexp.MustCompile(`\{(\w+)\}`)

// openAPI is the document for programs (OpenAPI 3.1), of these routes.
func openAPI(edition string, routes []route) document {
	s := schemas{}
	paths := map[string]any{}
	for _, r := range routes {
		o, described := operations[r.Pattern]
		method, path, _ := strings.Cut(r.Pattern, " ")
		if !described {
			continue
		}
		at, _ := paths[path].(map[string]any)
		if at == nil {
			at = map[string]any{}
			paths[path] = at
		}
		at[strings.ToLower(method)] = o.describe(r, path, s)
	}
	s["Problem"] = s.object(reflect.TypeFor[problem](), true)
	return document{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Vigie", "version": edition,
			"description": "Every error is an application/problem+json with a stable code and a sentence in the language of Accept-Language. Nothing may be seen or changed but of the patients of one's teams; the rest is answered as what does not exist.",
		},
		"security": []any{map[string]any{"bearer": []any{}}, map[string]any{"session": []any{}}},
		"paths":    paths,
		"components": map[string]any{
			"schemas": s,
			"securitySchemes": map[string]any{
				"bearer":  map[string]any{"type": "http", "scheme": "bearer"},
				"session": map[string]any{"type": "apiKey", "in": "cookie", "name": sessionCookie},
			},
		},
	}
}

// describe is an operation of the document.
func (o *operation) describe(r route, path string, s schemas) map[string]any {
	var list []any
	parameter := func(name, in, description string, required bool) {
		list = append(list, map[string]any{"name": name, "in": in, "description": description, "required": required, "schema": map[string]any{"type": "string"}})
	}
	for _, found := range inPath.FindAllStringSubmatch(path, -1) {
		parameter(found[1], "path", "from the address", true)
	}
	for _, name := range o.query {
		parameter(name, "query", parameters[name], false)
	}
	if o.version {
		parameter("If-Match", "header", "the ETag that was read; a PUT of what is new says If-None-Match: * instead", false)
	}
	if strings.HasPrefix(r.Pattern, "POST ") && o.status == http.StatusCreated {
		parameter("Idempotency-Key", "header", "the same request sent twice under one key adds one", false)
	}
	answered := map[string]any{"description": "done"}
	switch {
	case o.media != "":
		answered["content"] = map[string]any{o.media: map[string]any{"schema": map[string]any{"type": "string"}}}
	case o.answer != nil:
		answered["content"] = map[string]any{"application/json": map[string]any{"schema": s.of(reflect.TypeOf(o.answer), true)}}
	}
	described := map[string]any{
		"summary": o.summary, "operationId": strings.NewReplacer(" /api/v1", "", "/", "-", "{", "", "}", "", ".", "-").Replace(r.Pattern),
		"responses": map[string]any{
			strconv.Itoa(o.status): answered,
			"default": map[string]any{"description": "refused", "content": map[string]any{
				"application/problem+json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/Problem"}}}},
		},
	}
	if r.Door == open {
		described["security"] = []any{}
	}
	if r.Needs != "" {
		described["x-right"] = string(r.Needs)
	}
	if len(list) > 0 {
		described["parameters"] = list
	}
	if o.body != nil {
		described["requestBody"] = o.sent(s)
	}
	return described
}

func (o *operation) sent(s schemas) map[string]any {
	media, content := "application/json", map[string]any{"schema": s.of(reflect.TypeOf(o.body), false)}
	if _, patch := o.body.(merge); patch {
		media, content = "application/merge-patch+json", map[string]any{"schema": map[string]any{"type": "object"}}
	}
	if o.example != "" {
		content["example"] = json.RawMessage(o.example)
	}
	return map[string]any{"required": true, "content": map[string]any{media: content}}
}

// schemas are the schemas of types, by name.
type schemas map[string]any

var (
	valueType = reflect.TypeFor[protocols.Value]()
	timeType  = reflect.TypeFor[time.Time]()
	texts     = reflect.TypeFor[encoding.TextMarshaler]()
	marshals  = reflect.TypeFor[json.Marshaler]()
)

// of is the schema of a type. A struct that is answered holds whatever is not left out
// when it is empty; one that is sent, what the registry requires.
func (s schemas) of(t reflect.Type, answered bool) map[string]any {
	kind := func(name string) map[string]any { return map[string]any{"type": name} }
	switch {
	case t == valueType:
		return map[string]any{"type": []any{"number", "null"}}
	case t == timeType, t.Implements(texts):
		return kind("string")
	case t.Implements(marshals), t == reflect.TypeFor[document]():
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{s.of(t.Elem(), answered), kind("null")}}
	case reflect.Slice:
		if t == reflect.TypeFor[json.RawMessage]() {
			return map[string]any{}
		}
		return map[string]any{"type": []any{"array", "null"}, "items": s.of(t.Elem(), answered)}
	case reflect.Map:
		return map[string]any{"type": []any{"object", "null"}, "additionalProperties": s.of(t.Elem(), answered)}
	case reflect.Struct:
		return s.named(t, answered)
	case reflect.Bool:
		return kind("boolean")
	case reflect.String:
		return kind("string")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return kind("integer")
	case reflect.Float64, reflect.Float32:
		return kind("number")
	}
	return map[string]any{}
}

// named refers to the schema of a struct.
func (s schemas) named(t reflect.Type, answered bool) map[string]any {
	name := strings.TrimSuffix(t.Name(), "JSON")
	name = strings.ToUpper(name[:1]) + name[1:]
	if !answered {
		name += "Given"
	}
	if _, known := s[name]; !known {
		s[name] = map[string]any{} // a type may hold itself
		s[name] = s.object(t, answered)
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

func (s schemas) object(t reflect.Type, answered bool) map[string]any {
	properties, required := map[string]any{}, []string{}
	s.fields(t, answered, properties, &required)
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		slices.Sort(required)
		object["required"] = required
	}
	return object
}

func (s schemas) fields(t reflect.Type, answered bool, properties map[string]any, required *[]string) {
	ours := strings.HasSuffix(t.PkgPath(), "/registry")
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			s.fields(f.Type, answered, properties, required)
			continue
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		schema := s.of(f.Type, answered)
		rules := strings.Split(f.Tag.Get("validate"), ",")
		for _, rule := range rules {
			if words, is := strings.CutPrefix(rule, "oneof="); is && f.Type.Kind() == reflect.String {
				schema = map[string]any{"type": "string", "enum": strings.Fields(words)}
			}
		}
		properties[name] = schema
		always := !ours && answered && !strings.Contains(options, "omit")
		if always || ours && !answered && slices.Contains(rules, "required") && name != "id" && name != "name" {
			*required = append(*required, name)
		}
	}
}

// showOpenAPI serves the document.
func (w *Workspace) showOpenAPI(rw http.ResponseWriter, r *http.Request) {
	w.reply(rw, r, http.StatusOK, openAPI(w.Edition, w.routes()))
}
