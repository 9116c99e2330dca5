package language

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// Timeline is one test of a protocol: what a patient's devices sent, hour by
// hour, and the alerts that must come of it.
type Timeline struct {
	Name     string
	Zone     *time.Location
	Start    time.Time // midnight of day 1, where the patient lives
	Settings protocols.Settings
	Pauses   []protocols.Pause
	Readings []Delivery // in the order of delivery
	Until    time.Time  // how long the clock goes on; the last delivery where not told
	Only     []string   // rules that are looked at; all where empty
	Expect   []Expectation
	Line     int
}

// Delivery is one reading and when the service got it.
type Delivery struct {
	Reading  protocols.Reading
	Received time.Time
}

// Expectation is one alert that begins or rises.
type Expectation struct {
	Rule    string
	Level   protocols.Level
	At      time.Time      // measurement time of what caused it
	Ended   time.Time      // when the condition ended; zero where not told
	Open    bool           // the condition must not have ended
	TooLate bool           // shown, not rung
	Says    protocols.Text // what the alert says, without its title; empty where not told
	Line    int
}

// The forms of a file of tests, from the outside in.
var (
	testsForm = &document.Form{Name: protocols.Say("un fichier d'essais", "a file of tests"), Fields: []document.Field{
		document.Key("protocol", document.Must, protocols.Say("l'id du protocole essayé", "the id of the protocol under test"), document.ShapeName),
		document.Key("time_zone", false, protocols.Say("où vivent les patients des essais ; Europe/Paris sinon", "where the patients of the tests live; Europe/Paris where absent"), document.ShapeWord),
		document.Key("start", false, protocols.Say("la date de day 1 ; 2026-01-05 sinon", "the date of day 1; 2026-01-05 where absent"), document.ShapeDate),
		document.Key("tests", document.Must, protocols.Say("les essais", "the tests"), document.ListOf(document.OfForm(timelineForm))),
	}}
	settingForm = &document.Form{Name: protocols.Say("un réglage", "a setting"), Fields: []document.Field{
		document.Key("value", document.Must, protocols.Say("la valeur", "the value"), document.ShapeNumber),
		document.Key("on", document.Must, protocols.Say("le jour où elle est réglée", "the day on which it is set"), shapeMoment),
	}}
	timelineForm = &document.Form{Name: protocols.Say("un essai", "a test"), Fields: []document.Field{
		document.Key("name", document.Must, protocols.Say("ce qui est montré, en une phrase", "what is shown, in a sentence"), document.ShapeWord),
		document.Key("time_zone", false, protocols.Say("où vit ce patient", "where this patient lives"), document.ShapeWord),
		document.Key("start", false, protocols.Say("la date de day 1 de cet essai", "the date of day 1 of this test"), document.ShapeDate),
		document.Key("settings", false, protocols.Say("les paramètres propres au patient", "the patient's own parameters"), document.MapOf(shapeSetting)),
		document.Key("pauses", false, protocols.Say("hôpital, vacances", "hospital, holidays"), document.ListOf(document.OfForm(pauseForm))),
		document.Key("readings", false, protocols.Say("ce qui a été mesuré", "what was measured"), document.ListOf(document.OfForm(deliveryForm))),
		document.Key("until", false, protocols.Say("jusqu'à quand attendre ce qui ne vient pas", "how long to wait for what does not come"), shapeMoment),
		document.Key("only", false, protocols.Say("les règles à regarder ; toutes sinon", "rules to look at; all where absent"), document.ListOf(document.ShapeName)),
		document.Key("expect", document.Must, protocols.Say("les alertes, dans l'ordre ; [] pour aucune", "alerts, in order; [] for none"), document.ListOf(document.OfForm(expectationForm))),
	}}
	deliveryForm = &document.Form{Name: protocols.Say("une mesure d'essai", "a reading of a test"), Fields: []document.Field{
		document.Key("at", document.Must, protocols.Say("quand elle a été mesurée : day 3 07:30, ou day 3 si seule la date est connue", "when it was measured: day 3 07:30, or day 3 where only the date is known"), shapeMoment),
		document.Key("every", false, protocols.Say("répéter à ce pas : 5m, ou 1d pour la même heure chaque jour", "repeat at this step: 5m, or 1d for the same time of each day"), shapeWindow),
		document.Key("for", false, protocols.Say("combien de temps répéter : 30m, 7d", "how long to repeat: 30m, 7d"), shapeWindow),
		document.Key("days", false, protocols.Say("la même chose ce nombre de jours de suite", "the same again on this many days in a row"), document.ShapeWhole),
		document.Key("measure", document.Must, protocols.Say("ce qui a été mesuré", "what was measured"), shapeMeasure),
		document.Key("variant", false, protocols.Say("une variante de la mesure", "one variant of the measure"), shapeVariant),
		document.Key("value", false, protocols.Say("le nombre ; une liste donne une mesure par nombre", "the number; a list gives one reading each"), shapeNumbers),
		document.Key("values", false, protocols.Say("les nombres par composante ; des listes donnent une mesure par nombre", "numbers by component; lists give one reading each"), document.MapOf(shapeNumbers)),
		document.Key("add", false, protocols.Say("ce que chaque mesure ajoute à la précédente ; par composante avec values", "what each reading adds to the one before; by component beside values"), shapeAdded),
		document.Key("meal", false, protocols.Say("le moment par rapport au repas", "the moment by a meal"), document.OneOfWords(mealNames)),
		document.Key("flags", false, protocols.Say("ce que l'appareil dit de la qualité", "what the device says of the quality"), document.ListOf(document.ShapeWord)),
		document.Key("device", false, protocols.Say("le nom de l'appareil ; la mesure sinon", "name of the device; the measure where absent"), document.ShapeWord),
		document.Key("source", false, protocols.Say("device, patient ou professional", "device, patient or professional"), document.OneOfWords(sources)),
		document.Key("received", false, protocols.Say("quand elle est arrivée au service, si c'est plus tard", "when it reached the service, if later"), shapeMoment),
	}}
	expectationForm = &document.Form{Name: protocols.Say("une alerte attendue", "an expected alert"), Fields: []document.Field{
		document.Key("rule", document.Must, protocols.Say("quelle règle", "which rule"), document.ShapeName),
		document.Key("level", document.Must, protocols.Say("à quel niveau", "at which level"), document.OneOfWords(levels)),
		document.Key("at", document.Must, protocols.Say("quand : day 3 07:30", "when: day 3 07:30"), shapeMoment),
		document.Key("ended", false, protocols.Say("quand la condition a fini, ou never", "when the condition ended, or never"), shapeEnded),
		document.Key("says", false, protocols.Say("ce que dit l'alerte, sans son titre", "what the alert says, without its title"), document.OfForm(document.TextForm)),
		document.Key("too_late", false, protocols.Say("true pour une alerte montrée sans sonner", "true for an alert that is shown, not rung"), document.ShapeYes),
	}}
	pauseForm = &document.Form{Name: protocols.Say("une pause", "a pause"), Fields: []document.Field{
		document.Key("from", document.Must, protocols.Say("quand elle commence : day 3, ou day 3 12:00", "when it begins: day 3, or day 3 12:00"), shapeMoment),
		document.Key("until", document.Must, protocols.Say("quand elle finit", "when it ends"), shapeMoment),
		document.Key("reason", document.Must, protocols.Say("pourquoi", "why"), document.ShapeWord),
	}}
)

// timelineReader reads the tests of one protocol.
type timelineReader struct {
	reader
	protocol *protocols.Protocol
	zone     *time.Location
	start    time.Time
	pinned   int // readings so far, to name them
}

// ParseTimelines reads the tests in doc, which belong to protocol p.
func ParseTimelines(p *protocols.Protocol, doc *document.Node) ([]Timeline, []document.Problem) {
	r := &timelineReader{protocol: p}
	at := document.Place{Node: doc}
	if !r.Open(at, testsForm) {
		return nil, r.Problems
	}
	if id := r.Name(at.Key("protocol")); id != p.ID {
		r.Fault(at.Key("protocol"), "other-protocol", protocols.Say("ces essais sont ceux de « %s », non de « %s »", "these tests are for %q, not for %q", id, p.ID), protocols.Text{})
	}
	var tests []Timeline
	for _, item := range r.Items(at.Key("tests")) {
		if r.Open(item, timelineForm) {
			tests = append(tests, r.timeline(at, item))
		}
	}
	return tests, r.Problems
}

func (r *timelineReader) timeline(file, at document.Place) Timeline {
	r.zone = r.location(first(at.Key("time_zone"), file.Key("time_zone")))
	r.start = r.firstDay(first(at.Key("start"), file.Key("start")))
	t := Timeline{
		Name: r.Word(at.Key("name")), Zone: r.zone, Start: r.start, Line: at.Node.Line,
		Settings: r.settings(at.Key("settings")), Only: r.Words(at.Key("only")),
	}
	for _, item := range r.Items(at.Key("pauses")) {
		if r.Open(item, pauseForm) {
			t.Pauses = append(t.Pauses, protocols.Pause{From: r.time(item.Key("from")), Until: r.time(item.Key("until")), Author: "test", Reason: r.Word(item.Key("reason"))})
		}
	}
	r.pinned = 0
	for _, item := range r.Items(at.Key("readings")) {
		if r.Open(item, deliveryForm) {
			t.Readings = append(t.Readings, r.deliveries(item)...)
		}
	}
	slices.SortStableFunc(t.Readings, compareDeliveries)
	for _, item := range r.Items(at.Key("expect")) {
		if r.Open(item, expectationForm) {
			t.Expect = append(t.Expect, r.expectation(item))
		}
	}
	for _, id := range t.Only {
		if r.protocol.Rule(id) == nil {
			r.Fault(at.Key("only"), "unknown-rule", protocols.Say("il n'y a pas de règle « %s »", "there is no rule %q", id), document.Suggest(id, r.protocol.RuleIDs()))
		}
	}
	t.Until = r.end(at.Key("until"), &t)
	return t
}

// compareDeliveries orders what came at the same moment as a device would send
// it: oldest first.
func compareDeliveries(a, b Delivery) int {
	if c := a.Received.Compare(b.Received); c != 0 {
		return c
	}
	return a.Reading.Time.Compare(b.Reading.Time)
}

func (r *timelineReader) end(at document.Place, t *Timeline) time.Time {
	if at.Present() {
		return r.time(at)
	}
	if len(t.Readings) == 0 {
		return t.Start
	}
	return t.Readings[len(t.Readings)-1].Received
}

func first(places ...document.Place) document.Place {
	for _, p := range places {
		if p.Present() {
			return p
		}
	}
	return document.Place{}
}

func (r *timelineReader) location(at document.Place) *time.Location {
	name := r.Word(at)
	if name == "" {
		name = "Europe/Paris"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		r.Fault(at, "unknown-time-zone", protocols.Say("« %s » n'est pas un fuseau horaire", "%q is not a time zone", name), protocols.Say("écrire un nom de l'IANA : Europe/Paris, Indian/Reunion", "write an IANA name: Europe/Paris, Indian/Reunion"))
		return time.UTC
	}
	return zone
}

func (r *timelineReader) firstDay(at document.Place) time.Time {
	text := "2026-01-05"
	if day := r.Day(at); day != "" {
		text = day
	}
	start, err := time.ParseInLocation(time.DateOnly, text, r.zone)
	if err != nil {
		r.Fault(at, "bad-date", protocols.Say("« %s » n'est pas une date", "%q is not a date", text), protocols.Say("l'écrire ainsi : 2026-01-31", "write it as 2026-01-31"))
	}
	return start
}

func (r *timelineReader) settings(at document.Place) protocols.Settings {
	keys, values := r.Pairs(at)
	settings := protocols.Settings{}
	for i := range keys {
		name := keys[i].Node.Text
		p := r.protocol.Parameter(name)
		if p == nil {
			r.Fault(keys[i], "unknown-parameter", protocols.Say("il n'y a pas de paramètre « %s »", "there is no parameter %q", name), document.Suggest(name, r.protocol.ParameterNames()))
			continue
		}
		set := values[i]
		date := r.start
		if set.Node.Kind == document.Mapping && r.Open(set, settingForm) {
			date = r.time(set.Key("on"))
			set = set.Key("value")
		}
		before := len(r.Problems)
		v := r.Plain(set, p.Unit)
		if len(r.Problems) > before {
			continue // the bounds of what nobody can read are not its fault
		}
		if v < p.Min || v > p.Max {
			r.Fault(values[i], "bounds", protocols.Say("« %s » se règle de %s à %s", "%s may be set from %s to %s", name, p.Min, p.Max), protocols.Text{})
		}
		settings[name] = protocols.Setting{Value: v, Author: "test", Date: date, Reason: "test"}
	}
	return settings
}

// time reads "day 3 07:30", "day 3", "2026-01-07 07:30" or "2026-01-07".
func (r *timelineReader) time(at document.Place) time.Time {
	t, _ := r.timeOrDay(at)
	return t
}

// timeOrDay also tells that only the day was written; the time is then its
// midnight.
func (r *timelineReader) timeOrDay(at document.Place) (t time.Time, dayOnly bool) {
	text := r.Word(at)
	if text == "" {
		return time.Time{}, false
	}
	day, clock, timed := text, "", false
	if i := strings.LastIndexByte(text, ' '); i >= 0 && strings.Contains(text[i:], ":") {
		day, clock, timed = text[:i], text[i+1:], true
	}
	midnight, ok := r.dayNamed(day)
	offset, good := document.ClockTime(clock)
	if !ok || timed && !good {
		r.Fault(at, "bad-time", protocols.Say("« %s » n'est pas un moment d'un essai", "%q is not a moment of a test", text), protocols.Say("écrire day 3 07:30, ou 2026-01-07 07:30", "write day 3 07:30, or 2026-01-07 07:30"))
		return r.start, false
	}
	return onWallClock(midnight, offset), !timed
}

func (r *timelineReader) dayNamed(text string) (time.Time, bool) {
	if digits, ok := strings.CutPrefix(text, "day "); ok {
		n, err := strconv.Atoi(strings.TrimSpace(digits))
		return r.start.AddDate(0, 0, n-1), err == nil && n >= -document.MaxDays && n <= 4*document.MaxDays
	}
	t, err := time.ParseInLocation(time.DateOnly, text, r.zone)
	return t, err == nil
}

// onWallClock is the moment at which the wall clock shows offset on that day.
func onWallClock(midnight time.Time, offset time.Duration) time.Time {
	year, month, day := midnight.Date()
	return time.Date(year, month, day, 0, int(offset/time.Minute), 0, 0, midnight.Location())
}

func (r *timelineReader) expectation(at document.Place) Expectation {
	e := Expectation{
		Rule: r.Name(at.Key("rule")), Level: r.level(at.Key("level")), At: r.time(at.Key("at")),
		TooLate: r.Yes(at.Key("too_late")), Says: r.Text(at.Key("says")), Line: at.Node.Line,
	}
	rule := r.protocol.Rule(e.Rule)
	switch {
	case rule == nil:
		r.Fault(at.Key("rule"), "unknown-rule", protocols.Say("il n'y a pas de règle « %s »", "there is no rule %q", e.Rule), document.Suggest(e.Rule, r.protocol.RuleIDs()))
	case e.Level != protocols.NoLevel && !slices.Contains(rule.Raises(), e.Level):
		r.Fault(at.Key("level"), "unknown-level", protocols.Say("la règle « %s » ne signale jamais au niveau « %s »", "the rule %s never raises %s", e.Rule, e.Level), protocols.Text{})
	}
	if r.Word(at.Key("ended")) == "never" {
		e.Open = true
	} else {
		e.Ended = r.time(at.Key("ended"))
	}
	return e
}
