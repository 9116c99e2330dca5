package seeds

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"vigie/protocols"
)

//go:embed scenarios.yaml
var scenarios []byte

// Scenarios is what the devices of the cohort measure.
type Scenarios struct {
	Habits  map[string][]Habit `yaml:"habits"`  // by kind of device: how it is used and what a quiet day reads
	Devices map[string]Story   `yaml:"devices"` // by name: what is different about one
}

// Habit is one measure that a kind of device takes again and again: at times of
// day, or every so often.
type Habit struct {
	Measure string          `yaml:"measure"`
	Unit    string          `yaml:"unit"`
	Variant string          `yaml:"variant"`
	Source  string          `yaml:"source"` // device, unless it says otherwise
	At      []string        `yaml:"at"`     // where the patient lives, "07:20"
	On      []string        `yaml:"days"`   // "monday"; every day when empty
	Within  time.Duration   `yaml:"within"` // how late a person may be
	Every   time.Duration   `yaml:"every"`
	Values  map[string]Wave `yaml:"values"` // by component
	Meals   []Meal          `yaml:"meals"`
}

// Wave is a value that hovers around Base.
type Wave struct {
	Base     float64 `yaml:"base"`
	Noise    float64 `yaml:"noise"`  // standard deviation
	Smooth   float64 `yaml:"smooth"` // how much of the deviation stays for the next reading, from 0 to less than 1
	Min      float64 `yaml:"min"`    // no less than this, as of an instrument whose scale ends there; 0 for no limit
	Max      float64 `yaml:"max"`    // no more than this; 0 for no limit
	Decimals int     `yaml:"decimals"`
}

// Meal lifts every component once a day, in a hump.
type Meal struct {
	At    string        `yaml:"at"`
	Lasts time.Duration `yaml:"lasts"`
	By    float64       `yaml:"by"`
}

// Story is what happens to one device and the patient who uses it.
type Story struct {
	Told    protocols.Text             `yaml:"story"`
	Values  map[string]map[string]Wave `yaml:"values"` // by measure and component; what is 0 is that of the habit
	Shifts  []Shift                    `yaml:"shifts"`
	Silent  []Span                     `yaml:"silent"` // nothing is measured
	Bursts  []Burst                    `yaml:"bursts"`
	Once    []Reading                  `yaml:"once"`    // readings beside the habit
	Battery int                        `yaml:"battery"` // per cent; 80 when 0
}

// Span is a stretch of time.
type Span struct {
	From  Moment `yaml:"from"`
	Until Moment `yaml:"until"`
}

// Burst is a recording: one measure taken again and again for a while, a night
// with the oximeter on.
type Burst struct {
	Measure string          `yaml:"measure"`
	Unit    string          `yaml:"unit"`
	From    Moment          `yaml:"from"`
	Until   Moment          `yaml:"until"`
	Every   time.Duration   `yaml:"every"`
	Values  map[string]Wave `yaml:"values"`
}

// Shift moves one component of a measure away from its habit.
type Shift struct {
	Measure   string  `yaml:"measure"`
	Component string  `yaml:"component"` // "value" when empty
	From      Moment  `yaml:"from"`
	Until     Moment  `yaml:"until"`
	By        float64 `yaml:"by"`
	Shape     Shape   `yaml:"shape"`
}

// Shape says how a shift comes and goes.
type Shape string

// The shapes.
const (
	Ramp Shape = "ramp" // grows evenly from From to Until, and stays
	Hump Shape = "hump" // swells and is gone at Until
	Step Shape = "step" // whole, from From to Until
)

// Reading is a reading that no habit explains: an event, or a mistake of the
// device.
type Reading struct {
	At       Moment             `yaml:"at"` // when it is sent
	Measure  string             `yaml:"measure"`
	Unit     string             `yaml:"unit"`
	Values   map[string]float64 `yaml:"values"`
	Measured *Moment            `yaml:"measured"` // when the device says it was, if not At
	Zoneless bool               `yaml:"zoneless"` // its time carries no zone
	Twice    bool               `yaml:"twice"`    // it is sent again
	Extra    map[string]any     `yaml:"extra"`    // fields that no reading has
}

// Moment is a time told from the start of the demonstration: "+90m" is an hour
// and a half after it, "-3d 07:30" the civil day three days before, at 07:30
// where the patient lives.
type Moment struct {
	civil bool
	days  int
	clock time.Duration // since midnight when civil, else from the start
}

// UnmarshalYAML reads a moment.
func (m *Moment) UnmarshalYAML(text []byte) error {
	written := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	day, clock, _ := strings.Cut(written, " ")
	if days, ok := strings.CutSuffix(day, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			return fmt.Errorf("%q is not a moment: write -3d, -3d 07:30 or +90m", written)
		}
		m.civil, m.days = true, n
		if clock == "" {
			return nil
		}
		m.clock, err = TimeOfDay(clock)
		return err
	}
	d, err := time.ParseDuration(written)
	if err != nil {
		return fmt.Errorf("%q is not a moment: write -3d, -3d 07:30 or +90m", written)
	}
	m.clock = d
	return nil
}

// In returns the instant for a demonstration that begins at start and a patient
// who lives in zone.
func (m Moment) In(start time.Time, zone *time.Location) time.Time {
	if !m.civil {
		return start.Add(m.clock)
	}
	day := start.In(zone)
	return time.Date(day.Year(), day.Month(), day.Day()+m.days, 0, int(m.clock/time.Minute), 0, 0, zone)
}

// TimeOfDay reads "07:30" as what has passed since midnight.
func TimeOfDay(text string) (time.Duration, error) {
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day: write 07:30", text)
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}

// Lives returns the scenarios of the demonstration.
func Lives() (Scenarios, error) {
	var s Scenarios
	if err := yaml.UnmarshalWithOptions(scenarios, &s, yaml.DisallowUnknownField()); err != nil {
		return s, fmt.Errorf("reading the scenarios: %w", err)
	}
	return s, nil
}

// Measures reports whether a kind of device measures what a reading holds, by its
// habits.
func (s *Scenarios) Measures(kind string, r *protocols.Reading) bool {
	for _, habit := range s.Habits[kind] {
		if habit.Measure == r.Measure.ID && (habit.Variant == "" || r.Variant == 0 || habit.Variant == r.Measure.Variants[r.Variant-1]) {
			return true
		}
	}
	return false
}
