package protocols_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"vigie/protocols/document"
	"vigie/protocols/language"
	"vigie/protocols/nomenclature"
	"vigie/protocols/review"
	"vigie/protocols/trial"
)

// chapter returns the fenced blocks of YAML in README.md, with the line each
// begins on.
func chapter(t *testing.T) (blocks []string, at []int) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var block []string
	inside := false
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case line == "```yaml":
			inside, block = true, nil
			at = append(at, i+2)
		case inside && line == "```":
			inside = false
			blocks = append(blocks, strings.Join(block, "\n")+"\n")
		case inside:
			block = append(block, line)
		}
	}
	return blocks, at
}

// hearsLittle are warnings about a protocol that observes more than it hears, says nothing
// in its own words, or has no parameters, as an example of one rule does.
var hearsLittle = map[string]bool{"no-sentence": true, "no-advice": true, "unheard": true, "stale": true, "blind-start": true, "hard-number": true, "no-ceiling": true}

// TestTheExamplesOfTheChapterWork runs what README.md teaches: the whole
// protocol with its tests, and every further example as an addition to it.
func TestTheExamplesOfTheChapterWork(t *testing.T) {
	blocks, at := chapter(t)
	if len(blocks) < 10 {
		t.Fatalf("the chapter has only %d examples", len(blocks))
	}
	whole := blocks[0]
	for i, block := range blocks {
		doc := node(t, block)
		switch {
		case i == 0:
			complain(t, at[i], trial.Check(doc, node(t, blocks[1])))
		case doc.Get("measures") != nil:
			_, problems := nomenclature.Parse(doc)
			complain(t, at[i], problems)
		case doc.Get("tests") != nil:
			play(t, at[i], whole, doc)
		default:
			problems := review.Check(added(node(t, whole), doc))
			complain(t, at[i], slices.DeleteFunc(problems, func(p document.Problem) bool { return hearsLittle[p.Code] }))
		}
	}
}

func complain(t *testing.T, from int, problems []document.Problem) {
	t.Helper()
	for _, p := range problems {
		t.Errorf("README.md, example on line %d: line %d: %s: %s", from, p.Line, p.Code, p.Message)
	}
}

func play(t *testing.T, from int, whole string, tests *document.Node) {
	t.Helper()
	results, problems := trial.RunTests(parsed(t, whole), tests)
	complain(t, from, problems)
	if len(results) == 0 {
		t.Errorf("README.md, example on line %d: no test was played", from)
	}
	for _, r := range results {
		for _, difference := range r.Differences {
			t.Errorf("README.md, example on line %d: %s: %s", from, r.Name, difference)
		}
	}
}

// added puts the observations and rules of an example into a whole protocol. The
// observation of a measure stands for an earlier one of it, and a key at the head for the
// same key.
func added(whole, example *document.Node) *document.Node {
	for i, key := range example.Keys {
		list := whole.Get(key.Text)
		if list == nil || list.Kind == document.Scalar || key.Text == "eligibility" {
			put(whole, key, example.Items[i])
			continue
		}
		list.Keys = append(list.Keys, example.Items[i].Keys...)
		for _, item := range example.Items[i].Items {
			list.Items = append(slices.DeleteFunc(list.Items, func(known *document.Node) bool { return key.Text == "observations" && sameObservation(known, item) }), item)
		}
	}
	return whole
}

// put sets a key of a mapping, or those of a mapping under it.
func put(into, key, value *document.Node) {
	for i, known := range into.Keys {
		switch {
		case known.Text != key.Text:
		case value.Kind == document.Mapping:
			for j := range value.Keys {
				put(into.Items[i], value.Keys[j], value.Items[j])
			}
			return
		default:
			into.Items[i] = value
			return
		}
	}
	into.Keys, into.Items = append(into.Keys, key), append(into.Items, value)
}

func sameObservation(a, b *document.Node) bool {
	text := func(n *document.Node, key string) string {
		if found := n.Get(key); found != nil {
			return found.Text
		}
		return ""
	}
	return text(a, "measure") == text(b, "measure") && text(a, "variant") == text(b, "variant")
}

// TestTheChapterNamesEveryWordOfTheLanguage keeps the reference complete.
func TestTheChapterNamesEveryWordOfTheLanguage(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range wordsOf(t, language.Schema(), language.TestsSchema(), nomenclature.Schema()) {
		if !strings.Contains(string(text), "`"+word+"`") && !strings.Contains(string(text), word+":") {
			t.Errorf("README.md does not name %q", word)
		}
	}
}

// TestTheExamplesShowEveryWordOfTheLanguage holds that each key and statistic stands in an
// example that is checked and played, not in prose alone.
func TestTheExamplesShowEveryWordOfTheLanguage(t *testing.T) {
	shown := map[string]bool{}
	blocks, _ := chapter(t)
	for _, block := range blocks {
		noteWords(shown, node(t, block))
	}
	for _, word := range wordsOf(t, language.Schema(), language.TestsSchema(), nomenclature.Schema()) {
		if !shown[word] && !shown["statistic "+word] {
			t.Errorf("no example of README.md shows %q", word)
		}
	}
	for _, shape := range []string{"event true", "x of a parameter", "at_least of", "must_be_set true"} {
		if !shown[shape] {
			t.Errorf("no example of README.md shows %q", shape)
		}
	}
}

// noteWords notes the keys of a node, the statistics, and some shapes of values.
func noteWords(shown map[string]bool, n *document.Node) {
	for i, key := range n.Keys {
		shown[key.Text] = true
		shown[key.Text+" "+n.Items[i].Text] = true
		if strings.Contains(n.Items[i].Text, " x ") {
			shown["x of a parameter"] = true
		}
		if key.Text == "of" && n.Get("at_least") != nil {
			shown["at_least of"] = true
		}
	}
	for _, item := range n.Items {
		noteWords(shown, item)
	}
}

// wordsOf lists the keys and statistics of the language, as its schemas have them.
func wordsOf(t *testing.T, schemas ...[]byte) []string {
	t.Helper()
	var words []string
	var visit func(value any)
	visit = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				visit(item)
			}
		case map[string]any:
			if properties, ok := value["properties"].(map[string]any); ok {
				words = slices.AppendSeq(words, maps.Keys(properties))
				if statistic, ok := properties["statistic"].(map[string]any); ok {
					for _, name := range statistic["enum"].([]any) {
						words = append(words, name.(string))
					}
				}
			}
			for _, inner := range value {
				visit(inner)
			}
		}
	}
	for _, schema := range schemas {
		var all any
		if err := json.Unmarshal(schema, &all); err != nil {
			t.Fatal(err)
		}
		visit(all)
	}
	if len(words) < 100 {
		t.Fatalf("the schemas have only %d words", len(words))
	}
	return words
}
