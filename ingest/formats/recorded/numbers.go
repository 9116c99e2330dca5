package recorded

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// cell is what one component of a row says.
type cell struct {
	blank  bool
	number float64 // NaN when it is none
	unit   string  // UCUM
	own    bool    // the cell says its unit
	limit  protocols.Limit
}

// cell reads the part of a cell that is of a component. The error is a sentence for
// a row that cannot be used.
func (s *survey) cell(l *Layout, text string, component int) (cell, error) {
	column := &s.columns[component]
	text = strings.TrimSpace(text)
	found := cell{unit: column.unit}
	if text == "" || strings.EqualFold(text, "nan") || strings.EqualFold(text, "na") {
		found.blank = true
		return found, nil
	}
	if limit := values.LimitWord(text); limit != protocols.Measured {
		found.limit, found.number = limit, l.Low
		if limit == protocols.MoreThan {
			found.number = l.High
		}
		switch {
		case found.number != 0:
			return found, nil
		case limit == protocols.LessThan:
			return found, errNoLow
		}
		return found, errNoHigh
	}
	switch text[0] {
	case '<':
		found.limit, text = protocols.LessThan, strings.TrimSpace(text[1:])
	case '>':
		found.limit, text = protocols.MoreThan, strings.TrimSpace(text[1:])
	}
	number, unit := withUnit(l.Measure, component, text)
	if unit != "" && column.said && unit != column.unit {
		return found, errOtherUnit
	}
	if unit != "" {
		found.unit, found.own = unit, true
	}
	var err error
	found.number, err = numberOf(number, s.decimal)
	return found, err
}

// withUnit parts a number from the unit behind it, where that is one of the
// component.
func withUnit(m *protocols.Measure, component int, text string) (number, unit string) {
	cut := strings.LastIndexFunc(text, unicode.IsDigit) + 1
	if cut <= 0 || cut == len(text) {
		return text, ""
	}
	unit = unitOf(m, component, text[cut:])
	if unit == "" {
		return text, ""
	}
	return text[:cut], unit
}

// commas is what a comma means in a number.
type commas int

const (
	eitherWay commas = iota
	parts     commas = ',' // decimals
	groups    commas = '.' // thousands: decimals stand behind a point
)

// numberOf reads one number: NaN when it is none. A comma before three digits is
// ambiguous where neither the file nor a person says what it parts.
func numberOf(text string, decimal commas) (float64, error) {
	if comma := strings.IndexByte(text, ','); comma >= 0 {
		grouped := thousands(text)
		switch {
		case grouped && decimal == groups:
			text = strings.Replace(text, ",", "", 1)
		case grouped && decimal == eitherWay:
			return 0, errAmbiguous
		case decimal == groups:
			return math.NaN(), nil
		default:
			text = strings.Replace(text, ",", ".", 1)
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xX_") {
		return math.NaN(), nil
	}
	return number, nil
}

// thousands reports whether a comma may part thousands: "1,095" but not "0,480" or
// "95,5".
func thousands(text string) bool {
	text = strings.TrimLeft(text, "+-")
	whole, behind, one := strings.Cut(text, ",")
	return one && len(whole) > 0 && len(whole) <= 3 && whole[0] != '0' && digits(whole) && len(behind) >= 3 && digits(behind[:3]) && (len(behind) == 3 || behind[3] == '.')
}

func digits(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// decimals reports whether a comma in a number surely parts decimals.
func decimals(text string) bool {
	return strings.Count(text, ",") == 1 && !strings.Contains(text, ".") && !thousands(text)
}
