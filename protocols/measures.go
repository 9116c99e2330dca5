package protocols

// Component is one number inside a measure.
type Component struct {
	Name     string   // as in the JSON of a reading: "systolic"
	Title    Text     // as a clinician says it
	LOINC    string   // empty where no code exists
	Unit     string   // canonical UCUM unit
	Own      bool     // keeps its own unit whatever the reading's unit says: the pulse in a blood pressure
	Optional bool     // may be absent from a reading
	Decimals int      // decimals worth showing
	Low      Value    // lowest value an instrument can plausibly report
	High     Value    // highest value an instrument can plausibly report
	Whole    bool     // only whole numbers make sense: a grade, a count
	Event    bool     // 1 means that it happened: a missed dose; 0, or another event alone, that it did not
	_        struct{} // named fields only
}

// Measure is something that is measured: blood pressure, weight.
//
// To add a measure, add it to measures below; decoding, storage, protocols and
// pages follow from it.
type Measure struct {
	ID         string   // as in the JSON of a reading: "blood-pressure"
	Title      Text     // as a clinician says it
	LOINC      string   // the panel or the single observation; empty where no code exists
	Variants   []string // kinds that a rule may tell apart: capillary, interstitial
	Components []Component
	Sessions   bool // each reading is the record of one session: of dialysis
	Occurs     bool // a reading is something that happened or was given, not a state: two alike are two
	ordinal    int
}

// Ordinal is the place of m in Measures, for tables indexed by measure. It is
// not stable from one version to the next and must not be stored.
func (m *Measure) Ordinal() int { return m.ordinal }

// Component returns the index of the named component, or -1.
func (m *Measure) Component(name string) int {
	for i := range m.Components {
		if m.Components[i].Name == name {
			return i
		}
	}
	return -1
}

// Variant returns the place of name in Variants counted from 1, or 0 when the
// measure has no such variant.
func (m *Measure) Variant(name string) int {
	for i, v := range m.Variants {
		if v == name {
			return i + 1
		}
	}
	return 0
}

// MeasureByID returns the measure with that id, or nil.
func MeasureByID(id string) *Measure { return byID[id] }

// Measures lists every measure, in the order of the manual.
func Measures() []*Measure { return measures }

var byID = func() map[string]*Measure {
	table := make(map[string]*Measure, len(measures))
	for i, m := range measures {
		m.ordinal = i
		table[m.ID] = m
	}
	return table
}()

// single describes a measure of one component, named "value".
func single(id, fr, en, loinc, unit string, decimals int, low, high float64) *Measure {
	return &Measure{ID: id, Title: Text{fr, en}, LOINC: loinc, Components: []Component{
		{Name: "value", Title: Text{fr, en}, LOINC: loinc, Unit: unit, Decimals: decimals, Low: exactly(low), High: exactly(high)},
	}}
}

// exactly is Of for the constants of this table.
func exactly(f float64) Value {
	v, ok := Of(f)
	if !ok {
		panic("protocols: a range in the table of measures is out of bounds")
	}
	return v
}

func occurs(m *Measure) *Measure { m.Occurs = true; return m }

func grade(name, fr, en string) Component {
	return Component{Name: name, Title: Text{fr, en}, Unit: "{score}", Optional: true, Low: 0, High: exactly(3), Whole: true}
}

func event(name, fr, en string) Component {
	return Component{Name: name, Title: Text{fr, en}, Unit: "1", Optional: true, Low: 0, High: exactly(1), Whole: true, Event: true}
}

func part(name, fr, en, loinc, unit string, decimals int, low, high float64) Component {
	return Component{Name: name, Title: Text{fr, en}, LOINC: loinc, Unit: unit, Decimals: decimals, Low: exactly(low), High: exactly(high)}
}

func optional(c Component) Component { c.Optional = true; return c }

func ownUnit(c Component) Component { c.Own = true; return c }

// The LOINC codes and units of the vital signs are those of the French profile
// "Mesures de santé" 3.1.1. The ranges say what an instrument can report, not
// what is healthy: outside them a reading is a fault of the instrument.
var measures = []*Measure{
	{ID: "blood-pressure", Title: Text{"pression artérielle", "blood pressure"}, LOINC: "85354-9", Components: []Component{
		part("systolic", "systolique", "systolic", "8480-6", "mm[Hg]", 0, 40, 300),
		part("diastolic", "diastolique", "diastolic", "8462-4", "mm[Hg]", 0, 20, 200),
		optional(part("mean", "pression moyenne", "mean pressure", "8478-0", "mm[Hg]", 0, 25, 250)),
		optional(ownUnit(part("pulse", "pouls", "pulse", "8867-4", "/min", 0, 20, 300))),
	}},
	single("heart-rate", "fréquence cardiaque", "heart rate", "8867-4", "/min", 0, 20, 300),
	single("oxygen-saturation", "saturation en oxygène", "oxygen saturation", "2708-6", "%", 0, 40, 100),
	{ID: "glucose", Title: Text{"glucose", "glucose"}, LOINC: "2345-7", Variants: []string{"capillary", "interstitial"}, Components: []Component{
		part("value", "glucose", "glucose", "2345-7", "mg/dL", 0, 20, 600),
	}},
	single("weight", "poids", "body weight", "29463-7", "kg", 1, 2, 400),
	single("temperature", "température", "body temperature", "8310-5", "Cel", 1, 25, 45),
	single("respiratory-rate", "fréquence respiratoire", "respiratory rate", "9279-1", "/min", 0, 2, 80),
	{ID: "ventilation", Title: Text{"ventilation", "ventilation"}, Components: []Component{
		part("hours", "durée d'utilisation", "hours of use", "", "h", 1, 0, 24),
		optional(ownUnit(part("leak", "fuite", "leak", "", "L/min", 0, 0, 200))),
		optional(ownUnit(part("respiratory-rate", "fréquence respiratoire", "respiratory rate", "9279-1", "/min", 0, 2, 80))),
	}},
	{ID: "oxygen-therapy", Title: Text{"oxygénothérapie", "oxygen therapy"}, Components: []Component{
		part("hours", "durée d'utilisation", "hours of use", "", "h", 1, 0, 24),
		optional(ownUnit(part("flow", "débit", "flow", "3151-8", "L/min", 1, 0, 60))),
	}},
	single("peak-flow", "débit expiratoire de pointe", "peak expiratory flow", "33452-4", "L/min", 0, 20, 1000),
	single("fev1", "VEMS", "FEV1", "20150-9", "L", 2, 0.1, 10),
	{ID: "pill-dispenser", Occurs: true, Title: Text{"pilulier", "pill dispenser"}, Components: []Component{
		event("taken", "dose prise", "dose taken"),
		event("missed", "dose oubliée", "dose missed"),
	}},
	{ID: "symptom", Title: Text{"symptômes", "symptoms"}, Components: []Component{
		grade("breathlessness", "essoufflement", "breathlessness"),
		grade("oedema", "œdèmes", "oedema"),
		grade("fatigue", "fatigue", "fatigue"),
		grade("cough", "toux", "cough"),
		grade("sputum", "crachats", "sputum"),
		grade("dizziness", "vertiges", "dizziness"),
		grade("chest-pain", "douleur thoracique", "chest pain"),
		grade("orthopnoea", "gêne en position couchée", "orthopnoea"),
	}},
	{ID: "dialysis-session", Title: Text{"séance de dialyse", "dialysis session"}, Sessions: true, Components: []Component{
		part("weight-start", "poids au début", "weight at the start", "29463-7", "kg", 1, 2, 400),
		part("dry-weight", "poids sec", "dry weight", "", "kg", 1, 2, 400),
		part("weight-end", "poids à la fin", "weight at the end", "29463-7", "kg", 1, 2, 400),
		optional(ownUnit(part("systolic-start", "systolique au début", "systolic at the start", "8480-6", "mm[Hg]", 0, 40, 300))),
		optional(ownUnit(part("diastolic-start", "diastolique au début", "diastolic at the start", "8462-4", "mm[Hg]", 0, 20, 200))),
		optional(ownUnit(part("heart-rate-start", "pouls au début", "heart rate at the start", "8867-4", "/min", 0, 20, 300))),
		optional(ownUnit(part("systolic-lowest", "systolique la plus basse en séance", "lowest systolic during the session", "8480-6", "mm[Hg]", 0, 40, 300))),
		optional(ownUnit(part("ultrafiltration-rate", "débit d'ultrafiltration", "ultrafiltration rate", "", "mL/h", 0, 0, 5000))),
		optional(ownUnit(part("arterial-pressure", "pression artérielle du circuit", "arterial line pressure", "", "mm[Hg]", 0, -500, 500))),
		optional(ownUnit(part("venous-pressure", "pression veineuse du circuit", "venous line pressure", "", "mm[Hg]", 0, -100, 600))),
		optional(ownUnit(part("systolic-end", "systolique à la fin", "systolic at the end", "8480-6", "mm[Hg]", 0, 40, 300))),
		optional(ownUnit(part("diastolic-end", "diastolique à la fin", "diastolic at the end", "8462-4", "mm[Hg]", 0, 20, 200))),
		optional(ownUnit(part("heart-rate-end", "pouls à la fin", "heart rate at the end", "8867-4", "/min", 0, 20, 300))),
		optional(ownUnit(part("compression-time", "temps de compression", "compression time", "", "min", 0, 0, 240))),
	}},
	{ID: "implant", Occurs: true, Title: Text{"implant cardiaque", "cardiac implant"}, Components: []Component{
		event("transmission", "transmission programmée", "scheduled transmission"),
		event("red", "alerte rouge du fabricant", "vendor red alert"),
		event("yellow", "alerte jaune du fabricant", "vendor yellow alert"),
		event("shock", "choc délivré", "shock delivered"),
		optional(ownUnit(part("battery", "batterie de l'implant", "implant battery", "", "%", 0, 0, 100))),
		optional(ownUnit(part("lead-impedance", "impédance de sonde", "lead impedance", "", "Ohm", 0, 0, 5000))),
	}},
	single("creatinine", "créatinine", "creatinine", "14682-9", "umol/L", 0, 10, 3000),
	single("potassium", "potassium", "potassium", "6298-4", "mmol/L", 1, 1, 12),
	occurs(single("insulin-dose", "dose d'insuline", "insulin dose", "", "[iU]", 1, 0, 300)),
}
