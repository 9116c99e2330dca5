package language

import (
	"vigie/protocols"
	"vigie/protocols/document"
)

// The forms, from the outside in.
var (
	protocolForm = &document.Form{Name: protocols.Say("un protocole", "a protocol"), Fields: []document.Field{
		document.Key("id", document.Must, protocols.Say("le nom du protocole, le même dans toutes ses versions", "the name of the protocol, the same in every version"), document.ShapeName),
		document.Key("version", document.Must, protocols.Say("\"1\", \"2\"… ou une date ; une version ne change plus dès qu'elle a servi", "\"1\", \"2\"… or a date; a version never changes once used"), document.ShapeWord),
		document.Key("status", document.Must, protocols.Say("example, tant qu'aucun professionnel nommé ne l'a validé ; puis validated", "example, until a named professional has validated it; then validated"), document.OneOfWords(statuses)),
		document.Key("validated_by", false, protocols.Say("qui l'a validé", "who validated it"), document.ShapeWord),
		document.Key("validated_on", false, protocols.Say("quand, comme 2026-01-31", "when, as 2026-01-31"), document.ShapeDate),
		document.Key("title", document.Must, protocols.Say("le nom qu'un soignant lui donne", "what a clinician calls it"), document.OfForm(document.TextForm)),
		document.Key("pathology", document.Must, protocols.Say("la maladie, avec son code de la CIM-10", "the disease, with its ICD-10 code"), document.OfForm(pathologyForm)),
		document.Key("origin", document.Must, protocols.Say("le texte officiel dont il suit la structure", "the official text that the structure follows"), document.ShapeWord),
		document.Key("eligibility", document.Must, protocols.Say("quels patients et quels appareils", "which patients and which devices"), document.OfForm(eligibilityForm)),
		document.Key("observations", document.Must, protocols.Say("ce qui est mesuré, et à quel rythme", "what is measured, and how often"), document.ListOf(document.OfForm(observationForm))),
		document.Key("parameters", false, protocols.Say("les nombres qui se règlent par patient, par leur nom", "numbers that may be set per patient, by name"), document.MapOf(document.OfForm(parameterForm))),
		document.Key("rules", document.Must, protocols.Say("les questions posées aux mesures", "the questions asked of the readings"), document.ListOf(document.OfForm(ruleForm))),
		document.Key("answer", document.Must, protocols.Say("le délai de prise en charge par niveau, aux heures d'ouverture de l'équipe", "delay to acknowledge per level, in the team's opening hours"), document.OfForm(answerForm)),
		document.Key("rest", false, protocols.Say("par niveau, le temps pendant lequel une alerte close dont la condition dure ne revient pas ; pour red, aux heures d'ouverture", "per level, how long a resolved alert whose condition holds on stays away; for red in opening hours"), document.OfForm(restForm)),
		document.Key("follow_up", false, protocols.Say("par niveau, le temps après lequel la personne qui a pris en charge est relancée", "per level, how long until whoever took it on is asked again"), document.OfForm(followUpForm)),
		document.Key("too_late", document.Must, protocols.Say("une alerte trouvée plus longtemps que cela après sa mesure est montrée sans sonner", "an alert found later than this after its measurement is shown, not rung"), document.ShapeDuration),
		document.Key("patient", document.Must, protocols.Say("ce qui est dit au patient, en mots simples", "what the patient is told, in plain words"), document.OfForm(document.TextForm)),
	}}
	pathologyForm = &document.Form{Name: protocols.Say("une pathologie", "a pathology"), Fields: []document.Field{
		document.Key("icd10", document.Must, protocols.Say("code de la CIM-10 : I50, ou un intervalle : E10-E14", "ICD-10 code: I50, or a range: E10-E14"), shapeICD10),
		document.Key("title", document.Must, protocols.Say("son nom", "its name"), document.OfForm(document.TextForm)),
	}}
	eligibilityForm = &document.Form{Name: protocols.Say("l'éligibilité", "the eligibility"), Fields: []document.Field{
		document.Key("patient", document.Must, protocols.Say("en mots, pour la personne qui inclut", "in words, for the person who enrols"), document.OfForm(document.TextForm)),
		document.Key("min_age", false, protocols.Say("en années", "in years"), document.ShapeWhole),
		document.Key("max_age", false, protocols.Say("en années : le dernier âge admis", "in years: the last age that is admitted"), document.ShapeWhole),
		document.Key("devices", document.Must, protocols.Say("des classes d'appareils ; un appareil doit être de l'une d'elles", "classes of devices; a device must match one"), document.ListOf(document.OfForm(deviceForm))),
	}}
	deviceForm = &document.Form{Name: protocols.Say("une classe d'appareils", "a device class"), Fields: []document.Field{
		document.Key("kind", document.Must, protocols.Say("scale, oximeter…", "scale, oximeter…"), document.ShapeName),
		document.Key("brand", false, protocols.Say("cette marque seulement", "only this brand"), document.ShapeWord),
		document.Key("model", false, protocols.Say("ce modèle seulement", "only this model"), document.ShapeWord),
	}}
	observationForm = &document.Form{Name: protocols.Say("une observation", "an observation"), Fields: []document.Field{
		document.Key("measure", document.Must, protocols.Say("ce qui est mesuré", "what is measured"), shapeMeasure),
		document.Key("variant", false, protocols.Say("une variante de la mesure", "one variant of the measure"), shapeVariant),
		document.Key("mandatory", false, protocols.Say("true là où le texte officiel l'exige", "true where the official text demands it"), document.ShapeYes),
		document.Key("cadence", false, protocols.Say("à quel rythme elle est attendue", "how often it is expected"), document.OfForm(cadenceForm)),
		document.Key("plausible", false, protocols.Say("pour le poids : ce qui est pris pour une erreur de la personne ou de la balance, jusqu'à ce qu'une autre pesée soit d'accord", "for a weight: what is taken for an error of the person or the scale, until another weighing agrees"), document.OfForm(plausibleForm)),
		document.Key("silent", false, protocols.Say("les nombres affichés qui ne sonnent pas, et les lignes de danger laissées sans alerte, chacun avec sa raison", "numbers that are shown and never ring, and lines of danger left without an alert, each with the reason"), document.MapOf(document.OfForm(document.TextForm))),
		document.Key("ignore_flags", false, protocols.Say("les mesures qui portent l'un de ces drapeaux ne servent à aucune règle", "readings carrying one of these flags never feed a rule"), document.ListOf(document.ShapeWord)),
	}}
	plausibleForm = &document.Form{Name: protocols.Say("ce qui est plausible", "what is plausible"), Fields: []document.Field{
		document.Key("within", document.Must, protocols.Say("jusqu'à quelle distance de la médiane", "up to what distance from the median"), shapeOperand),
		document.Key("agree", document.Must, protocols.Say("jusqu'à quelle distance deux mesures de suite sont d'accord", "up to what distance two readings in a row agree"), shapeOperand),
		document.Key("days", document.Must, protocols.Say("de combien de fois 24 heures est la médiane", "of how many times 24 hours the median is"), document.ShapeWhole),
		document.Key("at_least", false, protocols.Say("combien de mesures il faut pour une médiane ; 1 sinon", "how many readings a median takes; 1 where absent"), document.ShapeWhole),
		document.Key("seed", false, protocols.Say("le paramètre qui compte comme une pesée du jour où il est réglé ; ce qui précède ne compte plus", "the parameter that counts as a weighing of the day on which it is set; what came before no longer counts"), document.ShapeName),
	}}
	cadenceForm = &document.Form{Name: protocols.Say("un rythme", "a cadence"), Fields: []document.Field{
		document.Key("times", false, protocols.Say("combien", "how many"), document.ShapeWhole),
		document.Key("per", false, protocols.Say("dans chaque jour civil ou semaine du patient, ou dans chaque séance", "in each civil day or week of the patient, or in each session"), document.OneOfWords(periodNames)),
		document.Key("of", false, protocols.Say("avec per: session, la mesure dont chaque valeur est une séance ; cette mesure-ci sinon", "with per: session, the measure of which each reading is a session; this measure where absent"), document.OneOfWords(sessionNames)),
		document.Key("before", false, protocols.Say("l'heure locale avant laquelle elle est attendue, comme \"12:00\"", "local time by which it is due, as \"12:00\""), document.ShapeClock),
		document.Key("grace", false, protocols.Say("combien de temps après elle peut encore arriver ; avec per: session, à quelle distance de la séance elle peut être mesurée", "how long after that it may still arrive; with per: session, how far from the session it may be measured"), document.ShapeDuration),
		document.Key("every", false, protocols.Say("le pas habituel entre deux mesures d'un capteur continu, ou le paramètre en minutes qui le contient", "usual step between two readings of a continuous sensor, or the parameter in minutes that holds it"), shapeStep),
	}}
	parameterForm = &document.Form{Name: protocols.Say("un paramètre", "a parameter"), Fields: []document.Field{
		document.Key("title", document.Must, protocols.Say("ce qu'il règle, en mots", "what it sets, in words"), document.OfForm(document.TextForm)),
		document.Key("unit", document.Must, protocols.Say("l'unité UCUM ; 1 pour un compte, d pour des jours", "UCUM unit; 1 for a count, d for days"), document.ShapeWord),
		document.Key("default", document.Must, protocols.Say("la valeur quand le patient n'en a pas", "the value where the patient has none"), document.ShapeNumber),
		document.Key("min", document.Must, protocols.Say("la plus petite valeur permise", "lowest value that may be set"), document.ShapeNumber),
		document.Key("max", document.Must, protocols.Say("la plus grande valeur permise", "highest value that may be set"), document.ShapeNumber),
		document.Key("origin", false, protocols.Say("d'où vient la valeur par défaut", "where the default comes from"), document.ShapeWord),
		document.Key("must_be_set", false, protocols.Say("true là où aucune valeur ne convient à tous : personne n'est suivi sans la sienne, et default ne sert qu'aux essais", "true where no value suits everybody: nobody is followed without one of his own, and default serves the tests alone"), document.ShapeYes),
	}}
	ruleForm = &document.Form{Name: protocols.Say("une règle", "a rule"), Fields: []document.Field{
		document.Key("id", document.Must, protocols.Say("le nom de la règle", "the name of the rule"), document.ShapeName),
		document.Key("title", document.Must, protocols.Say("le nom de ses alertes", "what an alert of it is called"), document.OfForm(document.TextForm)),
		document.Key("advice", false, protocols.Say("ce que le texte propose de regarder", "what the text suggests to look at"), document.OfForm(document.TextForm)),
		document.Key("sentence", false, protocols.Say("ce que dit une alerte, avec des places pour les valeurs : {weight.now}", "what an alert says, with places for values: {weight.now}"), document.OfForm(document.TextForm)),
		document.Key("origin", false, protocols.Say("d'où viennent ses nombres", "where its numbers come from"), document.ShapeWord),
		document.Key("levels", false, protocols.Say("des conditions, du niveau le moins grave au plus grave", "conditions, from the mildest level to the gravest"), document.ListOf(document.OfForm(levelForm))),
		document.Key("remarks", false, protocols.Say("des phrases ajoutées à l'alerte quand leur condition est vraie, comme « à vérifier » ; elles ne retiennent rien", "sentences added to an alert when their condition is true, such as \"to be checked\"; they hold nothing back"), document.ListOf(document.OfForm(remarkForm))),
		document.Key("held_by", false, protocols.Say("les règles qui, tant qu'elles sont actives, retiennent celle-ci", "rules which, while active, hold this one back"), document.ListOf(document.ShapeName)),
		document.Key("yields_to", false, protocols.Say("les règles qui retiennent celle-ci tant qu'elles sont à un niveau au moins aussi grave", "rules which hold this one back while they stand at a level at least as grave"), document.ListOf(document.ShapeName)),
		document.Key("event", false, protocols.Say("true pour ce qui est arrivé, comme un choc : sonne même en retard, pendant des jours", "true for something that happened, such as a shock: rings though it comes late, for days"), document.ShapeYes),
		document.Key("absence", false, protocols.Say("au lieu de levels : une mesure attendue et qui manque", "instead of levels: a measure that is expected and missing"), document.OfForm(absenceForm)),
	}}
	levelForm = &document.Form{Name: protocols.Say("un niveau", "a level"), Fields: []document.Field{
		document.Key("level", document.Must, protocols.Say("technical, yellow, orange ou red", "technical, yellow, orange or red"), document.OneOfWords(levels)),
		document.Key("when", document.Must, protocols.Say("la condition", "the condition"), shapeCondition),
		document.Key("sentence", false, protocols.Say("ce que dit une alerte de ce niveau ; la phrase de la règle sinon", "what an alert of this level says; the rule's sentence where absent"), document.OfForm(document.TextForm)),
		document.Key("advice", false, protocols.Say("ce que le texte propose de regarder à ce niveau ; celui de la règle sinon", "what the text suggests to look at at this level; the rule's where absent"), document.OfForm(document.TextForm)),
		document.Key("confirm", false, protocols.Say("demander une deuxième mesure dans ce délai", "ask for a second reading within this time"), shapeConfirm),
	}}
	confirmForm = &document.Form{Name: protocols.Say("une confirmation", "a confirmation"), Fields: []document.Field{
		document.Key("within", document.Must, protocols.Say("dans quel délai", "within what time"), document.ShapeDuration),
		document.Key("apart", document.Must, protocols.Say("combien de temps au moins après la première", "how long after the first at least"), document.ShapeDuration),
	}}
	remarkForm = &document.Form{Name: protocols.Say("une remarque", "a remark"), Fields: []document.Field{
		document.Key("when", document.Must, protocols.Say("la condition, au moment de l'alerte", "the condition, at the moment of the alert"), shapeCondition),
		document.Key("says", document.Must, protocols.Say("la phrase, avec des places pour les valeurs de sa condition", "the sentence, with places for the values of its condition"), document.OfForm(document.TextForm)),
	}}
	absenceForm = &document.Form{Name: protocols.Say("une absence", "an absence"), Fields: []document.Field{
		document.Key("measure", document.Must, protocols.Say("ce qui est attendu", "what is expected"), shapeMeasure),
		document.Key("variant", false, protocols.Say("une variante de la mesure", "one variant of the measure"), shapeVariant),
		document.Key("components", false, protocols.Say("les nombres qu'une mesure doit porter pour compter", "the numbers that a reading must hold to count"), document.ListOf(shapeComponent)),
		document.Key("cadence", false, protocols.Say("à quel rythme ; celui de l'observation sinon", "how often; that of the observation where absent"), document.OfForm(cadenceForm)),
		document.Key("missing", document.Must, protocols.Say("des niveaux, par nombre de périodes manquantes de suite", "levels, by the number of missing periods in a row"), document.ListOf(document.OfForm(missingForm))),
	}}
	missingForm = &document.Form{Name: protocols.Say("un niveau d'absence", "a missing level"), Fields: []document.Field{
		document.Key("level", document.Must, protocols.Say("technical, yellow, orange ou red", "technical, yellow, orange or red"), document.OneOfWords(levels)),
		document.Key("periods", document.Must, protocols.Say("les périodes manquantes de suite", "missing periods in a row"), shapeOperand),
	}}
	comparisonForm = &document.Form{Name: protocols.Say("une condition", "a condition"), Fields: []document.Field{
		document.Key("measure", document.Must, protocols.Say("ce qui est regardé", "what is looked at"), shapeMeasure),
		document.Key("component", false, protocols.Say("quel nombre de la mesure ; inutile s'il n'y en a qu'un", "which number of the measure; may be left out where there is one"), shapeComponent),
		document.Key("variant", false, protocols.Say("une variante de la mesure", "one variant of the measure"), shapeVariant),
		document.Key("flag", false, protocols.Say("au lieu de component : un drapeau, qui vaut 1 pour une mesure qui le porte et 0 sinon", "instead of component: a flag, 1 for a reading that carries it and 0 for one that does not"), document.OneOfWords(flagNames)),
		document.Key("hours", false, protocols.Say("les heures du jour auxquelles une mesure compte, comme la nuit ou le jeûne", "the hours of the day at which a reading counts, such as the night or the time of fasting"), document.OfForm(hoursForm)),
		document.Key("meal", false, protocols.Say("le moment par rapport au repas auquel une mesure compte, d'après la mesure elle-même", "the moment by a meal at which a reading counts, by what the reading says"), document.OneOfWords(mealsAsked)),
		document.Key("statistic", false, protocols.Say("ce qui est calculé ; last sinon", "what is computed; last where absent"), document.OneOfWords(statisticNames)),
		document.Key("window", false, protocols.Say("jusqu'où en arrière : 15m, 24h, ou 3d pour des jours civils", "how far back: 15m, 24h, or 3d for civil days"), shapeWindow),
		document.Key("minus", false, protocols.Say("une valeur plus ancienne, soustraite", "an older value that is subtracted"), document.OfForm(baselineForm)),
		document.Key("minus_measure", false, protocols.Say("une autre mesure, ou une autre variante, dont la dernière valeur est soustraite : l'écart entre deux appareils", "another measure or variant whose latest reading is subtracted: by how much two devices disagree"), document.OfForm(besideForm)),
		document.Key("minus_component", false, protocols.Say("un autre nombre de la même mesure, soustrait", "another number of the same reading that is subtracted"), shapeComponent),
		document.Key("per_component", false, protocols.Say("un autre nombre de la même mesure, par lequel il est divisé", "another number of the same reading by which it is divided"), shapeComponent),
		document.Key("above", false, protocols.Say("strictement plus que", "strictly more than"), shapeOperand),
		document.Key("at_least", false, protocols.Say("autant ou plus", "this or more"), shapeOperand),
		document.Key("below", false, protocols.Say("strictement moins que", "strictly less than"), shapeOperand),
		document.Key("at_most", false, protocols.Say("autant ou moins", "this or less"), shapeOperand),
		document.Key("clear", false, protocols.Say("ce qu'il faut pour sortir ; le seuil lui-même sinon", "what it takes to leave; the threshold itself where absent"), shapeOperand),
		document.Key("margin", false, protocols.Say("de combien il faut repasser le seuil pour sortir ; au lieu de clear", "how far back inside the threshold it takes to leave; instead of clear"), document.ShapeNumber),
		document.Key("where", false, protocols.Say("quelles mesures comptent", "which readings count"), document.OfForm(filterForm)),
		document.Key("apart", false, protocols.Say("avec count : une mesure qui passe « where » moins longtemps que cela après une autre ne compte pas une deuxième fois", "with count: a reading that passes \"where\" less than this after another one does not count again"), document.ShapeDuration),
		document.Key("event", false, protocols.Say("ce qu'est un événement", "what an event is"), document.OfForm(eventForm)),
		document.Key("lasting", false, protocols.Say("vrai à chaque mesure pendant cette durée", "held on every reading for this long"), document.ShapeDuration),
		document.Key("gap", false, protocols.Say("le plus long silence qui n'interrompt pas la suite", "longest silence that does not break the run"), document.ShapeDuration),
		document.Key("days", false, protocols.Say("vrai ce nombre de jours civils de suite", "held on this many consecutive civil days"), shapeOperand),
		document.Key("floor", false, protocols.Say("la part des mesures attendues, en %, au-dessous de laquelle les données ne suffisent pas", "least share of expected readings, in %, under which there is not enough data"), document.ShapeNumber),
		document.Key("sentence", false, protocols.Say("ce que dit une alerte quand c'est cette partie qui est vraie ; la phrase du niveau sinon", "what an alert says when it is this part that is true; the level's sentence where absent"), document.OfForm(document.TextForm)),
	}}
	hoursForm = &document.Form{Name: protocols.Say("des heures du jour", "hours of the day"), Fields: []document.Field{
		document.Key("from", document.Must, protocols.Say("à partir de cette heure locale, comme \"05:00\"", "from this local time on, as \"05:00\""), document.ShapeClock),
		document.Key("to", document.Must, protocols.Say("avant cette heure locale ; le lendemain si elle est plus tôt", "before this local time; of the next day where it is earlier"), document.ShapeClock),
	}}
	someForm = &document.Form{Name: protocols.Say("un nombre de signes", "a number of signs"), Fields: []document.Field{
		document.Key("at_least", document.Must, protocols.Say("combien doivent être vraies", "how many have to be so"), document.ShapeWhole),
		document.Key("of", document.Must, protocols.Say("des conditions, trois ou plus", "conditions, three or more"), document.ListOf(shapeCondition)),
		document.Key("sentence", false, protocols.Say("ce que dit une alerte quand c'est cette partie qui est vraie ; la phrase du niveau sinon", "what an alert says when it is this part that is true; the level's sentence where absent"), document.OfForm(document.TextForm)),
	}}
	scoreForm = &document.Form{Name: protocols.Say("un score", "a score"), Fields: []document.Field{
		document.Key("score", document.Must, protocols.Say("des conditions, chacune avec ses points, deux ou plus", "conditions, each with its points, two or more"), document.ListOf(document.OfForm(partForm))),
		document.Key("at_least", document.Must, protocols.Say("combien de points il faut : un nombre, ou un paramètre d'unité 1", "how many points it takes: a number, or a parameter of unit 1"), shapeOperand),
		document.Key("margin", false, protocols.Say("combien de points de moins il faut pour sortir", "how many points fewer it takes to leave"), document.ShapeNumber),
		document.Key("sentence", false, protocols.Say("ce que dit une alerte quand c'est cette partie qui est vraie ; la phrase du niveau sinon", "what an alert says when it is this part that is true; the level's sentence where absent"), document.OfForm(document.TextForm)),
	}}
	partForm = &document.Form{Name: protocols.Say("une partie d'un score", "a part of a score"), Fields: []document.Field{
		document.Key("points", document.Must, protocols.Say("ce qu'elle ajoute quand elle est vraie", "what it adds when it is true"), document.ShapeNumber),
		document.Key("when", document.Must, protocols.Say("la condition", "the condition"), shapeCondition),
	}}
	baselineForm = &document.Form{Name: protocols.Say("une valeur de référence", "a baseline"), Fields: []document.Field{
		document.Key("statistic", document.Must, protocols.Say("ce qui est calculé des moyennes par jour", "what is computed of the daily means"), document.OneOfWords(baselineNames)),
		document.Key("days", document.Must, protocols.Say("sa longueur, en jours civils", "length, in civil days"), document.ShapeWhole),
		document.Key("ago", document.Must, protocols.Say("son dernier jour, compté en arrière depuis aujourd'hui", "its last day, counted back from today"), document.ShapeWhole),
		document.Key("at_least", false, protocols.Say("les jours qui doivent porter une mesure ; 1 sinon", "days that must hold a reading; 1 where absent"), document.ShapeWhole),
		document.Key("as", false, protocols.Say("en quoi l'écart est compté : percent, de la référence, ou deviations, en écarts habituels d'un jour à l'autre ; dans l'unité de la mesure sinon", "what the distance is counted in: percent, of the baseline, or deviations, the usual ones from day to day; in the unit of the readings where absent"), document.OneOfWords(scaleNames)),
		document.Key("least", false, protocols.Say("avec as: deviations, le plus petit écart habituel qui est employé", "with as: deviations, the smallest usual deviation that is used"), shapeOperand),
		document.Key("most", false, protocols.Say("avec as: deviations, le plus grand écart habituel qui est employé", "with as: deviations, the largest usual deviation that is used"), shapeOperand),
		document.Key("seed", false, protocols.Say("le paramètre qui tient lieu de référence depuis le jour où il est réglé, tant que trop peu de jours portent une mesure ; ce qui précède ne compte plus", "the parameter that stands for the baseline from the day on which it is set, while too few days hold a reading; what came before no longer counts"), document.ShapeName),
	}}
	besideForm = &document.Form{Name: protocols.Say("une autre mesure", "another measure"), Fields: []document.Field{
		document.Key("measure", document.Must, protocols.Say("ce qui est soustrait", "what is subtracted"), shapeMeasure),
		document.Key("component", false, protocols.Say("quel nombre de la mesure ; inutile s'il n'y en a qu'un", "which number of the measure; may be left out where there is one"), shapeComponent),
		document.Key("variant", false, protocols.Say("une variante de la mesure", "one variant of the measure"), shapeVariant),
		document.Key("within", document.Must, protocols.Say("le plus long temps entre les deux", "longest time between the two"), document.ShapeDuration),
		document.Key("as", false, protocols.Say("percent : l'écart est compté en % de l'autre mesure", "percent: the distance is counted in per cent of the other measure"), document.OneOfWords(besideScales)),
	}}
	filterForm = &document.Form{Name: protocols.Say("un filtre", "a filter"), Fields: []document.Field{
		document.Key("above", false, protocols.Say("strictement plus que", "strictly more than"), shapeOperand),
		document.Key("at_least", false, protocols.Say("autant ou plus", "this or more"), shapeOperand),
		document.Key("below", false, protocols.Say("strictement moins que", "strictly less than"), shapeOperand),
		document.Key("at_most", false, protocols.Say("autant ou moins", "this or less"), shapeOperand),
	}}
	eventForm = &document.Form{Name: protocols.Say("un événement", "an event"), Fields: []document.Field{
		document.Key("lasting", document.Must, protocols.Say("combien de temps les mesures satisfont « where » pour qu'un événement commence", "how long the readings satisfy \"where\" for an event to begin"), document.ShapeDuration),
		document.Key("ending", document.Must, protocols.Say("combien de temps elles doivent être revenues pour qu'il finisse", "how long they must be back for it to end"), document.ShapeDuration),
		document.Key("gap", false, protocols.Say("le plus long silence dans un événement", "longest silence inside an event"), document.ShapeDuration),
		document.Key("until", false, protocols.Say("les mesures qui sont revenues ; celles qui ne satisfont pas « where » sinon", "the readings that are back; those that do not satisfy \"where\" where absent"), document.OfForm(filterForm)),
	}}
	answerForm   = delaysForm("l'ensemble des délais de réponse", "the answer delays")
	restForm     = delaysForm("l'ensemble des temps de repos", "the rest times")
	followUpForm = delaysForm("l'ensemble des délais de suivi", "the follow-up delays")
)

// delaysForm is a duration for each level.
func delaysForm(fr, en string) *document.Form {
	return &document.Form{Name: protocols.Say(fr, en), Fields: []document.Field{
		document.Key("red", false, protocols.Say("pour le niveau red", "for the red level"), document.ShapeDuration),
		document.Key("orange", false, protocols.Say("pour le niveau orange", "for the orange level"), document.ShapeDuration),
		document.Key("yellow", false, protocols.Say("pour le niveau yellow", "for the yellow level"), document.ShapeDuration),
		document.Key("technical", false, protocols.Say("pour le niveau technical", "for the technical level"), document.ShapeDuration),
	}}
}

// The closed lists of words.
var (
	statuses       = &document.Choice{Code: "status", Says: protocols.Say("un statut", "a status"), Words: []string{"example", "validated"}}
	periodNames    = &document.Choice{Code: "period", Says: protocols.Say("une période", "a period"), Words: []string{string(protocols.PerDay), string(protocols.PerWeek), string(protocols.PerSession)}}
	levels         = &document.Choice{Code: "level", Says: protocols.Say("un niveau", "a level"), Words: []string{protocols.Technical.String(), protocols.Yellow.String(), protocols.Orange.String(), protocols.Red.String()}}
	sources        = &document.Choice{Code: "source", Says: protocols.Say("une source", "a source"), Words: []string{protocols.FromDevice.String(), protocols.FromPatient.String(), protocols.FromProfessional.String()}}
	sessionNames   = &document.Choice{Code: "measure", Says: protocols.Say("une mesure de séances", "a measure of sessions"), Words: sessionMeasureIDs()}
	mealNames      = &document.Choice{Code: "meal", Says: protocols.Say("un moment par rapport au repas", "a moment by a meal"), Words: protocols.MealNames()}
	mealsAsked     = &document.Choice{Code: "meal", Says: protocols.Say("un moment par rapport au repas", "a moment by a meal"), Words: protocols.MealsAsked()}
	flagNames      = &document.Choice{Code: "flag", Says: protocols.Say("un drapeau", "a flag"), Words: protocols.FlagWords()}
	statisticNames = &document.Choice{Code: "statistic", Says: protocols.Say("une statistique", "a statistic"), Words: statisticsWith(func(*protocols.StatisticRow) bool { return true })}
	scaleNames     = &document.Choice{Code: "scale", Says: protocols.Say("une façon de compter un écart", "a way to count a distance"), Words: []string{string(protocols.InPercent), string(protocols.InDeviations)}}
	besideScales   = &document.Choice{Code: "scale", Says: protocols.Say("une façon de compter un écart", "a way to count a distance"), Words: []string{string(protocols.InPercent)}}
	baselineNames  = &document.Choice{Code: "statistic", Says: protocols.Say("une statistique d'une valeur de référence", "a statistic of a baseline"), Words: statisticsWith(func(s *protocols.StatisticRow) bool { return s.Baseline })}
)

// statisticsWith are the words of the statistics of which is holds.
func statisticsWith(is func(*protocols.StatisticRow) bool) []string {
	var words []string
	for _, s := range protocols.StatisticsWith(is) {
		words = append(words, string(s))
	}
	return words
}
