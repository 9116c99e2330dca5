package protocols

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Timeline is one test of a protocol: what a patient's devices sent, hour by
// hour, and the alerts that must come of it.
type Timeline struct {
	Name     string
	Zone     *time.Location
	Start    time.Time // midnight of day 1, where the patient lives
	Settings Settings
	Pauses   []Pause
	Readings []Delivery // in the order of delivery
	Until    time.Time  // how long the clock goes on; the last delivery where not told
	Only     []string   // rules that are looked at; all where empty
	Expect   []Expectation
	Line     int
}

// Delivery is one reading and when the service got it.
type Delivery struct {
	Reading  Reading
	Received time.Time
}

// Expectation is one alert that begins or rises.
type Expectation struct {
	Rule    string
	Level   Level
	At      time.Time // measurement time of what caused it
	Ended   time.Time // when the condition ended; zero where not told
	Open    bool      // the condition must not have ended
	TooLate bool      // shown, not rung
	Line    int
}

// The forms of a file of tests, from the outside in.
var (
	testsForm = &form{name: say("un fichier d'essais", "a file of tests"), fields: []field{
		{"protocol", must, say("l'id du protocole essayé", "the id of the protocol under test"), shapeName},
		{"time_zone", false, say("où vivent les patients des essais ; Europe/Paris sinon", "where the patients of the tests live; Europe/Paris where absent"), shapeWord},
		{"start", false, say("la date de day 1 ; 2026-01-05 sinon", "the date of day 1; 2026-01-05 where absent"), shapeDate},
		{"tests", must, say("les essais", "the tests"), listOf(ofForm(timelineForm))},
	}}
	timelineForm = &form{name: say("un essai", "a test"), fields: []field{
		{"name", must, say("ce qui est montré, en une phrase", "what is shown, in a sentence"), shapeWord},
		{"time_zone", false, say("où vit ce patient", "where this patient lives"), shapeWord},
		{"start", false, say("la date de day 1 de cet essai", "the date of day 1 of this test"), shapeDate},
		{"settings", false, say("les paramètres propres au patient", "the patient's own parameters"), mapOf(shapeNumber)},
		{"pauses", false, say("hôpital, vacances", "hospital, holidays"), listOf(ofForm(pauseForm))},
		{"readings", false, say("ce qui a été mesuré", "what was measured"), listOf(ofForm(deliveryForm))},
		{"until", false, say("jusqu'à quand attendre ce qui ne vient pas", "how long to wait for what does not come"), shapeMoment},
		{"only", false, say("les règles à regarder ; toutes sinon", "rules to look at; all where absent"), listOf(shapeName)},
		{"expect", must, say("les alertes, dans l'ordre ; [] pour aucune", "alerts, in order; [] for none"), listOf(ofForm(expectationForm))},
	}}
	deliveryForm = &form{name: say("une mesure d'essai", "a reading of a test"), fields: []field{
		{"at", must, say("quand elle a été mesurée : day 3 07:30, ou day 3 si seule la date est connue", "when it was measured: day 3 07:30, or day 3 where only the date is known"), shapeMoment},
		{"every", false, say("répéter à ce pas : 5m, ou 1d pour la même heure chaque jour", "repeat at this step: 5m, or 1d for the same time of each day"), shapeWindow},
		{"for", false, say("combien de temps répéter : 30m, 7d", "how long to repeat: 30m, 7d"), shapeWindow},
		{"days", false, say("la même chose ce nombre de jours de suite", "the same again on this many days in a row"), shapeWhole},
		{"measure", must, say("ce qui a été mesuré", "what was measured"), shapeMeasure},
		{"variant", false, say("une variante de la mesure", "one variant of the measure"), shapeVariant},
		{"value", false, say("le nombre ; une liste donne une mesure par nombre", "the number; a list gives one reading each"), shapeNumbers},
		{"values", false, say("les nombres par composante ; des listes donnent une mesure par nombre", "numbers by component; lists give one reading each"), mapOf(shapeNumbers)},
		{"add", false, say("ce que chaque mesure ajoute à la précédente ; par composante avec values", "what each reading adds to the one before; by component beside values"), shapeAdded},
		{"flags", false, say("ce que l'appareil dit de la qualité", "what the device says of the quality"), listOf(shapeWord)},
		{"device", false, say("le nom de l'appareil ; la mesure sinon", "name of the device; the measure where absent"), shapeWord},
		{"source", false, say("device, patient ou professional", "device, patient or professional"), oneOfWords(sourceNames[:])},
		{"received", false, say("quand elle est arrivée au service, si c'est plus tard", "when it reached the service, if later"), shapeMoment},
	}}
	expectationForm = &form{name: say("une alerte attendue", "an expected alert"), fields: []field{
		{"rule", must, say("quelle règle", "which rule"), shapeName},
		{"level", must, say("à quel niveau", "at which level"), oneOfWords(levelWords)},
		{"at", must, say("quand : day 3 07:30", "when: day 3 07:30"), shapeMoment},
		{"ended", false, say("quand la condition a fini, ou never", "when the condition ended, or never"), shapeEnded},
		{"too_late", false, say("true pour une alerte montrée sans sonner", "true for an alert that is shown, not rung"), shapeYes},
	}}
	pauseForm = &form{name: say("une pause", "a pause"), fields: []field{
		{"from", must, say("quand elle commence : day 3, ou day 3 12:00", "when it begins: day 3, or day 3 12:00"), shapeMoment},
		{"until", must, say("quand elle finit", "when it ends"), shapeMoment},
		{"reason", must, say("pourquoi", "why"), shapeWord},
	}}
)

// timelineReader reads the tests of one protocol.
type timelineReader struct {
	reader
	protocol *Protocol
	zone     *time.Location
	start    time.Time
	pinned   int // readings so far, to name them
}

// ParseTimelines reads the tests in doc, which belong to protocol p.
func ParseTimelines(p *Protocol, doc *Node) ([]Timeline, []Problem) {
	r := &timelineReader{protocol: p}
	at := place{node: doc}
	if !r.open(at, testsForm) {
		return nil, r.problems
	}
	if id := r.name(at.key("protocol")); id != p.ID {
		r.fault(at.key("protocol"), "other-protocol", say("ces essais sont ceux de « %s », non de « %s »", "these tests are for %q, not for %q", id, p.ID), Text{})
	}
	var tests []Timeline
	for _, item := range r.items(at.key("tests")) {
		if r.open(item, timelineForm) {
			tests = append(tests, r.timeline(at, item))
		}
	}
	return tests, r.problems
}

func (r *timelineReader) timeline(file, at place) Timeline {
	r.zone = r.location(first(at.key("time_zone"), file.key("time_zone")))
	r.start = r.firstDay(first(at.key("start"), file.key("start")))
	t := Timeline{
		Name: r.word(at.key("name")), Zone: r.zone, Start: r.start, Line: at.node.Line,
		Settings: r.settings(at.key("settings")), Only: r.words(at.key("only")),
	}
	for _, item := range r.items(at.key("pauses")) {
		if r.open(item, pauseForm) {
			t.Pauses = append(t.Pauses, Pause{From: r.time(item.key("from")), Until: r.time(item.key("until")), Author: "test", Reason: r.word(item.key("reason"))})
		}
	}
	r.pinned = 0
	for _, item := range r.items(at.key("readings")) {
		if r.open(item, deliveryForm) {
			t.Readings = append(t.Readings, r.deliveries(item)...)
		}
	}
	slices.SortStableFunc(t.Readings, compareDeliveries)
	for _, item := range r.items(at.key("expect")) {
		if r.open(item, expectationForm) {
			t.Expect = append(t.Expect, r.expectation(item))
		}
	}
	for _, id := range t.Only {
		if r.protocol.rule(id) == nil {
			r.fault(at.key("only"), "unknown-rule", say("il n'y a pas de règle « %s »", "there is no rule %q", id), suggest(id, r.protocol.ruleIDs()))
		}
	}
	t.Until = r.end(at.key("until"), &t)
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

func (r *timelineReader) end(at place, t *Timeline) time.Time {
	if at.present() {
		return r.time(at)
	}
	if len(t.Readings) == 0 {
		return t.Start
	}
	return t.Readings[len(t.Readings)-1].Received
}

func first(places ...place) place {
	for _, p := range places {
		if p.present() {
			return p
		}
	}
	return place{}
}

func (r *timelineReader) location(at place) *time.Location {
	name := r.word(at)
	if name == "" {
		name = "Europe/Paris"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		r.fault(at, "unknown-time-zone", say("« %s » n'est pas un fuseau horaire", "%q is not a time zone", name), say("écrire un nom de l'IANA : Europe/Paris, Indian/Reunion", "write an IANA name: Europe/Paris, Indian/Reunion"))
		return time.UTC
	}
	return zone
}

func (r *timelineReader) firstDay(at place) time.Time {
	text := "2026-01-05"
	if day := r.day(at); day != "" {
		text = day
	}
	start, err := time.ParseInLocation(time.DateOnly, text, r.zone)
	if err != nil {
		r.fault(at, "bad-date", say("« %s » n'est pas une date", "%q is not a date", text), say("l'écrire ainsi : 2026-01-31", "write it as 2026-01-31"))
	}
	return start
}

func (r *timelineReader) settings(at place) Settings {
	keys, values := r.pairs(at)
	settings := Settings{}
	for i := range keys {
		name := keys[i].node.Text
		p := r.protocol.parameter(name)
		if p == nil {
			r.fault(keys[i], "unknown-parameter", say("il n'y a pas de paramètre « %s »", "there is no parameter %q", name), suggest(name, r.protocol.parameterNames()))
			continue
		}
		v := r.plain(values[i], p.Unit)
		if v < p.Min || v > p.Max {
			r.fault(values[i], "bounds", say("« %s » se règle de %s à %s", "%s may be set from %s to %s", name, p.Min, p.Max), Text{})
		}
		settings[name] = Setting{Value: v, Author: "test", Date: r.start, Reason: "test"}
	}
	return settings
}

// time reads "day 3 07:30", "day 3", "2026-01-07 07:30" or "2026-01-07".
func (r *timelineReader) time(at place) time.Time {
	t, _ := r.timeOrDay(at)
	return t
}

// timeOrDay also tells that only the day was written; the time is then its
// midnight.
func (r *timelineReader) timeOrDay(at place) (t time.Time, dayOnly bool) {
	text := r.word(at)
	if text == "" {
		return time.Time{}, false
	}
	day, clock, timed := text, "", false
	if i := strings.LastIndexByte(text, ' '); i >= 0 && strings.Contains(text[i:], ":") {
		day, clock, timed = text[:i], text[i+1:], true
	}
	midnight, ok := r.dayNamed(day)
	offset, good := clockTime(clock)
	if !ok || timed && !good {
		r.fault(at, "bad-time", say("« %s » n'est pas un moment d'un essai", "%q is not a moment of a test", text), say("écrire day 3 07:30, ou 2026-01-07 07:30", "write day 3 07:30, or 2026-01-07 07:30"))
		return r.start, false
	}
	return onWallClock(midnight, offset), !timed
}

func (r *timelineReader) dayNamed(text string) (time.Time, bool) {
	if digits, ok := strings.CutPrefix(text, "day "); ok {
		n, err := strconv.Atoi(strings.TrimSpace(digits))
		return r.start.AddDate(0, 0, n-1), err == nil && n >= -maxDays && n <= 4*maxDays
	}
	t, err := time.ParseInLocation(time.DateOnly, text, r.zone)
	return t, err == nil
}

// onWallClock is the moment at which the wall clock shows offset on that day.
func onWallClock(midnight time.Time, offset time.Duration) time.Time {
	year, month, day := midnight.Date()
	return time.Date(year, month, day, 0, int(offset/time.Minute), 0, 0, midnight.Location())
}

func (r *timelineReader) expectation(at place) Expectation {
	e := Expectation{
		Rule: r.name(at.key("rule")), Level: r.level(at.key("level")), At: r.time(at.key("at")),
		TooLate: r.yes(at.key("too_late")), Line: at.node.Line,
	}
	rule := r.protocol.rule(e.Rule)
	switch {
	case rule == nil:
		r.fault(at.key("rule"), "unknown-rule", say("il n'y a pas de règle « %s »", "there is no rule %q", e.Rule), suggest(e.Rule, r.protocol.ruleIDs()))
	case e.Level != NoLevel && !slices.Contains(rule.raises(), e.Level):
		r.fault(at.key("level"), "unknown-level", say("la règle « %s » ne signale jamais au niveau « %s »", "the rule %s never raises %s", e.Rule, e.Level), Text{})
	}
	if r.word(at.key("ended")) == "never" {
		e.Open = true
	} else {
		e.Ended = r.time(at.key("ended"))
	}
	return e
}
