package engine

import (
	"fmt"
	"testing"
	"time"

	"vigie/protocols"
)

// BenchmarkAddLevel is the cost of one reading for a rule of three levels.
func BenchmarkAddLevel(b *testing.B) {
	graded := func(l protocols.Level, below, clear float64) protocols.RuleLevel {
		c := of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, below)
		c.Clear = clearAt(clear)
		return level(l, c)
	}
	p := protocolOf(rule("saturation", graded(protocols.Yellow, 92, 93), graded(protocols.Orange, 90, 91), graded(protocols.Red, 85, 87)))
	addMany(b, stateOf(b, p, enrolled()), "oxygen-saturation", time.Second, func(i int) float64 { return 93 + float64(i%6) })
}

// BenchmarkAddDiabetes is the cost of one glucose reading for all the rules of
// a diabetes protocol, which must not grow with the window.
func BenchmarkAddDiabetes(b *testing.B) {
	for _, days := range []int{1, 14, 28} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			s := stateOf(b, diabetesProtocol(protocols.Window{Days: days}), enrolled())
			addMany(b, s, "glucose", 5*time.Minute, glucoseDay)
		})
		b.Run(fmt.Sprintf("sliding=%dh", 24*days), func(b *testing.B) {
			s := stateOf(b, diabetesProtocol(protocols.Window{Length: time.Duration(days) * 24 * time.Hour}), enrolled())
			addMany(b, s, "glucose", 5*time.Minute, glucoseDay)
		})
	}
}

// glucoseDay swings between 75 and 175 mg/dL, as on an uneventful day.
func glucoseDay(i int) float64 { return 75 + float64(i*7%101) }

// diabetesProtocol asks what the shipped one asks: hypoglycaemia now and as
// events, hyperglycaemia that lasts, time in ranges, variability, mean, wear,
// absence.
func diabetesProtocol(long protocols.Window) *protocols.Protocol {
	share := func(f protocols.Filter, op protocols.Operator, threshold float64) *protocols.Comparison {
		c := of("glucose", "value", protocols.Share, long, op, threshold)
		c.Where, c.Floor = &f, v(70)
		return c
	}
	over := func(s protocols.Statistic, op protocols.Operator, threshold float64) *protocols.Comparison {
		c := of("glucose", "value", s, long, op, threshold)
		c.Floor = v(70)
		return c
	}
	severe := of("glucose", "value", protocols.Events, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 3)
	severe.Where = &protocols.Filter{Below: clearAt(54)}
	severe.Event = &protocols.EventShape{Lasting: 15 * time.Minute, Ending: 15 * time.Minute}
	high := of("glucose", "value", protocols.Last, protocols.Window{}, protocols.Above, 250)
	high.Lasting, high.Gap = 2*time.Hour, 20*time.Minute
	low := of("glucose", "value", protocols.Last, protocols.Window{}, protocols.Below, 54)
	low.Clear = clearAt(70)
	p := protocolOf(
		rule("hypoglycémie", level(protocols.Orange, of("glucose", "value", protocols.Last, protocols.Window{}, protocols.Below, 70)), level(protocols.Red, low)),
		rule("hypoglycémies-sévères", level(protocols.Red, severe)),
		rule("hyperglycémie", level(protocols.Orange, high)),
		rule("temps-sous-70", level(protocols.Yellow, share(protocols.Filter{Below: clearAt(70)}, protocols.Above, 4)), level(protocols.Orange, share(protocols.Filter{Below: clearAt(54)}, protocols.Above, 1))),
		rule("temps-au-dessus", level(protocols.Yellow, share(protocols.Filter{Above: clearAt(180)}, protocols.Above, 25)), level(protocols.Orange, share(protocols.Filter{Above: clearAt(250)}, protocols.Above, 5))),
		rule("temps-dans-la-cible", level(protocols.Yellow, share(protocols.Filter{AtLeast: clearAt(70), AtMost: clearAt(180)}, protocols.Below, 70))),
		rule("variabilité", level(protocols.Yellow, over(protocols.CV, protocols.Above, 36))),
		rule("moyenne", level(protocols.Yellow, over(protocols.Mean, protocols.Above, 180)), level(protocols.Orange, over(protocols.GMI, protocols.Above, 8))),
		rule("port", level(protocols.Technical, of("glucose", "value", protocols.Wear, protocols.Window{Days: 3}, protocols.Below, 50))),
	)
	p.Rules = append(p.Rules, protocols.Rule{ID: "silence", Title: protocols.Text{FR: "Silence"}, Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("glucose"), Cadence: protocols.Cadence{Times: 4, Per: protocols.PerDay}, Missing: []protocols.MissingLevel{{Level: protocols.Orange, Periods: literal(2)}},
	}})
	p.Observations = []protocols.Observation{{Measure: protocols.MeasureByID("glucose"), Cadence: protocols.Cadence{Every: 5 * time.Minute}}}
	return p
}

// addMany measures Add once every window is full.
func addMany(b *testing.B, s *State, measure string, every time.Duration, value func(int) float64) {
	r := reading(measure, at("2026-03-01T00:00:00+01:00"), 0)
	add := func(i int) {
		r.Time = r.Time.Add(every)
		r.Values[0] = protocols.Value(value(i) * 1000)
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
	s := stateOf(t, diabetesProtocol(protocols.Window{Days: 14}), enrolled())
	r := reading("glucose", at("2026-03-01T00:00:00+01:00"), 0)
	i := 0
	add := func() {
		i++
		r.Time = r.Time.Add(5 * time.Minute)
		r.Values[0] = protocols.Value(glucoseDay(i) * 1000)
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
	s := stateOf(b, diabetesProtocol(protocols.Window{Days: 14}), enrolled())
	start := at("2026-03-01T00:00:00+01:00")
	var history []*protocols.Reading
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

// BenchmarkOwnMeasure is the cost of a reading of a measure that the operator has written,
// beside one that ships, for the same rules: the ratio is about 1, for both are rows of one
// table. The two take turns, so that both meet the same noise.
func BenchmarkOwnMeasure(b *testing.B) {
	own := *protocols.MeasureByID("glucose")
	own.ID, own.LOINC = "glucose-of-the-ward", ""
	if err := protocols.Define([]*protocols.Measure{&own}); err != nil {
		b.Fatal(err)
	}
	const turn = 288 // readings: a day
	var took [2]time.Duration
	var days [2]func()
	for n, id := range []string{"glucose", own.ID} {
		s := stateOf(b, ofMeasure(diabetesProtocol(protocols.Window{Days: 14}), protocols.MeasureByID(id)), enrolled())
		r, i := reading(id, at("2026-03-01T00:00:00+01:00"), 0), 0
		days[n] = func() {
			for range turn {
				i++
				r.Time = r.Time.Add(5 * time.Minute)
				r.Values[0] = protocols.Value(glucoseDay(i) * 1000)
				s.Add(r, r.Time, nil)
			}
		}
		for range 30 {
			days[n]()
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for n := range days {
			began := time.Now()
			days[n]()
			took[n] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(turn*b.N), "shipped-ns/reading")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(turn*b.N), "own-ns/reading")
	b.ReportMetric(float64(took[1])/float64(took[0]), "own/shipped")
}

// ofMeasure has every rule of a protocol look at one measure. What is of glucose alone
// becomes a mean.
func ofMeasure(p *protocols.Protocol, m *protocols.Measure) *protocols.Protocol {
	for i := range p.Rules {
		if a := p.Rules[i].Absence; a != nil {
			a.Measure = m
		}
		p.Rules[i].Comparisons(func(c *protocols.Comparison) {
			if c.Measure = m; c.Statistic == protocols.GMI {
				c.Statistic, c.Threshold = protocols.Mean, *clearAt(250)
			}
		})
	}
	for i := range p.Observations {
		p.Observations[i].Measure = m
	}
	return p
}
