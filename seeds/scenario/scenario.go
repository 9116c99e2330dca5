// Package scenario writes what the devices of one simulated patient publish over some
// weeks, with what people and devices do to it, and the truth beside: what happened to the
// patient, and what was done to the readings. The same scenario, days and seed give the
// same bytes.
package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/seeds/devices"
	"vigie/seeds/simulation"
)

// Publication is one message of a device.
type Publication struct {
	At      time.Time   `json:"at"`
	Topic   string      `json:"topic"`
	Payload string      `json:"payload"`
	Cut     devices.Cut `json:"cut,omitempty"`   // the connection breaks before it is acknowledged
	Again   bool        `json:"again,omitempty"` // it is the message that was cut, once more (DUP)
	Device  string      `json:"-"`
}

// Options say how a scenario is played.
type Options struct {
	Days   int
	Seed   uint64
	Ends   time.Time       // the scenario is moved by whole days so that it ends before; not moved when zero
	Speech *devices.Speech // how the devices speak; our own format when nil
	Prefix string          // of topics; devices.DefaultPrefix when empty
	Device string          // that says all of it; each device its own when empty

	// Measures are those that are said; all when empty. Where nothing happens, the patient
	// is one of a condition in which they are measured.
	Measures []string
}

// Truth is what really happened.
type Truth struct {
	Scenario  string    `json:"scenario"`
	Seed      uint64    `json:"seed"`
	Days      int       `json:"days"`
	Patient   string    `json:"patient"`
	Condition string    `json:"condition"`
	Zone      string    `json:"time_zone"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Readings  int       `json:"readings"` // different readings of the patient that were published
	Unsaid    int       `json:"unsaid"`   // readings that the format has no way to say
	Cuts      int       `json:"cuts"`     // connections that broke while a message was sent
	Events    []Event   `json:"events"`   // of the patient
	Deeds     []Deed    `json:"deeds"`    // of people and devices
}

// Event is something that happened to the patient.
type Event struct {
	Kind  string    `json:"kind"`
	Began time.Time `json:"began"` // the first change that could have been seen
	At    time.Time `json:"at"`
}

// Deed is something that a person or a device did to the readings.
type Deed struct {
	What string    `json:"what"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Of   []string  `json:"of,omitempty"` // ids of the readings it concerns
}

// Scenario is a patient of a condition, and what is done to the readings.
type Scenario struct {
	Name      string
	Title     protocols.Text
	condition simulation.Condition
	event     string // of the patient; empty for a patient to whom nothing happens
	atNight   bool   // the event is one of the night
	does      func(*course)
}

// All are the scenarios.
var All = []Scenario{
	{"steady", protocols.Say("rien n'arrive", "nothing happens"), simulation.HeartFailure, "", false, nil},
	{"decompensation", protocols.Say("une décompensation cardiaque", "a decompensation of heart failure"), simulation.HeartFailure, simulation.Decompensation, false, nil},
	{"hypoglycaemic-night", protocols.Say("une hypoglycémie de nuit, sous capteur", "a hypoglycaemia at night, on a sensor"), simulation.Sensor, simulation.Hypoglycaemia, true, nil},
	{"exacerbation", protocols.Say("une exacerbation de BPCO", "an exacerbation of COPD"), simulation.Pulmonary, simulation.Exacerbation, false, nil},
	{"forgetful", protocols.Say("quatre jours sur dix sont oubliés", "four days in ten are forgotten"), simulation.HeartFailure, "", false, forget},
	{"holiday", protocols.Say("dix jours d'absence, envoyés au retour", "ten days away, sent on return"), simulation.HeartFailure, "", false, goAway},
	{"swap", protocols.Say("la balance est remplacée", "the scale is replaced"), simulation.HeartFailure, "", false, swap},
	{"second-user", protocols.Say("un proche se pèse aussi", "somebody else uses the scale too"), simulation.HeartFailure, "", false, share},
	{"hostile", protocols.Say("des messages qui ne veulent rien dire", "messages that mean nothing"), simulation.HeartFailure, "", false, attack},
	{"storm", protocols.Say("chaque message plusieurs fois, et en désordre", "each message several times, and out of order"), simulation.HeartFailure, "", false, storm},
	{"patchy-network", protocols.Say("le réseau manque chaque jour, et coupe", "the network is away every day, and breaks"), simulation.HeartFailure, "", false, patchy},
	{"clock-drift", protocols.Say("l'horloge perd 90 s par jour", "the clock loses 90 s a day"), simulation.HeartFailure, "", false, drift},
	{"wrong-zone", protocols.Say("l'horloge se croit dans un autre fuseau", "the clock believes that it is in another zone"), simulation.HeartFailure, "", false, elsewhere},
	{"low-battery", protocols.Say("la pile se vide, l'appareil se tait, elle est changée", "the battery runs down, the device falls silent, it is changed"), simulation.HeartFailure, "", false, runDown},
	{"artefacts", protocols.Say("une pesée sur vingt est faussée, puis refaite", "one weighing in twenty is wrong, then repeated"), simulation.HeartFailure, "", false, disturb},
	{"rounding", protocols.Say("un nouveau logiciel arrondit au demi-kilo", "a new firmware rounds to half a kilogram"), simulation.HeartFailure, "", false, round},
	{"restarted-counter", protocols.Say("les id sont un compteur, qui repart à un", "the ids are a counter, which starts again at one"), simulation.HeartFailure, "", false, restart},
}

// MinDays is how many days a scenario has at least.
const MinDays = 21

// searched is how many patients of a cohort are looked at for one to whom it happens.
const searched = 5_000

// Play writes a scenario. It fails where there is none of the name, or where nobody of the
// simulation lives through it in so few days.
func Play(name string, o Options) ([]Publication, *Truth, error) {
	at := slices.IndexFunc(All, func(s Scenario) bool { return s.Name == name })
	if at < 0 {
		var names []string
		for _, s := range All {
			names = append(names, s.Name)
		}
		return nil, nil, fmt.Errorf("there is no scenario %q: choose one of %s", name, strings.Join(names, ", "))
	}
	if o.Days < MinDays {
		return nil, nil, fmt.Errorf("a scenario has %d days or more", MinDays)
	}
	s := All[at]
	if s.event == "" && s.does == nil && len(o.Measures) > 0 {
		of, found := Condition(o.Measures)
		if !found {
			return nil, nil, fmt.Errorf("no simulated patient measures %s: name fewer", strings.Join(o.Measures, " and "))
		}
		s.condition = of
	}
	p := s.patient(o.Days, o.Seed)
	if p == nil {
		return nil, nil, fmt.Errorf("the simulation has no patient with a %s within %d days: give it more days or another seed", s.event, o.Days)
	}
	o.move(p)
	if len(o.Measures) > 0 {
		p.Readings = slices.DeleteFunc(p.Readings, func(r *protocols.Reading) bool { return !slices.Contains(o.Measures, r.Measure.ID) })
	}
	if len(p.Readings) == 0 {
		return nil, nil, fmt.Errorf("the patient of %s does not measure %s", name, strings.Join(o.Measures, " or "))
	}
	c := newCourse(&s, p, o.Days, o.Seed)
	if s.does != nil {
		s.does(c)
	}
	return c.end(&o)
}

// mixed is how many of the conditions a usual cohort has.
const mixed = 11

// conditions are those in which nothing may happen, the usual one first.
var conditions = []simulation.Condition{
	simulation.HeartFailure, simulation.HighPressure, simulation.Sensor, simulation.Capillary, simulation.Pulmonary, simulation.Oxygen,
	simulation.Ventilated, simulation.HomeDialysis, simulation.Graft, simulation.Implant, simulation.Pregnancy,
	simulation.Peritoneal, simulation.Cancer, simulation.Gestation, simulation.Operated,
}

// Condition is one in which a patient measures all of these; false where there is none.
func Condition(measures []string) (simulation.Condition, bool) {
	for _, c := range conditions {
		p := simulation.Cohort{Patients: 1, Days: MinDays, Seed: 1, Of: c}.Patient(0)
		measured := func(id string) bool {
			return slices.ContainsFunc(p.Readings, func(r *protocols.Reading) bool { return r.Measure.ID == id })
		}
		if !slices.ContainsFunc(measures, func(id string) bool { return !measured(id) }) {
			return c, true
		}
	}
	return "", false
}

// move moves all of a patient by whole days. Local times of day move with a change of the
// clocks between.
func (o *Options) move(p *simulation.Patient) {
	if o.Ends.IsZero() {
		return
	}
	by := o.Ends.Sub(p.To).Truncate(24 * time.Hour)
	if p.To.Add(by).After(o.Ends) {
		by -= 24 * time.Hour
	}
	p.From, p.To = p.From.Add(by), p.To.Add(by)
	for i, r := range p.Readings {
		moved := *r
		moved.Time = r.Time.Add(by)
		p.Readings[i] = &moved
	}
	for i := range p.Events {
		p.Events[i].Began, p.Events[i].At = p.Events[i].Began.Add(by), p.Events[i].At.Add(by)
	}
}

// patient is the first one of the cohort to whom it happens; nil for none.
func (s *Scenario) patient(days int, seed uint64) *simulation.Patient {
	cohort := simulation.Cohort{Patients: searched, Days: days, Seed: seed}
	if !slices.Contains(conditions[:mixed], s.condition) {
		cohort.Of = s.condition
	}
	for i := range cohort.Patients {
		if cohort.Condition(i) != s.condition {
			continue
		}
		p := cohort.Patient(i)
		fits := s.event == "" && len(p.Events)+len(p.Pauses) == 0
		for _, e := range p.Events {
			night := e.At.In(p.Zone).Hour() < 6
			fits = fits || e.Kind == s.event && (night || !s.atNight)
		}
		if fits {
			return p
		}
	}
	return nil
}

// message is a publication on its way.
type message struct {
	at      time.Time
	device  string
	reading devices.Reading
	raw     string // in the place of a reading
	cut     devices.Cut
	again   bool // it was cut before
}

// course is one scenario being written.
type course struct {
	*rand.Rand
	patient *simulation.Patient
	sent    []message
	truth   *Truth
}

func newCourse(s *Scenario, p *simulation.Patient, days int, seed uint64) *course {
	c := &course{Rand: rand.New(rand.NewPCG(seed, uint64(len(s.Name)))), patient: p}
	c.truth = &Truth{Scenario: s.Name, Seed: seed, Days: days, Patient: p.ID, Condition: string(p.Condition), Zone: p.Zone.String(), From: p.From, To: p.To, Events: []Event{}, Deeds: []Deed{}}
	for _, e := range p.Events {
		c.truth.Events = append(c.truth.Events, Event{Kind: e.Kind, Began: e.Began, At: e.At})
	}
	for _, r := range p.Readings {
		m := message{at: r.Time.Add(time.Duration(2+c.IntN(20)) * time.Second), device: r.Device, reading: devices.Published(r, p.Zone)}
		c.sent = append(c.sent, m)
	}
	return c
}

// day is the place of a local day, from 0.
func (c *course) day(at time.Time) int { return int(at.Sub(c.patient.From) / (24 * time.Hour)) }

// span is from the beginning of one day to that of another.
func (c *course) span(from, to int) (time.Time, time.Time) {
	return c.patient.From.AddDate(0, 0, from), c.patient.From.AddDate(0, 0, to)
}

// end puts the messages in the order of time, each as the format says it.
func (c *course) end(o *Options) ([]Publication, *Truth, error) {
	if o.Speech == nil {
		o.Speech = &devices.Speeches[0]
	}
	if o.Prefix == "" {
		o.Prefix = devices.DefaultPrefix
	}
	slices.SortStableFunc(c.sent, func(a, b message) int { return a.at.Compare(b.at) })
	foreign, known := map[string]bool{}, map[string]bool{}
	for _, d := range c.truth.Deeds {
		for _, id := range d.Of {
			foreign[id] = foreign[id] || d.What == somebodyElse
		}
	}
	all := []Publication{}
	for _, m := range c.sent {
		if o.Device != "" {
			m.device = o.Device
		}
		payload := []byte(m.raw)
		if m.raw == "" {
			said, able := o.Speech.Say(m.reading)
			if !able {
				c.truth.Unsaid++
				continue
			}
			payload = said
			if key := m.reading.ID + " " + m.reading.Time; !known[key] && !foreign[m.reading.ID] {
				known[key] = true
				c.truth.Readings++
			}
		}
		all = append(all, Publication{At: m.at.UTC(), Topic: o.Speech.Topic(o.Prefix, m.device), Payload: string(payload), Cut: m.cut, Again: m.again, Device: m.device})
		if m.cut != devices.NoCut {
			c.truth.Cuts++
		}
	}
	return all, c.truth, nil
}
