package document_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"vigie/protocols/document"
)

func TestAFieldThatIsGivenTwiceIsNeverGuessed(t *testing.T) {
	type inner struct {
		Code string `json:"code"`
	}
	var fields struct {
		Value     json.Number       `json:"value"`
		Component []inner           `json:"component"`
		Rest      json.RawMessage   `json:"rest"`
		More      map[string]string `json:"more"`
	}
	for text, path := range map[string]string{
		`{"value":39,"value":390}`:                                       "value",
		`{"value":39,"Value":390}`:                                       "Value",
		`{"component":[{"code":"a"},{"code":"b","value":1,"code":"c"}]}`: "component[1].code",
		`{"rest":{"deep":[[{"a":1,"a":1}]]}}`:                            "rest.deep[0][0].a",
		`{"val\u0075e":1,"value":2}`:                                     "value",
	} {
		var twice *document.TwiceError
		if err := document.ReadJSON([]byte(text), &fields, false); !errors.As(err, &twice) || twice.Path != path {
			t.Errorf("%s: %v, want %s given twice", text, err, path)
		}
	}
	var whatever any
	for _, text := range []string{`{"a":{"x":1},"b":{"x":1}}`, `{"t":1,"T":2}`, `[{"a":1},{"a":1}]`, `"alone"`, ` 36.60 `} {
		if err := document.ReadJSON([]byte(text), &whatever, false); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if whatever != json.Number("36.60") {
		t.Errorf("digits were lost: %v", whatever)
	}
	for _, text := range []string{`{"t":1,"t":2}`, `{} {}`, "\"\xff\"", ``, strings.Repeat("[", 20_000)} {
		if document.ReadJSON([]byte(text), &whatever, false) == nil {
			t.Errorf("%.40q was read", text)
		}
	}
	if document.ReadJSON([]byte(`{"unheard":1}`), &fields, true) == nil || document.ReadJSON([]byte(`{"unheard":1}`), &fields, false) != nil {
		t.Error("an unknown field is refused where the reader says so, and there only")
	}
}
