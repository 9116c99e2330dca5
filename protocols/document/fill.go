package document

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"vigie/protocols"
)

// Filler sets Go values from a document, by the keys that the tags of their types give.
// What does not fit is noted, and the value stays as it was. The zero value with a Tag
// reads structs, maps by text, slices, pointers, texts, numbers and booleans.
type Filler struct {
	Reader
	Tag string // the struct tag that names a key; what follows a comma there is ignored
	// Own reads the types that are read in a way of their own.
	Own map[reflect.Type]func(at Place, into reflect.Value)
	// Around stands around the filling of each struct, and calls fill. May be nil.
	Around func(at Place, into reflect.Value, fill func())
	// Other takes a key that a struct does not have, and reports whether it did. May be nil.
	Other func(key, value Place, into reflect.Value) bool
	// Whole refuses a key with nothing behind it, which otherwise leaves its value alone.
	Whole bool
}

// Fill sets the value that into points to from what stands at a place.
func (f *Filler) Fill(at Place, into any) { f.fill(at, reflect.ValueOf(into).Elem()) }

// FillValue sets one field, as Fill does.
func (f *Filler) FillValue(at Place, into reflect.Value) { f.fill(at, into) }

func (f *Filler) fill(at Place, into reflect.Value) {
	own := f.Own[into.Type()]
	switch empty := at.Node == nil || at.Node.Kind == Null; {
	case empty && f.Whole && into.Kind() != reflect.Struct:
		f.empty(at)
	case empty:
	case own != nil:
		own(at, into)
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		f.fill(at, into.Elem())
	case into.Kind() == reflect.Struct:
		f.fillStruct(at, into)
	case into.Kind() == reflect.Map:
		f.fillMap(at, into)
	case into.Kind() == reflect.Slice:
		f.fillList(at, into)
	default:
		f.fillScalar(at, into)
	}
}

func (f *Filler) empty(at Place) {
	f.Fault(at, "wrong-shape", protocols.Say("une valeur est attendue ici", "a value is expected here"), protocols.Say("écrire la valeur, ou enlever la clé", "write the value, or remove the key"))
}

func (f *Filler) fillStruct(at Place, into reflect.Value) {
	fill := func() { f.fillFields(at, into) }
	if f.Around == nil {
		fill()
		return
	}
	f.Around(at, into, fill)
}

func (f *Filler) fillFields(at Place, into reflect.Value) {
	fields := f.fields(into.Type())
	keys, values := f.Pairs(at)
	for i, key := range keys {
		if place, known := fields[key.Node.Text]; known {
			f.fill(values[i], into.Field(place))
			continue
		}
		if f.Other == nil || !f.Other(key, values[i], into) {
			f.Fault(key, "unknown-key", protocols.Say("il n'y a pas ici de clé « %s »", "there is no key %q here", key.Node.Text), Suggest(key.Node.Text, slices.Sorted(maps.Keys(fields))))
		}
	}
}

func (f *Filler) fillMap(at Place, into reflect.Value) {
	keys, values := f.Pairs(at)
	filled := reflect.MakeMap(into.Type())
	for i, key := range keys {
		item := reflect.New(into.Type().Elem()).Elem()
		f.fill(values[i], item)
		filled.SetMapIndex(reflect.ValueOf(key.Node.Text), item)
	}
	into.Set(filled)
}

func (f *Filler) fillList(at Place, into reflect.Value) {
	items := f.Items(at)
	list := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		f.fill(item, list.Index(i))
	}
	into.Set(list)
}

func (f *Filler) fillScalar(at Place, into reflect.Value) {
	before := len(f.Problems)
	text := f.Word(at)
	if text == "" && into.Kind() != reflect.String && len(f.Problems) == before {
		f.empty(at)
	}
	if len(f.Problems) > before {
		return
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		yes := f.Yes(at)
		if len(f.Problems) == before {
			into.SetBool(yes)
		}
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			f.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un nombre entier", "%q is not a whole number", text), protocols.Text{})
			return
		}
		into.SetInt(int64(n))
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			f.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un nombre", "%q is not a number", text), withPoint(text))
			return
		}
		into.SetFloat(n)
	default:
		panic("document: a " + into.Type().String() + " cannot be read")
	}
}

// fields lists the fields of a struct by their keys.
func (f *Filler) fields(of reflect.Type) map[string]int {
	fields := make(map[string]int, of.NumField())
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get(f.Tag), ",")
		if name != "" && name != "-" {
			fields[name] = i
		}
	}
	return fields
}
