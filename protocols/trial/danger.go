package trial

import (
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/document"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/review"
)

// Check is review.Check, which also plays the table of danger against the protocol: one
// value beyond a line of what it observes must ring orange or red within the hour. What
// nobody would hear is a warning in an example, and an error in a protocol that is signed.
func Check(doc *document.Node, tests ...*document.Node) []document.Problem {
	problems := review.Check(doc, tests...)
	p, _ := language.Parse(doc)
	if p == nil {
		return problems
	}
	unheard, err := Unheard(p)
	if err != nil {
		return problems // what cannot be evaluated is said where its tests are played
	}
	r := document.Reader{Problems: problems}
	places := r.Items(document.Place{Node: doc}.Key("observations"))
	for i := range unheard {
		u := &unheard[i]
		if o := &p.Observations[u.Observation]; !u.Line.WaivedBy(o) {
			r.Note(places[u.Observation], severity(p), "unheard-danger", u.says(), u.wayOut())
		}
	}
	document.ByFile(r.Problems)
	return r.Problems
}

// severity is an error once somebody has signed: a draft can be kept and played.
func severity(p *protocols.Protocol) document.Severity {
	if p.Status == "validated" {
		return document.Error
	}
	return document.Warning
}

// UnheardDanger is a line of the table of danger beyond which nothing rings orange or red
// within the hour.
type UnheardDanger struct {
	Line        *danger.Line
	Observation int // of the protocol, by its place
	Variant     uint8
	Value       protocols.Value // one that was played
	At          time.Time       // when, where the patient lives
}

// Unheard plays what p observes beyond each line of the table of danger, on the first day of
// a patient without settings: the first value beyond it in the morning and at night, and the
// gravest that an instrument can report. The error says why p cannot be evaluated.
func Unheard(p *protocols.Protocol) ([]UnheardDanger, error) {
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil, err
	}
	var list []UnheardDanger
	for i := range p.Observations {
		for _, l := range danger.Of(p) {
			for _, variant := range variantsOf(&p.Observations[i], l) {
				u, err := unheardIn(plan, l, variant)
				if err != nil {
					return nil, err
				}
				if u != nil {
					u.Observation = i
					list = append(list, *u)
					break
				}
			}
		}
	}
	return list, nil
}

// variantsOf are the kinds of reading that an observation takes and a line is about.
func variantsOf(o *protocols.Observation, l *danger.Line) []uint8 {
	switch {
	case !l.In(o):
		return nil
	case o.Variant > 0 || len(o.Measure.Variants) == 0:
		return []uint8{o.Variant}
	case l.Variant != "":
		return []uint8{uint8(o.Measure.Variant(l.Variant))}
	}
	all := make([]uint8, len(o.Measure.Variants))
	for i := range all {
		all[i] = uint8(i + 1)
	}
	return all
}

// unheardIn is the first reading beyond a line that rings nothing; nil where all ring.
func unheardIn(plan *engine.Plan, l *danger.Line, variant uint8) (*UnheardDanger, error) {
	for _, tried := range []struct {
		value protocols.Value
		hour  int
	}{{l.First(), 8}, {l.First(), 3}, {l.Farthest(), 8}} {
		at := dangerDay.Add(time.Duration(tried.hour) * time.Hour)
		found, err := PlayDanger(plan, nil, l.Reading(tried.value, variant, at))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return &UnheardDanger{Line: l, Variant: variant, Value: tried.value, At: at}, nil
		}
	}
	return nil, nil
}

// dangerDay is when the patient on whom dangers are tried begins.
var dangerDay = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// PlayDanger plays readings of a new patient, and the hour after the last one. It returns
// what raises orange or red in time.
func PlayDanger(plan *engine.Plan, settings protocols.Settings, readings ...protocols.Reading) ([]protocols.Finding, error) {
	t := language.Timeline{Name: "danger", Zone: time.UTC, Start: dangerDay, Settings: settings}
	for _, r := range readings {
		t.Readings = append(t.Readings, language.Delivery{Reading: r, Received: r.Time})
		t.Until = r.Time.Add(time.Hour)
	}
	findings, err := Play(&t, plan)
	if err != nil {
		return nil, err
	}
	var urgent []protocols.Finding
	for _, f := range findings {
		if f.Level >= protocols.Orange && f.Kind != protocols.Ended && !f.TooLate {
			urgent = append(urgent, f)
		}
	}
	return urgent, nil
}

func (u *UnheardDanger) says() protocols.Text {
	what := u.name()
	unit := u.component().Unit
	return protocols.Say("rien ne sonne en orange ou en rouge dans l'heure pour « %s » à %s %s mesuré à %s : c'est au-delà de la ligne de danger « %s » (%s)",
		"nothing rings orange or red within the hour for %s at %s %s measured at %s: that is beyond the line of danger %q (%s)",
		what, u.Value, unit, u.At.Format("15:04"), u.Line.Name, u.Line.Origin)
}

func (u *UnheardDanger) wayOut() protocols.Text {
	return protocols.Say("ajouter une règle de niveau orange avec cette seule condition : {%s} ; ou dire pourquoi rien ne sonne : silent: {%s: {fr: …, en: …}}",
		"add a rule at the level orange with this condition alone: {%s}; or say why nothing rings: silent: {%s: {fr: …, en: …}}",
		u.condition(), u.Line.Name)
}

// condition is what would ring at the line, as a protocol writes it.
func (u *UnheardDanger) condition() string {
	text := "measure: " + u.Line.Measure
	for _, key := range [][2]string{
		{"component", u.Line.Component}, {"variant", u.Line.Variant}, {"per_component", u.Line.Per},
		{strings.ReplaceAll(string(u.Line.Operator), "-", "_"), u.Line.Value.String()},
	} {
		if key[1] != "" {
			text += ", " + key[0] + ": " + key[1]
		}
	}
	return text
}

func (u *UnheardDanger) component() *protocols.Component {
	m := protocols.MeasureByID(u.Line.Measure)
	return &m.Components[max(0, m.Component(u.Line.Component))]
}

// name is the measure, with its component or its variant: "blood-pressure pulse".
func (u *UnheardDanger) name() string {
	name := u.Line.Measure
	if u.Line.Component != "" {
		name += " " + u.Line.Component
	}
	if u.Variant > 0 {
		name += " " + protocols.MeasureByID(u.Line.Measure).Variants[u.Variant-1]
	}
	return name
}
