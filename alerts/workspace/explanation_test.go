package workspace

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

// weights is an explanation over three readings of a weight.
func weights(c protocols.Compared) *protocols.Explanation {
	c.Measure, c.Component, c.Unit = "weight", "value", "kg"
	e := &protocols.Explanation{Comparisons: []protocols.Compared{c}}
	for day, value := range []protocols.Value{80000, 80500, 82100} {
		e.Readings = append(e.Readings, protocols.Cited{
			Measure: "weight", Time: time.Date(2026, 11, 20+day, 7, 0, 0, 0, time.UTC), Values: map[string]protocols.Value{"value": value},
		})
	}
	return e
}

// first is the first drawing; nil where there is none.
func first(drawings []*drawing) *drawing {
	if len(drawings) == 0 {
		return nil
	}
	return drawings[0]
}

// What is drawn goes up to now: a silence since then is seen as one.
func TestTheSilenceSinceIsDrawn(t *testing.T) {
	e := weights(protocols.Compared{Statistic: protocols.Last, Value: 82100, Threshold: 82000})
	e.At = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	v := view{Language: "fr", now: time.Date(2026, 11, 26, 7, 0, 0, 0, time.UTC)}
	c := first(v.draw(e, "", nothing))
	if c == nil || len(c.Gaps) != 1 || c.Rang != c.X || !strings.HasPrefix(c.Now, "82,1\u202fkg ↑, il y a 4 j") {
		t.Fatalf("it is drawn as %+v", c)
	}
	v.now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	if c := first(v.draw(e, "", nothing)); len(c.Gaps) != 0 {
		t.Errorf("an hour after the last of three daily values is a silence: %+v", c.Gaps)
	}
}

func TestThresholdIsDrawnOnlyOnItsOwnScale(t *testing.T) {
	v := view{Language: "fr", now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	level := first(v.draw(weights(protocols.Compared{Statistic: protocols.Last, Value: 82100, Threshold: 82000}), "", nothing))
	if level == nil || len(level.Bounds) != 1 || len(level.Dots) != 3 || level.High != "82,1\u202fkg" || level.Low != "80,0\u202fkg" {
		t.Errorf("a level is drawn as %+v", level)
	}
	for name, c := range map[string]protocols.Compared{
		"a change":                  {Statistic: protocols.Change, Value: 2100, Threshold: 2000},
		"a mean against a baseline": {Statistic: protocols.Mean, Value: 1200, Threshold: 1000},
		"no threshold":              {Statistic: protocols.Last, Value: 82100, Threshold: protocols.Missing},
	} {
		if drawn := first(v.draw(weights(c), "", nothing)); drawn == nil || drawn.Bounds != nil {
			t.Errorf("%s is drawn as %+v, want the readings without a threshold", name, drawn)
		}
	}
	enough := weights(protocols.Compared{Statistic: protocols.DaysCovered, Value: 14_000, Threshold: 3_000})
	enough.Comparisons = append(enough.Comparisons, weights(protocols.Compared{Statistic: protocols.Mean, Value: 81000, Threshold: 80500}).Comparisons...)
	if drawn := first(v.draw(enough, "", nothing)); drawn == nil || len(drawn.Bounds) == 0 {
		t.Errorf("a mean beside a number of days is drawn as %+v, want its threshold", drawn)
	}
	alone := weights(protocols.Compared{Statistic: protocols.Last, Value: 82100, Threshold: 82000})
	alone.Readings = alone.Readings[:1]
	if drawn := first(v.draw(alone, "", nothing)); drawn != nil {
		t.Errorf("one reading is drawn as %+v", drawn)
	}
}

// What is counted is drawn by what makes a reading count: the number of readings
// has no place on the scale of the readings.
func TestTheBoundsOfWhatIsCountedAreDrawn(t *testing.T) {
	v := view{Language: "fr", now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	between := []protocols.Bound{{Operator: protocols.AtLeast, Value: 81000}, {Operator: protocols.AtMost, Value: 83000}}
	c := first(v.draw(weights(protocols.Compared{Statistic: protocols.Count, Value: 1000, Threshold: 1000, Where: between}), "", nothing))
	if c == nil || len(c.Bounds) != 2 || c.Bounds[0].Text != "seuil 81,0\u202fkg" || c.High != "83,0\u202fkg" {
		t.Errorf("a count between 81 and 83 kg is drawn as %+v", c)
	}
	c = first(v.draw(weights(protocols.Compared{Statistic: protocols.Streak, Value: 2000, Threshold: 2000, Where: between[:1], Minus: "dry-weight"}), "", nothing))
	if c == nil || c.Bounds != nil {
		t.Errorf("the bound of a difference is drawn as %+v", c)
	}
}

func nothing(*protocols.Measure, time.Time, time.Time) []*protocols.Reading { return nil }

func TestOneReadingIsDrawnAfterThoseBeforeIt(t *testing.T) {
	v := view{Language: "fr", now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	e := weights(protocols.Compared{Statistic: protocols.Last, Value: 82100, Threshold: 82000, From: at, To: at})
	e.Readings = e.Readings[2:]
	c := first(v.draw(e, "", func(m *protocols.Measure, from, to time.Time) (list []*protocols.Reading) {
		if from.After(at.AddDate(0, 0, -14)) || !to.After(at) {
			t.Errorf("it asks for what was measured from %s to %s", from, to)
		}
		for day := range 5 {
			list = append(list, &protocols.Reading{Measure: m, Time: at.AddDate(0, 0, day-4), Values: []protocols.Value{protocols.Value(80_100 + 500*day)}})
		}
		return list
	}))
	if c == nil || len(c.Dots) != 1 || len(strings.Fields(c.Lines[0])) != 5 || len(c.Bounds) != 1 || c.Low != "80,1\u202fkg" {
		t.Errorf("it is drawn as %+v, want five readings of which one is cited, and the threshold", c)
	}
}

func TestASensorsPastIsDrawnNoLongerThanItCanBeRead(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	sensor := func(m *protocols.Measure, from, to time.Time) (list []*protocols.Reading) {
		for t := from; t.Before(to); t = t.Add(5 * time.Minute) {
			list = append(list, &protocols.Reading{Measure: m, Time: t, Values: []protocols.Value{100_000}})
		}
		return list
	}
	c := protocols.Compared{Measure: "glucose", Component: "value", From: at.Add(-time.Hour), To: at}
	if points := around(nil, c, at, sensor); len(points) != chartPoints {
		t.Errorf("%d points, want %d", len(points), chartPoints)
	}
	c.From = at.AddDate(0, 0, -7)
	if points := around(nil, c, at, sensor); len(points) != 7*288+1 {
		t.Errorf("%d points, want what was compared: %d", len(points), 7*288+1)
	}
}

func TestAgesAndDelaysInWords(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after  time.Duration
		fr, en string
	}{
		{-5 * time.Second, "à l'instant", "just now"},
		{-50 * time.Second, "il y a 50 s", "50 s ago"},
		{-59 * time.Minute, "il y a 59 min", "59 min ago"},
		{-3 * time.Hour, "il y a 3 h", "3 h ago"},
		{-(3*time.Hour + 5*time.Minute), "il y a 3 h 05", "3 h 05 ago"},
		{-26 * time.Hour, "il y a 26 h", "26 h ago"},
		{-72 * time.Hour, "il y a 3 j", "3 d ago"},
	} {
		if fr, en := ago("fr", now.Add(c.after), now), ago("en", now.Add(c.after), now); fr != c.fr || en != c.en {
			t.Errorf("%v: %q and %q, want %q and %q", c.after, fr, en, c.fr, c.en)
		}
	}
	if got := until("fr", now.Add(90*time.Minute), now) + " / " + until("fr", now.Add(-20*time.Minute), now); got != "dans 1 h 30 / dépassée de 20 min" {
		t.Error(got)
	}
}

func TestTimesOnTheClockOfTheTeam(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"Indian/Reunion": "lun. 23 nov., 12:00 (UTC+4)", "Europe/Paris": "lun. 23 nov., 09:00 (UTC+1)", "America/Cayenne": "lun. 23 nov., 05:00 (UTC−3)",
		"Pacific/Marquesas": "dim. 22 nov., 22:30 (UTC−9:30)",
	} {
		z, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		v := view{Language: "fr", now: now, teams: map[string]Team{"t": {Zone: z}}}
		if got := v.Stamp(now, "t").Exact; got != want {
			t.Errorf("%s: %s, want %s", zone, got, want)
		}
	}
	v := view{Language: "fr", now: now}
	if got := v.Stamp(now.AddDate(-1, 0, 0), "t").Exact; got != "dim. 23 nov. 2025, 08:00 (UTC)" {
		t.Error(got)
	}
}
