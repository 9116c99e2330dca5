package gatt

import (
	"encoding/hex"

	"vigie/protocols"
)

// meals are the words for Meal of a Glucose Measurement Context, by number.
var meals = map[uint32]string{1: "before a meal", 2: "after a meal", 3: "fasting", 4: "casual", 5: "bedtime"}

// contextOf reads a Glucose Measurement Context (0x2A34), which a meter notifies behind the
// measurement of the same number. Of what it says the meal is kept. wrong says why it does
// not belong there.
func contextOf(text string, f *frame) (context map[string]string, wrong string) {
	value, err := hex.DecodeString(text)
	if err != nil || len(value) == 0 || len(value) > maxValue {
		return nil, "the context is the value of 2A34, 3 to 512 bytes in hexadecimal digits"
	}
	c := cursor{rest: value}
	flags := c.take(1)
	same := c.take(2) == f.sequence && f.numbered
	if flags&0x80 != 0 {
		c.take(1) // extended flags, all of them reserved
	}
	if flags&1 != 0 {
		c.take(3) // carbohydrates
	}
	if flags&2 != 0 {
		if word := meals[c.take(1)]; word != "" {
			context = map[string]string{protocols.MealContext: word}
		}
	}
	for bit, size := range map[int]int{2: 1, 3: 3, 4: 3, 6: 2} { // tester and health, exercise, medication, HbA1c
		if flags>>bit&1 != 0 {
			c.take(size)
		}
	}
	switch {
	case c.short || len(c.rest) > 0:
		return nil, "the context has not the length that its flags say"
	case !same:
		return nil, "the context is that of another measurement: their sequence numbers differ, or it has none"
	}
	return context, ""
}
