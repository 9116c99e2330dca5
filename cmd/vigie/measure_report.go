package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/protocols/replay/figures"
	"vigie/seeds/measure"
	"vigie/seeds/simulation"
)

func writeMeasuredJSON(w io.Writer, _ tongue, m *measure.Found) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(m)
}

// eventNames says the kinds of event as a clinician would.
var eventNames = map[string]protocols.Text{
	simulation.Decompensation: {FR: "décompensation", EN: "decompensation"}, simulation.OtherIllness: {FR: "autre essoufflement", EN: "other breathlessness"}, simulation.Exacerbation: {FR: "exacerbation", EN: "exacerbation"},
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
	simulation.Peritoneal: {FR: "dialyse péritonéale", EN: "peritoneal dialysis"}, simulation.Cancer: {FR: "traitement du cancer", EN: "cancer treatment"},
	simulation.Gestation: {FR: "hypertension de la grossesse", EN: "gestational hypertension"}, simulation.Operated: {FR: "après une opération", EN: "after an operation"},
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

// groupNames say the groups that the simulation forms beside the phenotypes of its world.
var groupNames = map[string]protocols.Text{
	simulation.Announced: {FR: "une semaine et plus, signe mesuré", EN: "a week and more, measured sign"}, simulation.QuietWhenIll: {FR: "mesure moins, malade", EN: "measures less when ill"},
	simulation.Sudden: {FR: "trop vite pour être vus à temps", EN: "too fast to be seen in time"}, simulation.Signless: {FR: "sans signe mesuré la plupart des jours", EN: "without a sign measured on most days"},
	simulation.Shown: {FR: "une valeur sous 54 envoyée pendant", EN: "a value below 54 sent while it lasted"}, simulation.Unshown: {FR: "aucune valeur sous 54 envoyée pendant", EN: "no value below 54 sent while it lasted"},
	"day": {FR: "le jour", EN: "by day"}, "night": {FR: "la nuit", EN: "at night"},
}

// measuredPreface says what the figures are, and what the columns mean.
var measuredPreface = protocols.Text{FR: `SIMULATION, %s : %d patients par maladie et par graine, qui n'existent pas, graines %s.
Ces chiffres comparent des protocoles entre eux ; ils ne prouvent rien sur des patients.
« vus » et « à temps » : entre parenthèses, l'intervalle de confiance à 95 %%, puis le hasard :
la part de périodes calmes, aussi longues, de tous les patients, où une alerte sonne quand même.
« à temps » : décompensation, 3 jours avant ; exacerbation, avant son jour ; hypoglycémie, dans
les 24 h ; sinon tant que dure l'événement.
« préavis » : médiane, en jours, de la première sonnerie à l'événement, négatif si elle vient après,
avec son intervalle, puis celui du hasard : des sonneries de ces périodes calmes.
« alertes » : lignes de la liste, de la première sonnerie à ce que quelqu'un s'en soit occupé.
« justes » : part des alertes qui parlent d'un événement ; ni pause ni guérison n'en est un.
Les seuils que l'état habituel d'un patient franchirait sont réglés comme le ferait son médecin.
`, EN: `SIMULATION, %s: %d patients a condition and seed, who do not exist, seeds %s.
These figures compare protocols with one another; they prove nothing about patients.
“seen” and “in time”: in brackets, the confidence interval of 95 %%, then chance: the share of
quiet periods of all patients, as long, in which an alert rings all the same.
“in time”: decompensation, 3 days before; exacerbation, before its day; hypoglycaemia, within
24 h; else while the event lasts.
“warning”: median, in days, from the first ring to the event, negative where it comes after,
with its interval, then that of chance: of what rings in those quiet periods.
“alerts”: rows of the list, from the first ring until somebody has dealt with it.
“right”: share of the alerts that are about an event; no pause or recovery is one.
Thresholds that the usual state of a patient would cross are set as the physician would.
`}

// The words of the tables.
var (
	measuredTitle   = protocols.Text{FR: "\n%s, version %s, %s : %s, %s jours-patient, %s\n", EN: "\n%s, version %s, %s: %s, %s patient-days, %s\n"}
	measuredColumns = protocols.Text{
		FR: "  \tévénement\tvus\thasard\tà temps\thasard\tpréavis\thasard\talertes\tfausses\tfausses/100 j-p\tjustes",
		EN: "  \tevent\tseen\tchance\tin time\tchance\twarning\tchance\talerts\tfalse\tfalse/100 p-d\tright",
	}
	clinicalAlerts = protocols.Text{FR: "alertes cliniques", EN: "clinical alerts"}
	silenceAlerts  = protocols.Text{FR: "non-transmission", EN: "non-transmission"}
	measuredLoad   = protocols.Text{
		FR: "  pour 100 jours-patient : %s fausses alertes cliniques, %s alertes de toute sorte (%s sans la non-transmission, dont %d [technique|techniques]) ; %s minutes par jour pour 100 patients\n",
		EN: "  per 100 patient-days: %s false clinical alerts, %s alerts of any kind (%s without non-transmission, %d of them technical); %s minutes a day for 100 patients\n",
	}
	measuredSeveral = protocols.Text{
		FR: "  jours-patient à plus d'une alerte clinique : %s %%\n",
		EN: "  patient-days with more than one clinical alert: %s %%\n",
	}
	measuredCalm = protocols.Text{
		FR: "  %d [patient|patients] à qui rien n'arrive : %s alertes cliniques pour 100 jours-patient\n",
		EN: "  %d [patient|patients] to whom nothing happens: %s clinical alerts per 100 patient-days\n",
	}
	measuredForced = protocols.Text{
		FR: "    dont %s par une valeur au-delà de la table de danger, que la table impose, et %s autres (but pour les deux : au plus %s)\n",
		EN: "    of them %s by a value beyond the table of danger, which forces them, and %s others (goal for both: at most %s)\n",
	}
	measuredNoCalm = protocols.Text{
		FR: "  aucun patient à qui rien n'arrive : personne à mesurer\n",
		EN: "  no patient to whom nothing happens: nobody to measure\n",
	}
	measuredTooFew = protocols.Text{
		FR: "  %d [patient|patients] seulement : il en faut %d pour que ces chiffres disent quelque chose\n",
		EN: "  only %d [patient|patients]: these figures take %d to mean anything\n",
	}
	measuredLuck = protocols.Text{
		FR: "  d'une graine à l'autre : vus %s–%s %%, à temps %s–%s %%, fausses %s–%s, toutes %s–%s\n",
		EN: "  from seed to seed: seen %s–%s %%, in time %s–%s %%, false %s–%s, all %s–%s\n",
	}
	measuredLimit = protocols.Text{
		FR: "  le meilleur détecteur, qui connaît le signal de ce monde, à %s fausse pour 100 jours-patient : %s vus, %s à temps%s, préavis %s\n",
		EN: "  the best detector, which knows this world's signal, at %s false per 100 patient-days: %s seen, %s in time%s, warning %s\n",
	}
)

// writeMeasuredText prints the tables.
func writeMeasuredText(w io.Writer, in tongue, m *measure.Found) error {
	table := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	seeds := fmt.Sprint(m.Seeds[0])
	if n := len(m.Seeds); n > 1 {
		seeds = fmt.Sprintf("%d–%d", m.Seeds[0], m.Seeds[n-1])
	}
	fmt.Fprint(table, in.say(measuredPreface, in.say(m.World.Title), m.Patients, seeds))
	for i := range m.Protocols {
		p := &m.Protocols[i]
		fmt.Fprint(table, in.say(measuredTitle, p.Protocol, p.Version, in.say(conditionNames[p.Condition]),
			in.some(p.Patients, patientNoun), in.number(p.Clinical.PatientDays, 0), in.some(p.Readings, readingNoun)))
		if p.TooFew {
			fmt.Fprint(table, in.say(measuredTooFew, p.Patients, measure.EnoughPatients))
		}
		fmt.Fprintln(table, in.say(measuredColumns))
		row(table, in, m, in.say(clinicalAlerts), &p.Clinical)
		for l := range p.Clinical.Levels {
			level := &p.Clinical.Levels[l]
			row(table, in, m, "  "+in.say(figures.Word(level.Level)), &replay.Score{
				Kinds: level.Kinds, Alerts: level.Alerts, False: level.False, FalseRate: level.FalseRate, Precision: level.Precision, PrecisionBy: level.PrecisionBy,
			})
		}
		for r := range p.Rules {
			if rule := &p.Rules[r]; rule.Alerts > 0 {
				row(table, in, m, "  "+rule.Rule, &rule.Score)
			}
		}
		row(table, in, m, in.say(silenceAlerts), &p.Silence)
		writeMeasuredSums(table, in, p)
	}
	fmt.Fprintln(table)
	fmt.Fprint(table, in.say(published))
	return table.Flush()
}

// writeMeasuredSums writes what stands under the table of a protocol.
func writeMeasuredSums(w io.Writer, in tongue, p *measure.Protocol) {
	fmt.Fprint(w, in.say(measuredLoad, in.number(p.Clinical.FalseRate, 2), in.number(p.Rate, 2), in.number(p.WithoutSilence, 2), p.Technical, in.number(p.Minutes, 0)))
	fmt.Fprint(w, in.say(measuredSeveral, in.number(p.Several, 2)))
	writeStable(w, in, p)
	if len(p.Seeds) > 1 {
		spread := func(of func(measure.Seed) float64, decimals int) (string, string) {
			low, high := of(p.Seeds[0]), of(p.Seeds[0])
			for _, s := range p.Seeds {
				low, high = min(low, of(s)), max(high, of(s))
			}
			return in.number(low, decimals), in.number(high, decimals)
		}
		a, b := spread(func(s measure.Seed) float64 { return s.Seen }, 0)
		c, d := spread(func(s measure.Seed) float64 { return s.InTime }, 0)
		e, f := spread(func(s measure.Seed) float64 { return s.FalseRate }, 2)
		g, h := spread(func(s measure.Seed) float64 { return s.Rate }, 2)
		fmt.Fprint(w, in.say(measuredLuck, a, b, c, d, e, f, g, h))
	}
	if b := p.Best; b != nil {
		fmt.Fprint(w, in.say(measuredLimit, in.number(b.False, 2), likely(in, b.Seen.Sensitivity, b.Seen.Likely),
			likely(in, b.Seen.InTimeShare, b.Seen.InTimeLikely), announced(in, &b.Seen), in.number(b.Seen.Warning, 1)))
	}
	writeGoals(w, in, p)
}

// writeStable writes the load of the patients to whom nothing happens, in two parts beside
// the goal: what the table of danger forces, and the rest.
func writeStable(w io.Writer, in tongue, p *measure.Protocol) {
	s := &p.Stable
	if s.Patients == 0 {
		fmt.Fprint(w, in.say(measuredNoCalm))
		return
	}
	fmt.Fprint(w, in.say(measuredCalm, s.Patients, in.number(s.Rate, 2)))
	for _, g := range p.Goals {
		if g.Figure == measure.StableLoad {
			fmt.Fprint(w, in.say(measuredForced, in.number(s.Danger, 2), in.number(s.Other, 2), in.number(g.Wanted, 1)))
		}
	}
}

// writeGoals writes the goals, each with what was measured and what limits it.
func writeGoals(w io.Writer, in tongue, p *measure.Protocol) {
	for _, g := range p.Goals {
		group := ""
		if g.Group != "" {
			group = " (" + in.say(groupNames[g.Group]) + ")"
		}
		came := in.say(goalMeasured, in.number(g.Measured, decimals(g.Figure)), in.say(reached[g.Reached]))
		if g.Nobody {
			came = in.say(unmeasured[g.Figure == measure.SeenInTime])
		}
		fmt.Fprint(w, in.say(goalSentences[g.Figure], in.number(g.Wanted, 1), group, came))
		if limit := limiting(in, p, &g); limit != "" {
			fmt.Fprint(w, in.say(limitSentence, limit))
		}
	}
}

// The words of what limits a figure.
var (
	limitSentence = protocols.Text{FR: "    ce qui limite : %s\n", EN: "    what limits it: %s\n"}
	limitedEvents = protocols.Text{FR: "%s %% %s (vus à temps : %s %%)", EN: "%s %% %s (seen in time: %s %%)"}
	limitedDays   = protocols.Text{FR: "%s : mesure sur %s %% des jours", EN: "%s: measured on %s %% of the days"}
)

// limiting says what stands between a goal and what was measured: of what is seen, how the
// events come and what is measured; of alerts, the rules that add most.
func limiting(in tongue, p *measure.Protocol, g *measure.Goal) string {
	var parts []string
	if g.Figure != measure.SeenInTime {
		for _, part := range g.Mostly {
			parts = append(parts, part.Rule+" "+in.number(part.Rate, 2))
		}
		return strings.Join(parts, ", ")
	}
	for _, e := range p.Limits.Events {
		parts = append(parts, in.say(limitedEvents, in.number(e.Share, 0), in.say(groupNames[e.Group]), in.number(e.InTime, 0)))
	}
	for _, d := range p.Limits.Days {
		parts = append(parts, in.say(limitedDays, in.say(protocols.MeasureByID(d.Measure).Title), in.number(d.Share, 0)))
	}
	return strings.Join(parts, " ; ")
}

// announced says how the detector fares where the illness leaves time and signs.
func announced(in tongue, k *replay.Caught) string {
	for i := range k.Groups {
		if g := &k.Groups[i]; g.Group == simulation.Announced {
			return fmt.Sprintf(" (%s : %s)", in.say(groupNames[g.Group]), likely(in, g.InTimeShare, g.InTimeLikely))
		}
	}
	return ""
}

// row writes a score, one line per kind of event and per group of it.
func row(w io.Writer, in tongue, m *measure.Found, name string, s *replay.Score) {
	right := "–"
	if s.Alerts > 0 {
		right = likely(in, s.Precision, s.PrecisionBy)
	}
	totals := fmt.Sprintf("%d\t%d\t%s\t%s", s.Alerts, s.False, in.number(s.FalseRate, 2), right)
	if len(s.Kinds) == 0 {
		fmt.Fprintf(w, "  %s\t–\t\t\t\t\t\t\t%s\n", name, totals)
		return
	}
	for i := range s.Kinds {
		k := &s.Kinds[i]
		if i > 0 {
			name, totals = "", "\t\t\t"
		}
		event := in.say(eventNames[k.Kind])
		if event == "" {
			event = k.Kind
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", name, event, caughtCells(in, k), totals)
		for g := range k.Groups {
			fmt.Fprintf(w, "  \t  %s\t%s\t\t\t\t\n", groupName(m, in, k.Kind, k.Groups[g].Group), caughtCells(in, &k.Groups[g]))
		}
	}
}

// groupName says a phenotype, or another group of events.
func groupName(m *measure.Found, in tongue, kind, group string) string {
	if phenotype, known := m.Phenotypes[kind][group]; known {
		return in.say(phenotype.Title)
	}
	if name, known := groupNames[group]; known {
		return in.say(name)
	}
	return group
}

// caughtCells are the cells of what was caught.
func caughtCells(in tongue, k *replay.Caught) string {
	warning, lucky := "–", "–"
	if k.Chance > 0 {
		lucky = in.number(k.ChanceWarning, 1)
	}
	if k.Caught > 0 {
		warning = fmt.Sprintf("%s (%s–%s)", in.number(k.Warning, 1), in.number(k.WarningLikely.Low, 1), in.number(k.WarningLikely.High, 1))
	}
	return fmt.Sprintf("%d/%d = %s\t%s %%\t%s\t%s %%\t%s\t%s", k.Caught, k.Events, likely(in, k.Sensitivity, k.Likely), in.number(k.Chance, 0),
		likely(in, k.InTimeShare, k.InTimeLikely), in.number(k.ChanceInTime, 0), warning, lucky)
}

// likely says a share with its interval.
func likely(in tongue, share float64, i replay.Interval) string {
	return fmt.Sprintf("%s %% (%s–%s)", in.number(share, 0), in.number(i.Low, 0), in.number(i.High, 0))
}

// goalSentences say a goal, what was measured, and whether it is reached.
var goalSentences = map[measure.Figure]protocols.Text{
	measure.SeenInTime:  {FR: "  but : au moins %s %% vus à temps%s ; %s\n", EN: "  goal: at least %s %% seen in time%s; %s\n"},
	measure.FalseAlerts: {FR: "  but : au plus %s fausse alerte clinique pour 100 jours-patient%s ; %s\n", EN: "  goal: at most %s false clinical alert per 100 patient-days%s; %s\n"},
	measure.AllAlerts:   {FR: "  but : au plus %s alertes de toute sorte pour 100 jours-patient%s ; %s\n", EN: "  goal: at most %s alerts of any kind per 100 patient-days%s; %s\n"},
	measure.StableLoad:  {FR: "  but : au plus %s alerte clinique pour 100 jours de patients stables%s ; %s\n", EN: "  goal: at most %s clinical alert per 100 days of stable patients%s; %s\n"},
}

// decimals are those of what was measured: a rate is held against a small number.
func decimals(figure measure.Figure) int {
	if figure == measure.SeenInTime {
		return 1
	}
	return 2
}

// goalMeasured is what was measured, and unmeasured what stands there where nothing was: no
// event, or no patient.
var (
	goalMeasured = protocols.Text{FR: "mesuré : %s, %s", EN: "measured: %s, %s"}
	unmeasured   = map[bool]protocols.Text{true: {FR: "aucun événement à mesurer", EN: "no event to measure"}, false: {FR: "personne à mesurer", EN: "nobody to measure"}}
)

var reached = map[bool]protocols.Text{true: {FR: "atteint", EN: "reached"}, false: {FR: "pas atteint", EN: "not reached"}}
