package protocols

import (
	"strings"
	"testing"
)

// TestEveryStatisticHasItsWords keeps a row from being half written: a sheet that
// lacks a word still looks like a sentence.
func TestEveryStatisticHasItsWords(t *testing.T) {
	for _, row := range Statistics() {
		for what, text := range map[string]Text{"noun": row.Noun, "definite": row.Definite, "formula": row.Explained(), "aside": row.InBrackets()} {
			if strings.TrimSpace(text.FR) == "" || strings.TrimSpace(text.EN) == "" {
				t.Errorf("%s: its %s is not said in both languages", row.Name, what)
			}
		}
		if row.Range == nil {
			t.Errorf("%s: nothing says what it can come to", row.Name)
		}
		if row.Only != "" && MeasureByID(row.Only) == nil {
			t.Errorf("%s is about %q, which is no measure", row.Name, row.Only)
		}
	}
	if MissingPeriods.Row() != nil {
		t.Error("an absence is no statistic that a rule may ask for")
	}
}
