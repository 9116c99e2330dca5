package protocols

import (
	"math"
	"regexp"
	"strings"
	"time"
)

// Parse reads a care protocol from a document. It returns every problem it
// finds, each with its line and column, and no protocol when one of them is an
// error. What it returns can be evaluated: every name in it is known, every
// number is in the canonical unit of what it is compared with.
//
// README.md in this folder teaches the language.
func Parse(doc *Node) (*Protocol, []Problem) {
	p, problems := parse(doc)
	for i := range problems {
		if problems[i].Severity == Error {
			return nil, problems
		}
	}
	return p, problems
}

// parse is Parse, which also returns what could be read in spite of errors.
func parse(doc *Node) (*Protocol, []Problem) {
	r := &protocolReader{protocol: &Protocol{}}
	r.read(place{node: doc})
	return r.protocol, r.problems
}

// protocolReader reads one protocol. Parameters and observations are read
// before the rules, which refer to them.
type protocolReader struct {
	reader
	protocol *Protocol
}

var (
	icd10 = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9A-Z]{1,4})?(-[A-Z][0-9]{2})?$`)
	date  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

func (r *protocolReader) read(at place) {
	if !r.open(at, protocolForm) && (at.node == nil || at.node.Kind != Mapping) {
		return
	}
	p := r.protocol
	p.ID = r.name(at.key("id"))
	p.Version = r.word(at.key("version"))
	p.Title = r.text(at.key("title"))
	p.Origin = r.word(at.key("origin"))
	p.Patient = r.text(at.key("patient"))
	p.TooLate = r.duration(at.key("too_late"))
	r.status(at)
	r.pathology(at.key("pathology"))
	r.eligibility(at.key("eligibility"))
	r.parameters(at.key("parameters"))
	r.observations(at.key("observations"))
	r.rules(at.key("rules"))
	r.answers(at.key("answer"))
}

// status reads who has validated the protocol: nobody for an example, a name
// and a date otherwise.
func (r *protocolReader) status(at place) {
	p := r.protocol
	p.Status = r.oneOf(at.key("status"), "status", statuses)
	p.ValidatedBy = r.word(at.key("validated_by"))
	p.ValidatedOn = r.day(at.key("validated_on"))
	named := p.ValidatedBy != "" && p.ValidatedOn != ""
	if p.Status == "validated" && !named {
		r.fault(at.key("status"), "not-validated", say("un protocole validé dit par qui et quand", "a validated protocol says by whom and when"), say("ajouter validated_by et validated_on", "add validated_by and validated_on"))
	}
	if p.Status == "example" && (p.ValidatedBy != "" || p.ValidatedOn != "") {
		r.fault(at.key("status"), "not-validated", say("un exemple n'a été validé par personne", "an example has not been validated by anyone"), say("écrire status: validated, ou enlever validated_by et validated_on", "write status: validated, or remove validated_by and validated_on"))
	}
}

func (r *reader) day(at place) string {
	text := r.word(at)
	if text == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		r.fault(at, "bad-date", say("« %s » n'est pas une date", "%q is not a date", text), say("l'écrire ainsi : 2026-01-31", "write it as 2026-01-31"))
		return ""
	}
	return text
}

func (r *protocolReader) pathology(at place) {
	if !at.present() || !r.open(at, pathologyForm) {
		return
	}
	code := r.word(at.key("icd10"))
	if code != "" && !icd10.MatchString(code) {
		r.fault(at.key("icd10"), "bad-icd10", say("« %s » n'est pas un code de la CIM-10", "%q is not an ICD-10 code", code), say("écrire I50, I50.1 ou un intervalle E10-E14", "write I50, I50.1 or a range E10-E14"))
	}
	r.protocol.Pathology = Pathology{ICD10: code, Title: r.text(at.key("title"))}
}

func (r *protocolReader) eligibility(at place) {
	if !at.present() || !r.open(at, eligibilityForm) {
		return
	}
	e := &r.protocol.Eligibility
	e.Patient = r.text(at.key("patient"))
	e.MinAge = r.whole(at.key("min_age"), 0, 120, 0)
	for _, item := range r.items(at.key("devices")) {
		if r.open(item, deviceForm) {
			e.Devices = append(e.Devices, DeviceClass{
				Kind: r.name(item.key("kind")), Brand: r.word(item.key("brand")), Model: r.word(item.key("model")),
			})
		}
	}
	if len(e.Devices) == 0 {
		r.fault(at.key("devices"), "no-device", say("aucun appareil n'est admis : rien ne pourrait être mesuré", "no device is admitted: nothing could ever be measured"), say("en ajouter au moins un : - {kind: scale}", "add at least one: - {kind: scale}"))
	}
}

func (r *protocolReader) observations(at place) {
	for _, item := range r.items(at) {
		if !r.open(item, observationForm) {
			continue
		}
		o := Observation{
			Measure:     r.measure(item.key("measure")),
			Mandatory:   r.yes(item.key("mandatory")),
			IgnoreFlags: r.words(item.key("ignore_flags")),
		}
		if o.Measure == nil {
			continue
		}
		o.Cadence = r.cadence(item.key("cadence"), o.Measure)
		o.Variant = r.variant(item.key("variant"), o.Measure)
		if r.protocol.observation(o.Measure, o.Variant) != nil {
			r.fault(item, "twice", say("« %s » est observée deux fois", "%s is observed twice", o.Measure.ID), say("garder l'une des deux", "keep one of the two"))
			continue
		}
		r.protocol.Observations = append(r.protocol.Observations, o)
	}
}

// observation returns how a measure is observed, or nil.
func (p *Protocol) observation(m *Measure, variant uint8) *Observation {
	for i := range p.Observations {
		if o := &p.Observations[i]; o.Measure == m && o.Variant == variant {
			return o
		}
	}
	return nil
}

// expects returns the observation that says how often a rule may expect a
// measure: the one of the variant, else the one that tells no variants apart.
func (p *Protocol) expects(m *Measure, variant uint8) *Observation {
	if o := p.observation(m, variant); o != nil {
		return o
	}
	return p.observation(m, 0)
}

func (r *reader) measure(at place) *Measure {
	id := r.word(at)
	if id == "" {
		return nil
	}
	m := MeasureByID(id)
	if m == nil {
		r.fault(at, "unknown-measure", say("« %s » n'est pas une mesure connue", "%q is not a measure", id), suggest(id, measureIDs()))
	}
	return m
}

func measureIDs() []string {
	ids := make([]string, len(measures))
	for i, m := range measures {
		ids[i] = m.ID
	}
	return ids
}

func (r *reader) variant(at place, m *Measure) uint8 {
	name := r.word(at)
	if name == "" {
		return 0
	}
	v := m.Variant(name)
	if v == 0 {
		hint := say("enlever la clé : « %s » n'a pas de variantes", "remove the key: %s has no variants", m.ID)
		if len(m.Variants) > 0 {
			hint = suggest(name, m.Variants)
		}
		r.fault(at, "unknown-variant", say("« %s » n'a pas de variante « %s »", "%s has no variant %q", m.ID, name), hint)
	}
	return uint8(v)
}

// cadence reads how often a measure is expected.
func (r *protocolReader) cadence(at place, m *Measure) Cadence {
	if !at.present() || !r.open(at, cadenceForm) {
		return Cadence{}
	}
	c := Cadence{
		Times:  r.whole(at.key("times"), 1, 1000, 0),
		Per:    Period(r.oneOf(at.key("per"), "period", periodWords)),
		Before: r.clock(at.key("before")),
		Grace:  r.duration(at.key("grace")),
	}
	c.Every, c.EveryParameter = r.step(at.key("every"))
	if (c.Times == 0) != (c.Per == "") {
		r.fault(at, "half-cadence", say("times et per vont ensemble", "times and per go together"), say("écrire {times: 1, per: day}", "write {times: 1, per: day}"))
		return Cadence{}
	}
	if c.Times == 0 && c.Every == 0 {
		r.fault(at, "half-cadence", say("ce rythme n'attend rien", "this cadence expects nothing"), say("écrire {times: 1, per: day}, ou {every: 5m} pour un capteur continu", "write {times: 1, per: day}, or {every: 5m} for a continuous sensor"))
	}
	c.Of = r.sessionsOf(at, &c, m)
	return c
}

// sessionsOf finds the measure whose readings are the sessions of a cadence, and
// notes what does not go with sessions.
func (r *protocolReader) sessionsOf(at place, c *Cadence, m *Measure) *Measure {
	of := at.key("of")
	if c.Per != PerSession {
		if of.present() {
			r.fault(of, "not-together", say("of va avec per: session", "of goes with per: session"), say("l'enlever, ou écrire per: session", "remove it, or write per: session"))
		}
		return nil
	}
	if of.present() {
		m = r.measure(of)
	}
	switch {
	case m == nil:
		return nil
	case !m.Sessions && of.present():
		r.fault(of, "no-session", say("« %s » n'a pas de séances", "%s has no sessions", m.ID), oneAmong(sessionMeasureIDs()))
	case !m.Sessions:
		r.fault(at, "no-session", say("« %s » n'a pas de séances à elle", "%s has no sessions of its own", m.ID), say("dire de quelles séances, avec of: et l'une de : %s", "say of which sessions, with of: and one of: %s", strings.Join(sessionMeasureIDs(), ", ")))
	}
	switch {
	case c.Before > 0:
		r.fault(at.key("before"), "not-together", say("une séance n'a pas d'heure avant laquelle elle est attendue", "a session has no local time by which it is due"), say("enlever before", "remove before"))
	case c.Grace == 0:
		r.fault(at, "no-grace", say("rien ne dit à quelle distance d'une séance ses mesures peuvent être prises", "nothing says how far from a session its readings may be measured"), say("ajouter grace: 4h", "add grace: 4h"))
	case c.Grace > maxSessionGrace:
		r.fault(at.key("grace"), "bounds", say("ce qui est à plus d'un jour appartient à une autre séance", "what is more than a day away belongs to another session"), say("24h au plus", "use at most 24h"))
	}
	return m
}

func sessionMeasureIDs() []string {
	var ids []string
	for _, m := range measures {
		if m.Sessions {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// step reads the usual step of a sensor: a length of time, or the name of a
// parameter in minutes.
func (r *protocolReader) step(at place) (time.Duration, string) {
	name := r.word(at)
	if !isName(name) {
		return r.duration(at), ""
	}
	r.operand(at, measuredIn{unit: "min"})
	p := r.protocol.parameter(name)
	if p == nil {
		return 0, ""
	}
	if p.Min <= 0 {
		r.fault(at, "bounds", say("« %s » peut être réglé à zéro, et aucun capteur ne mesure sans cesse", "%s may be set to nothing, and no sensor reads all the time", name), say("mettre son min au-dessus de 0", "raise its min above 0"))
	}
	return time.Duration(p.Default) * time.Minute / 1000, name
}

func (r *protocolReader) parameters(at place) {
	keys, values := r.pairs(at)
	for i, value := range values {
		if !isName(keys[i].node.Text) {
			r.fault(keys[i], "bad-name", say("« %s » n'est pas un nom", "%q is not a name", keys[i].node.Text), say("n'employer que des minuscules sans accent, des chiffres et des traits d'union", "use lower-case letters, digits and hyphens"))
			continue
		}
		if !r.open(value, parameterForm) {
			continue
		}
		p := Parameter{Name: keys[i].node.Text, Title: r.text(value.key("title")), Unit: Canonical(r.word(value.key("unit"))), Origin: r.word(value.key("origin"))}
		if p.Unit != "1" && !KnownUnit(parameterBaseUnit(p.Unit)) {
			r.fault(value.key("unit"), "unknown-unit", say("aucune mesure n'a l'unité « %s »", "no measure has the unit %q", p.Unit), Text{})
			continue
		}
		p.Default = r.plain(value.key("default"), p.Unit)
		p.Min = r.plain(value.key("min"), p.Unit)
		p.Max = r.plain(value.key("max"), p.Unit)
		if p.Min > p.Max {
			r.fault(value.key("min"), "bounds", say("min (%s) est au-dessus de max (%s)", "min %s is above max %s", p.Min, p.Max), say("les échanger", "exchange them"))
		} else if p.Default < p.Min || p.Default > p.Max {
			r.fault(value.key("default"), "bounds", say("la valeur par défaut (%s) n'est pas entre min (%s) et max (%s)", "the default %s is not between min %s and max %s", p.Default, p.Min, p.Max), Text{})
		}
		r.protocol.Parameters = append(r.protocol.Parameters, p)
	}
}

// parameterBaseUnit is the unit of the quantity whose slope has the unit
// "kg/d".
func parameterBaseUnit(unit string) string {
	return strings.TrimSuffix(unit, "/d")
}

func (p *Protocol) parameter(name string) *Parameter {
	for i := range p.Parameters {
		if p.Parameters[i].Name == name {
			return &p.Parameters[i]
		}
	}
	return nil
}

func (p *Protocol) parameterNames() []string {
	names := make([]string, len(p.Parameters))
	for i := range p.Parameters {
		names[i] = p.Parameters[i].Name
	}
	return names
}

func (r *protocolReader) answers(at place) {
	if !at.present() || !r.open(at, answerForm) {
		return
	}
	r.protocol.Answer = map[Level]time.Duration{}
	keys, values := r.pairs(at)
	for i := range keys {
		if level, err := ParseLevel(keys[i].node.Text); err == nil {
			r.protocol.Answer[level] = r.duration(values[i])
		}
	}
}

// never is an operand that holds no number; it keeps a broken file from looking
// like one that compares with zero.
var never = Operand{Value: math.MaxInt64}
