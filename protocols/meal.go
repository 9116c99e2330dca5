package protocols

// Meal says when, by the nearest meal, a reading was measured: what a meter marks, or what
// a person says. Empty where nothing says.
type Meal string

// The moments.
const (
	Fasting   Meal = "fasting"
	Before    Meal = "before"
	After     Meal = "after" // nobody says how long
	AfterHour Meal = "after-1h"
	AfterTwo  Meal = "after-2h"
	Bedtime   Meal = "bedtime"
)

// What a condition asks for besides, and no reading says: that nobody says otherwise. With
// hours of the day it takes what is marked so and what is not marked at all.
const (
	BeforeOrUnsaid Meal = "before-or-unsaid"
	AfterOrUnsaid  Meal = "after-or-unsaid"
)

// orUnsaid are the words of those.
var orUnsaid = []MealWord{
	{BeforeOrUnsaid, Text{"avant un repas ou sans mention du repas", "before a meal or with no word of one"}, nil},
	{AfterOrUnsaid, Text{"après un repas ou sans mention du repas", "after a meal or with no word of one"}, nil},
}

// MealContext is the key of Reading.Context under which a reading says it.
const MealContext = "meal"

// MealWord is a moment with its words.
//
// To add a moment, add it to meals below, and to Holds what counts as one of it; decoding,
// checks and sentences follow. The second implementation, engine/plain, has a table of its own.
type MealWord struct {
	Meal      Meal
	Title     Text     // behind the name of a measure: "glucose à jeun"
	Spellings []string // besides the word; letters alone decide, as with flags
}

// meals are the moments. "casual" of a meter is none of them.
var meals = []MealWord{
	{Fasting, Text{"à jeun", "fasting"}, []string{"à jeun", "a jeun", "jeun"}},
	{Before, Text{"avant un repas", "before a meal"}, []string{"before a meal", "before meal", "before breakfast", "before lunch", "before dinner", "preprandial", "avant repas", "avant un repas", "avant le repas"}},
	{After, Text{"après un repas", "after a meal"}, []string{"after a meal", "after meal", "after breakfast", "after lunch", "after dinner", "postprandial", "après repas", "après un repas", "après le repas"}},
	{AfterHour, Text{"1 h après un repas", "1 h after a meal"}, []string{"1h", "1h after", "1 h after a meal", "1 hour after a meal", "1 hour postprandial", "1 h après", "1 h après un repas"}},
	{AfterTwo, Text{"2 h après un repas", "2 h after a meal"}, []string{"2h", "2h after", "2 h after a meal", "2 hours after a meal", "2 hours postprandial", "2 h après", "2 h après un repas"}},
	{Bedtime, Text{"au coucher", "at bedtime"}, []string{"coucher", "au coucher", "at bedtime"}},
}

// Meals lists every moment, in the order of the manual.
func Meals() []MealWord { return meals }

// MealsAsked are the words that a condition may ask for.
func MealsAsked() []string {
	words := MealNames()
	for i := range orUnsaid {
		words = append(words, string(orUnsaid[i].Meal))
	}
	return words
}

// MealNames are the words of all moments, in the order of the manual.
func MealNames() []string {
	var words []string
	for i := range meals {
		words = append(words, string(meals[i].Meal))
	}
	return words
}

// mealBySpelling finds a moment as it is written, and by its letters alone.
var mealBySpelling = func() map[string]Meal {
	table := map[string]Meal{}
	for _, m := range meals {
		for _, written := range append([]string{string(m.Meal)}, m.Spellings...) {
			for _, key := range []string{written, letters(written)} {
				if other, known := table[key]; known && other != m.Meal {
					panic("protocols: the meals " + string(m.Meal) + " and " + string(other) + " share the spelling " + written)
				}
				table[key] = m.Meal
			}
		}
	}
	return table
}()

// MealOf is the moment that a device or a person wrote; empty for a word that says none.
func MealOf(written string) Meal {
	if m, known := mealBySpelling[written]; known || written == "" {
		return m
	}
	return mealBySpelling[letters(written)]
}

// Title is how the moment is said behind the name of a measure.
func (m Meal) Title() Text {
	for _, table := range [][]MealWord{meals, orUnsaid} {
		for i := range table {
			if table[i].Meal == m {
				return table[i].Title
			}
		}
	}
	return Text{}
}

// Holds reports whether a reading of the moment other is one of m: one an hour after a meal
// is after a meal, and a fasting one is before a meal. Every reading is one of no moment.
func (m Meal) Holds(other Meal) bool {
	switch m {
	case "":
		return true
	case Before:
		return other == Before || other == Fasting
	case After:
		return other == After || other == AfterHour || other == AfterTwo
	case BeforeOrUnsaid:
		return other == "" || Before.Holds(other)
	case AfterOrUnsaid:
		return other == "" || After.Holds(other)
	}
	return m == other
}

// Meal is when, by the nearest meal, r was measured.
func (r *Reading) Meal() Meal {
	if r.Context == nil {
		return ""
	}
	return MealOf(r.Context[MealContext])
}
