package registry

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// decoder fills structs from a document by their JSON names and collects what
// does not fit.
type decoder struct {
	problems []document.Problem
}

func (d *decoder) problem(at *document.Node, path, code, suggestion, format string, args ...any) {
	p := document.Problem{Path: path, Code: code, Suggestion: protocols.Text{EN: suggestion}, Severity: document.Error, Message: protocols.Text{EN: fmt.Sprintf(format, args...)}}
	if at != nil {
		p.Line, p.Column = at.Line, at.Column
	}
	d.problems = append(d.problems, p)
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	valueType = reflect.TypeFor[protocols.Value]()
)

// decode fills target from n. zone is where a date without a time begins.
func (d *decoder) decode(n *document.Node, target reflect.Value, path string, zone *time.Location) {
	if n.Kind == document.Null {
		return
	}
	switch {
	case target.Type() == timeType:
		d.time(n, target, path, zone)
	case target.Type() == valueType:
		d.value(n, target, path)
	case target.Kind() == reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		d.decode(n, target.Elem(), path, zone)
	case target.Kind() == reflect.Struct:
		d.object(n, target, path, zone)
	case target.Kind() == reflect.Map:
		d.table(n, target, path, zone)
	case target.Kind() == reflect.Slice:
		d.list(n, target, path, zone)
	case n.Kind != document.Scalar:
		d.problem(n, path, "wrong-type", "", "%s is one word or number, not a list or a mapping", path)
	case target.Kind() == reflect.Bool:
		d.truth(n, target, path)
	default:
		target.SetString(n.Text)
	}
}

func (d *decoder) object(n *document.Node, target reflect.Value, path string, zone *time.Location) {
	if n.Kind != document.Mapping {
		d.problem(n, path, "wrong-type", "", "%s is a mapping: write one key: value a line", orDocument(path))
		return
	}
	if own, err := time.LoadLocation(text(n.Get("time_zone"))); err == nil && text(n.Get("time_zone")) != "" {
		zone = own
	}
	fields := fieldsOf(target.Type())
	for i, key := range n.Keys {
		place, known := fields[key.Text]
		if !known {
			d.problem(key, join(path, key.Text), "unknown-key", document.Nearest(key.Text, slices.Sorted(maps.Keys(fields))).EN, "%s has no key %q", orDocument(path), key.Text)
			continue
		}
		d.decode(n.Items[i], target.Field(place), join(path, key.Text), zone)
		if target.Type().Field(place).Tag.Get("day") == "last" {
			includeDay(n.Items[i], target.Field(place), zone)
		}
	}
}

// includeDay has a date that names a last day end with that day. An instant is exact.
func includeDay(n *document.Node, target reflect.Value, zone *time.Location) {
	if day, err := time.ParseInLocation(time.DateOnly, n.Text, zone); err == nil {
		target.Set(reflect.ValueOf(day.AddDate(0, 0, 1).UTC()))
	}
}

func (d *decoder) table(n *document.Node, target reflect.Value, path string, zone *time.Location) {
	if n.Kind != document.Mapping {
		d.problem(n, path, "wrong-type", "", "%s is a mapping: write one name and what belongs to it below", path)
		return
	}
	target.Set(reflect.MakeMap(target.Type()))
	for i, key := range n.Keys {
		item := reflect.New(target.Type().Elem()).Elem()
		d.decode(n.Items[i], item, join(path, key.Text), zone)
		target.SetMapIndex(reflect.ValueOf(key.Text), item)
	}
}

func (d *decoder) list(n *document.Node, target reflect.Value, path string, zone *time.Location) {
	if n.Kind != document.List {
		d.problem(n, path, "wrong-type", "", "%s is a list: begin each item with a dash", path)
		return
	}
	target.Set(reflect.MakeSlice(target.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		d.decode(item, target.Index(i), fmt.Sprintf("%s[%d]", path, i), zone)
	}
}

// time reads an instant, or a date, which means the midnight that begins it
// where the patient lives.
func (d *decoder) time(n *document.Node, target reflect.Value, path string, zone *time.Location) {
	at, err := time.Parse(time.RFC3339, n.Text)
	if err != nil {
		at, err = time.ParseInLocation(time.DateOnly, n.Text, zone)
	}
	if err != nil {
		d.problem(n, path, "bad-date", "write it as 2026-11-21, or as 2026-11-21T08:30:00+01:00", "%s: %q is not a date", path, n.Text)
		return
	}
	target.Set(reflect.ValueOf(at.UTC()))
}

func (d *decoder) value(n *document.Node, target reflect.Value, path string) {
	number, err := strconv.ParseFloat(n.Text, 64)
	v, ok := protocols.Of(number)
	if err != nil || !ok {
		d.problem(n, path, "not-a-number", "write it with a point: 2.5", "%s: %q is not a number that can be used", path, n.Text)
		return
	}
	if math.Abs(v.Float()-number) > 1e-9 {
		d.problem(n, path, "too-precise", "round it to "+v.String(), "%s: %s has more than three decimals", path, n.Text)
		return
	}
	target.Set(reflect.ValueOf(v))
}

func (d *decoder) truth(n *document.Node, target reflect.Value, path string) {
	if n.Text != "true" && n.Text != "false" {
		d.problem(n, path, "wrong-type", "write true or false", "%s is true or false, not %q", path, n.Text)
		return
	}
	target.SetBool(n.Text == "true")
}

// fieldsOf lists the fields of a struct by JSON name.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		if name := jsonName(t.Field(i)); name != "-" {
			fields[name] = i
		}
	}
	return fields
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orDocument(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}

// text returns the text of a scalar, and nothing for all else.
func text(n *document.Node) string {
	if n == nil || n.Kind != document.Scalar {
		return ""
	}
	return n.Text
}

// find returns the node at a path such as "teams[2].name", or the deepest one
// on the way to it: where something is missing, that is where it should be.
func find(n *document.Node, path string) *document.Node {
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := n.Get(step)
		if place, err := strconv.Atoi(step); err == nil && n.Kind == document.List && place < len(n.Items) {
			next = n.Items[place]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}
