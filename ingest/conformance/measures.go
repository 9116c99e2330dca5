package conformance

import (
	"slices"
	"strings"
	"time"

	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/written"
)

// The requirements of one measure. Each measure that the profile claims, or that comes, has
// all of them; the number of one is "M1/glucose".
const (
	ofUnits      = "M1"
	ofRange      = "M2"
	ofComponents = "M3"
	ofPairs      = "M4"
	ofSpecimen   = "M5"
	ofEnds       = "M6"
	ofFlags      = "M7"
	ofCadence    = "M8"
)

// Claim is what a device claims of one measure.
type Claim struct {
	Every time.Duration    `json:"every_ns,omitempty"` // it measures so often; zero for what the profile says of all
	Flags []string         `json:"flags,omitempty"`    // that it sets; empty for any that suits the measure
	Shows map[string]Scale `json:"shows,omitempty"`    // by component, in its canonical unit
}

// Scale is from where to where a device shows numbers.
type Scale struct {
	From protocols.Value `json:"from"`
	To   protocols.Value `json:"to"`
}

// suited are the measures that a flag can come with; a flag that is not here comes with any.
var suited = map[string][]string{
	"motion":           {"blood-pressure", "heart-rate", "oxygen-saturation", "respiratory-rate", "temperature", "weight", "glucose", "apnoea-index", "ventilation"},
	"poor-contact":     {"blood-pressure", "heart-rate", "oxygen-saturation", "respiratory-rate", "temperature", "weight", "glucose", "apnoea-index", "ventilation", "oxygen-therapy", "implant"},
	"unstable":         {"weight", "dialysis-session"},
	"low-perfusion":    {"oxygen-saturation", "heart-rate", "respiratory-rate"},
	"cuff-fit":         {"blood-pressure", "heart-rate"},
	"irregular-pulse":  {"blood-pressure", "heart-rate", "oxygen-saturation"},
	"control-solution": {"glucose", "ketones", "inr"},
	"calibration":      {"glucose", "ketones", "peak-flow", "fev1", "fvc", "oxygen-therapy", "ventilation"},
	"poor-effort":      {"peak-flow", "fev1", "fvc"},
}

// FlagsOf are the flags that a measure can carry; none where a person answers, or where
// something is counted.
func FlagsOf(m *protocols.Measure) (words []string) {
	if !instrument(m) {
		return nil
	}
	for _, f := range protocols.Flags() {
		if list, some := suited[f.Word]; !some || slices.Contains(list, m.ID) {
			words = append(words, f.Word)
		}
	}
	return words
}

// ended reports whether a component is a number of an instrument, whose scale has ends.
func ended(c *protocols.Component) bool {
	return len(c.Grades) == 0 && !c.Event && len(c.SumOf) == 0 && !c.Whole
}

// instrument reports whether an instrument shows the numbers of a measure.
func instrument(m *protocols.Measure) bool {
	return slices.ContainsFunc(m.Components, func(c protocols.Component) bool { return ended(&c) })
}

// measured makes room for the requirements of a measure.
func (b *Bench) measured(m *protocols.Measure) {
	first := slices.IndexFunc(plan, func(r Requirement) bool { return r.Part == Measures })
	if b.has(plan[first].Number + "/" + m.ID) {
		return
	}
	var rows []Result
	for i := range plan {
		if plan[i].Part == Measures {
			rows = append(rows, Result{Requirement: plan[i].Number + "/" + m.ID, Verdict: Inconclusive})
		}
	}
	at := slices.IndexFunc(b.results, func(r Result) bool { return plan[placeOf(r.Requirement)].Part == Behaviour })
	b.results = slices.Insert(b.results, at, rows...)
}

func (b *Bench) has(number string) bool {
	return slices.ContainsFunc(b.results, func(r Result) bool { return r.Requirement == number })
}

// blamed is the requirement that a reason shows not to be met: one of the measure where it
// concerns its numbers.
func (b *Bench) blamed(reason *protocols.Reason, m *protocols.Measure) string {
	if m == nil {
		return showing(reason.Code)
	}
	number, path := "", withoutPlace(reason.Path)
	switch reason.Code {
	case protocols.UnitMismatch:
		number = ofUnits
	case protocols.Implausible:
		if path != "battery" && path != "age" {
			number = ofRange
		}
	case protocols.MissingValue, protocols.UnknownField:
		if ofNumbers(path) {
			number = ofComponents
		}
	case protocols.Inconsistent:
		if slices.Contains(values.Contradictions(m.ID), reason.Message) {
			number = ofPairs
		}
	case protocols.Malformed:
		if path == "context.specimen" {
			number = ofSpecimen
		}
	case protocols.NotANumber:
		if isLimitWord(reason.Message) {
			number = ofEnds
		}
	}
	if number == "" {
		return showing(reason.Code)
	}
	b.measured(m)
	return number + "/" + m.ID
}

// withoutPlace is a path within its reading: "[3].unit" is "unit".
func withoutPlace(path string) string {
	if strings.HasPrefix(path, "[") {
		if _, inner, ok := strings.Cut(path, "]."); ok {
			return inner
		}
	}
	return path
}

// ofNumbers reports whether a path is that of one number, or of its unit.
func ofNumbers(path string) bool {
	for _, prefix := range []string{"values.", "unit.", "component[", "value"} {
		if strings.HasPrefix(path, prefix) && path != "values" {
			return true
		}
	}
	return false
}

func isLimitWord(message string) bool {
	return message == values.NotANumber(protocols.LessThan) || message == values.NotANumber(protocols.MoreThan)
}

// judgeMeasure holds a reading that was accepted against the requirements of its measure.
func (b *Bench) judgeMeasure(r *protocols.Reading) {
	b.measured(r.Measure)
	of := func(number string) string { return number + "/" + r.Measure.ID }
	b.pass(of(ofUnits))
	b.pass(of(ofRange))
	b.pass(of(ofComponents))
	if len(values.Contradictions(r.Measure.ID)) > 0 {
		b.pass(of(ofPairs))
	}
	b.judgeSpecimen(of(ofSpecimen), r)
	b.judgeEnds(of(ofEnds), r)
	b.judgeFlags(of(ofFlags), r)
}

func (b *Bench) judgeSpecimen(number string, r *protocols.Reading) {
	switch {
	case len(r.Measure.Variants) == 0:
	case r.Variant > 0:
		b.pass(number)
	case slices.ContainsFunc(protocols.Kinds(), func(k protocols.Kind) bool { return k.Specimen != "" && k.Takes(r.Measure) }):
		b.warn(number, say("la mesure ne le dit pas : la sorte d'appareil, au registre, devra le dire", "the reading does not say it: the kind of device, in the registry, will have to"), r.ID)
	default:
		b.fail(number, say("la mesure ne le dit pas, et rien d'autre ne le dira", "the reading does not say it, and nothing else will"), r.ID)
	}
}

// standing are the numbers by which glucose sensors say that they show none: 39 mg/dL for
// what is below 40, and 401 for what is above 400 (Nightscout's entries, see
// ingest/formats/nightscout).
var standing = []protocols.Value{39_000, 401_000}

// judgeEnds holds the numbers against the ends of what the device can show.
func (b *Bench) judgeEnds(number string, r *protocols.Reading) {
	claimed := b.profile.Claims[r.Measure.ID].Shows
	for i := range r.Measure.Components {
		if i >= len(r.Values) || r.Values[i] == protocols.Missing {
			continue
		}
		name := r.Measure.Components[i].Name
		shown, limit := r.Shown(i)
		scale, known := claimed[name]
		switch {
		case known && (limit == protocols.LessThan && shown != scale.From || limit == protocols.MoreThan && shown != scale.To):
			b.fail(number, both("la borne de %[1]s n'est pas le bout de l'échelle annoncée, %[2]s à %[3]s", "the bound of %[1]s is not the end of the scale that is claimed, %[2]s to %[3]s", name, scale.From, scale.To), r.ID)
		case limit != protocols.Measured:
			b.pass(number)
		case known && (shown < scale.From || shown > scale.To):
			b.fail(number, both("un nombre de %[1]s vient hors de l'échelle annoncée, %[2]s à %[3]s : un mot de l'appareil ?", "a number of %[1]s comes outside the scale that is claimed, %[2]s to %[3]s: does it stand for a word?", name, scale.From, scale.To), r.ID)
		case r.Measure.ID == "glucose" && r.Variant > 0 && r.Measure.Variants[r.Variant-1] == "interstitial" && slices.Contains(standing, shown):
			b.warn(number, both("%s mg/dL est souvent le code d'un capteur qui n'affiche plus de nombre", "%s mg/dL is often the code of a sensor that shows no number", shown), r.ID)
		}
	}
}

func (b *Bench) judgeFlags(number string, r *protocols.Reading) {
	suits, claimed := FlagsOf(r.Measure), b.profile.Claims[r.Measure.ID].Flags
	for _, word := range r.Flags {
		switch {
		case !slices.Contains(protocols.FlagWords(), word): // L15 says so
		case !slices.Contains(suits, word) && !instrument(r.Measure):
			b.warn(number, both("aucun drapeau ne va avec cette mesure : %s", "no flag goes with this measure: %s", word), r.ID)
		case !slices.Contains(suits, word):
			b.fail(number, both("le drapeau %s ne va pas avec cette mesure", "the flag %s does not go with this measure", word), r.ID)
		case len(claimed) > 0 && !slices.Contains(claimed, word):
			b.fail(number, both("le profil n'annonce pas le drapeau %s", "the profile does not claim the flag %s", word), r.ID)
		default:
			b.pass(number)
			b.flagged[r.Measure.ID+" "+word] = true
		}
	}
}

// concludeMeasure says why a requirement of a measure was not judged, or judges it by all
// that came.
func (b *Bench) concludeMeasure(r *Result) {
	number, id, _ := strings.Cut(r.Requirement, "/")
	m := protocols.MeasureByID(id)
	switch {
	case number == ofPairs && len(values.Contradictions(id)) == 0:
		r.Verdict, r.Reason = NotApplicable, say("rien ne peut s'y contredire", "nothing in it can contradict itself")
		return
	case number == ofSpecimen && len(m.Variants) == 0:
		r.Verdict, r.Reason = NotApplicable, say("il n'y en a qu'une sorte", "there is one kind of it")
		return
	case (number == ofEnds || number == ofFlags) && !instrument(m):
		r.Verdict, r.Reason = NotApplicable, say("ce n'est pas un instrument qui l'indique", "no instrument shows it")
		return
	case number == ofEnds && b.measures[id]:
		r.Reason = say("aucune valeur n'est venue d'au-delà de ce que l'appareil indique : provoquez-en une", "no value came from beyond what the device can show: provoke one")
		return
	case number == ofFlags && b.measures[id]:
		r.Reason = say("aucun drapeau n'est venu : provoquez-en un", "no flag came: provoke one")
		return
	case number == ofCadence:
		b.concludeCadence(r, id)
		return
	}
	r.Reason = say("rien n'en est venu qui puisse servir", "nothing of it has come that can be used")
}

// unflagged are the flags that were claimed and have not come.
func (b *Bench) unflagged(id string) (words []string) {
	for _, word := range b.profile.Claims[id].Flags {
		if !b.flagged[id+" "+word] {
			words = append(words, word)
		}
	}
	return words
}

// concludeFlags takes a pass back where flags that were claimed have not come.
func (b *Bench) concludeFlags(r *Result) {
	number, id, _ := strings.Cut(r.Requirement, "/")
	if missing := b.unflagged(id); number == ofFlags && r.Verdict == Pass && len(missing) > 0 {
		r.Verdict, r.Evidence = Inconclusive, missing
		r.Reason = say("des drapeaux annoncés ne sont pas venus", "flags that were claimed have not come")
	}
}

// of is the requirement in the words of one measure.
func (q Requirement) of(m *protocols.Measure) Requirement {
	asks := func(fr, en string) { q.Asks = say(m.Title.FR+" : "+fr, m.Title.EN+": "+en) }
	switch q.Number {
	case ofUnits:
		fr, en := units(m)
		asks("l'unité est "+fr+".", "the unit is "+en+".")
	case ofRange:
		asks("l'appareil indique "+ranges(m, "fr")+".", "the device reports "+ranges(m, "en")+".")
	case ofComponents:
		fr, en := componentsOf(m)
		asks(fr+" ; aucune autre.", en+"; nothing else.")
	case ofSpecimen:
		list := strings.Join(m.Variants, ", ")
		if list == "" {
			asks("il n'y en a qu'une sorte.", "there is one kind of it.")
			break
		}
		asks("context.specimen en dit la sorte ("+list+").", "context.specimen says of which kind it is ("+list+").")
	default:
		asks(lower(q.Asks.FR), lower(q.Asks.EN))
	}
	return q
}

// agree is the word that n things take.
func agree(language string, n int, one, several string) string {
	if written.Singular(language, n) {
		return one
	}
	return several
}

// lower begins a sentence in the middle of a line.
func lower(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// components are the names of those that a reading needs, and of those that it may have.
func components(m *protocols.Measure) (needed, may []string) {
	for i := range m.Components {
		if c := &m.Components[i]; c.Optional || c.Event || len(c.SumOf) > 0 {
			may = append(may, c.Name)
		} else {
			needed = append(needed, c.Name)
		}
	}
	return needed, may
}

// componentsOf says which components a reading needs, and which it may have.
func componentsOf(m *protocols.Measure) (fr, en string) {
	needed, may := components(m)
	optional := strings.Join(may, ", ")
	if len(needed) == 0 {
		return "au moins une de " + optional, "at least one of " + optional
	}
	required := strings.Join(needed, ", ")
	fr, en = required+" "+agree("fr", len(needed), "est là", "sont là"), required+" "+agree("en", len(needed), "is there", "are there")
	if len(may) > 0 {
		fr, en = fr+", peut-être "+optional, en+", perhaps "+optional
	}
	return fr, en
}

// units lists those of the main components.
func units(m *protocols.Measure) (fr, en string) {
	var all []string
	for i := range m.Components {
		if c := &m.Components[i]; c.Own || c.Event && len(all) > 0 {
			continue // an event beside numbers has no unit that anybody would give
		}
		for _, unit := range m.UnitsFor(i) {
			if !slices.Contains(all, unit) {
				all = append(all, unit)
			}
		}
	}
	return strings.Join(all, " ou "), strings.Join(all, " or ")
}

// ranges says what an instrument can report, by component.
func ranges(m *protocols.Measure, language string) string {
	var all []string
	to := map[string]string{"fr": "à", "en": "to"}[language]
	for i := range m.Components {
		c := &m.Components[i]
		low, high := c.Low.String(), c.High.String()
		if language == "fr" {
			low, high = c.Low.French(), c.High.French()
		}
		said := low + " " + to + " " + high
		if c.Unit != "1" && !strings.HasPrefix(c.Unit, "{") { // a count, or a grade
			said += " " + c.Unit
		}
		if len(m.Components) > 1 {
			said = c.Name + " " + said
		}
		all = append(all, said)
	}
	return strings.Join(all, ", ")
}
