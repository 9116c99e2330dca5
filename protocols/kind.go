package protocols

import "slices"

// Kind is a kind of device with what it measures.
//
// To add a kind, add it to kinds below. A kind that is not there may measure
// anything: an operator may register devices that this version does not know.
type Kind struct {
	ID       string   // as in the registry and in protocols: "scale"
	Title    Text     // as a person says it
	Measures []string // nil for all
	Specimen string   // variant of what it measures, where the reading does not say; empty when not told
}

var kinds = []Kind{
	{ID: "scale", Title: Text{"balance", "scale"}, Measures: []string{"weight"}},
	{ID: "blood-pressure-monitor", Title: Text{"tensiomètre", "blood-pressure monitor"}, Measures: []string{"blood-pressure", "heart-rate"}},
	{ID: "oximeter", Title: Text{"oxymètre", "oximeter"}, Measures: []string{"oxygen-saturation", "heart-rate", "respiratory-rate"}},
	{ID: "thermometer", Title: Text{"thermomètre", "thermometer"}, Measures: []string{"temperature"}},
	{ID: "cgm", Title: Text{"capteur de glucose", "glucose sensor"}, Measures: []string{"glucose"}, Specimen: "interstitial"},
	{ID: "glucometer", Title: Text{"lecteur de glycémie", "glucose meter"}, Measures: []string{"glucose", "ketones"}, Specimen: "capillary"},
	{ID: "insulin-pump", Title: Text{"pompe à insuline", "insulin pump"}, Measures: []string{"insulin-dose", "glucose"}},
	{ID: "insulin-pen", Title: Text{"stylo à insuline", "insulin pen"}, Measures: []string{"insulin-dose"}},
	{ID: "spirometer", Title: Text{"spiromètre", "spirometer"}, Measures: []string{"peak-flow", "fev1", "fvc"}},
	{ID: "ventilator", Title: Text{"ventilateur", "ventilator"}, Measures: []string{"ventilation", "apnoea-index", "respiratory-rate", "oxygen-saturation", "heart-rate"}},
	{ID: "oxygen-concentrator", Title: Text{"concentrateur d'oxygène", "oxygen concentrator"}, Measures: []string{"oxygen-therapy", "respiratory-rate", "oxygen-saturation"}},
	{ID: "dialysis-machine", Title: Text{"générateur de dialyse", "dialysis machine"}, Measures: []string{"dialysis-session", "peritoneal-exchange", "weight", "blood-pressure", "heart-rate"}},
	{ID: "implant-monitor", Title: Text{"moniteur d'implant", "implant monitor"}, Measures: []string{"implant", "heart-rate"}},
	{ID: "pill-dispenser", Title: Text{"pilulier", "pill dispenser"}, Measures: []string{"pill-dispenser"}},
	{ID: "activity-tracker", Title: Text{"podomètre", "activity tracker"}, Measures: []string{"steps", "heart-rate"}},
	{ID: "coagulometer", Title: Text{"lecteur d'INR", "INR meter"}, Measures: []string{"inr"}},
	{ID: "laboratory", Title: Text{"laboratoire", "laboratory"}, Measures: []string{"creatinine", "potassium", "sodium", "bicarbonate", "haemoglobin", "leucocytes", "neutrophils", "platelets", "hba1c", "inr", "albuminuria", "proteinuria", "immunosuppressant", "nt-probnp", "ketones"}},
	{ID: "symptom-app", Title: Text{"carnet du patient", "patient's diary"}}, // whatever a patient or a professional types
}

// Kinds lists every kind of device, in the order of the manual.
func Kinds() []Kind { return kinds }

// KindByID returns the kind of that id, or nil.
func KindByID(id string) *Kind {
	for i := range kinds {
		if kinds[i].ID == id {
			return &kinds[i]
		}
	}
	return nil
}

// Takes reports whether a kind of device may measure that. A nil kind may.
func (k *Kind) Takes(m *Measure) bool {
	return k == nil || k.Measures == nil || slices.Contains(k.Measures, m.ID)
}
