package document

import (
	"strings"

	"vigie/protocols"
)

// Form is one kind of mapping in a protocol file: its name and its keys. Parse
// refuses keys that a form does not have, and Schema is written from the same
// forms, so that an editor and the service agree.
type Form struct {
	Name   protocols.Text
	Fields []Field
}

// Field is one key of a form.
type Field struct {
	key      string
	required bool
	says     protocols.Text // what it holds, for a person
	holds    Shape          // for Schema
}

// Key describes one key of a form: whether it must be there, what it holds for a
// person, and for a schema.
func Key(name string, required bool, says protocols.Text, holds Shape) Field {
	return Field{name, required, says, holds}
}

func (f *Form) field(key string) *Field {
	for i := range f.Fields {
		if f.Fields[i].key == key {
			return &f.Fields[i]
		}
	}
	return nil
}

func (f *Form) keys() []string {
	keys := make([]string, len(f.Fields))
	for i := range f.Fields {
		keys[i] = f.Fields[i].key
	}
	return keys
}

func (f *Form) list() string { return strings.Join(f.keys(), ", ") }

// Must marks a key that has to be there.
const Must = true

// TextForm is a sentence in both languages.
var TextForm = &Form{Name: protocols.Say("un texte", "a text"), Fields: []Field{
	Key("fr", Must, protocols.Say("en français", "in French"), ShapeWord),
	Key("en", false, protocols.Say("en anglais", "in English"), ShapeWord),
}}
