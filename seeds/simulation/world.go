package simulation

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"

	"vigie/protocols"
)

//go:embed world.yaml
var reportedFile []byte

//go:embed choosing.yaml
var choosingFile []byte

// World is what happens to patients and how they and their devices behave: every number
// that the simulation draws from. It knows no protocol.
type World struct {
	ID    string         `yaml:"id"`
	Title protocols.Text `yaml:"title"`
	// Stream parts the luck of two worlds: with the same seed they share no patient.
	Stream uint64 `yaml:"stream"`

	Habits   HabitNumbers                    `yaml:"habits"`
	Heart    HeartNumbers                    `yaml:"heart-failure"`
	Lungs    LungNumbers                     `yaml:"lungs"`
	Glucose  GlucoseNumbers                  `yaml:"diabetes"`
	Others   OtherNumbers                    `yaml:"others"`
	Quiet    map[Condition]QuietBody         `yaml:"quiet"`
	Work     WorkNumbers                     `yaml:"work"`
	Illness  map[string]map[string]Phenotype `yaml:"phenotypes"` // by kind of illness
	digest   string
	inGroups map[string][]string // names of the phenotypes of a kind, in order
}

// Number is one number of a world: fixed, drawn evenly from a range, or drawn about a
// mean and kept within the range.
type Number struct {
	Is        float64 `yaml:"is"`
	From      float64 `yaml:"from"`
	To        float64 `yaml:"to"`
	Mean      float64 `yaml:"mean"`
	Deviation float64 `yaml:"deviation"`
	// Origin is where the number is from; that of its block where it is empty.
	Origin string `yaml:"origin"`
}

func (n Number) draw(r *rand.Rand) float64 {
	switch {
	case n.Deviation > 0:
		return min(max(n.Mean+n.Deviation*r.NormFloat64(), n.From), n.To)
	case n.From != n.To:
		return n.From + (n.To-n.From)*r.Float64()
	}
	return n.Is + n.From // one of them is zero
}

// middle is what the number is on the whole.
func (n Number) middle() float64 {
	switch {
	case n.Deviation > 0:
		return n.Mean
	case n.From != n.To:
		return (n.From + n.To) / 2
	}
	return n.Is + n.From
}

func (n Number) days(r *rand.Rand) int { return int(n.draw(r) + 0.5) }

// HabitNumbers are how patients and devices behave, whatever the body does.
type HabitNumbers struct {
	Origin        string `yaml:"origin"`
	Weighs        Number `yaml:"weighs"`          // share of the days, by patient
	Measures      Number `yaml:"measures"`        // likewise, with any other device
	Answers       Number `yaml:"answers"`         // likewise, questions about symptoms
	Hour          Number `yaml:"hour"`            // local, of the morning
	QuietWhenIll  Number `yaml:"quiet-when-ill"`  // share of the patients who measure less when ill
	QuietBy       Number `yaml:"quiet-by"`        // share of the measurements that they then leave out
	Silences      Number `yaml:"silences"`        // of four days and more, a patient-year
	SilenceDays   Number `yaml:"silence-days"`    // length
	Travels       Number `yaml:"travels"`         // without the devices, a patient-year
	TravelDays    Number `yaml:"travel-days"`     // length
	Announced     Number `yaml:"announced"`       // share of the travels that the team knows of
	SecondUser    Number `yaml:"second-user"`     // share of the homes
	SecondUserDay Number `yaml:"second-user-day"` // share of the days on which that person is weighed as the patient
	Dressed       Number `yaml:"dressed"`         // share of the weighings, by patient
	GrossErrors   Number `yaml:"gross-errors"`    // share of the weighings
	NoisyScale    Number `yaml:"noisy-scale"`     // share of the scales
	NoisyScaleBy  Number `yaml:"noisy-scale-by"`  // kg, standard deviation that they add
	WrongClock    Number `yaml:"wrong-clock"`     // share of the patients, for some days
	BadDays       Number `yaml:"bad-days"`        // a patient-year: one or two days on which all feels worse
	BadDayBy      Number `yaml:"bad-day-by"`      // grades
	AnswerScatter Number `yaml:"answer-scatter"`  // grades, from day to day
}

// HeartNumbers are the body of heart failure.
type HeartNumbers struct {
	Origin         string `yaml:"origin"`
	Weight         Number `yaml:"weight"`           // kg
	WeightScatter  Number `yaml:"weight-scatter"`   // kg, day to day, of one person
	Tissue         Number `yaml:"tissue"`           // kg, step of the slow drift from day to day
	Salt           Number `yaml:"salt"`             // meals that are kept for two days, a patient-year
	SaltBy         Number `yaml:"salt-by"`          // kg
	Diuretic       Number `yaml:"diuretic"`         // changes of dose without illness, a patient-year
	DiureticBy     Number `yaml:"diuretic-by"`      // kg, over four days
	Breathless     Number `yaml:"breathless"`       // usual grade
	Oedema         Number `yaml:"oedema"`           // likewise
	Fatigue        Number `yaml:"fatigue"`          // likewise
	Orthopnoea     Number `yaml:"orthopnoea"`       // likewise
	Monitor        Number `yaml:"monitor"`          // share with a blood pressure monitor
	Systolic       Number `yaml:"systolic"`         // mmHg
	SystolicBy     Number `yaml:"systolic-scatter"` // mmHg
	Pulse          Number `yaml:"pulse"`            // /min
	PulseBy        Number `yaml:"pulse-scatter"`    // /min
	Decompensation Number `yaml:"decompensations"`  // a patient-year
	AtHome         Number `yaml:"treated-at-home"`  // share of the decompensations
	Recovery       Number `yaml:"recovery"`         // days until the signs are gone, at home
	Stay           Number `yaml:"stay"`             // days in hospital
	Return         Number `yaml:"weight-on-return"` // kg, against before
	OtherIllness   Number `yaml:"other-illnesses"`  // breathlessness of other causes, a patient-year
}

// LungNumbers are the body of COPD, of home ventilation and of home oxygen.
type LungNumbers struct {
	Origin        string `yaml:"origin"`
	Saturation    Number `yaml:"saturation"`         // %
	SaturationBy  Number `yaml:"saturation-scatter"` // points
	Pulse         Number `yaml:"pulse"`              // /min
	PulseBy       Number `yaml:"pulse-scatter"`
	Breaths       Number `yaml:"breaths"` // /min
	BreathsBy     Number `yaml:"breaths-scatter"`
	TemperatureBy Number `yaml:"temperature-scatter"` // degrees
	Breathless    Number `yaml:"breathless"`          // usual grade
	Cough         Number `yaml:"cough"`
	Sputum        Number `yaml:"sputum"`
	Fatigue       Number `yaml:"fatigue"`
	Oximeter      Number `yaml:"oximeter"`     // share of the patients with COPD who have one
	Cold          Number `yaml:"cold-fingers"` // share of the oximetries, by patient
	ColdBy        Number `yaml:"cold-by"`      // points that are then lost
	ColdFlagged   Number `yaml:"cold-flagged"` // share that the device flags
	Exacerbation  Number `yaml:"exacerbations"`
	Worsening     Number `yaml:"worsenings"` // that pass by themselves, a patient-year
	AtHome        Number `yaml:"treated-at-home"`
	Recovery      Number `yaml:"recovery"`
	Stay          Number `yaml:"stay"`
	Hours         Number `yaml:"ventilator-hours"`
	OxygenHours   Number `yaml:"oxygen-hours"`
	Leak          Number `yaml:"leak"`
	LeakingMasks  Number `yaml:"leaking-masks"` // a patient-year
	Flow          Number `yaml:"flow"`
}

// GlucoseNumbers are the body of diabetes.
type GlucoseNumbers struct {
	Origin      string `yaml:"origin"`
	Basal       Number `yaml:"basal"` // mg/dL
	Swing       Number `yaml:"swing"`
	Meals       Number `yaml:"meals"`
	Noise       Number `yaml:"noise"`
	InTarget    Number `yaml:"in-target"`       // share of the patients with few lows
	FewLows     Number `yaml:"lows-in-target"`  // a week
	ManyLows    Number `yaml:"lows-off-target"` // a week
	AtNight     Number `yaml:"at-night"`        // share of the lows, midnight to six
	LowMinutes  Number `yaml:"low-minutes"`     // below 54 mg/dL
	LongLows    Number `yaml:"long-lows"`       // share
	LongMinutes Number `yaml:"long-minutes"`
	Nadir       Number `yaml:"nadir"` // mg/dL
	Gain        Number `yaml:"sensor-gain"`
	ErrorBy     Number `yaml:"sensor-error"` // share, standard deviation
	Pressed     Number `yaml:"pressed"`      // share of the nights on which somebody lies on the sensor
	PressedBy   Number `yaml:"pressed-by"`   // mg/dL too low
	Lost        Number `yaml:"out-of-reach"` // share of the days with a gap
	Felt        Number `yaml:"felt"`         // share of the lows by day that are measured with a meter
	Pregnancy   struct {
		Origin string `yaml:"origin"`
		Basal  Number `yaml:"basal"`
		Meals  Number `yaml:"meals"`
		Noise  Number `yaml:"noise"`
	} `yaml:"pregnancy"`
}

// OtherNumbers are how often the remaining kinds of event happen, a patient-year.
type OtherNumbers struct {
	Origin    string `yaml:"origin"`
	Surges    Number `yaml:"pressure-surges"`
	Overloads Number `yaml:"fluid-overloads"`
	Drops     Number `yaml:"pressure-drops"` // share of the sessions, by patient
	Rises     Number `yaml:"creatinine-rises"`
	Warnings  Number `yaml:"implant-warnings"`
}

// QuietBody is a patient to whom nothing happens.
type QuietBody struct {
	Origin   string                   `yaml:"origin"`
	Measures map[string]QuietMeasured `yaml:"measures"`
}

// QuietMeasured is one measure of such a patient.
type QuietMeasured struct {
	ADay       float64                `yaml:"a-day"` // times
	Components map[string]QuietNumber `yaml:"components"`
}

// QuietNumber is one component: what is usual among people, and how it scatters.
type QuietNumber struct {
	Usual   Number  `yaml:"usual"`
	Scatter float64 `yaml:"scatter"`
}

// WorkNumbers are how long people take over a row of the list, in minutes.
type WorkNumbers struct {
	Origin  string             `yaml:"origin"`
	Minutes map[string]float64 `yaml:"minutes"` // by level
}

// Phenotype is one way in which an illness shows itself.
type Phenotype struct {
	Title  protocols.Text `yaml:"title"`
	Origin string         `yaml:"origin"`
	Share  float64        `yaml:"share"` // of the illnesses of its kind
	Build  Number         `yaml:"build"` // days from the first sign to its height
	Shape  Number         `yaml:"shape"` // exponent of the build-up: 1 is steady, 2 comes late
	Hold   Number         `yaml:"hold"`  // days at the height before the event
	// Signs are what has changed at the height, in the unit of the sign.
	Signs map[string]Number `yaml:"signs"`
}

// sign is something that a patient or a device can see of an illness.
type sign int

const (
	onWeight sign = iota // kg
	onBreath             // grades
	onOedema
	onOrthopnoea
	onFatigue
	onCough
	onSputum
	onPulse       // /min
	onSystolic    // mmHg
	onSaturation  // points
	onBreaths     // /min
	onTemperature // degrees
	signs
)

var signNames = [signs]string{
	"weight", "breathlessness", "oedema", "orthopnoea", "fatigue", "cough", "sputum", "pulse", "systolic", "saturation", "breaths", "temperature",
}

// Reported is the world in which figures are reported. No parameter is chosen in it.
var Reported = sync.OnceValue(func() *World { return shipped(nil) })

// Choosing is the world in which the parameters of a protocol are chosen.
var Choosing = sync.OnceValue(func() *World { return shipped(choosingFile) })

func shipped(changes []byte) *World {
	w, err := ReadWorld(changes)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return w
}

// ReadWorld reads a file that says in what a world differs from the reported one; nil for
// nothing.
func ReadWorld(changes []byte) (*World, error) {
	whole, err := tree(reportedFile)
	if err != nil {
		return nil, err
	}
	differs, err := tree(changes)
	if err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(merged(whole, differs))
	if err != nil {
		return nil, fmt.Errorf("write the world down: %w", err)
	}
	w := &World{}
	if err := yaml.UnmarshalWithOptions(text, w, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("read the world: %w", err)
	}
	sum := sha256.Sum256(bytes.Join([][]byte{reportedFile, changes}, nil))
	w.digest = hex.EncodeToString(sum[:])
	return w, w.check()
}

func tree(file []byte) (map[string]any, error) {
	if len(file) == 0 {
		return nil, nil
	}
	var t map[string]any
	if err := yaml.Unmarshal(file, &t); err != nil {
		return nil, fmt.Errorf("read the world: %w", err)
	}
	return t, nil
}

// merged puts changes over a tree. What describes one number replaces the number.
func merged(whole, changes map[string]any) map[string]any {
	whole = maps.Clone(whole)
	for key, change := range changes {
		below, deeper := change.(map[string]any)
		before, known := whole[key].(map[string]any)
		if deeper && known && !isNumber(before) {
			change = merged(before, below)
		}
		whole[key] = change
	}
	return whole
}

func isNumber(t map[string]any) bool {
	_, fixed := t["is"]
	_, ranged := t["from"]
	return fixed || ranged
}

// Digest is that of the file or files the world was read from.
func (w *World) Digest() string { return w.digest }

// check says what cannot be meant.
func (w *World) check() error {
	if w.ID == "" {
		return errors.New("the world has no id")
	}
	w.inGroups = map[string][]string{}
	for kind, phenotypes := range w.Illness {
		total := 0.0
		for name, p := range phenotypes {
			total += p.Share
			w.inGroups[kind] = append(w.inGroups[kind], name)
			for s := range p.Signs {
				if !slices.Contains(signNames[:], s) {
					return fmt.Errorf("the phenotype %s of %s has a sign %q: use %v", name, kind, s, signNames)
				}
			}
		}
		slices.Sort(w.inGroups[kind])
		if total < 0.999 || total > 1.001 {
			return fmt.Errorf("the shares of the phenotypes of %s sum to %.3f, and not to 1", kind, total)
		}
	}
	return nil
}

// phenotypeOf draws one of a kind of illness.
func (w *World) phenotypeOf(kind string, r *rand.Rand) string {
	names, left := w.inGroups[kind], r.Float64()
	for _, name := range names {
		if left -= w.Illness[kind][name].Share; left < 0 {
			return name
		}
	}
	return names[len(names)-1]
}
