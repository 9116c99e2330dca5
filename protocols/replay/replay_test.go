package replay_test

import (
	"fmt"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/replay"
)

var paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return zone
}()

func above(level protocols.Level, limit, leave protocols.Value) protocols.RuleLevel {
	return protocols.RuleLevel{Level: level, When: protocols.Condition{Compare: &protocols.Comparison{
		Measure: protocols.MeasureByID("heart-rate"), Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Above,
		Threshold: protocols.Operand{Value: limit}, Clear: &protocols.Operand{Value: leave},
	}}}
}

// fast is a fast heart at two levels, and its silence.
var fast = &protocols.Protocol{ID: "test", Version: "1", Rules: []protocols.Rule{
	{ID: "fast", Title: protocols.Text{FR: "Pouls rapide"}, Levels: []protocols.RuleLevel{above(protocols.Yellow, 100_000, 90_000), above(protocols.Red, 130_000, 120_000)}},
	{ID: "silent", Title: protocols.Text{FR: "Silence"}, Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("heart-rate"), Cadence: protocols.Cadence{Times: 1, Per: protocols.PerDay},
		Missing: []protocols.MissingLevel{{Level: protocols.Technical, Periods: protocols.Operand{Value: 2000}}},
	}},
}}

func begin(t testing.TB, p *protocols.Protocol) replay.Start {
	t.Helper()
	plan, err := engine.NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	return func(e protocols.Enrolment) (protocols.Evaluator, error) { return plan.For(e) }
}

// local is a time in Paris in March 2026.
func local(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, paris) }

func march(from, to int) replay.Span { return replay.Span{From: local(from, 0), To: local(to, 0)} }

func pulses(rates map[int]float64) replay.Past {
	past := replay.Past{Enrolment: protocols.Enrolment{ID: "e", Patient: "p", Zone: paris, From: local(1, 0)}}
	for hour := range 24 * 31 {
		if rate, measured := rates[hour]; measured {
			past.Readings = append(past.Readings, reading("heart-rate", local(1, 0).Add(time.Duration(hour)*time.Hour), rate))
		}
	}
	return past
}

func alertsOf(t *testing.T, past replay.Past, span replay.Span) []replay.Alert {
	t.Helper()
	alerts, err := replay.Alerts(begin(t, fast), past, span, nil)
	if err != nil {
		t.Fatal(err)
	}
	return alerts
}

func TestAnEpisodeThatGetsGraverIsOneAlert(t *testing.T) {
	alerts := alertsOf(t, pulses(map[int]float64{8: 80, 9: 110, 10: 115, 11: 140, 12: 80}), march(1, 2))
	if len(alerts) != 1 {
		t.Fatalf("%d alerts", len(alerts))
	}
	a := alerts[0]
	if a.Level != protocols.Red || !a.Time.Equal(local(1, 9)) || !a.Ended.Equal(local(1, 12)) || a.Occurrences != 3 {
		t.Errorf("got %+v", a)
	}
	if len(a.Rises) != 1 || !a.Rises[0].Time.Equal(local(1, 11)) || a.Explanation.Level != protocols.Red {
		t.Errorf("it rose at %v", a.Rises)
	}
}

func TestWhatBeganBeforeTheSpanIsNotCounted(t *testing.T) {
	past := pulses(map[int]float64{20: 140, 30: 141, 31: 80, 40: 140, 41: 80})
	alerts := alertsOf(t, past, march(2, 3))
	if len(alerts) != 1 || !alerts[0].Time.Equal(local(1, 0).Add(40*time.Hour)) {
		t.Errorf("got %+v, want only the episode of the second day", alerts)
	}
}

// Patient-days are those of the enrolment, and so are the alerts that are held
// against them.
func TestWhatIsMeasuredAfterTheEnrolmentIsNotCounted(t *testing.T) {
	past := pulses(map[int]float64{9: 140, 10: 80, 24 + 9: 140, 24 + 10: 80, 72 + 9: 140})
	past.Enrolment.From, past.Enrolment.Until = local(2, 0), local(3, 0)
	alerts := alertsOf(t, past, march(1, 6))
	if len(alerts) != 1 || !alerts[0].Time.Equal(local(2, 9)) {
		t.Errorf("got %+v, want only what was raised on the one day on which the patient was followed", alerts)
	}
	var o replay.Outcome
	if o.Add(past, march(1, 6), alerts); o.PatientDays != 1 || o.Readings != 2 || o.Totals(fast.Rules).Rate != 100 {
		t.Errorf("%v patient-days, %d readings", o.PatientDays, o.Readings)
	}
}

func TestSilenceIsRaisedWhenItsTimeHasComeAndNotWithTheNextReading(t *testing.T) {
	alerts := alertsOf(t, pulses(map[int]float64{8: 80, 24*6 + 8: 80}), march(1, 8))
	if len(alerts) != 1 || alerts[0].Rule != "silent" {
		t.Fatalf("got %+v", alerts)
	}
	if want := local(4, 0); !alerts[0].Time.Equal(want) {
		t.Errorf("raised at %v, want the end of the second missing day, %v", alerts[0].Time, want)
	}
	if want := local(7, 8); !alerts[0].Ended.Equal(want) {
		t.Errorf("ended at %v, want with the next reading, %v", alerts[0].Ended, want)
	}
}

func TestSilenceUntilTheEndOfTheSpanIsSeen(t *testing.T) {
	if alerts := alertsOf(t, pulses(map[int]float64{8: 80}), march(1, 8)); len(alerts) != 1 || !alerts[0].Ended.IsZero() {
		t.Errorf("got %+v", alerts)
	}
}

func TestHoursAreThoseOfThePatient(t *testing.T) {
	past := pulses(map[int]float64{9: 140})
	past.Enrolment.Zone = time.FixedZone("Nouméa", 11*3600)
	var o replay.Outcome
	o.Add(past, march(1, 2), alertsOf(t, past, march(1, 2)))
	if hours := o.Totals(fast.Rules).ByHour; hours[19] != 1 {
		t.Errorf("9 in Paris is 19 in Nouméa; counted %v", hours)
	}
}

func TestSettingsThatDoNotSuitAreSaid(t *testing.T) {
	past := pulses(nil)
	past.Enrolment.Settings = protocols.Settings{"unknown": {}}
	if _, err := replay.Alerts(begin(t, fast), past, march(1, 2), nil); err == nil {
		t.Error("a setting that the protocol does not have was taken")
	}
}

// BenchmarkAlerts is the cost of one reading of a replay.
func BenchmarkAlerts(b *testing.B) {
	past := replay.Past{Enrolment: protocols.Enrolment{ID: "e", Patient: "p", Zone: paris, From: local(1, 0)}}
	for i := range b.N {
		r := reading("heart-rate", local(1, 0).Add(time.Duration(i)*time.Minute), float64(70+i%40))
		r.ID = fmt.Sprint(i)
		past.Readings = append(past.Readings, r)
	}
	span := replay.Span{From: local(1, 0), To: local(1, 0).Add(time.Duration(b.N+1) * time.Minute)}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := replay.Alerts(begin(b, fast), past, span, nil); err != nil {
		b.Fatal(err)
	}
}
