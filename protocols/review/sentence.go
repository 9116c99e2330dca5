package review

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/document"
)

// sentenced checks the author's sentences of a rule: each place exists, and a
// comparison of every level it speaks for can fill it, in both languages alike.
func (c *checker) sentenced(at document.Place, rule *protocols.Rule) {
	c.titled(at.Key("title"), rule.TitlePlaces)
	c.advised(at, rule)
	levels := c.Items(at.Key("levels"))
	for i := range levels {
		l := &rule.Levels[i]
		own := levels[i].Key("sentence")
		c.translated(own)
		c.translated(levels[i].Key("advice"))
		if rule.SentenceAt(l.Level) == (protocols.Text{}) {
			c.unspoken(levels[i])
		}
		c.parted(levels[i].Key("when"), &l.When, &l.When, true)
		c.emptied(levels[i], rule, l)
		if l.Sentence != (protocols.Text{}) {
			c.placed(own, l.Sentence, &l.When)
		} else if rule.Sentence != (protocols.Text{}) {
			c.placed(at.Key("sentence"), rule.Sentence, &l.When)
		}
	}
	for i, remark := range c.Items(at.Key("remarks")) {
		c.translated(remark.Key("says"))
		c.placed(remark.Key("says"), rule.Remarks[i].Says, &rule.Remarks[i].When)
	}
	c.translated(at.Key("sentence"))
	if rule.Absence != nil && rule.Sentence == (protocols.Text{}) {
		c.unspoken(at.Key("absence"))
	}
	if rule.Absence != nil && rule.Sentence != (protocols.Text{}) {
		c.placed(at.Key("sentence"), rule.Sentence, nil)
		last := slices.ContainsFunc(protocols.Places(rule.Sentence.FR), func(p protocols.SentencePlace) bool { return p.Value == "last" })
		if last && rule.Absence.Cadence.Per == protocols.PerSession {
			c.Fault(at.Key("sentence"), "unknown-place", protocols.Say("une séance n'a pas de dernière mesure", "a session has no last reading"), protocols.Say("enlever {last}", "remove {last}"))
		}
	}
}

// titled checks the places of a title: each is a setting, in both languages alike.
func (c *checker) titled(at document.Place, title protocols.Text) {
	fr, en := protocols.Places(title.FR), protocols.Places(title.EN)
	for _, p := range fr {
		if p.Of != "" || p.One != "" || c.protocol.Parameter(p.Value) == nil {
			c.Fault(at, "unknown-place", protocols.Say("« %s » n'est pas un réglage : un titre n'a pas d'autre place", "%q is no setting: a title has no other place", placeName(p)), document.OneAmong(c.protocol.ParameterNames()))
		}
	}
	if title.EN != "" {
		c.alike(at, fr, en)
	}
}

// advised notes each level at which whoever reads the alert is not told what to do next. It
// is a warning.
func (c *checker) advised(at document.Place, rule *protocols.Rule) {
	where := c.Items(at.Key("levels"))
	for i, level := range rule.Raises() {
		place := at.Key("absence")
		if rule.Absence == nil {
			place = where[i]
		}
		if rule.AdviceAt(level) == (protocols.Text{}) {
			c.Note(place, document.Warning, "no-advice", protocols.Say("l'alerte ne dit pas quoi faire ensuite", "the alert does not say what to do next"), protocols.Say("ajouter advice: {fr: …, en: …}, à la règle ou au niveau", "add advice: {fr: …, en: …}, to the rule or the level"))
			if rule.Absence != nil {
				return
			}
		}
	}
}

// unspoken notes what rings without an author's sentence. It is a warning: Vigie then says
// in short what came out.
func (c *checker) unspoken(at document.Place) {
	c.Note(at, document.Warning, "no-sentence", protocols.Say("l'alerte de ce niveau n'a pas de phrase d'auteur : un soignant lit ce que Vigie compose", "the alert of this level has no author's sentence: a nurse reads what Vigie puts together"), protocols.Say("ajouter sentence: {fr: …, en: …}, à la règle ou au niveau", "add sentence: {fr: …, en: …}, to the rule or the level"))
}

// placed checks the places of a sentence; when is nil for a silence.
func (c *checker) placed(at document.Place, sentence protocols.Text, when *protocols.Condition) {
	if protocols.LooseBrace(sentence.FR) || protocols.LooseBrace(sentence.EN) {
		c.Fault(at, "unknown-place", protocols.Say("une accolade n'a pas sa paire : un soignant la lirait", "a brace lacks its other half: a nurse would read it"), protocols.Say("écrire une place entre deux accolades : {weight.now}", "write a place between two braces: {weight.now}"))
		return
	}
	fr, en := protocols.Places(sentence.FR), protocols.Places(sentence.EN)
	for _, p := range fr {
		c.fitting(at, p, when)
	}
	if sentence.EN != "" {
		c.alike(at, fr, en)
	}
}

// alike checks that both languages have the same places.
func (c *checker) alike(at document.Place, fr, en []protocols.SentencePlace) {
	for _, p := range en {
		if !slices.ContainsFunc(fr, p.Alike) {
			c.Fault(at, "places-differ", protocols.Say("la phrase anglaise a une place « %s » que la française n'a pas", "the English sentence has a place %q that the French one lacks", placeName(p)), protocols.Say("donner les mêmes places aux deux", "give both the same places"))
		}
	}
	for _, p := range fr {
		if !slices.ContainsFunc(en, p.Alike) {
			c.Fault(at, "places-differ", protocols.Say("la phrase anglaise n'a pas la place « %s » de la française", "the English sentence lacks the place %q of the French one", placeName(p)), protocols.Say("donner les mêmes places aux deux", "give both the same places"))
		}
	}
}

func (c *checker) fitting(at document.Place, p protocols.SentencePlace, when *protocols.Condition) {
	if !slices.Contains(protocols.SentenceValues, p.Value) {
		c.Fault(at, "unknown-place", protocols.Say("« %s » n'est pas une place", "%q is no place", placeName(p)), document.OneAmong(protocols.SentenceValues))
		return
	}
	if (p.One == "") != (p.Many == "") {
		c.Fault(at, "unknown-place", protocols.Say("un nom s'écrit au singulier et au pluriel", "a noun is written in the singular and in the plural"), protocols.Say("écrire {count:épisode|épisodes}", "write {count:episode|episodes}"))
		return
	}
	if p.One != "" && p.Value != "count" {
		c.Fault(at, "unknown-place", protocols.Say("« %s » n'est pas un compte : un nom ne s'accorde qu'avec lui", "%q is no count: a noun agrees with that alone", placeName(p)), protocols.Say("écrire {count:épisode|épisodes}", "write {count:episode|episodes}"))
		return
	}
	fits := when == nil && p.Of == "" && slices.Contains([]string{"since", "count", "threshold", "set_by", "last"}, p.Value)
	var names []string
	if when != nil {
		fits = p.OfAll()
		when.Scores(func(*protocols.Score) { fits = fits || p.OfScore() })
		when.Comparisons(func(compared *protocols.Comparison) {
			fits = fits || p.Fits(compared)
			for _, name := range placesOf(compared) {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		})
	}
	if !fits {
		c.Fault(at, "unknown-place", protocols.Say("rien dans la condition ne remplit la place « %s »", "nothing in the condition fills the place %q", placeName(p)), document.OneAmong(names))
	}
}

// placesOf are the places that a comparison fills, by its own name.
func placesOf(compared *protocols.Comparison) (names []string) {
	for _, value := range protocols.SentenceValues {
		if p := (protocols.SentencePlace{Of: compared.Name(), Value: value}); p.Fits(compared) {
			names = append(names, placeName(p))
		}
	}
	return names
}

func placeName(p protocols.SentencePlace) string {
	if p.Of == "" {
		return "{" + p.Value + "}"
	}
	return "{" + p.Of + "." + p.Value + "}"
}
