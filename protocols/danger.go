package protocols

import "strings"

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
	Statistic Statistic
	Where     Value // with Share: the bound of what counts
	Operator  Operator
	Value     Value // in the canonical unit
	Origin    Text
	// Danger says that one value beyond the line must reach a team within the hour.
	Danger bool
	Scale  int // of NEWS2, for a saturation; 0 for both
	_      struct{}
}

// The origins of the lines.
var (
	news2     = Text{"NEWS2, paramètre isolé à 3 points", "NEWS2, single parameter of 3 points"}
	scale1    = Text{"NEWS2, paramètre isolé à 3 points, échelle 1", "NEWS2, single parameter of 3 points, scale 1"}
	scale2    = Text{"NEWS2, paramètre isolé à 3 points, échelle 2", "NEWS2, single parameter of 3 points, scale 2"}
	consensus = Text{"consensus international sur le temps dans la cible", "international consensus on time in range"}
	pregnancy = Text{"consensus international sur le temps dans la cible, grossesse", "international consensus on time in range, pregnancy"}
	telbil    = Text{"essai TELBIL", "TELBIL trial"}
	grade3    = Text{"hypertension de grade 3, mesurée au cabinet", "grade 3 hypertension, measured at the office"}
	atHome    = Text{"hypertension en automesure : 135/85 mmHg", "hypertension measured at home: 135/85 mmHg"}
	kdigo     = Text{"KDIGO, insuffisance rénale aiguë", "KDIGO, acute kidney injury"}
	kdigo3    = Text{"KDIGO, insuffisance rénale aiguë, stade 3 (≥ 353,6 µmol/L)", "KDIGO, acute kidney injury, stage 3 (≥ 353.6 µmol/L)"}
	ajkd      = Text{"étude observationnelle (AJKD 2016)", "observational study (AJKD 2016)"}
	unsourced = Text{"exemple sans source publiée", "example without a published source"}
)

// lines is the table of danger. To add a line, add it here; check and the tests of the
// library follow. What has no published source says so.
var lines = []Line{
	{Name: "saturation-1", Measure: "oxygen-saturation", Operator: AtMost, Value: 91_000, Origin: scale1, Danger: true, Scale: 1},
	{Name: "saturation-2", Measure: "oxygen-saturation", Operator: AtMost, Value: 83_000, Origin: scale2, Danger: true, Scale: 2},
	{Name: "saturation-too-high", Measure: "oxygen-saturation", Operator: AtLeast, Value: 97_000, Origin: Text{"NEWS2, échelle 2, sous oxygène : 3 points", "NEWS2, scale 2, on oxygen: 3 points"}, Scale: 2},
	{Name: "systolic-low", Measure: "blood-pressure", Component: "systolic", Operator: AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "systolic-high", Measure: "blood-pressure", Component: "systolic", Operator: AtLeast, Value: 220_000, Origin: news2, Danger: true},
	{Name: "diastolic-high", Measure: "blood-pressure", Component: "diastolic", Operator: AtLeast, Value: 110_000, Origin: grade3, Danger: true},
	{Name: "pulse-slow", Measure: "blood-pressure", Component: "pulse", Operator: AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "pulse-fast", Measure: "blood-pressure", Component: "pulse", Operator: AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "heart-slow", Measure: "heart-rate", Operator: AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "heart-fast", Measure: "heart-rate", Operator: AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "breathing-slow", Measure: "respiratory-rate", Operator: AtMost, Value: 8_000, Origin: news2, Danger: true},
	{Name: "breathing-fast", Measure: "respiratory-rate", Operator: AtLeast, Value: 25_000, Origin: news2, Danger: true},
	{Name: "temperature-low", Measure: "temperature", Operator: AtMost, Value: 35_000, Origin: news2, Danger: true},
	{Name: "temperature-high", Measure: "temperature", Operator: AtLeast, Value: 39_000, Origin: unsourced, Danger: true},
	{Name: "glucose-very-low", Measure: "glucose", Operator: Below, Value: 40_000, Origin: unsourced, Danger: true},
	{Name: "glucose-very-high", Measure: "glucose", Variant: "capillary", Operator: AtLeast, Value: 400_000, Origin: unsourced, Danger: true},
	{Name: "potassium-high", Measure: "potassium", Operator: AtLeast, Value: 6_500, Origin: unsourced, Danger: true},
	{Name: "potassium-low", Measure: "potassium", Operator: AtMost, Value: 2_500, Origin: unsourced, Danger: true},
	{Name: "creatinine-very-high", Measure: "creatinine", Operator: AtLeast, Value: 354_000, Origin: kdigo3, Danger: true},
	{Name: "breathlessness", Measure: "symptom", Component: "breathlessness", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "orthopnoea", Measure: "symptom", Component: "orthopnoea", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "chest-pain", Measure: "symptom", Component: "chest-pain", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "oedema", Measure: "symptom", Component: "oedema", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "dizziness", Measure: "symptom", Component: "dizziness", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "ultrafiltration", Measure: "dialysis-session", Component: "ultrafiltration-rate", Per: "dry-weight", Operator: Above, Value: 13_000, Origin: ajkd},
	{Name: "ultrafiltration-very-fast", Measure: "dialysis-session", Component: "ultrafiltration-rate", Per: "dry-weight", Operator: Above, Value: 20_000, Origin: unsourced, Danger: true},
	{Name: "venous-line", Measure: "dialysis-session", Component: "venous-pressure", Operator: AtLeast, Value: 300_000, Origin: unsourced, Danger: true},
	{Name: "arterial-line", Measure: "dialysis-session", Component: "arterial-pressure", Operator: AtMost, Value: -300_000, Origin: unsourced, Danger: true},
	{Name: "session-start-high", Measure: "dialysis-session", Component: "systolic-start", Operator: AtLeast, Value: 180_000, Origin: grade3, Danger: true},
	{Name: "session-start-low", Measure: "dialysis-session", Component: "systolic-start", Operator: AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "session-lowest", Measure: "dialysis-session", Component: "systolic-lowest", Operator: AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "session-end-high", Measure: "dialysis-session", Component: "systolic-end", Operator: AtLeast, Value: 180_000, Origin: grade3, Danger: true},
	{Name: "session-end-low", Measure: "dialysis-session", Component: "systolic-end", Operator: AtMost, Value: 90_000, Origin: news2, Danger: true},
	{Name: "session-start-diastolic", Measure: "dialysis-session", Component: "diastolic-start", Operator: AtLeast, Value: 110_000, Origin: grade3, Danger: true},
	{Name: "session-end-diastolic", Measure: "dialysis-session", Component: "diastolic-end", Operator: AtLeast, Value: 110_000, Origin: grade3, Danger: true},
	{Name: "session-start-fast", Measure: "dialysis-session", Component: "heart-rate-start", Operator: AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "session-start-slow", Measure: "dialysis-session", Component: "heart-rate-start", Operator: AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "session-end-fast", Measure: "dialysis-session", Component: "heart-rate-end", Operator: AtLeast, Value: 131_000, Origin: news2, Danger: true},
	{Name: "session-end-slow", Measure: "dialysis-session", Component: "heart-rate-end", Operator: AtMost, Value: 40_000, Origin: news2, Danger: true},
	{Name: "implant-red", Measure: "implant", Component: "red", Operator: AtLeast, Value: 1_000, Origin: Text{"classe d'alerte du fabricant", "the vendor's class of alert"}, Danger: true},
	{Name: "implant-shock", Measure: "implant", Component: "shock", Operator: AtLeast, Value: 1_000, Origin: unsourced, Danger: true},
	{Name: "lead-broken", Measure: "implant", Component: "lead-impedance", Operator: Above, Value: 2_000_000, Origin: unsourced, Danger: true},
	{Name: "lead-short", Measure: "implant", Component: "lead-impedance", Operator: Below, Value: 200_000, Origin: unsourced, Danger: true},
	{Name: "wound-redness", Measure: "wound", Component: "redness", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "wound-discharge", Measure: "wound", Component: "discharge", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "wound-opening", Measure: "wound", Component: "opening", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "vomiting", Measure: "vomiting", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "diarrhoea", Measure: "diarrhoea", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "headache", Measure: "headache", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "vision", Measure: "visual-signs", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},
	{Name: "upper-belly-pain", Measure: "upper-belly-pain", Operator: AtLeast, Value: 3_000, Origin: unsourced, Danger: true},

	// Published numbers that are no danger by themselves.
	{Name: "breathing-quick", Measure: "respiratory-rate", Operator: Above, Value: 24_000, Origin: telbil},
	{Name: "ventilated-breathing-quick", Measure: "ventilation", Component: "respiratory-rate", Operator: Above, Value: 24_000, Origin: telbil},
	{Name: "pulse-below-50", Measure: "blood-pressure", Component: "pulse", Operator: Below, Value: 50_000, Origin: telbil},
	{Name: "systolic-below-100", Measure: "blood-pressure", Component: "systolic", Operator: Below, Value: 100_000, Origin: telbil},
	{Name: "systolic-above-160", Measure: "blood-pressure", Component: "systolic", Operator: Above, Value: 160_000, Origin: telbil},
	{Name: "session-end-above-100", Measure: "dialysis-session", Component: "heart-rate-end", Operator: Above, Value: 100_000, Origin: telbil},
	{Name: "systolic-grade-3", Measure: "blood-pressure", Component: "systolic", Operator: AtLeast, Value: 180_000, Origin: grade3},
	{Name: "systolic-at-home", Measure: "blood-pressure", Component: "systolic", Operator: AtLeast, Value: 135_000, Origin: atHome},
	{Name: "diastolic-at-home", Measure: "blood-pressure", Component: "diastolic", Operator: AtLeast, Value: 85_000, Origin: atHome},
	{Name: "hypoglycaemia", Measure: "glucose", Operator: Below, Value: 70_000, Origin: consensus},
	{Name: "hypoglycaemia-level-2", Measure: "glucose", Operator: Below, Value: 54_000, Origin: consensus},
	{Name: "range-from", Measure: "glucose", Operator: AtLeast, Value: 70_000, Origin: consensus},
	{Name: "range-to", Measure: "glucose", Operator: AtMost, Value: 180_000, Origin: consensus},
	{Name: "hyperglycaemia", Measure: "glucose", Operator: Above, Value: 180_000, Origin: consensus},
	{Name: "hyperglycaemia-level-2", Measure: "glucose", Operator: Above, Value: 250_000, Origin: consensus},
	{Name: "pregnancy-low", Measure: "glucose", Operator: Below, Value: 63_000, Origin: pregnancy},
	{Name: "pregnancy-from", Measure: "glucose", Operator: AtLeast, Value: 63_000, Origin: pregnancy},
	{Name: "pregnancy-to", Measure: "glucose", Operator: AtMost, Value: 140_000, Origin: pregnancy},
	{Name: "pregnancy-high", Measure: "glucose", Operator: Above, Value: 140_000, Origin: pregnancy},
	{Name: "time-in-range", Measure: "glucose", Statistic: Share, Where: 70_000, Operator: Below, Value: 70_000, Origin: consensus},
	{Name: "time-in-range-pregnancy", Measure: "glucose", Statistic: Share, Where: 63_000, Operator: Below, Value: 70_000, Origin: pregnancy},
	{Name: "time-below-54", Measure: "glucose", Statistic: Share, Where: 54_000, Operator: AtLeast, Value: 1_000, Origin: consensus},
	{Name: "time-below-63", Measure: "glucose", Statistic: Share, Where: 63_000, Operator: AtLeast, Value: 4_000, Origin: pregnancy},
	{Name: "time-above-140", Measure: "glucose", Statistic: Share, Where: 140_000, Operator: AtLeast, Value: 25_000, Origin: pregnancy},
	{Name: "time-above-180", Measure: "glucose", Statistic: Share, Where: 180_000, Operator: AtLeast, Value: 25_000, Origin: consensus},
	{Name: "variation", Measure: "glucose", Statistic: CV, Operator: AtLeast, Value: 36_000, Origin: consensus},
	{Name: "enough-wear", Measure: "glucose", Statistic: Wear, Operator: Below, Value: 70_000, Origin: consensus},
	{Name: "creatinine-rise", Measure: "creatinine", Statistic: Rise, Operator: AtLeast, Value: 26_500, Origin: kdigo},
	{Name: "creatinine-half-more", Measure: "creatinine", Statistic: RisePercent, Operator: AtLeast, Value: 50_000, Origin: kdigo},
}

// Lines lists the table of danger.
func Lines() []Line { return lines }

// Upward reports whether more is graver.
func (l *Line) Upward() bool { return l.Operator == Above || l.Operator == AtLeast }

// About reports whether c compares what the line is about.
func (l *Line) About(c *Comparison) bool { return l.of(c) && l.about(c) }

// of reports whether c looks at the numbers that the line is about.
func (l *Line) of(c *Comparison) bool {
	component := &c.Measure.Components[c.Component]
	return l.Measure == c.Measure.ID && (l.Component == component.Name || l.Component == "" && len(c.Measure.Components) == 1) &&
		(l.Variant == "" || c.Variant > 0 && c.Measure.Variants[c.Variant-1] == l.Variant) &&
		c.Minus == nil && c.Beside == nil && c.Flag == "" && c.MinusComponent < 0 && c.Hours == (Hours{}) && c.Meal == "" && (l.Per != "") == (c.PerComponent >= 0) &&
		(l.Per == "" || c.Measure.Components[c.PerComponent].Name == l.Per)
}

// Beyond reports whether a reading holds a value beyond the line.
func (l *Line) Beyond(r *Reading) bool {
	if l.Measure != r.Measure.ID || l.Statistic != "" || l.Variant != "" && r.Measure.Variant(l.Variant) != int(r.Variant) {
		return false
	}
	value := r.Values[max(0, r.Measure.Component(l.Component))]
	if value == Missing {
		return false
	}
	if l.Per != "" {
		by := r.Values[r.Measure.Component(l.Per)]
		if by == Missing || by <= 0 {
			return false
		}
		value = Value(RoundedRatio(int64(value)*1000, int64(by)))
	}
	return l.Operator.Numbers(l.Value).Holds(value)
}

// LineOf is the line that a threshold of a comparison stands on; nil for none.
func LineOf(c *Comparison) *Line {
	for i := range lines {
		l := &lines[i]
		if l.About(c) && l.Operator == c.Operator && l.Value == c.Threshold.Value {
			return l
		}
	}
	return nil
}

// about reports whether the statistic of c gives what the line is about.
func (l *Line) about(c *Comparison) bool {
	if l.Statistic == "" {
		return c.Statistic.Row().Gives == GivesLevel
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
func LineOfBound(c *Comparison, side Side) *Line {
	for i := range lines {
		if l := &lines[i]; l.Statistic == "" && l.of(c) && l.Operator == side.Operator && l.Value == side.Limit.Value {
			return l
		}
	}
	return nil
}

// Scale is the scale of NEWS2 for the saturation of a disease, by its ICD-10 code: 2
// where oxygen may do harm, as in COPD and chronic respiratory failure.
func (p *Pathology) Scale() int {
	if strings.HasPrefix(p.ICD10, "J44") || strings.HasPrefix(p.ICD10, "J96") {
		return 2
	}
	return 1
}

// Dangers are the lines beyond which one value must reach a team, for what p observes.
func (p *Protocol) Dangers() []*Line {
	var list []*Line
	for i := range lines {
		if l := &lines[i]; l.Danger && (l.Scale == 0 || l.Scale == p.Pathology.Scale()) && p.observes(l) {
			list = append(list, l)
		}
	}
	return list
}

func (p *Protocol) observes(l *Line) bool {
	for i := range p.Observations {
		if p.Observations[i].Holds(l) {
			return true
		}
	}
	return false
}

// Holds reports whether an observation holds what the line is about.
func (o *Observation) Holds(l *Line) bool {
	return o.Measure.ID == l.Measure && (l.Variant == "" || o.Variant == 0 || o.Measure.Variants[o.Variant-1] == l.Variant)
}

// Waives reports whether an observation says why what lies beyond the line does not ring.
func (o *Observation) Waives(l *Line) bool {
	return o.SilentBecause(l.Name) != Text{} || o.SilentBecause(o.Measure.Components[l.component()].Name) != Text{}
}

// Passed reports whether a threshold rings only for values graver than the line: it
// would leave some that are beyond the line unheard.
func (l *Line) Passed(threshold Value, operator Operator) bool {
	rings, beyond := operator.Numbers(threshold), l.Operator.Numbers(l.Value)
	if l.Upward() {
		return rings.Low > beyond.Low
	}
	return rings.High < beyond.High
}
