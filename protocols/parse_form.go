package protocols

import "strings"

// form is one kind of mapping in a protocol file: its name and its keys. Parse
// refuses keys that a form does not have, and Schema is written from the same
// forms, so that an editor and the service agree.
type form struct {
	name   string
	fields []field
}

// field is one key of a form.
type field struct {
	key      string
	required bool
	says     string // what it holds, for a person
	holds    shape  // for Schema
}

func (f *form) field(key string) *field {
	for i := range f.fields {
		if f.fields[i].key == key {
			return &f.fields[i]
		}
	}
	return nil
}

func (f *form) keys() []string {
	keys := make([]string, len(f.fields))
	for i := range f.fields {
		keys[i] = f.fields[i].key
	}
	return keys
}

func (f *form) list() string { return strings.Join(f.keys(), ", ") }

const must = true

// The forms, from the outside in.
var (
	protocolForm    = &form{name: "a protocol"}
	textForm        = &form{name: "a text"}
	pathologyForm   = &form{name: "a pathology"}
	eligibilityForm = &form{name: "the eligibility"}
	deviceForm      = &form{name: "a device class"}
	observationForm = &form{name: "an observation"}
	cadenceForm     = &form{name: "a cadence"}
	parameterForm   = &form{name: "a parameter"}
	ruleForm        = &form{name: "a rule"}
	levelForm       = &form{name: "a level"}
	absenceForm     = &form{name: "an absence"}
	missingForm     = &form{name: "a missing level"}
	comparisonForm  = &form{name: "a condition"}
	baselineForm    = &form{name: "a baseline"}
	filterForm      = &form{name: "a filter"}
	eventForm       = &form{name: "an event"}
	answerForm      = &form{name: "the answer delays"}
)

func init() {
	protocolForm.fields = []field{
		{"id", must, "the name of the protocol, the same in every version", shapeName},
		{"version", must, "\"1\", \"2\"… or a date; a version never changes once used", shapeWord},
		{"status", must, "example, until a named professional has validated it; then validated", oneOfWords(statuses)},
		{"validated_by", false, "who validated it", shapeWord},
		{"validated_on", false, "when, as 2026-01-31", shapeDate},
		{"title", must, "what a clinician calls it", ofForm(textForm)},
		{"pathology", must, "the disease, with its ICD-10 code", ofForm(pathologyForm)},
		{"origin", must, "the official text that the structure follows", shapeWord},
		{"eligibility", must, "which patients and which devices", ofForm(eligibilityForm)},
		{"observations", must, "what is measured, and how often", listOf(ofForm(observationForm))},
		{"parameters", false, "numbers that may be set per patient, by name", mapOf(ofForm(parameterForm))},
		{"rules", must, "the questions asked of the readings", listOf(ofForm(ruleForm))},
		{"answer", must, "delay to acknowledge per level, in the team's opening hours", ofForm(answerForm)},
		{"too_late", must, "an alert found later than this after its measurement is shown, not rung", shapeDuration},
		{"patient", must, "what the patient is told, in plain words", ofForm(textForm)},
	}
	textForm.fields = []field{
		{"fr", must, "in French", shapeWord},
		{"en", false, "in English", shapeWord},
	}
	pathologyForm.fields = []field{
		{"icd10", must, "ICD-10 code: I50, or a range: E10-E14", shapeICD10},
		{"title", must, "its name", ofForm(textForm)},
	}
	eligibilityForm.fields = []field{
		{"patient", must, "in words, for the person who enrols", ofForm(textForm)},
		{"min_age", false, "in years", shapeWhole},
		{"devices", must, "classes of devices; a device must match one", listOf(ofForm(deviceForm))},
	}
	deviceForm.fields = []field{
		{"kind", must, "scale, oximeter…", shapeName},
		{"brand", false, "only this brand", shapeWord},
		{"model", false, "only this model", shapeWord},
	}
	observationForm.fields = []field{
		{"measure", must, "what is measured", shapeMeasure},
		{"variant", false, "one variant of the measure", shapeVariant},
		{"mandatory", false, "true where the official text demands it", shapeYes},
		{"cadence", false, "how often it is expected", ofForm(cadenceForm)},
		{"ignore_flags", false, "readings carrying one of these flags never feed a rule", listOf(shapeWord)},
	}
	cadenceForm.fields = []field{
		{"times", false, "how many", shapeWhole},
		{"per", false, "in each civil day or week of the patient, or in each session", oneOfWords(periodWords)},
		{"of", false, "with per: session, the measure of which each reading is a session; this measure where absent", oneOfWords(sessionMeasureIDs())},
		{"before", false, "local time by which it is due, as \"12:00\"", shapeClock},
		{"grace", false, "how long after that it may still arrive; with per: session, how far from the session it may be measured", shapeDuration},
		{"every", false, "usual step between two readings of a continuous sensor, or the parameter in minutes that holds it", shapeStep},
	}
	parameterForm.fields = []field{
		{"title", must, "what it sets, in words", ofForm(textForm)},
		{"unit", must, "UCUM unit; 1 for a count, d for days", shapeWord},
		{"default", must, "the value where the patient has none", shapeNumber},
		{"min", must, "lowest value that may be set", shapeNumber},
		{"max", must, "highest value that may be set", shapeNumber},
		{"origin", false, "where the default comes from", shapeWord},
	}
	ruleForm.fields = []field{
		{"id", must, "the name of the rule", shapeName},
		{"title", must, "what an alert of it is called", ofForm(textForm)},
		{"advice", false, "what the text suggests to look at", ofForm(textForm)},
		{"origin", false, "where its numbers come from", shapeWord},
		{"levels", false, "conditions, from the mildest level to the gravest", listOf(ofForm(levelForm))},
		{"held_by", false, "rules which, while active, hold this one back", listOf(shapeName)},
		{"absence", false, "instead of levels: a measure that is expected and missing", ofForm(absenceForm)},
	}
	levelForm.fields = []field{
		{"level", must, "technical, yellow, orange or red", oneOfWords(levelWords)},
		{"when", must, "the condition", shapeCondition},
		{"confirm", false, "ask for a second reading within this time", shapeDuration},
	}
	absenceForm.fields = []field{
		{"measure", must, "what is expected", shapeMeasure},
		{"variant", false, "one variant of the measure", shapeVariant},
		{"components", false, "the numbers that a reading must hold to count", listOf(shapeComponent)},
		{"cadence", false, "how often; that of the observation where absent", ofForm(cadenceForm)},
		{"missing", must, "levels, by the number of missing periods in a row", listOf(ofForm(missingForm))},
	}
	missingForm.fields = []field{
		{"level", must, "technical, yellow, orange or red", oneOfWords(levelWords)},
		{"periods", must, "missing periods in a row", shapeOperand},
	}
	comparisonForm.fields = []field{
		{"measure", must, "what is looked at", shapeMeasure},
		{"component", false, "which number of the measure; may be left out where there is one", shapeComponent},
		{"variant", false, "one variant of the measure", shapeVariant},
		{"statistic", false, "what is computed; last where absent", oneOfWords(statisticWords)},
		{"window", false, "how far back: 15m, 24h, or 3d for civil days", shapeWindow},
		{"minus", false, "an older value that is subtracted", ofForm(baselineForm)},
		{"minus_component", false, "another number of the same reading that is subtracted", shapeComponent},
		{"above", false, "strictly more than", shapeOperand},
		{"at_least", false, "this or more", shapeOperand},
		{"below", false, "strictly less than", shapeOperand},
		{"at_most", false, "this or less", shapeOperand},
		{"clear", false, "what it takes to leave; the threshold itself where absent", shapeOperand},
		{"margin", false, "how far back inside the threshold it takes to leave; instead of clear", shapeNumber},
		{"where", false, "which readings count", ofForm(filterForm)},
		{"event", false, "what an event is", ofForm(eventForm)},
		{"lasting", false, "held on every reading for this long", shapeDuration},
		{"gap", false, "longest silence that does not break the run", shapeDuration},
		{"days", false, "held on this many consecutive civil days", shapeOperand},
		{"floor", false, "least share of expected readings, in %, under which there is not enough data", shapeNumber},
	}
	baselineForm.fields = []field{
		{"statistic", must, "last, mean, median, min or max of the daily means", oneOfWords(baselineWords)},
		{"days", must, "length, in civil days", shapeWhole},
		{"ago", must, "its last day, counted back from today", shapeWhole},
		{"at_least", false, "days that must hold a reading; 1 where absent", shapeWhole},
	}
	filterForm.fields = []field{
		{"above", false, "strictly more than", shapeOperand},
		{"at_least", false, "this or more", shapeOperand},
		{"below", false, "strictly less than", shapeOperand},
		{"at_most", false, "this or less", shapeOperand},
	}
	eventForm.fields = []field{
		{"lasting", must, "how long the readings satisfy \"where\" for an event to begin", shapeDuration},
		{"ending", must, "how long they must be back for it to end", shapeDuration},
		{"gap", false, "longest silence inside an event", shapeDuration},
	}
	answerForm.fields = []field{
		{"red", false, "for the red level", shapeDuration},
		{"orange", false, "for the orange level", shapeDuration},
		{"yellow", false, "for the yellow level", shapeDuration},
		{"technical", false, "for the technical level", shapeDuration},
	}
}

// The closed lists of words.
var (
	statuses       = []string{"example", "validated"}
	periodWords    = []string{string(PerDay), string(PerWeek), string(PerSession)}
	levelWords     = []string{"technical", "yellow", "orange", "red"}
	baselineWords  = []string{string(Last), string(Mean), string(Median), string(Min), string(Max)}
	statisticWords = []string{
		string(Last), string(Mean), string(Median), string(Min), string(Max), string(Sum), string(Count), string(Share), string(Streak),
		string(Events), string(Change), string(Step), string(Rise), string(Fall), string(Slope), string(CV), string(GMI), string(Wear), string(DaysCovered),
	}
)
