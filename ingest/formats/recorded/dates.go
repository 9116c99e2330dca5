package recorded

import (
	"strconv"
	"strings"
)

// order is what the dates of a file say of themselves: "13/03/2026" can only have its
// day first.
type order struct{ first, second bool }

// look takes in a text that may begin with a date of numbers.
func (o *order) look(text string) {
	a, b, ok := numericDate(text)
	o.first = o.first || ok && a > 12
	o.second = o.second || ok && b > 12
}

// forms are the ways in which the dates of the file are then written; none where nothing
// tells, or where they contradict each other.
func (o *order) forms() []string {
	switch {
	case o.first == o.second:
		return nil
	case o.first:
		return dayFirstForms
	}
	return monthFirstForms
}

// numericDate reads the two first numbers of "03/04/2026", "3-4-2026" or "03.04.2026".
func numericDate(text string) (a, b int, ok bool) {
	date, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	at := strings.IndexAny(date, "/-.")
	if at < 1 || at > 2 {
		return 0, 0, false
	}
	parts := strings.Split(date, date[at:at+1])
	if len(parts) != 3 || len(parts[1]) > 2 || len(parts[2]) != 4 {
		return 0, 0, false
	}
	var numbers [3]int
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return 0, 0, false
		}
		numbers[i] = n
	}
	return numbers[0], numbers[1], true
}

var dayFirstForms, monthFirstForms = datesOfNumbers("2", "1"), datesOfNumbers("1", "2")

// datesOfNumbers are the ways of writing a date of numbers whose first and second ones
// are these, with a time of day or without.
func datesOfNumbers(first, second string) (forms []string) {
	for _, between := range []string{"/", "-", "."} {
		date := first + between + second + between + "2006"
		for _, clock := range []string{"15:04", "15:04:05", "3:04 PM", "3:04:05 PM"} {
			forms = append(forms, date+" "+clock, clock+" "+date)
		}
		forms = append(forms, date)
	}
	return forms
}
