package library_test

import (
	"fmt"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// everyLevel shows each level of each rule of the library.
func everyLevel(t *testing.T, see func(name string, rule *protocols.Rule, level *protocols.RuleLevel)) {
	t.Helper()
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range shipped {
		for i := range p.Rules {
			rule := &p.Rules[i]
			for k := range rule.Levels {
				see(fmt.Sprintf("%s, %s, %s", p.ID, rule.ID, rule.Levels[k].Level), rule, &rule.Levels[k])
			}
		}
	}
}

// TestASentenceWithASettingSaysWhoSetIt: a threshold that a physician may set for a patient
// is told with who did. {limit} says both.
func TestASentenceWithASettingSaysWhoSetIt(t *testing.T) {
	everyLevel(t, func(name string, rule *protocols.Rule, level *protocols.RuleLevel) {
		settable := false
		level.When.Comparisons(func(c *protocols.Comparison) { settable = settable || c.Threshold.Parameter != "" })
		for _, language := range []string{"fr", "en"} {
			sentence := rule.SentenceAt(level.Level).In(language)
			if settable && strings.Contains(sentence, "{threshold}") && !strings.Contains(sentence, "{set_by}") {
				t.Errorf("%s: %q does not say who set the threshold", name, sentence)
			}
		}
	})
}

// TestNoSentenceWritesTheNumberOfASetting: where a physician sets another number, a sentence
// that wrote the default would say what is not so. A place says both.
func TestNoSentenceWritesTheNumberOfASetting(t *testing.T) {
	everyLevel(t, func(name string, rule *protocols.Rule, level *protocols.RuleLevel) {
		said := rule.SentenceAt(level.Level).FR
		level.When.Spoken(func(c *protocols.Condition) { said += " " + c.Sentence.FR })
		level.When.Comparisons(func(c *protocols.Comparison) {
			numbers := map[string]string{c.Threshold.Parameter: protocols.InUnit(c.Threshold.Value.French(), c.Result(), "fr", " ")}
			for _, side := range c.Where.Sides() {
				numbers[side.Limit.Parameter] = protocols.InUnit(side.Limit.Value.French(), c.Measure.Components[c.Component].Unit, "fr", " ")
			}
			for setting, number := range numbers {
				if setting != "" && strings.Contains(number, " ") && strings.Contains(said, number) {
					t.Errorf("%s: %q writes %s, which %s may change", name, said, number, setting)
				}
			}
		})
	})
}
