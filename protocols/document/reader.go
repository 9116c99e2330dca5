package document

import (
	"slices"
	"strconv"
	"strings"

	"vigie/protocols"
)

// Place is a node of a document with the path that leads to it, for complaints.
type Place struct {
	Node *Node
	Path string // "rules[2].when"
}

// Key returns the place under key; its node is nil when the key is absent. A number whose
// decimals stand behind a comma, of which Open complains, is the number that was meant.
func (p Place) Key(name string) Place {
	return Place{pointed(p.Node, p.Node.Get(name)), Join(p.Path, name)}
}

// pointed is a value of n, with the decimals that YAML took for the key behind it.
func pointed(n, value *Node) *Node {
	if value == nil || value.Kind != Scalar {
		return value
	}
	i := slices.Index(n.Items, value) + 1
	if i == len(n.Keys) || !decimalsOf(n, i) {
		return value
	}
	whole := *value
	whole.Text += "." + n.Keys[i].Text
	return &whole
}

// Join is the path of a key below a path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Present reports whether something is written there: an empty text is nothing.
func (p Place) Present() bool {
	return p.Node != nil && p.Node.Kind != Null && (p.Node.Kind != Scalar || strings.TrimSpace(p.Node.Text) != "")
}

// Reader reads a document and gathers what is wrong with it. It goes on after a
// problem, so that one run shows them all.
type Reader struct {
	Problems []Problem
}

// Fault notes an error at a place.
func (r *Reader) Fault(at Place, code string, message, suggestion protocols.Text) {
	r.Note(at, Error, code, message, suggestion)
}

// Note notes a problem at a place.
func (r *Reader) Note(at Place, severity Severity, code string, message, suggestion protocols.Text) {
	p := Problem{Path: at.Path, Code: code, Message: message, Suggestion: suggestion, Severity: severity, Line: 1, Column: 1}
	if at.Node != nil {
		p.Line, p.Column = at.Node.Line, at.Node.Column
	}
	said := func(q Problem) bool {
		return q.Line == p.Line && q.Column == p.Column && q.Code == p.Code && q.Message == p.Message
	}
	if !slices.ContainsFunc(r.Problems, said) { // two levels may share what is wrong
		r.Problems = append(r.Problems, p)
	}
}

// Open checks that a mapping stands there, that it has the required keys and no
// key that its form does not know.
func (r *Reader) Open(at Place, f *Form) bool {
	if !at.Present() || at.Node.Kind != Mapping {
		r.Fault(at, "wrong-shape", protocols.Say("%s doit être un ensemble de clés", "%s must be a mapping of keys", f.Name), protocols.Say("écrire les clés %s", "write the keys %s", f.list()))
		return false
	}
	for i, key := range at.Node.Keys {
		switch {
		case f.field(key.Text) != nil:
		case decimalsOf(at.Node, i):
			r.comma(at, i)
		default:
			r.Fault(Place{key, Join(at.Path, key.Text)}, "unknown-key", protocols.Say("%s n'a pas de clé « %s »", "%s has no key %q", f.Name, key.Text), Suggest(key.Text, f.keys()))
		}
	}
	whole := true
	for i := range f.Fields {
		if f.Fields[i].required && !at.Key(f.Fields[i].key).Present() {
			r.Fault(Place{at.Node, Join(at.Path, f.Fields[i].key)}, "missing-key", protocols.Say("%s demande la clé « %s » : %s", "%s needs the key %q: %s", f.Name, f.Fields[i].key, f.Fields[i].says), protocols.Text{})
			whole = false
		}
	}
	return whole
}

// comma notes a number whose decimals, the key i, stand behind a comma.
func (r *Reader) comma(at Place, i int) {
	number, decimals := at.Node.Items[i-1], at.Node.Keys[i].Text
	r.Fault(Place{number, Join(at.Path, at.Node.Keys[i-1].Text)}, "bad-number", protocols.Say("« %s,%s » n'est pas un nombre", "\"%s,%s\" is not a number", number.Text, decimals), protocols.Say("écrire les décimales après un point : %s.%s", "write the decimals after a point: %s.%s", number.Text, decimals))
}

// decimalsOf reports whether a key is what stands behind the comma of a number:
// between braces, YAML reads 38,5 as the number 38 and the key 5.
func decimalsOf(n *Node, i int) bool {
	if i == 0 || n.Items[i].Kind != Null || n.Items[i-1].Kind != Scalar {
		return false
	}
	digits := strings.TrimLeft(n.Keys[i].Text, "0123456789")
	_, err := strconv.Atoi(n.Items[i-1].Text)
	return err == nil && (digits == "" || digits[0] == ' ')
}

// Items returns the places of a list; none when it is absent.
func (r *Reader) Items(at Place) []Place {
	if !at.Present() {
		return nil
	}
	if at.Node.Kind != List {
		r.Fault(at, "wrong-shape", protocols.Say("ceci doit être une liste", "this must be a list"), protocols.Say("mettre « - » devant chaque élément", "put \"- \" before each item"))
		return nil
	}
	places := make([]Place, len(at.Node.Items))
	for i, item := range at.Node.Items {
		places[i] = Place{item, at.Path + "[" + strconv.Itoa(i) + "]"}
	}
	return places
}

// Pairs returns the keys and values of a mapping; none when it is absent.
func (r *Reader) Pairs(at Place) (keys, values []Place) {
	if !at.Present() {
		return nil, nil
	}
	if at.Node.Kind != Mapping {
		r.Fault(at, "wrong-shape", protocols.Say("ceci doit être un ensemble de clés", "this must be a mapping of keys"), protocols.Text{})
		return nil, nil
	}
	for i, key := range at.Node.Keys {
		if decimalsOf(at.Node, i) {
			r.comma(at, i)
			continue
		}
		path := Join(at.Path, key.Text)
		keys = append(keys, Place{key, path})
		values = append(values, Place{pointed(at.Node, at.Node.Items[i]), path})
	}
	return keys, values
}

// Word reads a scalar; empty when it is absent.
func (r *Reader) Word(at Place) string {
	if !at.Present() {
		return ""
	}
	if at.Node.Kind != Scalar {
		r.Fault(at, "wrong-shape", protocols.Say("une seule valeur est attendue ici", "a single value is expected here"), protocols.Text{})
		return ""
	}
	return at.Node.Text
}

// Name reads an identifier: lower case, digits and hyphens.
func (r *Reader) Name(at Place) string {
	text := r.Word(at)
	if text != "" && !IsName(text) {
		r.Fault(at, "bad-name", protocols.Say("« %s » n'est pas un nom", "%q is not a name", text), protocols.Say("n'employer que des minuscules sans accent, des chiffres et des traits d'union, en commençant par une lettre", "use lower-case letters, digits and hyphens, beginning with a letter"))
		return ""
	}
	return text
}

// IsName reports whether s is an identifier: lower case, digits and hyphens, beginning
// with a letter.
func IsName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-') {
			continue
		}
		return false
	}
	return s != ""
}

// Choice is a closed list of words.
type Choice struct {
	Code  string         // what one of them is, in codes of problems: "level"
	Says  protocols.Text // the same for a person: "a level"
	Words []string
}

// OneOf reads a word of a closed list.
func (r *Reader) OneOf(at Place, choice *Choice) string {
	text := r.Word(at)
	if text == "" || slices.Contains(choice.Words, text) {
		return text
	}
	r.Fault(at, "unknown-"+choice.Code, protocols.Say("« %s » n'est pas %s", "%q is not %s", text, choice.Says), Suggest(text, choice.Words))
	return ""
}

var answers = &Choice{"answer", protocols.Say("une réponse par true ou false", "an answer by true or false"), []string{"true", "false"}}

// Yes reads true or false.
func (r *Reader) Yes(at Place) bool {
	return r.OneOf(at, answers) == "true"
}

// Whole reads a whole number within bounds; fallback when it is absent.
func (r *Reader) Whole(at Place, low, high, fallback int) int {
	text := r.Word(at)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		r.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un nombre entier de %d à %d", "%q is not a whole number from %d to %d", text, low, high), protocols.Text{})
		return fallback
	}
	return n
}

// Text reads a sentence in French and English. A bare sentence is the French
// one.
func (r *Reader) Text(at Place) protocols.Text {
	if !at.Present() {
		return protocols.Text{}
	}
	if at.Node.Kind == Scalar {
		return protocols.Text{FR: strings.TrimSpace(at.Node.Text)}
	}
	if !r.Open(at, TextForm) {
		return protocols.Text{}
	}
	return protocols.Text{FR: strings.TrimSpace(r.Word(at.Key("fr"))), EN: strings.TrimSpace(r.Word(at.Key("en")))}
}

// Words reads a list of words.
func (r *Reader) Words(at Place) []string {
	var words []string
	for _, item := range r.Items(at) {
		if w := r.Word(item); w != "" {
			words = append(words, w)
		}
	}
	return words
}
