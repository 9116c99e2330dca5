// Package danger is the table of danger: numbers beyond which one value must reach a team
// within the hour, and numbers that a protocol may write as they are, each with its origin.
package danger

import (
	"strings"

	"vigie/protocols"
)

// Line is a number that stands in the table of danger: where it lies, and where it
// comes from. A protocol may write it as it is; any other number that it compares with
// is a parameter, which a physician can set.
type Line struct {
	Name      string
	Measure   string
	Component string // empty for the one component of the measure
	Variant   string // empty for every variant
	Per       string // the component by which it is divided; empty for none
	// Statistic is what the number is about: empty for the measured number itself,
	// whatever is computed of it in its own unit.
	Statistic protocols.Statistic
	Where     protocols.Value // with Share: the bound of what counts
	Operator  protocols.Operator
	Value     protocols.Value // in the canonical unit
	Origin    protocols.Text
	// Danger says that one value beyond the line must reach a team within the hour.
	Danger bool
	Scale  int // of NEWS2, for a saturation; 0 for both
	_      struct{}
}

// The origins of the lines.
var (
	news2     = protocols.Text{FR: "NEWS2, paramètre isolé à 3 points", EN: "NEWS2, single parameter of 3 points"}
	scale1    = protocols.Text{FR: "NEWS2, paramètre isolé à 3 points, échelle 1", EN: "NEWS2, single parameter of 3 points, scale 1"}
	scale2    = protocols.Text{FR: "NEWS2, paramètre isolé à 3 points, échelle 2", EN: "NEWS2, single parameter of 3 points, scale 2"}
	consensus = protocols.Text{FR: "consensus international sur le temps dans la cible", EN: "international consensus on time in range"}
	pregnancy = protocols.Text{FR: "consensus international sur le temps dans la cible, grossesse", EN: "international consensus on time in range, pregnancy"}
	telbil    = protocols.Text{FR: "essai TELBIL", EN: "TELBIL trial"}
	grade3    = protocols.Text{FR: "hypertension de grade 3, mesurée au cabinet", EN: "grade 3 hypertension, measured at the office"}
	atHome    = protocols.Text{FR: "hypertension en automesure : 135/85 mmHg", EN: "hypertension measured at home: 135/85 mmHg"}
	kdigo     = protocols.Text{FR: "KDIGO, insuffisance rénale aiguë", EN: "KDIGO, acute kidney injury"}
	kdigo3    = protocols.Text{FR: "KDIGO, insuffisance rénale aiguë, stade 3 (≥ 353,6 µmol/L)", EN: "KDIGO, acute kidney injury, stage 3 (≥ 353.6 µmol/L)"}
	ajkd      = protocols.Text{FR: "étude observationnelle (AJKD 2016)", EN: "observational study (AJKD 2016)"}
	unsourced = protocols.Text{FR: "exemple sans source publiée", EN: "example without a published source"}
)

// lines is the table of danger. To add a line, add it here; check and the tests of the
// library follow. What has no published source says so.
var lines = []Line{
	{Name: "saturation-1", Measure: "oxygen-saturation", Operator: protocols.AtMost, Value: 91_000, Origin: scale1, Danger: true, Scale: 1},
	{Name: "saturation-2", Measure: "oxygen-saturation", Operator: protocols.AtMost, Value: 83_000, Origin: scale2, Danger: true, Scale: 2},
	{Name: "saturation-too-high", Measure: "oxygen-saturation", Operator: protocols.AtLeast, Value: 97_000, Origin: protocols.Text{FR: "NEWS2, échelle 2, sous oxygène : 3 points", EN: "NEWS2, scale 2, on oxygen: 3 points"}, Scale: 2},
	{Name: "systolic-low", Measure: "blood-pressure", Component: "systolic", Operator: protocols.AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "systolic-high", Measure: "blood-pressure", Component: "systolic", Operator: protocols.AtLeast, Value: 220_000, Origin: news2, Danger: true},
	{Name: "diastolic-high", Measure: "blood-pressure", Component: "diastolic", Operator: protocols.AtLeast, Value: 110_000, Origin: grade3, Danger: true},
	{Name: "pulse-slow", Measure: "blood-pressure", Component: "pulse", Operator: protocols.AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "pulse-fast", Measure: "blood-pressure", Component: "pulse", Operator: protocols.AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "heart-slow", Measure: "heart-rate", Operator: protocols.AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "heart-fast", Measure: "heart-rate", Operator: protocols.AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "breathing-slow", Measure: "respiratory-rate", Operator: protocols.AtMost, Value: 8_000, Origin: news2, Danger: true},
	{Name: "breathing-fast", Measure: "respiratory-rate", Operator: protocols.AtLeast, Value: 25_000, Origin: news2, Danger: true},
	{Name: "temperature-low", Measure: "temperature", Operator: protocols.AtMost, Value: 35_000, Origin: news2, Danger: true},
	{Name: "temperature-high", Measure: "temperature", Operator: protocols.AtLeast, Value: 39_000, Origin: unsourced, Danger: true},
	{Name: "glucose-very-low", Measure: "glucose", Operator: protocols.Below, Value: 40_000, Origin: unsourced, Danger: true},
	{Name: "glucose-very-high", Measure: "glucose", Variant: "capillary", Operator: protocols.AtLeast, Value: 400_000, Origin: unsourced, Danger: true},
	{Name: "potassium-high", Measure: "potassium", Operator: protocols.AtLeast, Value: 6_500, Origin: unsourced, Danger: true},
	{Name: "potassium-low", Measure: "potassium", Operator: protocols.AtMost, Value: 2_500, Origin: unsourced, Danger: true},
	{Name: "creatinine-very-high", Measure: "creatinine", Operator: protocols.AtLeast, Value: 354_000, Origin: kdigo3, Danger: true},
	{Name: "breathlessness", Measure: "symptom", Component: "breathlessness", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "orthopnoea", Measure: "symptom", Component: "orthopnoea", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "chest-pain", Measure: "symptom", Component: "chest-pain", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "oedema", Measure: "symptom", Component: "oedema", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "dizziness", Measure: "symptom", Component: "dizziness", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "ultrafiltration", Measure: "dialysis-session", Component: "ultrafiltration-rate", Per: "dry-weight", Operator: protocols.Above, Value: 13_000, Origin: ajkd},
	{Name: "ultrafiltration-very-fast", Measure: "dialysis-session", Component: "ultrafiltration-rate", Per: "dry-weight", Operator: protocols.Above, Value: 20_000, Origin: unsourced, Danger: true},
	{Name: "venous-line", Measure: "dialysis-session", Component: "venous-pressure", Operator: protocols.AtLeast, Value: 300_000, Origin: unsourced, Danger: true},
	{Name: "arterial-line", Measure: "dialysis-session", Component: "arterial-pressure", Operator: protocols.AtMost, Value: -300_000, Origin: unsourced, Danger: true},
	{Name: "session-start-high", Measure: "dialysis-session", Component: "systolic-start", Operator: protocols.AtLeast, Value: 180_000, Origin: grade3, Danger: true},
	{Name: "session-start-low", Measure: "dialysis-session", Component: "systolic-start", Operator: protocols.AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "session-lowest", Measure: "dialysis-session", Component: "systolic-lowest", Operator: protocols.AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "session-end-high", Measure: "dialysis-session", Component: "systolic-end", Operator: protocols.AtLeast, Value: 180_000, Origin: grade3, Danger: true},
	{Name: "session-end-low", Measure: "dialysis-session", Component: "systolic-end", Operator: protocols.AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "session-start-diastolic", Measure: "dialysis-session", Component: "diastolic-start", Operator: protocols.AtLeast, Value: 110_000, Origin: grade3, Danger: true},
	{Name: "session-end-diastolic", Measure: "dialysis-session", Component: "diastolic-end", Operator: protocols.AtLeast, Value: 110_000, Origin: grade3, Danger: true},
	{Name: "session-start-fast", Measure: "dialysis-session", Component: "heart-rate-start", Operator: protocols.AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "session-start-slow", Measure: "dialysis-session", Component: "heart-rate-start", Operator: protocols.AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "session-end-fast", Measure: "dialysis-session", Component: "heart-rate-end", Operator: protocols.AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "session-end-slow", Measure: "dialysis-session", Component: "heart-rate-end", Operator: protocols.AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "implant-red", Measure: "implant", Component: "red", Operator: protocols.AtLeast, Value: 1_000, Origin: protocols.Text{FR: "classe d'alerte du fabricant", EN: "the vendor's class of alert"}, Danger: true},
	{Name: "implant-shock", Measure: "implant", Component: "shock", Operator: protocols.AtLeast, Value: 1_000, Origin: unsourced, Danger: true},
	{Name: "lead-broken", Measure: "implant", Component: "lead-impedance", Operator: protocols.Above, Value: 2_000_000, Origin: unsourced, Danger: true},
	{Name: "lead-short", Measure: "implant", Component: "lead-impedance", Operator: protocols.Below, Value: 200_000, Origin: unsourced, Danger: true},
	{Name: "wound-redness", Measure: "wound", Component: "redness", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "wound-discharge", Measure: "wound", Component: "discharge", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "wound-opening", Measure: "wound", Component: "opening", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "vomiting", Measure: "vomiting", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "diarrhoea", Measure: "diarrhoea", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "headache", Measure: "headache", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "vision", Measure: "visual-signs", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "upper-belly-pain", Measure: "upper-belly-pain", Operator: protocols.AtLeast, Value: 3_000, Origin: unsourced, Danger: true},

	// Published numbers that are no danger by themselves.
	{Name: "breathing-quick", Measure: "respiratory-rate", Operator: protocols.Above, Value: 24_000, Origin: telbil},
	{Name: "ventilated-breathing-quick", Measure: "ventilation", Component: "respiratory-rate", Operator: protocols.Above, Value: 24_000, Origin: telbil},
	{Name: "pulse-below-50", Measure: "blood-pressure", Component: "pulse", Operator: protocols.Below, Value: 50_000, Origin: telbil},
	{Name: "systolic-below-100", Measure: "blood-pressure", Component: "systolic", Operator: protocols.Below, Value: 100_000, Origin: telbil},
	{Name: "systolic-above-160", Measure: "blood-pressure", Component: "systolic", Operator: protocols.Above, Value: 160_000, Origin: telbil},
	{Name: "session-end-above-100", Measure: "dialysis-session", Component: "heart-rate-end", Operator: protocols.Above, Value: 100_000, Origin: telbil},
	{Name: "systolic-grade-3", Measure: "blood-pressure", Component: "systolic", Operator: protocols.AtLeast, Value: 180_000, Origin: grade3},
	{Name: "systolic-at-home", Measure: "blood-pressure", Component: "systolic", Operator: protocols.AtLeast, Value: 135_000, Origin: atHome},
	{Name: "diastolic-at-home", Measure: "blood-pressure", Component: "diastolic", Operator: protocols.AtLeast, Value: 85_000, Origin: atHome},
	{Name: "hypoglycaemia", Measure: "glucose", Operator: protocols.Below, Value: 70_000, Origin: consensus},
	{Name: "hypoglycaemia-level-2", Measure: "glucose", Operator: protocols.Below, Value: 54_000, Origin: consensus},
	{Name: "range-from", Measure: "glucose", Operator: protocols.AtLeast, Value: 70_000, Origin: consensus},
	{Name: "range-to", Measure: "glucose", Operator: protocols.AtMost, Value: 180_000, Origin: consensus},
	{Name: "hyperglycaemia", Measure: "glucose", Operator: protocols.Above, Value: 180_000, Origin: consensus},
	{Name: "hyperglycaemia-level-2", Measure: "glucose", Operator: protocols.Above, Value: 250_000, Origin: consensus},
	{Name: "pregnancy-low", Measure: "glucose", Operator: protocols.Below, Value: 63_000, Origin: pregnancy},
	{Name: "pregnancy-from", Measure: "glucose", Operator: protocols.AtLeast, Value: 63_000, Origin: pregnancy},
	{Name: "pregnancy-to", Measure: "glucose", Operator: protocols.AtMost, Value: 140_000, Origin: pregnancy},
	{Name: "pregnancy-high", Measure: "glucose", Operator: protocols.Above, Value: 140_000, Origin: pregnancy},
	{Name: "time-in-range", Measure: "glucose", Statistic: protocols.Share, Where: 70_000, Operator: protocols.Below, Value: 70_000, Origin: consensus},
	{Name: "time-in-range-pregnancy", Measure: "glucose", Statistic: protocols.Share, Where: 63_000, Operator: protocols.Below, Value: 70_000, Origin: pregnancy},
	{Name: "time-below-54", Measure: "glucose", Statistic: protocols.Share, Where: 54_000, Operator: protocols.AtLeast, Value: 1_000, Origin: consensus},
	{Name: "time-below-63", Measure: "glucose", Statistic: protocols.Share, Where: 63_000, Operator: protocols.AtLeast, Value: 4_000, Origin: pregnancy},
	{Name: "time-above-140", Measure: "glucose", Statistic: protocols.Share, Where: 140_000, Operator: protocols.AtLeast, Value: 25_000, Origin: pregnancy},
	{Name: "time-above-180", Measure: "glucose", Statistic: protocols.Share, Where: 180_000, Operator: protocols.AtLeast, Value: 25_000, Origin: consensus},
	{Name: "variation", Measure: "glucose", Statistic: protocols.CV, Operator: protocols.AtLeast, Value: 36_000, Origin: consensus},
	{Name: "enough-wear", Measure: "glucose", Statistic: protocols.Wear, Operator: protocols.Below, Value: 70_000, Origin: consensus},
	{Name: "creatinine-rise", Measure: "creatinine", Statistic: protocols.Rise, Operator: protocols.AtLeast, Value: 26_500, Origin: kdigo},
	{Name: "creatinine-half-more", Measure: "creatinine", Statistic: protocols.RisePercent, Operator: protocols.AtLeast, Value: 50_000, Origin: kdigo},
}

// Lines lists the table of danger.
func Lines() []Line { return lines }

// Upward reports whether more is graver.
func (l *Line) Upward() bool { return l.Operator == protocols.Above || l.Operator == protocols.AtLeast }

// About reports whether c compares what the line is about.
func (l *Line) About(c *protocols.Comparison) bool { return l.of(c) && l.about(c) }

// of reports whether c looks at the numbers that the line is about.
func (l *Line) of(c *protocols.Comparison) bool {
	component := &c.Measure.Components[c.Component]
	return l.Measure == c.Measure.ID && (l.Component == component.Name || l.Component == "" && len(c.Measure.Components) == 1) &&
		(l.Variant == "" || c.Variant > 0 && c.Measure.Variants[c.Variant-1] == l.Variant) &&
		c.Minus == nil && c.Beside == nil && c.Flag == "" && c.MinusComponent < 0 && c.Hours == (protocols.Hours{}) && c.Meal == "" && (l.Per != "") == (c.PerComponent >= 0) &&
		(l.Per == "" || c.Measure.Components[c.PerComponent].Name == l.Per)
}

// Beyond reports whether a reading holds a value beyond the line.
func (l *Line) Beyond(r *protocols.Reading) bool {
	if l.Measure != r.Measure.ID || l.Statistic != "" || l.Variant != "" && r.Measure.Variant(l.Variant) != int(r.Variant) {
		return false
	}
	value := r.Values[max(0, r.Measure.Component(l.Component))]
	if value == protocols.Missing {
		return false
	}
	if l.Per != "" {
		by := r.Values[r.Measure.Component(l.Per)]
		if by == protocols.Missing || by <= 0 {
			return false
		}
		value = protocols.Value(protocols.RoundedRatio(int64(value)*1000, int64(by)))
	}
	return l.Operator.Numbers(l.Value).Holds(value)
}

// LineOf is the line that a threshold of a comparison stands on; nil for none.
func LineOf(c *protocols.Comparison) *Line {
	for i := range lines {
		l := &lines[i]
		if l.About(c) && l.Operator == c.Operator && l.Value == c.Threshold.Value {
			return l
		}
	}
	return nil
}

// about reports whether the statistic of c gives what the line is about.
func (l *Line) about(c *protocols.Comparison) bool {
	if l.Statistic == "" {
		return c.Statistic.Row().Gives == protocols.GivesLevel
	}
	if l.Statistic != c.Statistic {
		return false
	}
	if l.Where == 0 {
		return true
	}
	for _, side := range c.Where.Sides() {
		if side.Limit.Value == l.Where {
			return true
		}
	}
	return false
}

// LineOfBound is the line that one bound of a filter stands on; nil for none.
func LineOfBound(c *protocols.Comparison, side protocols.Side) *Line {
	for i := range lines {
		if l := &lines[i]; l.Statistic == "" && l.of(c) && l.Operator == side.Operator && l.Value == side.Limit.Value {
			return l
		}
	}
	return nil
}

// Scale is the scale of NEWS2 for the saturation of a disease, by its ICD-10 code: 2
// where oxygen may do harm, as in COPD and chronic respiratory failure.
func Scale(p *protocols.Pathology) int {
	if strings.HasPrefix(p.ICD10, "J44") || strings.HasPrefix(p.ICD10, "J96") {
		return 2
	}
	return 1
}

// Of are the lines beyond which one value must reach a team, for what p observes.
func Of(p *protocols.Protocol) []*Line {
	var list []*Line
	for i := range lines {
		if l := &lines[i]; l.Danger && (l.Scale == 0 || l.Scale == Scale(&p.Pathology)) && observes(p, l) {
			list = append(list, l)
		}
	}
	return list
}

func observes(p *protocols.Protocol, l *Line) bool {
	for i := range p.Observations {
		if l.In(&p.Observations[i]) {
			return true
		}
	}
	return false
}

// In reports whether an observation holds what the line is about.
func (l *Line) In(o *protocols.Observation) bool {
	return o.Measure.ID == l.Measure && (l.Variant == "" || o.Variant == 0 || o.Measure.Variants[o.Variant-1] == l.Variant)
}

// WaivedBy reports whether an observation says why what lies beyond the line does not ring.
func (l *Line) WaivedBy(o *protocols.Observation) bool {
	return o.SilentBecause(l.Name) != protocols.Text{} || o.SilentBecause(o.Measure.Components[l.component()].Name) != protocols.Text{}
}

// Passed reports whether a threshold rings only for values graver than the line: it
// would leave some that are beyond the line unheard.
func (l *Line) Passed(threshold protocols.Value, operator protocols.Operator) bool {
	rings, beyond := operator.Numbers(threshold), l.Operator.Numbers(l.Value)
	if l.Upward() {
		return rings.Low > beyond.Low
	}
	return rings.High < beyond.High
}
