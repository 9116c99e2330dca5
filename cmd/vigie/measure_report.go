package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

func writeMeasuredJSON(w io.Writer, _ tongue, m *measured) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(m)
}

// eventNames says the kinds of event as a clinician would.
var eventNames = map[string]protocols.Text{
	simulation.Decompensation: {FR: "décompensation", EN: "decompensation"}, simulation.Exacerbation: {FR: "exacerbation", EN: "exacerbation"},
	simulation.Hypoglycaemia: {FR: "hypoglycémie < 54", EN: "hypoglycaemia < 54"}, simulation.HypoglycaemiaRun: {FR: "3 hypoglycémies en 7 j", EN: "3 hypoglycaemias in 7 d"},
	simulation.LeakingMask: {FR: "masque qui fuit", EN: "leaking mask"}, simulation.PressureSurge: {FR: "poussée tensionnelle", EN: "blood pressure surge"},
	simulation.FluidOverload: {FR: "surcharge en dialyse", EN: "fluid overload in dialysis"}, simulation.PressureDrop: {FR: "chute de tension en séance", EN: "blood pressure drop in a session"}, simulation.CreatinineRise: {FR: "créatinine qui monte", EN: "rising creatinine"},
	simulation.ImplantWarning: {FR: "alerte de l'implant", EN: "alert of the implant"}, simulation.Dropout: {FR: "silence de 4 j et plus", EN: "silence of 4 d and more"},
}

// conditionNames says what patients are followed for.
var conditionNames = map[simulation.Condition]protocols.Text{
	simulation.HeartFailure: {FR: "insuffisance cardiaque", EN: "heart failure"}, simulation.Sensor: {FR: "diabète, capteur", EN: "diabetes, sensor"}, simulation.Capillary: {FR: "diabète, lecteur", EN: "diabetes, meter"},
	simulation.Pregnancy: {FR: "diabète et grossesse, capteur", EN: "diabetes and pregnancy, sensor"}, simulation.Pulmonary: {FR: "BPCO", EN: "COPD"}, simulation.Ventilated: {FR: "ventilation à domicile", EN: "home ventilation"},
	simulation.Oxygen: {FR: "oxygène à domicile", EN: "home oxygen"}, simulation.HomeDialysis: {FR: "dialyse à domicile", EN: "home dialysis"}, simulation.Graft: {FR: "greffe de rein", EN: "kidney graft"},
	simulation.Implant: {FR: "implant cardiaque", EN: "cardiac implant"}, simulation.HighPressure: {FR: "hypertension", EN: "hypertension"},
}

var published = protocols.Text{FR: `Repères publiés, sur de vrais patients, avec d'autres protocoles :
  - poids, + 2 kg en 3 jours : 21 % des décompensations vues, contre 82 % pour une règle
    individualisée à moyenne mobile (HeartPhone, 87 patients) ;
  - un service de télésurveillance de l'hypertension : 17 293 alertes, dont 13 647 n'ont
    demandé personne.
`, EN: `Published figures, on real patients, with other protocols:
  - weight, + 2 kg in 3 days: 21 % of decompensations seen, against 82 % for an
    individualised moving-average rule (HeartPhone, 87 patients);
  - a telemonitoring service for hypertension: 17,293 alerts, of which 13,647 called
    for nobody.
`}

// measuredPreface says what the figures are, and what the columns mean.
var measuredPreface = protocols.Text{FR: `SIMULATION : %d patients qui n'existent pas, %d jours, graine %d.
Ces chiffres comparent des protocoles entre eux ; ils ne prouvent rien sur des patients.
« vus » et « 3 j avant » : entre parenthèses, l'intervalle de confiance à 95 %%.
« hasard » : part de périodes calmes, aussi longues, où une alerte tombe quand même.
« préavis » : médiane, en jours, de la première alerte à l'événement ; négatif si elle vient après.
Les seuils que l'état habituel d'un patient franchirait sont réglés comme le ferait son médecin.
`, EN: `SIMULATION: %d patients who do not exist, %d days, seed %d.
These figures compare protocols with one another; they prove nothing about patients.
“seen” and “3 d ahead”: in brackets, the confidence interval of 95 %%.
“chance”: share of quiet periods, as long, in which an alert falls all the same.
“warning”: median, in days, from the first alert to the event; negative where it comes after.
Thresholds that the usual state of a patient would cross are set as the physician would.
`}

// The words of the table.
var (
	measuredTitle   = protocols.Text{FR: "\n%s, version %s, %s : %s, %s jours-patient, %s\n", EN: "\n%s, version %s, %s: %s, %s patient-days, %s\n"}
	measuredColumns = protocols.Text{
		FR: "  \tévénement\tvus\t3 j avant\thasard\tpréavis\talertes\tfausses\tfausses/100 j-p",
		EN: "  \tevent\tseen\t3 d ahead\tchance\twarning\talerts\tfalse\tfalse/100 p-d",
	}
	clinicalAlerts  = protocols.Text{FR: "alertes cliniques", EN: "clinical alerts"}
	silenceAlerts   = protocols.Text{FR: "non-transmission", EN: "non-transmission"}
	technicalAlerts = protocols.Text{FR: "  alertes techniques\t\t\t\t\t\t%d\t\t\n", EN: "  technical alerts\t\t\t\t\t\t%d\t\t\n"}
)

// writeMeasuredText prints the table.
func writeMeasuredText(w io.Writer, in tongue, m *measured) error {
	table := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprint(table, in.say(measuredPreface, m.Patients, m.Days, m.Seed))
	for i := range m.Protocols {
		p := &m.Protocols[i]
		fmt.Fprint(table, in.say(measuredTitle, p.Protocol, p.Version, in.say(conditionNames[p.Condition]),
			in.some(p.Patients, patientNoun), in.number(p.Clinical.PatientDays, 0), in.some(p.Readings, readingNoun)))
		fmt.Fprintln(table, in.say(measuredColumns))
		row(table, in, in.say(clinicalAlerts), &p.Clinical)
		for r := range p.Rules {
			if rule := &p.Rules[r]; rule.Alerts > 0 {
				row(table, in, "  "+rule.Rule, &rule.Score)
			}
		}
		row(table, in, in.say(silenceAlerts), &p.Silence)
		if p.Technical > 0 {
			fmt.Fprint(table, in.say(technicalAlerts, p.Technical))
		}
		for _, g := range p.Goals {
			fmt.Fprint(table, in.say(g.sentence(), in.number(g.Wanted, 0), in.number(g.Measured, 1), in.say(reached[g.Reached])))
		}
	}
	fmt.Fprintln(table)
	fmt.Fprint(table, in.say(published))
	return table.Flush()
}

// row writes a score, one line per kind of event.
func row(w io.Writer, in tongue, name string, s *replay.Score) {
	totals := fmt.Sprintf("%d\t%d\t%s", s.Alerts, s.False, in.number(s.FalseRate, 2))
	if len(s.Kinds) == 0 {
		fmt.Fprintf(w, "  %s\t–\t\t\t\t\t%s\n", name, totals)
		return
	}
	for i, k := range s.Kinds {
		if i > 0 {
			name, totals = "", "\t\t"
		}
		warning := "–"
		if k.Caught > 0 {
			warning = in.number(k.Warning, 1)
		}
		event := in.say(eventNames[k.Kind])
		if event == "" {
			event = k.Kind
		}
		fmt.Fprintf(w, "  %s\t%s\t%d/%d = %s\t%s\t%s %%\t%s\t%s\n", name, event, k.Caught, k.Events, likely(in, k.Sensitivity, k.Likely), likely(in, k.AheadShare, k.AheadLikely), in.number(k.Chance, 0), warning, totals)
	}
}

// likely says a share with its interval.
func likely(in tongue, share float64, i replay.Interval) string {
	return fmt.Sprintf("%s %% (%s–%s)", in.number(share, 0), in.number(i.Low, 0), in.number(i.High, 0))
}
