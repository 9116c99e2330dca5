// Package words says things in French and English: a protocol as a sheet (Show),
// what changes between two (Diff), one condition (Condition), how a comparison came
// out (Comparison, Absence), why an alert rang (Summary), and where a rule stands
// (Account).
package words

import (
	"fmt"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
)

// Sheet is a protocol, or what changes in one, as a clinician reads it: plain
// sentences under headings, to show, print and sign.
type Sheet struct {
	Title string
	Lead  []string
	Parts []SheetPart
}

// SheetPart is one heading and what stands under it.
type SheetPart struct {
	Heading string
	Lines   []string
	Items   []SheetItem
}

// SheetItem is one thing with a name of its own: a rule, a setting.
type SheetItem struct {
	Title string
	Lines []string
}

// Show writes p as a clinician reads it, in "fr" or "en", with the settings of
// one patient in place; without settings, the defaults are shown.
func Show(p *protocols.Protocol, settings protocols.Settings, language string) *Sheet {
	w := &narrator{protocol: p, settings: settings, language: language}
	return &Sheet{Title: p.Title.In(language), Lead: w.lead(), Parts: w.parts()}
}

// narrator puts a protocol into sentences.
type narrator struct {
	protocol *protocols.Protocol
	settings protocols.Settings
	language string
	named    bool // says which setting a number is
}

// say returns the phrase in the language, with its gaps (%s) filled.
func (w *narrator) say(fr, en string, gaps ...any) string {
	phrase := protocols.Text{FR: fr, EN: en}.In(w.language)
	if len(gaps) == 0 {
		return phrase
	}
	return fmt.Sprintf(phrase, gaps...)
}

func (w *narrator) lead() []string {
	p := w.protocol
	status := w.say("Exemple : aucun professionnel ne l'a encore validé.", "An example: no professional has validated it yet.")
	if p.Status == "validated" {
		status = w.say("Validé par %s le %s.", "Validated by %s on %s.", p.ValidatedBy, w.date(p.ValidatedOn))
	}
	return []string{
		w.say("%s (CIM-10 %s). Protocole %s, version %s.", "%s (ICD-10 %s). Protocol %s, version %s.", p.Pathology.Title.In(w.language), p.Pathology.ICD10, p.ID, p.Version),
		status,
		p.Origin,
	}
}

func (w *narrator) parts() []SheetPart {
	parts := []SheetPart{w.whom(), w.observed()}
	if len(w.protocol.Parameters) > 0 {
		parts = append(parts, w.adjustable())
	}
	return append(parts, w.rules(), w.answers(), w.told())
}

func (w *narrator) whom() SheetPart {
	e := &w.protocol.Eligibility
	part := SheetPart{Heading: w.say("Pour qui", "For whom"), Lines: []string{e.Patient.In(w.language)}}
	if e.MinAge > 0 {
		part.Lines = append(part.Lines, w.say("À partir de %s ans.", "From the age of %s.", fmt.Sprint(e.MinAge)))
	}
	if e.MaxAge > 0 {
		part.Lines = append(part.Lines, w.say("Jusqu'à %s ans.", "Up to the age of %s.", fmt.Sprint(e.MaxAge)))
	}
	return withLine(part, w.say("Appareils admis : %s.", "Devices admitted: %s.", w.devices()))
}

func withLine(part SheetPart, line string) SheetPart {
	part.Lines = append(part.Lines, line)
	return part
}

func (w *narrator) devices() string {
	var names []string
	for _, d := range w.protocol.Eligibility.Devices {
		name := w.device(d.Kind)
		if d.Brand != "" || d.Model != "" {
			name += " (" + strings.TrimSpace(d.Brand+" "+d.Model) + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// deviceNames are kinds of device that a protocol calls otherwise than the list of kinds
// does. A kind of neither is shown as it is written.
var deviceNames = map[string]protocols.Text{
	"scale":                  {FR: "balance", EN: "scale"},
	"blood-pressure-monitor": {FR: "tensiomètre", EN: "blood pressure monitor"},
	"oximeter":               {FR: "oxymètre", EN: "oximeter"},
	"glucometer":             {FR: "lecteur de glycémie", EN: "glucose meter"},
	"cgm":                    {FR: "capteur de glucose", EN: "glucose sensor"},
	"thermometer":            {FR: "thermomètre", EN: "thermometer"},
	"ventilator":             {FR: "ventilateur", EN: "ventilator"},
	"oxygen-concentrator":    {FR: "concentrateur d'oxygène", EN: "oxygen concentrator"},
	"spirometer":             {FR: "spiromètre", EN: "spirometer"},
	"pill-dispenser":         {FR: "pilulier", EN: "pill dispenser"},
	"dialysis-machine":       {FR: "générateur de dialyse", EN: "dialysis machine"},
	"implant-monitor":        {FR: "boîtier de l'implant", EN: "implant monitor"},
	"symptom-app":            {FR: "questionnaire de symptômes", EN: "symptom questionnaire"},
}

func (w *narrator) device(kind string) string {
	if name, known := deviceNames[kind]; known {
		return name.In(w.language)
	}
	if k := protocols.KindByID(kind); k != nil {
		return k.Title.In(w.language)
	}
	return kind
}

func (w *narrator) observed() SheetPart {
	part := SheetPart{Heading: w.say("Ce qui est mesuré", "What is measured")}
	for i := range w.protocol.Observations {
		part.Lines = append(part.Lines, w.observation(&w.protocol.Observations[i]))
	}
	return part
}

func (w *narrator) observation(o *protocols.Observation) string {
	line := capital(w.measure(o.Measure, o.Variant))
	if o.Mandatory {
		line += w.say(" (obligatoire)", " (mandatory)")
	}
	if rhythm := w.cadence(o.Cadence); rhythm != "" {
		line += w.say(" : ", ": ") + rhythm
	}
	if len(o.IgnoreFlags) > 0 {
		line += w.say(" ; mesures écartées des règles si l'appareil signale : %s", "; readings kept out of the rules when the device reports: %s", strings.Join(w.flags(o.IgnoreFlags), ", "))
	}
	if g := o.Plausible; g != nil {
		unit := o.Measure.Components[0].Unit
		line += w.say(" ; mise en doute à plus de %s de la médiane de %s et à plus de %s de la mesure d'avant : elle ne compte qu'une fois confirmée par une autre", "; doubted when farther than %s from the median of %s and farther than %s from the reading before: it counts once another agrees", w.operand(g.Within, unit), w.days(g.Days), w.operand(g.Agree, unit))
		if p := w.protocol.Parameter(g.Seed.Parameter); p != nil {
			line += w.say(" (« %s » compte comme une pesée du jour où il est réglé, et ce qui précède est oublié)", " (“%s” counts as a weighing of the day on which it is set, and what came before is forgotten)", p.Title.In(w.language))
		}
	}
	for _, s := range o.Silent {
		name := w.silent(o.Measure, s.Name)
		if capital(name) == line { // its only number, which has just been named
			line += w.say(" : affiché, ne sonne pas (%s)", ": shown, never rings (%s)", s.Reason.In(w.language))
			continue
		}
		line += w.say(" ; %s : affiché, ne sonne pas (%s)", "; %s: shown, never rings (%s)", name, s.Reason.In(w.language))
	}
	return line + "."
}

// silent is a component that never rings, or a line of danger beyond which nothing does:
// "pouls à 40/min ou moins".
func (w *narrator) silent(m *protocols.Measure, name string) string {
	if i := m.Component(name); i >= 0 {
		return m.Components[i].Title.In(w.language)
	}
	for _, l := range danger.Lines() {
		if i := max(0, m.Component(l.Component)); l.Name == name {
			return w.component(m, i, uint8(m.Variant(l.Variant))) + " " + w.bound(l.Operator, w.quantity(l.Value, m.Components[i].Unit))
		}
	}
	return name
}

// flagNames are the usual flags of devices as a person says them. A flag that is
// not here is shown as it is written.
var flagNames = map[string]protocols.Text{
	"motion":           {FR: "mouvement", EN: "motion"},
	"unstable":         {FR: "pesée instable", EN: "unstable weighing"},
	"poor-contact":     {FR: "mauvais contact", EN: "poor contact"},
	"low-perfusion":    {FR: "doigt froid", EN: "low perfusion"},
	"cuff-fit":         {FR: "brassard mal mis", EN: "cuff badly fitted"},
	"irregular-pulse":  {FR: "pouls irrégulier", EN: "irregular pulse"},
	"calibration":      {FR: "étalonnage", EN: "calibration"},
	"sensor-error":     {FR: "défaut du capteur", EN: "sensor error"},
	"control-solution": {FR: "solution de contrôle", EN: "control solution"},
	"poor-effort":      {FR: "souffle insuffisant", EN: "poor effort"},
}

func (w *narrator) flags(codes []string) []string {
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = code
		if name, known := flagNames[code]; known {
			names[i] = name.In(w.language)
		}
	}
	return names
}

func (w *narrator) adjustable() SheetPart {
	part := SheetPart{Heading: w.say("Réglages possibles par patient", "What may be set per patient")}
	for i := range w.protocol.Parameters {
		part.Items = append(part.Items, w.parameter(&w.protocol.Parameters[i]))
	}
	return part
}

func (w *narrator) parameter(p *protocols.Parameter) SheetItem {
	value, use := p.Default, UsageOf(w.protocol, p)
	s, set := w.settings[p.Name]
	if set {
		value = s.Value
	}
	shown := w.quantity(value, use.Unit)
	if use.Seeds && !set {
		shown = w.say("non réglé", "not set")
	}
	item := SheetItem{Title: capital(p.Title.In(w.language)) + w.say(" : ", ": ") + shown}
	if use.Seeds {
		item.Lines = append(item.Lines, w.say("Tient lieu de l'habituel depuis le jour où il est réglé, tant qu'il manque des jours depuis.", "Stands for the usual from the day on which it is set, while days since then are lacking."))
	}
	switch {
	case set && s.Date.IsZero():
		item.Lines = append(item.Lines, w.say("Valeur proposée ; elle n'est encore réglée pour aucun patient.", "A proposed value; it is set for no patient yet."))
	case set:
		item.Lines = append(item.Lines, w.say("Réglé par %s le %s : %s", "Set by %s on %s: %s", s.Author, w.day(s.Date), s.Reason))
	}
	between := w.say("De %s à %s", "From %s to %s", w.number(p.Min), w.quantity(p.Max, use.Unit))
	switch {
	case p.MustBeSet:
		between = w.say("À régler pour chaque patient, de %s à %s : personne n'est suivi sans", "To be set for each patient, from %s to %s: nobody is followed without", w.number(p.Min), w.quantity(p.Max, use.Unit))
	case !use.Seeds:
		between += w.say(" ; %s par défaut", "; %s by default", w.quantity(p.Default, use.Unit))
	}
	item.Lines = append(item.Lines, between+".", w.origin(p.Origin))
	return item
}

// Usage is what a setting does in the rules of a protocol.
type Usage struct {
	Unit  string // UCUM, in which it is told: points for a difference of two percentages
	Seeds bool   // it stands for the usual value; unset, it does nothing
}

// UsageOf looks for what the rules of p do with a setting.
func UsageOf(p *protocols.Protocol, setting *protocols.Parameter) Usage {
	u := Usage{Unit: setting.Unit}
	for i := range p.Rules {
		for _, l := range p.Rules[i].Levels {
			l.When.Comparisons(func(c *protocols.Comparison) {
				if c.Threshold.Parameter == setting.Name && differenceUnit(c) == protocols.Points {
					u.Unit = protocols.Points
				}
				u.Seeds = u.Seeds || c.Minus != nil && c.Minus.Seed.Parameter == setting.Name
			})
		}
	}
	return u
}

func (w *narrator) origin(text string) string {
	return w.say("Origine : %s.", "Origin: %s.", strings.TrimSuffix(text, "."))
}

func (w *narrator) rules() SheetPart {
	part := SheetPart{Heading: w.say("Règles", "Rules")}
	for i := range w.protocol.Rules {
		part.Items = append(part.Items, w.rule(&w.protocol.Rules[i]))
	}
	return part
}

// title is that of a rule, with the settings at hand in its places.
func (w *narrator) title(rule *protocols.Rule) string {
	return w.protocol.TitleOf(rule, w.settings).In(w.language)
}

func (w *narrator) rule(rule *protocols.Rule) SheetItem {
	item := SheetItem{Title: w.title(rule)}
	item.Lines = append(item.Lines, w.conditions(rule)...)
	item.Lines = append(item.Lines, w.waits(rule.HeldBy, w.say("N'alerte pas tant que %s en cours", "Does not alert while %s"))...)
	item.Lines = append(item.Lines, w.waits(rule.YieldsTo, w.say("N'alerte pas tant que %s en cours à un niveau au moins aussi grave", "Does not alert while %s at a level at least as grave"))...)
	if rule.Advice != (protocols.Text{}) {
		item.Lines = append(item.Lines, w.say("Que faire : %s", "What to do: %s", rule.Advice.In(w.language)))
	}
	item.Lines = append(item.Lines, w.spoken(rule)...)
	return SheetItem{Title: item.Title, Lines: append(item.Lines, w.origin(rule.Origin))}
}

// waits says for which other rules one keeps quiet.
func (w *narrator) waits(ids []string, phrase string) []string {
	var titles []string
	for _, id := range ids {
		if holder := w.protocol.Rule(id); holder != nil {
			titles = append(titles, w.say("« %s »", "“%s”", w.title(holder)))
		}
	}
	switch len(titles) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf(phrase, titles[0]+w.say(" est", " goes on")) + "."}
	}
	return []string{fmt.Sprintf(phrase, w.say("l'une de ces règles est", "one of these rules goes on")) + w.say(" : ", ": ") + strings.Join(titles, ", ") + "."}
}

// spoken are the author's sentences, and what is to be looked at at one level only.
func (w *narrator) spoken(rule *protocols.Rule) []string {
	var lines []string
	if rule.Sentence != (protocols.Text{}) {
		lines = append(lines, w.say("L'alerte dit : « %s »", "The alert says: “%s”", w.placed(rule.Sentence)))
	}
	for i := range rule.Levels {
		l := &rule.Levels[i]
		if l.Sentence != (protocols.Text{}) {
			lines = append(lines, capital(w.levelName(l.Level))+w.say(", l'alerte dit : « %s »", ", the alert says: “%s”", w.placed(l.Sentence)))
		}
		l.When.Spoken(func(part *protocols.Condition) {
			lines = append(lines, capital(w.levelName(l.Level))+w.say(", si %s, l'alerte dit : « %s »", ", when %s, the alert says: “%s”", w.condition(part, true), w.placed(part.Sentence)))
		})
		if l.Advice != (protocols.Text{}) {
			lines = append(lines, capital(w.levelName(l.Level))+w.say(", que faire : %s", ", what to do: %s", l.Advice.In(w.language)))
		}
	}
	for i := range rule.Remarks {
		lines = append(lines, w.say("L'alerte ajoute « %s » si : %s.", "The alert adds “%s” when: %s.", w.placed(rule.Remarks[i].Says), w.condition(&rule.Remarks[i].When, true)))
	}
	return lines
}

// conditions are the sentences that say when a rule alerts.
func (w *narrator) conditions(rule *protocols.Rule) []string {
	var lines []string
	for i := range rule.Levels {
		lines = append(lines, w.level(&rule.Levels[i])...)
	}
	if rule.Absence != nil {
		lines = append(lines, w.absence(rule.Absence)...)
	}
	return lines
}

// level says when a level alerts: in one line, or as a list under it.
func (w *narrator) level(l *protocols.RuleLevel) []string {
	lines := w.tree(&l.When)
	if w.named { // a difference is told line by line
		lines = []string{w.condition(&l.When, true)}
	}
	lines[0] = capital(w.levelName(l.Level)) + w.say(" : ", ": ") + lines[0]
	again := w.confirmed(l)
	switch {
	case len(lines) == 1 && again != "":
		lines[0] += w.say(" ; ", "; ") + again
	case again != "":
		return append(lines, "\t"+w.say("et ", "and ")+again+".")
	}
	if len(lines) == 1 {
		lines[0] += "."
	}
	return lines
}

// confirmed says which second reading is asked for; empty for none.
func (w *narrator) confirmed(l *protocols.RuleLevel) string {
	if l.Confirm == 0 {
		return ""
	}
	apart := ""
	if l.ConfirmApart > 0 {
		apart = w.say(", %s au moins après la première", ", at least %s after the first", w.length(l.ConfirmApart))
	}
	return w.say("une deuxième mesure est demandée dans les %s%s, et l'alerte part si elle confirme ou ne vient pas", "a second reading is asked for within %s%s, and the alert is raised if it confirms or does not come", w.length(l.Confirm), apart)
}

func (w *narrator) levelName(l protocols.Level) string {
	switch l {
	case protocols.Red:
		return w.say("à traiter en priorité", "to be dealt with first (red)")
	case protocols.Orange:
		return w.say("à traiter", "to be dealt with (orange)")
	case protocols.Yellow:
		return w.say("à surveiller", "to be watched (yellow)")
	}
	return w.say("technique", "technical")
}

func (w *narrator) answers() SheetPart {
	part := SheetPart{Heading: w.say("Délais de réponse", "Answer delays")}
	for _, l := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical} {
		if delay := w.protocol.Answer[l]; delay > 0 {
			part.Lines = append(part.Lines, capital(w.say("%s : dans les %s d'ouverture de l'équipe.", "%s: within %s of the team's opening hours.", w.levelName(l), w.length(delay))))
		}
	}
	for _, l := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical} {
		if rest := w.protocol.Rest[l]; rest > 0 {
			part.Lines = append(part.Lines, capital(w.say("%s : une alerte close qui dure revient après %s.", "%s: a resolved alert that holds on comes back after %s.", w.levelName(l), w.length(rest))))
		}
		if again := w.protocol.FollowUp[l]; again > 0 {
			part.Lines = append(part.Lines, capital(w.say("%s : qui l'a prise en charge est relancé après %s.", "%s: whoever took it on is asked again after %s.", w.levelName(l), w.length(again))))
		}
	}
	return withLine(part, w.say("Une alerte trouvée plus de %s après la mesure est montrée, sans sonner.", "An alert found more than %s after the reading is shown without ringing.", w.length(w.protocol.TooLate)))
}

func (w *narrator) told() SheetPart {
	return SheetPart{Heading: w.say("Ce que le patient lit", "What the patient reads"), Lines: []string{w.protocol.Patient.In(w.language)}}
}

func (w *narrator) date(text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return w.day(t)
}

func (w *narrator) day(t time.Time) string {
	if w.language == "en" {
		return t.Format("2 January 2006")
	}
	return t.Format("02/01/2006")
}
