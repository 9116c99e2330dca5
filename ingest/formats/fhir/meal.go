package fhir

import (
	"bytes"
	"encoding/json"
	"slices"

	"vigie/protocols"
)

// A meter of IEEE 11073-10417 says when by a meal it measured in an observation of its own,
// beside that of the glucose. Source: the HL7 guide for personal health devices, coded
// enumerations, MDC_CTXT_GLU_MEAL.
const mealCode = "8417864"

// ieeeMeals are what it says. Whoever measures casually says nothing of a meal.
var ieeeMeals = map[string]protocols.Meal{"8417868": protocols.Before, "8417872": protocols.After, "8417876": protocols.Fasting, "8417908": protocols.Bedtime, "8417880": ""}

// aside is what is read of an observation of a bundle to bring a meal to its glucose.
type aside struct {
	ResourceType string  `json:"resourceType"`
	ID           string  `json:"id"`
	Status       string  `json:"status"`
	Code         concept `json:"code"`
	Date         string  `json:"effectiveDateTime"`
	Value        concept `json:"valueCodeableConcept"`
	DerivedFrom  []struct {
		Reference string `json:"reference"`
	} `json:"derivedFrom"`
}

// mealsOf finds the observations of a bundle that say a meal, and the meal of each glucose, by
// entry. One that is not of one glucose alone is none of them: it is refused like any other.
func mealsOf(payload []byte, entries []entry) (of map[int]protocols.Meal, said map[int]bool) {
	if !bytes.Contains(payload, []byte(`"`+mealCode+`"`)) {
		return nil, nil
	}
	of, said = map[int]protocols.Meal{}, map[int]bool{}
	all := make([]aside, len(entries))
	for i, e := range entries {
		if json.Unmarshal(e.Resource, &all[i]) != nil {
			all[i] = aside{}
		}
	}
	for i := range all {
		meal, known := all[i].meal()
		if !known {
			continue
		}
		var about []int
		for k := range all {
			if all[k].glucose() && all[i].about(&all[k], entries[k].FullURL) {
				about = append(about, k)
			}
		}
		if len(about) != 1 {
			continue
		}
		if before, twice := of[about[0]]; !twice || before == meal {
			of[about[0]], said[i] = meal, true
		}
	}
	return of, said
}

// meal is what the observation says, and false for one that says no meal.
func (a *aside) meal() (protocols.Meal, bool) {
	named := slices.ContainsFunc(a.Code.Coding, func(c coding) bool { return c.System == mdc && c.Code == mealCode })
	if a.ResourceType != "Observation" || !named || !slices.Contains(measuredStatus, a.Status) {
		return "", false
	}
	for _, c := range a.Value.Coding {
		if meal, known := ieeeMeals[c.Code]; known && c.System == mdc {
			return meal, true
		}
	}
	return "", false
}

func (a *aside) glucose() bool {
	return a.ResourceType == "Observation" && slices.ContainsFunc(a.Code.Coding, func(c coding) bool {
		m, _ := observed(c.System, c.Code)
		return m != nil && m.ID == "glucose"
	})
}

// about reports whether a meal is that of a glucose: by its reference, or where it has none,
// by the same time.
func (a *aside) about(glucose *aside, fullURL string) bool {
	if len(a.DerivedFrom) == 0 {
		return a.Date != "" && a.Date == glucose.Date
	}
	for _, from := range a.DerivedFrom {
		if r := from.Reference; r != "" && (r == fullURL || r == "Observation/"+glucose.ID) {
			return true
		}
	}
	return false
}
