// Package nomenclature reads a file of measures: what can be measured, in which units, with
// which components and grades.
package nomenclature

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/document"
)

// File is what a file of measures says.
type File struct {
	Version  string // never changes once readings of its measures are kept
	Measures []*protocols.Measure
}

// Parse reads a file of measures. It returns every problem it finds, each with
// its line and column, and no file when one of them is an error. The measures are not
// known to the program before protocols.Define takes them.
func Parse(doc *document.Node) (*File, []document.Problem) {
	var r reader
	file := r.measureFile(document.Place{Node: doc})
	for i := range r.Problems {
		if r.Problems[i].Severity == document.Error {
			return nil, r.Problems
		}
	}
	return file, r.Problems
}

// reader reads a file of measures.
type reader struct{ document.Reader }

func (r *reader) measureFile(at document.Place) *File {
	if !r.Open(at, measuresForm) {
		return nil
	}
	file := &File{Version: r.Word(at.Key("version"))}
	keys, values := r.Pairs(at.Key("measures"))
	for i, value := range values {
		id := r.Name(keys[i])
		if id == "" || !r.Open(value, measureForm) {
			continue
		}
		if slices.ContainsFunc(file.Measures, func(m *protocols.Measure) bool { return m.ID == id }) {
			r.Fault(keys[i], "twice", protocols.Say("« %s » est décrite deux fois", "%s is described twice", id), protocols.Say("garder l'une des deux", "keep one of the two"))
			continue
		}
		file.Measures = append(file.Measures, r.described(value, id))
	}
	if len(file.Measures) == 0 && len(r.Problems) == 0 {
		r.Fault(at.Key("measures"), "no-measure", protocols.Say("ce fichier ne décrit aucune mesure", "this file describes no measure"), protocols.Text{})
	}
	return file
}

// described reads one measure: its own number, named value, or its components.
func (r *reader) described(at document.Place, id string) *protocols.Measure {
	m := &protocols.Measure{
		ID: id, Title: r.titled(at), LOINC: r.loinc(at.Key("loinc")), Variants: r.Words(at.Key("variants")),
		Sessions: r.Yes(at.Key("sessions")), Occurs: r.Yes(at.Key("occurs")),
	}
	r.ownCode(at.Key("loinc"), m)
	for i, name := range m.Variants {
		if !document.IsName(name) || slices.Contains(m.Variants[:i], name) {
			r.Fault(at.Key("variants"), "bad-name", protocols.Say("« %s » n'est pas un nom, ou y est deux fois", "%q is not a name, or stands there twice", name), protocols.Text{})
		}
	}
	if len(m.Variants) > maxVariants {
		r.Fault(at.Key("variants"), "bounds", protocols.Say("une mesure a %d sortes au plus, celle-ci en a %d", "a measure has at most %d variants, this one has %d", maxVariants, len(m.Variants)), protocols.Say("répartir ces sortes sur plusieurs mesures", "spread them over several measures"))
	}
	components := at.Key("components")
	if !components.Present() {
		c := r.number(at, "value", nil)
		c.Title, c.LOINC = m.Title, m.LOINC
		m.Components = []protocols.Component{c}
		return m
	}
	for _, key := range []string{"unit", "grades", "event", "from", "to", "sum_of"} {
		if own := at.Key(key); own.Present() {
			r.Fault(own, "not-together", protocols.Say("une mesure a soit des composantes, soit un nombre à elle", "a measure has either components or a number of its own"), protocols.Say("mettre « %s » dans une composante", "put %s into a component", key))
		}
	}
	keys, values := r.Pairs(components)
	for i, value := range values {
		if name := r.Name(keys[i]); name != "" && r.Open(value, componentForm) {
			c := r.number(value, name, m)
			c.Title, c.LOINC = r.titled(value), r.loinc(value.Key("loinc"))
			if m.Component(name) >= 0 {
				r.Fault(keys[i], "twice", protocols.Say("« %s » y est deux fois", "%s stands there twice", name), protocols.Text{})
			}
			m.Components = append(m.Components, c)
		}
	}
	if len(m.Components) == 0 || len(m.Components) > maxComponents {
		r.Fault(components, "bounds", protocols.Say("une mesure a de 1 à %d composantes", "a measure has 1 to %d components", maxComponents), protocols.Text{})
	}
	return m
}

// What one reading holds is bounded: its variant is one byte, and 0 is none.
const (
	maxVariants   = 255
	maxComponents = 32
)

func (r *reader) titled(at document.Place) protocols.Text {
	title := r.Text(at.Key("title"))
	if title.EN == "" {
		r.Fault(at.Key("title"), "missing-translation", protocols.Say("ce texte n'est pas traduit en anglais", "this text has no English"), protocols.Say("écrire {fr: …, en: …}", "write {fr: …, en: …}"))
	}
	return title
}

// number reads what a component is: a grade in words, an event, a score, or a number in
// a unit. The components that stand before it are those of m.
func (r *reader) number(at document.Place, name string, m *protocols.Measure) protocols.Component {
	c := protocols.Component{
		Name: name, Own: r.Yes(at.Key("own_unit")), Optional: r.Yes(at.Key("optional")), Whole: r.Yes(at.Key("whole")),
		Decimals: r.Whole(at.Key("decimals"), 0, 3, 0), Unit: protocols.Canonical(r.Word(at.Key("unit"))),
	}
	kinds := 0
	for _, key := range []string{"unit", "grades", "event", "sum_of"} {
		if at.Key(key).Present() {
			kinds++
		}
	}
	if kinds != 1 {
		r.Fault(at, "wrong-shape", protocols.Say("un nombre a soit une unité, soit des degrés en mots, soit event: true, soit sum_of", "a number has either a unit, or grades in words, or event: true, or sum_of"), protocols.Say("écrire unit, grades, event ou sum_of", "write unit, grades, event or sum_of"))
		return c
	}
	switch {
	case at.Key("grades").Present():
		r.grades(at.Key("grades"), &c)
		c.Optional = m != nil
	case at.Key("event").Present():
		c.Unit, c.High, c.Whole, c.Event, c.Optional = "1", 1000, true, true, true
	case at.Key("sum_of").Present():
		r.sumOf(at.Key("sum_of"), &c, m)
	default:
		r.ranged(at, &c)
	}
	return c
}

func (r *reader) grades(at document.Place, c *protocols.Component) {
	for _, item := range r.Items(at) {
		c.Grades = append(c.Grades, r.Text(item))
	}
	if len(c.Grades) < 2 {
		r.Fault(at, "bounds", protocols.Say("une réponse a deux degrés au moins", "an answer has at least two grades"), protocols.Say("écrire les mots de chaque degré, à partir de 0 : [{fr: non, en: no}, {fr: oui, en: yes}]", "write the words of each grade, from 0 on: [{fr: non, en: no}, {fr: oui, en: yes}]"))
	}
	for i, words := range c.Grades {
		if slices.ContainsFunc(c.Grades[:i], func(other protocols.Text) bool { return other.FR == words.FR || other.EN != "" && other.EN == words.EN }) {
			r.Note(at, document.Warning, "twice", protocols.Say("deux degrés ont les mêmes mots : « %s »", "two grades have the same words: %q", words.FR), protocols.Say("donner ses mots à chaque degré", "give each grade words of its own"))
		}
		if words.EN == "" {
			r.Fault(at, "missing-translation", protocols.Say("le degré « %s » n'est pas traduit en anglais", "the grade %q has no English", words.FR), protocols.Say("écrire {fr: …, en: …}", "write {fr: …, en: …}"))
		}
	}
	c.Unit, c.Whole, c.High = "{score}", true, protocols.Value(max(0, len(c.Grades)-1))*1000
}

// sumOf reads a score, which is the sum of components that stand before it.
func (r *reader) sumOf(at document.Place, c *protocols.Component, m *protocols.Measure) {
	c.Unit, c.Whole, c.Optional = "{score}", true, true
	if m == nil {
		r.Fault(at, "not-together", protocols.Say("un score est la somme de composantes", "a score is a sum of components"), protocols.Say("écrire components", "write components"))
		return
	}
	for _, item := range r.Items(at) {
		i := r.Component(item, m)
		if i < 0 {
			continue
		}
		c.SumOf = append(c.SumOf, i)
		c.Low, c.High = c.Low+m.Components[i].Low, c.High+m.Components[i].High
		c.Whole = c.Whole && m.Components[i].Whole
	}
	if len(c.SumOf) < 2 {
		r.Fault(at, "bounds", protocols.Say("un score additionne deux composantes au moins, écrites avant lui", "a score adds at least two components, written before it"), protocols.Text{})
	}
}

// ranged reads a number in a unit, with what an instrument can report.
func (r *reader) ranged(at document.Place, c *protocols.Component) {
	for _, key := range []string{"from", "to"} {
		if !at.Key(key).Present() {
			r.Fault(at, "missing-key", protocols.Say("rien ne dit ce qu'un instrument peut rapporter", "nothing says what an instrument can report"), protocols.Say("ajouter from et to", "add from and to"))
			return
		}
	}
	c.Low, c.High = r.Plain(at.Key("from"), c.Unit), r.Plain(at.Key("to"), c.Unit)
	if c.Low >= c.High {
		r.Fault(at.Key("to"), "bounds", protocols.Say("to doit être au-dessus de from : %s ne l'est pas de %s", "to must lie above from: %s is not above %s", c.High, c.Low), protocols.Say("écrire le plus bas dans from, le plus haut dans to", "write the lowest into from, the highest into to"))
	}
	r.known(at.Key("unit"), c.Unit)
	if c.Whole && c.Decimals > 0 {
		r.Note(at.Key("decimals"), document.Warning, "not-together", protocols.Say("un nombre entier n'a pas de décimales à montrer", "a whole number has no decimals to show"), protocols.Say("enlever decimals, ou whole", "remove decimals, or whole"))
	}
	keys, factors := r.Pairs(at.Key("units"))
	for i, factor := range factors {
		unit, text := protocols.Canonical(keys[i].Node.Text), r.Word(factor)
		if !protocols.Fraction(text) {
			r.Fault(factor, "bad-number", protocols.Say("« %s » n'est ni un nombre ni une fraction", "%q is neither a number nor a fraction", text), protocols.Say("écrire combien d'unités canoniques en vaut une : \"18.0156\", 1000/113.12", "write how many canonical units one is: \"18.0156\", 1000/113.12"))
			continue
		}
		r.known(keys[i], unit)
		if !r.alike(keys[i], unit, c.Unit) {
			continue
		}
		if exact := protocols.Exact(unit, c.Unit); exact != "" && !protocols.SameFraction(exact, text) {
			r.Fault(factor, "wrong-factor", protocols.Say("1 %s vaut %s %s, non %s", "1 %s is %s %s, not %s", unit, exact, c.Unit, text), protocols.Say("écrire %s, ou enlever cette unité : elle est connue", "write %s, or remove this unit: it is known", exact))
			continue
		}
		c.Units = append(c.Units, protocols.Scale{Unit: unit, Factor: text})
	}
}

// The forms of a file of measures.
var (
	measuresForm = &document.Form{Name: protocols.Say("un fichier de mesures", "a file of measures"), Fields: []document.Field{
		document.Key("version", document.Must, protocols.Say("ne change plus une fois que des mesures sont conservées", "never changes once readings are kept"), document.ShapeWord),
		document.Key("measures", document.Must, protocols.Say("chaque mesure, par son nom", "each measure, by its name"), document.MapOf(document.OfForm(measureForm))),
	}}
	measureForm = &document.Form{Name: protocols.Say("une mesure", "a measure"), Fields: slices.Concat([]document.Field{
		document.Key("title", document.Must, protocols.Say("comment on la nomme, dans les deux langues", "what it is called, in both languages"), document.OfForm(document.TextForm)),
		document.Key("loinc", false, protocols.Say("son code LOINC, s'il existe", "its LOINC code, where one exists"), document.ShapeWord),
		document.Key("variants", false, protocols.Say("les sortes qu'une règle peut distinguer", "the kinds that a rule may tell apart"), document.ListOf(document.ShapeName)),
		document.Key("sessions", false, protocols.Say("true si chaque relevé est une séance", "true where each reading is a session"), document.ShapeYes),
		document.Key("occurs", false, protocols.Say("true pour ce qui arrive ou est donné : deux pareils sont deux", "true for what happens or is given: two alike are two"), document.ShapeYes),
		document.Key("components", false, protocols.Say("ses nombres, par leur nom, quand il y en a plusieurs", "its numbers, by their names, where there are several"), document.MapOf(document.OfForm(componentForm))),
	}, numberFields)}
	componentForm = &document.Form{Name: protocols.Say("une composante", "a component"), Fields: slices.Concat([]document.Field{
		document.Key("title", document.Must, protocols.Say("comment on la nomme, dans les deux langues", "what it is called, in both languages"), document.OfForm(document.TextForm)),
		document.Key("loinc", false, protocols.Say("son code LOINC, s'il existe", "its LOINC code, where one exists"), document.ShapeWord),
	}, numberFields)}
	numberFields = []document.Field{
		document.Key("unit", false, protocols.Say("l'unité canonique, en UCUM", "the canonical unit, in UCUM"), document.ShapeWord),
		document.Key("units", false, protocols.Say("d'autres unités : combien d'unités canoniques en vaut une, en fraction exacte", "other units: how many canonical units one is, as an exact fraction"), shapeUnits),
		document.Key("decimals", false, protocols.Say("les décimales à montrer ; 0 sinon", "decimals to show; 0 where absent"), document.ShapeWhole),
		document.Key("from", false, protocols.Say("le plus bas qu'un instrument peut rapporter", "the lowest that an instrument can report"), document.ShapeNumber),
		document.Key("to", false, protocols.Say("le plus haut qu'un instrument peut rapporter", "the highest that an instrument can report"), document.ShapeNumber),
		document.Key("whole", false, protocols.Say("true si seuls des nombres entiers ont un sens", "true where only whole numbers make sense"), document.ShapeYes),
		document.Key("grades", false, protocols.Say("les degrés d'une réponse, en mots, à partir de 0", "the grades of an answer, in words, from 0 on"), document.ListOf(document.OfForm(document.TextForm))),
		document.Key("event", false, protocols.Say("true pour 1 quand c'est arrivé", "true for 1 where it happened"), document.ShapeYes),
		document.Key("sum_of", false, protocols.Say("les composantes dont ce score est la somme", "the components of which this score is the sum"), document.ListOf(document.ShapeName)),
		document.Key("optional", false, protocols.Say("true si un relevé peut ne pas la porter", "true where a reading may lack it"), document.ShapeYes),
		document.Key("own_unit", false, protocols.Say("true si l'unité du relevé n'est pas la sienne", "true where the unit of the reading is not its own"), document.ShapeYes),
	}
)

// shapeUnits has a fraction for each unit.
func shapeUnits() map[string]any {
	fraction := map[string]any{"anyOf": []any{map[string]any{"type": "number"}, document.Matching(`^[0-9.]+(/[0-9.]+)?$`)}}
	return map[string]any{"type": "object", "additionalProperties": fraction}
}

// Schema returns the JSON Schema of a file of measures.
func Schema() []byte { return document.WriteSchema("Vigie measures", measuresForm, nil) }
