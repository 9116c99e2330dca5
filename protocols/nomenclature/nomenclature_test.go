package nomenclature_test

import (
	"fmt"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/nomenclature"
)

// The variant of a reading is one byte: a measure with more kinds is refused with words that
// name the bound.
func TestVariantsAreBounded(t *testing.T) {
	for variants, refused := range map[int]bool{1: false, 40: false, 255: false, 256: true} {
		var names []string
		for i := range variants {
			names = append(names, fmt.Sprint("kind-", i))
		}
		doc, err := yaml.Parse(fmt.Appendf(nil, `version: "1"
measures:
  drug:
    title: {fr: médicament, en: drug}
    variants: [%s]
    event: true
`, strings.Join(names, ", ")))
		if err != nil {
			t.Fatal(err)
		}
		file, problems := nomenclature.Parse(doc)
		if !refused && (file == nil || len(problems) > 0) {
			t.Errorf("%d variants: %+v", variants, problems)
		}
		if refused && (file != nil || len(problems) != 1 || problems[0].Code != "bounds" || problems[0].Line != 5 || !strings.Contains(problems[0].Message.EN, "at most 255 variants")) {
			t.Errorf("%d variants: read %v, %+v", variants, file != nil, problems)
		}
	}
}
