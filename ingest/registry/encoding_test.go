package registry

import (
	"context"
	"strings"
	"testing"
)

// TestANameIsReadInItsEncoding reads a registry that a spreadsheet wrote.
func TestANameIsReadInItsEncoding(t *testing.T) {
	for name, c := range map[string]struct {
		data, encoding, want string
		line, column         int
	}{
		"UTF-8":                            {"birth_name: LEFÈVRE\n", "utf-8", "birth_name: LEFÈVRE\n", 0, 0},
		"Windows-1252, not said":           {"patients:\n  - é: LEF\xc8VRE\n", "utf-8", "", 2, 11},
		"Windows-1252, said":               {"birth_name: LEF\xc8VRE \x80\n", Windows1252, "birth_name: LEFÈVRE €\n", 0, 0},
		"a byte that Windows-1252 has not": {"a\nbc\x81", Windows1252, "", 2, 3},
		"UTF-16":                           {"\xff\xfep\x00", "utf-8", "", 1, 1},
		"cut in a character":               {"LEF\xc3", "utf-8", "", 1, 4},
		"nothing":                          {"", "utf-8", "", 0, 0},
	} {
		text, problems := Decode([]byte(c.data), c.encoding)
		if c.line == 0 {
			if len(problems) > 0 || string(text) != c.want {
				t.Errorf("%s: %q %+v, want %q", name, text, problems, c.want)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Line != c.line || problems[0].Column != c.column || !Refused(problems) || problems[0].Message.FR == "" {
			t.Errorf("%s: %+v, want line %d, column %d", name, problems, c.line, c.column)
		}
		if said := problems[0].Suggestion.EN; strings.Contains(said, "--encoding windows-1252") != (c.encoding == "utf-8") {
			t.Errorf("%s: the way out is %q", name, said)
		}
	}
}

// twins is a registry that has the INS of the first patient under another id.
type twins struct{ held }

func (t twins) Holding(context.Context, *Registry) (*Holding, error) {
	return &Holding{Twins: map[string]string{"p-1": "p-77", "p-2": "p-1"}}, nil
}

func TestTheINSOfAnotherPatientIsSaid(t *testing.T) {
	_, problems := check(t, ward, Remembering(twins{}))
	if len(problems) != 1 || problems[0].Code != "same-ins" || Refused(problems) || problems[0].Line != 11 || !strings.Contains(problems[0].Message.EN, "p-77") || strings.Contains(problems[0].Message.EN, "2770763") {
		t.Errorf("%+v", problems)
	}
}

// TestAKindThatNobodyKnowsIsSaid misspells the kind of a device that feeds nobody yet.
func TestAKindThatNobodyKnowsIsSaid(t *testing.T) {
	spare := func(kind string) string {
		return strings.Replace(ward, "devices:\n", "devices:\n  - {name: spare-1, serial: A9, kind: "+kind+", brand: Balancia, model: B-200}\n", 1)
	}
	if _, problems := check(t, spare("scale"), nil); len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
	_, problems := check(t, spare("scael"), nil)
	if len(problems) != 1 || problems[0].Code != "unknown-kind" || Refused(problems) || problems[0].Line != 15 || !strings.Contains(problems[0].Suggestion.EN, "scale") {
		t.Errorf("%+v", problems)
	}
}
