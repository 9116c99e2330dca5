package protocols

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkAddLevel is the cost of one reading for a rule of three levels.
func BenchmarkAddLevel(b *testing.B) {
	graded := func(l Level, below, clear float64) RuleLevel {
		c := of("oxygen-saturation", "value", Last, Window{}, Below, below)
		c.Clear = clearAt(clear)
		return level(l, c)
	}
	p := protocolOf(rule("saturation", graded(Yellow, 92, 93), graded(Orange, 90, 91), graded(Red, 85, 87)))
	addMany(b, stateOf(b, p, enrolled()), "oxygen-saturation", time.Second, func(i int) float64 { return 93 + float64(i%6) })
}

// BenchmarkAddDiabetes is the cost of one glucose reading for all the rules of
// a diabetes protocol, which must not grow with the window.
func BenchmarkAddDiabetes(b *testing.B) {
	for _, days := range []int{1, 14, 28} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			s := stateOf(b, diabetesProtocol(Window{Days: days}), enrolled())
			addMany(b, s, "glucose", 5*time.Minute, glucoseDay)
		})
		b.Run(fmt.Sprintf("sliding=%dh", 24*days), func(b *testing.B) {
			s := stateOf(b, diabetesProtocol(Window{Length: time.Duration(days) * 24 * time.Hour}), enrolled())
			addMany(b, s, "glucose", 5*time.Minute, glucoseDay)
		})
	}
}

// glucoseDay swings between 75 and 175 mg/dL, as on an uneventful day.
func glucoseDay(i int) float64 { return 75 + float64(i*7%101) }

// diabetesProtocol asks what the shipped one asks: hypoglycaemia now and as
// events, hyperglycaemia that lasts, time in ranges, variability, mean, wear,
// absence.
func diabetesProtocol(long Window) *Protocol {
	share := func(f Filter, op Operator, threshold float64) *Comparison {
		c := of("glucose", "value", Share, long, op, threshold)
		c.Where, c.Floor = &f, v(70)
		return c
	}
	over := func(s Statistic, op Operator, threshold float64) *Comparison {
		c := of("glucose", "value", s, long, op, threshold)
		c.Floor = v(70)
		return c
	}
	severe := of("glucose", "value", Events, Window{Length: 24 * time.Hour}, AtLeast, 3)
	severe.Where = &Filter{Below: clearAt(54)}
	severe.Event = &EventShape{Lasting: 15 * time.Minute, Ending: 15 * time.Minute}
	high := of("glucose", "value", Last, Window{}, Above, 250)
	high.Lasting, high.Gap = 2*time.Hour, 20*time.Minute
	low := of("glucose", "value", Last, Window{}, Below, 54)
	low.Clear = clearAt(70)
	p := protocolOf(
		rule("hypoglycémie", level(Orange, of("glucose", "value", Last, Window{}, Below, 70)), level(Red, low)),
		rule("hypoglycémies-sévères", level(Red, severe)),
		rule("hyperglycémie", level(Orange, high)),
		rule("temps-sous-70", level(Yellow, share(Filter{Below: clearAt(70)}, Above, 4)), level(Orange, share(Filter{Below: clearAt(54)}, Above, 1))),
		rule("temps-au-dessus", level(Yellow, share(Filter{Above: clearAt(180)}, Above, 25)), level(Orange, share(Filter{Above: clearAt(250)}, Above, 5))),
		rule("temps-dans-la-cible", level(Yellow, share(Filter{AtLeast: clearAt(70), AtMost: clearAt(180)}, Below, 70))),
		rule("variabilité", level(Yellow, over(CV, Above, 36))),
		rule("moyenne", level(Yellow, over(Mean, Above, 180)), level(Orange, over(GMI, Above, 8))),
		rule("port", level(Technical, of("glucose", "value", Wear, Window{Days: 3}, Below, 50))),
	)
	p.Rules = append(p.Rules, Rule{ID: "silence", Title: Text{FR: "Silence"}, Absence: &Absence{
		Measure: MeasureByID("glucose"), Cadence: Cadence{Times: 4, Per: PerDay}, Missing: []MissingLevel{{Level: Orange, Periods: literal(2)}},
	}})
	p.Observations = []Observation{{Measure: MeasureByID("glucose"), Cadence: Cadence{Every: 5 * time.Minute}}}
	return p
}

// addMany measures Add once every window is full.
func addMany(b *testing.B, s *State, measure string, every time.Duration, value func(int) float64) {
	r := reading(measure, at("2026-03-01T00:00:00+01:00"), 0)
	add := func(i int) {
		r.Time = r.Time.Add(every)
		r.Values[0] = Value(value(i) * 1000)
		s.Add(r, r.Time, nil)
	}
	for i := range int(30 * 24 * time.Hour / max(every, 5*time.Minute)) {
		add(i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		add(i)
	}
}

func TestReadingsWithoutFindingsAllocateNothing(t *testing.T) {
	s := stateOf(t, diabetesProtocol(Window{Days: 14}), enrolled())
	r := reading("glucose", at("2026-03-01T00:00:00+01:00"), 0)
	i := 0
	add := func() {
		i++
		r.Time = r.Time.Add(5 * time.Minute)
		r.Values[0] = Value(glucoseDay(i) * 1000)
		s.Add(r, r.Time, nil)
	}
	for range 20 * 24 * 12 {
		add()
	}
	if allocations := testing.AllocsPerRun(1000, add); allocations > 0 {
		t.Errorf("%v allocations a reading", allocations)
	}
}

// BenchmarkRecompute is the cost of one late glucose reading, two weeks of
// readings being read again.
func BenchmarkRecompute(b *testing.B) {
	s := stateOf(b, diabetesProtocol(Window{Days: 14}), enrolled())
	start := at("2026-03-01T00:00:00+01:00")
	var history []*Reading
	for i := range 30 * 24 * 12 {
		r := reading("glucose", start.Add(time.Duration(i)*5*time.Minute), glucoseDay(i))
		history = append(history, r)
		s.Add(r, r.Time, nil)
	}
	late := history[len(history)-10:][:1]
	history = historySince(history, s.Reach(late))
	b.ReportMetric(float64(len(history)), "readings")
	for b.Loop() {
		s.Recompute(late, history, start, nil)
	}
}
