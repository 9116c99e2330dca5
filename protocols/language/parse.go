// Package language reads the files of a protocol and of its tests, and reviews
// them: Parse, Check, CheckSettings, ParseTimelines, and the schemas for editors.
// It knows what can be written, and nothing of how it is evaluated.
package language

import (
	"math"
	"regexp"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/document"
)

// Parse reads a care protocol from a document. It returns every problem it
// finds, each with its line and column, and no protocol when one of them is an
// error. What it returns can be evaluated: every name in it is known, every
// number is in the canonical unit of what it is compared with.
//
// README.md in this folder teaches the language.
func Parse(doc *document.Node) (*protocols.Protocol, []document.Problem) {
	p, problems := Read(doc)
	for i := range problems {
		if problems[i].Severity == document.Error {
			return nil, problems
		}
	}
	return p, problems
}

// Read is Parse, which also returns what could be read in spite of errors.
func Read(doc *document.Node) (*protocols.Protocol, []document.Problem) {
	r := &protocolReader{protocol: &protocols.Protocol{}}
	r.read(document.Place{Node: doc})
	return r.protocol, r.Problems
}

// reader reads the words of the vocabulary.
type reader struct{ document.Reader }

// protocolReader reads one protocol. Parameters and observations are read
// before the rules, which refer to them.
type protocolReader struct {
	reader
	protocol *protocols.Protocol
	unread   []string // parameters that are written, and cannot be read
}

var (
	icd10 = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9A-Z]{1,4})?(-[A-Z][0-9]{2})?$`)
)

func (r *protocolReader) read(at document.Place) {
	if !r.Open(at, protocolForm) && (at.Node == nil || at.Node.Kind != document.Mapping) {
		return
	}
	p := r.protocol
	p.ID = r.Name(at.Key("id"))
	p.Version = r.Word(at.Key("version"))
	p.Title = r.Text(at.Key("title"))
	p.Origin = r.Word(at.Key("origin"))
	p.Patient = r.Text(at.Key("patient"))
	p.TooLate = r.Duration(at.Key("too_late"))
	r.status(at)
	r.pathology(at.Key("pathology"))
	r.eligibility(at.Key("eligibility"))
	r.parameters(at.Key("parameters"))
	r.observations(at.Key("observations"))
	r.rules(at.Key("rules"))
	r.doubtsHeard(at)
	p.Answer = r.delays(at.Key("answer"), answerForm)
	p.Rest, p.FollowUp = r.delays(at.Key("rest"), restForm), r.delays(at.Key("follow_up"), followUpForm)
}

// status reads who has validated the protocol: nobody for an example, a name
// and a date otherwise.
func (r *protocolReader) status(at document.Place) {
	p := r.protocol
	p.Status = r.OneOf(at.Key("status"), statuses)
	p.ValidatedBy = r.Word(at.Key("validated_by"))
	p.ValidatedOn = r.Day(at.Key("validated_on"))
	named := p.ValidatedBy != "" && p.ValidatedOn != ""
	if p.Status == "validated" && !named {
		r.Fault(at.Key("status"), "not-validated", protocols.Say("un protocole validé dit par qui et quand", "a validated protocol says by whom and when"), protocols.Say("ajouter validated_by et validated_on", "add validated_by and validated_on"))
	}
	if p.Status == "example" && (p.ValidatedBy != "" || p.ValidatedOn != "") {
		r.Fault(at.Key("status"), "not-validated", protocols.Say("un exemple n'a été validé par personne", "an example has not been validated by anyone"), protocols.Say("écrire status: validated, ou enlever validated_by et validated_on", "write status: validated, or remove validated_by and validated_on"))
	}
}

func (r *protocolReader) pathology(at document.Place) {
	if !at.Present() || !r.Open(at, pathologyForm) {
		return
	}
	code := r.Word(at.Key("icd10"))
	if code != "" && !icd10.MatchString(code) {
		r.Fault(at.Key("icd10"), "bad-icd10", protocols.Say("« %s » n'est pas un code de la CIM-10", "%q is not an ICD-10 code", code), protocols.Say("écrire I50, I50.1 ou un intervalle E10-E14", "write I50, I50.1 or a range E10-E14"))
	}
	r.protocol.Pathology = protocols.Pathology{ICD10: code, Title: r.Text(at.Key("title"))}
}

func (r *protocolReader) eligibility(at document.Place) {
	if !at.Present() || !r.Open(at, eligibilityForm) {
		return
	}
	e := &r.protocol.Eligibility
	e.Patient = r.Text(at.Key("patient"))
	e.MinAge = r.Whole(at.Key("min_age"), 0, 120, 0)
	e.MaxAge = r.Whole(at.Key("max_age"), e.MinAge, 120, 0)
	for _, item := range r.Items(at.Key("devices")) {
		if r.Open(item, deviceForm) {
			e.Devices = append(e.Devices, protocols.DeviceClass{
				Kind: r.Name(item.Key("kind")), Brand: r.Word(item.Key("brand")), Model: r.Word(item.Key("model")),
			})
		}
	}
	if len(e.Devices) == 0 {
		r.Fault(at.Key("devices"), "no-device", protocols.Say("aucun appareil n'est admis : rien ne pourrait être mesuré", "no device is admitted: nothing could ever be measured"), protocols.Say("en ajouter au moins un : - {kind: scale}", "add at least one: - {kind: scale}"))
	}
}

func (r *protocolReader) observations(at document.Place) {
	for _, item := range r.Items(at) {
		if !r.Open(item, observationForm) {
			continue
		}
		o := protocols.Observation{
			Measure:     r.measure(item.Key("measure")),
			Mandatory:   r.Yes(item.Key("mandatory")),
			IgnoreFlags: r.Words(item.Key("ignore_flags")),
		}
		if o.Measure == nil {
			continue
		}
		o.Cadence = r.cadence(item.Key("cadence"), o.Measure)
		o.Variant = r.variant(item.Key("variant"), o.Measure)
		o.Plausible = r.plausible(item.Key("plausible"), o.Measure)
		o.Silent = r.silent(item.Key("silent"), o.Measure)
		if r.protocol.Observation(o.Measure, o.Variant) != nil {
			r.Fault(item, "twice", protocols.Say("« %s » est observée deux fois", "%s is observed twice", o.Measure.ID), protocols.Say("garder l'une des deux", "keep one of the two"))
			continue
		}
		r.protocol.Observations = append(r.protocol.Observations, o)
	}
}

// plausible reads which weights are doubted. Any other measure rings at once: a
// dangerous value may be true.
func (r *protocolReader) plausible(at document.Place, m *protocols.Measure) *protocols.Plausibility {
	if !at.Present() || !r.Open(at, plausibleForm) {
		return nil
	}
	if m.ID != "weight" {
		r.Fault(at, "not-together", protocols.Say("une mesure de « %s » n'est jamais mise en doute : une valeur dangereuse peut être vraie", "a reading of %s is never doubted: a dangerous value may be true", m.ID), protocols.Say("enlever plausible, ou demander une deuxième mesure avec confirm", "remove plausible, or ask for a second reading with confirm"))
		return nil
	}
	in := measuredIn{unit: m.Components[0].Unit, measure: m, difference: true}
	return &protocols.Plausibility{
		Within: r.operand(at.Key("within"), in), Agree: r.operand(at.Key("agree"), in),
		Days: r.Whole(at.Key("days"), 1, document.MaxDays, 1), AtLeast: r.Whole(at.Key("at_least"), 1, 1000, 1),
		Seed: r.seed(at.Key("seed"), measuredIn{unit: in.unit, measure: m}),
	}
}

// doubtsHeard notes weights that are doubted and of which nobody would hear.
func (r *protocolReader) doubtsHeard(at document.Place) {
	for i, item := range r.Items(at.Key("observations")) {
		if i >= len(r.protocol.Observations) || r.protocol.Observations[i].Plausible == nil {
			continue
		}
		heard := false
		for j := range r.protocol.Rules {
			r.protocol.Rules[j].Comparisons(func(c *protocols.Comparison) { heard = heard || c.Statistic.Row().Doubts })
		}
		if !heard {
			r.Fault(item.Key("plausible"), "unheard", protocols.Say("aucune règle ne dit qu'une mesure est mise en doute", "no rule says that a reading is doubted"), protocols.Say("ajouter une règle avec statistic: improbable", "add a rule with statistic: improbable"))
		}
	}
}

func (r *protocolReader) silent(at document.Place, m *protocols.Measure) []protocols.SilentComponent {
	var list []protocols.SilentComponent
	keys, reasons := r.Pairs(at)
	for i, key := range keys {
		if lineOf(m, key.Node.Text) != nil || r.Component(key, m) >= 0 {
			list = append(list, protocols.SilentComponent{Name: key.Node.Text, Reason: r.Text(reasons[i])})
		}
	}
	return list
}

// lineOf is a line of danger of a measure, by its name; nil for none.
func lineOf(m *protocols.Measure, name string) *danger.Line {
	for i, l := range danger.Lines() {
		if l.Danger && l.Measure == m.ID && l.Name == name {
			return &danger.Lines()[i]
		}
	}
	return nil
}

func (r *reader) measure(at document.Place) *protocols.Measure {
	id := r.Word(at)
	if id == "" {
		return nil
	}
	m := protocols.MeasureByID(id)
	if m == nil {
		r.Fault(at, "unknown-measure", protocols.Say("« %s » n'est pas une mesure connue", "%q is not a measure", id), measureMeant(id))
	}
	return m
}

// measureMeant names the nearest measure, or says where they are: they are too many to list.
func measureMeant(id string) protocols.Text {
	if near := document.Nearest(id, measureIDs()); near != (protocols.Text{}) {
		return near
	}
	return protocols.Say("`vigie measures` les montre ; la décrire sinon à côté du protocole, dans un fichier dont le nom finit par .measures.yaml", "`vigie measures` shows them; else describe it beside the protocol, in a file whose name ends with .measures.yaml")
}

func measureIDs() []string {
	ids := make([]string, len(protocols.Measures()))
	for i, m := range protocols.Measures() {
		ids[i] = m.ID
	}
	return ids
}

func (r *reader) variant(at document.Place, m *protocols.Measure) uint8 {
	name := r.Word(at)
	if name == "" {
		return 0
	}
	v := m.Variant(name)
	if v == 0 {
		hint := protocols.Say("enlever la clé : « %s » n'a pas de variantes", "remove the key: %s has no variants", m.ID)
		if len(m.Variants) > 0 {
			hint = document.Suggest(name, m.Variants)
		}
		r.Fault(at, "unknown-variant", protocols.Say("« %s » n'a pas de variante « %s »", "%s has no variant %q", m.ID, name), hint)
	}
	return uint8(v)
}

// cadence reads how often a measure is expected.
func (r *protocolReader) cadence(at document.Place, m *protocols.Measure) protocols.Cadence {
	if !at.Present() || !r.Open(at, cadenceForm) {
		return protocols.Cadence{}
	}
	c := protocols.Cadence{
		Times:  r.Whole(at.Key("times"), 1, 1000, 0),
		Per:    protocols.Period(r.OneOf(at.Key("per"), periodNames)),
		Before: r.Clock(at.Key("before")),
		Grace:  r.Duration(at.Key("grace")),
	}
	c.Every, c.EveryParameter = r.step(at.Key("every"))
	if (c.Times == 0) != (c.Per == "") {
		if at.Key("times").Present() && at.Key("per").Present() { // one of them cannot be read, and that is said
			return protocols.Cadence{}
		}
		r.Fault(at, "half-cadence", protocols.Say("times et per vont ensemble", "times and per go together"), protocols.Say("écrire {times: 1, per: day}", "write {times: 1, per: day}"))
		return protocols.Cadence{}
	}
	if c.Times == 0 && c.Every == 0 {
		r.Fault(at, "half-cadence", protocols.Say("ce rythme n'attend rien", "this cadence expects nothing"), protocols.Say("écrire {times: 1, per: day}, ou {every: 5m} pour un capteur continu", "write {times: 1, per: day}, or {every: 5m} for a continuous sensor"))
	}
	c.Of = r.sessionsOf(at, &c, m)
	return c
}

// sessionsOf finds the measure whose readings are the sessions of a cadence, and
// notes what does not go with sessions.
func (r *protocolReader) sessionsOf(at document.Place, c *protocols.Cadence, m *protocols.Measure) *protocols.Measure {
	of := at.Key("of")
	if c.Per != protocols.PerSession {
		if of.Present() {
			r.Fault(of, "not-together", protocols.Say("of va avec per: session", "of goes with per: session"), protocols.Say("l'enlever, ou écrire per: session", "remove it, or write per: session"))
		}
		return nil
	}
	if of.Present() {
		m = r.measure(of)
	}
	switch {
	case m == nil:
		return nil
	case !m.Sessions && of.Present():
		r.Fault(of, "no-session", protocols.Say("« %s » n'a pas de séances", "%s has no sessions", m.ID), document.OneAmong(sessionMeasureIDs()))
	case !m.Sessions:
		r.Fault(at, "no-session", protocols.Say("« %s » n'a pas de séances à elle", "%s has no sessions of its own", m.ID), protocols.Say("dire de quelles séances, avec of: et l'une de : %s", "say of which sessions, with of: and one of: %s", strings.Join(sessionMeasureIDs(), ", ")))
	}
	switch {
	case c.Before > 0:
		r.Fault(at.Key("before"), "not-together", protocols.Say("une séance n'a pas d'heure avant laquelle elle est attendue", "a session has no local time by which it is due"), protocols.Say("enlever before", "remove before"))
	case c.Grace == 0:
		r.Fault(at, "no-grace", protocols.Say("rien ne dit à quelle distance d'une séance ses mesures peuvent être prises", "nothing says how far from a session its readings may be measured"), protocols.Say("ajouter grace: 4h", "add grace: 4h"))
	case c.Grace > protocols.MaxSessionGrace:
		r.Fault(at.Key("grace"), "bounds", protocols.Say("ce qui est à plus d'un jour appartient à une autre séance", "what is more than a day away belongs to another session"), protocols.Say("24h au plus", "use at most 24h"))
	}
	return m
}

func sessionMeasureIDs() []string {
	var ids []string
	for _, m := range protocols.Measures() {
		if m.Sessions {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// step reads the usual step of a sensor: a length of time, or the name of a
// parameter in minutes.
func (r *protocolReader) step(at document.Place) (time.Duration, string) {
	name := r.Word(at)
	if !document.IsName(name) {
		return r.Duration(at), ""
	}
	r.operand(at, measuredIn{unit: "min"})
	p := r.protocol.Parameter(name)
	if p == nil {
		return 0, ""
	}
	if p.Min <= 0 {
		r.Fault(at, "bounds", protocols.Say("« %s » peut être réglé à zéro, et aucun capteur ne mesure sans cesse", "%s may be set to nothing, and no sensor reads all the time", name), protocols.Say("mettre son min au-dessus de 0", "raise its min above 0"))
	}
	return time.Duration(p.Default) * time.Minute / 1000, name
}

func (r *protocolReader) parameters(at document.Place) {
	keys, values := r.Pairs(at)
	for i, value := range values {
		if !document.IsName(keys[i].Node.Text) {
			r.Fault(keys[i], "bad-name", protocols.Say("« %s » n'est pas un nom", "%q is not a name", keys[i].Node.Text), protocols.Say("n'employer que des minuscules sans accent, des chiffres et des traits d'union", "use lower-case letters, digits and hyphens"))
			continue
		}
		if !r.Open(value, parameterForm) {
			r.unread = append(r.unread, keys[i].Node.Text)
			continue
		}
		p := protocols.Parameter{Name: keys[i].Node.Text, Title: r.Text(value.Key("title")), Unit: protocols.Canonical(r.Word(value.Key("unit"))), Origin: r.Word(value.Key("origin")), MustBeSet: r.Yes(value.Key("must_be_set"))}
		if p.Unit != "1" && !protocols.KnownUnit(parameterBaseUnit(p.Unit)) {
			r.Fault(value.Key("unit"), "unknown-unit", protocols.Say("aucune mesure n'a l'unité « %s »", "no measure has the unit %q", p.Unit), protocols.Text{})
			r.unread = append(r.unread, p.Name)
			continue
		}
		before := len(r.Problems)
		p.Default = r.Plain(value.Key("default"), p.Unit)
		p.Min = r.Plain(value.Key("min"), p.Unit)
		p.Max = r.Plain(value.Key("max"), p.Unit)
		switch readable := len(r.Problems) == before; {
		case !readable: // the bounds of a number that nobody can read are not its fault
		case p.Min > p.Max:
			r.Fault(value.Key("min"), "bounds", protocols.Say("min (%s) est au-dessus de max (%s)", "min %s is above max %s", p.Min, p.Max), protocols.Say("les échanger", "exchange them"))
		case p.Default < p.Min || p.Default > p.Max:
			r.Fault(value.Key("default"), "bounds", protocols.Say("la valeur par défaut (%s) n'est pas entre min (%s) et max (%s)", "the default %s is not between min %s and max %s", p.Default, p.Min, p.Max), protocols.Text{})
		}
		r.protocol.Parameters = append(r.protocol.Parameters, p)
	}
}

// parameterBaseUnit is the unit of the quantity whose slope has the unit
// "kg/d".
func parameterBaseUnit(unit string) string {
	return strings.TrimSuffix(unit, "/d")
}

// delays reads a duration for each level; nil when there are none.
func (r *protocolReader) delays(at document.Place, form *document.Form) map[protocols.Level]time.Duration {
	if !at.Present() || !r.Open(at, form) {
		return nil
	}
	delays := map[protocols.Level]time.Duration{}
	keys, values := r.Pairs(at)
	for i := range keys {
		if level, err := protocols.ParseLevel(keys[i].Node.Text); err == nil {
			delays[level] = r.Duration(values[i])
		}
	}
	return delays
}

// never is an operand that holds no number; it keeps a broken file from looking
// like one that compares with zero.
var never = protocols.Operand{Value: math.MaxInt64}
