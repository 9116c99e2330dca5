package alerts_test

import (
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// nights is a team that is open on weekdays, whose nights and weekends two nurses share,
// a week each.
func nights(t *testing.T) alerts.Team {
	t.Helper()
	team := storetest.Care().Team // 09:00 to 18:00 in Paris
	team.OutOfHours = map[protocols.Level]alerts.OutOfHours{protocols.Red: alerts.OnCall}
	team.Rota = alerts.Rota{
		Zone:   team.Calendar.Zone,
		Shifts: []alerts.Shift{{From: 18 * hour, Until: 9 * hour, People: []string{"petit", "roux"}, Start: paris(t, "2026-11-02 00:00")}, {Days: [7]bool{time.Saturday: true, time.Sunday: true}, From: 9 * hour, Until: 18 * hour, People: []string{"roux"}}},
		People: map[string]alerts.Person{"petit": {ID: "petit", Contacts: []string{"petit@example.org"}}, "roux": {ID: "roux", Contacts: []string{"roux@example.org"}}},
	}
	return team
}

func paris(t *testing.T, moment string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", moment, storetest.Care().Team.Calendar.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func names(people []alerts.Person) string {
	var ids []string
	for _, p := range people {
		ids = append(ids, p.ID)
	}
	return strings.Join(ids, " ")
}

// Who is on duty, and who is next, over turns of a week, a weekend, a swap, and the night
// on which the clock goes back.
func TestWhoIsOnDutyAndWhoIsNext(t *testing.T) {
	team := nights(t)
	team.Rota.Overrides = []alerts.Override{
		{From: paris(t, "2026-11-04 18:00"), Until: paris(t, "2026-11-05 09:00"), Person: "roux"},
		{From: paris(t, "2026-11-11 18:00"), Until: paris(t, "2026-11-12 09:00"), Person: "petit"},
	}
	for _, c := range []struct{ at, now, next, then string }{
		{"2026-11-03 19:00", "petit", "2026-11-04 09:00", ""},
		{"2026-11-04 12:00", "", "2026-11-04 18:00", "roux"}, // the swap
		{"2026-11-05 03:00", "roux", "2026-11-05 09:00", ""},
		{"2026-11-07 08:59", "petit", "2026-11-07 09:00", "roux"},
		{"2026-11-08 17:00", "roux", "2026-11-08 18:00", "petit"},
		{"2026-11-10 03:00", "roux", "2026-11-10 09:00", ""}, // the next week
		{"2026-11-12 08:00", "petit", "2026-11-12 09:00", ""},
		{"2026-10-25 02:30", "petit", "2026-10-25 09:00", "roux"}, // an hour that is there twice
	} {
		d := team.Duty(paris(t, c.at))
		if names(d.OnDuty) != c.now || !d.Next.Equal(paris(t, c.next)) || names(d.Then) != c.then {
			t.Errorf("%s: %q is on duty, from %s on %q; want %q, from %s on %q", c.at, names(d.OnDuty), d.Next, names(d.Then), c.now, c.next, c.then)
		}
	}
}

// Without a rota it is the first step of the escalation, always.
func TestWithoutARotaTheFirstStepIsOnDuty(t *testing.T) {
	d := storetest.Care().Team.Duty(storetest.Morning)
	if len(d.OnDuty) != 1 || d.OnDuty[0].Contacts[0] != "cadre@example.org" || !d.Next.IsZero() || d.Then != nil {
		t.Errorf("on duty is %+v", d)
	}
}

// A team that nobody can reach at some hour is known beforehand.
func TestAnHourAtWhichNobodyIsReached(t *testing.T) {
	from := paris(t, "2026-11-16 12:00")
	for name, c := range map[string]struct {
		change func(*alerts.Team)
		want   string
	}{
		"nights and weekends are covered":             {func(*alerts.Team) {}, ""},
		"nobody on Saturdays":                         {func(t *alerts.Team) { t.Rota.Shifts[1].Days = [7]bool{time.Sunday: true} }, "2026-11-21 09:00"},
		"duty begins an hour after the team has left": {func(t *alerts.Team) { t.Rota.Shifts[0].From = 19 * hour }, "2026-11-16 18:00"},
		"it waits for the opening by choice":          {func(t *alerts.Team) { t.Rota, t.OutOfHours = alerts.Rota{}, nil }, ""},
		"on call, and nobody is":                      {func(t *alerts.Team) { t.Rota, t.Escalate = alerts.Rota{}, nil }, "2026-11-16 18:00"},
		"no address at all":                           {func(t *alerts.Team) { t.Contacts, t.Systems = nil, nil }, "2026-11-16 12:00"},
	} {
		t.Run(name, func(t *testing.T) {
			team := nights(t)
			c.change(&team)
			at := team.Duty(from).Unreachable
			if c.want == "" && !at.IsZero() || c.want != "" && !at.Equal(paris(t, c.want)) {
				t.Errorf("nobody is reached from %s on, want %q", at, c.want)
			}
		})
	}
}

// The team is closed on a public holiday, and its duty knows nights and weekends alone.
func TestNobodyIsOnDutyOnAPublicHoliday(t *testing.T) {
	if at := nights(t).Duty(paris(t, "2026-11-03 12:00")).Unreachable; !at.Equal(paris(t, "2026-11-11 09:00")) {
		t.Errorf("nobody is reached from %s on, want the 11th of November at 09:00", at)
	}
}
