package protocols_test

import (
	"testing"

	"vigie/protocols"
)

// What meters, applications and people write is one of the moments, or none.
func TestAMomentByAMealIsReadInItsSpellings(t *testing.T) {
	for written, want := range map[string]protocols.Meal{
		"fasting": protocols.Fasting, "À jeun": protocols.Fasting, "before a meal": protocols.Before, "Before breakfast": protocols.Before,
		"after a meal": protocols.After, "AFTER_LUNCH": protocols.After, "after-1h": protocols.AfterHour, "1 h après un repas": protocols.AfterHour,
		"2 hours postprandial": protocols.AfterTwo, "bedtime": protocols.Bedtime, "Au coucher": protocols.Bedtime,
		"casual": "", "before-or-unsaid": "", "not fasting": "", "3h": "", "": "", "-": "",
	} {
		r := &protocols.Reading{Context: map[string]string{"meal": written}}
		if got := r.Meal(); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
	if m := (&protocols.Reading{}).Meal(); m != "" {
		t.Errorf("a reading that says nothing is %q", m)
	}
}

// Of a reading an hour after a meal, both "after" and "after-1h" are true, and a reading
// that says nothing is of no moment.
func TestWhatAMomentHolds(t *testing.T) {
	for asked, told := range map[protocols.Meal]string{
		"": "fasting before after after-1h after-2h bedtime none", protocols.Fasting: "fasting", protocols.Before: "fasting before",
		protocols.After: "after after-1h after-2h", protocols.AfterHour: "after-1h", protocols.AfterTwo: "after-2h", protocols.Bedtime: "bedtime",
		protocols.BeforeOrUnsaid: "fasting before none", protocols.AfterOrUnsaid: "after after-1h after-2h none",
	} {
		got := ""
		for _, name := range append(protocols.MealNames(), "none") {
			if asked.Holds(protocols.MealOf(name)) {
				got += " " + name
			}
		}
		if got != " "+told {
			t.Errorf("%q holds%s, want %s", asked, got, told)
		}
	}
}
