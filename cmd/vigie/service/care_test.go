package service

import (
	"testing"
	"time"

	"vigie/ingest/registry"
)

func TestATeamKeepsTheHolidaysOfWhereItIs(t *testing.T) {
	goodFriday := time.Date(2027, 3, 26, 9, 0, 0, 0, time.UTC)
	labourDay := time.Date(2028, 5, 1, 9, 0, 0, 0, time.UTC) // a Monday
	for name, c := range map[string]struct {
		change             func(*registry.Team)
		goodFriday, labour bool
	}{
		"in Paris":                   {func(*registry.Team) {}, true, false},
		"in Strasbourg":              {func(t *registry.Team) { t.AlsaceMoselle = true }, false, false},
		"in Paris, open on holidays": {func(t *registry.Team) { t.OnHolidays = true }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			team := registry.Team{ID: "a", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday", "friday"}}
			c.change(&team)
			calendar, err := calendarOf(&team)
			if err != nil {
				t.Fatal(err)
			}
			if open := calendar.Open(goodFriday); open != c.goodFriday {
				t.Errorf("open on Good Friday: %v", open)
			}
			if open := calendar.Open(labourDay); open != c.labour {
				t.Errorf("open on 1 May: %v", open)
			}
		})
	}
}
