package devices

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"vigie/seeds"
)

// taken is one reading as a device takes it.
type taken struct {
	at       time.Time // when it is taken and sent
	measured time.Time // when the device says it was
	measure  string
	unit     string
	variant  string
	source   string
	values   map[string]float64
	zoneless bool
	twice    bool
	extra    map[string]any
}

// life is the endless series of readings of one device, oldest first. The same
// seed gives the same life.
type life struct {
	start  time.Time
	zone   *time.Location
	story  seeds.Story
	series []*series
	once   []taken // in the order of time
}

// newLife begins at from, for a demonstration that begins at start.
func newLife(device string, habits []seeds.Habit, story seeds.Story, start, from time.Time, zone *time.Location, seed uint64) (*life, error) {
	l := &life{start: start, zone: zone, story: story}
	for i, habit := range habits {
		s, err := newSeries(l, habit, from, rand.New(rand.NewPCG(seed, hash(device, i))))
		if err != nil {
			return nil, fmt.Errorf("the habits of %s: %w", device, err)
		}
		l.series = append(l.series, s)
	}
	for i, b := range story.Bursts {
		burst, err := newSeries(l, seeds.Habit{Measure: b.Measure, Unit: b.Unit, Every: b.Every, Values: b.Values}, b.From.In(start, zone), rand.New(rand.NewPCG(seed, hash(device, -1-i))))
		if err != nil {
			return nil, fmt.Errorf("a recording of %s: %w", device, err)
		}
		for until := b.Until.In(start, zone); burst.upcoming.Before(until); {
			l.once = append(l.once, burst.take())
		}
	}
	for _, r := range story.Once {
		at := r.At.In(start, zone)
		t := taken{at: at, measured: at, measure: r.Measure, unit: r.Unit, values: r.Values, zoneless: r.Zoneless, twice: r.Twice, extra: r.Extra}
		if r.Measured != nil {
			t.measured = r.Measured.In(start, zone)
		}
		l.once = append(l.once, t)
	}
	slices.SortStableFunc(l.once, func(a, b taken) int { return a.at.Compare(b.at) })
	return l, nil
}

func hash(device string, place int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, device, "/", place)
	return h.Sum64()
}

// next returns the next reading; false when there is none left, which only
// happens to a device without habits.
func (l *life) next() (taken, bool) {
	for {
		first := l.first()
		if len(l.once) > 0 && (first == nil || l.once[0].at.Before(first.upcoming)) {
			t := l.once[0]
			l.once = l.once[1:]
			return t, true
		}
		if first == nil {
			return taken{}, false
		}
		t := first.take()
		if !l.silent(t.at) {
			return t, true
		}
	}
}

// first is the series whose turn comes first.
func (l *life) first() *series {
	if len(l.series) == 0 {
		return nil
	}
	return slices.MinFunc(l.series, func(a, b *series) int { return a.upcoming.Compare(b.upcoming) })
}

func (l *life) silent(t time.Time) bool {
	return slices.ContainsFunc(l.story.Silent, func(s seeds.Span) bool {
		return !t.Before(s.From.In(l.start, l.zone)) && t.Before(s.Until.In(l.start, l.zone))
	})
}

// series is one habit of one device.
type series struct {
	life       *life
	habit      seeds.Habit
	components []string // sorted, so that the randomness falls the same way
	deviation  map[string]float64
	times      []time.Duration // of the day, in order
	meals      []meal
	random     *rand.Rand
	upcoming   time.Time
	day        time.Time // any instant of the civil day that is being gone through
	slot       int       // in times
}

type meal struct {
	at time.Duration
	seeds.Meal
}

func newSeries(l *life, habit seeds.Habit, from time.Time, random *rand.Rand) (*series, error) {
	s := &series{life: l, habit: habit, deviation: map[string]float64{}, random: random, day: from.In(l.zone), upcoming: from}
	s.habit.Values = map[string]seeds.Wave{}
	for name, wave := range habit.Values {
		s.habit.Values[name] = wave
	}
	for name, own := range l.story.Values[habit.Measure] {
		wave := s.habit.Values[name]
		s.habit.Values[name] = seeds.Wave{
			Base: cmp.Or(own.Base, wave.Base), Noise: cmp.Or(own.Noise, wave.Noise), Smooth: cmp.Or(own.Smooth, wave.Smooth),
			Min: cmp.Or(own.Min, wave.Min), Max: cmp.Or(own.Max, wave.Max), Decimals: cmp.Or(own.Decimals, wave.Decimals),
		}
	}
	for name := range s.habit.Values {
		s.components = append(s.components, name)
	}
	slices.Sort(s.components)
	for _, m := range habit.Meals {
		at, err := seeds.TimeOfDay(m.At)
		if err != nil {
			return nil, err
		}
		s.meals = append(s.meals, meal{at, m})
	}
	for _, text := range habit.At {
		at, err := seeds.TimeOfDay(text)
		if err != nil {
			return nil, err
		}
		s.times = append(s.times, at)
	}
	if len(s.times) == 0 && habit.Every <= 0 {
		return nil, fmt.Errorf("%s is taken neither at a time of day nor every so often", habit.Measure)
	}
	slices.Sort(s.times)
	if habit.Every <= 0 {
		s.advance()
		for s.upcoming.Before(from) {
			s.advance()
		}
	}
	return s, nil
}

// take returns the reading whose turn it is and moves on to the next.
func (s *series) take() taken {
	t := taken{at: s.upcoming, measured: s.upcoming, measure: s.habit.Measure, unit: s.habit.Unit, variant: s.habit.Variant, source: s.habit.Source,
		values: make(map[string]float64, len(s.components))}
	for _, name := range s.components {
		t.values[name] = s.value(name, s.upcoming)
	}
	s.advance()
	return t
}

// advance moves upcoming to the next time.
func (s *series) advance() {
	if s.habit.Every > 0 {
		s.upcoming = s.upcoming.Add(s.habit.Every)
		return
	}
	for {
		if s.slot == len(s.times) {
			s.day, s.slot = s.day.AddDate(0, 0, 1), 0
		}
		at := s.times[s.slot]
		s.slot++
		if len(s.habit.On) > 0 && !slices.Contains(s.habit.On, strings.ToLower(s.day.Weekday().String())) {
			continue
		}
		late := time.Duration(0)
		if s.habit.Within > 0 {
			late = time.Duration(s.random.Int64N(int64(s.habit.Within))).Truncate(time.Second)
		}
		s.upcoming = time.Date(s.day.Year(), s.day.Month(), s.day.Day(), 0, int(at/time.Minute), 0, 0, s.life.zone).Add(late)
		return
	}
}

func (s *series) value(component string, t time.Time) float64 {
	wave := s.habit.Values[component]
	fresh := wave.Noise * s.random.NormFloat64()
	s.deviation[component] = wave.Smooth*s.deviation[component] + math.Sqrt(1-wave.Smooth*wave.Smooth)*fresh
	v := wave.Base + s.deviation[component] + s.eaten(t) + s.life.shifted(s.habit.Measure, component, t)
	if wave.Min != 0 {
		v = max(v, wave.Min)
	}
	if wave.Max != 0 {
		v = min(v, wave.Max)
	}
	scale := math.Pow10(wave.Decimals)
	return math.Round(v*scale) / scale
}

// eaten is what the meals of the day add.
func (s *series) eaten(t time.Time) float64 {
	local := t.In(s.life.zone)
	now := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	sum := 0.0
	for _, m := range s.meals {
		sum += m.By * hump(now, m.at, m.at+m.Lasts)
	}
	return sum
}

// shifted is what the story adds to a component.
func (l *life) shifted(measure, component string, t time.Time) float64 {
	sum := 0.0
	for _, shift := range l.story.Shifts {
		if shift.Measure != measure || cmp.Or(shift.Component, "value") != component {
			continue
		}
		now, from, until := t.Sub(l.start), shift.From.In(l.start, l.zone).Sub(l.start), shift.Until.In(l.start, l.zone).Sub(l.start)
		switch shift.Shape {
		case seeds.Hump:
			sum += shift.By * hump(now, from, until)
		case seeds.Step:
			if now >= from && now < until {
				sum += shift.By
			}
		default:
			sum += shift.By * min(1, max(0, float64(now-from)/float64(until-from)))
		}
	}
	return sum
}

// hump swells from 0 to 1 and back between two times.
func hump(now, from, until time.Duration) float64 {
	if now <= from || now >= until {
		return 0
	}
	sine := math.Sin(math.Pi * float64(now-from) / float64(until-from))
	return sine * sine
}
