package library_test

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"reflect"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/nomenclature"
)

// TestTheMeasuresAreThoseOfTheirFile keeps what the program holds equal to the file that
// people read and write. go test ./protocols/library -update writes the table.
func TestTheMeasuresAreThoseOfTheirFile(t *testing.T) {
	const table = "../measures_table.go"
	data, err := os.ReadFile("../measures.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	file, problems := nomenclature.Parse(doc)
	for _, p := range problems {
		t.Errorf("measures.yaml:%d:%d: %s: %s", p.Line, p.Column, p.Code, p.Message.EN)
	}
	if file == nil {
		return
	}
	for _, complaint := range follows(t, nomenclature.Schema(), doc) {
		t.Errorf("measures.yaml: %s", complaint)
	}
	code := inGo(t, file.Measures)
	if *update {
		if err := os.WriteFile(table, code, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	held, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(held, code) {
		t.Error("measures_table.go is not what measures.yaml says; run go test ./protocols/library -update")
	}
	for i, m := range file.Measures {
		if !protocols.Measures()[i].Same(m) {
			t.Errorf("the program holds another %s than the file", m.ID)
		}
	}
}

// inGo writes measures as a table of the program.
func inGo(t *testing.T, measures []*protocols.Measure) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("// Code generated from measures.yaml by go test ./protocols/library -update; DO NOT EDIT.\n\npackage protocols\n\n")
	b.WriteString("// shipped are the measures of measures.yaml.\nfunc shipped() []*Measure {\n\treturn []*Measure{\n")
	for _, m := range measures {
		b.WriteString("{" + fields(reflect.ValueOf(*m)) + "},\n")
	}
	b.WriteString("}\n}\n")
	code, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.Bytes())
	}
	return code
}

// fields are the fields of a struct that are set, as Go writes them.
func fields(of reflect.Value) string {
	var list []string
	for i := range of.NumField() {
		name, value := of.Type().Field(i).Name, of.Field(i)
		if of.Type().Field(i).IsExported() && !value.IsZero() {
			list = append(list, name+": "+literal(value))
		}
	}
	return strings.Join(list, ", ")
}

func literal(v reflect.Value) string {
	kind := strings.TrimPrefix(v.Type().String(), "protocols.")
	switch v.Kind() {
	case reflect.Slice:
		var items []string
		for i := range v.Len() {
			item := literal(v.Index(i))
			if v.Index(i).Kind() == reflect.Struct {
				item = "{" + fields(v.Index(i)) + "}"
			}
			items = append(items, item)
		}
		separator := ", "
		if v.Type().Elem().Name() == "Component" {
			separator = ",\n"
			items = append(items, "")
			items[0] = "\n" + items[0]
		}
		return "[]" + strings.TrimPrefix(v.Type().Elem().String(), "protocols.") + "{" + strings.Join(items, separator) + "}"
	case reflect.Struct:
		return kind + "{" + fields(v) + "}"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return integer(v)
}

// integer is a number or a truth, without the way in which a Value is shown.
func integer(v reflect.Value) string {
	if v.CanInt() {
		return fmt.Sprint(v.Int())
	}
	return fmt.Sprint(v.Interface())
}
