package protocols

import (
	"strconv"
	"strings"
)

// place is a node of a document with the path that leads to it, for complaints.
type place struct {
	node *Node
	path string // "rules[2].when"
}

// key returns the place under key; its node is nil when the key is absent.
func (p place) key(name string) place {
	return place{p.node.Get(name), join(p.path, name)}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// present reports whether something is written there: an empty text is nothing.
func (p place) present() bool {
	return p.node != nil && p.node.Kind != Null && (p.node.Kind != Scalar || strings.TrimSpace(p.node.Text) != "")
}

// reader reads a document and gathers what is wrong with it. It goes on after a
// problem, so that one run shows them all.
type reader struct {
	problems []Problem
}

// fault notes an error at a place.
func (r *reader) fault(at place, code string, message, suggestion Text) {
	r.note(at, Error, code, message, suggestion)
}

func (r *reader) note(at place, severity Severity, code string, message, suggestion Text) {
	p := Problem{Path: at.path, Code: code, Message: message, Suggestion: suggestion, Severity: severity, Line: 1, Column: 1}
	if at.node != nil {
		p.Line, p.Column = at.node.Line, at.node.Column
	}
	r.problems = append(r.problems, p)
}

// open checks that a mapping stands there, that it has the required keys and no
// key that its form does not know.
func (r *reader) open(at place, f *form) bool {
	if !at.present() || at.node.Kind != Mapping {
		r.fault(at, "wrong-shape", say("%s doit être un ensemble de clés", "%s must be a mapping of keys", f.name), say("écrire les clés %s", "write the keys %s", f.list()))
		return false
	}
	for _, key := range at.node.Keys {
		if f.field(key.Text) == nil {
			r.fault(place{key, join(at.path, key.Text)}, "unknown-key", say("%s n'a pas de clé « %s »", "%s has no key %q", f.name, key.Text), suggest(key.Text, f.keys()))
		}
	}
	whole := true
	for i := range f.fields {
		if f.fields[i].required && !at.key(f.fields[i].key).present() {
			r.fault(place{at.node, join(at.path, f.fields[i].key)}, "missing-key", say("%s demande la clé « %s » : %s", "%s needs the key %q: %s", f.name, f.fields[i].key, f.fields[i].says), Text{})
			whole = false
		}
	}
	return whole
}

// items returns the places of a list; none when it is absent.
func (r *reader) items(at place) []place {
	if !at.present() {
		return nil
	}
	if at.node.Kind != List {
		r.fault(at, "wrong-shape", say("ceci doit être une liste", "this must be a list"), say("mettre « - » devant chaque élément", "put \"- \" before each item"))
		return nil
	}
	places := make([]place, len(at.node.Items))
	for i, item := range at.node.Items {
		places[i] = place{item, at.path + "[" + strconv.Itoa(i) + "]"}
	}
	return places
}

// pairs returns the keys and values of a mapping; none when it is absent.
func (r *reader) pairs(at place) (keys, values []place) {
	if !at.present() {
		return nil, nil
	}
	if at.node.Kind != Mapping {
		r.fault(at, "wrong-shape", say("ceci doit être un ensemble de clés", "this must be a mapping of keys"), Text{})
		return nil, nil
	}
	for i, key := range at.node.Keys {
		path := join(at.path, key.Text)
		keys = append(keys, place{key, path})
		values = append(values, place{at.node.Items[i], path})
	}
	return keys, values
}

// word reads a scalar; empty when it is absent.
func (r *reader) word(at place) string {
	if !at.present() {
		return ""
	}
	if at.node.Kind != Scalar {
		r.fault(at, "wrong-shape", say("une seule valeur est attendue ici", "a single value is expected here"), Text{})
		return ""
	}
	return at.node.Text
}

// name reads an identifier: lower case, digits and hyphens.
func (r *reader) name(at place) string {
	text := r.word(at)
	if text != "" && !isName(text) {
		r.fault(at, "bad-name", say("« %s » n'est pas un nom", "%q is not a name", text), say("n'employer que des minuscules sans accent, des chiffres et des traits d'union, en commençant par une lettre", "use lower-case letters, digits and hyphens, beginning with a letter"))
		return ""
	}
	return text
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-') {
			continue
		}
		return false
	}
	return s != ""
}

// oneOf reads a word of a closed list, one of wordKinds.
func (r *reader) oneOf(at place, what string, words []string) string {
	text := r.word(at)
	if text == "" {
		return ""
	}
	for _, w := range words {
		if w == text {
			return text
		}
	}
	r.fault(at, "unknown-"+what, say("« %s » n'est pas %s", "%q is not %s", text, wordKinds[what]), suggest(text, words))
	return ""
}

// yes reads true or false.
func (r *reader) yes(at place) bool {
	return r.oneOf(at, "answer", []string{"true", "false"}) == "true"
}

// whole reads a whole number within bounds; fallback when it is absent.
func (r *reader) whole(at place, low, high, fallback int) int {
	text := r.word(at)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		r.fault(at, "bad-number", say("« %s » n'est pas un nombre entier de %d à %d", "%q is not a whole number from %d to %d", text, low, high), Text{})
		return fallback
	}
	return n
}

// text reads a sentence in French and English. A bare sentence is the French
// one.
func (r *reader) text(at place) Text {
	if !at.present() {
		return Text{}
	}
	if at.node.Kind == Scalar {
		return Text{FR: strings.TrimSpace(at.node.Text)}
	}
	if !r.open(at, textForm) {
		return Text{}
	}
	return Text{FR: strings.TrimSpace(r.word(at.key("fr"))), EN: strings.TrimSpace(r.word(at.key("en")))}
}

// words reads a list of words.
func (r *reader) words(at place) []string {
	var words []string
	for _, item := range r.items(at) {
		if w := r.word(item); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// suggest names the nearest of the known words, or lists them all when none is
// near.
func suggest(text string, known []string) Text {
	best, distance := "", len(text)/3+2
	for _, k := range known {
		if d := spellingDistance(text, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return say("vouliez-vous dire « %s » ?", "did you mean %q?", best)
	}
	return oneAmong(known)
}

func oneAmong(words []string) Text {
	known := strings.Join(words, ", ")
	return say("l'un de ceux-ci : %s", "use one of %s", known)
}

// spellingDistance is the number of letters to add, drop or change between two
// words (Levenshtein), underscores and hyphens being the same letter.
func spellingDistance(a, b string) int {
	x, y := []rune(strings.ReplaceAll(a, "_", "-")), []rune(strings.ReplaceAll(b, "_", "-"))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
