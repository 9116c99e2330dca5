package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

func writeMeasuredJSON(w io.Writer, m *measured) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(m)
}

// eventNames says the kinds of event as a clinician would.
var eventNames = map[string]string{
	simulation.Decompensation: "décompensation", simulation.Exacerbation: "exacerbation",
	simulation.Hypoglycaemia: "hypoglycémie < 54", simulation.HypoglycaemiaRun: "3 hypoglycémies en 7 j",
	simulation.LeakingMask: "masque qui fuit", simulation.PressureSurge: "poussée tensionnelle",
	simulation.FluidOverload: "surcharge en dialyse", simulation.PressureDrop: "chute de tension en séance", simulation.CreatinineRise: "créatinine qui monte",
	simulation.ImplantWarning: "alerte de l'implant", simulation.Dropout: "silence de 4 j et plus",
}

// conditionNames says what patients are followed for.
var conditionNames = map[simulation.Condition]string{
	simulation.HeartFailure: "insuffisance cardiaque", simulation.Sensor: "diabète, capteur", simulation.Capillary: "diabète, lecteur",
	simulation.Pregnancy: "diabète et grossesse, capteur", simulation.Pulmonary: "BPCO", simulation.Ventilated: "ventilation à domicile",
	simulation.Oxygen: "oxygène à domicile", simulation.HomeDialysis: "dialyse à domicile", simulation.Graft: "greffe de rein",
	simulation.Implant: "implant cardiaque", simulation.HighPressure: "hypertension",
}

const published = `Repères publiés, sur de vrais patients, avec d'autres protocoles :
  - poids, + 2 kg en 3 jours : 21 % des décompensations vues, contre 82 % pour une règle
    individualisée à moyenne mobile (HeartPhone, 87 patients) ;
  - un service de télésurveillance de l'hypertension : 17 293 alertes, dont 13 647 n'ont
    demandé personne.
`

// writeMeasuredText prints the table.
func writeMeasuredText(w io.Writer, m *measured) error {
	table := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintf(table, "SIMULATION : %d patients qui n'existent pas, %d jours, graine %d.\n", m.Patients, m.Days, m.Seed)
	fmt.Fprintln(table, "Ces chiffres comparent des protocoles entre eux ; ils ne prouvent rien sur des patients.")
	fmt.Fprintln(table, "« hasard » : part de périodes calmes, aussi longues, où une alerte tombe quand même.")
	fmt.Fprintln(table, "« préavis » : médiane, en jours, de la première alerte à l'événement ; négatif si elle vient après.")
	fmt.Fprintln(table, "Les seuils que l'état habituel d'un patient franchirait sont réglés comme le ferait son médecin.")
	for i := range m.Protocols {
		p := &m.Protocols[i]
		fmt.Fprintf(table, "\n%s, version %s, %s : %d patients, %s jours-patient, %d mesures\n", p.Protocol, p.Version, conditionNames[p.Condition], p.Patients, french(p.Clinical.PatientDays, 0), p.Readings)
		fmt.Fprintln(table, "  \tévénement\tvus\thasard\tpréavis\talertes\tfausses\tfausses/100 j-p")
		row(table, "alertes cliniques", &p.Clinical)
		for r := range p.Rules {
			if rule := &p.Rules[r]; rule.Alerts > 0 {
				row(table, "  "+rule.Rule, &rule.Score)
			}
		}
		row(table, "non-transmission", &p.Silence)
		if p.Technical > 0 {
			fmt.Fprintf(table, "  alertes techniques\t\t\t\t\t%d\t\t\n", p.Technical)
		}
	}
	fmt.Fprintln(table)
	fmt.Fprint(table, published)
	return table.Flush()
}

// row writes a score, one line per kind of event.
func row(w io.Writer, name string, s *replay.Score) {
	totals := fmt.Sprintf("%d\t%d\t%s", s.Alerts, s.False, french(s.FalseRate, 2))
	if len(s.Kinds) == 0 {
		fmt.Fprintf(w, "  %s\t–\t\t\t\t%s\n", name, totals)
		return
	}
	for i, k := range s.Kinds {
		if i > 0 {
			name, totals = "", "\t\t"
		}
		warning := "–"
		if k.Caught > 0 {
			warning = french(k.Warning, 1)
		}
		event := eventNames[k.Kind]
		if event == "" {
			event = k.Kind
		}
		fmt.Fprintf(w, "  %s\t%s\t%d/%d = %s %%\t%s %%\t%s\t%s\n", name, event, k.Caught, k.Events, french(k.Sensitivity, 0), french(k.Chance, 0), warning, totals)
	}
}
