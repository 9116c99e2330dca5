package alerts

import (
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/fr"
)

// The public holidays of France are those of article L3133-1 of the Code du
// travail. Two kinds of places have more:
//
//   - Bas-Rhin, Haut-Rhin and Moselle: Good Friday and 26 December (article
//     L3134-13). They share Europe/Paris with the rest, so a calendar says so
//     with AlsaceMoselle. Good Friday is a holiday there only in communes with a
//     Protestant church or a mixed one; here it always is.
//   - overseas, the day that commemorates the abolition of slavery (article
//     L3422-2): it follows from the time zone, which every one of these places
//     has to itself.
//
// The Pacific collectivities, Saint-Pierre-et-Miquelon and further local customs
// have no additions here. A local holiday that is not known only makes an
// escalation come a day early.
var abolition = map[string]*cal.Holiday{
	"Indian/Mayotte":        dated(time.April, 27),
	"America/Martinique":    dated(time.May, 22),
	"America/Guadeloupe":    dated(time.May, 27),
	"America/Marigot":       dated(time.May, 28), // Saint-Martin
	"America/Cayenne":       dated(time.June, 10),
	"America/St_Barthelemy": dated(time.October, 9),
	"Indian/Reunion":        dated(time.December, 20),
}

var alsaceMoselle = []*cal.Holiday{
	aa.GoodFriday.Clone(&cal.Holiday{Name: "Vendredi saint", Type: cal.ObservancePublic}),
	aa.ChristmasDay2.Clone(&cal.Holiday{Name: "Saint-Étienne", Type: cal.ObservancePublic}),
}

func dated(month time.Month, day int) *cal.Holiday {
	return &cal.Holiday{Name: "Abolition de l'esclavage", Type: cal.ObservancePublic, Month: month, Day: day, Func: cal.CalcDayOfMonth}
}

// Holiday returns the French name of the public holiday on the civil day of t in
// the calendar's zone, and whether there is one.
func (c Calendar) Holiday(t time.Time) (name string, is bool) {
	local := t.In(c.zone())
	for _, holiday := range fr.Holidays {
		if falls(holiday, local) {
			return holiday.Name, true
		}
	}
	if c.AlsaceMoselle {
		for _, holiday := range alsaceMoselle {
			if falls(holiday, local) {
				return holiday.Name, true
			}
		}
	}
	if holiday, ok := abolition[c.zone().String()]; ok && falls(holiday, local) {
		return holiday.Name, true
	}
	return "", false
}

func falls(holiday *cal.Holiday, day time.Time) bool {
	actual, _ := holiday.Calc(day.Year())
	return actual.Month() == day.Month() && actual.Day() == day.Day()
}
