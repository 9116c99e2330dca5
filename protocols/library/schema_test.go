package library_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/document"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/nomenclature"
)

var update = flag.Bool("update", false, "write the shipped schemas anew")

// TestTheShippedSchemasAreThoseOfTheCode keeps the files that editors read equal
// to what the code says. go test ./protocols/library -update writes them.
func TestTheShippedSchemasAreThoseOfTheCode(t *testing.T) {
	for file, schema := range map[string][]byte{"protocol.schema.json": language.Schema(), "tests.schema.json": language.TestsSchema(), "measures.schema.json": nomenclature.Schema()} {
		if *update {
			if err := os.WriteFile(file, schema, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		shipped, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(shipped, schema) {
			t.Errorf("%s is not what the code says; run go test ./protocols/library -update", file)
		}
	}
}

func TestEveryShippedFileFollowsItsSchema(t *testing.T) {
	for _, id := range library.Names() {
		for file, schema := range map[string][]byte{id + ".yaml": language.Schema(), id + ".test.yaml": language.TestsSchema()} {
			for _, complaint := range follows(t, schema, read(t, file)) {
				t.Errorf("%s: %s", file, complaint)
			}
		}
	}
}

func TestTheSchemaRefusesWhatEditorsShouldUnderline(t *testing.T) {
	data, err := library.FS.ReadFile("heart-failure.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for line, instead := range map[string]string{
		"too_late: 24h":             "to_late: 24h",
		"too_late: 24h\n":           "too_late: soon\n",
		"icd10: I50":                "icd10: heart",
		"measure: heart-rate\n":     "measure: heartrate\n",
		"statistic: median, days":   "statistic: average, days",
		"component: orthopnoea":     "component: systolic",
		"level: red":                "level: purple",
		"confirm: 30m":              "confirm: 30 days",
		"above: fast-gain":          "above: [fast-gain]",
		"min_age: 18":               "min_age: adult",
		"cadence: {times: 1, per: ": "cadence: {times: 1, each: ",
	} {
		if !bytes.Contains(data, []byte(line)) {
			t.Fatalf("%q is not in the protocol", line)
		}
		doc, err := yaml.Parse(bytes.Replace(data, []byte(line), []byte(instead), 1))
		if err != nil {
			t.Fatal(err)
		}
		if len(follows(t, language.Schema(), doc)) == 0 {
			t.Errorf("the schema lets %q through", instead)
		}
	}
}

func follows(t *testing.T, schema []byte, doc *document.Node) []string {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatal(err)
	}
	v := &validator{root: root}
	return v.check(root, doc, "")
}

// validator knows the words of JSON Schema that Schema uses, and stops at any
// other.
type validator struct{ root map[string]any }

func (v *validator) check(schema map[string]any, n *document.Node, path string) []string {
	var bad []string
	complain := func(format string, args ...any) {
		bad = append(bad, fmt.Sprintf("line %d, %s: ", n.Line, path)+fmt.Sprintf(format, args...))
	}
	for word, value := range schema {
		switch word {
		case "$schema", "$comment", "title", "description", "$defs", "additionalProperties", "then":
		case "$ref":
			bad = append(bad, v.check(v.root["$defs"].(map[string]any)["condition"].(map[string]any), n, path)...)
		case "type":
			if !slices.ContainsFunc(words(value), func(kind string) bool { return isOf(kind, n) }) {
				complain("is not of type %v", value)
			}
		case "enum":
			if !slices.Contains(words(value), n.Text) {
				complain("%q is not one of %v", n.Text, value)
			}
		case "const":
			if n.Text != value {
				complain("%q is not %v", n.Text, value)
			}
		case "pattern":
			if !regexp.MustCompile(value.(string)).MatchString(n.Text) {
				complain("%q does not match %v", n.Text, value)
			}
		case "minimum":
			if f, err := strconv.ParseFloat(n.Text, 64); err == nil && f < value.(float64) {
				complain("%s is below %v", n.Text, value)
			}
		case "minItems":
			if len(n.Items) < int(value.(float64)) {
				complain("has too few items")
			}
		case "items":
			for i, item := range n.Items {
				bad = append(bad, v.check(value.(map[string]any), item, fmt.Sprintf("%s[%d]", path, i))...)
			}
		case "required":
			for _, key := range words(value) {
				if n.Kind == document.Mapping && n.Get(key) == nil {
					complain("has no %s", key)
				}
			}
		case "properties":
			bad = append(bad, v.properties(schema, n, path)...)
		case "propertyNames":
			for _, key := range n.Keys {
				bad = append(bad, v.check(value.(map[string]any), key, path)...)
			}
		case "anyOf":
			bad = append(bad, v.anyOf(value.([]any), n, path)...)
		case "allOf":
			for _, part := range value.([]any) {
				bad = append(bad, v.check(part.(map[string]any), n, path)...)
			}
		case "if":
			if len(v.check(value.(map[string]any), n, path)) == 0 {
				bad = append(bad, v.check(schema["then"].(map[string]any), n, path)...)
			}
		default:
			complain("the schema says %q, which this test does not know", word)
		}
	}
	if extra, ok := schema["additionalProperties"].(map[string]any); ok && n.Kind == document.Mapping {
		for i, item := range n.Items {
			bad = append(bad, v.check(extra, item, path+"."+n.Keys[i].Text)...)
		}
	}
	return bad
}

func (v *validator) properties(schema map[string]any, n *document.Node, path string) []string {
	var bad []string
	known := schema["properties"].(map[string]any)
	for i, key := range n.Keys {
		property, ok := known[key.Text].(map[string]any)
		switch {
		case ok:
			bad = append(bad, v.check(property, n.Items[i], path+"."+key.Text)...)
		case schema["additionalProperties"] == false:
			bad = append(bad, fmt.Sprintf("line %d, %s: there is no key %s", key.Line, path, key.Text))
		}
	}
	return bad
}

func (v *validator) anyOf(parts []any, n *document.Node, path string) []string {
	var all []string
	for _, part := range parts {
		bad := v.check(part.(map[string]any), n, path)
		if len(bad) == 0 {
			return nil
		}
		all = append(all, bad...)
	}
	return all
}

func words(value any) []string {
	if word, ok := value.(string); ok {
		return []string{word}
	}
	var list []string
	for _, item := range value.([]any) {
		list = append(list, item.(string))
	}
	return list
}

// isOf tells the type that a YAML reader would give the node.
func isOf(kind string, n *document.Node) bool {
	_, err := strconv.ParseFloat(n.Text, 64)
	number := n.Kind == document.Scalar && !n.Quoted && err == nil
	truth := n.Kind == document.Scalar && !n.Quoted && (n.Text == "true" || n.Text == "false")
	switch kind {
	case "object":
		return n.Kind == document.Mapping
	case "array":
		return n.Kind == document.List
	case "number":
		return number
	case "integer":
		_, err := strconv.Atoi(n.Text)
		return number && err == nil
	case "boolean":
		return truth
	}
	return n.Kind == document.Scalar && !number && !truth
}
