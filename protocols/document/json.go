package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TwiceError is a name that an object has twice. Which of its two values is meant,
// nobody knows.
type TwiceError struct {
	Path string // of the second: "component[1].code"
}

// Error names the field.
func (e *TwiceError) Error() string { return fmt.Sprintf("%q is given twice", e.Path) }

// ReadJSON reads one JSON value of a device or a person, numbers with their digits. It
// fails where encoding/json would guess: a name that stands twice is a *TwiceError, and
// so is one in other letters, "Value" beside "value", which a struct would take for the
// same. It also fails behind a second value, and at bytes that are no UTF-8. With known, a
// field that into does not have is an error too.
func ReadJSON(text []byte, into any, known bool) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if known {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("there is more than one value")
	}
	if !utf8.Valid(text) {
		return errors.New("a text in it is not UTF-8")
	}
	again := json.NewDecoder(bytes.NewReader(text))
	again.UseNumber()
	w := walk{decoder: again, fold: isStruct(into)}
	return w.value("")
}

// isStruct reports whether names are matched to fields, for which letters of either case
// are the same.
func isStruct(into any) bool {
	switch into.(type) {
	case *any, *map[string]any, *map[string]json.RawMessage:
		return false
	}
	return true
}

// longestPath is how many bytes of a path are told: who sends a name may make it long.
const longestPath = 256

// walk goes through a value that was read already, and looks for names given twice. Its
// depth is bounded: encoding/json has refused what is nested deeper than 10,000.
type walk struct {
	decoder *json.Decoder
	fold    bool
}

func (w *walk) value(path string) error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		err = w.object(path)
	case json.Delim('['):
		for i := 0; err == nil && w.decoder.More(); i++ {
			err = w.value(path + "[" + strconv.Itoa(i) + "]")
		}
	default:
		return nil
	}
	if err == nil {
		_, err = w.decoder.Token() // its end
	}
	return err
}

func (w *walk) object(path string) error {
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		place, key := Join(path, name), name
		if w.fold {
			key = strings.ToLower(name)
		}
		if seen[key] {
			return &TwiceError{Path: strings.ToValidUTF8(place[:min(len(place), longestPath)], "")}
		}
		seen[key] = true
		if err := w.value(place); err != nil {
			return err
		}
	}
	return nil
}
