package alerts_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/alerts"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

var weekdays = [7]bool{time.Monday: true, time.Tuesday: true, time.Wednesday: true, time.Thursday: true, time.Friday: true}
var everyDay = [7]bool{true, true, true, true, true, true, true}

func office(t testing.TB, zoneName string) alerts.Calendar {
	return alerts.Calendar{Zone: zone(t, zoneName), Opens: 8*time.Hour + 30*time.Minute, Closes: 18 * time.Hour, Days: weekdays}
}

func TestAnswerDelayRunsInOpeningHours(t *testing.T) {
	paris := office(t, "Europe/Paris")
	alsace := paris
	alsace.AlsaceMoselle = true
	always := paris
	always.OnHolidays = true
	reunion := office(t, "Indian/Reunion")
	allDay := alerts.Calendar{Zone: zone(t, "Europe/Paris"), Closes: 24 * time.Hour, Days: everyDay}
	night := alerts.Calendar{Zone: zone(t, "Europe/Paris"), Opens: time.Hour, Closes: 4 * time.Hour, Days: everyDay, OnHolidays: true}

	for _, c := range []struct {
		name     string
		calendar alerts.Calendar
		from     string
		delay    time.Duration
		want     string
	}{
		{"within the morning", paris, "2026-11-23T09:00", 2 * time.Hour, "2026-11-23T11:00"},
		{"up to closing time", paris, "2026-11-23T16:00", 2 * time.Hour, "2026-11-23T18:00"},
		{"over the night", paris, "2026-11-23T17:00", 2 * time.Hour, "2026-11-24T09:30"},
		{"before opening", paris, "2026-11-23T03:00", time.Hour, "2026-11-23T09:30"},
		{"after closing", paris, "2026-11-23T22:00", time.Hour, "2026-11-24T09:30"},
		{"over the week-end", paris, "2026-11-27T17:30", time.Hour, "2026-11-30T09:00"},
		{"over many days", paris, "2026-11-23T08:30", 5*9*time.Hour + 150*time.Minute, "2026-11-27T18:00"},
		{"over Armistice, a Wednesday", paris, "2026-11-10T17:30", time.Hour, "2026-11-12T09:00"},
		{"a team that works on holidays", always, "2026-11-10T17:30", time.Hour, "2026-11-11T09:00"},
		{"over Easter Monday", paris, "2027-03-26T17:30", time.Hour, "2027-03-30T09:00"},
		{"over Good Friday in Alsace", alsace, "2027-03-25T17:30", time.Hour, "2027-03-30T09:00"},
		{"Good Friday elsewhere", paris, "2027-03-25T17:30", time.Hour, "2027-03-26T09:00"},
		{"abolition day on Réunion, a Monday in 2027", reunion, "2027-12-17T17:30", time.Hour, "2027-12-21T09:00"},
		{"the same day in Paris", paris, "2027-12-17T17:30", time.Hour, "2027-12-20T09:00"},
		{"a day of 23 hours", allDay, "2026-03-29T00:00", 23 * time.Hour, "2026-03-30T00:00"},
		{"a day of 25 hours", allDay, "2026-10-25T00:00", 25 * time.Hour, "2026-10-26T00:00"},
		{"a night that skips an hour", night, "2026-03-29T00:00", 2 * time.Hour, "2026-03-29T04:00"},
		{"a night that repeats an hour", night, "2026-10-25T00:00", 4 * time.Hour, "2026-10-25T04:00"},
		{"no delay at all", paris, "2026-11-22T12:00", 0, "2026-11-22T12:00"},
		{"no hours given", alerts.Calendar{Zone: zone(t, "Europe/Paris")}, "2026-11-22T23:00", 2 * time.Hour, "2026-11-23T01:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			local := func(text string) time.Time {
				at, err := time.ParseInLocation("2006-01-02T15:04", text, c.calendar.Zone)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			got := c.calendar.Add(local(c.from), c.delay)
			if !got.Equal(local(c.want)) {
				t.Errorf("%v of opening time from %s end at %s, want %s", c.delay, c.from, got.In(c.calendar.Zone).Format("2006-01-02T15:04"), c.want)
			}
			if got.Location() != time.UTC {
				t.Errorf("the deadline is in %v, want UTC", got.Location())
			}
		})
	}
}

func TestHolidays(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		alsace    bool
		want      bool
	}{
		{"Europe/Paris", "2026-01-01", false, true},
		{"Europe/Paris", "2026-04-06", false, true}, // Easter Monday
		{"Europe/Paris", "2026-05-01", false, true},
		{"Europe/Paris", "2026-05-08", false, true},
		{"Europe/Paris", "2026-05-14", false, true}, // Ascension
		{"Europe/Paris", "2026-05-25", false, true}, // Whit Monday
		{"Europe/Paris", "2026-07-14", false, true},
		{"Europe/Paris", "2026-08-15", false, true},
		{"Europe/Paris", "2026-11-01", false, true},
		{"Europe/Paris", "2026-11-11", false, true},
		{"Europe/Paris", "2026-12-25", false, true},
		{"Europe/Paris", "2026-12-26", false, false},
		{"Europe/Paris", "2026-12-26", true, true},
		{"Europe/Paris", "2026-04-03", true, true}, // Good Friday
		{"Europe/Paris", "2026-04-03", false, false},
		{"Indian/Mayotte", "2026-04-27", false, true},
		{"America/Martinique", "2026-05-22", false, true},
		{"America/Guadeloupe", "2026-05-27", false, true},
		{"America/Guadeloupe", "2026-05-22", false, false},
		{"America/Cayenne", "2026-06-10", false, true},
		{"Indian/Reunion", "2026-12-20", false, true},
		{"Europe/Paris", "2026-12-20", false, false},
	} {
		calendar := alerts.Calendar{Zone: zone(t, c.zone), AlsaceMoselle: c.alsace}
		noon, err := time.ParseInLocation("2006-01-02 15", c.day+" 12", calendar.Zone)
		if err != nil {
			t.Fatal(err)
		}
		if name, got := calendar.Holiday(noon); got != c.want || got != (name != "") {
			t.Errorf("%s in %s (Alsace %v): holiday %v %q, want %v", c.day, c.zone, c.alsace, got, name, c.want)
		}
	}
}

func TestHoursThatCannotBeMeant(t *testing.T) {
	for want, calendar := range map[string]alerts.Calendar{
		"":               {Opens: 8 * time.Hour, Closes: 18 * time.Hour, Days: weekdays},
		"within one day": {Opens: 20 * time.Hour, Closes: 25 * time.Hour, Days: weekdays},
		"the same":       {Opens: 8 * time.Hour, Closes: 8 * time.Hour, Days: weekdays},
	} {
		err := calendar.Check()
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%v to %v: %v, want %q", calendar.Opens, calendar.Closes, err, want)
		}
	}
	if err := (alerts.Calendar{}).Check(); err != nil {
		t.Errorf("a team that is always there: %v", err)
	}
}

// TestHoursThatTheClockJumpsOver has a team open from midnight to one on the night
// whose clock goes from midnight to one, and one that closes at that midnight.
func TestHoursThatTheClockJumpsOver(t *testing.T) {
	santiago := zone(t, "America/Santiago")
	jump := time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC)
	gone := alerts.Calendar{Zone: santiago, Closes: time.Hour, Days: everyDay, OnHolidays: true}
	if open := gone.Between(jump.Add(-4*time.Hour), jump.Add(4*time.Hour)); open != 0 {
		t.Errorf("an hour that there was not was open for %v", open)
	}
	evening := alerts.Calendar{Zone: santiago, Opens: 20 * time.Hour, Closes: 24 * time.Hour, Days: everyDay, OnHolidays: true}
	if open := evening.Between(jump.Add(-6*time.Hour), jump.Add(6*time.Hour)); open != 4*time.Hour {
		t.Errorf("the evening before was open for %v, want 4 h", open)
	}
}

// anyCalendar draws a calendar that is sometimes open.
func anyCalendar(t *rapid.T) alerts.Calendar {
	name := rapid.SampledFrom([]string{
		"Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "America/Cayenne", "Pacific/Noumea", "Pacific/Marquesas",
		"America/Miquelon", "Pacific/Tahiti", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo",
	}).Draw(t, "zone")
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	opens := rapid.IntRange(0, 23*4).Draw(t, "opens")
	closes := rapid.IntRange(opens+1, 24*4).Draw(t, "closes")
	c := alerts.Calendar{
		Zone: z, Opens: time.Duration(opens) * 15 * time.Minute, Closes: time.Duration(closes) * 15 * time.Minute,
		AlsaceMoselle: rapid.Bool().Draw(t, "alsace"), OnHolidays: rapid.Bool().Draw(t, "on holidays"),
	}
	for i := range c.Days {
		c.Days[i] = rapid.Bool().Draw(t, "day")
	}
	c.Days[rapid.IntRange(1, 5).Draw(t, "surely")] = true
	return c
}

func anyTime(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64Range(1_770_000_000, 1_830_000_000).Draw(t, label), 0)
}

func TestDelayEndsAfterExactlySoMuchOpeningTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, from := anyCalendar(t), anyTime(t, "from")
		delay := time.Duration(rapid.Int64Range(1, 100*3600).Draw(t, "delay")) * time.Second
		until := c.Add(from, delay)
		if got := c.Between(from, until); got != delay {
			t.Fatalf("%v to %v holds %v of opening time, want %v", from.In(c.Zone), until.In(c.Zone), got, delay)
		}
		if got := c.Between(from, until.Add(-time.Second)); got != delay-time.Second {
			t.Fatalf("the last second before %v is not open", until.In(c.Zone))
		}
		if !c.Open(until.Add(-time.Nanosecond)) {
			t.Fatalf("the team is closed just before the deadline %v", until.In(c.Zone))
		}
	})
}

func TestDelaysAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, from := anyCalendar(t), anyTime(t, "from")
		first := time.Duration(rapid.Int64Range(0, 40*3600).Draw(t, "first")) * time.Second
		second := time.Duration(rapid.Int64Range(0, 40*3600).Draw(t, "second")) * time.Second
		if step, leap := c.Add(c.Add(from, first), second), c.Add(from, first+second); second > 0 && !step.Equal(leap) {
			t.Fatalf("%v then %v from %v end at %v, together at %v", first, second, from.In(c.Zone), step.In(c.Zone), leap.In(c.Zone))
		}
	})
}

func TestLaterFindingNeverHasAnEarlierDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, from := anyCalendar(t), anyTime(t, "from")
		later := from.Add(time.Duration(rapid.Int64Range(0, 10*24*3600).Draw(t, "later")) * time.Second)
		delay := time.Duration(rapid.Int64Range(1, 40*3600).Draw(t, "delay")) * time.Second
		if c.Add(later, delay).Before(c.Add(from, delay)) {
			t.Fatalf("found at %v the deadline is %v, found at %v it is %v", from, c.Add(from, delay), later, c.Add(later, delay))
		}
	})
}

func TestOpeningTimeSplitsAtAnyInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, a := anyCalendar(t), anyTime(t, "a")
		b := a.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, "b")) * time.Second)
		d := b.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, "c")) * time.Second)
		if whole, parts := c.Between(a, d), c.Between(a, b)+c.Between(b, d); whole != parts {
			t.Fatalf("%v to %v holds %v, in two parts %v", a, d, whole, parts)
		}
	})
}

func BenchmarkAnswerDelayOverTwoWeeks(b *testing.B) {
	c := office(b, "Europe/Paris")
	from := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for b.Loop() {
		c.Add(from, 90*time.Hour)
	}
}

// TestATeamMayWorkAtNight has one from 20:00 to 08:00, also over the changes of the
// clock, and one with a lunch break and a short Friday.
func TestATeamMayWorkAtNight(t *testing.T) {
	everyDay := [7]bool{true, true, true, true, true, true, true}
	night := alerts.Calendar{Zone: zone(t, "Europe/Paris"), Opens: 20 * time.Hour, Closes: 8 * time.Hour, Days: everyDay, OnHolidays: true}
	if err := night.Check(); err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		moment, err := time.ParseInLocation("2006-01-02 15:04", text, night.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for text, open := range map[string]bool{
		"2026-11-23 19:59": false, "2026-11-23 20:00": true, "2026-11-24 03:00": true, "2026-11-24 07:59": true, "2026-11-24 08:00": false,
	} {
		if night.Open(at(text)) != open {
			t.Errorf("open at %s: %v", text, !open)
		}
	}
	for _, c := range []struct {
		from, until string
		length      time.Duration
	}{
		{"2026-11-23 12:00", "2026-11-24 12:00", 12 * time.Hour},
		{"2026-03-28 12:00", "2026-03-29 12:00", 11 * time.Hour}, // forward
		{"2026-10-24 12:00", "2026-10-25 12:00", 13 * time.Hour}, // back
	} {
		if got := night.Between(at(c.from), at(c.until)); got != c.length {
			t.Errorf("from %s to %s it is open for %v, want %v", c.from, c.until, got, c.length)
		}
	}
	if got, want := night.Add(at("2026-11-24 07:00"), 2*time.Hour), at("2026-11-24 21:00"); !got.Equal(want) {
		t.Errorf("two hours from 07:00 end at %v, want %v", got, want)
	}
	if got, want := night.Opening(at("2026-11-24 03:00")), at("2026-11-24 20:00"); !got.Equal(want) {
		t.Errorf("the next opening is %v, want %v", got, want)
	}

	lunch := alerts.Calendar{
		Zone: night.Zone, Days: weekdays, Opens: 9 * time.Hour, Closes: 12 * time.Hour,
		Further: []alerts.Hours{{Days: [7]bool{time.Monday: true, time.Tuesday: true}, Opens: 14 * time.Hour, Closes: 18 * time.Hour}},
	}
	if got, want := lunch.Add(at("2026-11-23 11:00"), 2*time.Hour), at("2026-11-23 15:00"); !got.Equal(want) {
		t.Errorf("two hours over lunch end at %v, want %v", got, want)
	}
	if got, want := lunch.Add(at("2026-11-27 11:00"), 2*time.Hour), at("2026-11-30 10:00"); !got.Equal(want) {
		t.Errorf("two hours over a short Friday end at %v, want %v", got, want)
	}
	both := alerts.Calendar{Zone: night.Zone, Days: everyDay, Opens: 8 * time.Hour, Closes: 20 * time.Hour, OnHolidays: true,
		Further: []alerts.Hours{{Days: everyDay, Opens: 19 * time.Hour, Closes: 9 * time.Hour}}}
	if got := both.Between(at("2026-11-23 00:00"), at("2026-11-25 00:00")); got != 48*time.Hour {
		t.Errorf("two teams that overlap are there for %v of two days", got)
	}
}
