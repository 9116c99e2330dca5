package protocols

import "strings"

// form is one kind of mapping in a protocol file: its name and its keys. Parse
// refuses keys that a form does not have, and Schema is written from the same
// forms, so that an editor and the service agree.
type form struct {
	name   Text
	fields []field
}

// field is one key of a form.
type field struct {
	key      string
	required bool
	says     Text  // what it holds, for a person
	holds    shape // for Schema
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
	protocolForm = &form{name: say("un protocole", "a protocol"), fields: []field{
		{"id", must, say("le nom du protocole, le même dans toutes ses versions", "the name of the protocol, the same in every version"), shapeName},
		{"version", must, say("\"1\", \"2\"… ou une date ; une version ne change plus dès qu'elle a servi", "\"1\", \"2\"… or a date; a version never changes once used"), shapeWord},
		{"status", must, say("example, tant qu'aucun professionnel nommé ne l'a validé ; puis validated", "example, until a named professional has validated it; then validated"), oneOfWords(statuses)},
		{"validated_by", false, say("qui l'a validé", "who validated it"), shapeWord},
		{"validated_on", false, say("quand, comme 2026-01-31", "when, as 2026-01-31"), shapeDate},
		{"title", must, say("le nom qu'un soignant lui donne", "what a clinician calls it"), ofForm(textForm)},
		{"pathology", must, say("la maladie, avec son code de la CIM-10", "the disease, with its ICD-10 code"), ofForm(pathologyForm)},
		{"origin", must, say("le texte officiel dont il suit la structure", "the official text that the structure follows"), shapeWord},
		{"eligibility", must, say("quels patients et quels appareils", "which patients and which devices"), ofForm(eligibilityForm)},
		{"observations", must, say("ce qui est mesuré, et à quel rythme", "what is measured, and how often"), listOf(ofForm(observationForm))},
		{"parameters", false, say("les nombres qui se règlent par patient, par leur nom", "numbers that may be set per patient, by name"), mapOf(ofForm(parameterForm))},
		{"rules", must, say("les questions posées aux mesures", "the questions asked of the readings"), listOf(ofForm(ruleForm))},
		{"answer", must, say("le délai de prise en charge par niveau, aux heures d'ouverture de l'équipe", "delay to acknowledge per level, in the team's opening hours"), ofForm(answerForm)},
		{"too_late", must, say("une alerte trouvée plus longtemps que cela après sa mesure est montrée sans sonner", "an alert found later than this after its measurement is shown, not rung"), shapeDuration},
		{"patient", must, say("ce qui est dit au patient, en mots simples", "what the patient is told, in plain words"), ofForm(textForm)},
	}}
	textForm = &form{name: say("un texte", "a text"), fields: []field{
		{"fr", must, say("en français", "in French"), shapeWord},
		{"en", false, say("en anglais", "in English"), shapeWord},
	}}
	pathologyForm = &form{name: say("une pathologie", "a pathology"), fields: []field{
		{"icd10", must, say("code de la CIM-10 : I50, ou un intervalle : E10-E14", "ICD-10 code: I50, or a range: E10-E14"), shapeICD10},
		{"title", must, say("son nom", "its name"), ofForm(textForm)},
	}}
	eligibilityForm = &form{name: say("l'éligibilité", "the eligibility"), fields: []field{
		{"patient", must, say("en mots, pour la personne qui inclut", "in words, for the person who enrols"), ofForm(textForm)},
		{"min_age", false, say("en années", "in years"), shapeWhole},
		{"devices", must, say("des classes d'appareils ; un appareil doit être de l'une d'elles", "classes of devices; a device must match one"), listOf(ofForm(deviceForm))},
	}}
	deviceForm = &form{name: say("une classe d'appareils", "a device class"), fields: []field{
		{"kind", must, say("scale, oximeter…", "scale, oximeter…"), shapeName},
		{"brand", false, say("cette marque seulement", "only this brand"), shapeWord},
		{"model", false, say("ce modèle seulement", "only this model"), shapeWord},
	}}
	observationForm = &form{name: say("une observation", "an observation"), fields: []field{
		{"measure", must, say("ce qui est mesuré", "what is measured"), shapeMeasure},
		{"variant", false, say("une variante de la mesure", "one variant of the measure"), shapeVariant},
		{"mandatory", false, say("true là où le texte officiel l'exige", "true where the official text demands it"), shapeYes},
		{"cadence", false, say("à quel rythme elle est attendue", "how often it is expected"), ofForm(cadenceForm)},
		{"ignore_flags", false, say("les mesures qui portent l'un de ces drapeaux ne servent à aucune règle", "readings carrying one of these flags never feed a rule"), listOf(shapeWord)},
	}}
	cadenceForm = &form{name: say("un rythme", "a cadence"), fields: []field{
		{"times", false, say("combien", "how many"), shapeWhole},
		{"per", false, say("dans chaque jour civil ou semaine du patient, ou dans chaque séance", "in each civil day or week of the patient, or in each session"), oneOfWords(periodWords)},
		{"of", false, say("avec per: session, la mesure dont chaque valeur est une séance ; cette mesure-ci sinon", "with per: session, the measure of which each reading is a session; this measure where absent"), oneOfWords(sessionMeasureIDs())},
		{"before", false, say("l'heure locale avant laquelle elle est attendue, comme \"12:00\"", "local time by which it is due, as \"12:00\""), shapeClock},
		{"grace", false, say("combien de temps après elle peut encore arriver ; avec per: session, à quelle distance de la séance elle peut être mesurée", "how long after that it may still arrive; with per: session, how far from the session it may be measured"), shapeDuration},
		{"every", false, say("le pas habituel entre deux mesures d'un capteur continu, ou le paramètre en minutes qui le contient", "usual step between two readings of a continuous sensor, or the parameter in minutes that holds it"), shapeStep},
	}}
	parameterForm = &form{name: say("un paramètre", "a parameter"), fields: []field{
		{"title", must, say("ce qu'il règle, en mots", "what it sets, in words"), ofForm(textForm)},
		{"unit", must, say("l'unité UCUM ; 1 pour un compte, d pour des jours", "UCUM unit; 1 for a count, d for days"), shapeWord},
		{"default", must, say("la valeur quand le patient n'en a pas", "the value where the patient has none"), shapeNumber},
		{"min", must, say("la plus petite valeur permise", "lowest value that may be set"), shapeNumber},
		{"max", must, say("la plus grande valeur permise", "highest value that may be set"), shapeNumber},
		{"origin", false, say("d'où vient la valeur par défaut", "where the default comes from"), shapeWord},
	}}
	ruleForm = &form{name: say("une règle", "a rule"), fields: []field{
		{"id", must, say("le nom de la règle", "the name of the rule"), shapeName},
		{"title", must, say("le nom de ses alertes", "what an alert of it is called"), ofForm(textForm)},
		{"advice", false, say("ce que le texte propose de regarder", "what the text suggests to look at"), ofForm(textForm)},
		{"origin", false, say("d'où viennent ses nombres", "where its numbers come from"), shapeWord},
		{"levels", false, say("des conditions, du niveau le moins grave au plus grave", "conditions, from the mildest level to the gravest"), listOf(ofForm(levelForm))},
		{"held_by", false, say("les règles qui, tant qu'elles sont actives, retiennent celle-ci", "rules which, while active, hold this one back"), listOf(shapeName)},
		{"absence", false, say("au lieu de levels : une mesure attendue et qui manque", "instead of levels: a measure that is expected and missing"), ofForm(absenceForm)},
	}}
	levelForm = &form{name: say("un niveau", "a level"), fields: []field{
		{"level", must, say("technical, yellow, orange ou red", "technical, yellow, orange or red"), oneOfWords(levelWords)},
		{"when", must, say("la condition", "the condition"), shapeCondition},
		{"confirm", false, say("demander une deuxième mesure dans ce délai", "ask for a second reading within this time"), shapeDuration},
	}}
	absenceForm = &form{name: say("une absence", "an absence"), fields: []field{
		{"measure", must, say("ce qui est attendu", "what is expected"), shapeMeasure},
		{"variant", false, say("une variante de la mesure", "one variant of the measure"), shapeVariant},
		{"components", false, say("les nombres qu'une mesure doit porter pour compter", "the numbers that a reading must hold to count"), listOf(shapeComponent)},
		{"cadence", false, say("à quel rythme ; celui de l'observation sinon", "how often; that of the observation where absent"), ofForm(cadenceForm)},
		{"missing", must, say("des niveaux, par nombre de périodes manquantes de suite", "levels, by the number of missing periods in a row"), listOf(ofForm(missingForm))},
	}}
	missingForm = &form{name: say("un niveau d'absence", "a missing level"), fields: []field{
		{"level", must, say("technical, yellow, orange ou red", "technical, yellow, orange or red"), oneOfWords(levelWords)},
		{"periods", must, say("les périodes manquantes de suite", "missing periods in a row"), shapeOperand},
	}}
	comparisonForm = &form{name: say("une condition", "a condition"), fields: []field{
		{"measure", must, say("ce qui est regardé", "what is looked at"), shapeMeasure},
		{"component", false, say("quel nombre de la mesure ; inutile s'il n'y en a qu'un", "which number of the measure; may be left out where there is one"), shapeComponent},
		{"variant", false, say("une variante de la mesure", "one variant of the measure"), shapeVariant},
		{"statistic", false, say("ce qui est calculé ; last sinon", "what is computed; last where absent"), oneOfWords(statisticWords)},
		{"window", false, say("jusqu'où en arrière : 15m, 24h, ou 3d pour des jours civils", "how far back: 15m, 24h, or 3d for civil days"), shapeWindow},
		{"minus", false, say("une valeur plus ancienne, soustraite", "an older value that is subtracted"), ofForm(baselineForm)},
		{"minus_component", false, say("un autre nombre de la même mesure, soustrait", "another number of the same reading that is subtracted"), shapeComponent},
		{"above", false, say("strictement plus que", "strictly more than"), shapeOperand},
		{"at_least", false, say("autant ou plus", "this or more"), shapeOperand},
		{"below", false, say("strictement moins que", "strictly less than"), shapeOperand},
		{"at_most", false, say("autant ou moins", "this or less"), shapeOperand},
		{"clear", false, say("ce qu'il faut pour sortir ; le seuil lui-même sinon", "what it takes to leave; the threshold itself where absent"), shapeOperand},
		{"margin", false, say("de combien il faut repasser le seuil pour sortir ; au lieu de clear", "how far back inside the threshold it takes to leave; instead of clear"), shapeNumber},
		{"where", false, say("quelles mesures comptent", "which readings count"), ofForm(filterForm)},
		{"event", false, say("ce qu'est un événement", "what an event is"), ofForm(eventForm)},
		{"lasting", false, say("vrai à chaque mesure pendant cette durée", "held on every reading for this long"), shapeDuration},
		{"gap", false, say("le plus long silence qui n'interrompt pas la suite", "longest silence that does not break the run"), shapeDuration},
		{"days", false, say("vrai ce nombre de jours civils de suite", "held on this many consecutive civil days"), shapeOperand},
		{"floor", false, say("la part des mesures attendues, en %, au-dessous de laquelle les données ne suffisent pas", "least share of expected readings, in %, under which there is not enough data"), shapeNumber},
	}}
	baselineForm = &form{name: say("une valeur de référence", "a baseline"), fields: []field{
		{"statistic", must, say("ce qui est calculé des moyennes par jour", "what is computed of the daily means"), oneOfWords(baselineWords)},
		{"days", must, say("sa longueur, en jours civils", "length, in civil days"), shapeWhole},
		{"ago", must, say("son dernier jour, compté en arrière depuis aujourd'hui", "its last day, counted back from today"), shapeWhole},
		{"at_least", false, say("les jours qui doivent porter une mesure ; 1 sinon", "days that must hold a reading; 1 where absent"), shapeWhole},
	}}
	filterForm = &form{name: say("un filtre", "a filter"), fields: []field{
		{"above", false, say("strictement plus que", "strictly more than"), shapeOperand},
		{"at_least", false, say("autant ou plus", "this or more"), shapeOperand},
		{"below", false, say("strictement moins que", "strictly less than"), shapeOperand},
		{"at_most", false, say("autant ou moins", "this or less"), shapeOperand},
	}}
	eventForm = &form{name: say("un événement", "an event"), fields: []field{
		{"lasting", must, say("combien de temps les mesures satisfont « where » pour qu'un événement commence", "how long the readings satisfy \"where\" for an event to begin"), shapeDuration},
		{"ending", must, say("combien de temps elles doivent être revenues pour qu'il finisse", "how long they must be back for it to end"), shapeDuration},
		{"gap", false, say("le plus long silence dans un événement", "longest silence inside an event"), shapeDuration},
	}}
	answerForm = &form{name: say("l'ensemble des délais de réponse", "the answer delays"), fields: []field{
		{"red", false, say("pour le niveau red", "for the red level"), shapeDuration},
		{"orange", false, say("pour le niveau orange", "for the orange level"), shapeDuration},
		{"yellow", false, say("pour le niveau yellow", "for the yellow level"), shapeDuration},
		{"technical", false, say("pour le niveau technical", "for the technical level"), shapeDuration},
	}}
)

// wordKinds says what a word of a closed list is.
var wordKinds = map[string]Text{
	"answer": say("une réponse par true ou false", "an answer by true or false"), "level": say("un niveau", "a level"), "period": say("une période", "a period"),
	"source": say("une source", "a source"), "statistic": say("une statistique", "a statistic"),
	"statistic of a baseline": say("une statistique d'une valeur de référence", "a statistic of a baseline"), "status": say("un statut", "a status"),
}

// The closed lists of words.
var (
	statuses       = []string{"example", "validated"}
	periodWords    = []string{string(PerDay), string(PerWeek), string(PerSession)}
	levelWords     = []string{"technical", "yellow", "orange", "red"}
	statisticWords = statisticsWith(func(*StatisticRow) bool { return true })
	baselineWords  = statisticsWith(func(s *StatisticRow) bool { return s.Baseline })
	dailyWords     = statisticsWith(func(s *StatisticRow) bool { return s.Daily })
	filteredWords  = statisticsWith(func(s *StatisticRow) bool { return s.Where != Never })
)

// statisticsWith are the words of the statistics of which is holds.
func statisticsWith(is func(*StatisticRow) bool) []string {
	var words []string
	for _, s := range StatisticsWith(is) {
		words = append(words, string(s))
	}
	return words
}
